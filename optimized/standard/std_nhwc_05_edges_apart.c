/* std_nhwc_05_edges_apart.c - step 5 of the standard ladder for channels last: products with padding, left out.
 *
 * Changed since std_nhwc_04_rows_of_taps: tiles no longer run on from row to row.  Outputs whose windows are inside
 *     the row make tiles along it, and those of the other columns make tiles down their column.
 * Why it is faster: a run that is padding for a whole tile was left out before, but only in the first and the last
 *     rows did that happen, and there not always; now all positions of a tile share their padding, above, below and
 *     beside the image.  At 7x7 a fifth of the products are with padding, at 14x14 a tenth.
 * What it costs: tiles that are a little smaller: a row of 26 is 6, 5, 5, 5, 5.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D; without padding, in 1-D, and with up to 32
 *     channels it is the step before.
 * Explained in docs/ladder-standard.md, step 5 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/standard/rows_of_taps.h"

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return thread_bytes(conv);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const struct tiles tiles = tiles_edges_apart(conv);
    const struct parts blocks = parts_of_most(tiles.count, BLOCK);
    const float **table = workspace->scratch;
    float *zeros = (float *)(table + table_pointers(conv));
    const struct windows windows = { conv, operands->x, zeros, zeros + run_floats(conv),
                                     run_taps(conv), run_floats(conv) };

    memset(zeros, 0, (size_t)run_floats(conv) * sizeof *zeros);
    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range block = parts_at(&blocks, b);
        find_windows(table, windows, &tiles, block);
        for (int64_t part = 0; part < panels.count; part++) {
            const struct panel panel = panel_of(conv, operands, workspace->packed, zeros,
                                                parts_at(&panels, part));
            multiply(&panel, table, conv, &tiles, block);
        }
    }
}

CONV_KERNEL(std_nhwc_05_edges_apart,
    .title = "outputs at the edges apart",
    .from = "std_nhwc_04_rows_of_taps",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
