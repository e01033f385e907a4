/* cuda_pw_07_ldmatrix.cu - step 7 of the pointwise ladder on a GPU: four matrices of a tile in one instruction.
 *
 * Changed since cuda_pw_06_bf16: ldmatrix loads the operands.  A lane says where one row of 16 bytes begins, and gets
 *     a word of each of four matrices of 8 rows.  So that a row is a piece of memory, x lies as [position][channels].
 * Why it is faster: 3 requests of shared memory for 16 channels of a warp's tile, where step 6 has 12.  The passes
 *     are as many, 12, which is what 12 words a lane take: a matrix in one, since rows 0 ... 3 and 4 ... 7 of eight,
 *     32 bytes apart, have their halves exchanged.  Laid out plainly it is two, 8.00 passes a request and not 4.00.
 * What it costs: x is turned around on its way: a warp loads 8 positions of 4 channels, for 32 positions of one, and
 *     where rows don't begin at 32 bytes these are 8 sectors and not 5.
 * Budget: at most 72 registers on sm_80, 80 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding; any values.
 * Explained in docs/ladder-cuda.md, step 7 of pointwise.
 */
#include "rung.h"
#include "pairs.h"

/* Rows of 16 bytes, two of them a row of the tile. */
struct alignas(16) tile { unsigned of[SIDE][DEPTH]; };

/* Where position i of y, counted on from image to image, reads in x[:][0]; -1: nowhere. */
__device__ static int64_t source(const shape &s, int64_t i)
{
    const int64_t n = i / s.y_plane();
    const int at = static_cast<int>(i % s.y_plane());
    const int a = s.d.input_at(at / s.w.out / s.h.out, 0), b = s.h.input_at(at / s.w.out % s.h.out, 0);
    const int c = s.w.input_at(at % s.w.out, 0);
    return n < s.n && s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c : -1;
}

/* The other one is 16 further on. */
__device__ static int first_position(int t) { return t / warpSize * 8 + t % 8; }

/* Thread t of 64 loads two pairs of channels of two positions, and 4 pairs of weights.  8 neighbours have 8 positions
 * of one channel, 32 bytes; the warp's 8 by 4 words are in 32 banks. */
__device__ static void load(tile &to_x, tile &to_w, const float *x, const float *w, const shape &s,
                            const int64_t (&from)[2], int k0, int c0, int t)
{
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const int position = first_position(t) + j % 2 * SIDE / 2, pair = t / 8 % 4 + j / 2 * 4;
        to_x.of[position][place_of(position, pair)]
            = load_pair(x + from[j % 2], s.x_plane(), c0 + pair, from[j % 2] >= 0 ? s.c : 0);
    }
    for (int k = t / DEPTH; k < SIDE; k += THREADS / DEPTH)
        to_w.of[k][place_of(k, t % DEPTH)]
            = load_pair(w + static_cast<int64_t>(k0 + k) * s.c, 1, c0 + t % DEPTH, k0 + k < s.k ? s.c : 0);
}

/* sum += w[k0 ... k0 + 15][16 channels] * x[16 channels][32 positions], of which `there` exist. */
__device__ static void multiply_tile(float (&sum)[TILES][4], const tile &x, const tile &w, int k0, int64_t there)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    const int k = k0 + lane % 16, half = lane / 8 % 2;   /* of weights: rows 0 ... 7, 8 ... 15, and these once more */
    unsigned a[4], both[4];
    ldmatrix_x4(a, &w.of[k][place_of(k, lane / 16 * 4)]);
#pragma unroll
    for (int tile = 0; tile < TILES; tile += 2) {        /* both halves of 8 positions, then of the next 8 */
        const int position = (tile + lane / 16) * COLUMNS + lane % 8;
        ldmatrix_x4(both, &x.of[position][place_of(position, half * 4)]);
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const unsigned b[2] = { both[2 * j], both[2 * j + 1] };
            if ((tile + j) * COLUMNS < there)
                mma_m16n8k16_bf16(sum[tile + j], a, b);
        }
    }
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on
 * by gridDim. */
__global__ void pointwise_ldmatrix(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ tile x_here, w_here;
    const int t = static_cast<int>(threadIdx.x), row = t / warpSize * ROWS;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + first_position(t);   /* of all positions */
    const int64_t from[] = { source(s, i), source(s, i + SIDE / 2) };
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        float sum[TILES][4] = {};
        for (int c0 = 0; c0 < s.c; c0 += CHANNELS) {
            load(x_here, w_here, x, w, s, from, k0, c0, t);
            __syncthreads();
            if (k0 + row < s.k)                       /* a warp as a whole */
                multiply_tile(sum, x_here, w_here, row, s.n * s.y_plane() - i0);
            __syncthreads();
        }
        store_sums(y, bias, s, sum, k0 + row, i0);
    }
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.n * s.y_plane(), SIDE), at_most(blocks_for(s.k, SIDE)));
    launch(workspace, pointwise_ldmatrix, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_pw_07_ldmatrix,
    .title = "operands by ldmatrix, four matrices a request, without bank conflicts",
    .from = "cuda_pw_06_bf16",
    .kinds = 1u << CONV_POINTWISE,
    .accuracy = CONV_BF16_INPUTS,
    .applies = fits_in_ints,
    .run = run);
