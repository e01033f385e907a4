/* cuda_dw_nhwc_01_channels_in_lanes.cu - step 1 of the depthwise ladder in NHWC on a GPU: neighbours in neighbouring channels.
 *
 * What made cuda_dw_01_thread_per_output slow is right here: in this layout neighbouring channels lie side by side, so
 *     that the 32 threads of a warp read 4 sectors of x and write 4 of y.
 * Why it is slow: the filters lie as K x T x R x S in both layouts, so that neighbours read weights that are a filter
 *     apart; and every output reads all of its input again.
 * What it costs: nothing but the time.
 * Budget: at most 40 registers on sm_80, 48 on sm_90; no spills.
 * Applies to: any depthwise problem in NHWC, 1-D to 3-D, any multiplier.
 * Explained in docs/ladder-cuda.md, step 1 of depthwise in NHWC.
 */
#include "rung.h"

enum { THREADS = 128 };

__global__ void channels_in_lanes(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.outputs())
        return;
    const int k = static_cast<int>(i % s.k);
    const int64_t position = i / s.k;
    const int q = static_cast<int>(position % s.w.out), p = static_cast<int>(position / s.w.out % s.h.out);
    const int64_t slice = position / s.w.out / s.h.out;
    const int z = static_cast<int>(slice % s.d.out);
    const int64_t n = slice / s.d.out;

    const float *image = x + n * s.x_plane() * s.c + k / s.group_k;           /* x[n][:][:][:][c] */
    const float *filter = w + static_cast<int64_t>(k) * s.taps();             /* w[k][:][:][:] */
    float sum = bias ? bias[k] : 0;
    for (int t = 0; t < s.d.filter; t++)
    for (int r = 0; r < s.h.filter; r++)
    for (int u = 0; u < s.w.filter; u++) {
        const int a = s.d.input_at(z, t), b = s.h.input_at(p, r), c = s.w.input_at(q, u);
        if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
            sum += image[static_cast<int64_t>((a * s.h.in + b) * s.w.in + c) * s.c]
                 * filter[(t * s.h.filter + r) * s.w.filter + u];
    }
    y[i] = activate(s.act, sum);                                              /* y[n][z][p][q][k] */
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    launch(workspace, channels_in_lanes, blocks_for(s.outputs(), THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_nhwc_01_channels_in_lanes,
    .title = "a thread for each output, neighbours in neighbouring channels",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = fits_in_ints,
    .run = run);
