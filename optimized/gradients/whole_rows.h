/* whole_rows.h - depthwise data gradients for channels last and a stride of 2: both phases of a row in one tile.
 *
 * With a stride of 2 the even and the odd columns of dx are two phases (phases.h), and a tile of tiles.h has one of
 * them: its three taps come to one and two, and each of them is a loop of its own over dy.  Here a tile is WHOLE_SUMS
 * neighbours of a row of dx, and each number of dy is loaded once a row of taps and goes to all that it reaches:
 *
 *   dx[2 * i + s] += dy[i] * w[s]      3 taps:   dy   0     1     2
 *                                                dx  0 1 2 3 4 5 6
 *                                                    ----- ----- - -      8 loads for 21 multiply-adds of 14 sums
 *
 * Which rows of dy feed a row of dx is asked once, and can have any stride.  Pointers to the columns of dy are made
 * once an image, since three rows of dx need the same.
 * Introduced in dw_bwd_data_nhwc_03_whole_rows; also used by the step after it.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_WHOLE_ROWS_H
#define CONVREF_OPTIMIZED_GRADIENTS_WHOLE_ROWS_H

#include "optimized/gradients/tiles.h"

enum { WHOLE_SUMS = PAIR_SUMS, WHOLE_INPUTS = WHOLE_SUMS / 2 };

_Static_assert(WHOLE_SUMS % 2 == 0, "a tile begins with an even column");

/* Where rows are computed so; elsewhere it is tile_phase's work. */
static inline bool whole_applies(const struct tiles *tiles)
{
    const struct conv_axis *W = &tiles->spread.axis[CONV_W];
    return W->stride == 2 && W->dilation == 1 && (W->filter == 3 || W->filter == 5) && tiles->channels >= CONV_LANES;
}

/* A row of taps of one row of dx: where it reads, and its weights in those of a block. */
struct whole_taps { const float *const *dy; int64_t w; };

struct whole_row {
    const struct tiles *tiles;
    int64_t first, count;           /* column of dx that is the first tile's first (0 or -1); tiles */
    int64_t inputs;                 /* pointers to a row of dy */
    int64_t rows;                   /* of dy, in an image of all its parts: [m][z][p] */
    struct whole_taps *taps;        /* found for the row of dx */
    int64_t found;
    int64_t image;                  /* whose pointers are there; -1: none */
    const float **dy;               /* dy[m][z][p][i]: the channels of one column */
    int64_t *source;                /* source[h][r]: the row of dy that row r of taps brings to row h of dx, or -1 */
    float *zeros, *nowhere;
    struct conv_problem part;       /* for blocks.h: the channels, the filter */
};

/* Columns of dy that a tile reads before the one at its first output. */
static inline int64_t whole_before(const struct conv_axis *W) { return (W->filter - 1) / 2; }

static inline struct whole_row whole_row_of(const struct tiles *tiles)
{
    const struct conv_axis *W = &tiles->spread.axis[CONV_W];
    struct whole_row row = { .tiles = tiles, .first = -(W->pad_begin % 2) };
    row.image = -1;
    row.rows = tiles->spread.from * tiles->spread.axis[CONV_D].out * tiles->spread.axis[CONV_H].out;
    row.count = conv_ceil_div(W->in - row.first, WHOLE_SUMS);
    row.inputs = row.count * WHOLE_INPUTS + whole_before(W);
    row.part.c = tiles->channels;
    memcpy(row.part.axis, tiles->spread.axis, sizeof row.part.axis);
    row.part.axis[CONV_D].filter *= tiles->spread.from;
    return row;
}

static inline int64_t whole_most_taps(const struct whole_row *row)
{
    return row->part.axis[CONV_D].filter * row->part.axis[CONV_H].filter;
}

/* Of one thread; a multiple of 64. */
static inline size_t whole_bytes(const struct tiles *tiles)
{
    const struct whole_row row = whole_row_of(tiles);
    const size_t taps = (size_t)whole_most_taps(&row);
    const size_t sources = (size_t)(tiles->spread.axis[CONV_H].in * tiles->spread.axis[CONV_H].filter);
    const size_t bytes = taps * sizeof(struct whole_taps) + (size_t)(row.rows * row.inputs) * sizeof(float *)
                       + sources * sizeof(int64_t) + (size_t)(2 * tiles_wide(tiles)) * sizeof(float);
    return (bytes + 63) / 64 * 64;
}

