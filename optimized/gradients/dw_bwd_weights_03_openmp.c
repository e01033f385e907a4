/* dw_bwd_weights_03_openmp.c - step 3 of the depthwise ladder of weight gradients: all cores.
 *
 * Changed since dw_bwd_weights_02_channels_in_lanes: groups of channels are dealt out to threads, each with scratch
 *     of its own.
 * Why it is faster: each weight is one thread's, which adds in the order that one thread alone has: the same bits.
 * What it costs: nothing but the scratch.  Groups are as large as a cache likes, so that a small layer has few.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NCHW.
 * Explained in docs/ladder-gradients.md, step 3 of depthwise weights.
 */
#include <convref/kernel.h>

#include "optimized/gradients/dot.h"
#include "optimized/gradients/taps.h"
#include "optimized/lanes.h"
#include "optimized/threads.h"

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

/* ---- scratch: a table, the sums, a group of channels of x, and of dy one for each filter of a channel ---- */

static int64_t inputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].in * conv->axis[CONV_H].in * conv->axis[CONV_W].in;
}

static int64_t outputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

static int64_t multiplier(const struct conv_problem *conv) { return conv->k / conv->c; }

/* Of a channel. */
static int64_t floats_of(const struct conv_problem *conv) { return inputs(conv) + multiplier(conv) * outputs(conv); }

/* Of one thread; a multiple of 64. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    const struct parts groups = lanes_groups(conv, floats_of(conv));
    const struct conv_problem widest = lanes_problem(conv, lanes_widest(&groups));
    const struct taps taps = taps_of(&widest);
    const int64_t floats = taps_sums_floats(&taps) + floats_of(conv) * widest.c;
    return (taps_table_bytes(&widest) + (size_t)floats * sizeof(float) + 63) / 64 * 64;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* ---- one group of channels, all images ---- */

static void group_of(const struct conv_problem *conv, const struct conv_operands *operands, char *scratch,
                     struct lanes_group group)
{
    const int64_t M = multiplier(conv), first = group.begin * M;
    const float (*all_x)[conv->c][inputs(conv)] = operands->x;
    const float (*all_dy)[conv->k][outputs(conv)] = operands->y;
    const struct conv_problem turned = lanes_problem(conv, group.wide);
    struct taps taps = taps_of(&turned);
    const struct conv_range all = { 0, M * taps.blocks };
    taps.sums = (float *)(scratch + taps_table_bytes(&turned));
    float *x = taps.sums + taps_sums_floats(&taps), *dy = x + inputs(conv) * group.wide;
    taps.dy = dy;   /* dy[m][position][channel] */

    taps_clear(&taps, all);
    for (int64_t n = 0; n < conv->n; n++) {
        lanes_in(x, group.wide, all_x[n][group.begin], inputs(conv), inputs(conv), group.channels);
        for (int64_t m = 0; m < M; m++)
            lanes_in(dy + m * outputs(conv) * group.wide, group.wide, all_dy[n][first + m], M * outputs(conv),
                     outputs(conv), group.channels);
        taps_sum(&taps, &(struct conv_operands){ .x = x }, scratch, all, choose(conv));
    }
    taps_store(&taps, (float *)operands->w + first * taps.taps, group.channels);
}

/* dbias[k] = SUM dy[n][k][:], filters of one group */
static void bias_of(float *dbias, const struct conv_problem *conv, const float *y, struct lanes_group group)
{
    const float (*dy)[conv->k][outputs(conv)] = (const void *)y;
    for (int64_t k = group.begin * multiplier(conv); k < (group.begin + group.channels) * multiplier(conv); k++) {
        dbias[k] = 0;
        for (int64_t n = 0; n < conv->n; n++)
            dbias[k] += row_sum(dy[n][k], outputs(conv));
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct parts groups = lanes_groups(conv, floats_of(conv));
    const int64_t products = conv->n * conv->k * outputs(conv) * taps_of(conv).taps;
    const int64_t enough = 1 + products / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < groups.count; i++) {
        const struct lanes_group group = lanes_group_at(conv, &groups, i);
        group_of(conv, operands, (char *)workspace->scratch + (size_t)conv_thread() * thread_bytes(conv), group);
        if (operands->bias)
            bias_of(operands->bias, conv, operands->y, group);
    }
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
