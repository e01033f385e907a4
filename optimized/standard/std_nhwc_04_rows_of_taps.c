/* std_nhwc_04_rows_of_taps.c - step 4 of the standard ladder for channels last: first layers, whose channels are few.
 *
 * Changed since std_nhwc_03_windows_by_pointers: with up to 32 channels the taps of a row are one run of S * C
 *     numbers, which lie one behind the other in x.  Only a run that is partly in the padding is copied, to a patch.
 *     And tiles in the middle of a row of outputs ask together, once for each row of taps, where they are.
 * Why it is faster: with three channels a pointer served three numbers; now it serves 9 or 21, and those of a row
 *     of outputs are found by one question.
 * What it costs: the patches.  With many channels they would be large and the pointers cost nothing, hence the rule.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D.  With a dilation along the row taps stay alone.
 * Explained in docs/ladder-standard.md, step 4 for channels last.
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
    const struct tiles tiles = tiles_in_order(conv);
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

CONV_KERNEL(std_nhwc_04_rows_of_taps,
    .title = "a row of taps is one run",
    .from = "std_nhwc_03_windows_by_pointers",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
