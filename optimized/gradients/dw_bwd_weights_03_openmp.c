/* dw_bwd_weights_03_openmp.c - step 3 of the depthwise ladder of weight gradients: all cores.
 *
 * Changed since dw_bwd_weights_02_channels_in_lanes: blocks of channels are dealt out to threads, each with scratch
 *     of its own.
 * Why it is faster: each weight is one thread's, which adds in the order that one thread alone has: the same bits.
 * What it costs: nothing but the scratch; 32 channels are two blocks of 16, and no more than two threads have work.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NCHW.
 * Explained in docs/ladder-gradients.md, step 3 of depthwise weights.
 */
#include <convref/kernel.h>

#include "optimized/gradients/dot.h"
#include "optimized/gradients/taps.h"
#include "optimized/lanes.h"

enum { COLUMNS = TAPS_COLUMNS };
enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static void any(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, TAPS_ANY, 1); }
static void step1(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, 1, COLUMNS); }
static void step2(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, 2, COLUMNS); }

static taps_function *choose(const struct conv_problem *conv)
{
    const int64_t step = line_of(&conv->axis[CONV_W], 0).step;
    return step == 1 ? step1 : step == 2 ? step2 : any;
}

/* ---- scratch: a table, the sums, a block of x, and of dy a block for each filter that a channel has ---- */

/* The problem of a block: CONV_LANES channels with all of their filters. */
static struct conv_problem block_problem(const struct conv_problem *conv)
{
    struct conv_problem block = lanes_problem(conv);
    block.k = CONV_LANES * (conv->k / conv->c);
    return block;
}

static int64_t inputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].in * conv->axis[CONV_H].in * conv->axis[CONV_W].in;
}

static int64_t outputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* Of one thread; a multiple of 64. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    const struct conv_problem block = block_problem(conv);
    const struct taps taps = taps_of(&block);
    const int64_t floats = taps_sums_floats(&taps)
                         + (inputs(conv) + conv->k / conv->c * outputs(conv)) * CONV_LANES;
    return (taps_table_bytes(&block) + (size_t)floats * sizeof(float) + 63) / 64 * 64;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* ---- one block of channels, all images ---- */

static void block_of(const struct taps *taps, float *x, float *dy, void *memory, const struct conv_problem *conv,
                     const struct conv_operands *operands, int64_t block)
{
    const int64_t multiplier = conv->k / conv->c, channels = lanes_channels(conv, block), c = block * CONV_LANES;
    const float (*all_x)[conv->c][inputs(conv)] = operands->x;
    const float (*all_dy)[conv->k][outputs(conv)] = operands->y;
    const struct conv_operands turned = { .x = x };
    const struct conv_range all = { 0, multiplier };
    float *dw = operands->w;
    taps_clear(taps, all);
    for (int64_t n = 0; n < conv->n; n++) {
        lanes_in(x, all_x[n][c], inputs(conv), inputs(conv), channels);
        for (int64_t m = 0; m < multiplier; m++)   /* dy[m][position][lane] */
            lanes_in(dy + m * outputs(conv) * CONV_LANES, all_dy[n][c * multiplier + m], multiplier * outputs(conv),
                     outputs(conv), channels);
        taps_sum(taps, &turned, memory, all, choose(conv));
    }
    taps_store(taps, dw + c * multiplier * taps->taps, channels);
}

/* dbias[k] = SUM dy[n][k][:], filters of one block */
static void bias_of(float *dbias, const struct conv_problem *conv, const float *y, int64_t block)
{
    const int64_t multiplier = conv->k / conv->c, k0 = block * CONV_LANES * multiplier;
    const float (*dy)[conv->k][outputs(conv)] = (const void *)y;
    for (int64_t k = k0; k < k0 + lanes_channels(conv, block) * multiplier; k++) {
        dbias[k] = 0;
        for (int64_t n = 0; n < conv->n; n++)
            dbias[k] += row_sum(dy[n][k], outputs(conv));
    }
}

/* Blocks begin .. end. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, char *scratch, int64_t begin,
                 int64_t end)
{
    const struct conv_problem block = block_problem(conv);
    struct taps taps = taps_of(&block);
    float *sums = (float *)(scratch + taps_table_bytes(&block));
    float *x = sums + taps_sums_floats(&taps), *dy = x + inputs(conv) * CONV_LANES;
    taps.sums = sums;
    taps.dy = dy;
    for (int64_t i = begin; i < end; i++) {
        block_of(&taps, x, dy, scratch, conv, operands, i);
        if (operands->bias)
            bias_of(operands->bias, conv, operands->y, i);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t all = lanes_blocks(conv);
    const int64_t products = conv->n * conv->k * outputs(conv) * taps_of(conv).taps;
    const int64_t enough = 1 + products / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, (char *)workspace->scratch + (size_t)i * thread_bytes(conv), all * i / threads,
             all * (i + 1) / threads);
}

CONV_KERNEL(dw_bwd_weights_03_openmp,
    .title = "all cores",
    .from = "dw_bwd_weights_02_channels_in_lanes",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
