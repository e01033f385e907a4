/* memory.c - planted faults in memory: what is read, written or left behind where it shouldn't be.
 *
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: precision.c
 */
#include "verify/proof/faults/faults.h"

#include <string.h>

static int64_t count_of(const struct call *call, enum conv_operand operand)
{
    return conv_operand_count(call->conv, operand);
}

/* ---- reading outside ------------------------------------------------------------------------------------------- */

static volatile double sink;

static void read_behind_x(const struct call *call)
{
    sink = naive_get(call->conv, call->operands->x, count_of(call, CONV_X));
}

/* Rows are copied whole, four elements at a time, from where their first tap lies. */
static void read_rows_by_four(const struct call *call)
{
    const struct conv_axis *W = &call->conv->axis[CONV_W];
    if (W->pad_begin == 0 && W->in % 4)
        sink = naive_get(call->conv, call->operands->x,
                         (count_of(call, CONV_X) / W->in - 1) * W->in + (W->in + 3) / 4 * 4 - 1);
}

/* An index without a sign: what lies in the padding before the first row isn't below 0, but elsewhere. */
static void read_before_x(const struct call *call)
{
    const struct conv_axis *W = &call->conv->axis[CONV_W];
    if (W->pad_begin > 0 && W->out < W->pad_begin)
        sink = naive_get(call->conv, call->operands->x, -W->pad_begin);
}

static void read_behind_w(const struct call *call)
{
    if (call->conv->axis[CONV_W].filter == 3)
        sink = naive_get(call->conv, call->operands->w, count_of(call, CONV_WEIGHTS));
}

static void read_behind_dy(const struct call *call)
{
    const struct conv_axis *W = &call->conv->axis[CONV_W];
    if ((W->in + W->pad_begin + W->pad_end - conv_extent(W)) % W->stride)
        sink = naive_get(call->conv, call->operands->y, count_of(call, CONV_Y));
}

/* ---- writing outside ------------------------------------------------------------------------------------------- */

static void write_blocks_of_four(const struct call *call)
{
    if (call->conv->k % 4)
        naive_set(call->conv, call->operands->y, count_of(call, CONV_Y), 0);
}

static void write_before_y(const struct call *call)
{
    if (call->conv->axis[CONV_W].pad_begin > 0)
        naive_set(call->conv, call->operands->y, -1, 0);
}

static size_t channels_bytes(const struct conv_problem *conv) { return (size_t)conv->c * sizeof(float); }

static void write_blocks_of_64(const struct call *call)
{
    memset(call->spare, 0, 64 * ((size_t)call->conv->c / 16 + 1) * sizeof(float));
}

/* The last vector is written whole: never further than the next multiple of 64 bytes, where a page may still be ours. */
static size_t odd_channels_bytes(const struct conv_problem *conv) { return (size_t)(conv->c | 1) * sizeof(float); }

static void write_whole_vectors(const struct call *call)
{
    char *end = call->spare + odd_channels_bytes(call->conv);
    memset(end, 0, (size_t)(-(uintptr_t)end % 64));
}

/* A padded row is asked for as if both ends had the beginning's padding. */
static size_t symmetric_row(const struct conv_problem *conv)
{
    return (size_t)(conv->axis[CONV_W].in + 2 * conv->axis[CONV_W].pad_begin) * sizeof(float);
}

static void write_padded_row(const struct call *call)
{
    const struct conv_axis *W = &call->conv->axis[CONV_W];
    memset(call->spare, 0, (size_t)(W->in + W->pad_begin + W->pad_end) * sizeof(float));
}

static size_t column_bytes(const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    return (size_t)(W->filter * (H->in + H->pad_begin + H->pad_end)) * sizeof(float);
}

static void write_column(const struct call *call)
{
    const struct conv_axis *H = &call->conv->axis[CONV_H], *W = &call->conv->axis[CONV_W];
    memset(call->spare, 0, (size_t)(H->filter * (W->in + W->pad_begin + W->pad_end)) * sizeof(float));
}

/* ---- inputs and outputs ---------------------------------------------------------------------------------------- */

