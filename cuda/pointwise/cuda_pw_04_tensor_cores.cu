/* cuda_pw_04_tensor_cores.cu - step 4 of the pointwise ladder on a GPU: tensor cores, and still f32.
 *
 * Changed since cuda_pw_03_register_tile: a warp multiplies 16 filters by 8 channels by 8 positions in one
 *     instruction.  Its operands have 11 bits, TF32, so that a number is given in three parts and a product takes six
 *     instructions.
 * Why it is faster: a warp reads 12 numbers a lane for 128 products a lane, 0.09 a product after 0.5; and six of
 *     tensor cores' instructions are, by the data sheets, still less time than the multiply-adds that they replace.
 *     Two parts and three instructions, which others call 3xTF32, have 22 bits at most: half of the work, and not f32.
 * What it costs: 32 registers for sums; blocks of 32 by 32 outputs, of which warps without any filter do nothing.
 * Budget: at most 91 registers on sm_80, 91 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding; any values.
 * Explained in docs/ladder-cuda.md, step 4 of pointwise.
 */
#include "rung.h"
#include "three_parts.h"

/* Where position i of an output plane reads in x[n][0]; -1: in the padding. */
__device__ static int64_t source(const shape &s, int64_t n, int i)
{
    const int a = s.d.input_at(i / s.w.out / s.h.out, 0), b = s.h.input_at(i / s.w.out % s.h.out, 0);
    const int c = s.w.input_at(i % s.w.out, 0);
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c : -1;
}

/* Thread t of 64 loads every second channel of position t % 32, and 4 weights. */
__device__ static void load(x_tile &to_x, w_tile &to_w, const float *x, const float *w, const shape &s, int64_t from,
                            int k0, int c0, int t)
{
    for (int c = t / SIDE; c < CHANNELS; c += THREADS / SIDE)
        to_x[c][t % SIDE] = from >= 0 && c0 + c < s.c ? x[(c0 + c) * s.x_plane() + from] : 0;
    for (int k = t / CHANNELS; k < SIDE; k += THREADS / CHANNELS) {
        const int c = t % CHANNELS;
        to_w[k][place_of(k, c)] = k0 + k < s.k && c0 + c < s.c ? w[static_cast<int64_t>(k0 + k) * s.c + c0 + c] : 0;
    }
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on
 * by gridDim. */
__global__ void pointwise_tensor_cores(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ x_tile x_here;
    __shared__ w_tile w_here;
    const int positions = static_cast<int>(s.y_plane()), t = static_cast<int>(threadIdx.x), row = t / warpSize * ROWS;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + t % SIDE;   /* of all positions */
    const int64_t from = i < s.n * positions ? source(s, i / positions, static_cast<int>(i % positions)) : -1;
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        sums sum = {};
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
    launch(workspace, pointwise_tensor_cores, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_pw_04_tensor_cores,
    .title = "tensor cores, six products of parts in TF32 for one in f32",
    .from = "cuda_pw_03_register_tile",
    .kinds = 1u << CONV_POINTWISE,
    .applies = fits_in_ints,
    .run = run);
