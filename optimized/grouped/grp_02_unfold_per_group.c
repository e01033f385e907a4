/* grp_02_unfold_per_group.c - step 2 of the grouped ladder: unfold and multiply, group by group.
 *
 * Changed since grp_01_loop_over_groups: each group is std_08_unfold_by_block: its windows are unfolded block by
 *     block and multiplied with packed weights, a tile of y in registers.
 * Why it is faster: for groups of 16 channels and more it is the matrix product of the standard ladder.
 * What it costs: the matrices become thin.  With K/G filters in a group, a tile of 6 channels is used to
 *     K/G sixths, and a depthwise layer multiplies matrices of one row: it unfolds 9 numbers to use each once.
 * Applies to: any grouped or depthwise problem, 1-D to 3-D.  Torch's THNN, and Caffe, computed groups this way.
 * Explained in docs/ladder-grouped.md, step 2.
 */
#include <convref/kernel.h>

#include "optimized/tile.h"
#include "optimized/unfold.h"

enum {
    BLOCK_TAPS = 256,
    BLOCK_POSITIONS = 16 * TILE_Q,
    BLOCK_PITCH = BLOCK_POSITIONS + 16   /* odd in cache lines, so that rows don't collide in the cache */
};

struct sizes { int64_t taps, positions, filters; };   /* of one group */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    return (struct sizes){ conv->c / conv->groups * D.filter * H.filter * W.filter, D.out * H.out * W.out,
                           conv->k / conv->groups };
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- columns: one block, columns[j][i] ---- */

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)(min(sizes_of(conv).taps, BLOCK_TAPS) * BLOCK_PITCH) * sizeof(float);
}

/* Positions i0 .. i1 of the taps j0 .. j1, for one group x[c][:][:][:]; zeros fill the last tile. */
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

/* ---- weights: for each group, panels of TILE_K filters, w[g][k / TILE_K][j][k % TILE_K] ---- */

static int64_t group_floats(struct sizes size)
{
    return conv_ceil_div(size.filters, TILE_K) * TILE_K * size.taps;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv->groups * group_floats(sizes_of(conv))) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct sizes size = sizes_of(conv);
    const float (*w)[size.filters][size.taps] = weights->w;
    float *to = packed;
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t k0 = 0; k0 < size.filters; k0 += TILE_K)
            for (int64_t j = 0; j < size.taps; j++)
                for (int64_t k = k0; k < k0 + TILE_K; k++)
                    *to++ = k < size.filters ? w[g][k][j] : 0;
}

/* ---- the matrix product of one group ---- */

/* One tile of y, from channel k and position i on: += w[k..][j0..j1] * x, where x is a tile of
 * the block */
static void multiply_tile(float *y, const struct conv_problem *conv, const float *w, const float *x,
                          const float *bias, struct sizes size, int64_t k, int64_t i, int64_t j0)
{
    const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps);
    const int64_t rows = min(TILE_K, size.filters - k), cols = min(TILE_Q, size.positions - i);
    const struct tile_end end = { j0 == 0, j1 == size.taps, bias ? bias + k : NULL, conv->act };
    const float *panel = w + (k * size.taps + j0 * TILE_K);   /* w[k / TILE_K][j0][:] */
    struct tile tile;

    tile_clear(&tile);
    tile_multiply(&tile, panel, 1, TILE_K, x, BLOCK_PITCH, j1 - j0);
    tile_store(y + k * size.positions + i, size.positions, &tile, rows, cols, &end);
}

/* The positions i0 .. i1: y[k][i] = bias[k] + SUM_j w[k][j] * columns[j][i] */
static void multiply(float *y, const struct conv_problem *conv, const float *w, const float *x,
                     const float *bias, float *block, int64_t i0, int64_t i1)
{
    const struct sizes size = sizes_of(conv);
    for (int64_t j0 = 0; j0 < size.taps; j0 += BLOCK_TAPS) {
        const int64_t j1 = min(j0 + BLOCK_TAPS, size.taps);
        unfold_block(block, conv, x, j0, j1, i0, i1);
        for (int64_t k = 0; k < size.filters; k += TILE_K)
            for (int64_t i = i0; i < i1; i += TILE_Q)
                multiply_tile(y, conv, w, block + (i - i0), bias, size, k, i, j0);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sizes size = sizes_of(conv);
    const float (*x)[conv->groups][conv->c / conv->groups * D.in * H.in * W.in] = operands->x;
    const float *w = workspace->packed, *bias = operands->bias;
    float (*y)[conv->groups][size.filters * size.positions] = operands->y;

    for (int64_t n = 0; n < conv->n; n++)
        for (int64_t g = 0; g < conv->groups; g++)
            for (int64_t i = 0; i < size.positions; i += BLOCK_POSITIONS)
                multiply(y[n][g], conv, w + g * group_floats(size), x[n][g],
                         bias ? bias + g * size.filters : NULL, workspace->scratch, i,
                         min(i + BLOCK_POSITIONS, size.positions));
}

CONV_KERNEL(grp_02_unfold_per_group,
    .title = "unfold and multiply, group by group",
    .from = "grp_01_loop_over_groups",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
