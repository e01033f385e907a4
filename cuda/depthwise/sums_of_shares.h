/* sums_of_shares.h - the sums of products of depthwise backward_weights that a block of a GPU makes of its share.
 *
 *     parts[share][k][tap] = SUM over the share's slices [n][z], p and q: dy[n][k][z][p][q] * x[n][c][a][b][c]
 *
 * and behind the taps the sum of dy, for the bias.  A share has each shares-th slice.  Sums are made in the same order
 * every time: by a thread along its strips, by lanes of a warp, by warps.
 * Introduced in cuda_dw_bwd_weights_02_two_stages, with what adds the parts.
 * Read next: depthwise/cuda_dw_bwd_weights_02_two_stages.cu
 */
#pragma once
#include "rung.h"
#include <algorithm>

enum { ROWS = 8, MOST_WARPS = 4, MOST_SHARES = 64 };

/* What a thread sums over at a time: rows p0 ... p0 + rows - 1 of column q of dy[n][k][z][:][:], and x[n][c]. */
struct strip { const float *dy, *image; int z, p0, q, rows; };

__device__ inline float element(const strip &at, const shape &s, int a, int b, int c)
{
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c) ? at.image[(a * s.h.in + b) * s.w.in + c] : 0;
}

/* Any stride and dilation: the K K elements of each window. */
template <int K> __device__ void add_windows(float (&sum)[K * K + 1], const strip &at, const shape &s)
{
    const int a = s.d.input_at(at.z, 0);
    for (int p = at.p0; p < at.p0 + at.rows; p++) {
        const float dy = at.dy[p * s.w.out + at.q];
        sum[K * K] += dy;
#pragma unroll
        for (int tap = 0; tap < K * K; tap++)
            sum[tap] += dy * element(at, s, a, s.h.input_at(p, tap / K), s.w.input_at(at.q, tap % K));
    }
}

/* Stride and dilation 1: each row of x once.  Row i is read by output p0 + i - r through row r of the filter. */
template <int K> __device__ void slide(float (&sum)[K * K + 1], const strip &at, const shape &s)
{
    float dy[K] = {}, row[K];
#pragma unroll 1
    for (int i = 0; i < at.rows + K - 1; i++) {
#pragma unroll
        for (int r = K - 1; r > 0; r--)
            dy[r] = dy[r - 1];
        dy[0] = i < at.rows ? at.dy[(at.p0 + i) * s.w.out + at.q] : 0;
        sum[K * K] += dy[0];
#pragma unroll
        for (int u = 0; u < K; u++)
            row[u] = element(at, s, s.d.input_at(at.z, 0), s.h.input_at(at.p0, i), s.w.input_at(at.q, u));
#pragma unroll
        for (int r = 0; r < K; r++)
#pragma unroll
            for (int u = 0; u < K; u++)
                if (i - r >= 0 && i - r < at.rows)
                    sum[r * K + u] += dy[r] * row[u];
    }
}

/* Sums of all threads of a block, in the same order every time: within each warp, then over warps. */
template <int COUNT> __device__ void sum_of_block(float *part, const float (&mine)[COUNT])
{
    __shared__ float of_warp[COUNT][MOST_WARPS];
    const int t = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
    const int threads = static_cast<int>(blockDim.x * blockDim.y), warps = threads / warpSize;
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        float sum = mine[i];
        for (unsigned by = warpSize / 2; by > 0; by /= 2)
            sum += __shfl_down_sync(~0u, sum, by);
        if (t % warpSize == 0)
            of_warp[i][t / warpSize] = sum;
    }
    __syncthreads();
    for (int i = t; i < COUNT; i += threads) {
        float sum = 0;
        for (int warp = 0; warp < warps; warp++)
            sum += of_warp[i][warp];
        part[i] = sum;
    }
}

/* A block's filter, and its share of that filter's slices. */
struct place { int k, share; };
__device__ inline place place_of_block(int shares)
{
    return { static_cast<int>(blockIdx.x / shares), static_cast<int>(blockIdx.x % shares) };
}

