/* pw_02_rows.c - step 2 of the pointwise ladder: the loops of a matrix product in the right order.
 *
 * Changed since pw_01_direct: the positions go innermost, in blocks of 1024; a block of y is added to for
 *     one channel after the other.
 * Why it is faster: x and y are read in order, a vector at a time, and the sums of a block are independent.
 * What it costs: each multiply-add loads x and y and stores y; a block of y (4 KiB) stays in the first cache
 *     for that.
 * Applies to: pointwise problems without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 2.
 */
#include <convref/kernel.h>

#include "optimized/pointwise/matrix.h"

enum { BLOCK = 1024 };

/* y[i] = act(bias + SUM_c w[c] * x[c * pitch + i]) for a block of positions */
static void block_row(float *restrict y, const float *restrict x, int64_t pitch, const float *restrict w,
                      float bias, const struct conv_problem *conv, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = bias;
    for (int64_t c = 0; c < conv->c; c++)
        for (int64_t i = 0; i < count; i++)
            y[i] += w[c] * x[c * pitch + i];
    for (int64_t i = 0; i < count; i++)
        y[i] = conv_activate(conv->act, y[i]);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t positions = matrix_positions(conv);
    const float (*x)[conv->c][positions] = operands->x;
    const float (*w)[conv->c] = operands->w;
    const float *bias = operands->bias;
    float (*y)[conv->k][positions] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t i = 0; i < positions; i += BLOCK)
    for (int64_t k = 0; k < conv->k; k++) {
        const int64_t count = positions - i < BLOCK ? positions - i : BLOCK;
        block_row(&y[n][k][i], &x[n][0][i], positions, w[k], bias ? bias[k] : 0, conv, count);
    }
}

CONV_KERNEL(pw_02_rows,
    .title = "the loops of a matrix product in the right order",
    .from = "pw_01_direct",
    .kinds = 1u << CONV_POINTWISE,
    .applies = matrix_applies,
    .run = run,
);
