/* cuda_std_04_copies_ahead.cu - step 4 of the standard ladder on a GPU: windows arrive while others are multiplied.
 *
 * Changed since cuda_std_03_tensor_cores: shared memory has three tiles of each matrix, and cp.async fills two of them
 *     while the third is multiplied, as step 5 of pointwise does.  An element of a window that lies in the padding is a
 *     copy of no bytes, which leaves a zero.
 * Why it is faster: step 3 works out where its elements lie, loads them, waits, and only then multiplies.  Here a copy
 *     has the time of two products to arrive, and so have the divisions that say where the next ones lie; a barrier does
 *     for a tile, where step 3 has two.
 * What it costs: three times the shared memory, 6.8 KiB.  A window's elements lie apart, so that their copies have 4
 *     bytes each; those of weights have 16 where C R S is a multiple of 4.
 * Budget: at most 89 registers on sm_80, 94 on sm_90; no spills.
 * Applies to: any standard problem in NCHW, 1-D to 3-D; any values.
 * Explained in docs/ladder-cuda.md, step 4 of standard.
 */
#include "rung.h"
#include "three_parts.h"

constexpr int STAGES = 3, IN_16_BYTES = 4;

struct alignas(16) stage { x_tile x; w_tile w; };

/* Where the window of an output begins, in its image x[n][:][:][:][:]; a window of nothing has no image. */
struct window { const float *image; int a, b, c; };

/* Output i of y, counted on from image to image. */
__device__ static window window_of(const float *x, const shape &s, int64_t i)
{
    const int64_t n = i / s.y_plane();
    const int at = static_cast<int>(i % s.y_plane());
    return { n < s.n ? x + n * s.c * s.x_plane() : nullptr, s.d.input_at(at / s.w.out / s.h.out, 0),
             s.h.input_at(at / s.w.out % s.h.out, 0), s.w.input_at(at % s.w.out, 0) };
}

/* Tap `tap` of C R S of a window; nullptr: in the padding, or no tap at all. */
__device__ static const float *element_of(const window &at, const shape &s, int tap)
{
    const int u = tap % s.w.filter, r = tap / s.w.filter % s.h.filter;
    const int t = tap / s.w.filter / s.h.filter % s.d.filter, channel = tap / s.taps();
    const int a = at.a + t * s.d.dilation, b = at.b + r * s.h.dilation, c = at.c + u * s.w.dilation;
    return at.image && channel < s.c && s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? at.image + channel * s.x_plane() + (a * s.h.in + b) * s.w.in + c : nullptr;   /* x[n][channel][a][b][c] */
}

/* 8 taps of 32 windows: thread t of 64 has every second tap of window t % 32. */
__device__ static void copy_x(x_tile &to, const float *x, const window &at, const shape &s, int d0, int t)
{
    for (int d = t / SIDE; d < CHANNELS; d += THREADS / SIDE) {
        const float *element = element_of(at, s, d0 + d);
        cp_async_4(&to[d][t % SIDE], element ? element : x, element ? 4 : 0);
    }
}

/* 8 taps of 32 filters: thread t has 4 weights of one filter, or one weight of 4 filters. */
__device__ static void copy_w(w_tile &to, const float *w, const shape &s, int depth, int k0, int d0, int t, bool by_16)
{
    const int wide = by_16 ? CHANNELS / IN_16_BYTES : CHANNELS, d = t % wide * (by_16 ? IN_16_BYTES : 1);
    for (int k = t / wide; k < SIDE; k += THREADS / wide) {
        const bool there = k0 + k < s.k && d0 + d < depth;                    /* w[k0 + k][d0 + d] */
        const float *element = there ? w + static_cast<int64_t>(k0 + k) * depth + d0 + d : w;
        if (by_16)
            cp_async_16(&to[k][place_of(k, d)], element, there ? 16 : 0);
        else
            cp_async_4(&to[k][place_of(k, d)], element, there ? 4 : 0);
    }
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on
 * by gridDim.  A "channel" of three_parts.h is a tap. */
__global__ void windows_copied_ahead(float *y, const float *x, const float *w, const float *bias, shape s, bool by_16)
{
    __shared__ stage stages[STAGES];
    const int t = static_cast<int>(threadIdx.x), row = t / warpSize * ROWS;
    const int depth = s.c * s.taps(), steps = (depth + CHANNELS - 1) / CHANNELS;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, there = s.n * s.y_plane() - i0;
    const window at = window_of(x, s, i0 + t % SIDE);
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        sums sum = {};
        for (int step = 1 - STAGES; step < steps; step++) {
            const int next = step + STAGES - 1;      /* two steps without a product begin the first copies */
            if (step >= 0) {
                cp_async_wait<STAGES - 2>();         /* this thread's copies of this step, */
                __syncthreads();                     /* and all others'; and all are through with the step before */
            }
            if (next < steps) {
                copy_x(stages[next % STAGES].x, x, at, s, next * CHANNELS, t);
                copy_w(stages[next % STAGES].w, w, s, depth, k0, next * CHANNELS, t, by_16);
            }
            cp_async_commit();                       /* perhaps nothing: groups are counted */
            if (step >= 0 && k0 + row < s.k)         /* a warp as a whole */
                multiply_tile(sum, stages[step % STAGES].x, stages[step % STAGES].w, row, there);
        }
        store_sums(y, bias, s, sum, k0 + row, i0);
        __syncthreads();
    }
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.n * s.y_plane(), SIDE), at_most(blocks_for(s.k, SIDE)));
    const bool by_16 = s.c * s.taps() % IN_16_BYTES == 0 && reinterpret_cast<uintptr_t>(o->w) % sizeof(float4) == 0;
    launch(workspace, windows_copied_ahead, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s,
           by_16);
}

CUDA_KERNEL(cuda_std_04_copies_ahead,
    .title = "windows of two tiles on their way by asynchronous copies while one is multiplied",
    .from = "cuda_std_03_tensor_cores",
    .kinds = 1u << CONV_STANDARD,
    .applies = fits_in_ints,
    .run = run);
