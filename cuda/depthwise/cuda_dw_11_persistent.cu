/* cuda_dw_11_persistent.cu - step 11 of the depthwise ladder on a GPU: as many blocks as the card has room for.
 *
 * Changed since cuda_dw_09_copies_ahead: the grid is what the card can run at once, 4 blocks of 256 threads a
 *     multiprocessor, whatever the layer; block b computes tiles b, b + B, b + 2 B, ... of all planes.  Three tiles lie in shared memory, and
 *     the copies of two are on their way while one is multiplied.
 * Why it is faster: step 9 starts a block for every four planes, each with a first tile for which it waits; here that
 *     wait is once a launch.  All multiprocessors have the same number of tiles, or one more: no last wave that a few
 *     of them work off alone.  And what works it off doesn't depend on the size of the image.
 * What it costs: three divisions a tile, to find it; three tiles of shared memory.  Whoever else wants the card waits.
 * Budget: at most 63 registers on sm_80, 64 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW, 1-D to 3-D, any multiplier, for which what one output reads fits in 16 KiB.
 * Explained in docs/ladder-cuda.md, step 11 of depthwise.
 */
#include "rung.h"
#include <instructions.h>

enum { ROWS = 8, COLUMNS = 32, STAGES = 3, STAGE_BYTES = (48 << 10) / STAGES };
constexpr int BLOCKS = 4, MOST_BLOCKS = 16;   /* of 256 threads on a multiprocessor; of any size */

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

/* How the slices of y are cut: `across` tiles beside each other, `down` below each other. */
struct tile_cut {
    int rows, columns, across, down;

    __host__ __device__ int64_t tiles(const shape &s) const { return s.n * s.k * s.d.out * down * across; }
};

/* A tile of y[n][k][z]: from row p0 and column q0 on.  n * k planes of z. */
struct place { int64_t slice; int p0, q0; };

__device__ static place place_of(int64_t tile, const tile_cut &cut)
{
    return { tile / cut.across / cut.down, static_cast<int>(tile / cut.across % cut.down) * cut.rows,
             static_cast<int>(tile % cut.across) * cut.columns };
}

/* What a block does next: a slice of the filter for a tile. */
struct turn {
    int64_t tile;
    int t;

    __device__ turn after(int depth) const
    {
        return t + 1 < depth ? turn{ tile, t + 1 } : turn{ tile + gridDim.x, 0 };
    }
};

/* Begin to copy what the tile reads of a slice of x; zeros where there is no image. */
__device__ static void begin_copies(float *to, const float *x, const turn &turn, const tile_cut &cut, const shape &s)
{
    const place at = place_of(turn.tile, cut);
    const int64_t plane = at.slice / s.d.out, n = plane / s.k;
    const int a = s.d.input_at(static_cast<int>(at.slice % s.d.out), turn.t), k = static_cast<int>(plane % s.k);
    const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();        /* x[n][c][:][:][:] */
    const int high = reach(s.h, cut.rows), wide = reach(s.w, cut.columns);
    for (int i = static_cast<int>(threadIdx.y); i < high; i += cut.rows)
    for (int j = static_cast<int>(threadIdx.x); j < wide; j += cut.columns) {
        const int b = s.h.input_at(at.p0, 0) + i, c = s.w.input_at(at.q0, 0) + j;
        const bool there = s.d.inside(a) && s.h.inside(b) && s.w.inside(c);
        cp_async_4(&to[i * wide + j], there ? &image[(a * s.h.in + b) * s.w.in + c] : x, there ? 4 : 0);
    }
}

