/* cuda_dw_bwd_data_01_gather.cu - step 1 of depthwise backward_data on a GPU: who read this element?
 *
 * A thread for each element of dx, neighbours in neighbouring columns.  It asks each tap whether an output has read
 *     the element through it: output p reads row b with tap r where p stride - pad + r dilation = b.  With stride 1
 *     that is the forward pass with its filter turned around.
 * Why it is slow: every tap divides, twice or three times; and with stride 2 three of four taps of an element have no
 *     output, but other lanes of the warp have one, and all wait for each other.
 * What it costs: nothing but the time.
 * Budget: at most 48 registers on sm_80, 48 on sm_90; no spills.
 * Applies to: backward_data of any depthwise problem in NCHW, 1-D to 3-D, any multiplier.
 * As in: PyTorch's native kernel, which finds the output of a tap by a modulo.
 * Explained in docs/ladder-cuda.md, step 1 of the gradient with respect to x.
 */
#include "rung.h"

enum { THREADS = 128 };

/* The output that reads `position` through `tap`, or -1. */
__device__ static int output_of(const axis &a, int position, int tap)
{
    const int steps = position + a.pad - tap * a.dilation;
    return steps >= 0 && steps % a.stride == 0 && steps / a.stride < a.out ? steps / a.stride : -1;
}

__global__ void gather(float *dx, const float *dy, const float *w, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.n * s.c * s.x_plane())
        return;
    const int col = static_cast<int>(i % s.w.in), row = static_cast<int>(i / s.w.in % s.h.in);
    const int64_t rest = i / (static_cast<int64_t>(s.w.in) * s.h.in);
    const int slice = static_cast<int>(rest % s.d.in), c = static_cast<int>(rest / s.d.in % s.c);
    const int64_t n = rest / s.d.in / s.c;

    float sum = 0;
    for (int k = c * s.group_k; k < (c + 1) * s.group_k; k++) {
        const float *image = dy + (n * s.k + k) * s.y_plane();                /* dy[n][k][:][:][:] */
        const float *filter = w + static_cast<int64_t>(k) * s.taps();         /* w[k][:][:][:] */
        for (int t = 0; t < s.d.filter; t++)
        for (int r = 0; r < s.h.filter; r++)
        for (int u = 0; u < s.w.filter; u++) {
            const int z = output_of(s.d, slice, t), p = output_of(s.h, row, r), q = output_of(s.w, col, u);
            if (z >= 0 && p >= 0 && q >= 0)
                sum += image[(z * s.h.out + p) * s.w.out + q] * filter[(t * s.h.filter + r) * s.w.filter + u];
        }
    }
    dx[i] = sum;                                                              /* dx[n][c][slice][row][col] */
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    launch(workspace, gather, blocks_for(s.n * s.c * s.x_plane(), THREADS), THREADS, 0, static_cast<float *>(o->x),
           static_cast<const float *>(o->y), static_cast<const float *>(o->w), s);
}

CUDA_KERNEL(cuda_dw_bwd_data_01_gather,
    .title = "a thread for each element of dx, which asks every tap for its output",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_DATA,
    .applies = fits_in_ints,
    .run = run);
