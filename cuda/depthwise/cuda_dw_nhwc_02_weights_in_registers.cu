/* cuda_dw_nhwc_02_weights_in_registers.cu - step 2 of the depthwise ladder in NHWC on a GPU: a thread keeps its filter.
 *
 * Changed since cuda_dw_nhwc_01_channels_in_lanes: a thread computes all outputs of a row for one channel, and keeps the
 *     filter of that channel in registers: 3x3, 5x5 and 7x7 are template parameters.
 * Why it is faster: the weights, whose reads aren't coalesced in this layout, are read once for a row, not once for
 *     every output; row and channel are divided out once for a row.
 * What it costs: 9, 25 or 49 registers; and fewer threads, each with more work.
 * Budget: at most 100 registers on sm_80, 106 on sm_90; no spills.
 * Applies to: any depthwise problem in NHWC, 1-D to 3-D, any multiplier; other filters by the general instance, K = 0,
 *     which keeps none.
 * Explained in docs/ladder-cuda.md, step 2 of depthwise in NHWC.
 */
#include "rung.h"

enum { THREADS = 128 };

/* One output: taps at x[n][a][b][:][c], for each row b of the window. */
template <int K>
__device__ float window(float sum, const float *image, const float *filter, const shape &s, int z, int p, int q)
{
    const int rows = K ? K : s.h.filter, columns = K ? K : s.w.filter, depth = K ? 1 : s.d.filter;
    for (int t = 0; t < depth; t++)
#pragma unroll
        for (int r = 0; r < rows; r++)
#pragma unroll
            for (int u = 0; u < columns; u++) {
                const int a = s.d.input_at(z, t), b = s.h.input_at(p, r), c = s.w.input_at(q, u);
                if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
                    sum += image[static_cast<int64_t>((a * s.h.in + b) * s.w.in + c) * s.c]
                         * filter[(t * rows + r) * columns + u];
            }
    return sum;
}

template <int K> __global__ void weights_in_registers(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= s.n * s.d.out * s.h.out * s.k)
        return;
    const int k = static_cast<int>(i % s.k);
    const int64_t line = i / s.k;                                             /* y[n][z][p][:][:] */
    const int p = static_cast<int>(line % s.h.out), z = static_cast<int>(line / s.h.out % s.d.out);
    const int64_t n = line / s.h.out / s.d.out;
    const float *image = x + n * s.x_plane() * s.c + k / s.group_k;           /* x[n][:][:][:][c] */
    const float *filter = w + static_cast<int64_t>(k) * s.taps();             /* w[k][:][:][:] */
    const float first = bias ? bias[k] : 0;
    float kept[K ? K * K : 1];
#pragma unroll
    for (int tap = 0; tap < K * K; tap++)
        kept[tap] = filter[tap];
    for (int q = 0; q < s.w.out; q++) {
        const float sum = window<K>(first, image, K ? kept : filter, s, z, p, q);
        y[(line * s.w.out + q) * s.k + k] = activate(s.act, sum);
    }
}

static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    return known == 3 ? weights_in_registers<3> : known == 5 ? weights_in_registers<5>
         : known == 7 ? weights_in_registers<7> : weights_in_registers<0>;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int64_t threads = s.n * s.d.out * s.h.out * s.k;
    launch(workspace, instance(s), blocks_for(threads, THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_nhwc_02_weights_in_registers,
    .title = "a thread keeps its filter in registers for a row of outputs",
    .from = "cuda_dw_nhwc_01_channels_in_lanes",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = fits_in_ints,
    .run = run);
