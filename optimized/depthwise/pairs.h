/* pairs.h - a tile of two rows of outputs, channels last: rows that share inputs are computed together.
 *
 * A tile is ROWS x COLUMNS outputs, PAIR_SUMS in all, of a vector of channels.  A row of inputs that both rows need
 * goes into both; with 3x3 taps and stride 1:
 *
 *   row of inputs        0       1          2          3
 *   goes into row        p       p, p + 1   p, p + 1   p + 1
 *
 * Two rows are as far apart as the dilation asks (pointers.h); what is left alone, as the last row of an odd number
 * or all of a 1-D problem, has tiles of one row and twice the columns.  Where the filter is 3x3 and the step 1 or 2
 * all loops over taps are known to the compiler.
 * Introduced in dw_nhwc_08_two_rows; also the first stage of the separable ladder for channels last, in the ladder for
 * small images, and in the data gradients (gradients/tiles.h).  Read next: one_cache_set.h.
 */
#ifndef CONVREF_OPTIMIZED_DEPTHWISE_PAIRS_H
#define CONVREF_OPTIMIZED_DEPTHWISE_PAIRS_H

#include "optimized/depthwise/blocks.h"
#include "optimized/pointers.h"

/* The sums of a tile, and the most taps of a piece: one input and two rows of weights fill the other registers. */
enum { PAIR_SUMS = CONV_REGISTERS == 32 ? 14 : 8, PAIR_PIECE = CONV_REGISTERS == 32 ? 7 : 3 };
enum { PAIR_ANY = 0 };   /* a step that is known only at run time */

/* As CONV_UNROLL, for the (PAIR_SUMS - 1) * 2 + PAIR_PIECE inputs of a tile. */
#define PAIR_UNROLL_INPUTS _Pragma("GCC unroll 64")

struct pair_tile {
    float *y[PAIR_SUMS];         /* the channels of each output */
    const float *const *x;       /* x[(t * rows + u) * inputs + i]: those of each input */
    const float *w, *bias;       /* w[block][t][r][s][lane] */
    const struct table *table;
    struct conv_range blocks;    /* of channels */
    bool downwards;              /* the last block first */
};

/* Which rows of the tile a row of inputs goes into. */
enum { PAIR_FIRST = 1, PAIR_SECOND = 2, PAIR_BOTH = 3 };

/* A row of inputs, and the weights of a row of taps: w[0] for the tile's first row, w[1] for its second. */
struct pair_taps { const float *const *x; const float *w[2]; };

/* Adds TAPS taps, from s on: sums[j] += x[j * STEP + s * SPREAD] * w[s], each input loaded once.  Taps that are spread
 * begin with the first. */
CONV_INLINE void pair_add_piece(vec *sums, const struct pair_taps *row, int64_t k, int64_t s, const int STEP,
                                const int SPREAD, const int TAPS, const int COLUMNS, const int INTO)
{
    vec first[PAIR_PIECE], second[PAIR_PIECE];
    CONV_UNROLL
    for (int i = 0; i < TAPS; i++) {
        first[i] = vec_load(row->w[INTO & PAIR_FIRST ? 0 : 1] + (s + i) * CONV_LANES);
        second[i] = vec_load(row->w[INTO & PAIR_SECOND ? 1 : 0] + (s + i) * CONV_LANES);
    }
    PAIR_UNROLL_INPUTS
    for (int i = 0; i <= (COLUMNS - 1) * STEP + (TAPS - 1) * SPREAD; i++) {
        const vec in = vec_load(row->x[s + i] + k);
        CONV_UNROLL
        for (int j = 0; j < COLUMNS; j++) {
            const int from = i - j * STEP, tap = from / SPREAD;   /* from the window's first input to this one */
            if (from >= 0 && from % SPREAD == 0 && tap < TAPS) {
                if (INTO & PAIR_FIRST)
                    sums[j] += in * first[tap];
                if (INTO & PAIR_SECOND)
                    sums[COLUMNS + j] += in * second[tap];
            }
        }
    }
}

/* One tap, and any step. */
CONV_INLINE void pair_add_tap(vec *sums, const struct pair_taps *row, int64_t k, int64_t s, int64_t step,
                              const int COLUMNS, const int INTO)
{
    CONV_UNROLL
    for (int j = 0; j < COLUMNS; j++) {
        const vec in = vec_load(row->x[s + j * step] + k);
        if (INTO & PAIR_FIRST)
            sums[j] += in * vec_load(row->w[0] + s * CONV_LANES);
        if (INTO & PAIR_SECOND)
            sums[COLUMNS + j] += in * vec_load(row->w[1] + s * CONV_LANES);
    }
}

