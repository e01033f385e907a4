/* std_nhwc_02_filters_inside.c - step 2 of the standard ladder for channels last: the filters go innermost.
 *
 * Changed since std_nhwc_01_direct: the weights are turned around beforehand, w[t][r][s][c][k], and a row of y is
 *     added to for one channel of one tap after the other.
 * Why it is faster: the K sums of a position are independent, and neighbours in memory in w and in y: the compiler
 *     makes vectors of them.
 * What it costs: each multiply-add loads w and y and stores y; and all weights are read again for each position.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 2 for channels last.
 */
#include <convref/kernel.h>

static int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(taps_of(conv) * conv->c * conv->k) * sizeof(float);
}

/* w[k][c][tap] -> packed[tap][c][k] */
static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t taps = taps_of(conv);
    const float (*w)[conv->c][taps] = weights->w;
    float *to = packed;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t c = 0; c < conv->c; c++)
            for (int64_t k = 0; k < conv->k; k++)
                *to++ = w[k][c][tap];
}

/* y[k] += SUM_c x[c] * w[c][k], one tap of one position */
static void add_tap(float *restrict y, const struct conv_problem *conv, const float *restrict x,
                    const float *restrict w)
{
    for (int64_t c = 0; c < conv->c; c++)
        for (int64_t k = 0; k < conv->k; k++)
            y[k] += x[c] * w[c * conv->k + k];
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in][H.in][W.in][conv->c] = operands->x;
    const float (*w)[H.filter][W.filter][conv->c * conv->k] = workspace->packed;
    const float *bias = operands->bias;
    float *y = operands->y;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++, y += conv->k) {   /* y[n][z][p][q][:] */
        const struct conv_range T = conv_taps_inside(&D, z), R = conv_taps_inside(&H, p), S = conv_taps_inside(&W, q);
        for (int64_t k = 0; k < conv->k; k++)
            y[k] = bias ? bias[k] : 0;
        for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t r = R.begin; r < R.end; r++)
        for (int64_t s = S.begin; s < S.end; s++)
            add_tap(y, conv, x[n][conv_input_at(&D, z, t)][conv_input_at(&H, p, r)][conv_input_at(&W, q, s)],
                    w[t][r][s]);
        for (int64_t k = 0; k < conv->k; k++)
            y[k] = conv_activate(conv->act, y[k]);
    }
}

CONV_KERNEL(std_nhwc_02_filters_inside,
    .title = "the filters go innermost",
    .from = "std_nhwc_01_direct",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
