/* cuda_dw_03_filter_known.cu - step 3 of the depthwise ladder on a GPU: a filter that the compiler knows, no division.
 *
 * Changed since cuda_dw_02_coalesced: blocks are tiles of 8 rows and 32 columns of one plane, so that a thread's row and
 *     column are sums; and the filters of 3x3, 5x5 and 7x7 are template parameters.
 * Why it is faster: a GPU has no instruction that divides integers; of 64 bits it is a subroutine, and step 2 divides
 *     several times for 9 products.  Loops whose length is known are unrolled, and their indices become constants.
 * What it costs: one kernel for each filter, and threads that have nothing to do at the edges of tiles.
 * Budget: at most 80 registers on sm_80, 72 on sm_90; no spills.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier; other filters by the general instance, K = 0.
 * Explained in docs/ladder-cuda.md, step 3 of depthwise.
 */
#include "rung.h"

enum { ROWS = 8, COLUMNS = 32 };   /* of a tile, at most */

/* blockIdx.x: which tile of columns; .y and .z: tiles of rows and planes, from which on a block goes on by gridDim. */
template <int K> __global__ void filter_known(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int rows = K ? K : s.h.filter, columns = K ? K : s.w.filter, depth = K ? 1 : s.d.filter;
    const int q = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    for (int64_t plane = blockIdx.z; plane < s.n * s.k * s.d.out; plane += gridDim.z) {
        const int z = static_cast<int>(plane % s.d.out), k = static_cast<int>(plane / s.d.out % s.k);
        const int64_t n = plane / s.d.out / s.k;
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();    /* x[n][c][:][:][:] */
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:][:] */
        for (int p = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y); p < s.h.out && q < s.w.out;
             p += static_cast<int>(gridDim.y * blockDim.y)) {
            float sum = bias ? bias[k] : 0;
            for (int t = 0; t < depth; t++) {
                const int a = s.d.input_at(z, t);
                if (!s.d.inside(a))
                    continue;
#pragma unroll
                for (int r = 0; r < rows; r++) {
#pragma unroll
                    for (int u = 0; u < columns; u++) {
                        const int b = s.h.input_at(p, r), c = s.w.input_at(q, u);
                        if (s.h.inside(b) && s.w.inside(c))
                            sum += image[(a * s.h.in + b) * s.w.in + c] * filter[(t * rows + r) * columns + u];
                    }
                }
            }
            y[plane * s.h.out * s.w.out + p * s.w.out + q] = activate(s.act, sum);   /* y[n][k][z][p][q] */
        }
    }
}

/* The instance for a problem: cubes aside, a filter is known if it is square and of depth 1. */
static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    return known == 3 ? filter_known<3> : known == 5 ? filter_known<5> : known == 7 ? filter_known<7> : filter_known<0>;
}

/* A tile that isn't mostly beyond the image. */
static dim3 tile_for(const shape &s)
{
    unsigned rows = ROWS, columns = COLUMNS;
    while (static_cast<int>(columns / 2) >= s.w.out)
        columns /= 2;
    while (static_cast<int>(rows / 2) >= s.h.out)
        rows /= 2;
    return dim3(columns, rows);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 tile = tile_for(s);
    const dim3 grid(blocks_for(s.w.out, tile.x), at_most(blocks_for(s.h.out, tile.y)), at_most(s.n * s.k * s.d.out));
    launch(workspace, instance(s), grid, tile, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_03_filter_known,
    .title = "filters of 3, 5 and 7 known to the compiler, no division for each output",
    .from = "cuda_dw_02_coalesced",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = fits_in_ints,
    .run = run);
