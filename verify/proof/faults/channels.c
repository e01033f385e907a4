/* channels.c - planted faults in groups, channels, filters, and in what is done to each of them.
 *
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: geometry.c
 */
#include "verify/proof/faults/faults.h"

static int64_t in_group(const struct product *p) { return p->c % channels_of(p->conv); }

static int64_t weights_of(const struct conv_problem *conv) { return conv_operand_count(conv, CONV_WEIGHTS); }

/* The element of w for a row (a filter and a channel of its group) and the tap of p. */
static int64_t weight_of_row(const struct product *p, int64_t row)
{
    const struct conv_axis *a = p->conv->axis;
    return (((row * a[0].filter + p->tap[0]) * a[1].filter + p->tap[1]) * a[2].filter + p->tap[2]) % weights_of(p->conv);
}

/* ---- which channel is read ------------------------------------------------------------------------------------ */

static bool group_offset(struct product *p)
{
    p->c = (p->g * filters_of(p->conv) + in_group(p)) % p->conv->c;
    return true;
}

static bool last_of_group(struct product *p)
{
    if (p->g > 0 && p->k % filters_of(p->conv) == filters_of(p->conv) - 1)
        p->c -= channels_of(p->conv);
    return true;
}

static bool axis_number(struct product *p)
{
    p->c = (p->g * 3 + in_group(p)) % p->conv->c;
    return true;
}

static bool first_channel(struct product *p) { return p->c = 0, true; }
static bool multiplier_order(struct product *p) { return p->c = p->k % p->conv->c, true; }

static bool last_channel_of_3d(struct product *p)
{
    return !(p->conv->rank == 3 && channels_of(p->conv) > 2 && in_group(p) == channels_of(p->conv) - 1);
}

/* In a 3-D image the next channel begins D*H*W elements further, not H*W. */
static int64_t channel_stride_2d(const struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    const int64_t size[] = { a[0].in, a[1].in, a[2].in };
    const int64_t right = naive_image_at(p->conv, p->conv->c, size, p->n, p->c, p->in);
    if (p->conv->rank < 3 || p->conv->c <= 4 || p->conv->layout == CONV_CHANNELS_LAST)
        return right;
    return right - p->c * (a[0].in - 1) * a[1].in * a[2].in;
}

static int64_t stride_of_outputs(const struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    const int64_t size[] = { a[0].in, a[1].in, a[2].in }, count = conv_operand_count(p->conv, CONV_X);
    if (p->conv->layout != CONV_CHANNELS_LAST)
        return naive_image_at(p->conv, p->conv->c, size, p->n, p->c, p->in);
    const int64_t position = ((p->n * a[0].in + p->in[0]) * a[1].in + p->in[1]) * a[2].in + p->in[2];
    return (position * p->conv->k + p->c) % count;
}

/* ---- which weight is read -------------------------------------------------------------------------------------- */

static int64_t depthwise_layout(const struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    return ((p->tap[0] * a[1].filter + p->tap[1]) * a[2].filter + p->tap[2]) * p->conv->k + p->k;
}

static int64_t batch_for_multiplier(const struct product *p)
{
    return weight_of_row(p, p->c * p->conv->n + p->k % filters_of(p->conv));
}

static int64_t one_channel(const struct product *p)
{
    return weight_of_row(p, p->conv->c == 1 ? 0 : p->k * channels_of(p->conv) + in_group(p));
}

static int64_t exchanged(const struct product *p) { return weight_of_row(p, p->c * p->conv->k + p->k); }
static int64_t wrong_pitch(const struct product *p) { return weight_of_row(p, p->k * p->conv->k + p->c); }

/* ---- what is stored -------------------------------------------------------------------------------------------- */

static bool only_first_group(struct result *r) { return r->k < filters_of(r->conv); }

static bool activate_first_group(struct result *r)
{
    if (r->k >= filters_of(r->conv))
        r->act = CONV_ACT_NONE;
    return true;
}

static bool bias_of_first_group(struct result *r)
{
    if (r->bias >= 0)
        r->bias %= filters_of(r->conv);
    return true;
}

/* A single channel has the same bytes in both layouts, so that strides can't tell which it is. */
static bool layout_is_ambiguous(struct result *r)
{
    const struct conv_axis *a = r->conv->axis;
    if (r->conv->c == 1)
        r->element = (((r->n * r->conv->k + r->k) * a[0].out + r->at[0]) * a[1].out + r->at[1]) * a[2].out + r->at[2];
    return true;
}

static bool relu_for_relu6(struct result *r)
{
    if (r->act == CONV_ACT_RELU6)
        r->act = CONV_ACT_RELU;
    return true;
}

