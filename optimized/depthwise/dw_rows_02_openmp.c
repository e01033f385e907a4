/* dw_rows_02_openmp.c - step 2 of the depthwise ladder for large images: all cores.
 *
 * Changed since dw_rows_01_each_row_once: the planes of outputs are dealt out to threads, each with a row aside.
 * Why it is faster: planes have nothing in common.
 * What it costs: with fewer planes than threads some have no work.
 * Applies to: depthwise problems in NCHW with filters of 3x3, 5x5 and 7x7 (of any depth), a stride of 1 or 2 and no
 *     dilation, any multiplier.
 * Explained in docs/ladder-depthwise.md, step 2 for large images.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/strips.h"

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

/* Of a thread: floats that share no line with another's. */
static int64_t aside_floats(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    return conv_ceil_div(strip_reach(W->filter, W->stride, STRIP_VECS), 16) * 16;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)(threads * aside_floats(conv)) * sizeof(float);
}

/* The planes begin .. end of outputs: plane (n * K + k) * Z + z. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, float *aside, int64_t begin,
                 int64_t end)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t multiplier = conv->k / conv->c;
    const float (*w)[D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[H.out * W.out] = operands->y;
    struct strip strip = { .conv = conv, .x = operands->x, .x_floats = conv->n * conv->c * D.in * H.in * W.in,
                           .aside = aside };

    for (int64_t plane = begin; plane < end; plane++) {
        const int64_t i = plane / D.out, k = i % conv->k;   /* i = n * K + k */
        strip.channel = i / multiplier * D.in * H.in * W.in;
        strip.w = w[k];
        strip.bias = bias ? bias[k] : 0;
        strip.z = plane % D.out;
        strip.y = y[plane];
        strip_plane(&strip);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t planes = conv->n * conv->k * D.out;
    const int64_t enough = 1 + planes * H.out * W.out * D.filter * H.filter * W.filter / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, (float *)workspace->scratch + i * aside_floats(conv), planes * i / threads,
             planes * (i + 1) / threads);
}

CONV_KERNEL(dw_rows_02_openmp,
    .title = "all cores",
    .from = "dw_rows_01_each_row_once",
    .kinds = 1u << CONV_DEPTHWISE,
    .threaded = true,
    .applies = strip_applies,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
