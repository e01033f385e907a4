/* rows_ahead.h - a thread goes down four columns of an image, with K rows on their way.   Not a rung.
 *
 * What cuda_dw_13_rows_ahead and cuda_dw_bwd_data_03_as_forward share: filters of 3x3, 5x5 and 7x7 with stride and
 * dilation 1.  FLIPPED reads a filter from its end, which makes a gradient with respect to x of a forward pass.
 * Read next: cuda_dw_13_rows_ahead.cu, which says why
 */
#pragma once
#include "../four.h"
#include "../rung.h"

namespace rows_ahead {

enum { THREADS = 128 };   /* of a block, at most */

/* Outputs of a column, at most: a small filter has few rows to read twice, and gains by more threads. */
inline int rows_of(int filter) { return filter == 3 ? 8 : 28; }

/* How a plane is cut. */
struct cut {
    int lanes, down, rows;   /* threads beside and below each other; rows of outputs of a thread */
    int spare;               /* lanes at each end of a row that only load, for their neighbours; 0 if a row has no others */
};

/* Columns q - K/2 ... q + 3 + K/2 from those of this thread and of its neighbours.  What the first and the last lane of
 * a row have no neighbour for is padding, or lies in lanes to spare.  All threads of a warp come here together. */
template <int K>
__device__ void window(float (&to)[FOUR + K - 1], const float (&mine)[FOUR])
{
    constexpr int HALO = K / 2;
#pragma unroll
    for (int j = 0; j < FOUR; j++)
        to[HALO + j] = mine[j];
#pragma unroll
    for (int h = 0; h < HALO; h++) {
        const float left = __shfl_up_sync(~0u, mine[FOUR - HALO + h], 1);
        const float right = __shfl_down_sync(~0u, mine[h], 1);
        to[h] = threadIdx.x == 0 ? 0 : left;
        to[HALO + FOUR + h] = threadIdx.x == blockDim.x - 1 ? 0 : right;
    }
}

/* Outputs p ... p + rows - 1 of columns q ... q + 3, from rows b, b + 1, ... of x; sum[o % K] is of output p + o.  Other
 * threads of the warp have at most `most` rows, and all go down together.
 * x_row and y_row are rows b and p; `stores`: are the columns inside y, and this thread's? */
template <int K, bool WHOLE>
__device__ void slide(float *y_row, const float *x_row, const float (&filter)[K * K], float first, int rows, int most,
                      int b, int q, bool stores, const shape &s)
{
    float sum[K][FOUR], ahead[K][FOUR], row[FOUR + K - 1];
    const int last = rows > 0 ? min(s.h.in, b + rows + K - 1) : 0;   /* row behind the last that is read */
#pragma unroll
    for (int r = 0; r < K; r++, x_row += s.w.in) {
        load_four(ahead[r], x_row, q, s.w, b + r >= 0 && b + r < last, WHOLE);
#pragma unroll
        for (int j = 0; j < FOUR; j++)
            sum[r][j] = first;
    }
    b += K;
    int o = 1 - K;                                                /* the output that is complete with the next row */
#pragma unroll 1
    while (o < most) {
#pragma unroll
        for (int r = 0; r < K; r++, b++, o++, x_row += s.w.in) {
            window<K>(row, ahead[r]);
            load_four(ahead[r], x_row, q, s.w, b >= 0 && b < last, WHOLE);
#pragma unroll
            for (int tap = 0; tap < K; tap++)                     /* this row is row `tap` of the window of output o + K - 1 - tap */
#pragma unroll
                for (int j = 0; j < FOUR * K; j++)
                    sum[(r + K - tap) % K][j / K] += row[j / K + j % K] * filter[tap * K + j % K];
            if (o >= 0 && o < rows) {
                if (stores)
                    store_four(y_row, q, sum[(r + 1) % K], s.w, s.act, WHOLE);
                y_row += s.w.out;
            }
#pragma unroll
            for (int j = 0; j < FOUR; j++)
                sum[(r + 1) % K][j] = first;
        }
    }
}

template <int K, bool FLIPPED, bool WHOLE> __launch_bounds__(THREADS, K == 3 && WHOLE ? 8 : K == 3 ? 6 : K == 5 ? 4 : 1)
__global__ void rows_of_plane(float *y, const float *x, const float *w, const float *bias, shape s, cut cut)
{
    const int lane = static_cast<int>(threadIdx.x);
    const int q = (static_cast<int>(blockIdx.x) * (cut.lanes - 2 * cut.spare) + lane - cut.spare) * FOUR;
    const bool stores = q < s.w.out && lane >= cut.spare && lane < cut.lanes - cut.spare;
    for (int64_t plane = blockIdx.z; plane < s.n * s.k; plane += gridDim.z) {
        const int k = static_cast<int>(plane % s.k);
        const int64_t n = plane / s.k;
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();     /* x[n][c][:][:] */
        const float *weights = w + static_cast<int64_t>(k) * s.taps();        /* w[k][:][:] */
        float *y_plane = y + plane * s.y_plane();                             /* y[n][k][:][:] */
        float filter[K * K];
#pragma unroll
        for (int tap = 0; tap < K * K; tap++)
            filter[tap] = weights[FLIPPED ? K * K - 1 - tap : tap];
        for (int p0 = static_cast<int>(blockIdx.y) * cut.down * cut.rows; p0 < s.h.out;
             p0 += static_cast<int>(gridDim.y) * cut.down * cut.rows) {
            const int p = p0 + static_cast<int>(threadIdx.y) * cut.rows, b = s.h.input_at(p, 0);
            slide<K, WHOLE>(y_plane + p * s.w.out, image + b * s.w.in, filter, bias ? bias[k] : 0,
                            min(cut.rows, s.h.out - p), cut.rows, b, q, stores, s);
        }
    }
}

/* Whole warps, for lanes that aren't there can't shuffle: 32 threads at least, in rows of 1, 2, 4, ..., 32; `most`: rows of
 * outputs of a thread. */
inline cut cut_for(const shape &s, int most)
{
    cut cut = { WARP, THREADS / WARP, 0, 0 };
    while (cut.lanes > 1 && cut.lanes / 2 * FOUR >= s.w.in && cut.lanes / 2 * FOUR >= s.w.out)
        cut.lanes /= 2, cut.down *= 2;
    while (cut.lanes * cut.down > WARP && cut.down / 2 * most >= s.h.out)
        cut.down /= 2;
    const int strips = (s.h.out + most - 1) / most;
    cut.rows = (s.h.out + strips - 1) / strips;
    cut.spare = cut.lanes * FOUR < s.w.in || cut.lanes * FOUR < s.w.out;
    return cut;
}

/* NULL, or why not: a forward problem of filters of which the columns before and behind a row are at most K / 2 */
inline const char *applies_to(const shape &s)
{
    if (!known_filter(s) || s.d.in * s.d.out != 1)
        return "it is for images, and filters of 3x3, 5x5 and 7x7; step 7 takes others";
    if (s.h.stride * s.w.stride * s.h.dilation * s.w.dilation != 1)
        return "neighbours have what each other needs with stride and dilation 1; step 7 takes others";
    return s.w.pad == s.w.filter / 2 ? nullptr : "it needs K / 2 columns of padding before the image; step 7 takes others";
}

template <bool FLIPPED, bool WHOLE> auto instance(int filter)
{
    return filter == 3 ? rows_of_plane<3, FLIPPED, WHOLE> : filter == 5 ? rows_of_plane<5, FLIPPED, WHOLE>
         : rows_of_plane<7, FLIPPED, WHOLE>;
}

template <bool FLIPPED>
void start(const conv_workspace *workspace, float *y, const float *x, const float *w, const float *bias, const shape &s)
{
    const cut cut = cut_for(s, rows_of(s.h.filter));
    const dim3 block(static_cast<unsigned>(cut.lanes), static_cast<unsigned>(cut.down));
    const dim3 grid(blocks_for(s.w.out, (cut.lanes - 2 * cut.spare) * FOUR),
                    at_most(blocks_for(s.h.out, cut.down * cut.rows)), at_most(s.n * s.k));
    const auto kernel = rows_are_whole(s, x, y) ? instance<FLIPPED, true>(s.h.filter)
                                                : instance<FLIPPED, false>(s.h.filter);
    launch(workspace, kernel, grid, block, 0, y, x, w, bias, s, cut);
}

} // namespace rows_ahead
