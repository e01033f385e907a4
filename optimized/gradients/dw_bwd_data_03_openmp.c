/* dw_bwd_data_03_openmp.c - step 3 of the depthwise ladder of data gradients: all cores.
 *
 * Changed since dw_bwd_data_02_channels_in_lanes: the groups of channels of all images are dealt out to threads, each
 *     with scratch of its own.
 * Why it is faster: groups have nothing in common.
 * What it costs: nothing but the scratch.  Groups are as large as a cache likes, so that a small layer has few.
 * Applies to: data gradients of depthwise convolutions with a multiplier of 1, and transposed ones with groups of one
 *     channel, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 3 of depthwise data.
 */
#include <convref/kernel.h>

#include "optimized/gradients/whole_rows.h"
#include "optimized/lanes.h"

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static const char *applies(const struct conv_problem *conv)
{
    const char *why = spread_applies(conv);
    return why ? why : conv->k == conv->c && conv->groups == conv->c ? NULL : "it needs groups of one channel";
}

/* ---- scratch: a group of channels of dx and of dy, a bias of zeros, and what the tiles need ---- */

/* Positions of dx, which is the y of a transposed convolution. */
static int64_t inputs(const struct conv_problem *conv) { return spread_of(conv).dx_positions; }

static int64_t outputs(const struct conv_problem *conv) { return spread_of(conv).dy_positions; }

static struct parts groups_of(const struct conv_problem *conv)
{
    return lanes_groups(conv, inputs(conv) + outputs(conv));
}

static size_t tiles_bytes(const struct tiles *tiles)
{
    return whole_applies(tiles) ? whole_bytes(tiles) : tiles_thread_bytes(tiles);
}

/* Of one thread; a multiple of 64. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    const struct parts groups = groups_of(conv);
    const struct conv_problem widest = lanes_problem(conv, lanes_widest(&groups));
    const struct tiles tiles = tiles_of(&widest);
    const size_t floats = (size_t)((inputs(conv) + outputs(conv) + 1) * widest.c);
    return (floats * sizeof(float) + tiles_bytes(&tiles) + 63) / 64 * 64;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* ---- weights: of each group as tiles.h or whole_rows.h wants them ---- */

static int64_t taps(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv_ceil_div(conv->c, CONV_LANES) * taps(conv) * CONV_LANES) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct conv_problem any = lanes_problem(conv, CONV_LANES);
    const struct tiles tiles = tiles_of(&any);
    const struct parts groups = groups_of(conv);
    for (int64_t i = 0; i < groups.count; i++) {
        const struct lanes_group group = lanes_group_at(conv, &groups, i);
        const struct conv_problem some = lanes_problem(conv, group.channels);
        const struct conv_operands its = { .w = (float *)weights->w + group.begin * taps(conv) };
        (whole_applies(&tiles) ? whole_pack : tiles_pack)((float *)packed + group.begin * taps(conv), &some, &its);
    }
}

/* ---- one group of channels of one image ---- */

/* What groups of the same width have in common: they are turned to the same place. */
struct turned {
    struct conv_problem conv;
    float *dx, *dy;                  /* dx[position][c], dy[position][c] */
    struct tiles tiles;
    struct whole_row row;
    void *memory;
};

static void start(struct turned *turned, const struct conv_problem *conv, float *scratch, int64_t wide)
{
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    turned->conv = lanes_problem(conv, wide);
    turned->dx = scratch;
    turned->dy = turned->dx + inputs(conv) * wide;
    float *bias = turned->dy + outputs(conv) * wide;
    const struct conv_operands operands = { .x = transposed ? turned->dy : turned->dx,
                                            .y = transposed ? turned->dx : turned->dy };
    turned->tiles = tiles_start(&turned->conv, &operands, bias);
    turned->memory = bias + conv_ceil_div((inputs(conv) + outputs(conv) + 1) * wide, 4) * 4
                   - (inputs(conv) + outputs(conv)) * wide;   /* pointers begin at a multiple of 16 bytes */
    if (whole_applies(&turned->tiles))
        turned->row = whole_start(&turned->tiles, turned->memory);
}

static void group_of(struct turned *turned, const struct conv_problem *conv, const struct conv_operands *operands,
                     const float *w, int64_t n, struct lanes_group group)
{
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    const float (*dy)[conv->c][outputs(conv)] = transposed ? operands->x : operands->y;
    float (*dx)[conv->c][inputs(conv)] = transposed ? operands->y : operands->x;
    lanes_in(turned->dy, group.wide, dy[n][group.begin], outputs(conv), outputs(conv), group.channels);
    if (transposed && operands->bias)
        memcpy(turned->tiles.bias, (const float *)operands->bias + group.begin,
               (size_t)group.channels * sizeof(float));
    if (whole_applies(&turned->tiles))
        whole_all(&turned->row, w + group.begin * taps(conv));
    else
        tiles_all(&turned->tiles, w + group.begin * taps(conv), turned->memory);
    lanes_out(dx[n][group.begin], turned->dx, group.wide, inputs(conv), group.channels);
}

/* Groups begin .. end, of all images. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                 float *scratch, int64_t begin, int64_t end)
{
    const struct parts groups = groups_of(conv);
    struct turned turned = { .conv.c = 0 };
    for (int64_t i = begin; i < end; i++) {
        const struct lanes_group group = lanes_group_at(conv, &groups, i % groups.count);
        if (turned.conv.c != group.wide)
            start(&turned, conv, scratch, group.wide);
        group_of(&turned, conv, operands, w, i / groups.count, group);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t all = conv->n * groups_of(conv).count;
    const int64_t enough = 1 + conv->n * conv->c * outputs(conv) * taps(conv) / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, workspace->packed,
             (float *)((char *)workspace->scratch + (size_t)i * thread_bytes(conv)), all * i / threads,
             all * (i + 1) / threads);
}

CONV_KERNEL(dw_bwd_data_03_openmp,
    .title = "all cores",
    .from = "dw_bwd_data_02_channels_in_lanes",
    .kinds = 1u << CONV_DEPTHWISE | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .applies = applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
