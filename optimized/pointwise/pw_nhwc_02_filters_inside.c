/* pw_nhwc_02_filters_inside.c - step 2 of the pointwise ladder for channels last: the filters go innermost.
 *
 * Changed since pw_nhwc_01_direct: the weights are turned around beforehand, w[c][k], and a row of y is added to for
 *     one channel after the other.
 * Why it is faster: the K sums of a position are independent, and neighbours in memory in w and in y: the compiler
 *     makes vectors of them.
 * What it costs: each multiply-add loads w and y and stores y; and all weights are read again for each position.
 * Applies to: pointwise problems in NHWC without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 2 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/pointwise/matrix.h"

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv->c * conv->k) * sizeof(float);
}

/* w[k][c] -> packed[c][k] */
static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const float (*w)[conv->c] = weights->w;
    float *to = packed;
    for (int64_t c = 0; c < conv->c; c++)
        for (int64_t k = 0; k < conv->k; k++)
            *to++ = w[k][c];
}

/* y[k] = act(bias[k] + SUM_c x[c] * w[c][k]) for one position */
static void position(float *restrict y, const struct conv_problem *conv, const float *restrict x,
                     const float *restrict w, const float *bias)
{
    for (int64_t k = 0; k < conv->k; k++)
        y[k] = bias ? bias[k] : 0;
    for (int64_t c = 0; c < conv->c; c++)
        for (int64_t k = 0; k < conv->k; k++)
            y[k] += x[c] * w[c * conv->k + k];
    for (int64_t k = 0; k < conv->k; k++)
        y[k] = conv_activate(conv->act, y[k]);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t positions = conv->n * matrix_positions(conv);
    const float (*x)[conv->c] = operands->x;
    float (*y)[conv->k] = operands->y;

    for (int64_t i = 0; i < positions; i++)
        position(y[i], conv, x[i], workspace->packed, operands->bias);
}

CONV_KERNEL(pw_nhwc_02_filters_inside,
    .title = "the filters go innermost",
    .from = "pw_nhwc_01_direct",
    .kinds = 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = matrix_applies,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
