/* cuda_dw_09_copies_ahead.cu - step 9 of the depthwise ladder on a GPU: the next tile arrives while this one is used.
 *
 * Changed since cuda_dw_04_tile: a block computes its tile of four planes, one after another, and has two tiles in
 *     shared memory.  While it multiplies in one, cp.async fills the other with the next plane's, or the next slice's.
 * Why it is faster: step 4 loads a tile, waits for memory, multiplies, and is done: nothing happens at once but by
 *     other blocks.  Here a copy has the time of a tile's products to arrive, passes by the registers, and one
 *     barrier does for a tile, where step 4 has two.
 * What it costs: twice the shared memory, and a quarter of the blocks: little is left for many multiprocessors where
 *     a layer is small.  Copies have 4 bytes, since a halo begins anywhere.
 * Budget: at most 48 registers on sm_80, 40 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW, 1-D to 3-D, any multiplier, for which what one output reads fits in 24 KiB.
 * Explained in docs/ladder-cuda.md, step 9 of depthwise.
 */
#include "rung.h"
#include <instructions.h>

enum { ROWS = 8, COLUMNS = 32, PLANES = 4, STAGES = 2, STAGE_BYTES = (48 << 10) / STAGES };

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

/* A tile of one slice: from row b0 and column c0 on, zeros where there is no image.  a: which slice; anywhere. */
__device__ static void begin_copies(float *tile, const float *image, const shape &s, int a, int b0, int c0, int high,
                                    int wide)
{
    for (int i = static_cast<int>(threadIdx.y); i < high; i += static_cast<int>(blockDim.y))
    for (int j = static_cast<int>(threadIdx.x); j < wide; j += static_cast<int>(blockDim.x)) {
        const bool there = s.d.inside(a) && s.h.inside(b0 + i) && s.w.inside(c0 + j);
        const float *element = there ? &image[(a * s.h.in + b0 + i) * s.w.in + c0 + j] : image;
        cp_async_4(&tile[i * wide + j], element, there ? 4 : 0);
    }
    cp_async_commit();
}

/* Tile number `step` of a block: which plane of y, and which slice of depth. */
struct place { int64_t plane; int slice; };

template <int K>
__global__ void tile_copied_ahead(float *y, const float *x, const float *w, const float *bias, shape s)
{
    float *tiles = dynamic_shared<float>();                                   /* [STAGES][high][wide] */
    const int rows = K ? K : s.h.filter, columns = K ? K : s.w.filter, depth = K ? 1 : s.d.filter;
    const int tile_rows = static_cast<int>(blockDim.y), tile_columns = static_cast<int>(blockDim.x);
    const int high = reach(s.h, tile_rows), wide = reach(s.w, tile_columns);
    const int row = static_cast<int>(threadIdx.y), column = static_cast<int>(threadIdx.x);
    const int q0 = static_cast<int>(blockIdx.x) * tile_columns, q = q0 + column;
    const int64_t planes = s.n * s.k * s.d.out;
    for (int p0 = static_cast<int>(blockIdx.y) * tile_rows; p0 < s.h.out;
         p0 += static_cast<int>(gridDim.y) * tile_rows) {
        float sum = 0;
        place now = { blockIdx.z, 0 }, next = now;
        for (int step = -1; now.plane < planes; step++) {                     /* step -1 begins the first copies */
            if (step >= 0) {
                cp_async_wait<0>();      /* this thread's copies of this tile, */
                __syncthreads();         /* and all others'; and all are through with the tile before */
            }
            if (next.plane < planes) {
                const int64_t n = next.plane / s.d.out / s.k;
                const int k = static_cast<int>(next.plane / s.d.out % s.k);
                const int z = static_cast<int>(next.plane % s.d.out);
                begin_copies(tiles + (step + 1) % STAGES * high * wide,
                             x + (n * s.c + k / s.group_k) * s.x_plane(), s,  /* x[n][c][:][:][:] */
                             s.d.input_at(z, next.slice), s.h.input_at(p0, 0), s.w.input_at(q0, 0), high, wide);
            }
            if (step >= 0) {
                const int k = static_cast<int>(now.plane / s.d.out % s.k), p = p0 + row;
                const float *tile = tiles + step % STAGES * high * wide;
                const float *filter = w + (static_cast<int64_t>(k) * depth + now.slice) * rows * columns;
#pragma unroll
                for (int r = 0; r < rows; r++)
#pragma unroll
                    for (int u = 0; u < columns; u++)
                        sum += tile[(row * s.h.stride + r * s.h.dilation) * wide + column * s.w.stride
                                    + u * s.w.dilation]
                            * filter[r * columns + u];
                if (now.slice == depth - 1 && p < s.h.out && q < s.w.out)     /* y[n][k][z][p][q] */
                    y[now.plane * s.h.out * s.w.out + p * s.w.out + q] = activate(s.act, sum + (bias ? bias[k] : 0));
                if (now.slice == depth - 1)
                    sum = 0;
            }
            now = next;
            next = next.slice + 1 < depth ? place{ next.plane, next.slice + 1 } : place{ next.plane + gridDim.z, 0 };
        }
        __syncthreads();                 /* the next rows' copies overwrite what others still read */
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
    while (static_cast<int64_t>(reach(s.h, rows)) * reach(s.w, columns) > STAGE_BYTES / 4 && rows * columns > 1)
        (rows > 1 ? rows : columns) /= 2;
    return dim3(static_cast<unsigned>(columns), static_cast<unsigned>(rows));
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    return static_cast<int64_t>(s.h.extent()) * s.w.extent() > STAGE_BYTES / 4
        ? "what one output reads doesn't fit in 24 KiB, half of shared memory" : nullptr;
}

static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    return known == 3 ? tile_copied_ahead<3> : known == 5 ? tile_copied_ahead<5>
         : known == 7 ? tile_copied_ahead<7> : tile_copied_ahead<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 tile = tile_for(s);
    const dim3 grid(blocks_for(s.w.out, tile.x), at_most(blocks_for(s.h.out, tile.y)),
                    at_most(blocks_for(s.n * s.k * s.d.out, PLANES)));
    const size_t bytes = STAGES * sizeof(float) * static_cast<size_t>(reach(s.h, static_cast<int>(tile.y)))
                       * static_cast<size_t>(reach(s.w, static_cast<int>(tile.x)));
    launch(workspace, instance(s), grid, tile, bytes, static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_09_copies_ahead,
    .title = "the tile of the next plane arrives by asynchronous copies while this one is used",
    .from = "cuda_dw_04_tile",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
