/* cuda_pw_02_tile.cu - step 2 of the pointwise ladder on a GPU: tiles of both matrices in shared memory.
 *
 * Changed since cuda_pw_01_thread_per_output: a block of 16 filters by 16 positions copies 16 channels of both to shared
 *     memory, and every thread takes its 16 products from there; then the next 16 channels.
 * Why it is faster: an element that is loaded is used 16 times, so that the first cache is asked 16 times less.
 * What it costs: two barriers for 16 products a thread, which still takes two loads a product, from shared memory.
 * Budget: at most 40 registers on sm_80, 32 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding.
 * Explained in docs/ladder-cuda.md, step 2 of pointwise.
 */
#include "rung.h"

enum { TILE = 16 };

/* Where position i of an output plane reads in x[n][0]; -1: in the padding. */
__device__ static int64_t source(const shape &s, int64_t n, int i)
{
    const int a = s.d.input_at(i / s.w.out / s.h.out, 0), b = s.h.input_at(i / s.w.out % s.h.out, 0);
    const int c = s.w.input_at(i % s.w.out, 0);
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c) 
        ? n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c : -1;
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on by
 * gridDim. */
__global__ void pointwise_tile(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ float x_tile[TILE][TILE], w_tile[TILE][TILE];                  /* [channel][position], [filter][channel] */
    const int positions = static_cast<int>(s.y_plane());
    const int column = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
    const int64_t i = static_cast<int64_t>(blockIdx.x) * TILE + column, n = i / positions;   /* y[n][:][i % positions] */
    const int64_t from = n < s.n ? source(s, n, static_cast<int>(i % positions)) : -1;
    for (int k0 = static_cast<int>(blockIdx.y) * TILE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * TILE) {
        const int k = k0 + row;
        float sum = bias && k < s.k ? bias[k] : 0;
        for (int c0 = 0; c0 < s.c; c0 += TILE) {
            x_tile[row][column] = from >= 0 && c0 + row < s.c ? x[(c0 + row) * s.x_plane() + from] : 0;
            w_tile[row][column] = k < s.k && c0 + column < s.c ? w[static_cast<int64_t>(k) * s.c + c0 + column] : 0;
            __syncthreads();
#pragma unroll
            for (int c = 0; c < TILE; c++)
                sum += x_tile[c][column] * w_tile[row][c];
            __syncthreads();
        }
        if (k < s.k && n < s.n)
            y[(n * s.k + k) * positions + i % positions] = activate(s.act, sum);
    }
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.n * s.y_plane(), TILE), at_most(blocks_for(s.k, TILE)));
    launch(workspace, pointwise_tile, grid, dim3(TILE, TILE), 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_pw_02_tile,
    .title = "tiles of both matrices in shared memory: each element is loaded once for 16 products",
    .from = "cuda_pw_01_thread_per_output",
    .kinds = 1u << CONV_POINTWISE,
    .applies = fits_in_ints,
    .run = run);
