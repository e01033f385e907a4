/* grp_nhwc_02_groups_in_lanes.c - step 2 of the grouped ladder for channels last: as many groups as a vector holds.
 *
 * Changed since grp_nhwc_01_direct: a vector holds filters of one group, or of several groups if they are small; each
 *     lane is given the c-th channel of its own group, by a permutation of the channels as they lie in x.  A tile is
 *     eight columns, with a table of pointers and pieces of a row of taps as in dw_nhwc_07_filter_known.
 * Why it is faster: a group of 2 fills two lanes of eight; four groups fill all of them.  A permuted vector serves
 *     all taps of a piece.
 * What it costs: a permutation for each input and each channel of a group.
 * Applies to: any grouped or depthwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-grouped.md, step 2 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/pointers.h"

/* The sums of a tile, and the most taps of a piece: they, one input and one permutation fit into the registers. */
enum { SUMS = CONV_REGISTERS == 32 ? 14 : 8, PIECE = CONV_REGISTERS == 32 ? 7 : 3 };
enum { ANY = 0 };   /* a step that is known only at run time */

/* As CONV_UNROLL, for the (SUMS - 1) * 2 + PIECE inputs of a tile. */
#define UNROLL_INPUTS _Pragma("GCC unroll 64")

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- blocks: the filters of one vector ---- */

struct blocks {
    int64_t C, K;      /* of a group */
    int64_t groups;    /* in a vector */
    int64_t each;      /* blocks of a group, if it has one or more for itself */
    int64_t count;
    int64_t lanes;     /* that hold a filter */
    bool permute;      /* the channels of all its groups are in one vector of x; otherwise it is one group's */
};

static struct blocks blocks_of(const struct conv_problem *conv)
{
    struct blocks blocks = { conv->c / conv->groups, conv->k / conv->groups, 1, 1, 0, 0, false };
    blocks.permute = blocks.K < CONV_LANES && blocks.C <= CONV_LANES;
    if (blocks.permute)
        blocks.groups = min(min(CONV_LANES / blocks.K, CONV_LANES / blocks.C), conv->groups);
    blocks.each = conv_ceil_div(blocks.K, CONV_LANES);
    blocks.count = conv_ceil_div(conv->groups, blocks.groups) * blocks.each;
    blocks.lanes = min(blocks.groups * blocks.K, CONV_LANES);
    return blocks;
}

/* The first group, filter and channel of a block.  The last of several blocks of a group, and the last block of all,
 * begin early enough to be full: some filters are computed twice. */
struct block { int64_t g, k, c; };

static struct block block_at(const struct conv_problem *conv, const struct blocks *blocks, int64_t i)
{
    const int64_t g = min(i / blocks->each * blocks->groups, conv->groups - blocks->groups);
    const int64_t k = min(i % blocks->each * CONV_LANES, blocks->K - min(blocks->K, CONV_LANES));
    const int64_t last = conv->c > CONV_LANES ? conv->c - CONV_LANES : 0;   /* where a vector of x may begin */
    return (struct block){ g, g * blocks->K + k, blocks->permute ? min(g * blocks->C, last) : g * blocks->C };
}

/* ---- packed: for each block its permutations, from[c][lane], and its weights, w[t][r][c][s][lane] ---- */

static int64_t block_floats(const struct conv_problem *conv, const struct blocks *blocks)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    return (1 + D->filter * H->filter * W->filter) * blocks->C * CONV_LANES;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    const struct blocks blocks = blocks_of(conv);
    return (size_t)(blocks.count * block_floats(conv, &blocks)) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
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
                const int32_t from = blocks.permute ? (int32_t)(group * blocks.C + c - block.c) : 0;
                memcpy(to, &from, sizeof from);
            }
        for (int64_t tr = 0; tr < D->filter * H->filter; tr++)
            for (int64_t c = 0; c < blocks.C; c++)
                for (int64_t s = 0; s < W->filter; s++)
                    for (int64_t lane = 0; lane < CONV_LANES; lane++)
                        *to++ = lane < blocks.lanes ? w[block.k + lane][c][tr][s] : 0;
    }
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return table_bytes(conv, SUMS) + (size_t)(conv->k + CONV_LANES + SUMS * CONV_LANES) * sizeof(float);
}

/* ---- a tile: SUMS outputs of one row, all filters ---- */

struct tile {
    float *y[SUMS];            /* the filters of each output */
    const float *const *x;     /* x[(t * rows + r) * inputs + i]: the channels of each input */
    const float *packed, *bias;
    float *aside;              /* SUMS vectors, for a block with empty lanes */
    const struct table *table;
    struct blocks blocks;
};

/* The c-th channel of each lane's group. */
CONV_INLINE vec channel(const float *x, const float *from, int64_t c, const bool PERMUTE)
{
    vec_mask order;
    if (!PERMUTE)
        return vec_set(x[c]);
    memcpy(&order, from + c * CONV_LANES, sizeof order);
    return vec_permute(vec_load(x), order);
}

