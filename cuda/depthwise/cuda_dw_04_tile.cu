/* cuda_dw_04_tile.cu - step 4 of the depthwise ladder on a GPU: a tile of the image, with its halo, in shared memory.
 *
 * Changed since cuda_dw_03_filter_known: a block copies what its tile of outputs reads, zeros of the padding among it,
 *     to shared memory, waits for all of it, and reads its taps there.
 * Why it is faster: every element is asked of the first cache once for each tile, where step 3 asks once for each tap.
 *     No tap asks any more whether it lies in the image.
 * What it costs: two barriers for each slice of depth; the halo is loaded by two tiles.  Where the stride or the
 *     dilation is large, much of what is copied is never read.
 * Budget: at most 69 registers on sm_80, 64 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW, 1-D to 3-D, any multiplier, for which what one output reads fits in 48 KiB.
 * Explained in docs/ladder-cuda.md, step 4 of depthwise.
 */
#include "rung.h"

enum { ROWS = 8, COLUMNS = 32, SHARED_BYTES = 48 << 10 };

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

template <int K>
__global__ void tile_in_shared_memory(float *y, const float *x, const float *w, const float *bias, shape s)
{
    float *tile = dynamic_shared<float>();                                    /* [high][wide] */
    const int rows = K ? K : s.h.filter, columns = K ? K : s.w.filter, depth = K ? 1 : s.d.filter;
    const int tile_rows = static_cast<int>(blockDim.y), tile_columns = static_cast<int>(blockDim.x);
    const int high = reach(s.h, tile_rows), wide = reach(s.w, tile_columns);
    const int row = static_cast<int>(threadIdx.y), column = static_cast<int>(threadIdx.x);
    const int q0 = static_cast<int>(blockIdx.x) * tile_columns, q = q0 + column;
    for (int64_t plane = blockIdx.z; plane < s.n * s.k * s.d.out; plane += gridDim.z) {
        const int z = static_cast<int>(plane % s.d.out), k = static_cast<int>(plane / s.d.out % s.k);
        const int64_t n = plane / s.d.out / s.k;
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();    /* x[n][c][:][:][:] */
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:][:] */
        for (int p0 = static_cast<int>(blockIdx.y) * tile_rows; p0 < s.h.out;
             p0 += static_cast<int>(gridDim.y) * tile_rows) {
            float sum = bias ? bias[k] : 0;
            for (int t = 0; t < depth; t++) {
                const int a = s.d.input_at(z, t);
                if (!s.d.inside(a))
                    continue;   /* so for the whole block: nobody misses a barrier */
                for (int i = row; i < high; i += tile_rows)
                for (int j = column; j < wide; j += tile_columns) {
                    const int b = s.h.input_at(p0, 0) + i, c = s.w.input_at(q0, 0) + j;
                    tile[i * wide + j] = s.h.inside(b) && s.w.inside(c) ? image[(a * s.h.in + b) * s.w.in + c] : 0;
                }
                __syncthreads();
#pragma unroll
                for (int r = 0; r < rows; r++)
#pragma unroll
                    for (int u = 0; u < columns; u++)
                        sum += tile[(row * s.h.stride + r * s.h.dilation) * wide + column * s.w.stride
                                    + u * s.w.dilation]
                            * filter[(t * rows + r) * columns + u];
                __syncthreads();
            }
            const int p = p0 + row;
            if (p < s.h.out && q < s.w.out)
                y[plane * s.h.out * s.w.out + p * s.w.out + q] = activate(s.act, sum);   /* y[n][k][z][p][q] */
        }
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
        ? "what one output reads doesn't fit in 48 KiB of shared memory" : nullptr;
}

static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    return known == 3 ? tile_in_shared_memory<3> : known == 5 ? tile_in_shared_memory<5>
         : known == 7 ? tile_in_shared_memory<7> : tile_in_shared_memory<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 tile = tile_for(s);
    const dim3 grid(blocks_for(s.w.out, tile.x), at_most(blocks_for(s.h.out, tile.y)), at_most(s.n * s.k * s.d.out));
    const size_t bytes = sizeof(float) * static_cast<size_t>(reach(s.h, static_cast<int>(tile.y)))
                       * static_cast<size_t>(reach(s.w, static_cast<int>(tile.x)));
    launch(workspace, instance(s), grid, tile, bytes, static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_04_tile,
    .title = "a tile of the image with its halo in shared memory",
    .from = "cuda_dw_03_filter_known",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
