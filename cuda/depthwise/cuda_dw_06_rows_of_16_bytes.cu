/* cuda_dw_06_rows_of_16_bytes.cu - step 6 of the depthwise ladder on a GPU: 16 bytes a load, and sums that move up.
 *
 * Changed since cuda_dw_05_rows_in_registers: a thread has 4 neighbouring columns, which it loads and stores at once,
 *     and goes down up to 16 rows with K rows of sums.  A row of the image is added to all of them; then the first,
 *     whose last tap that was, goes out, the others move up by one, and a new one comes in.
 * Why it is faster: one instruction moves what took four; 4 columns read K + 3 elements of a row, not 4 K, and each
 *     row once; a tile of 128 columns has a quarter of the halo beside it.
 * What it costs: where rows don't begin at 16 bytes, their elements are loaded and stored one by one, 4 apart.  Sums
 *     of K - 1 rows above and below a thread's are begun and thrown away.
 * The tile keeps column j at [j % 4][j / 4]: neighbouring threads are 4 columns apart, and so they read 32 banks.
 * Budget: at most 128 registers on sm_80, 125 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW whose filter has no depth, any multiplier, for which what 4 outputs read
 *     fits in 48 KiB; sums move where stride and dilation are 1 and the filter is 3x3, 5x5 or 7x7.
 * Explained in docs/ladder-cuda.md, step 6 of depthwise.
 */
#include "four.h"
#include "rung.h"

enum { ROWS = 16, LANES = 32, DOWN = 4, SHARED_BYTES = 48 << 10 };   /* outputs of a column; threads of a block */

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

/* How a plane is cut.  A tile has `wide` groups of 4 columns, and begins up to 3 before the first that is read. */
struct cut {
    int lanes, down, rows;   /* threads beside and below each other; rows of outputs of a thread */
    bool whole;              /* rows of x and y begin at 16 bytes */

    __host__ __device__ int high(const shape &s) const { return reach(s.h, down * rows); }
    __host__ __device__ int wide(const shape &s) const { return (reach(s.w, lanes * FOUR) + 6) / FOUR; }
};

/* Where column j of a row of the tile lies in it. */
__device__ static int place(int j, int wide) { return (j & 3) * wide + (j >> 2); }

/* x[n][c][a][:][:] to the tile, from row b0 and column c0 on, a multiple of 4; zeros where a lies in the padding */
__device__ static void fill(float *tile, const float *slice, bool there, int b0, int c0, const cut &cut,
                            const shape &s)
{
    const int wide = cut.wide(s);
    for (int i = static_cast<int>(threadIdx.y); i < cut.high(s); i += cut.down)
    for (int v = static_cast<int>(threadIdx.x); v < wide; v += cut.lanes) {
        float four[FOUR];
        load_four(four, slice + (b0 + i) * s.w.in, c0 + v * FOUR, s.w, there && s.h.inside(b0 + i), cut.whole);
#pragma unroll
        for (int j = 0; j < FOUR; j++)
            tile[i * FOUR * wide + place(v * FOUR + j, wide)] = four[j];
    }
}

/* sum[m] is of the output that is complete m rows on: after row i of the tile, sum[0] is output i - (K - 1). */
template <int K>
__device__ void slide(float *out, const float *tile, int j0, const float *weights, float first, int rows, int q,
                      const cut &cut, const shape &s)
{
    float filter[K * K], sum[K][FOUR], row[FOUR + K - 1];
    int at[FOUR + K - 1];
#pragma unroll
    for (int tap = 0; tap < K * K; tap++)
        filter[tap] = weights[tap];
#pragma unroll
    for (int u = 0; u < FOUR + K - 1; u++)
        at[u] = place(j0 + u, cut.wide(s));
#pragma unroll
    for (int m = 0; m < K * FOUR; m++)
        sum[m / FOUR][m % FOUR] = first;
#pragma unroll 1
    for (int i = 0; rows > 0 && i < rows + K - 1; i++, tile += FOUR * cut.wide(s)) {
#pragma unroll
        for (int u = 0; u < FOUR + K - 1; u++)
            row[u] = tile[at[u]];
#pragma unroll
        for (int m = 0; m < K; m++)
#pragma unroll
            for (int j = 0; j < FOUR * K; j++)
                sum[m][j / K] += row[j / K + j % K] * filter[(K - 1 - m) * K + j % K];
        if (i >= K - 1)
            store_four(out + (i - (K - 1)) * s.w.out, q, sum[0], s.w, s.act, cut.whole);
#pragma unroll
        for (int m = FOUR; m < K * FOUR; m++)
            sum[m / FOUR - 1][m % FOUR] = sum[m / FOUR][m % FOUR];
#pragma unroll
        for (int j = 0; j < FOUR; j++)
            sum[K - 1][j] = first;
    }
}

