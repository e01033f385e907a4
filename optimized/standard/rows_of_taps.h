/* rows_of_taps.h - standard layers with channels last: where the taps of a block of positions lie, as runs.
 *
 * A run is what a position reads of x in one go: one tap, C numbers; or, with up to 32 channels and no dilation along
 * the row, all taps of a row, S * C numbers.  A block of positions has a table of pointers to its runs, tile by tile,
 * as panel.h wants them.  A run in the padding is one of zeros; one that is partly there is copied to a patch.
 * Weights are in panels of equal numbers of vectors.
 * Introduced in std_nhwc_04_rows_of_taps; also used by the steps after it.   Read next: panel.h
 */
#ifndef CONVREF_OPTIMIZED_STANDARD_ROWS_OF_TAPS_H
#define CONVREF_OPTIMIZED_STANDARD_ROWS_OF_TAPS_H

#include "optimized/panel.h"
#include "optimized/parts.h"

enum { BLOCK = 32 /* tiles */, FEW_CHANNELS = 32 };

static inline int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static inline int64_t positions_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* Taps of a run: those of a row, or one. */
static inline int64_t run_taps(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    return conv->c <= FEW_CHANNELS && W->dilation == 1 ? W->filter : 1;
}

static inline int64_t runs_of(const struct conv_problem *conv) { return taps_of(conv) / run_taps(conv); }
static inline int64_t run_floats(const struct conv_problem *conv) { return run_taps(conv) * conv->c; }

/* ---- tiles: up to PANEL_ROWS positions whose outputs are equally far apart ---- */

/* Positions in their order, through rows, planes and images; or, if edges are apart, plane by plane: first tiles
 * along the rows, of outputs whose windows are inside the row, and then tiles down each column of the others. */
struct tiles {
    int64_t count;
    struct parts in_order;     /* all of it, if edges aren't apart */
    bool edges_apart;
    struct conv_range inner;   /* columns whose windows are inside the row */
    struct parts along, down;  /* the tiles of the inner columns of a row, and of a column */
    int64_t each;              /* of a plane */
};

/* Positions first, first + apart, ... */
struct tile { int64_t first, apart, count; };

static inline struct conv_range inner_columns(const struct conv_axis *W)
{
    return (struct conv_range){ conv_outputs_inside(W, 0).begin, conv_outputs_inside(W, W->filter - 1).end };
}

static inline struct tiles tiles_in_order(const struct conv_problem *conv)
{
    const struct parts parts = parts_of_most(positions_of(conv), PANEL_ROWS);
    return (struct tiles){ .count = parts.count, .in_order = parts, .inner = inner_columns(&conv->axis[CONV_W]) };
}

/* Edges are apart where there are some, where a tile of either kind has some positions, and where a run is one tap:
 * one that is a row of taps has patches for its edges. */
static inline struct tiles tiles_edges_apart(const struct conv_problem *conv)
{
    const struct conv_range inner = inner_columns(&conv->axis[CONV_W]);
    const int64_t columns = inner.end - inner.begin, P = conv->axis[CONV_H].out, Q = conv->axis[CONV_W].out;
    if (columns < PANEL_ROWS / 2 || columns == Q || P < PANEL_ROWS / 2 || run_taps(conv) > 1)
        return tiles_in_order(conv);
    struct tiles tiles = { .edges_apart = true, .inner = inner, .along = parts_of_most(columns, PANEL_ROWS),
                           .down = parts_of_most(P, PANEL_ROWS) };
    tiles.each = P * tiles.along.count + (Q - columns) * tiles.down.count;
    tiles.count = conv->n * conv->axis[CONV_D].out * tiles.each;
    return tiles;
}

static inline struct tile tile_at(const struct conv_problem *conv, const struct tiles *tiles, int64_t i)
{
    const int64_t P = conv->axis[CONV_H].out, Q = conv->axis[CONV_W].out;
    if (!tiles->edges_apart) {
        const struct conv_range at = parts_at(&tiles->in_order, i);
        return (struct tile){ at.begin, 1, at.end - at.begin };
    }
    const int64_t plane = i / tiles->each * P * Q, t = i % tiles->each, edge = t - P * tiles->along.count;
    if (edge < 0) {
        const struct conv_range q = parts_at(&tiles->along, t % tiles->along.count);
        const int64_t row = plane + t / tiles->along.count * Q;
        return (struct tile){ row + tiles->inner.begin + q.begin, 1, q.end - q.begin };
    }
    const struct conv_range p = parts_at(&tiles->down, edge % tiles->down.count);
    const int64_t column = edge / tiles->down.count, inner = tiles->inner.end - tiles->inner.begin;
    const int64_t q = column < tiles->inner.begin ? column : column + inner;
    return (struct tile){ plane + p.begin * Q + q, Q, p.end - p.begin };
}

