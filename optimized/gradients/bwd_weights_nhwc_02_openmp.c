/* bwd_weights_nhwc_02_openmp.c - step 2 of the ladder of weight gradients for channels last: all cores.
 *
 * Changed since bwd_weights_nhwc_01_outer_products: of each block, filters of dy are dealt out to be turned, and then
 *     the taps and panels.
 * Why it is faster: they have no sum in common, and each is added up in the same order by any number of threads.
 * What it costs: two forks for each block; rows of x for each thread.
 * Applies to: weight and bias gradients of any convolution, 1-D to 3-D, in NHWC.
 * Explained in docs/ladder-gradients.md, step 2 of the weights for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/outer.h"
#include "optimized/threads.h"

enum { LEAST_PRODUCTS = 1 << 19 };   /* of a block, for each thread */

static void add_block(const struct outer *outer, const float *x, const float *dy, float *dbias,
                      struct conv_range block, int most)
{
    const int64_t count = block.end - block.begin, tasks = outer->taps * outer->panels.count;
    const int64_t enough = 1 + count * outer->filters * outer->channels * outer->taps / LEAST_PRODUCTS;
    const int threads = enough < most ? (int)enough : most;
    outer_find(outer, block);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t k = 0; k < outer->filters; k++) {
        outer_turn(outer, dy, k, block);
        if (dbias)
            dbias[k] += row_sum(outer->dy + k * OUTER_PITCH, count);
    }
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t task = 0; task < tasks; task++)
        outer_add(outer, outer->rows + conv_thread() * OUTER_BLOCK * PANEL_K, x, task / outer->panels.count,
                  task % outer->panels.count, count);
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
                      dbias ? dbias + g * outer.filters : NULL, parts_at(&blocks, b), workspace->threads);
        outer_store(dw + g * floats * outer.channels, &outer);
    }
}

CONV_KERNEL(bwd_weights_nhwc_02_openmp,
    .title = "all cores",
    .from = "bwd_weights_nhwc_01_outer_products",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .scratch_bytes = outer_bytes,
    .run = run,
);
