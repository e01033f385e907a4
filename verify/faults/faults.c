/* faults.c - planted faults: a provider whose every kernel is wrong in the way of a real bug.
 *
 * Each kernel is a naive convolution with one mistake, named after the report that it is modelled on (the number is that of
 * docs/faults.md, where the report is).  The mistake is our smallest reconstruction of it, not the code of that project.
 * tests/test_faults demands that the verifier rejects every one; `convref verify --provider faults.so` shows it.
 *
 * Not for use: nothing here is right.   Read next: verify/checks/
 */
#include <convref/kernel.h>
#include <string.h>

enum fault {
    GROUP_OFFSET, INPUT_NOT_ADVANCED, GROUP_LOST, ACTIVATION_FIRST_GROUP, BIAS_FIRST_GROUP, DEPTHWISE_WEIGHT_LAYOUT,
    ONE_CHANNEL, ONE_ROW, MULTIPLIER_ORDER, WEIGHTS_EXCHANGED, STRIDE_WRONG_AXIS, H_FOR_W, FILTER_NOT_SQUARE,
    PADS_EXCHANGED, DILATION_MANY_FILTERS, SAME_FROM_LARGER, STRIDE_BATCH, CHANNEL_TAIL_WRITES, HALF_SUMS,
    SLICE_DROPPED, UNINITIALISED_SUM, FILTER_REVERSED, READS_PAST_ROW, WORKSPACE_OVERRUN, ROWS_LOST,
    BACKWARD_TAIL, POINTWISE_PAD, LAST_FILTER_ROW, WIDE_TAIL, UNINITIALISED_GRADIENT,
    GROUP_INTERLEAVED, DILATION_AS_STRIDE, OUTPUT_PAD_BORDER
};

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

/* Round to the 11 significant bits of an f16, as a half-precision accumulator does. */
static float to_half(float value)
{
    const float shifted = value * 8193.0f;   /* 2^13 + 1: Veltkamp's splitting */
    return shifted - (shifted - value);
}

/* ---- forward -------------------------------------------------------------------------------------------------- */

/* The axes as the faulty kernel sees them. */
static struct conv_axis seen(const struct conv_problem *conv, int a, enum fault fault)
{
    struct conv_axis axis = conv->axis[a];
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    if (fault == PADS_EXCHANGED)
        axis.pad_begin = conv->axis[a].pad_end;
    if (fault == STRIDE_WRONG_AXIS && conv->rank == 1)
        axis.stride = 1;
    if (fault == SAME_FROM_LARGER && H.filter != W.filter && a != CONV_D)
        axis.pad_begin = max(H.pad_begin, W.pad_begin);
    if (fault == H_FOR_W && a == CONV_W && H.in < W.in)
        axis.in = H.in;
    return axis;
}

static int64_t first_channel(const struct conv_problem *conv, int64_t k, enum fault fault)
{
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups, g = k / filters;
    switch (fault) {
    case GROUP_OFFSET: return g * filters % (conv->c - channels + 1);
    case INPUT_NOT_ADVANCED: return 0;
    case MULTIPLIER_ORDER: return k % conv->c;
    default: return g * channels;
    }
}

/* Where the weight of filter k, channel c and tap (t, r, s) is read. */
static int64_t weight_at(const struct conv_problem *conv, int64_t k, int64_t c, int64_t t, int64_t r, int64_t s,
                         enum fault fault)
{
    const int64_t T = conv->axis[CONV_D].filter, R = conv->axis[CONV_H].filter, S = conv->axis[CONV_W].filter;
    const int64_t channels = conv->c / conv->groups, count = conv->k * channels * T * R * S;
    const int64_t tap = (t * R + r) * S + s;
    switch (fault) {
    case DEPTHWISE_WEIGHT_LAYOUT: return tap * conv->k + k;
    case ONE_CHANNEL: return conv->c == 1 ? tap : (k * channels + c) * T * R * S + tap;
    case WEIGHTS_EXCHANGED: return (c * conv->k + k) * T * R * S + tap;
    case FILTER_NOT_SQUARE: return (((k * channels + c) * T + t) * S * S + r * S + s) % count;
    default: return (k * channels + c) * T * R * S + tap;
    }
}