/* The positions of tile i and of those behind it that go on where the one before ended, up to tile `end`; *next is
 * the first tile that doesn't. */
static inline struct tile tiles_in_line(const struct conv_problem *conv, const struct tiles *tiles, int64_t i,
                                        int64_t end, int64_t *next)
{
    struct tile line = tile_at(conv, tiles, i);
    int64_t last = end - 1;
    if (tiles->edges_apart) {   /* to the end of the row; down a column a tile is alone */
        const int64_t along = tiles->along.count, last_of_row = i - i % tiles->each % along + along - 1;
        last = line.apart > 1 ? i : last_of_row < last ? last_of_row : last;
    }
    *next = last + 1;
    if (last > i) {
        const struct tile to = tile_at(conv, tiles, last);
        line.count = to.first + to.count - line.first;
    }
    return line;
}

/* ---- scratch: the table of a block, and behind it a run of zeros, and patches ---- */

/* The most positions of a block. */
static inline int64_t largest(const struct conv_problem *conv)
{
    return positions_of(conv) < BLOCK * PANEL_ROWS ? positions_of(conv) : BLOCK * PANEL_ROWS;
}

static inline int64_t table_pointers(const struct conv_problem *conv) { return largest(conv) * runs_of(conv); }

/* Positions of a block whose rows of taps are partly in the padding: some in each row of outputs. */
static inline int64_t patched_positions(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    const int64_t begin = conv_outputs_inside(W, 0).begin, end = conv_outputs_inside(W, W->filter - 1).end;
    const int64_t in_a_row = W->out - (end > begin ? end - begin : 0);
    const int64_t most = (BLOCK * PANEL_ROWS / W->out + 2) * in_a_row;
    return run_taps(conv) == 1 ? 0 : most < largest(conv) ? most : largest(conv);
}

/* Bytes of one thread, in whole cache lines. */
static inline size_t thread_bytes(const struct conv_problem *conv)
{
    const int64_t runs = 1 + patched_positions(conv) * runs_of(conv);
    return ((size_t)table_pointers(conv) * sizeof(const float *) + (size_t)(runs * run_floats(conv)) * sizeof(float)
            + 63) / 64 * 64;
}

/* ---- weights: panels of filters, equal numbers of vectors; of the filters k0 .. k1 w[tap][c][k - k0] ---- */

static inline int64_t vectors(const struct conv_problem *conv) { return conv_ceil_div(conv->k, CONV_LANES); }

static inline size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(vectors(conv) * CONV_LANES * taps_of(conv) * conv->c) * sizeof(float);
}

static inline void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const int64_t taps = taps_of(conv);
    const float (*w)[conv->c][taps] = weights->w;
    float *to = packed;
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t c = 0; c < conv->c; c++)
                for (int64_t k = vecs.begin * CONV_LANES; k < vecs.end * CONV_LANES; k++)
                    *to++ = k < conv->k ? w[k][c][tap] : 0;
    }
}

/* ---- windows ---- */

struct position { int64_t n, z, p, q; };

static inline struct position position_of(const struct conv_problem *conv, int64_t i)
{
    const int64_t P = conv->axis[CONV_H].out, Q = conv->axis[CONV_W].out, Z = conv->axis[CONV_D].out;
    return (struct position){ i / Q / P / Z, i / Q / P % Z, i / Q % P, i % Q };
}

/* `count` further on in order, none of them behind the end of the row; or, if they are `apart`, the next one in its
 * column.  Divisions for each position would cost as much as a window. */
static inline void advance(struct position *at, const struct conv_problem *conv, int64_t apart, int64_t count)
{
    at->q += apart == 1 ? count : 0;
    if (apart == 1 && at->q < conv->axis[CONV_W].out)
        return;
    at->q = apart == 1 ? 0 : at->q;
    if (++at->p < conv->axis[CONV_H].out)
        return;
    at->p = 0;
    if (++at->z == conv->axis[CONV_D].out) {
        at->z = 0;
        at->n++;
    }
}

/* The runs of a block: what they read, and where the next patch goes. */
struct windows {
    const struct conv_problem *conv;
    const float *x, *zeros;
    float *patch;
    int64_t taps, floats;   /* of a run */
};

/* Where the run is that begins at column `col` of a line of x, or a patch that has what it reads. */
static inline const float *find_run(struct windows *windows, const float *line, int64_t col)
{
    const struct conv_problem *conv = windows->conv;
    const struct conv_range inside = conv_clip(-col, conv->axis[CONV_W].in - col, windows->taps);
    if (inside.end - inside.begin == windows->taps)
        return line + col * conv->c;
    if (inside.begin == inside.end)
        return windows->zeros;
    float *patch = windows->patch;
    windows->patch += windows->floats;
    memset(patch, 0, (size_t)windows->floats * sizeof *patch);
    memcpy(patch + inside.begin * conv->c, line + (col + inside.begin) * conv->c,
           (size_t)((inside.end - inside.begin) * conv->c) * sizeof *patch);
    return patch;
}

