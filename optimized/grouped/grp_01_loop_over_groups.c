/* grp_01_loop_over_groups.c - step 1 of the grouped ladder: G small standard convolutions, one by one.
 *
 * Changed since std_03_loop_order: a loop over the groups round it; each group has its own part of x, w and y.
 * Why it is faster: it does G times fewer multiply-adds than a standard convolution of the same size.
 * What it costs: nothing here.  Libraries that called their whole convolution for each group paid its set-up
 *     and its allocations G times, which for a depthwise layer made them slower than the standard one
 *     (docs/ladder-grouped.md).
 * Applies to: any grouped or depthwise problem, 1-D to 3-D.
 * Explained in docs/ladder-grouped.md, step 1.
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

/* One group of one image: x[c][:], w[k][c][:] and y[k][:] with c and k counted in the group. */
static void group(float *y, const struct conv_problem *conv, const float *x, const float *w,
                  const float *bias)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t C = conv->c / conv->groups, K = conv->k / conv->groups;
    const float (*in)[D.in][H.in][W.in] = (const void *)x;
    const float (*filter)[C][D.filter][H.filter][W.filter] = (const void *)w;

    for (int64_t k = 0; k < K; k++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++, y += W.out) {
        const struct conv_range T = conv_taps_inside(&D, z);
        const struct conv_range R = conv_taps_inside(&H, p);

        for (int64_t q = 0; q < W.out; q++)
            y[q] = bias ? bias[k] : 0;
        for (int64_t c = 0; c < C; c++)
        for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t r = R.begin; r < R.end; r++) {
            const float *row = in[c][conv_input_at(&D, z, t)][conv_input_at(&H, p, r)];
            for (int64_t s = 0; s < W.filter; s++)
                add_row(y, row, filter[k][c][t][r][s], conv_outputs_inside(&W, s), W.stride,
                        conv_input_at(&W, 0, s));
        }
        for (int64_t q = 0; q < W.out; q++)
            y[q] = conv_activate(conv->act, y[q]);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t C = conv->c / conv->groups, K = conv->k / conv->groups;
    const float (*x)[conv->groups][C * D.in * H.in * W.in] = operands->x;
    const float (*w)[K * C * D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[conv->groups][K * D.out * H.out * W.out] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
        for (int64_t g = 0; g < conv->groups; g++)
            group(y[n][g], conv, x[n][g], w[g], bias ? bias + g * K : NULL);
}

CONV_KERNEL(grp_01_loop_over_groups,
    .title = "G small standard convolutions, one by one",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .run = run,
);