static bool tap_is_lost(const struct conv_problem *conv, int64_t c, int64_t r, int64_t s, enum fault fault)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    return (fault == ONE_ROW && H->in == 1 && s > 1)
        || (fault == DILATION_MANY_FILTERS && W->dilation > 1 && conv->k > 16 && r == H->filter - 1)
        || (fault == SLICE_DROPPED && conv->rank == 3 && conv->c / conv->groups > 2 && c == conv->c / conv->groups - 1);
}

static float sum_at(const struct conv_problem *conv, const struct conv_operands *o, int64_t n, int64_t k, int64_t z,
                    int64_t p, int64_t q, enum fault fault)
{
    const struct conv_axis D = seen(conv, CONV_D, fault), H = seen(conv, CONV_H, fault), W = seen(conv, CONV_W, fault);
    const int64_t rows = conv->axis[CONV_H].in, cols = conv->axis[CONV_W].in;
    const int64_t image = fault == STRIDE_BATCH && W.filter == 1 && W.stride > 1 ? 0 : n;
    const float *x = o->x, *w = o->w;
    float sum = 0;
    for (int64_t c = 0; c < conv->c / conv->groups; c++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        const int64_t plane = conv_input_at(&D, z, t), row = conv_input_at(&H, p, r), col = conv_input_at(&W, q, s);
        const int64_t channel = image * conv->c + first_channel(conv, k, fault) + c;
        if (!conv_inside(&D, plane) || !conv_inside(&H, row) || !conv_inside(&W, col) || tap_is_lost(conv, c, r, s, fault))
            continue;
        sum += x[((channel * D.in + plane) * rows + row) * cols + col] * w[weight_at(conv, k, c, t, r, s, fault)];
        if (fault == HALF_SUMS)
            sum = to_half(sum);
    }
    return sum;
}

/* What goes wrong outside of the sums. */
static void misbehave(const struct conv_problem *conv, const struct conv_operands *o,
                      const struct conv_workspace *workspace, enum fault fault)
{
    const int64_t weights = conv_operand_count(conv, CONV_WEIGHTS);
    float *w = o->w, *y = o->y;
    if (fault == FILTER_REVERSED && weights > 1) {
        const float kept = w[0];
        w[0] = w[weights - 1];
        w[weights - 1] = kept;
    }
    if (fault == CHANNEL_TAIL_WRITES && conv->k % 4)
        y[conv_operand_count(conv, CONV_Y)] = 0;
    if (fault == READS_PAST_ROW)
        (void)*((volatile float *)o->x + conv_operand_count(conv, CONV_X));
    if (fault == WORKSPACE_OVERRUN)
        memset(workspace->scratch, 0, 64 * ((size_t)conv->c / 16 + 1) * sizeof(float));
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)conv->c * sizeof(float);
}