/* Any filter: output by output. */
__device__ static void add_taps(float *out, const float *tile, int j0, const float *weights, float first, int rows,
                                int q, const cut &cut, const shape &s)
{
    const int wide = cut.wide(s);
    for (int o = 0; o < rows; o++) {
        float sum[FOUR] = { first, first, first, first };
        for (int r = 0; r < s.h.filter; r++)
        for (int u = 0; u < s.w.filter; u++)
#pragma unroll
            for (int j = 0; j < FOUR; j++)
                sum[j] += tile[(o * s.h.stride + r * s.h.dilation) * FOUR * wide
                               + place(j0 + j * s.w.stride + u * s.w.dilation, wide)] * weights[r * s.w.filter + u];
        store_four(out + o * s.w.out, q, sum, s.w, s.act, cut.whole);
    }
}

template <int K> __launch_bounds__(LANES * DOWN)
__global__ void rows_of_16_bytes(float *y, const float *x, const float *w, const float *bias, shape s, cut cut)
{
    float *tile = dynamic_shared<float>();                                    /* [high][4][wide] */
    const int row = static_cast<int>(threadIdx.y) * cut.rows, column = static_cast<int>(threadIdx.x) * FOUR;
    const int q0 = static_cast<int>(blockIdx.x) * cut.lanes * FOUR;
    const int c0 = s.w.input_at(q0, 0) & ~3;   /* down to a multiple of 4, below zero as well */
    const int j0 = s.w.input_at(q0 + column, 0) - c0;
    for (int64_t plane = blockIdx.z; plane < s.n * s.k * s.d.out; plane += gridDim.z) {
        const int z = static_cast<int>(plane % s.d.out), k = static_cast<int>(plane / s.d.out % s.k);
        const int64_t n = plane / s.d.out / s.k;
        const int a = s.d.input_at(z, 0);
        /* x[n][c][a][:][:] */
        const float *slice = x + (n * s.c + k / s.group_k) * s.x_plane() + a * s.h.in * s.w.in;
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:] */
        const float first = bias ? bias[k] : 0;
        for (int p0 = static_cast<int>(blockIdx.y) * cut.down * cut.rows; p0 < s.h.out;
             p0 += static_cast<int>(gridDim.y) * cut.down * cut.rows) {
            fill(tile, slice, s.d.inside(a), s.h.input_at(p0, 0), c0, cut, s);
            __syncthreads();
            const int p = p0 + row, rows = min(cut.rows, s.h.out - p);        /* below the image: 0 or less */
            float *out = y + (plane * s.h.out + p) * s.w.out;                 /* y[n][k][z][p][:] */
            const float *from = tile + row * s.h.stride * FOUR * cut.wide(s);
            if constexpr (K != 0)
                slide<K>(out, from, j0, filter, first, rows, q0 + column, cut, s);
            else
                add_taps(out, from, j0, filter, first, rows, q0 + column, cut, s);
            __syncthreads();
        }
    }
}

static int64_t bytes(const cut &cut, const shape &s)
{
    return static_cast<int64_t>(sizeof(float4)) * cut.high(s) * cut.wide(s);
}

/* The largest tile that fits, and that ends where the image does. */
static cut cut_for(const shape &s, bool whole)
{
    cut cut = { LANES, DOWN, 0, whole };
    while (cut.lanes > 1 && cut.lanes / 2 * FOUR >= s.w.out)
        cut.lanes /= 2;
    while (cut.down > 1 && cut.down / 2 * ROWS >= s.h.out)
        cut.down /= 2;
    const int strips = (s.h.out + ROWS - 1) / ROWS;
    cut.rows = (s.h.out + strips - 1) / strips;
    while (bytes(cut, s) > SHARED_BYTES && cut.lanes * cut.down * cut.rows > 1)
        (cut.down > 1 ? cut.down : cut.rows > 1 ? cut.rows : cut.lanes) /= 2;
    return cut;
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    if (s.d.filter != 1)
        return "its sums move down the rows of a filter, which has no depth";
    return bytes({ 1, 1, 1, false }, s) > SHARED_BYTES
        ? "what four outputs read doesn't fit in 48 KiB of shared memory" : nullptr;
}

static auto instance(const shape &s)
{
    const bool plain = s.h.stride * s.w.stride == 1 && s.h.dilation * s.w.dilation == 1 && s.h.filter == s.w.filter;
    const int known = plain ? s.h.filter : 0;
    return known == 3 ? rows_of_16_bytes<3> : known == 5 ? rows_of_16_bytes<5>
         : known == 7 ? rows_of_16_bytes<7> : rows_of_16_bytes<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const cut cut = cut_for(s, rows_are_whole(s, o->x, o->y));
    const dim3 block(static_cast<unsigned>(cut.lanes), static_cast<unsigned>(cut.down));
    const dim3 grid(blocks_for(s.w.out, cut.lanes * FOUR), at_most(blocks_for(s.h.out, cut.down * cut.rows)),
                    at_most(s.n * s.k * s.d.out));
    launch(workspace, instance(s), grid, block, static_cast<size_t>(bytes(cut, s)), static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s,
           cut);
}

CUDA_KERNEL(cuda_dw_06_rows_of_16_bytes,
    .title = "4 columns a thread in loads of 16 bytes; sums move up as it goes down the rows",
    .from = "cuda_dw_05_rows_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
