/* cuda_dw_3d_01_slices_once.cu - depthwise in 3-D on a GPU, step 1: down the depth, each slice loaded once.
 *
 * Changed since cuda_dw_04_tile: a block computes its tile of up to 16 slices of y, one behind the other, and keeps T
 *     sums a thread.  A slice of x comes into the tile once, and is added to all of them, each with its own slice of the
 *     filter; then the first, whose last slice that was, goes out, the others move up by one, and a new one comes in.
 * Why it is faster: step 4 loads a slice for every output that sees it, 3 times for 3x3x3; here 18 slices are loaded for
 *     16.  A tap of the tile is read for 3 products: 9 loads of shared memory an output, where step 4 has 27.
 * What it costs: 27 weights and 3 sums in registers; a sixteenth of the blocks.
 * Budget: at most 60 registers on sm_80, 64 on sm_90; no spills.
 * Applies to: depthwise problems in NCDHW, 1-D to 3-D, any multiplier, for which what one output reads of a slice fits
 *     in 48 KiB; slices are shared where the filter is 3x3x3, and has stride and dilation 1 along the depth.
 * Explained in docs/ladder-cuda.md, depthwise in 3-D.
 */
#include "rung.h"

enum { ROWS = 8, COLUMNS = 32, SLICES = 16, SHARED_BYTES = 48 << 10 };   /* outputs of a block, at most */

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

/* Where a block works: rows from p0, columns from q0; the thread's output there. */
struct corner { int p0, q0, row, column; };

/* x[n][c][a][:][:] to the tile [high][wide]; zeros in the padding */
__device__ static void fill(float *tile, const float *slice, const corner &at, int wide, const shape &s)
{
    const int high = reach(s.h, static_cast<int>(blockDim.y));
    for (int i = at.row; i < high; i += static_cast<int>(blockDim.y))
    for (int j = at.column; j < wide; j += static_cast<int>(blockDim.x)) {
        const int b = s.h.input_at(at.p0, 0) + i, c = s.w.input_at(at.q0, 0) + j;
        tile[i * wide + j] = s.h.inside(b) && s.w.inside(c) ? slice[b * s.w.in + c] : 0;
    }
}

/* y[n][k][z][p][q], if there is such an output. */
__device__ static void store(float *y_volume, float sum, int z, const corner &at, const shape &s)
{
    const int p = at.p0 + at.row, q = at.q0 + at.column;
    if (p < s.h.out && q < s.w.out)
        y_volume[(z * s.h.out + p) * s.w.out + q] = activate(s.act, sum);
}

/* sum[m] is of the output that is complete m slices on: after slice i, sum[0] is output z0 + i - (K - 1). */
template <int K>
__device__ static void walk(float *y_volume, float *tile, const float *image, const float *weights, float first, int z0,
                     const corner &at, const shape &s)
{
    const int wide = reach(s.w, static_cast<int>(blockDim.x)), slices = min(int(SLICES), s.d.out - z0);
    const float *mine = tile + at.row * s.h.stride * wide + at.column * s.w.stride;
    float filter[K * K * K], sum[K];
#pragma unroll
    for (int tap = 0; tap < K * K * K; tap++)
        filter[tap] = weights[tap];
#pragma unroll
    for (int m = 0; m < K; m++)
        sum[m] = first;
#pragma unroll 1
    for (int i = 0; i < slices + K - 1; i++) {
        const int a = s.d.input_at(z0, i);
        if (s.d.inside(a)) {   /* so for the whole block: nobody misses a barrier */
            fill(tile, image + a * s.h.in * s.w.in, at, wide, s);
            __syncthreads();
#pragma unroll
            for (int tap = 0; tap < K * K; tap++) {
                const float element = mine[tap / K * s.h.dilation * wide + tap % K * s.w.dilation];
#pragma unroll
                for (int m = 0; m < K; m++)
                    sum[m] += element * filter[(K - 1 - m) * K * K + tap];
            }
            __syncthreads();
        }
        if (i >= K - 1)
            store(y_volume, sum[0], z0 + i - (K - 1), at, s);
#pragma unroll
        for (int m = 1; m < K; m++)
            sum[m - 1] = sum[m];
        sum[K - 1] = first;
    }
}