/* A row of taps: pieces of PAIR_PIECE, then a shorter one of each length that is needed. */
CONV_INLINE void pair_add_row(vec *sums, const struct pair_taps *row, const struct table *table, int64_t k,
                              const int STEP, const int COLUMNS, const int INTO)
{
    const int64_t S = table->conv->axis[CONV_W].filter;
    int64_t s = 0;
    for (; STEP == PAIR_ANY && s < S; s++)
        pair_add_tap(sums, row, k, s, table->line.step, COLUMNS, INTO);
    for (; s + PAIR_PIECE <= S; s += PAIR_PIECE)
        pair_add_piece(sums, row, k, s, STEP, 1, PAIR_PIECE, COLUMNS, INTO);
    if (PAIR_PIECE > 5 && s + 5 <= S) {
        pair_add_piece(sums, row, k, s, STEP, 1, 5, COLUMNS, INTO);
        s += 5;
    }
    if (PAIR_PIECE > 3 && s + 3 <= S) {
        pair_add_piece(sums, row, k, s, STEP, 1, 3, COLUMNS, INTO);
        s += 3;
    }
    for (; s < S; s++)
        pair_add_piece(sums, row, k, s, STEP, 1, 1, COLUMNS, INTO);
}

/* The row of taps that meets row u of the inputs, for outputs whose window begins in row `down`.  Where there is
 * none, its weights aren't used, and the first stands for it: no pointer leaves the weights. */
CONV_INLINE int64_t pair_tap_row(int64_t u, int64_t down, int64_t R)
{
    return u >= down && u - down < R ? u - down : 0;
}

/* Row u of the inputs, and the rows of taps that it meets; `second` is where the second row of outputs begins. */
CONV_INLINE struct pair_taps pair_taps_at(const float *const *x, const float *w, const struct table *table, int64_t u,
                                          int64_t second, int64_t R, int64_t S)
{
    return (struct pair_taps){ x + u * table->line.inputs, { w + pair_tap_row(u, 0, R) * S * CONV_LANES,
                                                             w + pair_tap_row(u, second, R) * S * CONV_LANES } };
}

/* All taps of one block of channels. */
CONV_INLINE void pair_add_taps(vec *sums, const struct pair_tile *tile, const float *w, int64_t k,
                               const int STEP, const int SPREAD, const int ROWS, const int FILTER)
{
    const int COLUMNS = PAIR_SUMS / ROWS;
    const struct table *table = tile->table;
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    const int64_t R = FILTER ? FILTER : H->filter, S = FILTER ? FILTER : W->filter;
    const int64_t second = FILTER ? STEP : table->pair.step;   /* how many rows of inputs it begins further down */
    for (int64_t t = table->T.begin; t < table->T.end; t++) {
        const float *const *x = tile->x + t * table->rows * table->line.inputs;
        const float *of_t = w + t * R * S * CONV_LANES;
        if (FILTER) {
            CONV_UNROLL
            for (int u = 0; u < FILTER + (ROWS - 1) * STEP; u++) {
                const struct pair_taps at = pair_taps_at(x, of_t, table, u, second, R, S);
                if (ROWS == 1 || u < STEP)
                    pair_add_piece(sums, &at, k, 0, STEP, SPREAD, FILTER, COLUMNS, PAIR_FIRST);
                else if (u < FILTER)
                    pair_add_piece(sums, &at, k, 0, STEP, SPREAD, FILTER, COLUMNS, PAIR_BOTH);
                else
                    pair_add_piece(sums, &at, k, 0, STEP, SPREAD, FILTER, COLUMNS, PAIR_SECOND);
            }
            continue;
        }
        for (int64_t u = table->U.begin; u < table->U.end; u++) {
            const struct pair_taps at = pair_taps_at(x, of_t, table, u, second, R, S);
            if (ROWS == 1 || u < table->pair.step)
                pair_add_row(sums, &at, table, k, STEP, COLUMNS, PAIR_FIRST);
            else if (u < R)
                pair_add_row(sums, &at, table, k, STEP, COLUMNS, PAIR_BOTH);
            else
                pair_add_row(sums, &at, table, k, STEP, COLUMNS, PAIR_SECOND);
        }
    }
}

CONV_INLINE void pair_tile_of(const struct pair_tile *tile, const int STEP, const int SPREAD, const int ROWS,
                              const int FILTER)
{
    const struct conv_problem *conv = tile->table->conv;
    const int64_t floats = block_floats(conv);
    for (int64_t i = tile->blocks.begin; i < tile->blocks.end; i++) {
        const int64_t block = tile->downwards ? tile->blocks.begin + tile->blocks.end - 1 - i : i;
        const int64_t k = block_begin(conv, block);
        vec sums[PAIR_SUMS];
        CONV_UNROLL
        for (int j = 0; j < PAIR_SUMS; j++)
            sums[j] = vec_load(tile->bias + k);
        pair_add_taps(sums, tile, tile->w + block * floats, k, STEP, SPREAD, ROWS, FILTER);
        if (conv->act != CONV_ACT_NONE) {
            CONV_UNROLL
            for (int j = 0; j < PAIR_SUMS; j++)
                sums[j] = vec_activate(conv->act, sums[j]);
        }
        CONV_UNROLL
        for (int j = 0; j < PAIR_SUMS; j++)
            vec_store(tile->y[j] + k, sums[j]);
    }
}

