/* cuda_pw_01_thread_per_output.cu - step 1 of the pointwise ladder on a GPU: a thread for each output.
 *
 * Neighbouring threads take neighbouring positions, so that reads of x and writes of y are coalesced, and all threads of
 *     a warp read the same weight.
 * Why it is slow: every product takes two loads.  An element of x is asked of the first cache once for each filter.
 * What it costs: nothing but the time.
 * Budget: at most 32 registers on sm_80, 32 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding.
 * Explained in docs/ladder-cuda.md, step 1 of pointwise.
 */
#include "rung.h"

enum { THREADS = 128 };

__global__ void pointwise_thread(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int position = static_cast<int>(i % s.y_plane());                   /* y[n][k][z][p][q] as one number */
    const int k = static_cast<int>(i / s.y_plane() % s.k);
    const int64_t n = i / s.y_plane() / s.k;
    const int q = position % s.w.out, p = position / s.w.out % s.h.out, z = position / s.w.out / s.h.out;
    const int a = s.d.input_at(z, 0), b = s.h.input_at(p, 0), c = s.w.input_at(q, 0);
    float sum = bias ? bias[k] : 0;
    if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c)) {
        const float *from = x + n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c;   /* x[n][:][a][b][c] */
        const float *weights = w + static_cast<int64_t>(k) * s.c;                        /* w[k][:] */
        for (int channel = 0; channel < s.c; channel++, from += s.x_plane())
            sum += *from * weights[channel];
    }
    y[i] = activate(s.act, sum);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    launch(workspace, pointwise_thread, blocks_for(s.outputs(), THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_pw_01_thread_per_output,
    .title = "a thread for each output, neighbours in neighbouring positions",
    .kinds = 1u << CONV_POINTWISE,
    .applies = fits_in_ints,
    .run = run);
