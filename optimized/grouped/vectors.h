/* vectors.h - grouped, channels last: blocks of filters that fill a vector, and the tile that computes them.
 *
 * A block is a vector of filters: of one group, or of several groups if they are small; then each lane is given the
 * c-th channel of its own group, by a permutation of the channels as they lie in x.  A tile is SUMS columns of a
 * block, or half as many columns of two blocks, if a group has an even number of them.
 * Introduced in grp_nhwc_03_two_vectors; also used by its last step.  Read next: pointers.h.
 */
#ifndef CONVREF_OPTIMIZED_GROUPED_VECTORS_H
#define CONVREF_OPTIMIZED_GROUPED_VECTORS_H

#include "optimized/pointers.h"

/* The sums of a tile, and the most taps of a piece: they, one input and one permutation fit into the registers. */
enum { SUMS = CONV_REGISTERS == 32 ? 14 : 8, PIECE = CONV_REGISTERS == 32 ? 7 : 3 };
enum { ANY = 0 };   /* a step that is known only at run time */

/* As CONV_UNROLL, for the (SUMS - 1) * 2 + PIECE inputs of a tile. */
#define UNROLL_INPUTS _Pragma("GCC unroll 64")

static inline int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- blocks: the filters of one vector ---- */

/* What a tile is: SUMS columns of a block of one group; half as many columns of two blocks of one group; SUMS columns
 * of a block of several groups, whose channels are in one vector of x and are permuted. */
enum way { ONE, TWO, PERMUTE };

struct blocks {
    int64_t C, K;      /* of a group */
    int64_t groups;    /* in a vector */
    int64_t each;      /* blocks of a group, if it has one or more for itself */
    int64_t count;
    int64_t lanes;     /* that hold a filter */
    enum way way;
};

static inline struct blocks blocks_of(const struct conv_problem *conv)
{
    struct blocks blocks = { conv->c / conv->groups, conv->k / conv->groups, 1, 1, 0, 0, ONE };
    if (blocks.K < CONV_LANES && blocks.C <= CONV_LANES)
        blocks.way = PERMUTE;
    if (blocks.way == PERMUTE)
        blocks.groups = min(min(CONV_LANES / blocks.K, CONV_LANES / blocks.C), conv->groups);
    blocks.each = conv_ceil_div(blocks.K, CONV_LANES);
    blocks.count = conv_ceil_div(conv->groups, blocks.groups) * blocks.each;
    blocks.lanes = min(blocks.groups * blocks.K, CONV_LANES);
    if (blocks.each % 2 == 0)
        blocks.way = TWO;
    return blocks;
}

/* The first group, filter and channel of a block.  The last of several blocks of a group, and the last block of all,
 * begin early enough to be full: some filters are computed twice. */
struct block { int64_t g, k, c; };

static inline struct block block_at(const struct conv_problem *conv, const struct blocks *blocks, int64_t i)
{
    const int64_t g = min(i / blocks->each * blocks->groups, conv->groups - blocks->groups);
    const int64_t k = min(i % blocks->each * CONV_LANES, blocks->K - min(blocks->K, CONV_LANES));
    const int64_t last = conv->c > CONV_LANES ? conv->c - CONV_LANES : 0;   /* where a vector of x may begin */
    return (struct block){ g, g * blocks->K + k, blocks->way == PERMUTE ? min(g * blocks->C, last) : g * blocks->C };
}

/* ---- packed: for each block its permutations, from[c][lane], and its weights, w[t][r][c][s][lane] ---- */

static inline int64_t block_floats(const struct conv_problem *conv, const struct blocks *blocks)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    return (1 + D->filter * H->filter * W->filter) * blocks->C * CONV_LANES;
}

static inline size_t packed_bytes(const struct conv_problem *conv)
{
    const struct blocks blocks = blocks_of(conv);
    return (size_t)(blocks.count * block_floats(conv, &blocks)) * sizeof(float);
}

