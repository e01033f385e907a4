/* std_05_cache_blocked.c - step 5 of the standard ladder: multiply blocks that stay in the cache.
 *
 * Changed since std_04_im2col: the matrix product runs over blocks of 64 rows by 512 positions of the
 *     columns; all filters use a block before the next one is touched.
 * Why it is faster: a block (128 KiB) stays in the second cache while K filters pass over it, and 512
 *     positions of y (2 KiB) stay in the first.  Step 4 read the whole matrix from memory for each filter.
 * What it costs: two more loops, and two numbers that fit this generation of caches and not every one.
 * Applies to: any standard or pointwise problem, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 5.
 */
#include <convref/kernel.h>

#include "optimized/unfold.h"

enum { BLOCK_TAPS = 64, BLOCK_POSITIONS = 512 };

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
    return (size_t)(size.taps * size.positions) * sizeof(float);
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
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* y[k][i..] += SUM_j w[k][j..] * columns[j..][i..] over one block, for all k */
static void multiply_block(float *restrict y, const struct conv_problem *conv, const float *restrict w,
                           const float *restrict columns, struct sizes size, int64_t j0, int64_t i0)
{
    const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps), i1 = min(i0 + BLOCK_POSITIONS, size.positions);
    for (int64_t k = 0; k < conv->k; k++)
        for (int64_t j = j0; j < j1; j++)
            for (int64_t i = i0; i < i1; i++)
                y[k * size.positions + i] += w[k * size.taps + j] * columns[j * size.positions + i];
}

/* y[k][:] = bias[k] + SUM_j w[k][j] * columns[j][:] */
static void multiply(float *restrict y, const struct conv_problem *conv, const float *restrict w,
                     const float *restrict columns, const float *bias, struct sizes size)
{
    for (int64_t k = 0; k < conv->k; k++)
        for (int64_t i = 0; i < size.positions; i++)
            y[k * size.positions + i] = bias ? bias[k] : 0;
    for (int64_t i0 = 0; i0 < size.positions; i0 += BLOCK_POSITIONS)
        for (int64_t j0 = 0; j0 < size.taps; j0 += BLOCK_TAPS)
            multiply_block(y, conv, w, columns, size, j0, i0);
    for (int64_t i = 0; i < conv->k * size.positions; i++)
        y[i] = conv_activate(conv->act, y[i]);
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

CONV_KERNEL(std_05_cache_blocked,
    .title = "multiply blocks that stay in the cache",
    .from = "std_04_im2col",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
