/* cuda_dw_05_rows_in_registers.cu - step 5 of the depthwise ladder on a GPU: four outputs of a column for each thread.
 *
 * Changed since cuda_dw_04_tile: a thread computes four outputs, one below the other.  Of a row of the tile it reads K
 *     elements into registers, and uses them for every output whose window they lie in.  Its filter stays there, too.
 * Why it is faster: four outputs of a 3x3 filter read 6 rows of 3 elements, not 4 times 3 rows: 18 in the place of 36;
 *     and a higher tile has less halo: 34 rows are loaded for 32, where step 4 loads 10 for 8.
 * What it costs: registers, and threads without work where images are lower than 32 rows.
 * Budget: at most 93 registers on sm_80, 95 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW, 1-D to 3-D, any multiplier, for which what one output reads fits in 48 KiB;
 *     rows are shared among outputs where stride and dilation are 1 and the filter is 3x3, 5x5 or 7x7.
 * Explained in docs/ladder-cuda.md, step 5 of depthwise.
 */
#include "rung.h"

enum { ROWS = 8, COLUMNS = 32, OUTPUTS = 4, SHARED_BYTES = 48 << 10 };

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

/* Stride and dilation 1: each row of the tile once, for all outputs that see it. */
template <int K>
__device__ void add_rows(float (&sum)[OUTPUTS], const float *tile, const float (&filter)[K * K], int wide)
{
#pragma unroll
    for (int i = 0; i < OUTPUTS + K - 1; i++) {
        float row[K];
#pragma unroll
        for (int u = 0; u < K; u++)
            row[u] = tile[i * wide + u];                                      /* tile[row + i][column + u] */
#pragma unroll
        for (int o = 0; o < OUTPUTS; o++)
#pragma unroll
            for (int u = 0; u < K; u++)
                if (i - o >= 0 && i - o < K)
                    sum[o] += row[u] * filter[(i - o) * K + u];
    }
}

/* Any filter: output by output. */
__device__ inline void add_taps(float (&sum)[OUTPUTS], const float *tile, const float *filter, int wide, const shape &s)
{
#pragma unroll
    for (int o = 0; o < OUTPUTS; o++)
        for (int r = 0; r < s.h.filter; r++)
        for (int u = 0; u < s.w.filter; u++)
            sum[o] += tile[(o * s.h.stride + r * s.h.dilation) * wide + u * s.w.dilation]
                    * filter[r * s.w.filter + u];
}

template <int K>
__global__ void rows_in_registers(float *y, const float *x, const float *w, const float *bias, shape s)
{
    float *tile = dynamic_shared<float>();                                    /* [high][wide] */
    const int tile_rows = static_cast<int>(blockDim.y) * OUTPUTS, tile_columns = static_cast<int>(blockDim.x);
    const int high = reach(s.h, tile_rows), wide = reach(s.w, tile_columns);
    const int row = static_cast<int>(threadIdx.y) * OUTPUTS, column = static_cast<int>(threadIdx.x);
    const int q0 = static_cast<int>(blockIdx.x) * tile_columns, q = q0 + column;
    for (int64_t plane = blockIdx.z; plane < s.n * s.k * s.d.out; plane += gridDim.z) {
        const int z = static_cast<int>(plane % s.d.out), k = static_cast<int>(plane / s.d.out % s.k);
        const int64_t n = plane / s.d.out / s.k;
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();    /* x[n][c][:][:][:] */
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:][:] */
        float kept[K ? K * K : 1];
#pragma unroll
        for (int tap = 0; tap < K * K; tap++)
            kept[tap] = filter[tap];
        for (int p0 = static_cast<int>(blockIdx.y) * tile_rows; p0 < s.h.out;
             p0 += static_cast<int>(gridDim.y) * tile_rows) {
            const float first = bias ? bias[k] : 0;
            float sum[OUTPUTS] = { first, first, first, first };
            for (int t = 0; t < s.d.filter; t++) {
                const int a = s.d.input_at(z, t);
                if (!s.d.inside(a))
                    continue;   /* so for the whole block: nobody misses a barrier */
                for (int i = static_cast<int>(threadIdx.y); i < high; i += static_cast<int>(blockDim.y))
                for (int j = column; j < wide; j += tile_columns) {
                    const int b = s.h.input_at(p0, 0) + i, c = s.w.input_at(q0, 0) + j;
                    tile[i * wide + j] = s.h.inside(b) && s.w.inside(c) ? image[(a * s.h.in + b) * s.w.in + c] : 0;
                }
                __syncthreads();
                const float *corner = tile + row * s.h.stride * wide + column * s.w.stride;
                if constexpr (K != 0)
                    add_rows<K>(sum, corner, kept, wide);
                else
                    add_taps(sum, corner, filter + t * s.h.filter * s.w.filter, wide, s);
                __syncthreads();
            }
#pragma unroll
            for (int o = 0; o < OUTPUTS; o++)
                if (p0 + row + o < s.h.out && q < s.w.out)                    /* y[n][k][z][p][q] */
                    y[plane * s.h.out * s.w.out + (p0 + row + o) * s.w.out + q] = activate(s.act, sum[o]);
        }
    }
}

/* The largest tile whose input fits, and that isn't mostly beyond the image. */
static dim3 tile_for(const shape &s)
{
    int rows = ROWS, columns = COLUMNS;
    while (columns / 2 >= s.w.out)
        columns /= 2;
    while (rows > 1 && (rows / 2) * OUTPUTS >= s.h.out)
        rows /= 2;
    while (static_cast<int64_t>(reach(s.h, rows * OUTPUTS)) * reach(s.w, columns) > SHARED_BYTES / 4
           && rows * columns > 1)
        (rows > 1 ? rows : columns) /= 2;
    return dim3(static_cast<unsigned>(columns), static_cast<unsigned>(rows));
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    return static_cast<int64_t>(reach(s.h, OUTPUTS)) * s.w.extent() > SHARED_BYTES / 4
        ? "what four outputs read doesn't fit in 48 KiB of shared memory" : nullptr;
}

static auto instance(const shape &s)
{
    const bool plain = s.h.stride * s.w.stride == 1 && s.h.dilation * s.w.dilation == 1 && s.d.filter == 1
                    && s.h.filter == s.w.filter;
    const int known = plain ? s.h.filter : 0;
    return known == 3 ? rows_in_registers<3> : known == 5 ? rows_in_registers<5>
         : known == 7 ? rows_in_registers<7> : rows_in_registers<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 tile = tile_for(s);
    const int high = static_cast<int>(tile.y) * OUTPUTS;
    const dim3 grid(blocks_for(s.w.out, tile.x), at_most(blocks_for(s.h.out, high)), at_most(s.n * s.k * s.d.out));
    const size_t bytes = sizeof(float) * static_cast<size_t>(reach(s.h, high))
                       * static_cast<size_t>(reach(s.w, static_cast<int>(tile.x)));
    launch(workspace, instance(s), grid, tile, bytes, static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_05_rows_in_registers,
    .title = "four outputs of a column for each thread: a row is read once for all of them",
    .from = "cuda_dw_04_tile",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