static inline void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const struct blocks blocks = blocks_of(conv);
    const float (*w)[blocks.C][D->filter * H->filter][W->filter] = weights->w;
    float *to = packed;
    for (int64_t i = 0; i < blocks.count; i++) {
        const struct block block = block_at(conv, &blocks, i);
        for (int64_t c = 0; c < blocks.C; c++)
            for (int64_t lane = 0; lane < CONV_LANES; lane++, to++) {
                const int64_t group = (block.k + min(lane, blocks.lanes - 1)) / blocks.K;
                const int32_t from = blocks.way == PERMUTE ? (int32_t)(group * blocks.C + c - block.c) : 0;
                memcpy(to, &from, sizeof from);
            }
        for (int64_t tr = 0; tr < D->filter * H->filter; tr++)
            for (int64_t c = 0; c < blocks.C; c++)
                for (int64_t s = 0; s < W->filter; s++)
                    for (int64_t lane = 0; lane < CONV_LANES; lane++)
                        *to++ = lane < blocks.lanes ? w[block.k + lane][c][tr][s] : 0;
    }
}

/* ---- a tile: some columns of one row, some blocks of filters ---- */

struct tile {
    float *y[SUMS];            /* the filters of each output */
    const float *const *x;     /* x[(t * rows + r) * inputs + i]: the channels of each input */
    const float *packed, *bias;
    float *aside;              /* SUMS vectors, for a block with empty lanes */
    const struct table *table;
    struct blocks blocks;
    struct conv_range some;    /* of the blocks */
};

/* The c-th channel of each lane's group. */
CONV_INLINE vec channel(const float *x, const float *from, int64_t c, const enum way WAY)
{
    vec_mask order;
    if (WAY != PERMUTE)
        return vec_set(x[c]);
    memcpy(&order, from + c * CONV_LANES, sizeof order);
    return vec_permute(vec_load(x), order);
}

/* Adds TAPS taps of one channel: sums[j] += x[j * STEP + s] * w[s], each input fetched once for all vectors, which
 * are `apart` floats apart in w. */
CONV_INLINE void add_piece(vec (*sums)[SUMS], const float *const *x, int64_t at, const float *from, int64_t c,
                           const float *w, int64_t apart, const int STEP, const int TAPS, const enum way WAY)
{
    const int VECS = WAY == TWO ? 2 : 1, COLUMNS = SUMS / VECS;
    vec weights[2][PIECE];
    CONV_UNROLL
    for (int v = 0; v < VECS; v++)
        CONV_UNROLL
        for (int s = 0; s < TAPS; s++)
            weights[v][s] = vec_load(w + v * apart + s * CONV_LANES);
    UNROLL_INPUTS
    for (int i = 0; i < (COLUMNS - 1) * STEP + TAPS; i++) {
        const vec in = channel(x[i] + at, from, c, WAY);
        CONV_UNROLL
        for (int j = 0; j < COLUMNS; j++)
            if (i - j * STEP >= 0 && i - j * STEP < TAPS)
                CONV_UNROLL
                for (int v = 0; v < VECS; v++)
                    sums[v][j] += in * weights[v][i - j * STEP];
    }
}

/* A row of taps of one channel: pieces of PIECE, then a shorter one of each length that is needed. */
CONV_INLINE void add_row(vec (*sums)[SUMS], const struct table *table, const float *const *x, int64_t at,
                         const float *from, int64_t c, const float *w, int64_t apart, const int STEP,
                         const enum way WAY)
{
    const int VECS = WAY == TWO ? 2 : 1, COLUMNS = SUMS / VECS;
    const int64_t S = table->conv->axis[CONV_W].filter, step = table->line.step;
    int64_t s = 0;
    for (; STEP == ANY && s < S; s++)
        CONV_UNROLL
        for (int j = 0; j < COLUMNS; j++) {
            const vec in = channel(x[s + j * step] + at, from, c, WAY);
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                sums[v][j] += in * vec_load(w + v * apart + s * CONV_LANES);
        }
    for (; s + PIECE <= S; s += PIECE)
        add_piece(sums, x + s, at, from, c, w + s * CONV_LANES, apart, STEP, PIECE, WAY);
    if (PIECE > 3 && s + 3 <= S) {
        add_piece(sums, x + s, at, from, c, w + s * CONV_LANES, apart, STEP, 3, WAY);
        s += 3;
    }
    for (; s < S; s++)
        add_piece(sums, x + s, at, from, c, w + s * CONV_LANES, apart, STEP, 1, WAY);
}