typedef void pair_function(const struct pair_tile *tile);
static void pair_any_1(const struct pair_tile *tile) { pair_tile_of(tile, PAIR_ANY, 1, 1, 0); }
static void pair_any_2(const struct pair_tile *tile) { pair_tile_of(tile, PAIR_ANY, 1, 2, 0); }
static void pair_step1_1(const struct pair_tile *tile) { pair_tile_of(tile, 1, 1, 1, 0); }
static void pair_step1_2(const struct pair_tile *tile) { pair_tile_of(tile, 1, 1, 2, 0); }
static void pair_step2_1(const struct pair_tile *tile) { pair_tile_of(tile, 2, 1, 1, 0); }
static void pair_step2_2(const struct pair_tile *tile) { pair_tile_of(tile, 2, 1, 2, 0); }
static void pair_step1_3x3_1(const struct pair_tile *tile) { pair_tile_of(tile, 1, 1, 1, 3); }
static void pair_step1_3x3_2(const struct pair_tile *tile) { pair_tile_of(tile, 1, 1, 2, 3); }
static void pair_step2_3x3_1(const struct pair_tile *tile) { pair_tile_of(tile, 2, 1, 1, 3); }
static void pair_step2_3x3_2(const struct pair_tile *tile) { pair_tile_of(tile, 2, 1, 2, 3); }
static void pair_spread2_3x3_1(const struct pair_tile *tile) { pair_tile_of(tile, 1, 2, 1, 3); }
static void pair_spread2_3x3_2(const struct pair_tile *tile) { pair_tile_of(tile, 1, 2, 2, 3); }

static pair_function *pair_choose(const struct table *table, int rows)
{
    static pair_function *const any[3][2] = {
        { pair_any_1, pair_any_2 }, { pair_step1_1, pair_step1_2 }, { pair_step2_1, pair_step2_2 } };
    static pair_function *const known[3][2] = {
        { 0 }, { pair_step1_3x3_1, pair_step1_3x3_2 }, { pair_step2_3x3_1, pair_step2_3x3_2 } };
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    static pair_function *const spread2[2] = { pair_spread2_3x3_1, pair_spread2_3x3_2 };
    const int64_t step = table->line.step <= 2 ? table->line.step : 0;
    if (table->line.spread == 2)   /* a 3x3 filter without a stride: one_cache_set.h */
        return spread2[rows - 1];
    if (step && H->filter == 3 && W->filter == 3 && table->pair.step == step)
        return known[step][rows - 1];
    return any[step][rows - 1];
}

/* The wanted outputs of one or two rows, some blocks of their channels: y[i] is the first output of row i.  `aside`
 * has room for a tile of one vector.  If `downwards`, the last block comes first: one_cache_set.h. */
static inline void pair_compute(float *const *y, const struct table *table, const float *w, const float *bias,
                                float *aside, int rows, struct conv_range blocks, bool downwards)
{
    const int64_t channels = table->conv->c, columns = PAIR_SUMS / rows;
    struct pair_tile tile = { .w = w, .bias = bias, .table = table, .blocks = blocks, .downwards = downwards };
    pair_function *const compute = pair_choose(table, rows);
    for (int64_t v = table->wanted.begin; v < table->wanted.end; v += columns) {
        while (table->out[v] < 0)   /* a tile begins with an output */
            v++;
        tile.x = table->x + v * table->line.step;
        for (int64_t i = 0; i < PAIR_SUMS; i++)
            tile.y[i] = channels < CONV_LANES ? aside + i * CONV_LANES
                                              : table_output(table, y[i / columns], v + i % columns);
        compute(&tile);
        for (int64_t i = 0; channels < CONV_LANES && i < PAIR_SUMS; i++)
            memcpy(table_output(table, y[i / columns], v + i % columns), tile.y[i],
                   (size_t)channels * sizeof(float));
    }
}

/* ---- the rows of a plane, in pairs ---- */

/* The rows that are the first of a pair, or alone. */
static inline int64_t pair_count(const struct conv_axis *H, int64_t apart)
{
    const int64_t rest = H->out % (2 * apart);
    return H->out / (2 * apart) * apart + (rest < apart ? rest : apart);
}

/* The first row of a pair. */
static inline int64_t pair_row(int64_t pair, int64_t apart) { return pair / apart * 2 * apart + pair % apart; }

#endif
