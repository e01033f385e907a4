/* std_03_loop_order.c - step 3 of the standard ladder: a whole row of outputs at a time.
 *
 * Changed since std_02_bounds_hoisted: the loop over output columns q goes inside the loops over c, t, r
 *     and s; a row of y is started with the bias and added to in place.
 * Why it is faster: for fixed c, t, r, s the weight is one number, and x and y are read in order, so the
 *     compiler puts neighbouring columns into one vector; and the columns are independent sums, so that
 *     none waits for another.
 * What it costs: y is read and written C * T * R * S times.  It stays in the first cache, but each
 *     multiply-add now has two loads and a store; step 6 keeps y in registers.
 * Applies to: any standard or pointwise problem, 1-D to 3-D; a stride of 1 along the row gains most.
 * Explained in docs/ladder-standard.md, step 3.
 */
#include <convref/kernel.h>

/* y[q] += x[q * stride + shift] * w for the outputs in range */
static void add_row(float *restrict y, const float *restrict x, float w, struct conv_range range,
                    int64_t stride, int64_t shift)
{
    if (stride == 1)
        for (int64_t q = range.begin; q < range.end; q++)
            y[q] += x[q + shift] * w;
    else
        for (int64_t q = range.begin; q < range.end; q++)
            y[q] += x[q * stride + shift] * w;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[conv->c][D.in][H.in][W.in] = operands->x;
    const float (*w)[conv->c][D.filter][H.filter][W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[conv->k][D.out][H.out][W.out] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++) {
        const struct conv_range T = conv_taps_inside(&D, z);
        const struct conv_range R = conv_taps_inside(&H, p);
        float *out = y[n][k][z][p];   /* y[n][k][z][p][:] */

        for (int64_t q = 0; q < W.out; q++)
            out[q] = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
        for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t r = R.begin; r < R.end; r++) {
            const float *row = x[n][c][conv_input_at(&D, z, t)][conv_input_at(&H, p, r)];
            for (int64_t s = 0; s < W.filter; s++)
                add_row(out, row, w[k][c][t][r][s], conv_outputs_inside(&W, s), W.stride,
                        conv_input_at(&W, 0, s));
        }
        for (int64_t q = 0; q < W.out; q++)
            out[q] = conv_activate(conv->act, out[q]);
    }
}

CONV_KERNEL(std_03_loop_order,
    .title = "a whole row of outputs at a time",
    .from = "std_02_bounds_hoisted",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .run = run,
);
