/* dw_bwd_data_nhwc_01_channels_inside.c - step 1 of the depthwise ladder of data gradients for channels last.
 *
 * Changed since bwd_data_nhwc_01_windows_by_pointers: no micro-kernel.  Each position of dx asks which outputs it
 *     fed, as in bwd_data_01_gather, and the loop over channels is inside; weights lie w[filter][tap][channel].
 * Why it is faster: the micro-kernel has the channels of one group in its lanes, and here that is one lane; now they
 *     are neighbouring channels.
 * What it costs: three loads and a store for each multiply-add, since the sums are in memory; a division at each tap.
 * Applies to: data gradients of depthwise convolutions, and transposed ones with one channel in or out for each
 *     group, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 1 of depthwise data for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/channels.h"

static const char *applies(const struct conv_problem *conv)
{
    const struct spread spread = spread_of(conv);
    const char *why = spread_applies(conv);
    return why ? why : channels_apply(&spread);
}

static int64_t taps_of(const struct spread *spread)
{
    return spread->axis[CONV_D].filter * spread->axis[CONV_H].filter * spread->axis[CONV_W].filter;
}

/* ---- weights: w[m][tap][channel of dx], m one of the filters that a channel has ---- */

static size_t packed_bytes(const struct conv_problem *conv)
{
    const struct spread spread = spread_of(conv);
    return (size_t)(spread.from * taps_of(&spread) * channels_of(&spread)) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct spread spread = spread_of(conv);
    const int64_t taps = taps_of(&spread);
    const float *w = weights->w;   /* w[g][m][j][tap] */
    float *to = packed;
    for (int64_t m = 0; m < spread.from; m++)
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t c = 0; c < channels_of(&spread); c++)
                *to++ = w[((c / spread.to * spread.from + m) * spread.to + c % spread.to) * taps + tap];
}

/* ---- one position of dx ---- */

/* The output whose tap `tap` reads input `position`, or -1 if there is none. */
static int64_t output_of(const struct conv_axis *axis, int64_t position, int64_t tap)
{
    const int64_t steps = position + axis->pad_begin - tap * axis->dilation;
    return steps < 0 || steps % axis->stride != 0 || steps / axis->stride >= axis->out ? -1 : steps / axis->stride;
}

/* dx[:] += SUM dy[:][m] * w[m][:] at one position of dy; w of the next m is `floats` further on */
static void add(float *restrict dx, const float *restrict dy, const float *restrict w, int64_t floats,
                const struct spread *spread)
{
    if (channels_match(spread)) {
        for (int64_t c = 0; c < spread->groups; c++)
            dx[c] += dy[c] * w[c];
        return;
    }
    for (int64_t m = 0; m < spread->from; m++)
        for (int64_t g = 0; g < spread->groups; g++)
            for (int64_t j = 0; j < spread->to; j++)
                dx[g * spread->to + j] += dy[g * spread->from + m] * w[m * floats + g * spread->to + j];
}

/* Adds all taps of position (d, h, col) of one image. */
static void gather(float *dx, const struct spread *spread, const float *dy, const float *w, int64_t d, int64_t h,
                   int64_t col)
{
    const struct conv_axis D = spread->axis[CONV_D], H = spread->axis[CONV_H], W = spread->axis[CONV_W];
    const int64_t channels = channels_of(spread), pitch = spread->groups * spread->from;
    for (int64_t t = 0; t < D.filter; t++) {
        const int64_t z = output_of(&D, d, t);
        for (int64_t r = 0; z >= 0 && r < H.filter; r++) {
            const int64_t p = output_of(&H, h, r);
            for (int64_t s = 0; p >= 0 && s < W.filter; s++) {
                const int64_t q = output_of(&W, col, s), tap = (t * H.filter + r) * W.filter + s;
                if (q >= 0)
                    add(dx, dy + ((z * H.out + p) * W.out + q) * pitch, w + tap * channels,
                        taps_of(spread) * channels, spread);
            }
        }
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct spread spread = spread_of(conv);
    const struct conv_axis D = spread.axis[CONV_D], H = spread.axis[CONV_H], W = spread.axis[CONV_W];
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    const int64_t channels = channels_of(&spread), image = spread.dy_positions * spread.groups * spread.from;
    const float *dy = transposed ? operands->x : operands->y;   /* dy[n][z][p][q][:] */
    const float *bias = transposed ? operands->bias : NULL;
    float *dx = transposed ? operands->y : operands->x;         /* dx[n][d][h][col][:], written in this order */

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t d = 0; d < D.in; d++)
    for (int64_t h = 0; h < H.in; h++)
    for (int64_t col = 0; col < W.in; col++, dx += channels) {
        for (int64_t c = 0; c < channels; c++)
            dx[c] = bias ? bias[c] : 0;
        gather(dx, &spread, dy + n * image, workspace->packed, d, h, col);
        for (int64_t c = 0; transposed && c < channels; c++)
            dx[c] = conv_activate(conv->act, dx[c]);
    }
}

CONV_KERNEL(dw_bwd_data_nhwc_01_channels_inside,
    .title = "channels inside",
    .kinds = 1u << CONV_DEPTHWISE | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