/* Adds TAPS taps of one channel: sums[j] += x[j * STEP + s] * w[s], each input fetched once. */
CONV_INLINE void add_piece(vec *sums, const float *const *x, int64_t at, const float *from, int64_t c, const float *w,
                           const int STEP, const int TAPS, const bool PERMUTE)
{
    vec weights[PIECE];
    CONV_UNROLL
    for (int s = 0; s < TAPS; s++)
        weights[s] = vec_load(w + s * CONV_LANES);
    UNROLL_INPUTS
    for (int i = 0; i < (SUMS - 1) * STEP + TAPS; i++) {
        const vec in = channel(x[i] + at, from, c, PERMUTE);
        CONV_UNROLL
        for (int j = 0; j < SUMS; j++)
            if (i - j * STEP >= 0 && i - j * STEP < TAPS)
                sums[j] += in * weights[i - j * STEP];
    }
}

/* A row of taps of one channel: pieces of PIECE, then a shorter one of each length that is needed. */
CONV_INLINE void add_row(vec *sums, const struct table *table, const float *const *x, int64_t at, const float *from,
                         int64_t c, const float *w, const int STEP, const bool PERMUTE)
{
    const int64_t S = table->conv->axis[CONV_W].filter, step = table->line.step;
    int64_t s = 0;
    for (; STEP == ANY && s < S; s++)
        CONV_UNROLL
        for (int j = 0; j < SUMS; j++)
            sums[j] += channel(x[s + j * step] + at, from, c, PERMUTE) * vec_load(w + s * CONV_LANES);
    for (; s + PIECE <= S; s += PIECE)
        add_piece(sums, x + s, at, from, c, w + s * CONV_LANES, STEP, PIECE, PERMUTE);
    if (PIECE > 3 && s + 3 <= S) {
        add_piece(sums, x + s, at, from, c, w + s * CONV_LANES, STEP, 3, PERMUTE);
        s += 3;
    }
    for (; s < S; s++)
        add_piece(sums, x + s, at, from, c, w + s * CONV_LANES, STEP, 1, PERMUTE);
}

CONV_INLINE void tile_of(const struct tile *tile, const int STEP, const bool PERMUTE)
{
    const struct table *table = tile->table;
    const struct conv_problem *conv = table->conv;
    const struct blocks *blocks = &tile->blocks;
    const int64_t R = conv->axis[CONV_H].filter, S = conv->axis[CONV_W].filter, C = blocks->C;
    for (int64_t i = 0; i < blocks->count; i++) {
        const struct block block = block_at(conv, blocks, i);
        const float *from = tile->packed + i * block_floats(conv, blocks), *w = from + C * CONV_LANES;
        vec sums[SUMS];
        CONV_UNROLL
        for (int j = 0; j < SUMS; j++)
            sums[j] = vec_load(tile->bias + block.k);
        for (int64_t t = table->T.begin; t < table->T.end; t++)
        for (int64_t r = table->U.begin; r < table->U.end; r++)
        for (int64_t c = 0; c < C; c++)
            add_row(sums, table, tile->x + (t * table->rows + r) * table->line.inputs, block.c, from, c,
                    w + ((t * R + r) * C + c) * S * CONV_LANES, STEP, PERMUTE);
        if (conv->act != CONV_ACT_NONE) {
            CONV_UNROLL
            for (int j = 0; j < SUMS; j++)
                sums[j] = vec_activate(conv->act, sums[j]);
        }
        const bool full = blocks->lanes == CONV_LANES;
        CONV_UNROLL
        for (int j = 0; j < SUMS; j++)
            vec_store(full ? tile->y[j] + block.k : tile->aside + j * CONV_LANES, sums[j]);
        for (int j = 0; !full && j < SUMS; j++)
            memcpy(tile->y[j] + block.k, tile->aside + j * CONV_LANES, (size_t)blocks->lanes * sizeof(float));
    }
}

typedef void tile_function(const struct tile *tile);
static void any(const struct tile *tile) { tile_of(tile, ANY, false); }
static void step1(const struct tile *tile) { tile_of(tile, 1, false); }
static void step2(const struct tile *tile) { tile_of(tile, 2, false); }
static void permute_any(const struct tile *tile) { tile_of(tile, ANY, true); }
static void permute_step1(const struct tile *tile) { tile_of(tile, 1, true); }
static void permute_step2(const struct tile *tile) { tile_of(tile, 2, true); }

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    static tile_function *const ways[2][3] = { { any, step1, step2 }, { permute_any, permute_step1, permute_step2 } };
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = table_start(conv, operands->x, SUMS, workspace->scratch);
    float *bias = (float *)((char *)workspace->scratch + table_bytes(conv, SUMS));
    struct tile tile = { .packed = workspace->packed, .bias = bias, .aside = bias + conv->k + CONV_LANES,
                         .table = &table, .blocks = blocks_of(conv) };
    tile_function *const compute = ways[tile.blocks.permute][table.line.step <= 2 ? table.line.step : 0];

    memset(bias, 0, (size_t)(conv->k + CONV_LANES) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++) {
        table_point(&table, x[n], z, p, 1);
        for (int64_t v = 0; v < table.line.outputs - SUMS; v += SUMS) {
            while (table.out[v] < 0)   /* a tile begins with an output; the line's last SUMS aren't wanted */
                v++;
            tile.x = table.x + v * table.line.step;
            for (int64_t j = 0; j < SUMS; j++)
                tile.y[j] = table_output(&table, y[n][z][p], v + j);
            compute(&tile);
        }
    }
}

CONV_KERNEL(grp_nhwc_02_groups_in_lanes,
    .title = "as many groups as a vector holds",
    .from = "grp_nhwc_01_direct",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
