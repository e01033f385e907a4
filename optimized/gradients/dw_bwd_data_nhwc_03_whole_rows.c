/* dw_bwd_data_nhwc_03_whole_rows.c - step 3 of the depthwise ladder of data gradients for channels last.
 *
 * Changed since dw_bwd_data_nhwc_02_forward_tiles: with a stride of 2 and a filter 3 or 5 wide a tile is 14
 *     neighbours of a row of dx, of both phases; each number of dy goes to all that it reaches (whole_rows.h).
 * Why it is faster: with 3x3 taps each number of dy is loaded three times a tile, not nine times; all loops over
 *     columns are known to the compiler; and a row of dx is written from one end to the other.
 * What it costs: weights of such layers have another order, and there are two ways through the file.
 * Applies to: data gradients of depthwise convolutions, and transposed ones with one channel in or out for each
 *     group, 1-D to 3-D, any multiplier, in NHWC.  Other strides and filters, and few channels, go as before.
 * Explained in docs/ladder-gradients.md, step 3 of depthwise data for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/whole_rows.h"

static const char *applies(const struct conv_problem *conv)
{
    const struct spread spread = spread_of(conv);
    const char *why = spread_applies(conv);
    return why ? why : channels_apply(&spread);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct tiles tiles = tiles_of(conv);
    (void)threads;
    return (whole_applies(&tiles) ? whole_bytes(&tiles) : tiles_thread_bytes(&tiles)) + tiles_shared_bytes(&tiles);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct tiles tiles = tiles_of(conv);
    (whole_applies(&tiles) ? whole_pack : tiles_pack)(packed, conv, weights);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct tiles sizes = tiles_of(conv);
    char *memory = workspace->scratch;
    const bool whole = whole_applies(&sizes);
    const struct tiles tiles = tiles_start(conv, operands, memory + (whole ? whole_bytes(&sizes)
                                                                           : tiles_thread_bytes(&sizes)));
    tiles_copy(&tiles, conv, operands, (struct conv_range){ 0, conv->n * tiles.spread.dy_positions });
    if (whole) {
        struct whole_row row = whole_start(&tiles, memory);
        whole_all(&row, workspace->packed);
    } else
        tiles_all(&tiles, workspace->packed, memory);
}

CONV_KERNEL(dw_bwd_data_nhwc_03_whole_rows,
    .title = "both phases of a row at once",
    .from = "dw_bwd_data_nhwc_02_forward_tiles",
    .kinds = 1u << CONV_DEPTHWISE | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = tiles_packed_bytes,
    .pack = pack,
    .run = run,
);