/* Any filter: slice by slice of each output, as in step 4. */
__device__ static void add_slices(float *y_volume, float *tile, const float *image, const float *weights, float first,
                                  int z0, const corner &at, const shape &s)
{
    const int wide = reach(s.w, static_cast<int>(blockDim.x));
    const float *mine = tile + at.row * s.h.stride * wide + at.column * s.w.stride;
    for (int z = z0; z < min(z0 + int(SLICES), s.d.out); z++) {
        float sum = first;
        for (int t = 0; t < s.d.filter; t++) {
            const int a = s.d.input_at(z, t);
            if (!s.d.inside(a))
                continue;      /* so for the whole block */
            fill(tile, image + a * s.h.in * s.w.in, at, wide, s);
            __syncthreads();
            for (int r = 0; r < s.h.filter; r++)
            for (int u = 0; u < s.w.filter; u++)
                sum += mine[r * s.h.dilation * wide + u * s.w.dilation]
                     * weights[(t * s.h.filter + r) * s.w.filter + u];
            __syncthreads();
        }
        store(y_volume, sum, z, at, s);
    }
}

/* blockIdx.z: pieces of SLICES outputs, of channel after channel, from which on a block goes on by gridDim */
template <int K>
__global__ void slices_once(float *y, const float *x, const float *w, const float *bias, shape s)
{
    float *tile = dynamic_shared<float>();                                    /* [high][wide] */
    const int tile_rows = static_cast<int>(blockDim.y), pieces = (s.d.out + SLICES - 1) / SLICES;
    corner at = { 0, static_cast<int>(blockIdx.x * blockDim.x), static_cast<int>(threadIdx.y),
                  static_cast<int>(threadIdx.x) };
    for (int64_t piece = blockIdx.z; piece < s.n * s.k * pieces; piece += gridDim.z) {
        const int64_t volume = piece / pieces, n = volume / s.k;
        const int z0 = static_cast<int>(piece % pieces) * SLICES, k = static_cast<int>(volume % s.k);
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();    /* x[n][c][:][:][:] */
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:][:] */
        const float first = bias ? bias[k] : 0;
        for (at.p0 = static_cast<int>(blockIdx.y) * tile_rows; at.p0 < s.h.out;
             at.p0 += static_cast<int>(gridDim.y) * tile_rows)
            if constexpr (K != 0)
                walk<K>(y + volume * s.y_plane(), tile, image, filter, first, z0, at, s);
            else
                add_slices(y + volume * s.y_plane(), tile, image, filter, first, z0, at, s);
    }
}

/* The largest tile whose input fits, and that isn't mostly beyond the image. */
static dim3 tile_for(const shape &s)
{
    int rows = ROWS, columns = COLUMNS;
    while (columns / 2 >= s.w.out)
        columns /= 2;
    while (rows / 2 >= s.h.out)
        rows /= 2;
    while (static_cast<int64_t>(reach(s.h, rows)) * reach(s.w, columns) > SHARED_BYTES / 4 && rows * columns > 1)
        (rows > 1 ? rows : columns) /= 2;
    return dim3(static_cast<unsigned>(columns), static_cast<unsigned>(rows));
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    return static_cast<int64_t>(s.h.extent()) * s.w.extent() > SHARED_BYTES / 4
        ? "what one output reads of a slice doesn't fit in 48 KiB of shared memory" : nullptr;
}

static auto instance(const shape &s)
{
    const bool plain = s.d.stride == 1 && s.d.dilation == 1;
    return plain && s.d.filter == 3 && s.h.filter == 3 && s.w.filter == 3 ? slices_once<3> : slices_once<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 tile = tile_for(s);
    const dim3 grid(blocks_for(s.w.out, tile.x), at_most(blocks_for(s.h.out, tile.y)),
                    at_most(s.n * s.k * blocks_for(s.d.out, SLICES)));
    const size_t bytes = sizeof(float) * static_cast<size_t>(reach(s.h, static_cast<int>(tile.y)))
                       * static_cast<size_t>(reach(s.w, static_cast<int>(tile.x)));
    launch(workspace, instance(s), grid, tile, bytes, static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_3d_01_slices_once,
    .title = "down the depth with three sums a thread: a slice is loaded once for all outputs that see it",
    .from = "cuda_dw_04_tile",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