/* sum += the tile times slice t of the filter; the last slice stores it. */
template <int K>
__device__ static void multiply(float &sum, float *y, const float *tile, const float *w, const float *bias, const turn &turn,
                         const tile_cut &cut, const shape &s)
{
    const int rows = K ? K : s.h.filter, columns = K ? K : s.w.filter, depth = K ? 1 : s.d.filter;
    const int row = static_cast<int>(threadIdx.y), column = static_cast<int>(threadIdx.x);
    const place at = place_of(turn.tile, cut);
    const int k = static_cast<int>(at.slice / s.d.out % s.k), p = at.p0 + row, q = at.q0 + column;
    const float *filter = w + (static_cast<int64_t>(k) * depth + turn.t) * rows * columns;    /* w[k][t][:][:] */
    const int wide = reach(s.w, cut.columns);
#pragma unroll
    for (int r = 0; r < rows; r++)
#pragma unroll
        for (int u = 0; u < columns; u++)
            sum += tile[(row * s.h.stride + r * s.h.dilation) * wide + column * s.w.stride + u * s.w.dilation]
                 * filter[r * columns + u];
    if (turn.t < depth - 1)
        return;
    if (p < s.h.out && q < s.w.out)                                           /* y[n][k][z][p][q] */
        y[at.slice * s.h.out * s.w.out + p * s.w.out + q] = activate(s.act, sum + (bias ? bias[k] : 0));
    sum = 0;
}

template <int K> __launch_bounds__(ROWS * COLUMNS, BLOCKS)
__global__ void as_many_as_fit(float *y, const float *x, const float *w, const float *bias, shape s, tile_cut cut)
{
    float *stages = dynamic_shared<float>();                                  /* [STAGES][high][wide] */
    const int depth = K ? 1 : s.d.filter, stage = reach(s.h, cut.rows) * reach(s.w, cut.columns);
    const int64_t tiles = cut.tiles(s);
    turn now = { blockIdx.x, 0 }, next = now;
    float sum = 0;
    for (int step = 1 - STAGES; now.tile < tiles; step++) {
        if (step >= 0) {
            cp_async_wait<STAGES - 2>();         /* this thread's copies of this step, */
            __syncthreads();                     /* and all others'; and all are through with the step before */
        }
        if (next.tile < tiles) {
            begin_copies(stages + (step + STAGES - 1) % STAGES * stage, x, next, cut, s);
            next = next.after(depth);
        }
        cp_async_commit();                       /* perhaps nothing: groups are counted */
        if (step >= 0) {
            multiply<K>(sum, y, stages + step % STAGES * stage, w, bias, now, cut, s);
            now = now.after(depth);
        }
    }
}

/* The largest tile whose input fits, and that isn't mostly beyond the image. */
static tile_cut cut_for(const shape &s)
{
    int rows = ROWS, columns = COLUMNS;
    while (columns / 2 >= s.w.out)
        columns /= 2;
    while (rows / 2 >= s.h.out)
        rows /= 2;
    while (static_cast<int64_t>(reach(s.h, rows)) * reach(s.w, columns) > STAGE_BYTES / 4 && rows * columns > 1)
        (rows > 1 ? rows : columns) /= 2;
    return { rows, columns, (s.w.out + columns - 1) / columns, (s.h.out + rows - 1) / rows };
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    return static_cast<int64_t>(s.h.extent()) * s.w.extent() > STAGE_BYTES / 4
        ? "what one output reads doesn't fit in 16 KiB, a third of shared memory" : nullptr;
}

static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    return known == 3 ? as_many_as_fit<3> : known == 5 ? as_many_as_fit<5>
         : known == 7 ? as_many_as_fit<7> : as_many_as_fit<0>;
}

/* Blocks that run at once, if there are as many tiles; of small ones a multiprocessor has more. */
static unsigned blocks_at_once(const tile_cut &cut, const shape &s)
{
    int multiprocessors = 1;
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    const int of_one = min(BLOCKS * int(ROWS * COLUMNS) / (cut.rows * cut.columns), MOST_BLOCKS);
    const int64_t room = int64_t(multiprocessors) * of_one, tiles = cut.tiles(s);
    return static_cast<unsigned>(tiles < room ? tiles : room);
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const tile_cut cut = cut_for(s);
    const size_t bytes = STAGES * sizeof(float) * static_cast<size_t>(reach(s.h, cut.rows))
                       * static_cast<size_t>(reach(s.w, cut.columns));
    const dim3 block(static_cast<unsigned>(cut.columns), static_cast<unsigned>(cut.rows));
    launch(workspace, instance(s), blocks_at_once(cut, s), block, bytes, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s,
           cut);
}

CUDA_KERNEL(cuda_dw_11_persistent,
    .title = "as many blocks as the card runs at once, each with its tiles one after another, two of them ahead",
    .from = "cuda_dw_09_copies_ahead",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
