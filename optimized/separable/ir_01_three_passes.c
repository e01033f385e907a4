/* ir_01_three_passes.c - the inverted residual in NCHW, plainly: one stage after the other, and x added.
 *
 * Changed since the reference (ref_inverted_residual.c): sums in the problem's own type, and the loops of the steps
 *     that are the first to be worth it: pointwise as in pw_02_rows, depthwise as in dw_04_rows_in_registers.
 * Why it is faster: positions are innermost, a vector at a time, and blocks of them stay in the first cache.
 * What it costs: the expanded image and the depthwise stage's go to memory and back.  It is here so that NCHW has
 *     one: the ladder is that of channels last.
 * Applies to: any inverted residual in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-inverted-residual.md, step 1.
 */
#include <convref/kernel.h>

#include "optimized/rows.h"

enum { BLOCK = 1024 };

static int64_t inputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].in * conv->axis[CONV_H].in * conv->axis[CONV_W].in;
}

static int64_t outputs(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* Scratch: a plane of rows.h, the expanded image (if there is one), and the depthwise stage's. */
static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)(rows_plane_floats(conv) + conv->expand * inputs(conv)
                    + conv_middle_channels(conv) * outputs(conv)) * sizeof(float);
}

/* y[i] = act(bias + SUM_c w[c] * x[c * pitch + i]) for a block of positions */
static void block_row(float *restrict y, const float *restrict x, int64_t pitch, const float *restrict w, int64_t C,
                      float bias, enum conv_activation act, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = bias;
    for (int64_t c = 0; c < C; c++)
        for (int64_t i = 0; i < count; i++)
            y[i] += w[c] * x[c * pitch + i];
    for (int64_t i = 0; i < count; i++)
        y[i] = conv_activate(act, y[i]);
}

/* y[k][:] = act(bias[k] + SUM_c w[k][c] * x[c][:]): K filters on images of so many positions */
static void mix(float *y, const float *x, int64_t positions, const float *w, int64_t K, int64_t C, const float *bias,
                enum conv_activation act)
{
    for (int64_t i = 0; i < positions; i += BLOCK)
        for (int64_t k = 0; k < K; k++)
            block_row(y + k * positions + i, x + i, positions, w + k * C, C, bias ? bias[k] : 0, act,
                      positions - i < BLOCK ? positions - i : BLOCK);
}

/* middle[m][:] from e[m / mult][:] */
static void look_around(float *middle, const struct conv_problem *conv, const float *e,
                        const struct conv_operands *operands, float *plane)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*w)[D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    struct rows rows = rows_of(conv);
    rows.plane = plane;
    rows.act = conv->mid_act;
    for (int64_t m = 0; m < conv_middle_channels(conv); m++, middle += outputs(conv)) {
        if (m % conv->mult == 0)
            rows_fill(plane, conv, e + m / conv->mult * inputs(conv), 0, H.in);
        rows.w = w[m];
        rows.bias = bias ? bias[m] : 0;
        for (int64_t z = 0; z < D.out; z++)
            rows_compute(middle + z * H.out * W.out, &rows, z, 0, H.out);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t from = inputs(conv), to = outputs(conv);
    const float (*x)[conv->c * from] = operands->x;
    float (*y)[conv->k * to] = operands->y;
    float *plane = workspace->scratch, *e = plane + rows_plane_floats(conv), *middle = e + conv->expand * from;

    rows_clear(plane, conv);
    for (int64_t n = 0; n < conv->n; n++) {
        if (conv->expand > 0)
            mix(e, x[n], from, operands->ew, conv->expand, conv->c, operands->ew_bias, conv->mid_act);
        look_around(middle, conv, conv->expand > 0 ? e : x[n], operands, plane);
        mix(y[n], middle, to, operands->pw, conv->k, conv_middle_channels(conv), operands->pw_bias, conv->act);
        for (int64_t i = 0; conv->residual && i < conv->k * to; i++)
            y[n][i] += x[n][i];
    }
}

CONV_KERNEL(ir_01_three_passes,
    .title = "one stage after the other, and x added, in NCHW",
    .kinds = 1u << CONV_INVERTED_RESIDUAL,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
