/* dw_nhwc_07_filter_known.c - step 7 of the depthwise ladder for channels last: taps that the compiler can count.
 *
 * Changed since dw_nhwc_06_whole_vectors: a row of taps is cut into pieces of a known length, and the step from one
 *     window to the next is known if it is 1 or 2; a 3x3 filter has no loop left at all.
 * Why it is faster: within a piece each input is loaded once, with its pointer, and goes into all sums that it
 *     belongs to: with 3 taps and 8 columns 10 loads in the place of 24.
 * What it costs: the same tile is compiled five times.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D, any filter.
 * Explained in docs/ladder-depthwise.md, step 7 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/blocks.h"
#include "optimized/pointers.h"

/* The sums of a tile, and the most taps of a piece: they and one input must fit into the registers. */
enum { SUMS = CONV_REGISTERS == 32 ? 14 : 8, PIECE = CONV_REGISTERS == 32 ? 7 : 3 };
enum { ANY = 0 };   /* a step that is known only at run time */

/* As CONV_UNROLL, for the (SUMS - 1) * 2 + PIECE inputs of a tile. */
#define UNROLL_INPUTS _Pragma("GCC unroll 64")

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

/* Adds TAPS taps: sums[j] += x[j * STEP + s] * w[s], each input loaded once. */
CONV_INLINE void add_piece(vec *sums, const float *const *x, int64_t k, const float *w, const int STEP,
                           const int TAPS)
{
    vec weights[PIECE];
    CONV_UNROLL
    for (int s = 0; s < TAPS; s++)
        weights[s] = vec_load(w + s * CONV_LANES);
    UNROLL_INPUTS
    for (int i = 0; i < (SUMS - 1) * STEP + TAPS; i++) {
        const vec in = vec_load(x[i] + k);
        CONV_UNROLL
        for (int j = 0; j < SUMS; j++)
            if (i - j * STEP >= 0 && i - j * STEP < TAPS)
                sums[j] += in * weights[i - j * STEP];
    }
}

/* One tap, and any step. */
CONV_INLINE void add_tap(vec *sums, const float *const *x, int64_t k, const float *w, int64_t step)
{
    const vec weight = vec_load(w);
    CONV_UNROLL
    for (int j = 0; j < SUMS; j++)
        sums[j] += vec_load(x[j * step] + k) * weight;
}

/* A row of taps: pieces of PIECE, then a shorter one of each length that is needed. */
CONV_INLINE void add_row(vec *sums, const float *const *x, int64_t k, const float *w, const struct table *table,
                         const int STEP)
{
    const int64_t S = table->conv->axis[CONV_W].filter;
    int64_t s = 0;
    for (; STEP == ANY && s < S; s++)
        add_tap(sums, x + s, k, w + s * CONV_LANES, table->line.step);
    for (; s + PIECE <= S; s += PIECE)
        add_piece(sums, x + s, k, w + s * CONV_LANES, STEP, PIECE);
    if (PIECE > 5 && s + 5 <= S) {
        add_piece(sums, x + s, k, w + s * CONV_LANES, STEP, 5);
        s += 5;
    }
    if (PIECE > 3 && s + 3 <= S) {
        add_piece(sums, x + s, k, w + s * CONV_LANES, STEP, 3);
        s += 3;
    }
    for (; s < S; s++)
        add_piece(sums, x + s, k, w + s * CONV_LANES, STEP, 1);
}

/* All taps of one block of channels. */
CONV_INLINE void add_taps(vec *sums, const struct tile *tile, const float *w, int64_t k, const int STEP,
                          const int FILTER)
{
    const struct table *table = tile->table;
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    const int64_t R = FILTER ? FILTER : H->filter, S = FILTER ? FILTER : W->filter;
    for (int64_t t = table->T.begin; t < table->T.end; t++) {
        const float *const *x = tile->x + t * table->rows * table->line.inputs;
        const float *weights = w + t * R * S * CONV_LANES;   /* w[r][s][lane] */
        if (FILTER) {
            CONV_UNROLL
            for (int r = 0; r < FILTER; r++, x += table->line.inputs, weights += FILTER * CONV_LANES)
                add_piece(sums, x, k, weights, STEP, FILTER);
            continue;
        }
        for (int64_t r = table->U.begin; r < table->U.end; r++)
            add_row(sums, x + r * table->line.inputs, k, weights + r * S * CONV_LANES, table, STEP);
    }
}

CONV_INLINE void tile_of(const struct tile *tile, const int STEP, const int FILTER)
{
    const struct conv_problem *conv = tile->table->conv;
    const int64_t blocks = block_count(conv), floats = block_floats(conv);
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t k = block_begin(conv, block);
        vec sums[SUMS];
        CONV_UNROLL
        for (int i = 0; i < SUMS; i++)
            sums[i] = vec_load(tile->bias + k);
        add_taps(sums, tile, tile->w + block * floats, k, STEP, FILTER);
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

typedef void tile_function(const struct tile *tile);
static void any(const struct tile *tile) { tile_of(tile, ANY, 0); }
static void step1(const struct tile *tile) { tile_of(tile, 1, 0); }
static void step2(const struct tile *tile) { tile_of(tile, 2, 0); }
static void step1_3x3(const struct tile *tile) { tile_of(tile, 1, 3); }
static void step2_3x3(const struct tile *tile) { tile_of(tile, 2, 3); }

static tile_function *choose(const struct table *table)
{
    const int64_t step = table->line.step;
    if (step > 2)
        return any;
    if (table->conv->axis[CONV_H].filter == 3 && table->conv->axis[CONV_W].filter == 3)
        return step == 1 ? step1_3x3 : step2_3x3;
    return step == 1 ? step1 : step2;
}

/* One row of outputs. */
static void row_of(float *y, const struct table *table, const float *w, const float *bias, float *aside)
{
    const int64_t channels = table->conv->c;
    struct tile tile = { .w = w, .bias = bias, .table = table };
    tile_function *const compute = choose(table);
    for (int64_t v = 0; v < table->line.outputs - SUMS; v += SUMS) {
        while (table->out[v] < 0)   /* a tile begins with an output; the line's last SUMS aren't wanted */
            v++;
        tile.x = table->x + v * table->line.step;
        for (int64_t i = 0; i < SUMS; i++)
            tile.y[i] = channels < CONV_LANES ? aside + i * CONV_LANES : table_output(table, y, v + i);
        compute(&tile);
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

CONV_KERNEL(dw_nhwc_07_filter_known,
    .title = "each input of a row is loaded once",
    .from = "dw_nhwc_06_whole_vectors",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = block_packed_bytes,
    .pack = block_pack,
    .run = run,
);
