/* bwd_data_nhwc_01_windows_by_pointers.c - step 1 of the ladder of data gradients for channels last.
 *
 * Changed since bwd_data_02_phases: channels of dx are in the lanes.  Nothing is unfolded and nothing spread: a table
 *     has a pointer for each tap of each position of a phase (windows.h), and a tile stores where its outputs belong.
 * Why it is faster: it is the micro-kernel of std_nhwc_03_windows_by_pointers; and no copy of dy or of dx is made.
 * What it costs: a table for each group.  With a stride tiles end with the row of a phase, and 7 columns of 14 are a
 *     tile of 4 and one of 3.
 * Applies to: data gradients of any convolution, and transposed convolutions, 1-D to 3-D, in NHWC.
 * Explained in docs/ladder-gradients.md, step 1 of data for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/windows.h"

/* A table of BLOCK windows, and zeros for the channels of a group. */
static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct spread spread = spread_of(conv);
    (void)threads;
    return (size_t)(BLOCK * all_taps(&spread)) * sizeof(const float *) + (size_t)spread.from * sizeof(float);
}

static void multiply(const struct windows *windows, const float **table, int64_t images)
{
    const int64_t pieces = all_pieces(windows, images), each = block_pieces(windows);
    for (int64_t piece = 0; piece < pieces; piece += each)
        windows_multiply(windows, table, (struct conv_range){ piece, piece + each < pieces ? piece + each : pieces });
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct spread spread = spread_of(conv);
    const float *w = workspace->packed;
    const float **table = workspace->scratch;
    float *zeros = (float *)(table + BLOCK * all_taps(&spread));
    struct windows windows = windows_start(conv, operands, &spread, zeros);

    memset(zeros, 0, (size_t)spread.from * sizeof *zeros);
    for (int64_t index = 0; index < spread_phases(&spread); index++) {
        struct phase phase[CONV_AXES];
        windows.part = spread_part(phase, &spread, index);
        windows.phase = phase;
        for (int64_t g = 0; g < spread.groups; g++, w += group_floats(&spread, part_taps(&windows.part))) {
            const struct windows group = windows_group(windows, g, w);
            multiply(&group, table, conv->n);
        }
    }
}

CONV_KERNEL(bwd_data_nhwc_01_windows_by_pointers,
    .title = "windows by pointers, phase by phase",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE
           | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = spread_applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = windows_packed_bytes,
    .pack = windows_pack,
    .run = run,
);
