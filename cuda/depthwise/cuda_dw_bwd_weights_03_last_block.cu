/* cuda_dw_bwd_weights_03_last_block.cu - step 3 of depthwise backward_weights on a GPU: one launch, and the same bits.
 *
 * Changed since cuda_dw_bwd_weights_02_two_stages: the second launch is gone.  A block that has left its sums counts
 *     itself in; the one that comes last of those of its filter adds the sums of all, in the order of shares.
 * Why it is faster: a launch costs 2 to 3 us, by what others publish; it was not measured here.  The last block reads sums
 *     that were written just before.
 * What it costs: two fences and an atomic operation a block, and care.  Behind __syncthreads() the first fence is for
 *     what all threads of the block have left; without it the count may arrive before the sums do.  The second keeps
 *     reads from being older than the count.  Counters lie in the module: two streams can't run it at the same time.
 *     Adding up takes registers, 80 after 48 for 3x3.
 * Budget: at most 128 registers on sm_80, 128 on sm_90; no spills.
 * Applies to: what step 2 applies to.  Beyond 4,096 filters a filter has one block, which nobody has to wait for.
 * Explained in docs/ladder-cuda.md, step 3 of the gradient with respect to w.
 */
#include "sums_of_shares.h"

enum { MOST_FILTERS = 4096 };   /* that are shared out; 16 blocks on each of 148 multiprocessors are 2,368 */
__device__ static unsigned arrived[MOST_FILTERS];   /* blocks of each filter; atomicInc() turns the last to 0 */

/* Is this block the last of its filter's?  The same for all of its threads, which then see what all blocks have left. */
__device__ static bool comes_last(int k, int shares)
{
    __shared__ bool last;
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const unsigned all_others = static_cast<unsigned>(shares - 1);
        last = shares == 1 || atomicInc(&arrived[k], all_others) == all_others;
        __threadfence();
    }
    __syncthreads();
    return last;
}

template <int K, bool SLIDES>
__launch_bounds__(MOST_WARPS * 32, 4)   /* 128 registers, so that four blocks have room */
__global__ void sums_by_last_block(float *dw, float *dbias, float *parts, const float *x, const float *dy, shape s,
                                   int shares)
{
    leave_sums<K, SLIDES>(parts, x, dy, s, shares);
    const int k = place_of_block(shares).k, taps = s.taps();
    if (!comes_last(k, shares))
        return;
    for (int i = static_cast<int>(threadIdx.x); i <= taps; i += static_cast<int>(blockDim.x)) {
        float sum = 0;
        for (int share = 0; share < shares; share++)
            sum += parts[(static_cast<int64_t>(share) * s.k + k) * (taps + 1) + i];
        if (i < taps)
            dw[static_cast<int64_t>(k) * taps + i] = sum;
        else if (dbias)
            dbias[k] = sum;
    }
}

/* One at least: of a batch of no images it leaves zeros. */
static int shares_for(const shape &s) { return s.k > MOST_FILTERS ? 1 : std::max(shares_of(s), 1); }

static size_t scratch_bytes(const conv_problem *conv, int)
{
    const shape s = shape_of(conv);
    return parts_bytes(s, shares_for(s));
}

template <bool SLIDES> auto instance_of(int filter)
{
    return filter == 3 ? sums_by_last_block<3, SLIDES> : filter == 5 ? sums_by_last_block<5, SLIDES>
         : filter == 7 ? sums_by_last_block<7, SLIDES> : sums_by_last_block<0, false>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int shares = shares_for(s), filter = known_filter(s);
    launch(workspace, slides(s) ? instance_of<true>(filter) : instance_of<false>(filter),
           static_cast<unsigned>(s.k * shares), threads_for(s), 0, static_cast<float *>(o->w),
           static_cast<float *>(o->bias), static_cast<float *>(workspace->scratch), static_cast<const float *>(o->x),
           static_cast<const float *>(o->y), s, shares);
}

CUDA_KERNEL(cuda_dw_bwd_weights_03_last_block,
    .title = "one launch: the last block of a filter adds what all of them left",
    .from = "cuda_dw_bwd_weights_02_two_stages",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .applies = fits_in_ints,
    .scratch_bytes = scratch_bytes,
    .run = run);
