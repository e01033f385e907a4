/* cuda_dw_07_halo_by_shuffle.cu - step 7 of the depthwise ladder on a GPU: neighbours hand each other the halo.
 *
 * Changed since cuda_dw_06_rows_of_16_bytes: no shared memory and no barrier.  A thread loads its 4 columns of a row
 *     straight into registers; the K / 2 columns on each side are in those of its neighbours: a shuffle fetches them.
 * Why it is faster: a row goes from memory to the sums without a way through shared memory, and a warp waits for no
 *     other: while one waits for its row, others add theirs.  No tile can be too large.
 * What it costs: the K - 1 rows between a thread and the one below it are loaded by both: for 14 rows, 16.  The first
 *     and the last thread of a row fetch their halo themselves.
 * Budget: at most 128 registers on sm_80, 128 on sm_90; no spills.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier; halos are handed on where stride and
 *     dilation are 1, the filter is 3x3, 5x5 or 7x7, and K / 2 columns of padding lie before the image.
 * As in: what Lu, Zhang and Wang (TPDS 2021) call column reuse.
 * Explained in docs/ladder-cuda.md, step 7 of depthwise.
 */
#include "four.h"
#include "rung.h"

enum { ROWS = 16, THREADS = 128 };   /* outputs of a column, at most; threads of a block, at most */

/* How a plane is cut. */
struct cut {
    int lanes, down, rows;   /* threads beside and below each other; rows of outputs of a thread */
    bool whole;              /* rows of x and y begin at 16 bytes */
};

__device__ static float element(const float *row, int c, const axis &w, bool there)
{
    return there && w.inside(c) ? row[c] : 0;
}

/* Columns q - K/2 ... q + 3 + K/2 of a row of the image.  All threads of a warp come here together. */
template <int K>
__device__ void window(float (&to)[FOUR + K - 1], const float *row, int q, bool there, const cut &cut, const shape &s)
{
    constexpr int HALO = K / 2;
    float mine[FOUR];
    load_four(mine, row, q, s.w, there, cut.whole);
#pragma unroll
    for (int j = 0; j < FOUR; j++)
        to[HALO + j] = mine[j];
#pragma unroll
    for (int h = 0; h < HALO; h++) {
        to[h] = __shfl_up_sync(~0u, mine[FOUR - HALO + h], 1);
        to[HALO + FOUR + h] = __shfl_down_sync(~0u, mine[h], 1);
        if (threadIdx.x == 0)
            to[h] = element(row, q - HALO + h, s.w, there);
        if (threadIdx.x == blockDim.x - 1)
            to[HALO + FOUR + h] = element(row, q + FOUR + h, s.w, there);
    }
}

/* sum[m] is of the output that is complete m rows on: after row i, sum[0] is output p + i - (K - 1). */
template <int K>
__device__ void slide(float *y_plane, const float *slice, bool there, const float *weights, float first, int p, int q,
                      const cut &cut, const shape &s)
{
    float filter[K * K], sum[K][FOUR], row[FOUR + K - 1];
#pragma unroll
    for (int tap = 0; tap < K * K; tap++)
        filter[tap] = weights[tap];
#pragma unroll
    for (int m = 0; m < K * FOUR; m++)
        sum[m / FOUR][m % FOUR] = first;
#pragma unroll 1
    for (int i = 0; i < cut.rows + K - 1; i++) {
        const int b = s.h.input_at(p, i), done = p + i - (K - 1);
        window<K>(row, slice + b * s.w.in, q, there && s.h.inside(b), cut, s);
#pragma unroll
        for (int m = 0; m < K; m++)
#pragma unroll
            for (int j = 0; j < FOUR * K; j++)
                sum[m][j / K] += row[j / K + j % K] * filter[(K - 1 - m) * K + j % K];
        if (done >= p && done < s.h.out)
            store_four(y_plane + done * s.w.out, q, sum[0], s.w, s.act, cut.whole);
#pragma unroll
        for (int m = FOUR; m < K * FOUR; m++)
            sum[m / FOUR - 1][m % FOUR] = sum[m / FOUR][m % FOUR];
#pragma unroll
        for (int j = 0; j < FOUR; j++)
            sum[K - 1][j] = first;
    }
}

