/* cuda_sep_01_two_launches.cu - step 1 of the separable ladder on a GPU: one stage after the other.
 *
 * The depthwise stage writes an image to memory, which the pointwise stage reads: as two layers of a framework do.
 * Why it is slow: the image between them is as large as the input, or larger, and goes through memory twice: for so few
 *     products that memory is what limits both.
 * What it costs: scratch memory for the image between the stages.
 * Budget: at most 40 registers on sm_80, 40 on sm_90; no spills.
 * Applies to: any separable problem in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-cuda.md, step 1 of separable.
 */
#include "rung.h"

enum { THREADS = 128 };

/* middle[n][m][z][p][q], m being one of C mult channels */
__global__ void depthwise_stage(float *middle, const float *x, const float *w, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int q = static_cast<int>(i % s.w.out), p = static_cast<int>(i / s.w.out % s.h.out);
    const int64_t rest = i / (static_cast<int64_t>(s.w.out) * s.h.out);
    const int z = static_cast<int>(rest % s.d.out), m = static_cast<int>(rest / s.d.out % s.k);
    const int64_t n = rest / s.d.out / s.k;
    const float *image = x + (n * s.c + m / s.group_k) * s.x_plane();        /* x[n][c][:][:][:] */
    const float *filter = w + static_cast<int64_t>(m) * s.taps();             /* w[m][:][:][:] */
    float sum = bias ? bias[m] : 0;
    for (int t = 0; t < s.d.filter; t++)
    for (int r = 0; r < s.h.filter; r++)
    for (int u = 0; u < s.w.filter; u++) {
        const int a = s.d.input_at(z, t), b = s.h.input_at(p, r), c = s.w.input_at(q, u);
        if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
            sum += image[(a * s.h.in + b) * s.w.in + c] * filter[(t * s.h.filter + r) * s.w.filter + u];
    }
    middle[i] = activate(s.act, sum);
}

/* y[n][k][i] from middle[n][m][i] and pw[k][m] */
__global__ void pointwise_stage(float *y, const float *middle, const float *pw, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int64_t positions = s.y_plane(), n = i / positions / s.k;
    const int k = static_cast<int>(i / positions % s.k);
    const float *from = middle + n * s.c * positions + i % positions;         /* middle[n][:][i] */
    const float *weights = pw + static_cast<int64_t>(k) * s.c;                /* pw[k][:] */
    float sum = bias ? bias[k] : 0;
    for (int m = 0; m < s.c; m++, from += positions)
        sum += *from * weights[m];
    y[i] = activate(s.act, sum);
}

/* The two stages as shapes of their own: C mult channels lie between them. */
static shape depthwise_shape(const conv_problem *conv)
{
    shape s = shape_of(conv);
    s.k = static_cast<int>(conv->c * conv->mult);
    s.group_c = 1;
    s.group_k = static_cast<int>(conv->mult);
    s.act = conv->mid_act;
    return s;
}

static shape pointwise_shape(const conv_problem *conv)
{
    shape s = shape_of(conv);
    s.c = static_cast<int>(conv->c * conv->mult);
    return s;
}

static size_t scratch_bytes(const conv_problem *conv, int)
{
    return sizeof(float) * static_cast<size_t>(depthwise_shape(conv).outputs());
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape first = depthwise_shape(conv), second = pointwise_shape(conv);
    float *middle = static_cast<float *>(workspace->scratch);
    launch(workspace, depthwise_stage, blocks_for(first.outputs(), THREADS), THREADS, 0, middle,
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias),
           first);
    launch(workspace, pointwise_stage, blocks_for(second.outputs(), THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(middle), static_cast<const float *>(o->pw),
           static_cast<const float *>(o->pw_bias), second);
}

CUDA_KERNEL(cuda_sep_01_two_launches,
    .title = "one stage after the other, with the image between them in memory",
    .kinds = 1u << CONV_SEPARABLE,
    .applies = fits_in_ints,
    .scratch_bytes = scratch_bytes,
    .run = run);
