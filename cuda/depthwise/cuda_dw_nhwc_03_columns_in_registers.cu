/* cuda_dw_nhwc_03_columns_in_registers.cu - step 3 of the depthwise ladder in NHWC on a GPU: a column is read once.
 *
 * Changed since cuda_dw_nhwc_02_weights_in_registers: along its row of outputs a thread reads a column of K elements
 *     and adds it to every output whose window it lies in.  Their sums are in registers, and move on with it.
 * Why it is faster: the windows of neighbouring outputs overlap: step 2 reads K K elements for each output, this one
 *     K with stride 1 and 2 K with stride 2.
 * What it costs: registers for the sums that are alive: K with stride 1, (K + 1) / 2 with stride 2.
 * Budget: at most 105 registers on sm_80, 115 on sm_90; no spills.
 * Applies to: any depthwise problem in NHWC, 1-D to 3-D, any multiplier; columns are kept for filters of 3x3, 5x5 and
 *     7x7 without dilation, of strides 1 and 2; others by the general instance, K = 0.
 * Explained in docs/ladder-cuda.md, step 3 of depthwise in NHWC.
 */
#include "rung.h"

enum { THREADS = 128 };

/* Step m along the row reads S columns: those with which output m begins.  sum[g] is of output m - g. */
template <int K, int S>
__device__ void slide(float *y_row, const float *slice, bool there, const float *weights, float first, int p,
                      const shape &s)
{
    constexpr int ALIVE = (K + S - 1) / S;   /* outputs whose windows a column can lie in */
    const int b0 = s.h.input_at(p, 0);
    float filter[K * K], sum[ALIVE];
#pragma unroll
    for (int tap = 0; tap < K * K; tap++)
        filter[tap] = weights[tap];
#pragma unroll
    for (int g = 0; g < ALIVE; g++)
        sum[g] = first;
#pragma unroll 1
    for (int m = 0; m < s.w.out + ALIVE - 1; m++) {
#pragma unroll
        for (int v = 0; v < S; v++) {
            const int c = s.w.input_at(m, v);
            float column[K];
#pragma unroll
            for (int r = 0; r < K; r++)
                column[r] = there && s.h.inside(b0 + r) && s.w.inside(c)
                    ? slice[static_cast<int64_t>((b0 + r) * s.w.in + c) * s.c] : 0;   /* x[n][a][b][c][:] */
#pragma unroll
            for (int g = 0; g < ALIVE; g++)
#pragma unroll
                for (int r = 0; r < K; r++)
                    if (g * S + v < K)
                        sum[g] += column[r] * filter[r * K + (g * S + v < K ? g * S + v : 0)];
        }
        if (m >= ALIVE - 1)
            y_row[static_cast<int64_t>(m - (ALIVE - 1)) * s.k] = activate(s.act, sum[ALIVE - 1]);
#pragma unroll
        for (int g = ALIVE - 1; g > 0; g--)
            sum[g] = sum[g - 1];
        sum[0] = first;
    }
}

/* Any filter: output by output. */
__device__ static void add_taps(float *y_row, const float *image, const float *filter, float first, int z, int p,
                                const shape &s)
{
    for (int q = 0; q < s.w.out; q++) {
        float sum = first;
        for (int t = 0; t < s.d.filter; t++)
        for (int r = 0; r < s.h.filter; r++)
        for (int u = 0; u < s.w.filter; u++) {
            const int a = s.d.input_at(z, t), b = s.h.input_at(p, r), c = s.w.input_at(q, u);
            if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
                sum += image[static_cast<int64_t>((a * s.h.in + b) * s.w.in + c) * s.c]
                     * filter[(t * s.h.filter + r) * s.w.filter + u];
        }
        y_row[static_cast<int64_t>(q) * s.k] = activate(s.act, sum);
    }
}

template <int K, int S>
__global__ void columns_in_registers(float *y, const float *x, const float *w, const float *bias, shape s)
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
    float *y_row = y + line * s.w.out * s.k + k;                              /* y[n][z][p][:][k] */
    const int a = s.d.input_at(z, 0);
    const float *slice = image + static_cast<int64_t>(a * s.h.in * s.w.in) * s.c;   /* x[n][a][:][:][c] */
    if constexpr (K != 0)
        slide<K, S>(y_row, slice, s.d.inside(a), filter, first, p, s);
    else
        add_taps(y_row, image, filter, first, z, p, s);
}

template <int S> auto instance_of(int filter)
{
    return filter == 3 ? columns_in_registers<3, S> : filter == 5 ? columns_in_registers<5, S>
         : filter == 7 ? columns_in_registers<7, S> : columns_in_registers<0, 1>;
}

static auto instance(const shape &s)
{
    const bool plain = s.d.filter == 1 && s.h.filter == s.w.filter && s.h.dilation * s.w.dilation == 1;
    const int known = plain && s.w.stride <= 2 ? s.w.filter : 0;
    return s.w.stride == 2 ? instance_of<2>(known) : instance_of<1>(known);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int64_t threads = s.n * s.d.out * s.h.out * s.k;
    launch(workspace, instance(s), blocks_for(threads, THREADS), THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_nhwc_03_columns_in_registers,
    .title = "a column of elements is read once, for all outputs of its row",
    .from = "cuda_dw_nhwc_02_weights_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = fits_in_ints,
    .run = run);
