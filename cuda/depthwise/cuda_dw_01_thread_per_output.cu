/* cuda_dw_01_thread_per_output.cu - step 1 of the depthwise ladder on a GPU: a thread for each output.
 *
 * Neighbouring threads take neighbouring channels, as someone would write it who thinks of channels first.
 * Why it is slow: the 32 threads of a warp read 32 planes at once, so that each request of a load moves 32 sectors of
 *     32 bytes for 128 bytes that are wanted; and every index costs divisions.
 * What it costs: nothing but the time.
 * Budget: at most 48 registers on sm_80, 48 on sm_90; no spills.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier.
 * Explained in docs/ladder-cuda.md, step 1 of depthwise.
 */
#include "rung.h"

enum { THREADS = 128 };

__global__ void thread_per_output(float *y, const float *x, const float *w, const float *bias, shape s)
{
    int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int k = static_cast<int>(i % s.k);
    i /= s.k;
    const int q = static_cast<int>(i % s.w.out), p = static_cast<int>(i / s.w.out % s.h.out);
    i /= static_cast<int64_t>(s.w.out) * s.h.out;
    const int z = static_cast<int>(i % s.d.out);
    const int64_t n = i / s.d.out;

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
    y[(n * s.k + k) * s.y_plane() + (z * s.h.out + p) * s.w.out + q] = activate(s.act, sum);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    launch(workspace, thread_per_output, blocks_for(s.outputs(), THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_01_thread_per_output,
    .title = "a thread for each output, neighbours in neighbouring channels",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = fits_in_ints,
    .run = run);
