/* cuda_dw_bwd_weights_04_rows_ahead.cu - step 4 of depthwise backward_weights on a GPU: four columns, and a row ahead.
 *
 * Changed since cuda_dw_bwd_weights_02_two_stages: a thread goes down four columns of x and dy, as step 13 of the forward
 *     ladder does: 16 bytes a load, the columns at its sides by shuffles, a row of both on its way while one is
 *     multiplied.
 * Why it is faster: step 2 loads an element of x K times and waits for each row; here it is loaded once, and what a
 *     load, an address and a question cost is shared by four columns.
 * What it costs: registers for K rows of dy; the K - 1 rows between two threads are loaded by both.
 * Budget: at most 221 registers on sm_80, 215 on sm_90; no spills.
 * Applies to: backward_weights of depthwise problems in NCHW of two axes, filters of 3x3, 5x5 and 7x7, stride and
 *     dilation 1, K / 2 columns of padding before the image, any multiplier.
 * Explained in docs/ladder-cuda.md, step 4 of the gradient with respect to w.
 */
#include "rows_ahead.h"
#include "sums_of_shares.h"

enum { ROWS_OF_DY = 28 };   /* of a thread, at most */

/* Rows p ... p + rows - 1 of columns q ... q + 3 of dy, and rows b, b + 1, ... of x.  Row i of x is multiplied with
 * rows i, i - 1, ... i - (K - 1) of dy, which are in dy[row % K].  `mine`: are the columns this thread's?  If not, it
 * loads x for its neighbours. */
template <int K, bool WHOLE>
__device__ void add_products(float (&sum)[K * K + 1], const float *dy_row, const float *x_row, int rows, int most, int b,
                             int q, bool mine, const shape &s)
{
    constexpr int PLACES = K == 3 ? K : 1;                       /* for rows on their way */
    float dy[K][FOUR], row[FOUR + K - 1], next_x[PLACES][FOUR], next_dy[PLACES][FOUR];
    const int last = min(s.h.in, b + rows + K - 1);              /* row behind the last that is read */
#pragma unroll
    for (int m = 0; m < PLACES; m++, b++, x_row += s.w.in, dy_row += s.w.out) {
        load_four(next_x[m], x_row, q, s.w, b >= 0 && b < last, WHOLE);
        load_four(next_dy[m], dy_row, q, { s.w.out }, mine && m < rows, WHOLE);
    }
    int i = 0;
#pragma unroll 1
    while (i < most + K - 1) {
#pragma unroll
        for (int m = 0; m < K; m++, i++, b++, x_row += s.w.in, dy_row += s.w.out) {
            rows_ahead::window<K>(row, next_x[m % PLACES]);
#pragma unroll
            for (int j = 0; j < FOUR; j++) {
                dy[m][j] = next_dy[m % PLACES][j];
                sum[K * K] += dy[m][j];
            }
            load_four(next_x[m % PLACES], x_row, q, s.w, b >= 0 && b < last, WHOLE);
            load_four(next_dy[m % PLACES], dy_row, q, { s.w.out }, mine && i + PLACES < rows, WHOLE);
#pragma unroll
            for (int r = 0; r < K; r++)
                if (mine && i - r >= 0 && i - r < rows)          /* 0 * infinity is no part of a sum */
#pragma unroll
                    for (int j = 0; j < FOUR * K; j++)
                        if (WHOLE || q + j / K < s.w.out)
                            sum[r * K + j % K] += dy[(m + K - r) % K][j / K] * row[j / K + j % K];
        }
    }
}

/* parts[share][k][tap] of a block; its share is each shares-th image. */
template <int K, bool WHOLE> __launch_bounds__(rows_ahead::THREADS, K == 3 ? 5 : K == 5 ? 3 : 2)
__global__ void sums_of_rows(float *parts, const float *x, const float *dy, shape s, int shares, rows_ahead::cut cut)
{
    const auto [k, share] = place_of_block(shares);
    const int lane = static_cast<int>(threadIdx.x), wide = (cut.lanes - 2 * cut.spare) * FOUR;
    float sum[K * K + 1] = {};
    for (int64_t n = share; n < s.n; n += shares) {
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();     /* x[n][c][:][:] */
        const float *dy_plane = dy + (n * s.k + k) * s.y_plane();             /* dy[n][k][:][:] */
        for (int p0 = 0; p0 < s.h.out; p0 += cut.down * cut.rows)
            for (int q0 = -cut.spare * FOUR; q0 < s.w.out; q0 += wide) {
                const int p = p0 + static_cast<int>(threadIdx.y) * cut.rows, b = s.h.input_at(p, 0), q = q0 + lane * FOUR;
                const bool mine = q < s.w.out && lane >= cut.spare && lane < cut.lanes - cut.spare;
                add_products<K, WHOLE>(sum, dy_plane + p * s.w.out, image + b * s.w.in,
                                       min(cut.rows, s.h.out - p), cut.rows, b, q, mine, s);
            }
    }
    sum_of_block(parts + (static_cast<int64_t>(share) * s.k + k) * (K * K + 1), sum);
}

__global__ void sum_of_blocks(float *dw, float *dbias, const float *parts, shape s, int shares)
{
    add_parts(dw, dbias, parts, s, shares);
}

static const char *applies(const conv_problem *conv)
{
    const char *why = fits_in_ints(conv);
    return why ? why : rows_ahead::applies_to(shape_of(conv));
}

static size_t scratch_bytes(const conv_problem *conv, int)
{
    const shape s = shape_of(conv);
    return parts_bytes(s, shares_of(s));
}

template <bool WHOLE> auto instance_of(int filter)
{
    return filter == 3 ? sums_of_rows<3, WHOLE> : filter == 5 ? sums_of_rows<5, WHOLE> : sums_of_rows<7, WHOLE>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const rows_ahead::cut cut = rows_ahead::cut_for(s, ROWS_OF_DY);
    float *parts = static_cast<float *>(workspace->scratch);
    const int shares = shares_of(s);
    if (shares > 0)
        launch(workspace, rows_are_whole(s, o->x, o->y) ? instance_of<true>(s.h.filter) : instance_of<false>(s.h.filter),
               static_cast<unsigned>(s.k * shares), dim3(static_cast<unsigned>(cut.lanes), static_cast<unsigned>(cut.down)),
               0, parts, static_cast<const float *>(o->x), static_cast<const float *>(o->y), s, shares, cut);
    launch(workspace, sum_of_blocks, blocks_for(static_cast<int64_t>(s.k) * (s.taps() + 1), MOST_WARPS * WARP),
           MOST_WARPS * WARP, 0, static_cast<float *>(o->w), static_cast<float *>(o->bias),
           static_cast<const float *>(parts), s, shares);
}

CUDA_KERNEL(cuda_dw_bwd_weights_04_rows_ahead,
    .title = "four columns a thread, and the next row of x and dy on its way",
    .from = "cuda_dw_bwd_weights_02_two_stages",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .run = run);
