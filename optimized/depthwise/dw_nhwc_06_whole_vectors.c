/* dw_nhwc_06_whole_vectors.c - step 6 of the depthwise ladder for channels last: no vector is loaded in part.
 *
 * Changed since dw_nhwc_05_row_of_zeros: the last block of channels ends with the last channel, and computes some
 *     before it a second time (blocks.h).  With fewer channels than lanes loads go on into the next position, and
 *     stores go aside first.  So the loop over blocks has no questions, and a tile keeps its pointers for all blocks.
 * Why it is faster: a part of a vector was a call of memcpy, one for each tap and output.  Where C is a multiple of
 *     the lanes, what was worked out anew for each block is worked out once for a tile.
 * What it costs: up to a vector of channels is computed twice.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D.
 * Explained in docs/ladder-depthwise.md, step 6 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/blocks.h"
#include "optimized/pointers.h"

enum { SUMS = 8 };

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return table_bytes(conv, SUMS) + (size_t)(table_wide(conv) + SUMS * CONV_LANES) * sizeof(float);
}

/* ---- a tile: SUMS outputs of one row, all channels ---- */

struct tile {
    float *y[SUMS];              /* the channels of each output */
    const float *const *x;       /* x[(t * rows + u) * inputs + i]: those of each input */
    const float *w, *bias;       /* w[block][t][r][s][lane] */
    const struct table *table;
};

/* All taps of one block of channels. */
CONV_INLINE void add_taps(vec *sums, const struct tile *tile, const float *w, int64_t k)
{
    const struct table *table = tile->table;
    const int64_t R = table->conv->axis[CONV_H].filter, S = table->conv->axis[CONV_W].filter, step = table->line.step;
    for (int64_t t = table->T.begin; t < table->T.end; t++)
    for (int64_t r = table->U.begin; r < table->U.end; r++)
    for (int64_t s = 0; s < S; s++) {
        const float *const *x = tile->x + (t * table->rows + r) * table->line.inputs + s;
        const vec weight = vec_load(w + ((t * R + r) * S + s) * CONV_LANES);
        CONV_UNROLL
        for (int j = 0; j < SUMS; j++)
            sums[j] += vec_load(x[j * step] + k) * weight;
    }
}

static void tile_of(const struct tile *tile)
{
    const struct conv_problem *conv = tile->table->conv;
    const int64_t blocks = block_count(conv), floats = block_floats(conv);
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t k = block_begin(conv, block);
        vec sums[SUMS];
        CONV_UNROLL
        for (int i = 0; i < SUMS; i++)
            sums[i] = vec_load(tile->bias + k);
        add_taps(sums, tile, tile->w + block * floats, k);
        if (conv->act != CONV_ACT_NONE) {
            CONV_UNROLL
            for (int i = 0; i < SUMS; i++)
                sums[i] = vec_activate(conv->act, sums[i]);
        }
        CONV_UNROLL
        for (int i = 0; i < SUMS; i++)
            vec_store(tile->y[i] + k, sums[i]);
    }
}

/* One row of outputs. */
static void row_of(float *y, const struct table *table, const float *w, const float *bias, float *aside)
{
    const int64_t channels = table->conv->c;
    struct tile tile = { .w = w, .bias = bias, .table = table };
    for (int64_t v = 0; v < table->line.outputs - SUMS; v += SUMS) {
        while (table->out[v] < 0)   /* a tile begins with an output; the line's last SUMS aren't wanted */
            v++;
        tile.x = table->x + v * table->line.step;
        for (int64_t i = 0; i < SUMS; i++)
            tile.y[i] = channels < CONV_LANES ? aside + i * CONV_LANES : table_output(table, y, v + i);
        tile_of(&tile);
        for (int64_t i = 0; channels < CONV_LANES && i < SUMS; i++)
            memcpy(table_output(table, y, v + i), tile.y[i], (size_t)channels * sizeof(float));
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = table_start(conv, operands->x, SUMS, workspace->scratch);
    float *bias = (float *)((char *)workspace->scratch + table_bytes(conv, SUMS));
    float *aside = bias + table_wide(conv);

    memset(bias, 0, (size_t)table_wide(conv) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++) {
        table_point(&table, x[n], z, p, 1);
        row_of(y[n][z][p], &table, workspace->packed, bias, aside);
    }
}

CONV_KERNEL(dw_nhwc_06_whole_vectors,
    .title = "no vector is loaded in part",
    .from = "dw_nhwc_05_row_of_zeros",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = block_packed_bytes,
    .pack = block_pack,
    .run = run,
);
