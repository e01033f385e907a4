/* cuda_dw_bwd_weights_01_atomics.cu - step 1 of depthwise backward_weights on a GPU: add wherever a product belongs.
 *
 * A thread for each element of dy multiplies it with each element of its window, and adds the product to the weight's
 *     sum in memory.  Many threads add to the same few sums; atomicAdd() makes a line of them.
 * Why it is slow: all 32 lanes of a warp add to the same weight, one after the other, and so do all warps of a
 *     channel: 9 sums for all products of its images.
 * What it costs: the same sums come out differently from run to run, since floats that are added in another order are
 *     rounded otherwise.  tests/test_cuda.sh shows it.
 * Budget: at most 38 registers on sm_80, 40 on sm_90; no spills.
 * Applies to: backward_weights of any depthwise problem in NCHW, 1-D to 3-D, any multiplier.
 * As in: TensorFlow's kernel without cuDNN.
 * Explained in docs/ladder-cuda.md, step 1 of the gradient with respect to w.
 */
#include "rung.h"

enum { THREADS = 128 };

__global__ void zeros(float *to, int64_t count)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count)
        to[i] = 0;
}

__global__ void add_products(float *dw, float *dbias, const float *x, const float *dy, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int q = static_cast<int>(i % s.w.out), p = static_cast<int>(i / s.w.out % s.h.out);
    const int64_t rest = i / (static_cast<int64_t>(s.w.out) * s.h.out);
    const int z = static_cast<int>(rest % s.d.out), k = static_cast<int>(rest / s.d.out % s.k);
    const int64_t n = rest / s.d.out / s.k;

    const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();        /* x[n][c][:][:][:] */
    float *filter = dw + static_cast<int64_t>(k) * s.taps();                  /* dw[k][:][:][:] */
    for (int t = 0; t < s.d.filter; t++)
    for (int r = 0; r < s.h.filter; r++)
    for (int u = 0; u < s.w.filter; u++) {
        const int a = s.d.input_at(z, t), b = s.h.input_at(p, r), c = s.w.input_at(q, u);
        if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
            atomicAdd(&filter[(t * s.h.filter + r) * s.w.filter + u],
                      image[(a * s.h.in + b) * s.w.in + c] * dy[i]);
    }
    if (dbias)
        atomicAdd(&dbias[k], dy[i]);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    float *dw = static_cast<float *>(o->w), *dbias = static_cast<float *>(o->bias);
    const int64_t weights = static_cast<int64_t>(s.k) * s.taps();
    launch(workspace, zeros, blocks_for(weights, THREADS), THREADS, 0, dw, weights);
    if (dbias)
        launch(workspace, zeros, blocks_for(s.k, THREADS), THREADS, 0, dbias, static_cast<int64_t>(s.k));
    if (s.outputs() > 0)
        launch(workspace, add_products, blocks_for(s.outputs(), THREADS), THREADS, 0, dw, dbias,
               static_cast<const float *>(o->x), static_cast<const float *>(o->y), s);
}

CUDA_KERNEL(cuda_dw_bwd_weights_01_atomics,
    .title = "a thread for each element of dy, which adds its products to the sums in memory",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .applies = fits_in_ints,
    .run = run);
