/* cuda_grp_03_implicit_gemm.cu - step 3 of the grouped ladder on a GPU: several small matrix products in one block.
 *
 * Changed since cuda_grp_02_one_launch: as in cuda_std_02_implicit_gemm a block computes 32 filters by 32 positions,
 *     and a thread 4 by 4 of them in registers.  But ResNeXt's groups have 4 filters, and filters of different groups
 *     read different channels: so a block has as many groups as 32 filters have, and a tile of windows for each.
 * Why it is faster: an element that is loaded serves all filters of its group from shared memory, and 4 of a thread
 *     from a register; step 2 loads one weight and one element for every product.
 * What it costs: the filters of a group are filled up to a multiple of 4, for the 4 of a thread must be of one group:
 *     with 1 filter a group three of four sums are of nobody.  The tiles of 8 groups take 8 KiB.
 * Budget: at most 96 registers on sm_80, 96 on sm_90; no spills.
 * Applies to: any grouped problem in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-cuda.md, step 3 of grouped.
 */
#include "rung.h"

enum { SIDE = 32, DEPTH = 8, EACH = 4, MOST_GROUPS = SIDE / EACH, THREADS = SIDE / EACH };   /* on each axis */

/* The element of a group's matrix of windows: tap `tap` of C/G R S, for the window that begins at (a0, b0, c0). */
__device__ static float window_element(const float *image, const shape &s, int tap, int a0, int b0, int c0)
{
    const int u = tap % s.w.filter, r = tap / s.w.filter % s.h.filter;
    const int t = tap / s.w.filter / s.h.filter % s.d.filter, channel = tap / s.taps();
    const int a = a0 + t * s.d.dilation, b = b0 + r * s.h.dilation, c = c0 + u * s.w.dilation;
    return s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? image[channel * s.x_plane() + (a * s.h.in + b) * s.w.in + c] : 0;   /* x[n][first + channel][a][b][c] */
}

/* A slot is a place for a filter: each group has `slots` of them, a multiple of 4. */
__device__ static int filter_in(int64_t slot, int slots, const shape &s)      /* -1: nobody's */
{
    const int group = static_cast<int>(slot / slots), i = static_cast<int>(slot % slots);
    return i < s.group_k && group < s.k / s.group_k ? group * s.group_k + i : -1;
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of slots, from which on a block goes on
 * by gridDim. */
__global__ void groups_in_a_block(float *y, const float *x, const float *w, const float *bias, shape s, int slots)
{
    /* 8 more for each group: a warp reads 8 elements of 4 groups, and so they are in 32 banks.  4 columns more: it
     * stores 4 weights of 8 rows each */
    __shared__ float x_tile[MOST_GROUPS][DEPTH * SIDE + THREADS], w_tile[DEPTH][SIDE + 4];
    const int positions = static_cast<int>(s.y_plane()), depth = s.group_c * s.taps(), groups = s.k / s.group_k;
    const int column = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y) * EACH;
    const int t = static_cast<int>(threadIdx.y) * THREADS + column;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, i = i0 + t % SIDE;
    const int at = static_cast<int>(i % positions);                           /* of y[i / positions][:][at] */
    const int a0 = s.d.input_at(at / s.w.out / s.h.out, 0), b0 = s.h.input_at(at / s.w.out % s.h.out, 0);
    const int c0 = s.w.input_at(at % s.w.out, 0);
    const float *image = x + i / positions * s.c * s.x_plane();               /* x[n][:][:][:][:] */
    for (int64_t slot = static_cast<int64_t>(blockIdx.y) * SIDE; slot < static_cast<int64_t>(groups) * slots;
         slot += static_cast<int64_t>(gridDim.y) * SIDE) {
        const int first = static_cast<int>(slot / slots);                     /* the groups of this tile */
        const int last = min(static_cast<int>((slot + SIDE - 1) / slots), groups - 1);
        const int group = static_cast<int>((slot + row) / slots);             /* that of this thread's filters */
        const int mine = min(group, last) - first, own = static_cast<int>((slot + row) % slots);
        float sum[EACH][EACH] = {};
        for (int d0 = 0; d0 < depth; d0 += DEPTH) {
            for (int e = t / SIDE; e < (last - first + 1) * DEPTH; e += THREADS * THREADS / SIDE) {
                const int g = e / DEPTH, d = e % DEPTH;
                const float *channels = image + static_cast<int64_t>(first + g) * s.group_c * s.x_plane();
                x_tile[g][d * SIDE + t % SIDE] = i < s.n * positions && d0 + d < depth
                                               ? window_element(channels, s, d0 + d, a0, b0, c0) : 0;
            }
            for (int j = t / DEPTH; j < SIDE; j += THREADS * THREADS / DEPTH) {
                const int d = d0 + t % DEPTH, k = filter_in(slot + j, slots, s);
                w_tile[t % DEPTH][j] = k >= 0 && d < depth ? w[static_cast<int64_t>(k) * depth + d] : 0;
            }
            __syncthreads();
#pragma unroll
            for (int d = 0; d < DEPTH; d++) {
                float element[EACH];
#pragma unroll
                for (int b = 0; b < EACH; b++)
                    element[b] = x_tile[mine][d * SIDE + column + b * THREADS];
#pragma unroll
                for (int a = 0; a < EACH; a++)
#pragma unroll
                    for (int b = 0; b < EACH; b++)
                        sum[a][b] += w_tile[d][row + a] * element[b];
            }
            __syncthreads();
        }
#pragma unroll
        for (int b = 0; b < EACH; b++) {
            const int64_t to = i0 + column + b * THREADS, n = to / positions;
#pragma unroll
            for (int a = 0; a < EACH; a++) {
                const int k = group * s.group_k + own + a;
                if (group < groups && own + a < s.group_k && n < s.n)          /* y[n][k][:][:][:] */
                    y[(n * s.k + k) * positions + to % positions]
                        = activate(s.act, sum[a][b] + (bias ? bias[k] : 0));
            }
        }
    }
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int slots = (s.group_k + EACH - 1) / EACH * EACH;
    const dim3 grid(blocks_for(s.n * s.y_plane(), SIDE), at_most(blocks_for(conv->groups * slots, SIDE)));
    launch(workspace, groups_in_a_block, grid, dim3(THREADS, THREADS), 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s,
           slots);
}

CUDA_KERNEL(cuda_grp_03_implicit_gemm,
    .title = "as many groups a block as 32 filters have: a matrix product for each",
    .from = "cuda_grp_02_one_launch",
    .kinds = 1u << CONV_GROUPED,
    .applies = fits_in_ints,
    .run = run);