static void reverse_filter(const struct call *call)
{
    const int64_t last = count_of(call, CONV_WEIGHTS) - 1;
    const double kept = naive_get(call->conv, call->operands->w, 0);
    naive_set(call->conv, call->operands->w, 0, naive_get(call->conv, call->operands->w, last));
    naive_set(call->conv, call->operands->w, last, kept);
}

/* What no window reads is used as memory: the last column, where the stride leaves it over. */
static void overwrite_last_column(const struct call *call)
{
    const struct conv_axis *W = &call->conv->axis[CONV_W];
    if ((W->out - 1) * W->stride + conv_extent(W) < W->in + W->pad_begin && call->conv->layout == CONV_CHANNELS_FIRST)
        naive_set(call->conv, call->operands->x, count_of(call, CONV_X) - 1, 0.5);
}

static bool times_zero(struct result *r)
{
    const struct conv_axis *a = r->conv->axis;
    const int64_t size[] = { a[0].out, a[1].out, a[2].out };
    r->sum += 0 * naive_get(r->conv, r->operands->y, naive_image_at(r->conv, r->conv->k, size, r->n, r->k, r->at));
    return true;
}

#define FAULTS(F) \
    F(bz074_channel_tail_writes, "blocks of 4 channels write beyond the end", "microsoft/onnxruntime #14392", STATED, \
      ALL, FORWARD, ONE_THREAD, .before = write_blocks_of_four) \
    F(bz091_reads_past_dy, "the filter's gradient reads behind dy", "FluxML/NNlib.jl #69", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .before = read_behind_dy) \
    F(bz092_uninitialised_sum, "0 * y is added to what was there", "FluxML/NNlib.jl #147", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = times_zero) \
    F(bz093_filter_reversed, "the filter is changed in place", "FluxML/NNlib.jl #114", STATED, \
      ALL, FORWARD, ONE_THREAD, .before = reverse_filter) \
    F(bz096_reads_past_row, "one element behind the image is read", "openvinotoolkit/openvino #37113", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .before = read_behind_x) \
    F(bz097_reads_past_filter, "one element behind the filter is read", "google/XNNPACK #11118", STATED, \
      ALL, FORWARD, ONE_THREAD, .before = read_behind_w) \
    F(bz100_workspace_overrun, "the workspace is written in blocks larger than it", "uxlfoundation/oneDNN #6035", STATED, \
      ALL, FORWARD, ONE_THREAD, .spare_bytes = channels_bytes, .before = write_blocks_of_64) \
    F(bz100_whole_vectors, "the last vector of the workspace is written whole", "uxlfoundation/oneDNN #6035", STATED, \
      ALL, FORWARD, ONE_THREAD, .spare_bytes = odd_channels_bytes, .before = write_whole_vectors) \
    F(tinydnn298_input_as_memory, "the input is written to where no window reads it", "tiny-dnn/tiny-dnn #298", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .after = overwrite_last_column) \
    F(espnn37_symmetric_scratch, "the workspace is sized for symmetric padding", "espressif/esp-nn #37", STATED, \
      ALL, FORWARD, ONE_THREAD, .spare_bytes = symmetric_row, .before = write_padded_row) \
    F(deeploy187_scratch_transposed, "the workspace is sized with H and W exchanged", "pulp-platform/Deeploy #187", STATED, \
      ALL, FORWARD, ONE_THREAD, .spare_bytes = column_bytes, .before = write_column) \
    F(paddle11016_rows_by_four, "rows are read in fours beyond their end", "PaddlePaddle/Paddle #11016", STATED, \
      ALL, FORWARD, ONE_THREAD, .before = read_rows_by_four) \
    F(fbgemm395_small_output, "padding wider than the output is read before the image", "pytorch/FBGEMM #395", STATED, \
      ALL, FORWARD, ONE_THREAD, .before = read_before_x) \
    F(tfa7_unsigned_position, "positions in the padding have no sign", "ehw-fit/tf-approximate #7", STATED, \
      ALL, FORWARD, ONE_THREAD, .after = write_before_y)

FAULT_THEME(faults_of_memory, FAULTS)
