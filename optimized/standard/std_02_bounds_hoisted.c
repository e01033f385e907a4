/* std_02_bounds_hoisted.c - step 2 of the standard ladder: ask once where the image ends.
 *
 * Changed since std_01_direct: the taps that lie inside are a range; it is computed once for each output
 *     and each axis, and the inner loops run over it without asking.
 * Why it is faster: it isn't.  The questions are gone, but they were asked while an addition waited for the one
 *     before it, and it still does.  Ranges are what the next steps are made of.
 * What it costs: two divisions for each range, paid once for C * T * R * S multiply-adds.
 * Applies to: any standard or pointwise problem, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 2.
 */
#include <convref/kernel.h>

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
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const struct conv_range T = conv_taps_inside(&D, z);
        const struct conv_range R = conv_taps_inside(&H, p);
        const struct conv_range S = conv_taps_inside(&W, q);
        float sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
        for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t r = R.begin; r < R.end; r++) {
            const float *row = x[n][c][conv_input_at(&D, z, t)][conv_input_at(&H, p, r)];
            const float *from = row + conv_input_at(&W, q, S.begin), *taps = w[k][c][t][r];
            for (int64_t s = S.begin; s < S.end; s++, from += W.dilation)
                sum += *from * taps[s];
        }
        y[n][k][z][p][q] = conv_activate(conv->act, sum);
    }
}

CONV_KERNEL(std_02_bounds_hoisted,
    .title = "ask once where the image ends",
    .from = "std_01_direct",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .run = run,
);
