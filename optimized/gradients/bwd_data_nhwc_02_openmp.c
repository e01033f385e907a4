/* bwd_data_nhwc_02_openmp.c - step 2 of the ladder of data gradients for channels last: all cores.
 *
 * Changed since bwd_data_nhwc_01_windows_by_pointers: the pieces of a phase of a group are cut into as many equal
 *     parts as there are threads, each with a table of its own.  Small problems stay with one thread.
 * Why it is faster: pieces have no output in common.
 * What it costs: a fork for each phase and group.  All threads read all weights.
 * Applies to: data gradients of any convolution, and transposed convolutions, 1-D to 3-D, in NHWC.
 * Explained in docs/ladder-gradients.md, step 2 of data for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/windows.h"

enum { LEAST_PRODUCTS = 1 << 19 };   /* for each thread */

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* The pointers of one thread's table. */
static int64_t table_pointers(const struct spread *spread) { return BLOCK * all_taps(spread); }

/* Tables of BLOCK windows, and zeros for the channels of a group. */
static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct spread spread = spread_of(conv);
    return (size_t)(threads * table_pointers(&spread)) * sizeof(const float *) + (size_t)spread.from * sizeof(float);
}

/* The pieces of one thread, in blocks. */
static void multiply(const struct windows *windows, const float **table, struct conv_range pieces)
{
    const int64_t each = block_pieces(windows);
    for (int64_t piece = pieces.begin; piece < pieces.end; piece += each)
        windows_multiply(windows, table, (struct conv_range){ piece, min(piece + each, pieces.end) });
}

static void share(const struct windows *windows, const float **table, int64_t images, int64_t most)
{
    const struct spread *spread = windows->spread;
    const int64_t pieces = all_pieces(windows, images);
    const int64_t products = images * part_outputs(&windows->part) * part_taps(&windows->part) * spread->from
                           * spread->to;
    const int threads = (int)min(min(most, 1 + products / LEAST_PRODUCTS), pieces > 0 ? pieces : 1);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < threads; i++)
        multiply(windows, table + i * table_pointers(spread),
                 (struct conv_range){ pieces * i / threads, pieces * (i + 1) / threads });
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct spread spread = spread_of(conv);
    const float *w = workspace->packed;
    const float **table = workspace->scratch;
    float *zeros = (float *)(table + workspace->threads * table_pointers(&spread));
    struct windows windows = windows_start(conv, operands, &spread, zeros);

    memset(zeros, 0, (size_t)spread.from * sizeof *zeros);
    for (int64_t index = 0; index < spread_phases(&spread); index++) {
        struct phase phase[CONV_AXES];
        windows.part = spread_part(phase, &spread, index);
        windows.phase = phase;
        for (int64_t g = 0; g < spread.groups; g++, w += group_floats(&spread, part_taps(&windows.part))) {
            const struct windows group = windows_group(windows, g, w);
            share(&group, table, conv->n, workspace->threads);
        }
    }
}

CONV_KERNEL(bwd_data_nhwc_02_openmp,
    .title = "all cores",
    .from = "bwd_data_nhwc_01_windows_by_pointers",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE
           | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = spread_applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = windows_packed_bytes,
    .pack = windows_pack,
    .run = run,
);
