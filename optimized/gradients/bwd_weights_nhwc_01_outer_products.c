/* bwd_weights_nhwc_01_outer_products.c - step 1 of the ladder of weight gradients for channels last.
 *
 * Changed since bwd_weights_02_positions_in_lanes: channels of x are in the lanes, and positions are what is summed
 *     over (outer.h): a number of dy is multiplied with vectors of x, into sums of filters by channels.
 * Why it is faster: no sum over the lanes; it is the micro-kernel of the forward pass, 256 positions deep.
 * What it costs: x is copied once for each tap, and a block of dy is turned; sums of all blocks go through memory.
 *     A group of few filters or channels fills a tile in part.
 * Applies to: weight and bias gradients of any convolution, 1-D to 3-D, in NHWC.
 * Explained in docs/ladder-gradients.md, step 1 of the weights for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/outer.h"

static void add_block(const struct outer *outer, const float *x, const float *dy, float *dbias,
                      struct conv_range block)
{
    const int64_t count = block.end - block.begin;
    outer_find(outer, block);
    for (int64_t k = 0; k < outer->filters; k++) {
        outer_turn(outer, dy, k, block);
        if (dbias)
            dbias[k] += row_sum(outer->dy + k * OUTER_PITCH, count);
    }
    for (int64_t tap = 0; tap < outer->taps; tap++)
        for (int64_t part = 0; part < outer->panels.count; part++)
            outer_add(outer, outer->rows, x, tap, part, count);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct outer outer = outer_start(conv, workspace->scratch);
    const struct parts blocks = parts_of_most(outer.positions, OUTER_BLOCK);
    const int64_t floats = outer.taps * outer.filters;
    const float *x = operands->x, *dy = operands->y;
    float *dw = operands->w, *dbias = operands->bias;

    if (dbias)
        memset(dbias, 0, (size_t)conv->k * sizeof *dbias);
    for (int64_t g = 0; g < conv->groups; g++) {
        memset(outer.sums, 0, (size_t)(floats * outer.wide) * sizeof *outer.sums);
        for (int64_t b = 0; b < blocks.count; b++)
            add_block(&outer, x + g * outer.channels, dy + g * outer.filters,
                      dbias ? dbias + g * outer.filters : NULL, parts_at(&blocks, b));
        outer_store(dw + g * floats * outer.channels, &outer);
    }
}

CONV_KERNEL(bwd_weights_nhwc_01_outer_products,
    .title = "sums of outer products, channels in the lanes",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = outer_bytes,
    .run = run,
);
