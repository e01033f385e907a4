/* pw_nhwc_01_direct.c - step 1 of the pointwise ladder for channels last: one output after the other.
 *
 * Changed since pw_01_direct: x and y have their channels last, so that the sum over c runs along a row of x and a
 *     row of w, and positions of all images are one list.
 * Why it is faster: it isn't meant to be.
 * What it costs: both factors come in whole vectors now, and nothing is won by it: the additions of one sum wait for
 *     each other, and the compiler may not change their order.
 * Applies to: pointwise problems in NHWC without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 1 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/pointwise/matrix.h"

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t positions = conv->n * matrix_positions(conv);
    const float (*x)[conv->c] = operands->x;
    const float (*w)[conv->c] = operands->w;
    const float *bias = operands->bias;
    float (*y)[conv->k] = operands->y;
    (void)workspace;

    for (int64_t i = 0; i < positions; i++)
    for (int64_t k = 0; k < conv->k; k++) {
        float sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
            sum += x[i][c] * w[k][c];
        y[i][k] = conv_activate(conv->act, sum);
    }
}

CONV_KERNEL(pw_nhwc_01_direct,
    .title = "one output after the other",
    .kinds = 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = matrix_applies,
    .run = run,
);
