/* std_04_im2col.c - step 4 of the standard ladder: unfold the windows, then multiply two matrices.
 *
 * Changed since std_03_loop_order: the windows of one image are first written out as the columns of a
 *     matrix (unfold.h); the convolution is then y = w * columns, three plain loops.
 * Why it is faster: rows are as long as an image and not as long as a line of it, padding and stride are
 *     dealt with once and not K times, and matrix products are well understood.
 * What it costs: the matrix holds every input T * R * S times.  Where it outgrows the caches, and y's rows
 *     too, every product waits for memory: for large images this step can be slower than the last.
 * Applies to: any standard or pointwise problem, 1-D to 3-D.  Caffe and Torch computed this way.
 * Explained in docs/ladder-standard.md, step 4.
 */
#include <convref/kernel.h>

#include "optimized/unfold.h"

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

/* y[k][:] = bias[k] + SUM_j w[k][j] * columns[j][:] */
static void multiply(float *restrict y, const struct conv_problem *conv, const float *restrict w,
                     const float *restrict columns, const float *bias, struct sizes size)
{
    for (int64_t k = 0; k < conv->k; k++, y += size.positions) {
        for (int64_t i = 0; i < size.positions; i++)
            y[i] = bias ? bias[k] : 0;
        for (int64_t j = 0; j < size.taps; j++)
            for (int64_t i = 0; i < size.positions; i++)
                y[i] += w[k * size.taps + j] * columns[j * size.positions + i];
        for (int64_t i = 0; i < size.positions; i++)
            y[i] = conv_activate(conv->act, y[i]);
    }
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

CONV_KERNEL(std_04_im2col,
    .title = "unfold the windows, then multiply two matrices",
    .from = "std_03_loop_order",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
