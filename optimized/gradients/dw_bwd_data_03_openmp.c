/* dw_bwd_data_03_openmp.c - step 3 of the depthwise ladder of data gradients: all cores.
 *
 * Changed since dw_bwd_data_02_channels_in_lanes: the blocks of all images are cut into as many equal parts as there
 *     are threads, each with scratch of its own.
 * Why it is faster: blocks have nothing in common.
 * What it costs: nothing but the scratch; 32 channels of one image are two blocks of 16, and no more than two threads
 *     have work.
 * Applies to: data gradients of depthwise convolutions with a multiplier of 1, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 3 of depthwise data.
 */
#include <convref/kernel.h>

#include "optimized/gradients/whole_rows.h"
#include "optimized/lanes.h"

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

/* ---- scratch: a block of dx and of dy, what the tiles need, and a bias of zeros ---- */

struct sizes { int64_t dx, dy, taps; size_t work; bool whole; };   /* floats of a block; bytes */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_problem block = lanes_problem(conv);
    const struct tiles tiles = tiles_of(&block);
    const struct conv_axis *axis = conv->axis;
    struct sizes sizes = { .dx = tiles.spread.dx_positions * CONV_LANES, .dy = tiles.spread.dy_positions * CONV_LANES,
                           .taps = axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter,
                           .whole = whole_applies(&tiles) };
    sizes.work = sizes.whole ? whole_bytes(&tiles) : tiles_thread_bytes(&tiles);
    return sizes;
}

/* Of one thread; a multiple of 64. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    const struct sizes sizes = sizes_of(conv);
    return ((size_t)(sizes.dx + sizes.dy + CONV_LANES) * sizeof(float) + sizes.work + 63) / 64 * 64;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* ---- weights: of each block as tiles.h or whole_rows.h wants them, lanes without a channel are 0 ---- */

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(lanes_blocks(conv) * sizes_of(conv).taps * CONV_LANES) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct sizes sizes = sizes_of(conv);
    struct conv_problem block = lanes_problem(conv);
    for (int64_t i = 0; i < lanes_blocks(conv); i++) {
        const struct conv_operands some = { .w = (float *)weights->w + i * CONV_LANES * sizes.taps };
        block.c = block.k = block.groups = lanes_channels(conv, i);
        (sizes.whole ? whole_pack : tiles_pack)((float *)packed + i * CONV_LANES * sizes.taps, &block, &some);
    }
}

/* All channels of one block of one image: `turned` has room for it, and `memory` for the tiles. */
static void block_of(const struct tiles *tiles, const struct conv_operands *turned, void *memory,
                     const struct conv_problem *conv, const struct conv_operands *operands, const float *w, int64_t n,
                     int64_t block)
{
    const struct sizes sizes = sizes_of(conv);
    const int64_t dx_count = sizes.dx / CONV_LANES, dy_count = sizes.dy / CONV_LANES;
    const float (*dy)[dy_count] = operands->y;   /* dy[n * C + c] */
    float (*dx)[dx_count] = operands->x;
    const int64_t c = n * conv->c + block * CONV_LANES, channels = lanes_channels(conv, block);
    lanes_in(turned->y, dy[c], dy_count, dy_count, channels);
    w += block * CONV_LANES * sizes.taps;
    if (sizes.whole)
        whole_all(tiles, w, memory);
    else
        tiles_all(tiles, w, memory);
    lanes_out(dx[c], turned->x, dx_count, channels);
}

/* Blocks begin .. end of all images. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w, void *scratch,
                 int64_t begin, int64_t end)
{
    const struct conv_problem block = lanes_problem(conv);
    const struct sizes sizes = sizes_of(conv);
    float *x = scratch;
    const struct conv_operands turned = { .x = x, .y = x + sizes.dx };
    float *bias = x + sizes.dx + sizes.dy;
    const struct tiles tiles = tiles_start(&block, &turned, bias);
    for (int64_t i = begin; i < end; i++)
        block_of(&tiles, &turned, bias + CONV_LANES, conv, operands, w, i / lanes_blocks(conv),
                 i % lanes_blocks(conv));
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct sizes sizes = sizes_of(conv);
    const int64_t all = conv->n * lanes_blocks(conv);
    const int64_t enough = 1 + conv->n * conv->c * sizes.dy / CONV_LANES * sizes.taps / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, workspace->packed, (char *)workspace->scratch + (size_t)i * thread_bytes(conv),
             all * i / threads, all * (i + 1) / threads);
}

CONV_KERNEL(dw_bwd_data_03_openmp,
    .title = "all cores",
    .from = "dw_bwd_data_02_channels_in_lanes",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_DATA,
    .applies = applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
