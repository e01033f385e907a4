/* cuda_pw_05_copies_ahead.cu - step 5 of the pointwise ladder on a GPU: tiles arrive while others are multiplied.
 *
 * Changed since cuda_pw_04_tensor_cores: shared memory has three tiles of each matrix.  While a block multiplies one,
 *     two are on their way by cp.async, an instruction that copies from memory to shared memory past the registers.
 * Why it is faster: step 4 waits for memory, then multiplies, then waits: nothing happens at once but by other
 *     blocks.  Here a copy has the time of two products to arrive; and one barrier does for a tile, where step 4 has
 *     two.
 * What it costs: three times the shared memory, 6.8 KiB.  Copies of 16 bytes want rows that begin at 16 bytes: where
 *     they don't, as with 49 positions, with a stride or padding, it is 4 bytes a copy.
 * Budget: at most 90 registers on sm_80, 92 on sm_90; no spills.
 * Applies to: any pointwise problem in NCHW, 1-D to 3-D, with any stride and padding; any values.
 * Explained in docs/ladder-cuda.md, step 5 of pointwise.
 */
#include "rung.h"
#include "three_parts.h"

constexpr int STAGES = 3, IN_16_BYTES = 4;

struct alignas(16) stage { x_tile x; w_tile w; };

/* Are rows of x and rows of w copied by 16 bytes? */
struct whole { bool x, w; };

/* Does y have the positions of x? */
static bool plain(const axis &a) { return a.stride == 1 && a.pad == 0 && a.out == a.in; }

static whole whole_rows(const shape &s, const void *x, const void *w)
{
    return { plain(s.d) && plain(s.h) && plain(s.w) && s.x_plane() % IN_16_BYTES == 0
                 && reinterpret_cast<uintptr_t>(x) % sizeof(float4) == 0,
             s.c % IN_16_BYTES == 0 && reinterpret_cast<uintptr_t>(w) % sizeof(float4) == 0 };
}

/* Where position i of y, counted on from image to image, reads in x[:][0]; -1: nowhere. */
__device__ static int64_t source(const shape &s, int64_t i)
{
    const int64_t n = i / s.y_plane();
    const int at = static_cast<int>(i % s.y_plane());
    const int a = s.d.input_at(at / s.w.out / s.h.out, 0), b = s.h.input_at(at / s.w.out % s.h.out, 0);
    const int c = s.w.input_at(at % s.w.out, 0);
    return n < s.n && s.d.inside(a) && s.h.inside(b) && s.w.inside(c)
        ? n * s.c * s.x_plane() + (a * s.h.in + b) * s.w.in + c : -1;
}

/* 8 channels of 32 positions: thread t of 64 has 4 positions of one channel, or one position of 4 channels, whose
 * place in x[:][0] is `from`. */
__device__ static void copy_x(x_tile &to, const float *x, const shape &s, int64_t from, int c0, int t, bool by_16)
{
    const int each = by_16 ? 1 : SIDE / CHANNELS, wide = SIDE * each / IN_16_BYTES, i = t % wide;
    for (int c = t / wide; c < CHANNELS; c += THREADS / wide) {
        const bool there = from >= 0 && c0 + c < s.c;
        const float *element = there ? x + from + (c0 + c) * s.x_plane() : x;
        if (by_16)
            cp_async_16(&to[c][i * IN_16_BYTES], element, there ? 16 : 0);
        else
            cp_async_4(&to[c][i], element, there ? 4 : 0);
    }
}

/* 8 channels of 32 filters: thread t has 4 weights of one filter, or one weight of 4 filters. */
__device__ static void copy_w(w_tile &to, const float *w, const shape &s, int k0, int c0, int t, bool by_16)
{
    const int wide = by_16 ? CHANNELS / IN_16_BYTES : CHANNELS, c = t % wide * (by_16 ? IN_16_BYTES : 1);
    for (int k = t / wide; k < SIDE; k += THREADS / wide) {
        const bool there = k0 + k < s.k && c0 + c < s.c;
        const float *element = there ? w + static_cast<int64_t>(k0 + k) * s.c + c0 + c : w;
        if (by_16)
            cp_async_16(&to[k][place_of(k, c)], element, there ? 16 : 0);
        else
            cp_async_4(&to[k][place_of(k, c)], element, there ? 4 : 0);
    }
}

/* blockIdx.x: tile of positions, which run on from image to image; .y: tile of filters, from which on a block goes on
 * by gridDim. */
__global__ void pointwise_copies_ahead(float *y, const float *x, const float *w, const float *bias, shape s,
                                       whole rows)
{
    __shared__ stage stages[STAGES];
    const int t = static_cast<int>(threadIdx.x), row = t / warpSize * ROWS;
    const int steps = (s.c + CHANNELS - 1) / CHANNELS;
    const int64_t i0 = static_cast<int64_t>(blockIdx.x) * SIDE, there = s.n * s.y_plane() - i0;
    const int64_t from = source(s, i0 + (rows.x ? t % (SIDE / IN_16_BYTES) * IN_16_BYTES : t % SIDE));
    for (int k0 = static_cast<int>(blockIdx.y) * SIDE; k0 < s.k; k0 += static_cast<int>(gridDim.y) * SIDE) {
        sums sum = {};
        for (int step = 1 - STAGES; step < steps; step++) {
            const int next = step + STAGES - 1;      /* two steps without a product begin the first copies */
            if (step >= 0) {
                cp_async_wait<STAGES - 2>();         /* this thread's copies of this step, */
                __syncthreads();                     /* and all others'; and all are through with the step before */
            }
            if (next < steps) {
                copy_x(stages[next % STAGES].x, x, s, from, next * CHANNELS, t, rows.x);
                copy_w(stages[next % STAGES].w, w, s, k0, next * CHANNELS, t, rows.w);
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
    const float *x = static_cast<const float *>(o->x), *w = static_cast<const float *>(o->w);
    const dim3 grid(blocks_for(s.n * s.y_plane(), SIDE), at_most(blocks_for(s.k, SIDE)));
    launch(workspace, pointwise_copies_ahead, grid, THREADS, 0, static_cast<float *>(o->y), x, w,
           static_cast<const float *>(o->bias), s, whole_rows(s, x, w));
}

CUDA_KERNEL(cuda_pw_05_copies_ahead,
    .title = "two tiles on their way by asynchronous copies while one is multiplied",
    .from = "cuda_pw_04_tensor_cores",
    .kinds = 1u << CONV_POINTWISE,
    .applies = fits_in_ints,
    .run = run);
