/* grp_nhwc_03_two_vectors.c - step 3 of the grouped ladder for channels last: two vectors of filters, fewer columns.
 *
 * Changed since grp_nhwc_02_groups_in_lanes: where a group's filters fill an even number of vectors, a tile is half
 *     as many columns by two of them.
 * Why it is faster: an input that was fetched serves both vectors; and seven columns fit an image of 7x7, in which
 *     half of fourteen were computed for nobody.
 * What it costs: twice the weights in registers; a third way through the tile.
 * Applies to: any grouped or depthwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-grouped.md, step 3 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/grouped/vectors.h"

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return table_bytes(conv, SUMS) + (size_t)(conv->k + CONV_LANES + SUMS * CONV_LANES) * sizeof(float);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = table_start(conv, operands->x, SUMS, workspace->scratch);
    float *bias = (float *)((char *)workspace->scratch + table_bytes(conv, SUMS));
    struct tile tile = { .packed = workspace->packed, .bias = bias, .aside = bias + conv->k + CONV_LANES,
                         .table = &table, .blocks = blocks_of(conv) };
    tile.some = (struct conv_range){ 0, tile.blocks.count };

    memset(bias, 0, (size_t)(conv->k + CONV_LANES) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++) {
        table_point(&table, x[n], z, p, 1);
        compute_row(&tile, y[n][z][p]);
    }
}

CONV_KERNEL(grp_nhwc_03_two_vectors,
    .title = "two vectors of filters, fewer columns",
    .from = "grp_nhwc_02_groups_in_lanes",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
