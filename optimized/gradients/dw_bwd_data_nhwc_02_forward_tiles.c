/* dw_bwd_data_nhwc_02_forward_tiles.c - step 2 of the depthwise ladder of data gradients for channels last.
 *
 * Changed since dw_bwd_data_nhwc_01_channels_inside: each phase is a forward convolution with a stride of 1 and
 *     turned taps, and the forward ladder's tile of two rows computes it (dw_nhwc_09_one_cache_set).
 * Why it is faster: 14 sums of a vector of channels stay in registers over all taps, a loaded number serves up to six
 *     of them, no tap is idle and nothing is divided.
 * What it costs: with a stride of 2 dy is read once for each phase.  With a multiplier dy is copied, filters apart.
 * Applies to: data gradients of depthwise convolutions, and transposed ones with one channel in or out for each
 *     group, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 2 of depthwise data for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/tiles.h"

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
    return tiles_thread_bytes(&tiles) + tiles_shared_bytes(&tiles);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct tiles sizes = tiles_of(conv);
    char *memory = workspace->scratch;
    const struct tiles tiles = tiles_start(conv, operands, memory + tiles_thread_bytes(&sizes));

    tiles_copy(&tiles, conv, operands, (struct conv_range){ 0, conv->n * tiles.spread.dy_positions });
    tiles_all(&tiles, workspace->packed, memory);
}

CONV_KERNEL(dw_bwd_data_nhwc_02_forward_tiles,
    .title = "the forward pass's tiles, phase by phase",
    .from = "dw_bwd_data_nhwc_01_channels_inside",
    .kinds = 1u << CONV_DEPTHWISE | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = tiles_packed_bytes,
    .pack = tiles_pack,
    .run = run,
);
