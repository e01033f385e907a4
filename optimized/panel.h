/* panel.h - a few positions by a panel of filters: the micro-kernel of channels last.
 *
 * Where channels are last, a position of x is a row of C neighbours and a position of y one of K.  A tile is up to
 * PANEL_ROWS positions times a panel of up to PANEL_VECS vectors of filters.  Its sums stay in registers:
 *
 *   sums[i][:] += x[run][i][j] * w[run][j][:]         run = 0 .. runs - 1, j = 0 .. depth - 1
 *
 * In each step PANEL_VECS loads of w and PANEL_ROWS broadcasts of x feed PANEL_ROWS * PANEL_VECS multiply-adds.
 * With 16 registers 6 x 2 sums leave four for w and x; with 32, 6 x 4 leave eight.  Rows of x are pointers, so they
 * may lie anywhere and need no copy; a filter of 1x1 has one run, others have one for each tap or row of taps.
 *
 * Introduced in pw_nhwc_03_register_tile; also used by the standard and separable ladders for channels last.
 */
#ifndef CONVREF_OPTIMIZED_PANEL_H
#define CONVREF_OPTIMIZED_PANEL_H

#include <convref/simd.h>

enum {
    PANEL_ROWS = 6,
    PANEL_VECS = CONV_REGISTERS == 32 ? 4 : 2,
    PANEL_K = PANEL_VECS * CONV_LANES
};

_Static_assert(PANEL_ROWS * PANEL_VECS + PANEL_VECS + 1 <= CONV_REGISTERS,
               "a tile, a step of w and one number of x must fit into the registers");

/* What a tile multiplies, and where it goes. */
struct panel {
    const float *w;         /* w[run][j][:], rows of as many whole vectors as the panel has */
    int64_t runs, depth;
    int64_t step;           /* pointers from a run to the next in the table; 0: as many as the tile has positions */
    const float *zeros;     /* where a run lies that is nothing but padding; NULL if there is none */
    const float *bias;      /* of the panel's first filter; NULL for none */
    float *y;               /* y[i * pitch + k], the panel's first filter of position 0 */
    int64_t pitch;
    int64_t filters;        /* that exist: fewer than the panel has lanes, perhaps */
    enum conv_activation act;
};

/* Whether a run of all positions of a tile is padding, and nothing to add. */
CONV_INLINE bool panel_skips(const struct panel *panel, const float *const *x, const int ROWS)
{
    bool all = true;
    if (!panel->zeros || x[0] != panel->zeros)
        return false;
    CONV_UNROLL
    for (int row = 1; row < ROWS; row++)
        all &= x[row] == panel->zeros;
    return all;
}

/* ROWS positions from position i on, VECS vectors of filters; x[run * step + row] is where a row's run begins.  What
 * isn't a whole number of vectors goes through memory, once a tile: the code of the tile is all vectors. */
CONV_INLINE void panel_tile(const struct panel *panel, int64_t i, const float *const *x, const int ROWS,
                            const int VECS)
{
    const int64_t pitch = panel->pitch, runs = panel->runs, depth = panel->depth;
    const int64_t step = panel->step ? panel->step : ROWS;
    const bool whole = panel->filters >= VECS * CONV_LANES;
    const size_t bytes = (size_t)(whole ? VECS * CONV_LANES : panel->filters) * sizeof(float);
    const float *w = panel->w;
    static const float none[PANEL_K];
    float *y = panel->y + i * pitch, some[PANEL_K], aside[PANEL_ROWS][PANEL_K];
    const float *bias = !panel->bias ? none : whole ? panel->bias : some;
    vec sums[PANEL_ROWS][PANEL_VECS];

    if (bias == some) {
        memset(some, 0, sizeof some);
        memcpy(some, panel->bias, bytes);
    }
    CONV_UNROLL
    for (int row = 0; row < ROWS; row++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            sums[row][v] = vec_load(bias + v * CONV_LANES);
    for (int64_t run = 0; run < runs; run++, x += step) {
        const float *from[PANEL_ROWS];
        if (panel_skips(panel, x, ROWS)) {
            w += depth * VECS * CONV_LANES;
            continue;
        }
        CONV_UNROLL
        for (int row = 0; row < ROWS; row++)
            from[row] = x[row];
        for (int64_t j = 0; j < depth; j++, w += VECS * CONV_LANES) {
            vec ws[PANEL_VECS];
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                ws[v] = vec_load(w + v * CONV_LANES);
            CONV_UNROLL
            for (int row = 0; row < ROWS; row++) {
                const vec number = vec_set(from[row][j]);
                CONV_UNROLL
                for (int v = 0; v < VECS; v++)
                    sums[row][v] += number * ws[v];
            }
        }
    }
    if (panel->act != CONV_ACT_NONE) {
        CONV_UNROLL
        for (int row = 0; row < ROWS; row++)
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                sums[row][v] = vec_activate(panel->act, sums[row][v]);
    }
    CONV_UNROLL
    for (int row = 0; row < ROWS; row++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            vec_store((whole ? y + row * pitch : aside[row]) + v * CONV_LANES, sums[row][v]);
    for (int row = 0; row < ROWS && !whole; row++)
        memcpy(y + row * pitch, aside[row], bytes);
}

/* ---- tiles of any size, since pw_nhwc_04_equal_tiles ---- */

CONV_INLINE void panel_rows(const struct panel *panel, int64_t i, const float *const *x, int64_t rows, const int VECS)
{
    switch (rows) {
    case 1:  panel_tile(panel, i, x, 1, VECS); break;
    case 2:  panel_tile(panel, i, x, 2, VECS); break;
    case 3:  panel_tile(panel, i, x, 3, VECS); break;
    case 4:  panel_tile(panel, i, x, 4, VECS); break;
    case 5:  panel_tile(panel, i, x, 5, VECS); break;
    default: panel_tile(panel, i, x, 6, VECS); break;
    }
}

/* A tile of `rows` positions, as wide as the panel. */
static inline void panel_any(const struct panel *panel, int64_t i, const float *const *x, int64_t rows)
{
    CONV_CHECK(0 < rows && rows <= PANEL_ROWS && panel->filters <= PANEL_K);
    switch (conv_ceil_div(panel->filters, CONV_LANES)) {
    case 1:  panel_rows(panel, i, x, rows, 1); break;
    case 2:  panel_rows(panel, i, x, rows, 2); break;
    case 3:  panel_rows(panel, i, x, rows, PANEL_VECS < 3 ? PANEL_VECS : 3); break;
    default: panel_rows(panel, i, x, rows, PANEL_VECS); break;
    }
}

#endif
