/* cuda_std_02_implicit_gemm.cu - step 2 of the standard ladder on a GPU: a matrix product whose matrix is never written.
 *
 * Changed since cuda_std_01_thread_per_output: with C R S taps as the inner dimension a convolution is the product of
 *     w[K][C R S] and a matrix [C R S][positions] of windows.  A block computes 32 filters by 32 positions of it, and
 *     fetches the elements of its windows from the image when it fills its tile; the matrix exists nowhere else.
 * Why it is faster: an element that is loaded is used 32 times from shared memory; questions about padding and divisions
 *     are asked when a tile is filled, not for every product; 4 by 4 sums of a thread take half a load a product.
 * What it costs: the divisions that find a tap's channel, row and column: one for each element that is loaded.
 * Budget: at most 86 registers on sm_80, 86 on sm_90; no spills.
 * Applies to: any standard problem in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-cuda.md, step 2 of standard.
 */
#include "rung.h"

enum { SIDE = 32, DEPTH = 8, EACH = 4, THREADS = SIDE / EACH };   /* THREADS on each axis */

/* The element of the matrix of windows: tap `tap` of C R S, for the window that begins at (a0, b0, c0). */
__device__ static float window_element(const float *image, const shape &s, int tap, int a0, int b0, int c0)
{
    const int u = tap % s.w.filter, r = tap / s.w.filter % s.h.filter;
    const int t = tap / s.w.filter / s.h.filter % s.d.filter, channel = tap / s.taps();
    const int a = a0 + t * s.d.dilation, b = b0 + r * s.h.dilation, c = c0 + u * s.w.dilation;
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? image[channel * s.x_plane() + (a * s.h.in + b) * s.w.in + c] : 0;   /* x[n][channel][a][b][c] */
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on by
 * gridDim. */
__global__ void implicit_gemm(float *y, const float *x, const float *w, const float *bias, shape s)
{
    /* four columns more: a warp stores 4 weights of 8 rows each, and so they are in 32 banks */
    __shared__ float x_tile[DEPTH][SIDE], w_tile[DEPTH][SIDE + 4];
    const int positions = static_cast<int>(s.y_plane()), depth = s.c * s.taps();
    const int column = static_cast<int>(threadIdx.x) * EACH, row = static_cast<int>(threadIdx.y) * EACH;
    const int t = static_cast<int>(threadIdx.y) * THREADS + static_cast<int>(threadIdx.x);
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + t % SIDE;   /* of y[i / positions][:][i % positions] */
    const int at = static_cast<int>(i % positions);
    const int a0 = s.d.input_at(at / s.w.out / s.h.out, 0), b0 = s.h.input_at(at / s.w.out % s.h.out, 0);
    const int c0 = s.w.input_at(at % s.w.out, 0);
    const float *image = x + i / positions * s.c * s.x_plane();               /* x[n][:][:][:][:] */
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        float sum[EACH][EACH] = {};
        for (int d0 = 0; d0 < depth; d0 += DEPTH) {
            for (int d = t / SIDE; d < DEPTH; d += THREADS * THREADS / SIDE)
                x_tile[d][t % SIDE] = i < s.n * positions && d0 + d < depth
                                        ? window_element(image, s, d0 + d, a0, b0, c0) : 0;
            for (int k = t / DEPTH; k < SIDE; k += THREADS * THREADS / DEPTH) {
                const int d = d0 + t % DEPTH;                                 /* w[k0 + k][d] */
                w_tile[t % DEPTH][k] = k0 + k < s.k && d < depth ? w[static_cast<int64_t>(k0 + k) * depth + d] : 0;
            }
            __syncthreads();
#pragma unroll
            for (int d = 0; d < DEPTH; d++)
#pragma unroll
                for (int a = 0; a < EACH; a++)
#pragma unroll
                    for (int b = 0; b < EACH; b++)
                        sum[a][b] += w_tile[d][row + a] * x_tile[d][column + b];
            __syncthreads();
        }
        for (int b = 0; b < EACH; b++) {
            const int64_t to = i0 + column + b, n = to / positions;
            for (int a = 0; a < EACH && n < s.n; a++)
                if (k0 + row + a < s.k)
                    y[(n * s.k + k0 + row + a) * positions + to % positions]
                        = activate(s.act, sum[a][b] + (bias ? bias[k0 + row + a] : 0));
        }
    }
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.n * s.y_plane(), SIDE), at_most(blocks_for(s.k, SIDE)));
    launch(workspace, implicit_gemm, grid, dim3(THREADS, THREADS), 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_std_02_implicit_gemm,
    .title = "a matrix product whose matrix of windows is never written",
    .from = "cuda_std_01_thread_per_output",
    .kinds = 1u << CONV_STANDARD,
    .applies = fits_in_ints,
    .run = run);
