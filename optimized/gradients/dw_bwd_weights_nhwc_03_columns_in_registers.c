/* dw_bwd_weights_nhwc_03_columns_in_registers.c - step 3 of the depthwise ladder of weight gradients, channels last.
 *
 * Changed since dw_bwd_weights_nhwc_02_taps_in_registers: fourteen columns of dy are in registers beside the nine
 *     sums, and the step from one window to the next is known if it is 1 or 2.
 * Why it is faster: a number of x is loaded once a row of taps, with its pointer, for the up to three products that
 *     it has a part in: 62 loads for 126 multiply-adds, in place of 140.
 * What it costs: with other instruction sets registers hold four columns, and 30 loads serve 36 multiply-adds.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 3 of depthwise weights for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/taps.h"

enum { COLUMNS = TAPS_COLUMNS };

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct taps taps = taps_of(conv);
    (void)threads;
    return taps_table_bytes(conv) + taps_shared_bytes(&taps);
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
    const struct taps taps = taps_start(conv, operands, memory + taps_table_bytes(conv));
    const struct conv_range all = { 0, taps.spread.from * taps.blocks };
    taps_copy(&taps, operands, (struct conv_range){ 0, taps.positions });
    taps_clear(&taps, all);
    taps_sum(&taps, operands, memory, all, choose(conv));
    taps_store(&taps, operands->w, conv->c);
    if (operands->bias)
        taps_bias(operands->bias, &taps, operands->y, (struct conv_range){ 0, conv->k });
}

CONV_KERNEL(dw_bwd_weights_nhwc_03_columns_in_registers,
    .title = "columns of dy stay in registers",
    .from = "dw_bwd_weights_nhwc_02_taps_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
