/* ir_nhwc_01_three_passes.c - step 1 of the ladder of inverted residuals: one stage after the other, and x added.
 *
 * Changed since sep_nhwc_01_two_passes: a pointwise stage in front, and a pass that adds x.  The images between the
 *     stages are those of one image of the batch, and used again for the next.
 * Why it is faster: each stage is what the ladder of its kind has at its end: panels of filters (mix.h), a tile of
 *     two rows (depthwise/one_cache_set.h).  This is what a framework does with three layers and an addition.
 * What it costs: the expanded image is several times as large as x and y, and goes to memory and back; so does the
 *     depthwise stage's.
 * Applies to: inverted residuals in NHWC with an expansion and a multiplier of 1, 1-D to 3-D.
 * Explained in docs/ladder-inverted-residual.md, step 1 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/separable/stages.h"

static const char *applies(const struct conv_problem *conv)
{
    return conv->expand > 0 && conv->mult == 1 ? NULL : "it needs an expansion, and a multiplier of 1";
}

static int64_t inputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].in * conv->axis[CONV_H].in * conv->axis[CONV_W].in;
}

static int64_t outputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* ---- look around ---- */

/* Scratch of the depthwise stage: its table, its bias, a tile aside. */
static size_t look_bytes(const struct conv_problem *look)
{
    const int64_t floats = table_wide(look) + PAIR_SUMS * CONV_LANES;
    return (table_bytes(look, PAIR_SUMS) + (size_t)floats * sizeof(float) + 63) / 64 * 64;
}

/* middle[z][p][q][c] = mid_act(bias[c] + SUM_t SUM_r SUM_s e[..][..][..][c] * w[c][t][r][s]) */
static void look_around(float *to, const struct conv_problem *look, const float *e, const float *w,
                        const float *given, char *scratch)
{
    const struct conv_axis D = look->axis[CONV_D], H = look->axis[CONV_H], W = look->axis[CONV_W];
    float (*middle)[H.out][W.out * look->c] = (void *)to;
    struct table table = table_start(look, e, PAIR_SUMS, scratch);
    float *bias = (float *)(scratch + table_bytes(look, PAIR_SUMS)), *aside = bias + table_wide(look);
    const struct conv_range all = { 0, block_count(look) };
    const int64_t apart = table.pair.apart;

    memset(bias, 0, (size_t)table_wide(look) * sizeof *bias);
    if (given)
        memcpy(bias, given, (size_t)look->c * sizeof *bias);
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t pair = 0; pair < pair_count(&H, apart); pair++) {
        const int64_t p = pair_row(pair, apart);
        const int rows = p + apart < H.out ? 2 : 1;
        float *const rows_to[2] = { middle[z][p], middle[z][p + (rows - 1) * apart] };
        table_point(&table, e, z, p, rows);
        set_compute(rows_to, &table, w, bias, aside, rows, all);
    }
}

/* ---- all of it ---- */

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct stages stages = stages_of(conv, 1);
    (void)threads;
    return look_bytes(&stages.look) + (size_t)((inputs(conv) + outputs(conv)) * conv->expand) * sizeof(float);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct stages stages = stages_of(conv, 1);
    const int64_t from = inputs(conv), to = outputs(conv);
    const float *w = workspace->packed, (*x)[from * conv->c] = operands->x;
    float (*y)[to * conv->k] = operands->y;
    float *e = (float *)((char *)workspace->scratch + look_bytes(&stages.look)), *middle = e + from * conv->expand;

    for (int64_t n = 0; n < conv->n; n++) {
        mix(e, &stages.widen, w, operands->ew_bias, x[n], from);
        look_around(middle, &stages.look, e, w + stages.look_at, operands->bias, workspace->scratch);
        mix(y[n], &stages.narrow, w + stages.narrow_at, operands->pw_bias, middle, to);
        if (conv->residual)
            stages_add(y[n], x[n], to * conv->k);
    }
}

CONV_KERNEL(ir_nhwc_01_three_passes,
    .title = "one stage after the other, and x added",
    .kinds = 1u << CONV_INVERTED_RESIDUAL,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = stages_packed_bytes,
    .pack = stages_pack,
    .run = run,
);
