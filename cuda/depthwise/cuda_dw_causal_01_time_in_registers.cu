/* cuda_dw_causal_01_time_in_registers.cu - depthwise along time on a GPU, causal or not, with filters of any length.
 *
 * Changed since cuda_dw_04_tile: there is one axis, and a tile is a piece of time.  A thread has 8 neighbouring steps
 *     and the 8 elements that they read with one tap; from tap to tap only one of them is new.
 * Why it is faster: 8 products take one load from shared memory, where step 4 takes 8; x is loaded once, but for the
 *     filter - 1 steps before a tile of 1,024.  With a filter of 4, as in Mamba, that is all there is to do; with one
 *     of 256 a thread still needs no more registers.
 * What it costs: 8 registers for elements and 8 for sums; short sequences leave threads without work.
 * The tile keeps step j at [j % 8][j / 8], since neighbouring threads are 8 steps apart, and its rows are 4, 12, 20,
 *     ... long, since neighbours that fill it or write y are 1 step apart: both fall into 32 banks.
 * Budget: at most 55 registers on sm_80, 47 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW whose filter is 1 but along W, any channels, padding and multiplier, for
 *     which what 8 outputs read fits in 48 KiB; elements stay in registers where stride and dilation are 1.
 * As in: Dao's causal-conv1d, whose filters are 2 to 4 long and whose channels fewer than 65,536.
 * Explained in docs/ladder-cuda.md, along time.
 */
#include "rung.h"

enum { EACH = 8, LANES = 128, SHARED_BYTES = 48 << 10 };

/* The tile's groups of 8 steps: those that its outputs read, and one that is fetched and not used; 4, 12, 20, ... */
__host__ __device__ static int groups_of(const axis &a, int lanes)
{
    const int steps = (lanes * EACH - 1) * a.stride + a.extent() + EACH;
    return ((steps + EACH - 1) / EACH + 3) / 8 * 8 + 4;
}

/* Where step j lies in a tile. */
__device__ static int place(int j, int groups) { return (j & (EACH - 1)) * groups + j / EACH; }

/* Stride and dilation 1: output o reads element u + o of the thread's with tap u; it lies in slot (u + o) % 8. */
__device__ static void slide(float (&sum)[EACH], const float *tile, int j0, const float *filter, int taps, int groups)
{
    float slot[EACH];
#pragma unroll
    for (int j = 0; j < EACH; j++)
        slot[j] = tile[place(j0 + j, groups)];
    for (int u = 0; u < taps; u += EACH)
#pragma unroll
        for (int v = 0; v < EACH; v++) {
            if (u + v >= taps)
                break;
            const float weight = filter[u + v];
#pragma unroll
            for (int o = 0; o < EACH; o++)
                sum[o] += slot[(v + o) % EACH] * weight;
            slot[v] = tile[place(j0 + u + v + EACH, groups)];                 /* element u + v is done with */
        }
}

/* Any stride and dilation. */
__device__ static void add_taps(float (&sum)[EACH], const float *tile, int j0, const float *filter, const axis &w,
                                int groups)
{
    for (int u = 0; u < w.filter; u++)
#pragma unroll
        for (int o = 0; o < EACH; o++)
            sum[o] += tile[place(j0 + o * w.stride + u * w.dilation, groups)] * filter[u];
}

/* blockIdx.x: tile of time; .y: rows y[n][k][z][p][:], from which on a block goes on by gridDim. */
__global__ void time_in_registers(float *y, const float *x, const float *w, const float *bias, shape s)
{
    const int lanes = static_cast<int>(blockDim.x), lane = static_cast<int>(threadIdx.x);
    const int groups = groups_of(s.w, lanes), q0 = static_cast<int>(blockIdx.x) * lanes * EACH;
    float *tile = dynamic_shared<float>();                                    /* [8][groups] */
    for (int64_t row = blockIdx.y; row < s.n * s.k * s.d.out * s.h.out; row += gridDim.y) {
        const int p = static_cast<int>(row % s.h.out), z = static_cast<int>(row / s.h.out % s.d.out);
        const int64_t plane = row / s.h.out / s.d.out;                        /* n K + k */
        const int k = static_cast<int>(plane % s.k), a = s.d.input_at(z, 0), b = s.h.input_at(p, 0);
        const bool there = s.d.inside(a) && s.h.inside(b);
        const float *from = x + (plane / s.k * s.c + k / s.group_k) * s.x_plane() + (a * s.h.in + b) * s.w.in;
        for (int j = lane; j < groups * EACH; j += lanes) {                   /* x[n][c][a][b][c0 ...] */
            const int c = s.w.input_at(q0, 0) + j;
            tile[place(j, groups)] = there && s.w.inside(c) ? from[c] : 0;
        }
        __syncthreads();
        const float first = bias ? bias[k] : 0, *filter = w + static_cast<int64_t>(k) * s.w.filter;
        float sum[EACH] = { first, first, first, first, first, first, first, first };
        if (s.w.stride == 1 && s.w.dilation == 1)
            slide(sum, tile, lane * EACH, filter, s.w.filter, groups);
        else
            add_taps(sum, tile, lane * EACH * s.w.stride, filter, s.w, groups);
        __syncthreads();
#pragma unroll
        for (int o = 0; o < EACH; o++)
            tile[place(lane * EACH + o, groups)] = activate(s.act, sum[o]);   /* so that y goes out in order */
        __syncthreads();
        for (int j = lane; j < lanes * EACH && q0 + j < s.w.out; j += lanes)
            y[row * s.w.out + q0 + j] = tile[place(j, groups)];
        __syncthreads();
    }
}

static size_t bytes(const axis &a, int lanes)
{
    return sizeof(float) * EACH * static_cast<size_t>(groups_of(a, lanes));
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    if (s.d.filter * s.h.filter != 1)
        return "its filter has rows: this is a convolution along W alone";
    return s.w.stride > SHARED_BYTES || bytes(s.w, 1) > SHARED_BYTES
        ? "what eight outputs read doesn't fit in 48 KiB of shared memory" : nullptr;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    int lanes = LANES;
    while (lanes > 1 && (lanes / 2 * EACH >= s.w.out || bytes(s.w, lanes) > SHARED_BYTES))
        lanes /= 2;
    const dim3 grid(blocks_for(s.w.out, lanes * EACH), at_most(s.n * s.k * s.d.out * s.h.out));
    launch(workspace, time_in_registers, grid, static_cast<unsigned>(lanes), bytes(s.w, lanes),
           static_cast<float *>(o->y), static_cast<const float *>(o->x), static_cast<const float *>(o->w),
           static_cast<const float *>(o->bias), s);
}

CUDA_KERNEL(cuda_dw_causal_01_time_in_registers,
    .title = "along time: 8 steps a thread, and one new element for a tap",
    .from = "cuda_dw_04_tile",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
