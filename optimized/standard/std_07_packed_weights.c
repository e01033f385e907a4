/* std_07_packed_weights.c - step 7 of the standard ladder: weights in the order in which they are used.
 *
 * Changed since std_06_register_tile: pack() lays the weights out as panels of one tile's channels,
 *     w[k / TILE_K][j][k % TILE_K], with zeros for the channels that are not; the copy for the last tile
 *     is gone.
 * Why it is faster: the 6 weights of a step are neighbours instead of lying C*T*R*S floats apart, on 6
 *     cache lines of 6 pages, which for a power of two also want the same place in the cache.
 * What it costs: a second copy of the weights.  It is made once for a network, not once for a call, so it
 *     is not timed; every library does so.
 * Applies to: any standard or pointwise problem, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 7.
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

/* ---- weights: panels of TILE_K filters, w[k / TILE_K][j][k % TILE_K] ---- */

static int64_t panels(const struct conv_problem *conv) { return conv_ceil_div(conv->k, TILE_K); }

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(panels(conv) * TILE_K * sizes_of(conv).taps) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t taps = sizes_of(conv).taps;
    const float *w = weights->w;
    float *to = packed;
    for (int64_t panel = 0; panel < panels(conv); panel++)
        for (int64_t j = 0; j < taps; j++)
            for (int64_t k = panel * TILE_K; k < (panel + 1) * TILE_K; k++)
                *to++ = k < conv->k ? w[k * taps + j] : 0;
}

/* ---- the matrix product ---- */

/* One tile of y, from channel k and position i on: += w[k..][j0..j1] * columns[j0..j1][i..] */
static void multiply_tile(float *y, const struct conv_problem *conv, const float *w, const float *columns,
                          const float *bias, struct sizes size, int64_t k, int64_t i, int64_t j0)
{
    const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps);
    const int64_t rows = min(TILE_K, conv->k - k), cols = min(TILE_Q, size.positions - i);
    const struct tile_end end = { j0 == 0, j1 == size.taps, bias ? bias + k : NULL, conv->act };
    const float *panel = w + (k * size.taps + j0 * TILE_K);   /* w[k / TILE_K][j0][:] */
    struct tile tile;

    tile_clear(&tile);
    tile_multiply(&tile, panel, 1, TILE_K, columns + j0 * size.positions + i, size.positions, j1 - j0);
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
        multiply(y + n * conv->k * size.positions, conv, workspace->packed, columns, operands->bias, size);
    }
}

CONV_KERNEL(std_07_packed_weights,
    .title = "weights in the order in which they are used",
    .from = "std_06_register_tile",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