/* K by K taps, whose sums are in registers. */
template <int K, bool SLIDES>
__device__ void leave_sums_of_strips(float *parts, const float *x, const float *dy, const shape &s, int shares)
{
    const auto [k, share] = place_of_block(shares);
    const int strips = (s.h.out + ROWS - 1) / ROWS * s.w.out;
    float sum[K * K + 1] = {};
    for (int64_t slice = share; slice < s.n * s.d.out; slice += shares) {
        const int64_t n = slice / s.d.out;
        const int z = static_cast<int>(slice % s.d.out);
        for (int i = static_cast<int>(threadIdx.x); i < strips; i += static_cast<int>(blockDim.x)) {
            const int p0 = i / s.w.out * ROWS;
            const strip at = { dy + ((n * s.k + k) * s.d.out + z) * s.h.out * s.w.out,
                               x + (n * s.c + k / s.group_k) * s.x_plane(), z, p0, i % s.w.out,
                               min(ROWS, s.h.out - p0) };
            if constexpr (SLIDES)
                slide<K>(sum, at, s);
            else
                add_windows<K>(sum, at, s);
        }
    }
    sum_of_block(parts + (static_cast<int64_t>(share) * s.k + k) * (K * K + 1), sum);
}

/* Any filter: a thread for each tap, whose sum it has alone, and one for the bias.  All lanes read the same dy. */
__device__ inline void leave_sums_of_taps(float *parts, const float *x, const float *dy, const shape &s, int shares)
{
    const auto [k, share] = place_of_block(shares);
    const int taps = s.taps(), plane = s.h.out * s.w.out;
    for (int tap = static_cast<int>(threadIdx.x); tap <= taps; tap += static_cast<int>(blockDim.x)) {
        const int u = tap % s.w.filter, r = tap / s.w.filter % s.h.filter, t = tap / s.w.filter / s.h.filter;
        float sum = 0;
        for (int64_t slice = share; slice < s.n * s.d.out; slice += shares) {
            const int64_t n = slice / s.d.out;
            const int z = static_cast<int>(slice % s.d.out);
            const strip at = { dy + ((n * s.k + k) * s.d.out + z) * plane,
                               x + (n * s.c + k / s.group_k) * s.x_plane(), z, 0, 0, 0 };
            for (int i = 0; i < plane; i++)
                sum += at.dy[i] * (tap == taps ? 1 : element(at, s, s.d.input_at(z, t), s.h.input_at(i / s.w.out, r),
                                                             s.w.input_at(i % s.w.out, u)));
        }
        parts[(static_cast<int64_t>(share) * s.k + k) * (taps + 1) + tap] = sum;
    }
}

/* K: that of a plain filter that is known, or 0: any. */
template <int K, bool SLIDES>
__device__ void leave_sums(float *parts, const float *x, const float *dy, const shape &s, int shares)
{
    if constexpr (K > 0)
        leave_sums_of_strips<K, SLIDES>(parts, x, dy, s, shares);
    else
        leave_sums_of_taps(parts, x, dy, s, shares);
}

/* What a second launch is for: the parts of all shares, one after the other, a thread for each sum. */
__device__ inline void add_parts(float *dw, float *dbias, const float *parts, shape s, int shares)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, row = s.taps() + 1;
    if (i >= s.k * row)
        return;
    float sum = 0;
#pragma unroll 8                              /* loads that wait for each other are all that a small launch has to do */
    for (int share = 0; share < shares; share++)
        sum += parts[share * s.k * row + i];
    if (i % row < s.taps())
        dw[i / row * s.taps() + i % row] = sum;
    else if (dbias)
        dbias[i / row] = sum;
}

/* ---- on the host ------------------------------------------------------------------------------------------------- */

/* Of the slices [n][z]; a grid has less than 2^31 blocks. */
inline int shares_of(const shape &s)
{
    return static_cast<int>(std::min<int64_t>({ s.n * s.d.out, MOST_SHARES, (1 << 30) / s.k }));
}


inline size_t parts_bytes(const shape &s, int shares)
{
    return sizeof(float) * static_cast<size_t>(shares) * static_cast<size_t>(s.k) * static_cast<size_t>(s.taps() + 1);
}

/* Each row of x is read through a window that slides down by one. */
inline bool slides(const shape &s)
{
    return s.h.stride * s.w.stride == 1 && s.h.dilation * s.w.dilation == 1;
}

inline unsigned threads_for(const shape &s)
{
    const int64_t strips = static_cast<int64_t>(s.h.out + ROWS - 1) / ROWS * s.w.out;
    const int64_t lanes = known_filter(s) ? strips : s.taps() + 1;
    return std::min<unsigned>(blocks_for(lanes, WARP), MOST_WARPS) * WARP;
}
