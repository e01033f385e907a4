/* dw_small_03_openmp.c - step 3 of the depthwise ladder for small images: all cores.
 *
 * Changed since dw_small_02_fetched_ahead: the blocks of all images are cut into as many equal parts as there are
 *     threads, each with a block and pointers of its own.
 * Why it is faster: blocks have nothing in common.
 * What it costs: every thread makes its pointers.
 * Applies to: depthwise problems in NCHW with a multiplier of 1, 1-D to 3-D; made for images that fit into a cache
 *     CONV_LANES times.
 * Explained in docs/ladder-depthwise.md, step 3 for small images.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/pairs.h"
#include "optimized/lanes.h"

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

static int64_t positions(const struct conv_problem *conv, bool out)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    return out ? D->out * H->out * W->out : D->in * H->in * W->in;
}

static int64_t blocks_of(const struct conv_problem *conv) { return conv_ceil_div(conv->c, CONV_LANES); }

/* The channels of a block: fewer in the last one, perhaps. */
static int64_t channels_of(const struct conv_problem *conv, int64_t block)
{
    const int64_t left = conv->c - block * CONV_LANES;
    return left < CONV_LANES ? left : CONV_LANES;
}

/* ---- scratch: a block of x and of y, a table for each pair of rows of all planes, and their memory ---- */

static int64_t all_pairs(const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H];
    return conv->axis[CONV_D].out * pair_count(H, line_of(H, 0).apart);
}

static size_t tables_bytes(const struct conv_problem *block)
{
    const size_t structs = ((size_t)all_pairs(block) * sizeof(struct table) + 63) / 64 * 64;
    return structs + (size_t)all_pairs(block) * table_bytes(block, PAIR_SUMS);
}

/* Of one thread; a multiple of 64. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    const struct conv_problem block = lanes_problem(conv, CONV_LANES);
    const int64_t floats = (positions(conv, false) + positions(conv, true) + 1) * CONV_LANES;
    return ((size_t)floats * sizeof(float) + tables_bytes(&block) + 63) / 64 * 64;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* ---- weights: w[block][t][r][s][lane], and lanes without a channel are 0 ---- */

static int64_t taps(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(blocks_of(conv) * taps(conv) * CONV_LANES) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const float *w = weights->w;   /* w[c][tap] */
    float *to = packed;
    for (int64_t block = 0; block < blocks_of(conv); block++, to += taps(conv) * CONV_LANES)
        lanes_in(to, CONV_LANES, w + block * CONV_LANES * taps(conv), taps(conv), taps(conv),
                 channels_of(conv, block));
}

/* ---- blocks ---- */

struct small {
    struct conv_problem block;
    float *x, *y, *bias;       /* x[position][lane] */
    struct table *tables;      /* tables[z][pair] */
};

/* All tables point into the same block of x; the problem must stay where it is. */
static void start(struct small *small, const struct conv_problem *conv, void *memory)
{
    const struct conv_problem *block = &small->block;
    const struct conv_axis *H = &conv->axis[CONV_H];
    const int64_t apart = line_of(H, 0).apart, pairs = pair_count(H, apart);
    small->block = lanes_problem(conv, CONV_LANES);
    small->x = memory;
    small->y = small->x + positions(conv, false) * CONV_LANES;
    small->bias = small->y + positions(conv, true) * CONV_LANES;
    small->tables = (struct table *)(small->bias + CONV_LANES);
    char *at = (char *)small->tables + ((size_t)all_pairs(block) * sizeof(struct table) + 63) / 64 * 64;
    for (int64_t i = 0; i < all_pairs(block); i++, at += table_bytes(block, PAIR_SUMS)) {
        const int64_t p = pair_row(i % pairs, apart);
        small->tables[i] = table_start(block, small->x, PAIR_SUMS, at);
        table_point(&small->tables[i], small->x, i / pairs, p, p + apart < H->out ? 2 : 1);
    }
}

/* y[position][lane] of a block whose x is there; meanwhile x and y of the next are fetched, a part for each pair. */
static void compute(const struct small *small, const float *w, const float *next_x, const float *next_y)
{
    const struct conv_problem *block = &small->block;
    const int64_t x_floats = positions(block, false) * CONV_LANES, y_floats = positions(block, true) * CONV_LANES;
    const struct conv_axis *H = &small->block.axis[CONV_H], *W = &small->block.axis[CONV_W];
    const int64_t apart = line_of(H, 0).apart, pairs = pair_count(H, apart);
    for (int64_t i = 0; i < all_pairs(&small->block); i++) {
        const int64_t p = pair_row(i % pairs, apart);
        const int rows = p + apart < H->out ? 2 : 1;
        float *y = small->y + (i / pairs * H->out + p) * W->out * CONV_LANES;
        float *const to[2] = { y, y + (rows - 1) * apart * W->out * CONV_LANES };
        if (next_x) {
            lanes_fetch(next_x, x_floats, i, all_pairs(block), false);
            lanes_fetch(next_y, y_floats, i, all_pairs(block), true);
        }
        pair_compute(to, &small->tables[i], w, small->bias, NULL, rows, (struct conv_range){ 0, 1 }, false);
    }
}

/* One block of channels of one image. */
static void block_of(struct small *small, const struct conv_problem *conv, const struct conv_operands *operands,
                     const float *w, int64_t n, int64_t block)
{
    const float (*x)[positions(conv, false)] = operands->x;   /* x[n * C + c] */
    const float *bias = operands->bias;
    float (*y)[positions(conv, true)] = operands->y;
    const int64_t c = block * CONV_LANES, channels = channels_of(conv, block);
    for (int64_t lane = 0; lane < CONV_LANES; lane++)
        small->bias[lane] = bias && lane < channels ? bias[c + lane] : 0;
    lanes_in(small->x, CONV_LANES, x[n * conv->c + c], positions(conv, false), positions(conv, false), channels);
    const bool more = block + 1 < blocks_of(conv) && channels_of(conv, block + 1) == CONV_LANES;
    compute(small, w + c * taps(conv), more ? x[n * conv->c + c + CONV_LANES] : NULL,
            more ? y[n * conv->c + c + CONV_LANES] : NULL);
    lanes_out(y[n * conv->c + c], small->y, CONV_LANES, positions(conv, true), channels);
}

/* Blocks begin .. end of all images. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w, void *memory,
                 int64_t begin, int64_t end)
{
    const int64_t blocks = blocks_of(conv);
    struct small small;
    start(&small, conv, memory);
    for (int64_t i = begin; i < end; i++)
        block_of(&small, conv, operands, w, i / blocks, i % blocks);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t all = conv->n * blocks_of(conv);
    const int64_t products = conv->n * conv->k * positions(conv, true) * taps(conv);
    const int64_t enough = 1 + products / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, workspace->packed, (char *)workspace->scratch + (size_t)i * thread_bytes(conv),
             all * i / threads, all * (i + 1) / threads);
}

CONV_KERNEL(dw_small_03_openmp,
    .title = "all cores",
    .from = "dw_small_02_fetched_ahead",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
