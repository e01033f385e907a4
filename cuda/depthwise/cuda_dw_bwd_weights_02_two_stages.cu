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
#include "sums_of_shares.h"

/* parts[share][k][tap]: sums_of_shares.h */
template <int K, bool SLIDES>
__global__ void sums_of_shares(float *parts, const float *x, const float *dy, shape s, int shares)
{
    leave_sums<K, SLIDES>(parts, x, dy, s, shares);
}

__global__ void sum_of_parts(float *dw, float *dbias, const float *parts, shape s, int shares)
{
    add_parts(dw, dbias, parts, s, shares);
}

static size_t scratch_bytes(const conv_problem *conv, int)
{
    const shape s = shape_of(conv);
    return parts_bytes(s, shares_of(s));
}

template <bool SLIDES> auto instance_of(int filter)
{
    return filter == 3 ? sums_of_shares<3, SLIDES> : filter == 5 ? sums_of_shares<5, SLIDES>
         : filter == 7 ? sums_of_shares<7, SLIDES> : sums_of_shares<0, false>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    float *parts = static_cast<float *>(workspace->scratch);
    const int shares = shares_of(s), filter = known_filter(s);
    if (shares > 0)
        launch(workspace, slides(s) ? instance_of<true>(filter) : instance_of<false>(filter),
               static_cast<unsigned>(s.k * shares), threads_for(s), 0, parts, static_cast<const float *>(o->x),
               static_cast<const float *>(o->y), s, shares);
    launch(workspace, sum_of_parts, blocks_for(static_cast<int64_t>(s.k) * (s.taps() + 1), MOST_WARPS * WARP),
           MOST_WARPS * WARP, 0, static_cast<float *>(o->w), static_cast<float *>(o->bias),
           static_cast<const float *>(parts), s, shares);
}

CUDA_KERNEL(cuda_dw_bwd_weights_02_two_stages,
    .title = "sums in registers, added in one order by two launches: the same bits in every run",
    .from = "cuda_dw_bwd_weights_01_atomics",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .applies = fits_in_ints,
    .scratch_bytes = scratch_bytes,
    .run = run);
