/* tiles.h - depthwise data gradients for channels last: the phases by the forward pass's tiles.
 *
 * A phase (phases.h) is a depthwise convolution over dy with a stride of 1, so the tile of two rows (pairs.h)
 * computes it.  Two things are different.  Outputs of a phase are `stride` positions apart in dx; the table of
 * pointers is told so.  And the filters that a channel has are more taps for it, in depth: place (t, m) reads row
 * (z, t) of part m of dy (channels.h).
 *
 *   dx[first + stride * i][c] = SUM over m and taps  dy[m][i - pad + tap * dilation][c] * w[m][turned tap][c]
 *
 * Introduced in dw_bwd_data_nhwc_02_forward_tiles; also used by the steps after it.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_TILES_H
#define CONVREF_OPTIMIZED_GRADIENTS_TILES_H

#include "optimized/depthwise/one_cache_set.h"
#include "optimized/gradients/channels.h"

/* What all phases have in common. */
struct tiles {
    struct spread spread;
    int64_t images, channels;    /* of dx */
    const float *dy;             /* dy[m][n][z][p][q][c] */
    float *dx;                   /* dx[n][d][h][w][c] */
    float *bias, *aside;         /* zeros for a gradient; room for a tile of one vector */
    enum conv_activation act;
};

/* One phase: a forward problem whose depth has the places (t, m), and what it is a phase of. */
struct tile_phase {
    struct conv_problem part;
    struct phase phase[CONV_AXES];
    struct table table;
};

static inline struct tiles tiles_of(const struct conv_problem *conv)
{
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    struct tiles tiles = { .spread = spread_of(conv), .images = conv->n,
                           .act = transposed ? conv->act : CONV_ACT_NONE };
    tiles.channels = channels_of(&tiles.spread);
    return tiles;
}

/* Phase `index`; its table is still to be made.  It has no taps where no window ever read. */
static inline void tile_phase_at(struct tile_phase *at, const struct tiles *tiles, int64_t index)
{
    at->part = spread_part(at->phase, &tiles->spread, index);
    at->part.n = tiles->images * tiles->spread.from;
    at->part.c = at->part.k = at->part.groups = tiles->channels;
    at->part.axis[CONV_D].filter *= tiles->spread.from;
    at->part.act = tiles->act;
}

/* ---- scratch: a table, the bias, a tile aside, the parts of dy ---- */

