/* std_nhwc_06_openmp.c - step 6 of the standard ladder for channels last: all cores.
 *
 * Changed since std_nhwc_05_edges_apart: the threads are a grid, some share the filters and some the tiles; of
 *     all grids the one whose largest part is smallest.  Small problems stay with one thread.
 * Why it is faster: parts share no output, and are equal but for a tile or a panel.
 * What it costs: where filters are divided, each thread finds the same windows.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 6 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/standard/rows_of_taps.h"

enum { FORK = 1 << 19 };   /* multiply-adds that are worth a second thread */

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* The tiles and panels of one thread. */
static void multiply_part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                          void *scratch, const struct tiles *tiles, struct conv_range some, struct conv_range parts)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const struct parts blocks = parts_of_most(some.end - some.begin, BLOCK);
    const float **table = scratch;
    float *zeros = (float *)(table + table_pointers(conv));
    const struct windows windows = { conv, operands->x, zeros, zeros + run_floats(conv),
                                     run_taps(conv), run_floats(conv) };

    memset(zeros, 0, (size_t)run_floats(conv) * sizeof *zeros);
    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range at = parts_at(&blocks, b);
        const struct conv_range block = { some.begin + at.begin, some.begin + at.end };
        find_windows(table, windows, tiles, block);
        for (int64_t part = parts.begin; part < parts.end; part++) {
            const struct panel panel = panel_of(conv, operands, w, zeros, parts_at(&panels, part));
            multiply(&panel, table, conv, tiles, block);
        }
    }
}

/* How many parts the filters get; the tiles get threads / that many.  The grid whose largest part is smallest. */
static int64_t share_filters(int64_t panels, int64_t tiles, int64_t threads)
{
    int64_t best = 1, least = INT64_MAX;
    for (int64_t share = 1; share <= threads; share++) {
        const int64_t largest = conv_ceil_div(panels, share) * conv_ceil_div(tiles, threads / share);
        if (threads % share == 0 && largest < least) {
            best = share;
            least = largest;
        }
    }
    return best;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t panels = parts_of_most(vectors(conv), PANEL_VECS).count;
    const struct tiles tiles = tiles_edges_apart(conv);
    const int64_t worth = 1 + positions_of(conv) * conv->c * taps_of(conv) * conv->k / FORK;
    const int64_t threads = worth < workspace->threads ? worth : workspace->threads;
    const int64_t share = share_filters(panels, tiles.count, threads);
    const struct parts across = parts_in(panels, share), down = parts_in(tiles.count, threads / share);
    char *scratch = workspace->scratch;

#pragma omp parallel for num_threads((int)threads) schedule(static) if(threads > 1)
    for (int64_t t = 0; t < threads; t++)
        multiply_part(conv, operands, workspace->packed, scratch + (size_t)t * thread_bytes(conv), &tiles,
                      parts_at(&down, t / share), parts_at(&across, t % share));
}

CONV_KERNEL(std_nhwc_06_openmp,
    .title = "all cores, in equal parts",
    .from = "std_nhwc_05_edges_apart",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
