/* dw_bwd_weights_02_channels_in_lanes.c - step 2 of the depthwise ladder of weight gradients: blocks of channels.
 *
 * Changed since dw_bwd_weights_01_taps_in_registers: a group of channels is turned, so that each lane is an image of
 *     its own (lanes.h), and the ladder for channels last sums them up (taps.h).
 * Why it is faster: no lane is lost to the end of a row, lanes are never added up, and columns that a stride leaves
 *     apart are neighbouring vectors.
 * What it costs: x and dy are turned, however few taps there are.  Fewer channels than lanes leave lanes idle.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NCHW.
 * Explained in docs/ladder-gradients.md, step 2 of depthwise weights.
 */
#include <convref/kernel.h>

#include "optimized/gradients/dot.h"
#include "optimized/gradients/taps.h"
#include "optimized/lanes.h"

enum { COLUMNS = TAPS_COLUMNS };

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

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct parts groups = lanes_groups(conv, floats_of(conv));
    const struct conv_problem widest = lanes_problem(conv, lanes_widest(&groups));
    const struct taps taps = taps_of(&widest);
    const int64_t floats = taps_sums_floats(&taps) + floats_of(conv) * widest.c;
    (void)threads;
    return taps_table_bytes(&widest) + (size_t)floats * sizeof(float);
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
    for (int64_t i = 0; i < groups.count; i++) {
        const struct lanes_group group = lanes_group_at(conv, &groups, i);
        group_of(conv, operands, workspace->scratch, group);
        if (operands->bias)
            bias_of(operands->bias, conv, operands->y, group);
    }
}

CONV_KERNEL(dw_bwd_weights_02_channels_in_lanes,
    .title = "every lane is an image of its own",
    .from = "dw_bwd_weights_01_taps_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
