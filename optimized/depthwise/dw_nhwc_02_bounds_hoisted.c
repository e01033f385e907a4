/* dw_nhwc_02_bounds_hoisted.c - step 2 of the depthwise ladder for channels last: ask once where the image ends.
 *
 * Changed since dw_nhwc_01_direct: the taps that lie inside are a range for each output position; the inner
 *     loops run over it without asking.
 * Why it is faster: it is hardly so; the comparisons were asked beside loads that a vector of channels will make
 *     cheap.  The divisions are shared by all channels of a position, and the next step needs the ranges.
 * What it costs: nothing.
 * Applies to: any depthwise problem in NHWC, 1-D to 3-D, any multiplier.
 * Explained in docs/ladder-depthwise.md, step 2 for channels last.
 */
#include <convref/kernel.h>

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t multiplier = conv->k / conv->c;
    const float (*x)[D.in][H.in][W.in][conv->c] = operands->x;
    const float (*w)[D.filter][H.filter][W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[D.out][H.out][W.out][conv->k] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const struct conv_range T = conv_taps_inside(&D, z);
        const struct conv_range R = conv_taps_inside(&H, p);
        const struct conv_range S = conv_taps_inside(&W, q);
        for (int64_t k = 0; k < conv->k; k++) {
            float sum = bias ? bias[k] : 0;
            for (int64_t t = T.begin; t < T.end; t++)
            for (int64_t r = R.begin; r < R.end; r++)
            for (int64_t s = S.begin; s < S.end; s++)
                sum += x[n][conv_input_at(&D, z, t)][conv_input_at(&H, p, r)][conv_input_at(&W, q, s)]
                        [k / multiplier] * w[k][t][r][s];
            y[n][z][p][q][k] = conv_activate(conv->act, sum);
        }
    }
}

CONV_KERNEL(dw_nhwc_02_bounds_hoisted,
    .title = "ask once where the image ends",
    .from = "dw_nhwc_01_direct",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .run = run,
);