/* The line of x that row (t, r) of taps reads: x[n][plane][row]; NULL in the padding. */
static inline const float *find_line(const struct windows *windows, struct position at, int64_t t, int64_t r)
{
    const struct conv_problem *conv = windows->conv;
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t plane = conv_input_at(D, at.z, t), row = conv_input_at(H, at.p, r);
    const int64_t line = (at.n * D->in + plane) * H->in + row;
    return conv_inside(D, plane) && conv_inside(H, row) ? windows->x + line * W->in * conv->c : NULL;
}

/* The runs of one position, into every `step`-th pointer of the table. */
static inline void find_window(const float **table, int64_t step, struct windows *windows, struct position at)
{
    const struct conv_axis *axis = windows->conv->axis, *W = &axis[CONV_W];
    for (int64_t t = 0; t < axis[CONV_D].filter; t++)
    for (int64_t r = 0; r < axis[CONV_H].filter; r++) {
        const float *line = find_line(windows, at, t, r);
        for (int64_t s = 0; s < W->filter; s += windows->taps, table += step)
            *table = line ? find_run(windows, line, conv_input_at(W, at.q, s)) : windows->zeros;
    }
}

/* The runs of `count` positions in the middle of a row of outputs: they are as far apart as the outputs. */
static inline void find_inner_windows(const float **table, int64_t step, int64_t count,
                                      const struct windows *windows, struct position at)
{
    const struct conv_axis *axis = windows->conv->axis, *W = &axis[CONV_W];
    const int64_t channels = windows->conv->c;
    for (int64_t t = 0; t < axis[CONV_D].filter; t++)
    for (int64_t r = 0; r < axis[CONV_H].filter; r++) {
        const float *line = find_line(windows, at, t, r);
        const int64_t apart = line ? W->stride * channels : 0;
        for (int64_t s = 0; s < W->filter; s += windows->taps, table += step) {
            const float *first = line ? line + conv_input_at(W, at.q, s) * channels : windows->zeros;
            for (int64_t i = 0; i < count; i++)
                table[i] = first + i * apart;   /* x[n][plane][row][col + i * stride][:] */
        }
    }
}

/* table[run][position] for the positions of a block, tile by tile: largest(conv) pointers a run */
static inline void find_windows(const float **table, struct windows windows, const struct tiles *tiles,
                                struct conv_range block)
{
    const struct conv_problem *conv = windows.conv;
    const int64_t step = largest(conv);
    for (int64_t i = block.begin, next; i < block.end; i = next) {
        const struct tile line = tiles_in_line(conv, tiles, i, block.end, &next);
        struct position at = position_of(conv, line.first);
        for (int64_t j = 0, found; j < line.count; j += found, table += found) {
            const bool inner = line.apart == 1 && at.q >= tiles->inner.begin && at.q < tiles->inner.end;
            const int64_t row = tiles->inner.end - at.q, left = line.count - j;
            found = !inner ? 1 : row < left ? row : left;
            if (inner)
                find_inner_windows(table, step, found, &windows, at);
            else
                find_window(table, step, &windows, at);
            advance(&at, conv, line.apart, found);
        }
    }
}

/* ---- the matrix product ---- */

/* The tiles of a block, by one panel. */
static inline void multiply(const struct panel *panel, const float *const *table, const struct conv_problem *conv,
                            const struct tiles *tiles, struct conv_range block)
{
    for (int64_t i = block.begin; i < block.end; i++) {
        const struct tile tile = tile_at(conv, tiles, i);
        struct panel at = *panel;
        at.y += tile.first * panel->pitch;   /* y[position][k] */
        at.pitch *= tile.apart;
        panel_any(&at, 0, table, tile.count);
        table += tile.count;
    }
}

/* The filters of some vectors. */
static inline struct panel panel_of(const struct conv_problem *conv, const struct conv_operands *operands,
                                    const float *w, const float *zeros, struct conv_range vecs)
{
    const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES, taps = taps_of(conv);
    const float *bias = operands->bias;
    float *y = operands->y;
    return (struct panel){
        .w = w + k * taps * conv->c, .runs = runs_of(conv), .depth = run_floats(conv), .step = largest(conv),
        .zeros = zeros,
        .bias = bias ? bias + k : NULL, .y = y + k, .pitch = conv->k,
        .filters = (end < conv->k ? end : conv->k) - k, .act = conv->act
    };
}

#endif