/* The output whose tap `tap` reads input `position`, or -1 if there is none. */
static inline int64_t whole_output(const struct conv_axis *axis, int64_t position, int64_t tap)
{
    const int64_t steps = position + axis->pad_begin - tap * axis->dilation;
    return steps < 0 || steps % axis->stride != 0 || steps / axis->stride >= axis->out ? -1 : steps / axis->stride;
}

static inline struct whole_row whole_start(const struct tiles *tiles, void *memory)
{
    const struct conv_axis *H = &tiles->spread.axis[CONV_H];
    struct whole_row row = whole_row_of(tiles);
    row.taps = memory;
    row.dy = (const float **)(row.taps + whole_most_taps(&row));
    row.source = (int64_t *)(row.dy + row.rows * row.inputs);
    row.zeros = (float *)(row.source + H->in * H->filter);
    row.nowhere = row.zeros + tiles_wide(tiles);
    memset(row.zeros, 0, (size_t)tiles_wide(tiles) * sizeof(float));
    for (int64_t i = 0; i < H->in * H->filter; i++)
        row.source[i] = whole_output(H, i / H->filter, i % H->filter);
    return row;
}

/* ---- weights: w[block][t][m][r][s][lane], taps as they are ---- */

static inline void whole_pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct tiles tiles = tiles_of(conv);
    const struct conv_axis *axis = tiles.spread.axis;
    const struct whole_row row = whole_row_of(&tiles);
    const int64_t plane = axis[CONV_H].filter * axis[CONV_W].filter;
    float *to = packed;
    for (int64_t block = 0; block < block_count(&row.part); block++)
        for (int64_t t = 0; t < axis[CONV_D].filter; t++)
            for (int64_t m = 0; m < tiles.spread.from; m++)
                for (int64_t tap = t * plane; tap < (t + 1) * plane; tap++)
                    to = tiles_pack_tap(to, &tiles, weights->w, m, block_begin(&row.part, block), tap);
}

/* ---- which rows of dy feed a row of dx ---- */

/* Points at every column of image n of each part of dy. */
static inline void whole_point(struct whole_row *row, int64_t n)
{
    const struct spread *spread = &row->tiles->spread;
    const struct conv_axis *W = &spread->axis[CONV_W];
    const int64_t first = (row->first + W->pad_begin) / 2 - whole_before(W), rows = row->rows / spread->from;
    for (int64_t i = 0; i < row->rows; i++) {
        const int64_t at = (i / rows * row->tiles->images + n) * rows + i % rows;
        const float *dy = row->tiles->dy + at * W->out * row->tiles->channels;   /* dy[m][n][z][p][:][:] */
        for (int64_t j = 0; j < row->inputs; j++) {
            const bool inside = first + j >= 0 && first + j < W->out;
            row->dy[i * row->inputs + j] = inside ? dy + (first + j) * row->tiles->channels : row->zeros;
        }
    }
    row->image = n;
}

/* All rows of dy and taps that row (d, h) of dx knows. */
static inline void whole_find(struct whole_row *row, int64_t d, int64_t h)
{
    const struct spread *spread = &row->tiles->spread;
    const struct conv_axis *D = &spread->axis[CONV_D], *H = &spread->axis[CONV_H], *W = &spread->axis[CONV_W];
    row->found = 0;
    for (int64_t t = 0; t < D->filter; t++) {
        const int64_t z = whole_output(D, d, t);
        for (int64_t m = 0; z >= 0 && m < spread->from; m++)
            for (int64_t r = 0; r < H->filter; r++) {
                const int64_t p = row->source[h * H->filter + r];
                if (p >= 0)
                    row->taps[row->found++] = (struct whole_taps){
                        row->dy + ((m * D->out + z) * H->out + p) * row->inputs,
                        ((t * spread->from + m) * H->filter + r) * W->filter * CONV_LANES };
            }
    }
}

