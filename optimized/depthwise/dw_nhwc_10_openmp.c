/* dw_nhwc_10_openmp.c - step 10 of the depthwise ladder for channels last: all cores.
 *
 * Changed since dw_nhwc_09_one_cache_set: the work, pairs of rows times blocks of channels, is a line that is cut
 *     into as many equal parts as there are threads; each has a table of its own.  A small layer isn't cut.
 * Why it is faster: the parts share inputs, which are only read, and no outputs.  An image of one row is cut by its
 *     channels, and the four pairs of 7 rows (the last has one row) into two and two.
 * What it costs: a table for each thread.  Two blocks are the least that is given away: the last of them overlap.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D, any filter.
 * Explained in docs/ladder-depthwise.md, step 10 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/one_cache_set.h"

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

/* Of each thread: a table and a tile aside; after them the bias. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    return set_table_bytes(conv) + (size_t)(PAIR_SUMS * CONV_LANES) * sizeof(float);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv) + (size_t)table_wide(conv) * sizeof(float);
}

/* ---- the work: pairs of rows of all images, times groups of at least two blocks ---- */

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static int64_t groups(const struct conv_problem *conv) { return (block_count(conv) + 1) / 2; }

/* One part of the line, from begin to end. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                 const float *bias, char *scratch, int64_t begin, int64_t end)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = set_table_start(conv, operands->x, scratch);
    float *aside = (float *)(scratch + set_table_bytes(conv));
    const int64_t apart = table.pair.apart, each = groups(conv), blocks = block_count(conv);

    for (int64_t i = begin, next; i < end; i = next) {
        const int64_t pair = i / each % pair_count(&H, apart), plane = i / each / pair_count(&H, apart);
        const int64_t p = pair_row(pair, apart), z = plane % D.out, n = plane / D.out;
        const int rows = p + apart < H.out ? 2 : 1;
        float *const to[2] = { y[n][z][p], y[n][z][p + (rows - 1) * apart] };
        next = (i / each + 1) * each < end ? (i / each + 1) * each : end;
        const struct conv_range some = { i % each * blocks / each, (next - i / each * each) * blocks / each };
        table_point(&table, x[n], z, p, rows);
        set_compute(to, &table, w, bias, aside, rows, some);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    char *scratch = workspace->scratch;
    float *bias = (float *)(scratch + (size_t)workspace->threads * thread_bytes(conv));
    const int64_t all = conv->n * D.out * pair_count(&H, line_of(&H, 0).apart) * groups(conv);
    const int64_t products = conv->n * D.out * H.out * W.out * conv->k * D.filter * H.filter * W.filter;
    const int64_t enough = 1 + products / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;

    memset(bias, 0, (size_t)table_wide(conv) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, workspace->packed, bias, scratch + (size_t)i * thread_bytes(conv),
             all * i / threads, all * (i + 1) / threads);
}

CONV_KERNEL(dw_nhwc_10_openmp,
    .title = "all cores",
    .from = "dw_nhwc_09_one_cache_set",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = block_packed_bytes,
    .pack = block_pack,
    .run = run,
);
