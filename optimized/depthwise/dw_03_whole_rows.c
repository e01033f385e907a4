/* dw_03_whole_rows.c - step 3 of the depthwise ladder: a whole row of outputs at a time.
 *
 * Changed since dw_02_bounds_hoisted: the loop over output columns q goes inside the loops over t, r and s; a
 *     row of y is started with the bias and added to in place.
 * Why it is faster: for fixed t, r, s the weight is one number and neighbouring columns read neighbouring
 *     inputs, so the compiler makes vectors of them; and the two divisions serve a whole row.
 * What it costs: y is read and written once for each tap, nine times for a 3x3 filter.  With a stride the
 *     inputs aren't neighbours, and the gain is gone.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier.
 * Explained in docs/ladder-depthwise.md, step 3.
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
    const int64_t multiplier = conv->k / conv->c;
    const float (*x)[conv->c][D.in][H.in][W.in] = operands->x;
    const float (*w)[D.filter][H.filter][W.filter] = operands->w;
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
        for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t r = R.begin; r < R.end; r++) {
            const float *row = x[n][k / multiplier][conv_input_at(&D, z, t)][conv_input_at(&H, p, r)];
            for (int64_t s = 0; s < W.filter; s++)
                add_row(out, row, w[k][t][r][s], conv_outputs_inside(&W, s), W.stride,
                        conv_input_at(&W, 0, s));
        }
        for (int64_t q = 0; q < W.out; q++)
            out[q] = conv_activate(conv->act, out[q]);
    }
}

CONV_KERNEL(dw_03_whole_rows,
    .title = "a whole row of outputs at a time",
    .from = "dw_02_bounds_hoisted",
    .kinds = 1u << CONV_DEPTHWISE,
    .run = run,
);
