/* pw_04_openmp.c - step 4 of the pointwise ladder: all cores.
 *
 * Changed since pw_03_register_tile: blocks of positions are dealt out to threads, each with a block of
 *     scratch of its own; with fewer blocks than threads, the filters are divided as well.
 * Why it is faster: blocks of positions share no output, so nothing waits for anything.
 * What it costs: where the filters are divided, each thread copies the same block again.
 * Applies to: pointwise problems without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 4.
 */
#include <convref/kernel.h>

#include "optimized/pointwise/matrix.h"
#include "optimized/threads.h"
#include "optimized/tile.h"

enum { BLOCK_CHANNELS = 256, BLOCK_POSITIONS = 16 * TILE_Q };

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- weights: panels of TILE_K filters, w[k / TILE_K][c][k % TILE_K] ---- */

static int64_t panels(const struct conv_problem *conv) { return conv_ceil_div(conv->k, TILE_K); }

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(panels(conv) * TILE_K * conv->c) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const float (*w)[conv->c] = weights->w;
    float *to = packed;
    for (int64_t panel = 0; panel < panels(conv); panel++)
        for (int64_t c = 0; c < conv->c; c++)
            for (int64_t k = panel * TILE_K; k < (panel + 1) * TILE_K; k++)
                *to++ = k < conv->k ? w[k][c] : 0;
}

/* ---- images: one block, x[i / TILE_Q][c][i % TILE_Q] ---- */

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)(threads * min(conv->c, BLOCK_CHANNELS) * BLOCK_POSITIONS) * sizeof(float);
}

/* `count` positions of `channels` channels of x[c * pitch + i]; zeros fill the last tile. */
static void copy_block(float *block, const float *x, int64_t pitch, int64_t channels, int64_t count)
{
    for (int64_t i = 0; i < count; i += TILE_Q)
        for (int64_t c = 0; c < channels; c++, block += TILE_Q) {
            const int64_t cols = min(TILE_Q, count - i);
            memcpy(block, x + c * pitch + i, (size_t)cols * sizeof *block);
            memset(block + cols, 0, (size_t)(TILE_Q - cols) * sizeof *block);
        }
}

/* ---- the matrix product ---- */

/* One tile of y from channel k on, `cols` positions wide, over the channels c0 .. c1 of x. */
static void multiply_tile(float *y, const struct conv_problem *conv, const float *w, const float *x,
                          const float *bias, int64_t k, int64_t cols, int64_t c0, int64_t c1)
{
    const struct tile_end end = { c0 == 0, c1 == conv->c, bias ? bias + k : NULL, conv->act };
    const int64_t positions = matrix_positions(conv);
    struct tile tile;
    tile_clear(&tile);
    tile_multiply(&tile, w + k * conv->c + c0 * TILE_K, 1, TILE_K, x, TILE_Q, c1 - c0);
    tile_store(y + k * positions, positions, &tile, min(TILE_K, conv->k - k), cols, &end);
}

/* `count` positions, filters k0 .. k1: y[k][i] = bias[k] + SUM_c w[k][c] * x[c][i] */
static void multiply(float *y, const struct conv_problem *conv, const float *w, const float *x,
                     const float *bias, float *block, int64_t count, int64_t k0, int64_t k1)
{
    const int64_t positions = matrix_positions(conv);
    for (int64_t c0 = 0; c0 < conv->c; c0 += BLOCK_CHANNELS) {
        const int64_t c1 = min(c0 + BLOCK_CHANNELS, conv->c);
        copy_block(block, x + c0 * positions, positions, c1 - c0, count);
        for (int64_t k = k0; k < k1; k += TILE_K)
            for (int64_t i = 0; i < count; i += TILE_Q)
                multiply_tile(y + i, conv, w, block + i * (c1 - c0), bias, k, min(TILE_Q, count - i), c0, c1);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t positions = matrix_positions(conv), blocks = conv_ceil_div(positions, BLOCK_POSITIONS);
    /* the filters in parts of whole panels: as many as it takes to have a task for each thread */
    const int64_t wanted = conv_ceil_div(workspace->threads, conv->n * blocks);
    const int64_t part = conv_ceil_div(panels(conv), wanted) * TILE_K;
    const int64_t parts = conv_ceil_div(conv->k, part);
    const float (*x)[conv->c][positions] = operands->x;
    float (*y)[conv->k][positions] = operands->y, *scratch = workspace->scratch;

#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t task = 0; task < conv->n * blocks * parts; task++) {
        const int64_t n = task / parts / blocks, i = task / parts % blocks * BLOCK_POSITIONS;
        const int64_t k = task % parts * part;
        multiply(&y[n][0][i], conv, workspace->packed, &x[n][0][i], operands->bias,
                 scratch + conv_thread() * min(conv->c, BLOCK_CHANNELS) * BLOCK_POSITIONS,
                 min(BLOCK_POSITIONS, positions - i), k, min(k + part, conv->k));
    }
}

CONV_KERNEL(pw_04_openmp,
    .title = "all cores",
    .from = "pw_03_register_tile",
    .kinds = 1u << CONV_POINTWISE,
    .applies = matrix_applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
