/* dw_bwd_data_nhwc_04_openmp.c - step 4 of the depthwise ladder of data gradients for channels last: all cores.
 *
 * Changed since dw_bwd_data_nhwc_03_whole_rows: the work, rows of dx or pairs of rows of a phase, times blocks of
 *     channels, is a line that is cut into as many equal parts as there are threads; each has pointers of its own.
 * Why it is faster: the parts share dy, which is only read, and no outputs.
 * What it costs: pointers for each thread, a fork for each phase.  Two blocks are the least that is given away: the
 *     last of them overlap.
 * Applies to: data gradients of depthwise convolutions, and transposed ones with one channel in or out for each
 *     group, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 4 of depthwise data for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/whole_rows.h"

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static const char *applies(const struct conv_problem *conv)
{
    const struct spread spread = spread_of(conv);
    const char *why = spread_applies(conv);
    return why ? why : channels_apply(&spread);
}

/* Of each thread. */
static size_t thread_bytes(const struct tiles *tiles)
{
    return whole_applies(tiles) ? whole_bytes(tiles) : tiles_thread_bytes(tiles);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct tiles tiles = tiles_of(conv);
    return (size_t)threads * thread_bytes(&tiles) + tiles_shared_bytes(&tiles);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct tiles tiles = tiles_of(conv);
    (whole_applies(&tiles) ? whole_pack : tiles_pack)(packed, conv, weights);
}

/* ---- the work: rows, or pairs of them, times groups of at least two blocks: the last of all overlap ---- */

static int64_t groups(int64_t blocks) { return (blocks + 1) / 2; }

/* The items of one row from item i on, at most to `end`, as blocks. */
static struct conv_range blocks_from(int64_t i, int64_t end, int64_t blocks)
{
    const int64_t each = groups(blocks), first = i % each, last = min(each, first + end - i);
    return (struct conv_range){ first * blocks / each, last * blocks / each };
}

/* Items begin .. end of all rows of dx, both phases of a row at once. */
static void part_whole(const struct tiles *tiles, const float *w, void *memory, int64_t begin, int64_t end)
{
    const int64_t rows = tiles->spread.axis[CONV_H].in, planes = tiles->spread.axis[CONV_D].in;
    struct whole_row row = whole_start(tiles, memory);
    const int64_t blocks = block_count(&row.part), each = groups(blocks);
    for (int64_t i = begin; i < end; i = (i / each + 1) * each) {
        const int64_t line = i / each;
        whole_compute(&row, w, line / rows / planes, line / rows % planes, line % rows, blocks_from(i, end, blocks));
    }
}

/* Items begin .. end of one phase. */
static void part_phase(struct tile_phase at, struct tiles tiles, const float *w, char *memory, int64_t begin,
                       int64_t end)
{
    const int64_t pairs = tile_pairs(&at), planes = at.part.axis[CONV_D].out;
    const int64_t blocks = block_count(&at.part), each = groups(blocks);
    tiles.aside = (float *)(memory + tiles_table_bytes(&tiles));
    if (part_taps(&at.part))
        tile_table(&at, &tiles, memory);
    for (int64_t i = begin; i < end; i = (i / each + 1) * each) {
        const int64_t line = i / each;
        tile_pair(&at, &tiles, w, line / pairs / planes, line / pairs % planes, line % pairs,
                  blocks_from(i, end, blocks));
    }
}

static void run_whole(const struct tiles *tiles, const float *w, char *memory, int threads)
{
    const struct conv_axis *axis = tiles->spread.axis;
    const int64_t all = tiles->images * axis[CONV_D].in * axis[CONV_H].in
                      * groups(conv_ceil_div(tiles->channels, CONV_LANES));
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part_whole(tiles, w, memory + (size_t)i * whole_bytes(tiles), all * i / threads, all * (i + 1) / threads);
}

static void run_phases(const struct tiles *tiles, const float *w, char *memory, int threads)
{
    const size_t bytes = tiles_thread_bytes(tiles);
    for (int64_t index = 0; index < spread_phases(&tiles->spread); index++) {
        struct tile_phase at;
        tile_phase_at(&at, tiles, index);
        const int64_t blocks = block_count(&at.part);
        const int64_t all = tiles->images * at.part.axis[CONV_D].out * tile_pairs(&at) * groups(blocks);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
        for (int i = 0; i < threads; i++)
            part_phase(at, *tiles, w, memory + (size_t)i * bytes, all * i / threads, all * (i + 1) / threads);
        w += blocks * block_floats(&at.part);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct tiles sizes = tiles_of(conv);
    char *memory = workspace->scratch;
    const struct tiles tiles = tiles_start(conv, operands,
                                           memory + (size_t)workspace->threads * thread_bytes(&sizes));
    const struct conv_axis *axis = tiles.spread.axis;
    const int64_t positions = conv->n * tiles.spread.dy_positions;
    const int64_t products = positions * tiles.spread.from * tiles.channels
                           * axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter;
    const int threads = (int)min(workspace->threads, 1 + products / LEAST_PRODUCTS);

#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        tiles_copy(&tiles, conv, operands, (struct conv_range){ positions * i / threads,
                                                                positions * (i + 1) / threads });
    (whole_applies(&tiles) ? run_whole : run_phases)(&tiles, workspace->packed, memory, threads);
}

CONV_KERNEL(dw_bwd_data_nhwc_04_openmp,
    .title = "all cores",
    .from = "dw_bwd_data_nhwc_03_whole_rows",
    .kinds = 1u << CONV_DEPTHWISE | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = tiles_packed_bytes,
    .pack = pack,
    .run = run,
);