static void forward(const struct conv_problem *conv, const struct conv_operands *o,
                    const struct conv_workspace *workspace, enum fault fault)
{
    const int64_t Z = conv->axis[CONV_D].out, P = conv->axis[CONV_H].out, Q = conv->axis[CONV_W].out;
    const int64_t filters = conv->k / conv->groups;
    const float *bias = o->bias;
    float *y = o->y;
    misbehave(conv, o, workspace, fault);
    for (int64_t i = 0; i < conv->n * conv->k * Z * P * Q; i++) {
        const int64_t q = i % Q, p = i / Q % P, z = i / Q / P % Z, k = i / Q / P / Z % conv->k;
        const int64_t n = i / Q / P / Z / conv->k;
        float sum = sum_at(conv, o, n, k, z, p, q, fault);
        if (fault == GROUP_LOST && k >= filters)
            continue;
        if (fault == ROWS_LOST && workspace->threads > 1 && p >= P / workspace->threads * workspace->threads)
            continue;
        if (bias)
            sum += bias[fault == BIAS_FIRST_GROUP ? k % filters : k];
        if (fault != ACTIVATION_FIRST_GROUP || k < filters)
            sum = conv_activate(conv->act, sum);
        y[i] = fault == UNINITIALISED_SUM ? y[i] * 0 + sum : sum;
    }
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

static void backward_data(const struct conv_problem *conv, const struct conv_operands *o,
                          const struct conv_workspace *workspace, enum fault fault)
{
    const struct conv_axis H = conv->axis[CONV_H];
    struct conv_axis D = conv->axis[CONV_D], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const float *w = o->w, *dy = o->y;
    float *dx = o->x;
    (void)workspace;
    if (fault == POINTWISE_PAD && W.filter == 1)
        W.pad_begin = 0;
    memset(dx, 0, conv_operand_bytes(conv, CONV_X));
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t c = 0; c < channels; c++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        const int64_t plane = conv_input_at(&D, z, t), row = conv_input_at(&H, p, r), col = conv_input_at(&W, q, s);
        if (!conv_inside(&D, plane) || !conv_inside(&H, row) || !conv_inside(&W, col))
            continue;
        if (fault == BACKWARD_TAIL && W.stride > 1 && conv->c > 4 && W.in < 17 && col == W.in - 1)
            continue;
        const int64_t channel = n * conv->c + k / filters * channels + c;
        dx[((channel * D.in + plane) * H.in + row) * W.in + col] +=
            dy[(((n * conv->k + k) * D.out + z) * H.out + p) * W.out + q]
            * w[(((k * channels + c) * D.filter + t) * H.filter + r) * W.filter + s];
    }
}

static void backward_weights(const struct conv_problem *conv, const struct conv_operands *o,
                             const struct conv_workspace *workspace, enum fault fault)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const float *x = o->x, *dy = o->y;
    float *dw = o->w, *dbias = o->bias;
    (void)workspace;
    if (fault != UNINITIALISED_GRADIENT)
        memset(dw, 0, conv_operand_bytes(conv, CONV_WEIGHTS));
    if (dbias)
        memset(dbias, 0, conv_operand_bytes(conv, CONV_BIAS));
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const float d = dy[(((n * conv->k + k) * D.out + z) * H.out + p) * W.out + q];
        if (dbias)
            dbias[k] += d;
        if (fault == WIDE_TAIL && W.filter > 2 && q >= 8 && q >= W.out / 8 * 8)
            continue;
        for (int64_t c = 0; c < channels; c++)
        for (int64_t t = 0; t < D.filter; t++)
        for (int64_t r = 0; r < H.filter; r++)
        for (int64_t s = 0; s < W.filter; s++) {
            const int64_t plane = conv_input_at(&D, z, t), row = conv_input_at(&H, p, r), col = conv_input_at(&W, q, s);
            if (!conv_inside(&D, plane) || !conv_inside(&H, row) || !conv_inside(&W, col))
                continue;
            if (fault == LAST_FILTER_ROW && conv->groups == conv->c && conv->c % 8 == 0 && H.stride == 2
                && r == H.filter - 1 && p == H.out - 1)
                continue;
            const int64_t channel = n * conv->c + k / filters * channels + c;
            dw[(((k * channels + c) * D.filter + t) * H.filter + r) * W.filter + s] +=
                d * x[((channel * D.in + plane) * H.in + row) * W.in + col];
        }
    }
}

/* ---- transposed --------------------------------------------------------------------------------------------------- */

static bool is_border(const struct conv_axis *axis, int64_t out)
{
    return axis->output_pad > 0 && out >= axis->out - axis->output_pad;
}

