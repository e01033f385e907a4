/* cuda_std_01_thread_per_output.cu - step 1 of the standard ladder on a GPU: a thread for each output.
 *
 * Neighbouring threads take neighbouring columns, so that reads of x and writes of y are coalesced, and all threads of a
 *     warp read the same weight.
 * Why it is slow: every product takes two loads and a question for each axis.  An element of x is asked of the first cache
 *     once for each filter and tap: K R S times.
 * What it costs: nothing but the time.
 * Budget: at most 40 registers on sm_80, 40 on sm_90; no spills.
 * Applies to: any standard problem in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-cuda.md, step 1 of standard.
 */
#include "rung.h"

enum { THREADS = 128 };

__global__ void standard_thread(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int q = static_cast<int>(i % s.w.out), p = static_cast<int>(i / s.w.out % s.h.out);
    const int64_t rest = i / (static_cast<int64_t>(s.w.out) * s.h.out);
    const int z = static_cast<int>(rest % s.d.out), k = static_cast<int>(rest / s.d.out % s.k);
    const int64_t n = rest / s.d.out / s.k;

    const int group = k / s.group_k;
    const float *image = x + (n * s.c + group * s.group_c) * s.x_plane();     /* x[n][group's first][:][:][:] */
    const float *filter = w + static_cast<int64_t>(k) * s.group_c * s.taps(); /* w[k][0][:][:][:] */
    float sum = bias ? bias[k] : 0;
    for (int channel = 0; channel < s.group_c; channel++, image += s.x_plane(), filter += s.taps())
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
    launch(workspace, standard_thread, blocks_for(s.outputs(), THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_std_01_thread_per_output,
    .title = "a thread for each output, neighbours in neighbouring columns",
    .kinds = 1u << CONV_STANDARD,
    .applies = fits_in_ints,
    .run = run);
