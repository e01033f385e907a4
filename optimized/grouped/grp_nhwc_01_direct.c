/* grp_nhwc_01_direct.c - step 1 of the grouped ladder for channels last: the formula, in float.
 *
 * Changed since the reference (ref_grouped.c): sums in float, written straight to y; channels are the last axis.
 * Why it is faster: it isn't meant to be.
 * What it costs: a question and an address for each product.
 * Applies to: any grouped or depthwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-grouped.md, step 1 for channels last.
 */
#include <convref/kernel.h>

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t C = conv->c / conv->groups, K = conv->k / conv->groups;
    const float (*x)[D.in][H.in][W.in][conv->c] = operands->x;
    const float (*w)[C][D.filter][H.filter][W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[D.out][H.out][W.out][conv->k] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++)
    for (int64_t k = 0; k < conv->k; k++) {
        float sum = bias ? bias[k] : 0;
        for (int64_t t = 0; t < D.filter; t++)
        for (int64_t r = 0; r < H.filter; r++)
        for (int64_t s = 0; s < W.filter; s++) {
            const int64_t plane = conv_input_at(&D, z, t), row = conv_input_at(&H, p, r);
            const int64_t col = conv_input_at(&W, q, s);
            if (!conv_inside(&D, plane) || !conv_inside(&H, row) || !conv_inside(&W, col))
                continue;
            for (int64_t c = 0; c < C; c++)
                sum += x[n][plane][row][col][k / K * C + c] * w[k][c][t][r][s];
        }
        y[n][z][p][q][k] = conv_activate(conv->act, sum);
    }
}

CONV_KERNEL(grp_nhwc_01_direct,
    .title = "the formula, in float",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .run = run,
);
