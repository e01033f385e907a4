/* dw_bwd_weights_nhwc_02_taps_in_registers.c - step 2 of the depthwise ladder of weight gradients for channels last.
 *
 * Changed since dw_bwd_weights_nhwc_01_channels_inside: rows of outputs are outside.  For a vector of channels the
 *     sums of a 3x3 filter stay in nine registers over one or two rows of dy; where a tap reads is a table of
 *     pointers, of zeros in the padding (pointers.h).
 * Why it is faster: a vector of dy is loaded once for nine multiply-adds, no sum goes to memory in between, and rows
 *     of x and dy come from memory once.
 * What it costs: nine loads of x and nine of their pointers for nine multiply-adds.  With a multiplier dy is copied.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NHWC.
 * Explained in docs/ladder-gradients.md, step 2 of depthwise weights for channels last.
 */
#include <convref/kernel.h>

#include "optimized/gradients/taps.h"

enum { COLUMNS = 1 };

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct taps taps = taps_of(conv);
    (void)threads;
    return taps_table_bytes(conv) + taps_shared_bytes(&taps);
}

static void any(float *sums, const struct taps_rows *rows) { taps_block(sums, rows, TAPS_ANY, COLUMNS); }

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    char *memory = workspace->scratch;
    const struct taps taps = taps_start(conv, operands, memory + taps_table_bytes(conv));
    const struct conv_range all = { 0, taps.spread.from * taps.blocks };
    taps_copy(&taps, operands, (struct conv_range){ 0, taps.positions });
    taps_clear(&taps, all);
    taps_sum(&taps, operands, memory, all, any);
    taps_store(&taps, operands->w, conv->c);
    if (operands->bias)
        taps_bias(operands->bias, &taps, operands->y, (struct conv_range){ 0, conv->k });
}

CONV_KERNEL(dw_bwd_weights_nhwc_02_taps_in_registers,
    .title = "nine taps stay in registers",
    .from = "dw_bwd_weights_nhwc_01_channels_inside",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
