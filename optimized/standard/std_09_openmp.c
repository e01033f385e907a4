/* std_09_openmp.c - step 9 of the standard ladder: all cores.
 *
 * Changed since std_08_unfold_by_block: blocks of positions are dealt out to threads, each with a block of
 *     scratch of its own; with fewer blocks than threads, the filters are divided as well.
 * Why it is faster: blocks of positions share no output, so nothing waits for anything.
 * What it costs: where the filters are divided, each thread unfolds the same block again.
 * Applies to: any standard or pointwise problem, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 9.
 */
#include <convref/kernel.h>

#include "optimized/threads.h"
#include "optimized/tile.h"
#include "optimized/unfold.h"

enum {
    BLOCK_TAPS = 256,
    BLOCK_POSITIONS = 16 * TILE_Q,
    BLOCK_PITCH = BLOCK_POSITIONS + 16   /* odd in cache lines, so that rows don't collide in the cache */
};

struct sizes { int64_t taps, positions; };   /* the matrix of columns: C*T*R*S x Z*P*Q */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    return (struct sizes){ conv->c * D.filter * H.filter * W.filter, D.out * H.out * W.out };
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- columns: one block, columns[j][i] ---- */

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)(threads * min(sizes_of(conv).taps, BLOCK_TAPS) * BLOCK_PITCH) * sizeof(float);
}

/* Positions i0 .. i1 of the taps j0 .. j1, for one image x[:][:][:][:]; zeros fill the last tile. */
static void unfold_block(float *block, const struct conv_problem *conv, const float *x, int64_t j0,
                         int64_t j1, int64_t i0, int64_t i1)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t count = i1 - i0, whole_tiles = conv_ceil_div(count, TILE_Q) * TILE_Q;
    for (int64_t j = j0; j < j1; j++, block += BLOCK_PITCH) {
        const int64_t s = j % W.filter, r = j / W.filter % H.filter;
        const int64_t t = j / W.filter / H.filter % D.filter, c = j / W.filter / H.filter / D.filter;
        unfold_row(block, conv, x + c * D.in * H.in * W.in, t, r, s, i0, i1);
        memset(block + count, 0, (size_t)(whole_tiles - count) * sizeof *block);
    }
}

/* ---- weights: panels of TILE_K filters, w[k / TILE_K][j][k % TILE_K] ---- */

static int64_t panels(const struct conv_problem *conv) { return conv_ceil_div(conv->k, TILE_K); }

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(panels(conv) * TILE_K * sizes_of(conv).taps) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t taps = sizes_of(conv).taps;
    const float *w = weights->w;
    float *to = packed;
    for (int64_t panel = 0; panel < panels(conv); panel++)
        for (int64_t j = 0; j < taps; j++)
            for (int64_t k = panel * TILE_K; k < (panel + 1) * TILE_K; k++)
                *to++ = k < conv->k ? w[k * taps + j] : 0;
}

/* ---- the matrix product ---- */

/* One tile of y, from channel k and position i on: += w[k..][j0..j1] * x, where x is a tile of
 * the block */
static void multiply_tile(float *y, const struct conv_problem *conv, const float *w, const float *x,
                          const float *bias, struct sizes size, int64_t k, int64_t i, int64_t j0)
{
    const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps);
    const int64_t rows = min(TILE_K, conv->k - k), cols = min(TILE_Q, size.positions - i);
    const struct tile_end end = { j0 == 0, j1 == size.taps, bias ? bias + k : NULL, conv->act };
    const float *panel = w + (k * size.taps + j0 * TILE_K);   /* w[k / TILE_K][j0][:] */
    struct tile tile;

    tile_clear(&tile);
    tile_multiply(&tile, panel, 1, TILE_K, x, BLOCK_PITCH, j1 - j0);
    tile_store(y + k * size.positions + i, size.positions, &tile, rows, cols, &end);
}

/* Positions i0 .. i1, filters k0 .. k1 of one image: y[k][i] = bias[k] + SUM_j w[k][j] * columns[j][i] */
static void multiply(float *y, const struct conv_problem *conv, const float *w, const float *x,
                     const float *bias, float *block, int64_t i0, int64_t i1, int64_t k0, int64_t k1)
{
    const struct sizes size = sizes_of(conv);
    for (int64_t j0 = 0; j0 < size.taps; j0 += BLOCK_TAPS) {
        const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps);
        unfold_block(block, conv, x, j0, j1, i0, i1);
        for (int64_t k = k0; k < k1; k += TILE_K)
            for (int64_t i = i0; i < i1; i += TILE_Q)
                multiply_tile(y, conv, w, block + (i - i0), bias, size, k, i, j0);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t positions = sizes_of(conv).positions, image = conv->c * D.in * H.in * W.in;
    const int64_t blocks = conv_ceil_div(positions, BLOCK_POSITIONS);
    /* the filters in parts of whole panels: as many as it takes to have a task for each thread */
    const int64_t wanted = conv_ceil_div(workspace->threads, conv->n * blocks);
    const int64_t part = conv_ceil_div(panels(conv), wanted) * TILE_K;
    const int64_t parts = conv_ceil_div(conv->k, part);
    const float *x = operands->x;
    float *y = operands->y, *scratch = workspace->scratch;

#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t task = 0; task < conv->n * blocks * parts; task++) {
        const int64_t n = task / parts / blocks, i = task / parts % blocks * BLOCK_POSITIONS;
        const int64_t k = task % parts * part;
        multiply(y + n * conv->k * positions, conv, workspace->packed, x + n * image, operands->bias,
                 scratch + conv_thread() * min(sizes_of(conv).taps, BLOCK_TAPS) * BLOCK_PITCH, i,
                 min(i + BLOCK_POSITIONS, positions), k, min(k + part, conv->k));
    }
}

CONV_KERNEL(std_09_openmp,
    .title = "all cores",
    .from = "std_08_unfold_by_block",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