static inline size_t tiles_table_bytes(const struct tiles *tiles)
{
    size_t most = 0;
    for (int64_t index = 0; index < spread_phases(&tiles->spread); index++) {
        struct tile_phase at;
        tile_phase_at(&at, tiles, index);
        const size_t bytes = part_taps(&at.part) ? table_bytes(&at.part, PAIR_SUMS) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static inline int64_t tiles_wide(const struct tiles *tiles)
{
    return tiles->channels > CONV_LANES ? tiles->channels : CONV_LANES;
}

/* Of one thread: a table and a tile aside. */
static inline size_t tiles_thread_bytes(const struct tiles *tiles)
{
    return tiles_table_bytes(tiles) + (size_t)(PAIR_SUMS * CONV_LANES) * sizeof(float);
}

/* Of all: the bias and the parts of dy. */
static inline size_t tiles_shared_bytes(const struct tiles *tiles)
{
    const struct spread *spread = &tiles->spread;
    const int64_t copied = channels_match(spread) ? 0
                         : spread->from * tiles->images * spread->dy_positions * tiles->channels;
    return (size_t)(tiles_wide(tiles) + copied) * sizeof(float);
}

/* The operands, with the bias; parts of dy are copied later where that is needed. */
static inline struct tiles tiles_start(const struct conv_problem *conv, const struct conv_operands *operands,
                                       void *shared)
{
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    struct tiles tiles = tiles_of(conv);
    tiles.bias = shared;
    tiles.dx = transposed ? operands->y : operands->x;
    tiles.dy = channels_match(&tiles.spread) ? transposed ? operands->x : operands->y
                                             : tiles.bias + tiles_wide(&tiles);
    memset(tiles.bias, 0, (size_t)tiles_wide(&tiles) * sizeof(float));
    if (transposed && operands->bias)
        memcpy(tiles.bias, operands->bias, (size_t)tiles.channels * sizeof(float));
    return tiles;
}

/* Copies positions of dy, of all images, where that is needed. */
static inline void tiles_copy(const struct tiles *tiles, const struct conv_problem *conv,
                              const struct conv_operands *operands, struct conv_range positions)
{
    const float *dy = conv->op == CONV_OP_TRANSPOSED ? operands->x : operands->y;
    if (!channels_match(&tiles->spread))
        channels_copy(tiles->bias + tiles_wide(tiles), &tiles->spread, dy, positions,
                      tiles->images * tiles->spread.dy_positions, tiles->channels);
}

/* ---- weights: of each phase w[block][t][m][r][s][lane], taps turned ---- */

static inline size_t tiles_packed_bytes(const struct conv_problem *conv)
{
    const struct tiles tiles = tiles_of(conv);
    struct conv_problem whole = { .c = tiles.channels };
    memcpy(whole.axis, tiles.spread.axis, sizeof whole.axis);
    return (size_t)tiles.spread.from * block_packed_bytes(&whole);
}

/* Filter m of channel c of dx: w[tap]. */
static inline const float *tiles_filter(const struct tiles *tiles, const float *w, int64_t m, int64_t c)
{
    const struct spread *spread = &tiles->spread;
    const struct conv_axis *axis = spread->axis;
    const int64_t row = (c / spread->to * spread->from + m) * spread->to + c % spread->to;   /* w[g][m][j] */
    return w + row * axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter;
}

/* A vector of channels of the tap of each phase that is `tap` of the filter. */
static inline float *tiles_pack_tap(float *to, const struct tiles *tiles, const float *w, int64_t m, int64_t block_at,
                                    int64_t tap)
{
    for (int64_t c = block_at; c < block_at + CONV_LANES; c++)
        *to++ = c < tiles->channels ? tiles_filter(tiles, w, m, c)[tap] : 0;
    return to;
}

static inline float *tiles_pack_phase(float *to, const struct tiles *tiles, const struct tile_phase *at,
                                      const float *w)
{
    const struct phase *D = &at->phase[CONV_D], *H = &at->phase[CONV_H], *W = &at->phase[CONV_W];
    const struct conv_axis *axis = tiles->spread.axis;
    for (int64_t block = 0; block < block_count(&at->part); block++)
        for (int64_t t = 0; t < D->axis.filter; t++)
        for (int64_t m = 0; m < tiles->spread.from; m++)
        for (int64_t r = 0; r < H->axis.filter; r++)
        for (int64_t s = 0; s < W->axis.filter; s++)
            to = tiles_pack_tap(to, tiles, w, m, block_begin(&at->part, block),
                                (phase_tap(D, t) * axis[CONV_H].filter + phase_tap(H, r)) * axis[CONV_W].filter
                                + phase_tap(W, s));
    return to;
}

static inline void tiles_pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct tiles tiles = tiles_of(conv);
    float *to = packed;   /* in an image smaller than the stride some taps have no phase: the rest stays empty */
    for (int64_t index = 0; index < spread_phases(&tiles.spread); index++) {
        struct tile_phase at;
        tile_phase_at(&at, &tiles, index);
        to = tiles_pack_phase(to, &tiles, &at, weights->w);
    }
}

/* ---- one phase ---- */

/* A table whose outputs are as far apart as those of the phase are in dx. */
static inline void tile_table(struct tile_phase *at, const struct tiles *tiles, void *memory)
{
    at->table = table_start(&at->part, tiles->dy, PAIR_SUMS, memory);
    line_fill(at->table.out, at->table.in, at->table.line, &at->part.axis[CONV_W],
              tiles->channels * at->phase[CONV_W].stride, tiles->channels);
}

/* As table_point, for image n of each part of dy: the places in depth are (t, m). */
static inline void tile_point(struct tile_phase *at, const struct tiles *tiles, int64_t n, int64_t z, int64_t p,
                              int rows)
{
    const struct conv_axis *D = &at->phase[CONV_D].axis, *H = &at->part.axis[CONV_H], *W = &at->part.axis[CONV_W];
    struct table *table = &at->table;
    const int64_t from = tiles->spread.from, apart = (rows - 1) * table->pair.apart;
    const int64_t step = (rows - 1) * table->pair.step;
    const struct conv_range T = conv_taps_inside(D, z);
    table->T = (struct conv_range){ T.begin * from, T.end * from };
    table->U = (struct conv_range){ 0, 0 };
    for (int64_t u = 0; u < H->filter + step; u++) {
        const int64_t h = u < step ? conv_input_at(H, p, u) : conv_input_at(H, p + apart, u - step);
        const bool inside = conv_inside(H, h);
        for (int64_t t = table->T.begin; t < table->T.end; t++) {
            const int64_t image = t % from * tiles->images + n;
            const int64_t row = (image * D->in + conv_input_at(D, z, t / from)) * H->in + h;
            table_row(table, table->x + (t * table->rows + u) * table->line.inputs,
                      inside ? tiles->dy + row * W->in * tiles->channels : NULL);   /* dy[m][n][z][h][:][:] */
        }
        if (inside && table->U.end == 0)
            table->U.begin = u;
        if (inside)
            table->U.end = u + 1;
    }
}

/* Output (z, p, 0) of the phase, in image n of dx. */
static inline float *tile_place(const struct tile_phase *at, const struct tiles *tiles, int64_t n, int64_t z,
                                int64_t p)
{
    const struct phase *D = &at->phase[CONV_D], *H = &at->phase[CONV_H], *W = &at->phase[CONV_W];
    const struct conv_axis *axis = tiles->spread.axis;
    const int64_t d = D->first + z * D->stride, h = H->first + p * H->stride;
    return tiles->dx + (((n * axis[CONV_D].in + d) * axis[CONV_H].in + h) * axis[CONV_W].in + W->first)
                       * tiles->channels;   /* dx[n][d][h][first][:] */
}

/* Row p of plane z of image n where no window ever read: the bias alone. */
static inline void tile_untouched(const struct tile_phase *at, const struct tiles *tiles, int64_t n, int64_t z,
                                  int64_t p)
{
    float *to = tile_place(at, tiles, n, z, p);
    for (int64_t q = 0; q < at->part.axis[CONV_W].out; q++, to += at->phase[CONV_W].stride * tiles->channels)
        for (int64_t c = 0; c < tiles->channels; c++)
            to[c] = conv_activate(tiles->act, tiles->bias[c]);
}

/* Rows of the phase that are the first of a pair, or alone, in one plane. */
static inline int64_t tile_pairs(const struct tile_phase *at)
{
    const struct conv_axis *H = &at->part.axis[CONV_H];
    return part_taps(&at->part) ? pair_count(H, line_of(H, 0).apart) : H->out;
}

/* Pair `pair` of plane z of image n, some blocks of channels. */
static inline void tile_pair(struct tile_phase *at, const struct tiles *tiles, const float *w, int64_t n, int64_t z,
                             int64_t pair, struct conv_range blocks)
{
    const struct conv_axis *H = &at->part.axis[CONV_H];
    if (part_taps(&at->part) == 0) {
        if (blocks.begin == 0)
            tile_untouched(at, tiles, n, z, pair);
        return;
    }
    const int64_t apart = at->table.pair.apart, p = pair_row(pair, apart);
    const int rows = p + apart < H->out ? 2 : 1;
    float *const to[2] = { tile_place(at, tiles, n, z, p), tile_place(at, tiles, n, z, p + (rows - 1) * apart) };
    tile_point(at, tiles, n, z, p, rows);
    set_compute(to, &at->table, w, tiles->bias, tiles->aside, rows, blocks);
}

/* All phases by one thread; its memory has tiles_thread_bytes(). */
static inline void tiles_all(const struct tiles *tiles, const float *w, char *memory)
{
    struct tiles mine = *tiles;
    mine.aside = (float *)(memory + tiles_table_bytes(tiles));
    for (int64_t index = 0; index < spread_phases(&mine.spread); index++) {
        struct tile_phase at;
        tile_phase_at(&at, &mine, index);
        const struct conv_range all = { 0, block_count(&at.part) };
        if (part_taps(&at.part))
            tile_table(&at, &mine, memory);
        for (int64_t n = 0; n < mine.images; n++)
            for (int64_t z = 0; z < at.part.axis[CONV_D].out; z++)
                for (int64_t pair = 0; pair < tile_pairs(&at); pair++)
                    tile_pair(&at, &mine, w, n, z, pair, all);
        w += all.end * block_floats(&at.part);
    }
}

#endif
