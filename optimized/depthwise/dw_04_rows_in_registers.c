/* dw_04_rows_in_registers.c - step 4 of the depthwise ladder: several rows of y stay in registers.
 *
 * Changed since dw_03_whole_rows: each channel is first copied with its padding, its columns split by stride
 *     (rows.h); then 2 rows by 4 vectors of y, or 4 by 2, or 4 by 1, are summed in registers over all taps.
 * Why it is faster: y is written once, no tap asks whether it is inside, and with a stride the loads are as
 *     good as without.  Eight sums in flight keep both multiply-add units busy; narrow images have four.
 * What it costs: the copy: one load and one store where a 3x3 filter has nine multiply-adds.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier.  TensorFlow's kernel for small
 *     images keeps its image in fast memory for the same reason.
 * Explained in docs/ladder-depthwise.md, step 4.
 */
#include <convref/kernel.h>

#include "optimized/rows.h"

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)rows_plane_floats(conv) * sizeof(float);
}

/* All filters of one channel: y[m][z][p][q] */
static void channel(float *y, struct rows *rows, float *plane, const float *x, const float *w,
                    const float *bias)
{
    const struct conv_problem *conv = rows->conv;
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    rows_fill(plane, conv, x, 0, H.in);
    rows->plane = plane;
    for (int64_t m = 0; m < conv->k / conv->c; m++) {
        rows->w = w + m * D.filter * H.filter * W.filter;
        rows->bias = bias ? bias[m] : 0;
        for (int64_t z = 0; z < D.out; z++, y += H.out * W.out)
            rows_compute(y, rows, z, 0, H.out);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t multiplier = conv->k / conv->c;
    const float (*x)[D.in * H.in * W.in] = operands->x;
    const float (*w)[multiplier * D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[multiplier * D.out * H.out * W.out] = operands->y;
    float *plane = workspace->scratch;

    rows_clear(plane, conv);
    for (int64_t i = 0; i < conv->n * conv->c; i++) {   /* i = n * C + c */
        const int64_t c = i % conv->c;
        struct rows rows = rows_of(conv);
        rows.act = conv->act;
        channel(y[i], &rows, plane, x[i], w[c], bias ? bias + c * multiplier : NULL);
    }
}

CONV_KERNEL(dw_04_rows_in_registers,
    .title = "several rows of y stay in registers",
    .from = "dw_03_whole_rows",
    .kinds = 1u << CONV_DEPTHWISE,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
