/* pw_01_direct.c - step 1 of the pointwise ladder: one output after the other.
 *
 * Changed since the reference (ref_pointwise.c): sums in float; no padding and no stride, so that a
 *     position is just a position.
 * Why it is faster: it isn't meant to be.
 * What it costs: neighbours in the sum over c lie a whole image apart: each load takes another cache line
 *     and uses 4 bytes of its 64, and often another page.
 * Applies to: pointwise problems without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 1.
 */
#include <convref/kernel.h>

#include "optimized/pointwise/matrix.h"

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
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t i = 0; i < positions; i++) {
        float sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
            sum += x[n][c][i] * w[k][c];
        y[n][k][i] = conv_activate(conv->act, sum);
    }
}

CONV_KERNEL(pw_01_direct,
    .title = "one output after the other",
    .kinds = 1u << CONV_POINTWISE,
    .applies = matrix_applies,
    .run = run,
);
