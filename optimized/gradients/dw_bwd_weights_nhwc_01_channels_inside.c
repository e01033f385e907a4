/* dw_bwd_weights_nhwc_01_channels_inside.c - step 1 of the depthwise ladder of weight gradients for channels last.
 *
 * Changed since bwd_weights_nhwc_01_outer_products: no product of matrices.  For each tap the positions of an image
 *     follow each other, and the loop over channels is inside, over sums that lie sums[tap][filter].
 * Why it is faster: an outer product of one channel with one filter fills one lane; now neighbouring channels do.
 * What it costs: two loads more and a store for each multiply-add, since the sums are in memory; x and dy are read
 *     once for each tap.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 1 of depthwise weights for channels last.
 */
#include <convref/kernel.h>
#include <string.h>

static int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

/* The sums of one tap, for all filters. */
static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)conv->k * sizeof(float);
}

/* sums[c][m] += x[c] * dy[c][m] at one position */
static void add(float *restrict sums, const float *restrict x, const float *restrict dy, int64_t channels,
                int64_t multiplier)
{
    if (multiplier == 1) {
        for (int64_t c = 0; c < channels; c++)
            sums[c] += x[c] * dy[c];
        return;
    }
    for (int64_t c = 0; c < channels; c++)
        for (int64_t m = 0; m < multiplier; m++)
            sums[c * multiplier + m] += x[c] * dy[c * multiplier + m];
}

/* All positions of one image whose tap (t, r, s) is inside. */
static void sum_image(float *sums, const struct conv_problem *conv, const float *x, const float *dy, int64_t t,
                      int64_t r, int64_t s)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct conv_range Z = conv_outputs_inside(&D, t), P = conv_outputs_inside(&H, r);
    const struct conv_range Q = conv_outputs_inside(&W, s);
    for (int64_t z = Z.begin; z < Z.end; z++)
        for (int64_t p = P.begin; p < P.end; p++)
            for (int64_t q = Q.begin; q < Q.end; q++) {
                const int64_t d = conv_input_at(&D, z, t), h = conv_input_at(&H, p, r), w = conv_input_at(&W, q, s);
                add(sums, x + ((d * H.in + h) * W.in + w) * conv->c,         /* x[d][h][w][:] */
                    dy + ((z * H.out + p) * W.out + q) * conv->k, conv->c, conv->k / conv->c);   /* dy[z][p][q][:] */
            }
}

static void bias_gradient(float *dbias, const struct conv_problem *conv, const float *dy)
{
    const int64_t positions = conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
    memset(dbias, 0, (size_t)conv->k * sizeof *dbias);
    for (int64_t i = 0; i < positions; i++, dy += conv->k)
        for (int64_t k = 0; k < conv->k; k++)
            dbias[k] += dy[k];
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    const float (*dy)[D.out * H.out * W.out * conv->k] = operands->y;
    float *dw = operands->w, *sums = workspace->scratch;

    for (int64_t tap = 0; tap < taps_of(conv); tap++) {
        memset(sums, 0, (size_t)conv->k * sizeof *sums);
        for (int64_t n = 0; n < conv->n; n++)
            sum_image(sums, conv, x[n], dy[n], tap / W.filter / H.filter, tap / W.filter % H.filter, tap % W.filter);
        for (int64_t k = 0; k < conv->k; k++)
            dw[k * taps_of(conv) + tap] = sums[k];
    }
    if (operands->bias)
        bias_gradient(operands->bias, conv, operands->y);
}

CONV_KERNEL(dw_bwd_weights_nhwc_01_channels_inside,
    .title = "channels inside",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