CONV_INLINE void tile_of(const struct tile *tile, const int STEP, const enum way WAY)
{
    const int VECS = WAY == TWO ? 2 : 1, COLUMNS = SUMS / VECS;
    const struct table *table = tile->table;
    const struct conv_problem *conv = table->conv;
    const struct blocks *blocks = &tile->blocks;
    const int64_t R = conv->axis[CONV_H].filter, S = conv->axis[CONV_W].filter, C = blocks->C;
    const int64_t floats = block_floats(conv, blocks);
    for (int64_t i = tile->some.begin; i < tile->some.end; i += VECS) {
        const struct block block = block_at(conv, blocks, i), last = block_at(conv, blocks, i + VECS - 1);
        const float *from = tile->packed + i * floats, *w = from + C * CONV_LANES;
        const int64_t k[2] = { block.k, last.k };
        vec sums[2][SUMS];
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            CONV_UNROLL
            for (int j = 0; j < COLUMNS; j++)
                sums[v][j] = vec_load(tile->bias + k[v]);
        for (int64_t t = table->T.begin; t < table->T.end; t++)
        for (int64_t r = table->U.begin; r < table->U.end; r++)
        for (int64_t c = 0; c < C; c++)
            add_row(sums, table, tile->x + (t * table->rows + r) * table->line.inputs, block.c, from, c,
                    w + ((t * R + r) * C + c) * S * CONV_LANES, floats, STEP, WAY);
        if (conv->act != CONV_ACT_NONE) {
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                CONV_UNROLL
                for (int j = 0; j < COLUMNS; j++)
                    sums[v][j] = vec_activate(conv->act, sums[v][j]);
        }
        const bool full = blocks->lanes == CONV_LANES;   /* as those of two vectors are */
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            CONV_UNROLL
            for (int j = 0; j < COLUMNS; j++)
                vec_store(full ? tile->y[j] + k[v] : tile->aside + j * CONV_LANES, sums[v][j]);
        for (int j = 0; !full && j < COLUMNS; j++)
            memcpy(tile->y[j] + block.k, tile->aside + j * CONV_LANES, (size_t)blocks->lanes * sizeof(float));
    }
}

typedef void tile_function(const struct tile *tile);
static void one_any(const struct tile *tile) { tile_of(tile, ANY, ONE); }
static void one_step1(const struct tile *tile) { tile_of(tile, 1, ONE); }
static void one_step2(const struct tile *tile) { tile_of(tile, 2, ONE); }
static void two_any(const struct tile *tile) { tile_of(tile, ANY, TWO); }
static void two_step1(const struct tile *tile) { tile_of(tile, 1, TWO); }
static void two_step2(const struct tile *tile) { tile_of(tile, 2, TWO); }
static void permute_any(const struct tile *tile) { tile_of(tile, ANY, PERMUTE); }
static void permute_step1(const struct tile *tile) { tile_of(tile, 1, PERMUTE); }
static void permute_step2(const struct tile *tile) { tile_of(tile, 2, PERMUTE); }

static tile_function *const ways[][3] = {
    [ONE] = { one_any, one_step1, one_step2 },
    [TWO] = { two_any, two_step1, two_step2 },
    [PERMUTE] = { permute_any, permute_step1, permute_step2 }
};

/* One row of outputs, y[q * K + k], whose table points at what it reads. */
static inline void compute_row(struct tile *tile, float *y)
{
    const struct table *table = tile->table;
    tile_function *const compute = ways[tile->blocks.way][table->line.step <= 2 ? table->line.step : ANY];
    const int columns = tile->blocks.way == TWO ? SUMS / 2 : SUMS;
    for (int64_t v = 0; v < table->line.outputs - SUMS; v += columns) {
        while (table->out[v] < 0)   /* a tile begins with an output; the line's last SUMS aren't wanted */
            v++;
        tile->x = table->x + v * table->line.step;
        for (int64_t j = 0; j < columns; j++)
            tile->y[j] = table_output(table, y, v + j);
        compute(tile);
    }
}

#endif
