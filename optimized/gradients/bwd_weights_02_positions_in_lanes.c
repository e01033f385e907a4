/* bwd_weights_02_positions_in_lanes.c - step 2 of the ladder of weight gradients: inner products in registers.
 *
 * Changed since bwd_weights_01_direct: dw is the product of dy and the transposed matrix of columns (unfold.h),
 *     summed over positions.  Blocks of both are copied, and 3 filters by 4 taps (AVX-512: 4 by 6) summed at a time.
 * Why it is faster: positions lie side by side in both matrices, so both are read in whole vectors, 7 loads for 12
 *     multiply-adds that don't wait for each other; and the blocks are read from the cache.
 * What it costs: the copies, filled up with zeros to whole vectors; and lanes are added up at the end of each block:
 *     with 49 positions that is as many instructions as the products have.
 * Applies to: weight and bias gradients of any convolution, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 2 of the weights.
 */
#include <convref/kernel.h>

#include "optimized/gradients/dot.h"
#include "optimized/unfold.h"

enum {
    BLOCK_TAPS = 16 * DOT_B,
    BLOCK_POSITIONS = 512,
    BLOCK_PITCH = BLOCK_POSITIONS + 16   /* odd in cache lines, so that rows don't collide in the cache */
};

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

struct sizes { int64_t channels, filters, taps, inputs, outputs; };   /* of one group; elements of one channel */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups;
    return (struct sizes){ channels, conv->k / conv->groups, channels * D.filter * H.filter * W.filter,
                           D.in * H.in * W.in, D.out * H.out * W.out };
}

/* A block of columns, and one of dy for all filters of a group. */
static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)(BLOCK_TAPS + sizes_of(conv).filters) * BLOCK_PITCH * sizeof(float);
}

static int64_t whole_vectors(int64_t count) { return conv_ceil_div(count, CONV_LANES) * CONV_LANES; }

/* Positions i0 .. i1 of the taps j0 .. j1, for the channels x[c][:] of one group. */
static void unfold_block(float *block, const struct conv_problem *conv, const float *x, int64_t j0, int64_t j1,
                         int64_t i0, int64_t i1)
{
    const int64_t S = conv->axis[CONV_W].filter, R = conv->axis[CONV_H].filter, T = conv->axis[CONV_D].filter;
    for (int64_t j = j0; j < j1; j++, block += BLOCK_PITCH) {
        unfold_row(block, conv, x + j / S / R / T * sizes_of(conv).inputs, j / S / R % T, j / S % R, j % S, i0, i1);
        for (int64_t i = i1 - i0; i < whole_vectors(i1 - i0); i++)
            block[i] = 0;
    }
}

/* Positions i0 .. i1 of dy[k][:] for all filters of one group. */
static void copy_block(float *block, struct sizes size, const float *dy, int64_t i0, int64_t i1)
{
    for (int64_t k = 0; k < size.filters; k++, block += BLOCK_PITCH) {
        memcpy(block, dy + k * size.outputs + i0, (size_t)(i1 - i0) * sizeof *block);
        for (int64_t i = i1 - i0; i < whole_vectors(i1 - i0); i++)
            block[i] = 0;
    }
}

/* The rows of a block of dy, and how far they are apart. */
struct rows { const float *dy; int64_t pitch; };

/* dw[k][j] += SUM dy[k][i] * columns[j][i] for a tile of k and j.  Rows that aren't there are the last one again, and
 * their sums are dropped. */
static void multiply_tile(float *dw, struct rows rows, const float *columns, int64_t pitch, int64_t filters,
                          int64_t taps, int64_t count)
{
    const float *A[DOT_A], *B[DOT_B];
    float sums[DOT_A][DOT_B];
    for (int a = 0; a < DOT_A; a++)
        A[a] = rows.dy + min(a, filters - 1) * rows.pitch;
    for (int b = 0; b < DOT_B; b++)
        B[b] = columns + min(b, taps - 1) * BLOCK_PITCH;
    dot_rows(sums, A, B, whole_vectors(count));
    for (int a = 0; a < DOT_A && a < filters; a++)
        for (int b = 0; b < DOT_B && b < taps; b++)
            dw[a * pitch + b] += sums[a][b];
}

/* The taps j0 .. j1 of all filters of one group: dw[k][j], over the positions of one image. */
static void multiply(float *dw, const struct conv_problem *conv, const float *dy, const float *x, float *scratch,
                     int64_t j0, int64_t j1)
{
    const struct sizes size = sizes_of(conv);
    float *columns = scratch, *block = scratch + BLOCK_TAPS * BLOCK_PITCH;
    for (int64_t i = 0; i < size.outputs; i += BLOCK_POSITIONS) {
        const int64_t count = min(BLOCK_POSITIONS, size.outputs - i);
        const bool whole = count % CONV_LANES == 0;   /* otherwise the last vector would read the next filter's */
        unfold_block(columns, conv, x, j0, j1, i, i + count);
        if (!whole)
            copy_block(block, size, dy, i, i + count);
        for (int64_t k = 0; k < size.filters; k += DOT_A)
            for (int64_t j = j0; j < j1; j += DOT_B) {
                const struct rows rows = { whole ? dy + k * size.outputs + i : block + k * BLOCK_PITCH,
                                           whole ? size.outputs : BLOCK_PITCH };
                multiply_tile(dw + k * size.taps + j, rows, columns + (j - j0) * BLOCK_PITCH, size.taps,
                              size.filters - k, j1 - j, count);
            }
    }
}

static void bias_gradient(float *dbias, const struct conv_problem *conv, const float *dy)
{
    const int64_t outputs = sizes_of(conv).outputs;
    for (int64_t k = 0; k < conv->k; k++) {
        dbias[k] = 0;
        for (int64_t n = 0; n < conv->n; n++)
            dbias[k] += row_sum(dy + (n * conv->k + k) * outputs, outputs);   /* dy[n][k][:] */
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct sizes size = sizes_of(conv);
    const float (*x)[size.channels * size.inputs] = operands->x;    /* x[n * G + g][:] */
    const float (*dy)[size.filters * size.outputs] = operands->y;
    float (*dw)[size.filters * size.taps] = operands->w;            /* dw[g][:] */

    memset(dw, 0, (size_t)conv->groups * sizeof *dw);
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t j = 0; j < size.taps; j += BLOCK_TAPS)
            for (int64_t n = 0; n < conv->n; n++)
                multiply(dw[g], conv, dy[n * conv->groups + g], x[n * conv->groups + g], workspace->scratch, j,
                         min(j + BLOCK_TAPS, size.taps));
    if (operands->bias)
        bias_gradient(operands->bias, conv, operands->y);
}

CONV_KERNEL(bwd_weights_02_positions_in_lanes,
    .title = "inner products in registers",
    .from = "bwd_weights_01_direct",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