/* Any filter: output by output, as in step 3. */
__device__ static void add_taps(float *y_plane, const float *image, const float *weights, float first, int z, int p0,
                                int q, const cut &cut, const shape &s)
{
    for (int p = p0; p < min(p0 + cut.rows, s.h.out); p++) {
        float sum[FOUR] = { first, first, first, first };
        for (int t = 0; t < s.d.filter; t++)
        for (int r = 0; r < s.h.filter; r++) {
            const int a = s.d.input_at(z, t), b = s.h.input_at(p, r);
            for (int u = 0; u < s.w.filter && s.d.inside(a) && s.h.inside(b); u++)
#pragma unroll
                for (int j = 0; j < FOUR; j++)
                    sum[j] += element(image + (a * s.h.in + b) * s.w.in, s.w.input_at(q + j, u), s.w, q + j < s.w.out)
                            * weights[(t * s.h.filter + r) * s.w.filter + u];
        }
        store_four(y_plane + p * s.w.out, q, sum, s.w, s.act, cut.whole);
    }
}

template <int K> __launch_bounds__(THREADS)
__global__ void halo_by_shuffle(float *y, const float *x, const float *w, const float *bias, shape s, cut cut)
{
    const int q = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * FOUR;
    for (int64_t plane = blockIdx.z; plane < s.n * s.k * s.d.out; plane += gridDim.z) {
        const int z = static_cast<int>(plane % s.d.out), k = static_cast<int>(plane / s.d.out % s.k);
        const int64_t n = plane / s.d.out / s.k;
        const int a = s.d.input_at(z, 0);
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();    /* x[n][c][:][:][:] */
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:][:] */
        float *y_plane = y + plane * s.h.out * s.w.out;                       /* y[n][k][z][:][:] */
        const float first = bias ? bias[k] : 0;
        for (int p0 = static_cast<int>(blockIdx.y) * cut.down * cut.rows; p0 < s.h.out;
             p0 += static_cast<int>(gridDim.y) * cut.down * cut.rows) {
            const int p = p0 + static_cast<int>(threadIdx.y) * cut.rows;
            if constexpr (K != 0)
                slide<K>(y_plane, image + a * s.h.in * s.w.in, s.d.inside(a), filter, first, p, q, cut, s);
            else
                add_taps(y_plane, image, filter, first, z, p, q, cut, s);
        }
    }
}

/* Whole warps, for lanes that aren't there can't shuffle: 32 threads at least, in rows of 1, 2, 4, ..., 32. */
static cut cut_for(const shape &s, bool whole)
{
    cut cut = { WARP, THREADS / WARP, 0, whole };
    while (cut.lanes > 1 && cut.lanes / 2 * FOUR >= s.w.out)
        cut.lanes /= 2, cut.down *= 2;
    while (cut.lanes * cut.down > WARP && cut.down / 2 * ROWS >= s.h.out)
        cut.down /= 2;
    const int strips = (s.h.out + ROWS - 1) / ROWS;
    cut.rows = (s.h.out + strips - 1) / strips;
    return cut;
}

static auto instance(const shape &s)
{
    const bool plain = s.h.stride * s.w.stride == 1 && s.h.dilation * s.w.dilation == 1 && s.d.filter == 1
                    && s.h.filter == s.w.filter && s.w.pad == s.w.filter / 2;
    const int known = plain ? s.h.filter : 0;
    return known == 3 ? halo_by_shuffle<3> : known == 5 ? halo_by_shuffle<5>
         : known == 7 ? halo_by_shuffle<7> : halo_by_shuffle<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const cut cut = cut_for(s, rows_are_whole(s, o->x, o->y));
    const dim3 block(static_cast<unsigned>(cut.lanes), static_cast<unsigned>(cut.down));
    const dim3 grid(blocks_for(s.w.out, cut.lanes * FOUR), at_most(blocks_for(s.h.out, cut.down * cut.rows)),
                    at_most(s.n * s.k * s.d.out));
    launch(workspace, instance(s), grid, block, 0, static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s, cut);
}

CUDA_KERNEL(cuda_dw_07_halo_by_shuffle,
    .title = "the halo from the registers of neighbours: no shared memory, no barrier",
    .from = "cuda_dw_06_rows_of_16_bytes",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = fits_in_ints,
    .run = run);