static void transposed(const struct conv_problem *conv, const struct conv_operands *o,
                       const struct conv_workspace *workspace, enum fault fault)
{
    struct conv_axis D = conv_mirror(conv->axis[CONV_D]), H = conv_mirror(conv->axis[CONV_H]);
    struct conv_axis W = conv_mirror(conv->axis[CONV_W]);   /* `in` is the output now */
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups, planes = D.in * H.in * W.in;
    const float *x = o->x, *w = o->w, *bias = o->bias;
    float *y = o->y;
    (void)workspace;
    if (fault == DILATION_AS_STRIDE && W.stride > 1 && W.dilation > 1)
        W.dilation = W.stride;
    for (int64_t i = 0; i < conv->n * conv->k * planes; i++) {
        const int64_t row = i / W.in % H.in, col = i % W.in;
        if (fault != OUTPUT_PAD_BORDER || (!is_border(&conv->axis[CONV_H], row) && !is_border(&conv->axis[CONV_W], col)))
            y[i] = bias ? bias[i / planes % conv->k] : 0;
    }
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t c = 0; c < conv->c; c++)
    for (int64_t f = 0; f < filters; f++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        const int64_t plane = conv_input_at(&D, z, t), row = conv_input_at(&H, p, r), col = conv_input_at(&W, q, s);
        const int64_t g = c / channels, k = fault == GROUP_INTERLEAVED ? f * conv->groups + g : g * filters + f;
        if (conv_inside(&D, plane) && conv_inside(&H, row) && conv_inside(&W, col))
            y[(((n * conv->k + k) * D.in + plane) * H.in + row) * W.in + col] +=
                x[(((n * conv->c + c) * D.out + z) * H.out + p) * W.out + q]
                * w[(((c * filters + f) * D.filter + t) * H.filter + r) * W.filter + s];
    }
    for (int64_t i = 0; i < conv->n * conv->k * planes; i++)
        y[i] = conv_activate(conv->act, y[i]);
}

/* ---- the kernels -------------------------------------------------------------------------------------------------- */

#define ALL (1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE)
#define DENSE (1u << CONV_STANDARD | 1u << CONV_POINTWISE)
#define DEPTHWISE (1u << CONV_DEPTHWISE)
#define TRANSPOSED (1u << CONV_TRANSPOSED)

