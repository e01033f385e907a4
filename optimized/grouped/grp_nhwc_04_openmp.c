/* grp_nhwc_04_openmp.c - step 4 of the grouped ladder for channels last: all cores.
 *
 * Changed since grp_nhwc_03_two_vectors: the work, rows of outputs times blocks of filters, is a line that is cut
 *     into as many equal parts as there are threads, each with a table of its own.  A small layer gets fewer threads.
 * Why it is faster: the parts share inputs, which are only read, and no outputs.
 * What it costs: a table for each thread.  Blocks that overlap are given away together: all of a group, or two.
 * Applies to: any grouped or depthwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-grouped.md, step 4 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/grouped/vectors.h"

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

/* Of each thread: a table and a tile aside; after them the bias. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    return table_bytes(conv, SUMS) + (size_t)(SUMS * CONV_LANES) * sizeof(float);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv) + (size_t)(conv->k + CONV_LANES) * sizeof(float);
}

/* ---- the work: rows of outputs of all images, times units of blocks that overlap ---- */

static int64_t units(const struct conv_problem *conv, const struct blocks *blocks)
{
    return blocks->way == PERMUTE ? (blocks->count + 1) / 2 : conv->groups;
}

/* One part of the line, from begin to end. */
static void part(struct tile tile, const struct conv_problem *conv, const struct conv_operands *operands,
                 char *scratch, int64_t begin, int64_t end)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = table_start(conv, operands->x, SUMS, scratch);
    const int64_t each = units(conv, &tile.blocks), count = tile.blocks.count;
    tile.table = &table;
    tile.aside = (float *)(scratch + table_bytes(conv, SUMS));

    for (int64_t i = begin, next; i < end; i = next) {
        const int64_t row = i / each, p = row % H.out, z = row / H.out % D.out, n = row / H.out / D.out;
        next = min((row + 1) * each, end);
        tile.some = (struct conv_range){ i % each * count / each, (next - row * each) * count / each };
        table_point(&table, x[n], z, p, 1);
        compute_row(&tile, y[n][z][p]);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    char *scratch = workspace->scratch;
    float *bias = (float *)(scratch + (size_t)workspace->threads * thread_bytes(conv));
    const struct tile tile = { .packed = workspace->packed, .bias = bias, .blocks = blocks_of(conv) };
    const int64_t rows = conv->n * D.out * H.out, all = rows * units(conv, &tile.blocks);
    const int64_t taps = tile.blocks.C * D.filter * H.filter * W.filter;
    const int64_t enough = 1 + rows * W.out * conv->k * taps / LEAST_PRODUCTS;
    const int threads = (int)min(enough, workspace->threads);

    memset(bias, 0, (size_t)(conv->k + CONV_LANES) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(tile, conv, operands, scratch + (size_t)i * thread_bytes(conv), all * i / threads,
             all * (i + 1) / threads);
}

CONV_KERNEL(grp_nhwc_04_openmp,
    .title = "all cores",
    .from = "grp_nhwc_03_two_vectors",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
