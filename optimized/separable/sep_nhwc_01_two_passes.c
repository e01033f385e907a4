/* sep_nhwc_01_two_passes.c - step 1 of the separable ladder for channels last: one stage after the other.
 *
 * Changed since sep_01_two_passes: channels are in the lanes of the first stage and filters in those of the second.
 *     Each stage is what the ladder of its kind has at its end: a tile of two rows (depthwise/one_cache_set.h), a
 *     panel of filters (panel.h).  The second stage takes the middle image where it is.
 * Why it is faster: nothing is copied, not even with a stride.
 * What it costs: the middle image goes to memory and back.
 * Applies to: separable problems in NHWC with a multiplier of 1, 1-D to 3-D.
 * Explained in docs/ladder-separable.md, step 1 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/one_cache_set.h"
#include "optimized/panel.h"
#include "optimized/parts.h"

static const char *applies(const struct conv_problem *conv)
{
    return conv->mult == 1 ? NULL : "it needs a multiplier of 1";
}

/* ---- weights: of the first stage as in blocks.h; then panels of filters, pw[c][k - k0] ---- */

/* The first stage as a problem of its own. */
static struct conv_problem stage_of(const struct conv_problem *conv)
{
    struct conv_problem stage = *conv;
    stage.op = CONV_OP_CONV;
    stage.k = stage.groups = conv->c;
    stage.act = conv->mid_act;
    return stage;
}

static int64_t whole(int64_t lanes) { return conv_ceil_div(lanes, CONV_LANES) * CONV_LANES; }

static size_t packed_bytes(const struct conv_problem *conv)
{
    return block_packed_bytes(conv) + (size_t)(whole(conv->k) * conv->c) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct conv_problem stage = stage_of(conv);
    const struct parts panels = parts_of_most(whole(conv->k) / CONV_LANES, PANEL_VECS);
    const float (*pw)[conv->c] = weights->pw;
    float *to = (float *)((char *)packed + block_packed_bytes(&stage));
    block_pack(packed, &stage, weights);
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t c = 0; c < conv->c; c++)
            for (int64_t k = vecs.begin * CONV_LANES; k < vecs.end * CONV_LANES; k++)
                *to++ = k < conv->k ? pw[k][c] : 0;
    }
}

/* ---- first stage: look around ---- */

/* Scratch of the first stage: its table, its bias, a tile aside. */
static size_t stage_bytes(const struct conv_problem *stage)
{
    const int64_t floats = table_wide(stage) + PAIR_SUMS * CONV_LANES;
    return table_bytes(stage, PAIR_SUMS) + (size_t)floats * sizeof(float);
}

/* middle[n][z][p][q][c] = mid_act(bias[c] + SUM_t SUM_r SUM_s x[n][..][..][..][c] * w[c][t][r][s]) */
static void depthwise(float *to, const struct conv_problem *stage, const struct conv_operands *operands,
                      const float *w, char *scratch)
{
    const struct conv_axis D = stage->axis[CONV_D], H = stage->axis[CONV_H], W = stage->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * stage->c] = operands->x;
    float (*middle)[D.out][H.out][W.out * stage->c] = (void *)to;
    struct table table = table_start(stage, operands->x, PAIR_SUMS, scratch);
    float *bias = (float *)(scratch + table_bytes(stage, PAIR_SUMS)), *aside = bias + table_wide(stage);
    const struct conv_range all = { 0, block_count(stage) };
    const int64_t apart = table.pair.apart;

    memset(bias, 0, (size_t)table_wide(stage) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)stage->c * sizeof *bias);
    for (int64_t n = 0; n < stage->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t pair = 0; pair < pair_count(&H, apart); pair++) {
        const int64_t p = pair_row(pair, apart);
        const int rows = p + apart < H.out ? 2 : 1;
        float *const rows_to[2] = { middle[n][z][p], middle[n][z][p + (rows - 1) * apart] };
        table_point(&table, x[n], z, p, rows);
        set_compute(rows_to, &table, w, bias, aside, rows, all);
    }
}

/* ---- second stage: mix ---- */

/* All positions of the block by one panel. */
static void multiply(const struct panel *panel, const float *middle, int64_t positions)
{
    const struct parts tiles = parts_of_most(positions, PANEL_ROWS);
    const float *rows[PANEL_ROWS];
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range at = parts_at(&tiles, tile);
        for (int row = 0; row < at.end - at.begin; row++)
            rows[row] = middle + (at.begin + row) * panel->depth;
        panel_any(panel, at.begin, rows, at.end - at.begin);
    }
}

/* y[position of the block][k] = pw_bias[k] + SUM_c middle[position][c] * pw[c][k] */
static void pointwise(float *y, const struct conv_problem *conv, const float *pw, const float *bias,
                      const float *middle, int64_t positions)
{
    const struct parts panels = parts_of_most(whole(conv->k) / CONV_LANES, PANEL_VECS);
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
        const struct panel panel = {
            .w = pw + k * conv->c, .runs = 1, .depth = conv->c, .bias = bias ? bias + k : NULL, .y = y + k,
            .pitch = conv->k, .filters = (end < conv->k ? end : conv->k) - k, .act = conv->act
        };
        multiply(&panel, middle, positions);
    }
}

static int64_t positions_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct conv_problem stage = stage_of(conv);
    (void)threads;
    return stage_bytes(&stage) + (size_t)(positions_of(conv) * conv->c) * sizeof(float);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_problem stage = stage_of(conv);
    const float *w = workspace->packed, *pw = w + block_packed_bytes(&stage) / sizeof *w;
    float *middle = (float *)((char *)workspace->scratch + stage_bytes(&stage));

    depthwise(middle, &stage, operands, w, workspace->scratch);
    pointwise(operands->y, conv, pw, operands->pw_bias, middle, positions_of(conv));
}

CONV_KERNEL(sep_nhwc_01_two_passes,
    .title = "one stage after the other, channels in the lanes",
    .kinds = 1u << CONV_SEPARABLE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
