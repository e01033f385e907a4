/* std_06_register_tile.c - step 6 of the standard ladder: a tile of y stays in registers.
 *
 * Changed since std_05_cache_blocked: the innermost loops are the micro-kernel of tile.h, which keeps 6
 *     channels by 2 vectors of y in registers (12 by 2 where there are 32 registers).  The column matrix
 *     gets some slack at its end, so that the last tile may load beyond it.
 * Why it is faster: step 5 had two loads and a store for each multiply-add; here 2 loads of x and 6
 *     broadcasts of w serve 12, and no store.  The two multiply-add units are the limit, not the ports
 *     to the cache.
 * What it costs: a block is read by tiles of 6 channels: x comes from the second cache K / 6 times.
 * Applies to: any standard or pointwise problem, 1-D to 3-D; partial tiles are computed whole and cut.
 * Explained in docs/ladder-standard.md, step 6.
 */
#include <convref/kernel.h>

#include "optimized/tile.h"
#include "optimized/unfold.h"

enum { BLOCK_TAPS = 256, BLOCK_POSITIONS = 16 * TILE_Q };

struct sizes { int64_t taps, positions; };   /* the matrix of columns: C*T*R*S x Z*P*Q */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    return (struct sizes){ conv->c * D.filter * H.filter * W.filter, D.out * H.out * W.out };
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct sizes size = sizes_of(conv);
    (void)threads;
    return (size_t)(size.taps * size.positions + TILE_Q) * sizeof(float);
}

/* All rows of the matrix, for one image x[:][:][:][:]. */
static void unfold(float *columns, const struct conv_problem *conv, const float *x, int64_t positions)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    for (int64_t c = 0; c < conv->c; c++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        unfold_row(columns, conv, x + c * D.in * H.in * W.in, t, r, s, 0, positions);
        columns += positions;
    }
    memset(columns, 0, TILE_Q * sizeof *columns);
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* The last filters, fewer than a tile has channels: to[j][i] = w[i][j], and 0 for filters that are not. */
static void copy_last(float to[BLOCK_TAPS][TILE_K], const float *w, int64_t pitch, int64_t rows, int64_t depth)
{
    for (int64_t j = 0; j < depth; j++)
        for (int64_t i = 0; i < TILE_K; i++)
            to[j][i] = i < rows ? w[i * pitch + j] : 0;
}

/* One tile of y, from channel k and position i on: += w[k..][j0..j1] * columns[j0..j1][i..] */
static void multiply_tile(float *y, const struct conv_problem *conv, const float *w, const float *columns,
                          const float *bias, struct sizes size, int64_t k, int64_t i, int64_t j0)
{
    const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps);
    const int64_t rows = min(TILE_K, conv->k - k), cols = min(TILE_Q, size.positions - i);
    const struct tile_end end = { j0 == 0, j1 == size.taps, bias ? bias + k : NULL, conv->act };
    const float *from = w + k * size.taps + j0, *x = columns + j0 * size.positions + i;
    struct tile tile;

    tile_clear(&tile);
    if (rows == TILE_K) {
        tile_multiply(&tile, from, size.taps, 1, x, size.positions, j1 - j0);
    } else {
        float last[BLOCK_TAPS][TILE_K];
        copy_last(last, from, size.taps, rows, j1 - j0);
        tile_multiply(&tile, last[0], 1, TILE_K, x, size.positions, j1 - j0);
    }
    tile_store(y + k * size.positions + i, size.positions, &tile, rows, cols, &end);
}

/* y[k][:] = bias[k] + SUM_j w[k][j] * columns[j][:] */
static void multiply(float *y, const struct conv_problem *conv, const float *w, const float *columns,
                     const float *bias, struct sizes size)
{
    for (int64_t i0 = 0; i0 < size.positions; i0 += BLOCK_POSITIONS)
        for (int64_t j0 = 0; j0 < size.taps; j0 += BLOCK_TAPS)
            for (int64_t k = 0; k < conv->k; k += TILE_K)
                for (int64_t i = i0; i < min(i0 + BLOCK_POSITIONS, size.positions); i += TILE_Q)
                    multiply_tile(y, conv, w, columns, bias, size, k, i, j0);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sizes size = sizes_of(conv);
    const float *x = operands->x;
    float *y = operands->y, *columns = workspace->scratch;

    for (int64_t n = 0; n < conv->n; n++) {
        unfold(columns, conv, x + n * conv->c * D.in * H.in * W.in, size.positions);
        multiply(y + n * conv->k * size.positions, conv, operands->w, columns, operands->bias, size);
    }
}

CONV_KERNEL(std_06_register_tile,
    .title = "a tile of y stays in registers",
    .from = "std_05_cache_blocked",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
