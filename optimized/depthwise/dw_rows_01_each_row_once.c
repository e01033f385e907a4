/* dw_rows_01_each_row_once.c - step 1 of the depthwise ladder for large images: a row goes into all outputs at once.
 *
 * Changed since dw_05_positions_run_on: nothing is copied, neither x into planes nor y out of positions.  A strip of
 *     the image is walked from its first row to its last, with the sums of all rows of outputs that are on their way
 *     in registers (strips.h).
 * Why it is faster: x is read once and y written once, by whole vectors; three loads for nine multiply-adds.
 * What it costs: filters must be known to the compiler; and lanes, where a row is no multiple of a vector.
 * Applies to: depthwise problems in NCHW with filters of 3x3, 5x5 and 7x7 (of any depth), a stride of 1 or 2 and no
 *     dilation, any multiplier.
 * Explained in docs/ladder-depthwise.md, step 1 for large images.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/strips.h"

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    (void)threads;
    return (size_t)strip_reach(W->filter, W->stride, STRIP_VECS) * sizeof(float);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t multiplier = conv->k / conv->c;
    const float (*w)[D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[D.out][H.out * W.out] = operands->y;
    struct strip strip = { .conv = conv, .x = operands->x, .x_floats = conv->n * conv->c * D.in * H.in * W.in,
                           .aside = workspace->scratch };

    for (int64_t i = 0; i < conv->n * conv->k; i++) {   /* i = n * K + k */
        const int64_t k = i % conv->k;
        strip.channel = i / multiplier * D.in * H.in * W.in;
        strip.w = w[k];
        strip.bias = bias ? bias[k] : 0;
        for (strip.z = 0; strip.z < D.out; strip.z++) {
            strip.y = y[i][strip.z];
            strip_plane(&strip);
        }
    }
}

CONV_KERNEL(dw_rows_01_each_row_once,
    .title = "each row goes into all its outputs at once",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = strip_applies,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
