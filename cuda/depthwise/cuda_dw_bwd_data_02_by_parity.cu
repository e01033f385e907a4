/* cuda_dw_bwd_data_02_by_parity.cu - step 2 of depthwise backward_data on a GPU: no tap without an output.
 *
 * Changed since cuda_dw_bwd_data_01_gather: with stride 2 even columns are read through one half of the taps, odd
 *     ones through the other.  A thread has one column of each kind, the even one first: so all lanes of a warp are at
 *     the same kind, and go through its taps alone, from output to output by addition.
 * Why it is faster: with stride 2 step 1 asks 9 taps of 3x3 for 2.25 that have an output, and each by divisions.  Here
 *     a division finds the first tap of a kind; a warp is in one row, whose kind is the same for all lanes, too.
 * What it costs: the stores of a kind are `stride` columns apart.
 * Budget: at most 43 registers on sm_80, 37 on sm_90; no spills.
 * Applies to: backward_data of any depthwise problem in NCHW, 1-D to 3-D, any stride, dilation and multiplier.
 * Explained in docs/ladder-cuda.md, step 2 of the gradient with respect to x.
 */
#include "rung.h"
#include <numeric>

enum { ROWS = 4, COLUMNS = 32 };   /* threads of a block, at most */

/* From one tap of a position to the next: so many taps on, and so many outputs back. */
struct stride_of_taps { int taps, outputs; };

/* The taps through which a position is read: `tap`, and from there on by stride_of_taps; its first output. */
struct reader { int tap, output; };

__device__ static reader first_reader(const axis &a, int position)
{
    int tap = 0;
    while (tap < a.filter && (position + a.pad - tap * a.dilation) % a.stride != 0)
        tap++;
    return { tap, tap < a.filter ? (position + a.pad - tap * a.dilation) / a.stride : 0 };
}

/* One element of dx[n][c], of one filter. */
__device__ static float gather(float sum, const float *image, const float *filter, const shape &s, reader d, reader h,
                               reader w, stride_of_taps by_d, stride_of_taps by_h, stride_of_taps by_w)
{
    for (int t = d.tap, z = d.output; t < s.d.filter; t += by_d.taps, z -= by_d.outputs)
    for (int r = h.tap, p = h.output; r < s.h.filter; r += by_h.taps, p -= by_h.outputs) {
        if (z < 0 || z >= s.d.out || p < 0 || p >= s.h.out)
            continue;
        for (int u = w.tap, q = w.output; u < s.w.filter; u += by_w.taps, q -= by_w.outputs)
            if (q >= 0 && q < s.w.out)
                sum += image[(z * s.h.out + p) * s.w.out + q] * filter[(t * s.h.filter + r) * s.w.filter + u];
    }
    return sum;
}

/* blockIdx.x: tile of groups of `stride` columns; .y and .z: tiles of rows and planes of dx, from which on a block
 * goes on by gridDim. */
__global__ void by_parity(float *dx, const float *dy, const float *w, shape s, stride_of_taps by_d,
                          stride_of_taps by_h, stride_of_taps by_w)
{
    const int first = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * s.w.stride;
    for (int64_t plane = blockIdx.z; plane < s.n * s.c * s.d.in; plane += gridDim.z) {
        const int64_t channel = plane / s.d.in;                               /* n C + c */
        const int c = static_cast<int>(channel % s.c);
        const reader of_slice = first_reader(s.d, static_cast<int>(plane % s.d.in));
        for (int row = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y); row < s.h.in;
             row += static_cast<int>(gridDim.y * blockDim.y)) {
            const reader of_row = first_reader(s.h, row);
            for (int col = first; col < s.w.in && col - first < s.w.stride; col++) {
                const reader of_col = first_reader(s.w, col);
                float sum = 0;
                for (int j = 0; j < s.group_k; j++)                           /* dy[n][k][:][:][:], w[k][:][:][:] */
                    sum = gather(sum, dy + (channel * s.group_k + j) * s.y_plane(),
                                 w + (static_cast<int64_t>(c) * s.group_k + j) * s.taps(), s, of_slice, of_row, of_col,
                                 by_d, by_h, by_w);
                dx[(plane * s.h.in + row) * s.w.in + col] = sum;              /* dx[n][c][slice][row][col] */
            }
        }
    }
}

static stride_of_taps stride_of(const axis &a)
{
    const int common = std::gcd(a.stride, a.dilation);
    return { a.stride / common, a.dilation / common };
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int groups = (s.w.in + s.w.stride - 1) / s.w.stride;   /* of columns */
    unsigned rows = ROWS, columns = COLUMNS;
    while (static_cast<int>(columns / 2) >= groups)
        columns /= 2, rows *= 2;
    while (static_cast<int>(rows / 2) >= s.h.in)
        rows /= 2;
    const dim3 grid(blocks_for(groups, columns), at_most(blocks_for(s.h.in, rows)), at_most(s.n * s.c * s.d.in));
    launch(workspace, by_parity, grid, dim3(columns, rows), 0, static_cast<float *>(o->x),
           static_cast<const float *>(o->y), static_cast<const float *>(o->w), s, stride_of(s.d), stride_of(s.h),
           stride_of(s.w));
}

CUDA_KERNEL(cuda_dw_bwd_data_02_by_parity,
    .title = "a column of each parity for a thread: no tap without an output",
    .from = "cuda_dw_bwd_data_01_gather",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_DATA,
    .applies = fits_in_ints,
    .run = run);
