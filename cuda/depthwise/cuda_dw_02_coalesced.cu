/* cuda_dw_02_coalesced.cu - step 2 of the depthwise ladder on a GPU: neighbours in neighbouring columns.
 *
 * Changed since cuda_dw_01_thread_per_output: the column, not the channel, is what differs between neighbouring threads.
 * Why it is faster: the 32 threads of a warp read 32 floats that lie side by side: 4 sectors, or 5 where they begin
 *     within one, in the place of 32.
 * What it costs: nothing.
 * Budget: at most 40 registers on sm_80, 40 on sm_90; no spills.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier.
 * As in: the depthwise kernels of Caffe, pyinn, THCUNN and PyTorch.
 * Explained in docs/ladder-cuda.md, step 2 of depthwise.
 */
#include "rung.h"

enum { THREADS = 128 };

__global__ void coalesced(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int q = static_cast<int>(i % s.w.out), p = static_cast<int>(i / s.w.out % s.h.out);
    const int64_t rest = i / (static_cast<int64_t>(s.w.out) * s.h.out);
    const int z = static_cast<int>(rest % s.d.out), k = static_cast<int>(rest / s.d.out % s.k);
    const int64_t n = rest / s.d.out / s.k;

    const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();        /* x[n][c][:][:][:] */
    const float *filter = w + static_cast<int64_t>(k) * s.taps();             /* w[k][:][:][:] */
    float sum = bias ? bias[k] : 0;
    for (int t = 0; t < s.d.filter; t++)
    for (int r = 0; r < s.h.filter; r++)
    for (int u = 0; u < s.w.filter; u++) {
        const int a = s.d.input_at(z, t), b = s.h.input_at(p, r), c = s.w.input_at(q, u);
        if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
            sum += image[(a * s.h.in + b) * s.w.in + c] * filter[(t * s.h.filter + r) * s.w.filter + u];
    }
    y[i] = activate(s.act, sum);                                              /* y[n][k][z][p][q] */
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    launch(workspace, coalesced, blocks_for(s.outputs(), THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_02_coalesced,
    .title = "neighbours in neighbouring columns: 4 sectors a request, not 32",
    .from = "cuda_dw_01_thread_per_output",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = fits_in_ints,
    .run = run);