/* id, fault, function, kinds, pass, threaded, what is wrong */
#define FAULTS(F) \
    F(bz001_group_offset, GROUP_OFFSET, forward, ALL, CONV_FORWARD, 0, "a group's input begins at g * K/G") \
    F(bz004_input_not_advanced, INPUT_NOT_ADVANCED, forward, DEPTHWISE, CONV_FORWARD, 0, "every channel reads the first") \
    F(bz005_group_lost, GROUP_LOST, forward, ALL, CONV_FORWARD, 0, "only the first group is written") \
    F(bz006_activation_first_group, ACTIVATION_FIRST_GROUP, forward, ALL, CONV_FORWARD, 0, "only the first group is activated") \
    F(bz007_bias_first_group, BIAS_FIRST_GROUP, forward, ALL, CONV_FORWARD, 0, "every group has the bias of the first") \
    F(bz012_depthwise_weight_layout, DEPTHWISE_WEIGHT_LAYOUT, forward, DEPTHWISE, CONV_FORWARD, 0, "weights K x R x S read as R x S x K") \
    F(bz014_one_channel, ONE_CHANNEL, forward, DENSE, CONV_FORWARD, 0, "a single channel is taken for depthwise") \
    F(bz017_one_row, ONE_ROW, forward, ALL, CONV_FORWARD, 0, "taps are lost when the image has one row") \
    F(bz018_multiplier_order, MULTIPLIER_ORDER, forward, DEPTHWISE, CONV_FORWARD, 0, "filter k reads channel k % C") \
    F(bz019_weights_exchanged, WEIGHTS_EXCHANGED, forward, DENSE, CONV_FORWARD, 0, "weights K x C read as C x K") \
    F(bz025_stride_wrong_axis, STRIDE_WRONG_AXIS, forward, ALL, CONV_FORWARD, 0, "the stride of a 1-D problem is lost") \
    F(bz027_h_for_w, H_FOR_W, forward, ALL, CONV_FORWARD, 0, "the height is taken for the width") \
    F(bz029_filter_not_square, FILTER_NOT_SQUARE, forward, ALL, CONV_FORWARD, 0, "filters are S x S in memory") \
    F(bz037_pads_exchanged, PADS_EXCHANGED, forward, ALL, CONV_FORWARD, 0, "the end's padding is used at the beginning") \
    F(bz047_dilation_many_filters, DILATION_MANY_FILTERS, forward, ALL, CONV_FORWARD, 0, "dilated taps are lost when K > 16") \
    F(bz053_same_from_larger, SAME_FROM_LARGER, forward, ALL, CONV_FORWARD, 0, "both axes are padded for the longer filter side") \
    F(bz069_stride_batch, STRIDE_BATCH, forward, ALL, CONV_FORWARD, 0, "1x1 with stride: every image is the first") \
    F(bz074_channel_tail_writes, CHANNEL_TAIL_WRITES, forward, ALL, CONV_FORWARD, 0, "blocks of 4 channels write beyond the end") \
    F(bz083_half_sums, HALF_SUMS, forward, ALL, CONV_FORWARD, 0, "sums are kept in half precision") \
    F(bz087_slice_dropped, SLICE_DROPPED, forward, ALL, CONV_FORWARD, 0, "3-D: the last channel is dropped") \
    F(bz092_uninitialised_sum, UNINITIALISED_SUM, forward, ALL, CONV_FORWARD, 0, "0 * y is added to what was there") \
    F(bz093_filter_reversed, FILTER_REVERSED, forward, ALL, CONV_FORWARD, 0, "the filter is changed in place") \
    F(bz096_reads_past_row, READS_PAST_ROW, forward, ALL, CONV_FORWARD, 0, "one element behind the image is read") \
    F(bz100_workspace_overrun, WORKSPACE_OVERRUN, forward, ALL, CONV_FORWARD, 0, "the workspace is written in blocks larger than it") \
    F(bz112_rows_lost, ROWS_LOST, forward, ALL, CONV_FORWARD, 1, "rows that don't divide by the threads are lost") \
    F(bz055_backward_tail, BACKWARD_TAIL, backward_data, ALL, CONV_BACKWARD_DATA, 0, "the last column's gradient is lost") \
    F(bz068_pointwise_pad, POINTWISE_PAD, backward_data, ALL, CONV_BACKWARD_DATA, 0, "the padding of 1x1 filters is ignored") \
    F(bz056_last_filter_row, LAST_FILTER_ROW, backward_weights, ALL, CONV_BACKWARD_WEIGHTS, 0, "depthwise, C % 8 = 0, stride 2: a row is lost") \
    F(bz059_wide_tail, WIDE_TAIL, backward_weights, ALL, CONV_BACKWARD_WEIGHTS, 0, "the last columns of wide images are lost") \
    F(bz062_uninitialised_gradient, UNINITIALISED_GRADIENT, backward_weights, ALL, CONV_BACKWARD_WEIGHTS, 0, "the gradient is added to what was there") \
    F(bz009_group_interleaved, GROUP_INTERLEAVED, transposed, TRANSPOSED, CONV_FORWARD, 0, "output channels of groups are interleaved") \
    F(bz050_dilation_as_stride, DILATION_AS_STRIDE, transposed, TRANSPOSED, CONV_FORWARD, 0, "taps are stride apart, not dilation") \
    F(bz070_output_pad_border, OUTPUT_PAD_BORDER, transposed, TRANSPOSED, CONV_FORWARD, 0, "the border of output_pad is not written")

#define DEFINE(id, fault, function, kind_set, pass, is_threaded, words) \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        function(conv, operands, workspace, fault); \
    } \
    static const struct conv_kernel fault_##id = { \
        .name = "fault_" #id, .title = words, .kinds = kind_set, .passes = 1u << (pass), .threaded = is_threaded, \
        .scratch_bytes = fault == WORKSPACE_OVERRUN ? scratch_bytes : NULL, .run = run_##id };
#define LIST(id, fault, function, kind_set, pass, is_threaded, words) &fault_##id,

FAULTS(DEFINE)

static const struct conv_kernel *const kernels[] = { FAULTS(LIST) NULL };

const struct conv_provider *convref_provider(void)
{
    static const struct conv_provider provider = {
        CONV_PROVIDER_ABI, sizeof(struct conv_kernel), "faults", "1", kernels
    };
    return &provider;
}
