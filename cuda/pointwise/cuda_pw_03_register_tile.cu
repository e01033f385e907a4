/* cuda_pw_03_register_tile.cu - step 3 of the pointwise ladder on a GPU: a tile of outputs in the registers of a thread.
 *
 * Changed since cuda_pw_02_tile: a block computes 32 filters by 32 positions with 64 threads, each of which keeps 4 by 4
 *     sums in registers and reads 4 weights and 4 elements of x for 16 products.
 * Why it is faster: half a load from shared memory for a product, where step 2 takes two, and that memory is what a
 *     multiprocessor has least of: 32 floats a clock, against 128 multiply-adds.
 * What it costs: 16 registers for sums; blocks of 32 by 32 outputs, many of which are beyond the edges of small layers.
 * Budget: at most 78 registers on sm_80, 78 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding.
 * Explained in docs/ladder-cuda.md, step 3 of pointwise.
 */
#include "rung.h"

enum { SIDE = 32, CHANNELS = 8, EACH = 4, THREADS = SIDE / EACH };   /* THREADS on each axis */

/* Where position i of an output plane reads in x[n][0]; -1: in the padding. */
__device__ static int64_t source(const shape &s, int64_t n, int i)
{
    const int a = s.d.input_at(i / s.w.out / s.h.out, 0), b = s.h.input_at(i / s.w.out % s.h.out, 0);
    const int c = s.w.input_at(i % s.w.out, 0);
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c) 
        ? n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c : -1;
}

/* Thread t of 64 loads every second channel of position t % 32, and 4 weights. */
__device__ static void load(float (&x_tile)[CHANNELS][SIDE], float (&w_tile)[CHANNELS][SIDE + 4], const float *x,
                            const float *w, const shape &s, int64_t from, int k0, int c0, int t)
{
    for (int c = t / SIDE; c < CHANNELS; c += THREADS * THREADS / SIDE)
        x_tile[c][t % SIDE] = from >= 0 && c0 + c < s.c ? x[(c0 + c) * s.x_plane() + from] : 0;
    for (int k = t / CHANNELS; k < SIDE; k += THREADS * THREADS / CHANNELS) {
        const int c = c0 + t % CHANNELS;
        w_tile[t % CHANNELS][k] = k0 + k < s.k && c < s.c ? w[static_cast<int64_t>(k0 + k) * s.c + c] : 0;
    }
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on by
 * gridDim. */
__global__ void pointwise_register_tile(float *y, const float *x, const float *w, const float *bias, shape s)
{
    /* four columns more: a warp stores 4 weights of 8 rows each, and so they are in 32 banks */
    __shared__ float x_tile[CHANNELS][SIDE], w_tile[CHANNELS][SIDE + 4];
    const int positions = static_cast<int>(s.y_plane());
    const int column = static_cast<int>(threadIdx.x) * EACH, row = static_cast<int>(threadIdx.y) * EACH;
    const int t = static_cast<int>(threadIdx.y) * THREADS + static_cast<int>(threadIdx.x);
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + t % SIDE;   /* of y[i / positions][:][i % positions] */
    const int64_t from = i < s.n * positions ? source(s, i / positions, static_cast<int>(i % positions)) : -1;
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        float sum[EACH][EACH] = {};
        for (int c0 = 0; c0 < s.c; c0 += CHANNELS) {
            load(x_tile, w_tile, x, w, s, from, k0, c0, t);
            __syncthreads();
#pragma unroll
            for (int c = 0; c < CHANNELS; c++)
#pragma unroll
                for (int a = 0; a < EACH; a++)
#pragma unroll
                    for (int b = 0; b < EACH; b++)
                        sum[a][b] += w_tile[c][row + a] * x_tile[c][column + b];
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
    launch(workspace, pointwise_register_tile, grid, dim3(THREADS, THREADS), 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_pw_03_register_tile,
    .title = "4 by 4 sums in the registers of a thread: half a load from shared memory a product",
    .from = "cuda_pw_02_tile",
    .kinds = 1u << CONV_POINTWISE,
    .applies = fits_in_ints,
    .run = run);
