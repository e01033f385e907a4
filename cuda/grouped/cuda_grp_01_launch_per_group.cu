/* cuda_grp_01_launch_per_group.cu - step 1 of the grouped ladder on a GPU: a launch for each group.
 *
 * A grouped convolution is G small standard ones, and a framework that has a standard one starts it G times.
 * Why it is slow: a launch costs some microseconds whatever it computes: with 32 groups that is what is measured, not the
 *     convolution.  And a small group doesn't fill the device.
 * What it costs: time that grows with the number of groups, while the work shrinks.
 * Budget: at most 40 registers on sm_80, 40 on sm_90; no spills.
 * Applies to: any grouped problem in NCHW, 1-D to 3-D.
 * As in: candle, and the first versions of most frameworks.
 * Explained in docs/ladder-cuda.md, step 1 of grouped.
 */
#include "rung.h"

enum { THREADS = 128 };

/* The outputs of one group of all images. */
__global__ void one_group(float *y, const float *x, const float *w, const float *bias, shape s, int group)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.n * s.group_k * s.y_plane())
        return;
    const int q = static_cast<int>(i % s.w.out), p = static_cast<int>(i / s.w.out % s.h.out);
    const int64_t rest = i / (static_cast<int64_t>(s.w.out) * s.h.out);
    const int z = static_cast<int>(rest % s.d.out);
    const int k = group * s.group_k + static_cast<int>(rest / s.d.out % s.group_k);
    const int64_t n = rest / s.d.out / s.group_k;

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
    y[(n * s.k + k) * s.y_plane() + (z * s.h.out + p) * s.w.out + q] = activate(s.act, sum);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    for (int group = 0; group < conv->groups; group++)
        launch(workspace, one_group, blocks_for(s.n * s.group_k * s.y_plane(), THREADS), THREADS, 0,
               static_cast<float *>(o->y), static_cast<const float *>(o->x), static_cast<const float *>(o->w),
               static_cast<const float *>(o->bias), s, group);
}

CUDA_KERNEL(cuda_grp_01_launch_per_group,
    .title = "a launch for each group",
    .kinds = 1u << CONV_GROUPED,
    .applies = fits_in_ints,
    .run = run);
