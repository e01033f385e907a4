/* tile.h - a small matrix product in registers: the micro-kernel of every matrix product here.
 *
 * A tile is TILE_K output channels times TILE_Q positions of y.  It is held in TILE_K * TILE_VECS vector
 * registers while the sum runs, so that y is read and written once and not once for each product:
 *
 *   acc[i][:] += w[j][i] * x[j][:]        for j = 0 .. depth - 1
 *
 * In each step TILE_VECS loads of x and TILE_K broadcasts of w feed TILE_K * TILE_VECS multiply-adds.
 * With 16 registers 6 x 2 accumulators leave four for x and w; with 32, 12 x 2 leave eight.
 * Introduced in std_06_register_tile; also used by the pointwise, grouped and separable ladders.
 */
#ifndef CONVREF_OPTIMIZED_TILE_H
#define CONVREF_OPTIMIZED_TILE_H

#include <convref/simd.h>

enum {
    TILE_K = CONV_REGISTERS == 32 ? 12 : 6,
    TILE_VECS = 2,
    TILE_Q = TILE_VECS * CONV_LANES
};

_Static_assert(TILE_K * TILE_VECS + TILE_VECS + 1 <= CONV_REGISTERS,
               "a tile, a step of x and one weight must fit into the registers");

struct tile { vec acc[TILE_K][TILE_VECS]; };

CONV_INLINE void tile_clear(struct tile *tile)
{
    CONV_UNROLL
    for (int i = 0; i < TILE_K; i++)
        CONV_UNROLL
        for (int v = 0; v < TILE_VECS; v++)
            tile->acc[i][v] = vec_set(0);
}

/* acc[i][:] += SUM_j w[i * w_i + j * w_j] * x[j * x_j + :] */
CONV_INLINE void tile_multiply(struct tile *tile, const float *w, int64_t w_i, int64_t w_j,
                               const float *x, int64_t x_j, int64_t depth)
{
    CONV_CHECK(depth >= 0);
    for (int64_t j = 0; j < depth; j++) {
        vec xs[TILE_VECS];
        CONV_UNROLL
        for (int v = 0; v < TILE_VECS; v++)
            xs[v] = vec_load(x + j * x_j + v * CONV_LANES);
        CONV_UNROLL
        for (int i = 0; i < TILE_K; i++) {
            const vec weight = vec_set(w[i * w_i + j * w_j]);
            CONV_UNROLL
            for (int v = 0; v < TILE_VECS; v++)
                tile->acc[i][v] += weight * xs[v];
        }
    }
}

/* How a tile ends: the first part of a sum starts from the bias, the last one has the activation. */
struct tile_end {
    bool first, last;
    const float *bias;   /* of the tile's first channel; NULL for none */
    enum conv_activation act;
};

CONV_INLINE vec tile_value(vec sum, const float *y, int64_t lanes, const struct tile_end *end, int channel)
{
    if (!end->first)
        sum += lanes == CONV_LANES ? vec_load(y) : vec_load_some(y, lanes);
    else if (end->bias)
        sum += vec_set(end->bias[channel]);
    return end->last ? vec_activate(end->act, sum) : sum;
}

/* Write `rows` channels and `cols` positions of the tile to y[channel * pitch + position]. */
CONV_INLINE void tile_store(float *y, int64_t pitch, const struct tile *tile, int64_t rows, int64_t cols,
                            const struct tile_end *end)
{
    CONV_CHECK(rows > 0 && cols > 0 && (cols <= pitch || rows == 1));
    CONV_UNROLL
    for (int i = 0; i < TILE_K; i++) {
        if (i >= rows)
            break;
        CONV_UNROLL
        for (int v = 0; v < TILE_VECS; v++) {
            float *to = y + i * pitch + v * CONV_LANES;
            const int64_t left = cols - v * CONV_LANES;
            if (left >= CONV_LANES)
                vec_store(to, tile_value(tile->acc[i][v], to, CONV_LANES, end, i));
            else if (left > 0)
                vec_store_some(to, tile_value(tile->acc[i][v], to, left, end, i), left);
        }
    }
}

#endif
