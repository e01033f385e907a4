/* dw_05_openmp.c - step 5 of the depthwise ladder: all cores.
 *
 * Changed since dw_04_rows_in_registers: channels are dealt out to threads, each with a plane of its own.
 * Why it is faster: channels have nothing in common.
 * What it costs: nothing but the planes.  Memory is shared by all cores, so layers that don't fit into the
 *     caches gain less than their number.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier.
 * Explained in docs/ladder-depthwise.md, step 5.
 */
#include <convref/kernel.h>

#include "optimized/rows.h"
#include "optimized/threads.h"

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * (size_t)rows_plane_floats(conv) * sizeof(float);
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
    float *planes = workspace->scratch;

    for (int thread = 0; thread < workspace->threads; thread++)
        rows_clear(planes + thread * rows_plane_floats(conv), conv);
#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t i = 0; i < conv->n * conv->c; i++) {   /* i = n * C + c */
        const int64_t c = i % conv->c;
        struct rows rows = { .conv = conv, .act = conv->act, .pitch = rows_pitch(conv) };
        channel(y[i], &rows, planes + conv_thread() * rows_plane_floats(conv), x[i], w[c],
                bias ? bias + c * multiplier : NULL);
    }
}

CONV_KERNEL(dw_05_openmp,
    .title = "all cores",
    .from = "dw_04_rows_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
