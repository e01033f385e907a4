/* cuda_dw_14_planes_by_columns.cu - step 14 of the depthwise ladder on a GPU: small images, a column a thread.
 *
 * Changed since cuda_dw_08_whole_planes: images lie in shared memory as they lie in memory, without padding, and so
 *     are copied by 16 bytes, without a division; outputs gather there as well, and leave in the same way.  A thread
 *     goes down a column of outputs with its filter in registers, and reads K elements for each row of its image.
 * Why it is faster: a warp of step 8 spends 365 instructions on 32 outputs, most of them to find where an element
 *     belongs; here places are found once a column.
 * What it costs: shared memory for outputs, and a question at each end of a row whether there is an element.
 * Budget: at most 128 registers on sm_80, 128 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW of two axes, filters of 3x3, 5x5 and 7x7, strides 1 and 2, no dilation, any
 *     multiplier, of which four images and their outputs fit in 48 KiB.  Meant for images up to 32x32.
 * Explained in docs/ladder-cuda.md, step 14 of depthwise.
 */
#include "rung.h"
#include <algorithm>

enum { MOST_THREADS = 128, SHARED_BYTES = 48 << 10, ALIGNED = 4 };   /* so many images begin at 16 bytes */

/* `count` floats, by 16 bytes where both begin there */
__device__ static void copy(float *to, const float *from, int count, bool whole)
{
    const int t = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const int fours = whole ? count / 4 : 0;
    for (int i = t; i < fours; i += threads)
        reinterpret_cast<float4 *>(to)[i] = reinterpret_cast<const float4 *>(from)[i];
    for (int i = fours * 4 + t; i < count; i += threads)
        to[i] = from[i];
}

/* Outputs q of all rows of an image.  A row of x is in the windows of ALIVE outputs, whose sums are in registers:
 * sum[o % ALIVE] is of output o. */
template <int K, int S>
__device__ void column(float *y_column, const float *image, const float *weights, float first, int q, const shape &s)
{
    constexpr int ALIVE = (K + S - 1) / S;
    const int c0 = s.w.input_at(q, 0);
    int b = s.h.input_at(0, 0);
    const float *at = image + b * s.w.in + c0;                   /* x[n][c][b][c0] */
    float filter[K * K], sum[ALIVE];
#pragma unroll
    for (int tap = 0; tap < K * K; tap++)
        filter[tap] = weights[tap];
#pragma unroll
    for (int g = 0; g < ALIVE; g++)
        sum[g] = first;
    int o = 1 - ALIVE;                                           /* the output that is complete with this step */
#pragma unroll 1
    while (o < s.h.out) {
#pragma unroll
        for (int m = 0; m < ALIVE; m++, o++) {
#pragma unroll
            for (int v = 0; v < S; v++, b++, at += s.w.in)
#pragma unroll
                for (int u = 0; u < K; u++) {
                    const float element = s.h.inside(b) && s.w.inside(c0 + u) ? at[u] : 0;
#pragma unroll
                    for (int g = 0; g < ALIVE; g++)
                        if (g * S + v < K)                       /* row g S + v of the window of output o + ALIVE - 1 - g */
                            sum[(m + ALIVE - g) % ALIVE] += element * filter[(g * S + v < K ? g * S + v : 0) * K + u];
                }
            if (o >= 0 && o < s.h.out) {
                *y_column = activate(s.act, sum[(m + 1) % ALIVE]);
                y_column += s.w.out;
            }
            sum[(m + 1) % ALIVE] = first;
        }
    }
}

/* A block has `planes` of the N C images; an image has group_k outputs, which lie behind one another, too. */
template <int K, int S> __launch_bounds__(MOST_THREADS, K == 7 ? 4 : 0)
__global__ void planes_by_columns(float *y, const float *x, const float *w, const float *bias, shape s, int planes,
                                  bool whole)
{
    const int x_plane = static_cast<int>(s.x_plane()), y_plane = static_cast<int>(s.y_plane());
    float *images = dynamic_shared<float>();                                  /* [planes][high][wide] */
    float *outputs = images + (planes * x_plane + 3) / 4 * 4;                 /* [planes group_k][high][wide] */
    for (int64_t first = static_cast<int64_t>(blockIdx.x) * planes; first < s.n * s.c;
         first += static_cast<int64_t>(gridDim.x) * planes) {
        const int count = static_cast<int>(first + planes < s.n * s.c ? planes : s.n * s.c - first);
        const int k0 = static_cast<int>(first % s.c) * s.group_k;             /* of y[n][k0][:][:] */
        copy(images, x + first * x_plane, count * x_plane, whole);
        __syncthreads();
        for (int i = static_cast<int>(threadIdx.x); i < count * s.group_k * s.w.out; i += static_cast<int>(blockDim.x)) {
            const int plane = i / s.w.out, q = i % s.w.out, k = (k0 + plane) % s.k;
            column<K, S>(outputs + plane * y_plane + q, images + plane / s.group_k * x_plane,
                         w + static_cast<int64_t>(k) * (K * K), bias ? bias[k] : 0, q, s);
        }
        __syncthreads();
        copy(y + first * s.group_k * y_plane, outputs, count * s.group_k * y_plane, whole);
        __syncthreads();
    }
}

static int64_t bytes_of(int64_t planes, const shape &s)
{
    return static_cast<int64_t>(sizeof(float)) * ((planes * s.x_plane() + 3) / 4 * 4 + planes * s.group_k * s.y_plane());
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    const bool steps = s.h.stride == s.w.stride && s.w.stride <= 2 && s.h.dilation * s.w.dilation == 1;
    if (!known_filter(s) || !steps || s.d.in * s.d.out != 1)
        return "it is for images, filters of 3x3, 5x5 and 7x7, strides 1 and 2, and no dilation; step 8 takes others";
    return s.x_plane() <= SHARED_BYTES && s.group_k * s.y_plane() <= SHARED_BYTES && bytes_of(ALIGNED, s) <= SHARED_BYTES
        ? nullptr : "four images and their outputs don't fit in 48 KiB of shared memory";
}

template <int S> auto instance_of(int filter)
{
    return filter == 3 ? planes_by_columns<3, S> : filter == 5 ? planes_by_columns<5, S> : planes_by_columns<7, S>;
}

/* As many images as have a column for each thread: a multiple of four, so that they begin at 16 bytes. */
static int planes_of_block(const shape &s)
{
    const int64_t wanted = std::max<int64_t>(1, MOST_THREADS / (s.group_k * std::max(1, s.w.out))) / ALIGNED * ALIGNED;
    int64_t planes = std::max<int64_t>(wanted, ALIGNED);
    while (bytes_of(planes, s) > SHARED_BYTES)
        planes -= ALIGNED;
    return static_cast<int>(planes);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int planes = planes_of_block(s);
    const int64_t columns = std::min<int64_t>(MOST_THREADS, static_cast<int64_t>(planes) * s.group_k * s.w.out);
    const uintptr_t bits = reinterpret_cast<uintptr_t>(o->x) | reinterpret_cast<uintptr_t>(o->y);
    launch(workspace, s.w.stride == 2 ? instance_of<2>(s.h.filter) : instance_of<1>(s.h.filter),
           blocks_for(s.n * s.c, planes), (static_cast<unsigned>(columns) + WARP - 1) / WARP * WARP,
           static_cast<size_t>(bytes_of(planes, s)), static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s, planes, bits % sizeof(float4) == 0);
}

CUDA_KERNEL(cuda_dw_14_planes_by_columns,
    .title = "small images as they lie in memory; a thread goes down a column",
    .from = "cuda_dw_08_whole_planes",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
