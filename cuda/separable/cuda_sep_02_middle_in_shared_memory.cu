/* cuda_sep_02_middle_in_shared_memory.cu - step 2 of the separable ladder on a GPU: one launch for both stages.
 *
 * Changed since cuda_sep_01_two_launches: a block computes up to 128 filters by 32 positions of y.  For 8 channels at
 *     a time it computes those positions of the image between the stages into shared memory, and adds their products
 *     with the pointwise weights to 4 by 4 sums a thread.
 * Why it is faster: the image between the stages is neither written to memory nor read from it, and there is one
 *     launch.  An element of it that is loaded serves 4 filters of a thread.
 * What it costs: with more than 128 filters the depthwise stage is computed once for each 128 of them.
 * A thread's positions are 8 apart: 8 neighbouring threads read 8 banks, and store 8 floats that are one sector.
 * Budget: at most 80 registers on sm_80, 80 on sm_90; no spills.
 * Applies to: any separable problem in NCHW, 1-D to 3-D.
 * As in: FusePlanner (Qararyah and others, 2024), which also says when fusion doesn't pay.
 * Explained in docs/ladder-cuda.md, step 2 of separable.
 */
#include "rung.h"

enum { POSITIONS = 32, CHANNELS = 8, EACH = 4, ACROSS = POSITIONS / EACH, MOST_DOWN = 32 };   /* threads of a block */

/* One element of the image between the stages, of channel m, whose window begins at (a0, b0, c0). */
__device__ static float middle_element(const float *image, const float *w, const float *bias, const shape &s, int m,
                                       int a0, int b0, int c0)
{
    const float *plane = image + m / s.group_k * s.x_plane();                 /* x[n][c][:][:][:] */
    const float *filter = w + static_cast<int64_t>(m) * s.taps();             /* w[m][:][:][:] */
    float sum = bias ? bias[m] : 0;
    for (int t = 0; t < s.d.filter; t++)
    for (int r = 0; r < s.h.filter; r++)
    for (int u = 0; u < s.w.filter; u++) {
        const int a = a0 + t * s.d.dilation, b = b0 + r * s.h.dilation, c = c0 + u * s.w.dilation;
        if (s.d.inside(a) && s.h.inside(b) && s.w.inside(c))
            sum += plane[(a * s.h.in + b) * s.w.in + c] * filter[(t * s.h.filter + r) * s.w.filter + u];
    }
    return activate(s.act, sum);
}

/* `s` is the depthwise stage, whose s.k channels lie between; y has `filters` channels.  blockIdx.x: tile of
 * positions, which run on from image to image; .y: tile of filters, from which on a block goes on by gridDim. */
__global__ void middle_in_shared_memory(float *y, const float *x, const float *w, const float *bias, const float *pw,
                                        const float *pw_bias, shape s, int filters, conv_activation act)
{
    const int tile_filters = static_cast<int>(blockDim.y) * EACH, pitch = tile_filters + EACH;
    float *middle = dynamic_shared<float>();                                  /* [CHANNELS][POSITIONS] */
    float *weights = middle + CHANNELS * POSITIONS;                           /* [CHANNELS][pitch] */
    const int positions = static_cast<int>(s.y_plane()), threads = static_cast<int>(blockDim.y) * ACROSS;
    const int column = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y) * EACH;
    const int t = static_cast<int>(threadIdx.y) * ACROSS + column;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * POSITIONS, i = i0 + t % POSITIONS;
    const int at = static_cast<int>(i % positions);                           /* of y[i / positions][:][at] */
    const int a0 = s.d.input_at(at / s.w.out / s.h.out, 0), b0 = s.h.input_at(at / s.w.out % s.h.out, 0);
    const int c0 = s.w.input_at(at % s.w.out, 0);
    const float *image = x + i / positions * s.c * s.x_plane();               /* x[n][:][:][:][:] */
    for (int k0 = static_cast<int>(blockIdx.y) * tile_filters; k0 < filters;
         k0 += static_cast<int>(gridDim.y) * tile_filters) {
        float sum[EACH][EACH] = {};
        for (int m0 = 0; m0 < s.k; m0 += CHANNELS) {
            for (int m = t / POSITIONS; m < CHANNELS; m += threads / POSITIONS)
                middle[m * POSITIONS + t % POSITIONS] = i < s.n * positions && m0 + m < s.k
                    ? middle_element(image, w, bias, s, m0 + m, a0, b0, c0) : 0;
            for (int k = t / CHANNELS; k < tile_filters; k += threads / CHANNELS) {
                const int m = m0 + t % CHANNELS;                              /* pw[k0 + k][m] */
                weights[t % CHANNELS * pitch + k] = k0 + k < filters && m < s.k
                    ? pw[static_cast<int64_t>(k0 + k) * s.k + m] : 0;
            }
            __syncthreads();
#pragma unroll
            for (int m = 0; m < CHANNELS; m++) {
                float element[EACH];
#pragma unroll
                for (int b = 0; b < EACH; b++)
                    element[b] = middle[m * POSITIONS + column + b * ACROSS];
#pragma unroll
                for (int a = 0; a < EACH; a++)
#pragma unroll
                    for (int b = 0; b < EACH; b++)
                        sum[a][b] += weights[m * pitch + row + a] * element[b];
            }
            __syncthreads();
        }
        for (int b = 0; b < EACH; b++) {
            const int64_t to = i0 + column + b * ACROSS, n = to / positions;
            for (int a = 0; a < EACH && n < s.n; a++)
                if (k0 + row + a < filters)
                    y[(n * filters + k0 + row + a) * positions + to % positions]
                        = activate(act, sum[a][b] + (pw_bias ? pw_bias[k0 + row + a] : 0));
        }
    }
}

/* The depthwise stage as a shape of its own: C mult channels lie behind it. */
static shape depthwise_shape(const conv_problem *conv)
{
    shape s = shape_of(conv);
    s.k = static_cast<int>(conv->c * conv->mult);
    s.group_c = 1;
    s.group_k = static_cast<int>(conv->mult);
    s.act = conv->mid_act;
    return s;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = depthwise_shape(conv);
    unsigned down = 4;   /* whole warps */
    while (down < MOST_DOWN && down * EACH < conv->k)
        down *= 2;
    const size_t bytes = sizeof(float) * CHANNELS * (POSITIONS + (down + 1) * EACH);
    launch(workspace, middle_in_shared_memory,
           dim3(blocks_for(s.n * s.y_plane(), POSITIONS), at_most(blocks_for(conv->k, down * EACH))),
           dim3(ACROSS, down), bytes, static_cast<float *>(o->y), static_cast<const float *>(o->x),
           static_cast<const float *>(o->w), static_cast<const float *>(o->bias), static_cast<const float *>(o->pw),
           static_cast<const float *>(o->pw_bias), s, static_cast<int>(conv->k), conv->act);
}

CUDA_KERNEL(cuda_sep_02_middle_in_shared_memory,
    .title = "both stages in one launch, with the image between them in shared memory",
    .from = "cuda_sep_01_two_launches",
    .kinds = 1u << CONV_SEPARABLE,
    .applies = fits_in_ints,
    .run = run);
