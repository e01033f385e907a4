/* cuda_dw_bwd_weights_02_two_stages.cu - step 2 of depthwise backward_weights on a GPU: sums in one order.
 *
 * Changed since cuda_dw_bwd_weights_01_atomics: a block has one filter and a share of the images.  A thread goes down
 *     8 rows of a column with all K K sums in registers: a row of x is multiplied with the K rows of dy that read it,
 *     which move on by one.  Threads add their sums by shuffles and in shared memory, blocks leave theirs in scratch,
 *     and a second launch adds those: always in the same order.
 * Why it is faster: products are added in registers, not in memory, and dy is loaded once.  x is asked for K times
 *     for each row, not K K times for each element of dy.  Nobody waits in a line.
 * What it costs: K K registers, scratch for the sums of blocks, and a second launch.
 * Budget: at most 128 registers on sm_80, 128 on sm_90; no spills.
 * Applies to: backward_weights of any depthwise problem in NCHW, 1-D to 3-D, any multiplier; sums are kept in
 *     registers for 3x3, 5x5 and 7x7, rows of x with stride and dilation 1; other filters have a thread for each tap.
 * Explained in docs/ladder-cuda.md, step 2 of the gradient with respect to w.
 */
#include "rung.h"
#include <algorithm>

enum { ROWS = 8, MOST_WARPS = 4, MOST_SHARES = 64 };

/* What a thread sums over at a time: rows p0 ... p0 + rows - 1 of column q of dy[n][k][z][:][:], and x[n][c]. */
struct strip { const float *dy, *image; int z, p0, q, rows; };

__device__ static float element(const strip &at, const shape &s, int a, int b, int c)
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
    const int t = static_cast<int>(threadIdx.x), warps = static_cast<int>(blockDim.x) / warpSize;
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        float sum = mine[i];
        for (unsigned by = warpSize / 2; by > 0; by /= 2)
            sum += __shfl_down_sync(~0u, sum, by);
        if (t % warpSize == 0)
            of_warp[i][t / warpSize] = sum;
    }
    __syncthreads();
    for (int i = t; i < COUNT; i += static_cast<int>(blockDim.x)) {
        float sum = 0;
        for (int warp = 0; warp < warps; warp++)
            sum += of_warp[i][warp];
        part[i] = sum;
    }
}

/* parts[share][k][tap], and behind the taps the bias.  A share has each shares-th slice [n][z]. */
template <int K, bool SLIDES>
__global__ void sums_of_shares(float *parts, const float *x, const float *dy, shape s, int shares)
{
    const int k = static_cast<int>(blockIdx.x / shares), share = static_cast<int>(blockIdx.x % shares);
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
__global__ void sums_of_taps(float *parts, const float *x, const float *dy, shape s, int shares)
{
    const int k = static_cast<int>(blockIdx.x / shares), share = static_cast<int>(blockIdx.x % shares);
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

/* The parts of all shares, one after the other. */
__global__ void sum_of_parts(float *dw, float *dbias, const float *parts, shape s, int shares)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, row = s.taps() + 1;
    if (i >= s.k * row)
        return;
    float sum = 0;
    for (int share = 0; share < shares; share++)
        sum += parts[share * s.k * row + i];
    if (i % row < s.taps())
        dw[i / row * s.taps() + i % row] = sum;
    else if (dbias)
        dbias[i / row] = sum;
}

/* Of the slices [n][z]; a grid has less than 2^31 blocks. */
static int shares_of(const shape &s)
{
    return static_cast<int>(std::min<int64_t>({ s.n * s.d.out, MOST_SHARES, (1 << 30) / s.k }));
}

static size_t scratch_bytes(const conv_problem *conv, int)
{
    const shape s = shape_of(conv);
    return sizeof(float) * static_cast<size_t>(shares_of(s)) * static_cast<size_t>(s.k)
         * static_cast<size_t>(s.taps() + 1);
}

template <bool SLIDES> auto instance_of(int filter)
{
    return filter == 3 ? sums_of_shares<3, SLIDES> : filter == 5 ? sums_of_shares<5, SLIDES>
         : filter == 7 ? sums_of_shares<7, SLIDES> : sums_of_taps;
}

static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    const bool plain = s.h.stride * s.w.stride == 1 && s.h.dilation * s.w.dilation == 1;
    return plain ? instance_of<true>(known) : instance_of<false>(known);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    float *parts = static_cast<float *>(workspace->scratch);
    const int shares = shares_of(s);
    const int64_t sums = static_cast<int64_t>(s.k) * (s.taps() + 1);
    const int64_t strips = static_cast<int64_t>(s.h.out + ROWS - 1) / ROWS * s.w.out;
    const int64_t lanes = instance(s) == sums_of_taps ? s.taps() + 1 : strips;
    const unsigned warps = std::min<unsigned>(blocks_for(lanes, WARP), MOST_WARPS);
    if (shares > 0)
        launch(workspace, instance(s), static_cast<unsigned>(s.k * shares), warps * WARP, 0, parts,
               static_cast<const float *>(o->x), static_cast<const float *>(o->y), s, shares);
    launch(workspace, sum_of_parts, blocks_for(sums, MOST_WARPS * WARP), MOST_WARPS * WARP, 0,
           static_cast<float *>(o->w), static_cast<float *>(o->bias), static_cast<const float *>(parts), s, shares);
}

CUDA_KERNEL(cuda_dw_bwd_weights_02_two_stages,
    .title = "sums in registers, added in one order by two launches: the same bits in every run",
    .from = "cuda_dw_bwd_weights_01_atomics",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .applies = fits_in_ints,
    .scratch_bytes = scratch_bytes,
    .run = run);