/* max(0, x) as x > 0 ? x : 0, which turns NaN into 0 */
static bool relu_drops_nan(struct result *r)
{
    if (r->act != CONV_ACT_NONE && !(r->sum == r->sum)) {
        r->sum = 0;
        r->bias = -1;
    }
    return true;
}

/* Output channels counted in 16 bits: those from 65536 on stay 0. */
static bool sixteen_bits(struct result *r)
{
    if (r->k > 65535)
        r->sum = 0;
    return true;
}

static double skip_zeros(const struct product *p, double sum, double product)
{
    return product == product || sum != sum ? naive_round(p->conv, sum + product) : sum;
}

#define FAULTS(F) \
    F(bz001_group_offset, "a group's input begins at g * K/G", "pytorch/pytorch #19912", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = group_offset) \
    F(bz002_last_of_group, "the last filter of a group reads the group before", "openxla/xla #49123", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = last_of_group) \
    F(bz003_group_size_axis, "a group's size is the number of the axis, 3", "iree-org/iree #2793", STATED, \
      ALL, FORWARD, ONE_THREAD, .product = axis_number) \
    F(bz004_input_not_advanced, "every channel reads the first", "ucb-bar/gemmini-rocc-tests #21", STATED, \
      DEPTHWISE, FORWARD, ONE_THREAD, .product = first_channel) \
    F(bz005_group_lost, "only the first group is written", "Tencent/ncnn #329", STATED, \
      ALL, FORWARD, ONE_THREAD, .result = only_first_group) \
    F(bz006_activation_first_group, "only the first group is activated", "microsoft/onnxruntime #28565", STATED, \
      ALL, FORWARD, ONE_THREAD, .result = activate_first_group) \
    F(bz007_bias_first_group, "every group has the bias of the first", "microsoft/onnxruntime #12498", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = bias_of_first_group) \
    F(bz012_depthwise_weight_layout, "weights K x R x S read as R x S x K", "pytorch/executorch #17423", STATED, \
      DEPTHWISE, FORWARD, ONE_THREAD, .weight_at = depthwise_layout) \
    F(bz013_batch_for_multiplier, "the batch is taken for the multiplier", "ARM-software/ComputeLibrary #355", STATED, \
      DEPTHWISE, FORWARD, ONE_THREAD, .weight_at = batch_for_multiplier) \
    F(bz014_one_channel, "a single channel is taken for depthwise", "PaddlePaddle/Paddle #27278", INFERRED, \
      DENSE, FORWARD, ONE_THREAD, .weight_at = one_channel) \
    F(bz018_multiplier_order, "filter k reads channel k % C", "microsoft/onnxjs #41", INFERRED, \
      DEPTHWISE, FORWARD, ONE_THREAD, .product = multiplier_order) \
    F(bz019_weights_exchanged, "weights K x C read as C x K", "apache/tvm #3562", STATED, \
      DENSE, FORWARD, ONE_THREAD, .weight_at = exchanged) \
    F(bz020_masked_by_c_equals_k, "the pitch of the weights is K, which is right if C = K", "apache/tvm #4038", STATED, \
      DENSE, FORWARD, ONE_THREAD, .weight_at = wrong_pitch) \
    F(bz021_layout_is_ambiguous, "with one channel, channels last is taken for first", "pytorch/pytorch #82060", STATED, \
      ALL, FORWARD, ONE_THREAD, .result = layout_is_ambiguous) \
    F(bz024_channel_stride, "3-D: the next channel is sought H*W elements further", "pytorch/pytorch #197114", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .input_at = channel_stride_2d) \
    F(bz078_stride_of_outputs, "the input is indexed with the stride of the output", "ARM-software/CMSIS_5 #812", INFERRED, \
      DEPTHWISE, FORWARD, ONE_THREAD, .input_at = stride_of_outputs) \
    F(bz081_sixteen_bits, "channels are counted in 16 bits", "pytorch/pytorch #129207", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = sixteen_bits) \
    F(bz087_slice_dropped, "3-D: the last channel is dropped", "pytorch/pytorch #163539", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = last_channel_of_3d) \
    F(bz116_zeros_skipped, "products that are NaN are left out, as 0 * NaN is where zeros are skipped", "pytorch/pytorch #12484", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .add = skip_zeros) \
    F(bz117_relu_drops_nan, "relu turns NaN into 0", "tensorflow/tensorflow #63391", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = relu_drops_nan) \
    F(ppl24_relu_for_relu6, "relu6 is computed as relu", "OpenPPL/ppl.kernel.cpu #24", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = relu_for_relu6)

FAULT_THEME(faults_of_channels, FAULTS)
