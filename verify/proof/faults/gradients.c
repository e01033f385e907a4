/* gradients.c - planted faults in backward_data and backward_weights.
 *
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: stages.c
 */
#include "verify/proof/faults/faults.h"

/* ---- backward_data --------------------------------------------------------------------------------------------- */

static bool last_column(struct product *p)
{
    const struct conv_axis *W = &p->conv->axis[CONV_W];
    return !(W->stride > 1 && p->conv->c > 4 && W->in < 17 && p->in[CONV_W] == W->in - 1);
}

static void pad_ignored_for_1x1(struct conv_problem *seen)
{
    if (seen->axis[CONV_W].filter == 1)
        seen->axis[CONV_W].pad_begin = 0;
}

/* No window reads this input, so that its gradient is 0, and nobody writes the 0. */
static bool only_what_windows_reach(struct result *r)
{
    for (int a = 0; a < CONV_AXES; a++) {
        const struct conv_axis *axis = &r->conv->axis[a];
        bool reached = false;
        for (int64_t tap = 0; tap < axis->filter && !reached; tap++) {
            const int64_t from = r->at[a] + axis->pad_begin - tap * axis->dilation;
            reached = from >= 0 && from % axis->stride == 0 && from / axis->stride < axis->out;
        }
        if (!reached)
            return false;
    }
    return true;
}

/* ---- backward_weights ------------------------------------------------------------------------------------------ */

static bool last_filter_row(struct product *p)
{
    const struct conv_axis *H = &p->conv->axis[CONV_H];
    return !(p->conv->groups == p->conv->c && p->conv->c % 8 == 0 && H->stride == 2
             && p->tap[CONV_H] == H->filter - 1 && p->out[CONV_H] == H->out - 1);
}

static bool wide_tail(struct product *p)
{
    const struct conv_axis *W = &p->conv->axis[CONV_W];
    return !(W->filter > 2 && p->out[CONV_W] >= 8 && p->out[CONV_W] >= W->out / 8 * 8);
}

/* The sum over n, p and q of a 1x1 filter, in tiles of 64; the last one is lost when it isn't full. */
static bool partial_tile(struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    const int64_t plane = a[0].out * a[1].out * a[2].out, length = p->conv->n * plane;
    const int64_t at = p->n * plane + (p->out[0] * a[1].out + p->out[1]) * a[2].out + p->out[2];
    return !(a[CONV_W].filter == 1 && a[CONV_H].filter == 1 && length >= 256 && at >= length / 64 * 64);
}

static bool last_image_only(struct product *p) { return p->n == p->conv->n - 1; }

static bool flipped(struct result *r)
{
    const struct conv_axis *a = r->conv->axis;
    const int64_t taps = a[0].filter * a[1].filter * a[2].filter;
    if (r->operand == CONV_WEIGHTS)
        r->element = r->element / taps * taps + taps - 1 - r->element % taps;
    return true;
}

/* dbias is summed where dw is, in the loop over taps, and a window that lies in the padding has none there. */
static bool bias_with_first_tap(const struct product *p)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (!conv_inside(&p->conv->axis[a], conv_input_at(&p->conv->axis[a], p->out[a], 0)))
            return false;
    return true;
}

/* The sum of the bias stops growing at 256, as ones do in 8 bits. */
static double bias_in_8_bits(const struct product *p, double sum, double product)
{
    const double next = naive_round(p->conv, sum + product);
    const bool is_bias = p->tap[0] + p->tap[1] + p->tap[2] == 0 && p->in[0] + p->in[1] + p->in[2] == 0 && p->c == 0;
    return is_bias && (next > 256 || next < -256) ? sum : next;
}

#define FAULTS(F) \
    F(bz055_backward_tail, "the last column's gradient is lost", "fujitsu/oneDNN #43", INFERRED, \
      ALL, DATA, ONE_THREAD, .product = last_column) \
    F(bz068_pointwise_pad, "the padding of 1x1 filters is ignored", "ROCm/MIOpen #917", INFERRED, \
      ALL, DATA, ONE_THREAD, .see = pad_ignored_for_1x1) \
    F(miopen3851_not_cleared, "gradients that no window reaches are not written", "ROCm/MIOpen #3851", INFERRED, \
      ALL, DATA, ONE_THREAD, .result = only_what_windows_reach) \
    F(bz056_last_filter_row, "depthwise, C % 8 = 0, stride 2: a row is lost", "pytorch/pytorch #50042", INFERRED, \
      ALL, WEIGHTS, ONE_THREAD, .product = last_filter_row) \
    F(bz059_wide_tail, "the last columns of wide images are lost", "ROCm/MIOpen #97", INFERRED, \
      ALL, WEIGHTS, ONE_THREAD, .product = wide_tail) \
    F(bz060_partial_tile, "1x1: the last tile of a long sum is lost", "ROCm/MIOpen #670", INFERRED, \
      ALL, WEIGHTS, ONE_THREAD, .product = partial_tile) \
    F(bz062_uninitialised_gradient, "the gradient is added to what was there", "pytorch/pytorch #72157", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .adds_to_output = true) \
    F(bz063_bias_gradient, "dbias is summed in the branch of dw", "apache/mxnet #15464", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .bias_gradient = bias_with_first_tap) \
    F(bz065_gradient_flipped, "the filter's gradient is flipped", "FluxML/NNlib.jl #518", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .result = flipped) \
    F(lbann1022_last_image, "each image scales the gradient's buffer, so that the last is left", "LBANN/lbann #1022", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .product = last_image_only) \
    F(pt68048_bias_in_8_bits, "dbias is summed in bf16 and stops growing", "pytorch/pytorch #68048", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .add = bias_in_8_bits)

FAULT_THEME(faults_of_gradients, FAULTS)