/* ---- a tile ---- */

/* WHOLE_SUMS outputs from column dx[0] on, one block of channels, k its first; `at` is the tile's first pointer. */
CONV_INLINE void whole_block(float *const *dx, const struct whole_row *row, const float *w, int64_t at, int64_t k,
                             const int FILTER)
{
    vec sums[WHOLE_SUMS];
    CONV_UNROLL
    for (int i = 0; i < WHOLE_SUMS; i++)
        sums[i] = vec_load(row->tiles->bias + k);
    for (int64_t tap = 0; tap < row->found; tap++) {
        const float *const *dy = row->taps[tap].dy + at;
        vec weights[FILTER == 3 ? 3 : 5];
        CONV_UNROLL
        for (int s = 0; s < FILTER; s++)
            weights[s] = vec_load(w + row->taps[tap].w + s * CONV_LANES);
        CONV_UNROLL
        for (int i = 0; i < WHOLE_INPUTS + (FILTER - 1) / 2; i++) {
            const vec in = vec_load(dy[i] + k);
            CONV_UNROLL
            for (int s = 0; s < FILTER; s++) {
                const int o = 2 * (i - (FILTER - 1) / 2) + s;
                if (o >= 0 && o < WHOLE_SUMS)
                    sums[o] += in * weights[s];
            }
        }
    }
    CONV_UNROLL
    for (int i = 0; i < WHOLE_SUMS; i++)
        vec_store(dx[i] + k, vec_activate(row->tiles->act, sums[i]));
}

CONV_INLINE void whole_tile(float *const *dx, const struct whole_row *row, const float *w, int64_t at,
                            struct conv_range blocks, const int FILTER)
{
    const int64_t floats = block_floats(&row->part);
    for (int64_t block = blocks.begin; block < blocks.end; block++)
        whole_block(dx, row, w + block * floats, at, block_begin(&row->part, block), FILTER);
}

typedef void whole_function(float *const *dx, const struct whole_row *row, const float *w, int64_t at,
                            struct conv_range blocks);
static void whole_tile_3(float *const *dx, const struct whole_row *row, const float *w, int64_t at,
                         struct conv_range blocks)
{
    whole_tile(dx, row, w, at, blocks, 3);
}
static void whole_tile_5(float *const *dx, const struct whole_row *row, const float *w, int64_t at,
                         struct conv_range blocks)
{
    whole_tile(dx, row, w, at, blocks, 5);
}

/* Row (d, h) of image n of dx, some blocks of channels. */
static inline void whole_compute(struct whole_row *row, const float *w, int64_t n, int64_t d, int64_t h,
                                 struct conv_range blocks)
{
    const struct tiles *tiles = row->tiles;
    const struct conv_axis *axis = tiles->spread.axis, *W = &axis[CONV_W];
    const int64_t channels = tiles->channels;
    float *to = tiles->dx + ((n * axis[CONV_D].in + d) * axis[CONV_H].in + h) * W->in * channels;
    whole_function *const compute = W->filter == 3 ? whole_tile_3 : whole_tile_5;
    if (row->image != n)
        whole_point(row, n);
    whole_find(row, d, h);
    for (int64_t tile = 0; tile < row->count; tile++) {
        const int64_t column = row->first + tile * WHOLE_SUMS;
        float *dx[WHOLE_SUMS];
        for (int64_t i = 0; i < WHOLE_SUMS; i++)
            dx[i] = column + i >= 0 && column + i < W->in ? to + (column + i) * channels : row->nowhere;
        compute(dx, row, w, tile * WHOLE_INPUTS, blocks);
    }
}

/* All rows of dx by one thread. */
static inline void whole_all(struct whole_row *row, const float *w)
{
    const struct tiles *tiles = row->tiles;
    const struct conv_range all = { 0, block_count(&row->part) };
    for (int64_t n = 0; n < tiles->images; n++)
        for (int64_t d = 0; d < tiles->spread.axis[CONV_D].in; d++)
            for (int64_t h = 0; h < tiles->spread.axis[CONV_H].in; h++)
                whole_compute(row, w, n, d, h, all);
}

#endif
