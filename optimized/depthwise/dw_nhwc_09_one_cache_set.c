/* dw_nhwc_09_one_cache_set.c - step 9 of the depthwise ladder for channels last: a pitch of a power of two.
 *
 * Changed since dw_nhwc_08_two_rows: where C is a multiple of 256 (of 512 with a stride of 2), blocks of channels are
 *     taken in the order in which loads don't wait for stores; with a 3x3 filter of stride 2 a tile is one row by
 *     neighbouring vectors; and with a dilation of 2 it is of neighbouring columns (one_cache_set.h).
 * Why it is faster: there, all that a tile reads and writes of a block shares one or a few sets of the cache.
 * What it costs: a second tile, which has more sums than registers; for other numbers of channels nothing.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D, any filter.
 * Explained in docs/ladder-depthwise.md, step 9 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/one_cache_set.h"

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return set_table_bytes(conv) + (size_t)(table_wide(conv) + PAIR_SUMS * CONV_LANES) * sizeof(float);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = set_table_start(conv, operands->x, workspace->scratch);
    float *bias = (float *)((char *)workspace->scratch + set_table_bytes(conv));
    float *aside = bias + table_wide(conv);
    const struct conv_range all = { 0, block_count(conv) };
    const int64_t apart = table.pair.apart;

    memset(bias, 0, (size_t)table_wide(conv) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t pair = 0; pair < pair_count(&H, apart); pair++) {
        const int64_t p = pair_row(pair, apart);
        const int rows = p + apart < H.out ? 2 : 1;
        float *const to[2] = { y[n][z][p], y[n][z][p + (rows - 1) * apart] };
        table_point(&table, x[n], z, p, rows);
        set_compute(to, &table, workspace->packed, bias, aside, rows, all);
    }
}

CONV_KERNEL(dw_nhwc_09_one_cache_set,
    .title = "a pitch of a power of two",
    .from = "dw_nhwc_08_two_rows",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = block_packed_bytes,
    .pack = block_pack,
    .run = run,
);
