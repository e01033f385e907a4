/* cuda_std_03_tensor_cores.cu - step 3 of the standard ladder on a GPU: the implicit product on tensor cores, in f32.
 *
 * Changed since cuda_std_02_implicit_gemm: a warp multiplies 16 filters by 8 taps by 8 positions in one instruction,
 *     six times, for three parts of each number, as step 4 of pointwise does.  What fills the tiles is as before.
 * Why it is faster: 12 numbers a lane are read from shared memory for 128 products a lane, 0.09 a product after 0.5:
 *     an eighth of the passes over the banks.  Stores of y are of pairs of columns, and move 8 sectors where 16 were.
 * What it costs: 32 registers for sums; six products for one; the divisions of step 2 are as many as they were, and
 *     are now most of what a thread does beside the products.
 * Budget: at most 95 registers on sm_80, 95 on sm_90; no spills.
 * Applies to: any standard problem in NCHW, 1-D to 3-D; any values.
 * Explained in docs/ladder-cuda.md, step 3 of standard.
 */
#include "rung.h"
#include "three_parts.h"

/* The element of the matrix of windows: tap `tap` of C R S, for the window that begins at (a0, b0, c0). */
__device__ static float window_element(const float *image, const shape &s, int tap, int a0, int b0, int c0)
{
    const int u = tap % s.w.filter, r = tap / s.w.filter % s.h.filter;
    const int t = tap / s.w.filter / s.h.filter % s.d.filter, channel = tap / s.taps();
    const int a = a0 + t * s.d.dilation, b = b0 + r * s.h.dilation, c = c0 + u * s.w.dilation;
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? image[channel * s.x_plane() + (a * s.h.in + b) * s.w.in + c] : 0;   /* x[n][channel][a][b][c] */
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on
 * by gridDim.  A "channel" of three_parts.h is a tap. */
__global__ void implicit_gemm_tensor_cores(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ x_tile x_here;
    __shared__ w_tile w_here;
    const int positions = static_cast<int>(s.y_plane()), depth = s.c * s.taps();
    const int t = static_cast<int>(threadIdx.x), row = t / warpSize * ROWS;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + t % SIDE;   /* of all positions */
    const int at = static_cast<int>(i % positions);
    const int a0 = s.d.input_at(at / s.w.out / s.h.out, 0), b0 = s.h.input_at(at / s.w.out % s.h.out, 0);
    const int c0 = s.w.input_at(at % s.w.out, 0);
    const float *image = x + i / positions * s.c * s.x_plane();               /* x[n][:][:][:][:] */
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        sums sum = {};
        for (int d0 = 0; d0 < depth; d0 += CHANNELS) {
            for (int d = t / SIDE; d < CHANNELS; d += THREADS / SIDE)
                x_here[d][t % SIDE] = i < s.n * positions && d0 + d < depth
                                        ? window_element(image, s, d0 + d, a0, b0, c0) : 0;
            for (int k = t / CHANNELS; k < SIDE; k += THREADS / CHANNELS) {
                const int d = t % CHANNELS;                                   /* w[k0 + k][d0 + d] */
                w_here[k][place_of(k, d)] = k0 + k < s.k && d0 + d < depth
                                              ? w[static_cast<int64_t>(k0 + k) * depth + d0 + d] : 0;
            }
            __syncthreads();
            if (k0 + row < s.k)                                               /* a warp as a whole */
                multiply_tile(sum, x_here, w_here, row, s.n * positions - i0);
            __syncthreads();
        }
        store_sums(y, bias, s, sum, k0 + row, i0);
    }
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.n * s.y_plane(), SIDE), at_most(blocks_for(s.k, SIDE)));
    launch(workspace, implicit_gemm_tensor_cores, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_std_03_tensor_cores,
    .title = "the implicit product on tensor cores, six products of parts for one in f32",
    .from = "cuda_std_02_implicit_gemm",
    .kinds = 1u << CONV_STANDARD,
    .applies = fits_in_ints,
    .run = run);
