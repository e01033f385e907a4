/* cuda_pw_06_bf16.cu - step 6 of the pointwise ladder on a GPU: tensor cores in bf16, which is not f32 any more.
 *
 * Changed since cuda_pw_04_tensor_cores: a number is rounded to bf16, 8 bits, when its tile is filled, and a word has
 *     two channels; one product of 16 channels takes the place of twelve of 8 for parts.  Sums are still f32.
 * Why it is faster: half of the shared memory, of its passes and of the barriers for a channel; a twelfth of the
 *     instructions of tensor cores, which make twice as many products a clock in 16 bits.
 * What it costs: accuracy.  It declares class bf16, inputs of 8 bits, and is verified as that: an element of y may be
 *     wrong by 2^-7 of the sum of its products' magnitudes, and more where sums are long.  bf16 has the exponents of
 *     f32, so that nothing becomes 0, and nothing infinite but what is within half a last bit of it.
 * Budget: at most 64 registers on sm_80, 72 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding; any values.
 * Explained in docs/ladder-cuda.md, step 6 of pointwise.
 */
#include "rung.h"
#include "pairs.h"

/* x in rows of 40: a warp reads 4 pairs by 8 positions of it, and 4 times 8 neighbours are 32 banks. */
typedef unsigned x_tile[DEPTH][SIDE + 8];
typedef unsigned w_tile[SIDE][DEPTH];

/* Where position i of an output plane reads in x[n][0]; -1: in the padding. */
__device__ static int64_t source(const shape &s, int64_t n, int i)
{
    const int a = s.d.input_at(i / s.w.out / s.h.out, 0), b = s.h.input_at(i / s.w.out % s.h.out, 0);
    const int c = s.w.input_at(i % s.w.out, 0);
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c : -1;
}

/* Thread t of 64 loads every second pair of channels of position t % 32, and 4 pairs of weights. */
__device__ static void load(x_tile &to_x, w_tile &to_w, const float *x, const float *w, const shape &s, int64_t from,
                            int k0, int c0, int t)
{
    for (int pair = t / SIDE; pair < DEPTH; pair += THREADS / SIDE)
        to_x[pair][t % SIDE] = load_pair(x + from, s.x_plane(), c0 + pair, from >= 0 ? s.c : 0);
    for (int k = t / DEPTH; k < SIDE; k += THREADS / DEPTH)
        to_w[k][place_of(k, t % DEPTH)]
            = load_pair(w + static_cast<int64_t>(k0 + k) * s.c, 1, c0 + t % DEPTH, k0 + k < s.k ? s.c : 0);
}

/* sum += w[k0 ... k0 + 15][16 channels] * x[16 channels][32 positions], of which `there` exist. */
__device__ static void multiply_tile(float (&sum)[TILES][4], const x_tile &x, const w_tile &w, int k0, int64_t there)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize, row = lane / 4, column = lane % 4;
    unsigned a[4], b[2];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int k = k0 + row + i % 2 * 8;
        a[i] = w[k][place_of(k, column + i / 2 * 4)];
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
#pragma unroll
        for (int i = 0; i < 2; i++)
            b[i] = x[column + i * 4][tile * COLUMNS + row];
        if (tile * COLUMNS < there)
            mma_m16n8k16_bf16(sum[tile], a, b);
    }
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on
 * by gridDim. */
__global__ void pointwise_bf16(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ x_tile x_here;
    __shared__ w_tile w_here;
    const int positions = static_cast<int>(s.y_plane()), t = static_cast<int>(threadIdx.x), row = t / warpSize * ROWS;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + t % SIDE;   /* of all positions */
    const int64_t from = i < s.n * positions ? source(s, i / positions, static_cast<int>(i % positions)) : -1;
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        float sum[TILES][4] = {};
        for (int c0 = 0; c0 < s.c; c0 += CHANNELS) {
            load(x_here, w_here, x, w, s, from, k0, c0, t);
            __syncthreads();
            if (k0 + row < s.k)                       /* a warp as a whole */
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
    launch(workspace, pointwise_bf16, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_pw_06_bf16,
    .title = "operands in bf16, two channels a word, one product for twelve of parts",
    .from = "cuda_pw_04_tensor_cores",
    .kinds = 1u << CONV_POINTWISE,
    .accuracy = CONV_BF16_INPUTS,
    .applies = fits_in_ints,
    .run = run);
