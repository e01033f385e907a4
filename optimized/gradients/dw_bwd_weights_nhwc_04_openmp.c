/* dw_bwd_weights_nhwc_04_openmp.c - step 4 of the depthwise ladder of weight gradients for channels last: all cores.
 *
 * Changed since dw_bwd_weights_nhwc_03_columns_in_registers: blocks of channels are dealt out, each thread with a
 *     table of its own.
 * Why it is faster: each sum is one thread's, which adds in the order that one thread alone has: the same bits.
 * What it costs: every thread makes the table of every row.  32 channels are two blocks of 16, and no more threads
 *     than that have work.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 4 of depthwise weights for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/taps.h"

enum { COLUMNS = TAPS_COLUMNS };
enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct taps taps = taps_of(conv);
    return (size_t)threads * taps_table_bytes(conv) + taps_shared_bytes(&taps);
}

static void any(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, TAPS_ANY, 1); }
static void step1(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, 1, COLUMNS); }
static void step2(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, 2, COLUMNS); }

static taps_function *choose(const struct conv_problem *conv)
{
    const int64_t step = line_of(&conv->axis[CONV_W], 0).step;
    return step == 1 ? step1 : step == 2 ? step2 : any;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    char *memory = workspace->scratch;
    const size_t bytes = taps_table_bytes(conv);
    const struct taps taps = taps_start(conv, operands, memory + (size_t)workspace->threads * bytes);
    const int64_t work = taps.spread.from * taps.blocks, products = taps.positions * conv->k * taps.taps;
    const int threads = (int)min(workspace->threads, 1 + products / LEAST_PRODUCTS);

#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        taps_copy(&taps, operands, (struct conv_range){ taps.positions * i / threads,
                                                        taps.positions * (i + 1) / threads });
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++) {
        const struct conv_range mine = { work * i / threads, work * (i + 1) / threads };
        const struct conv_range k = { conv->k * i / threads, conv->k * (i + 1) / threads };
        taps_clear(&taps, mine);
        taps_sum(&taps, operands, memory + (size_t)i * bytes, mine, choose(conv));
        if (operands->bias)
            taps_bias(operands->bias, &taps, operands->y, k);
    }
    taps_store(&taps, operands->w, conv->c);
}

CONV_KERNEL(dw_bwd_weights_nhwc_04_openmp,
    .title = "all cores",
    .from = "dw_bwd_weights_nhwc_03_columns_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
