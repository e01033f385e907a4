/* cuda_dw_13_rows_ahead.cu - step 13 of the depthwise ladder on a GPU: K rows are on their way to each thread.
 *
 * Changed since cuda_dw_07_halo_by_shuffle: rows are loaded into K places in turn, each as soon as the row before it in
 *     that place has been handed round.  K rows are one turn of a loop, in which every sum has its own place, too: sums
 *     don't move.  In wide images the two lanes at the ends of a warp load columns of which they store nothing.
 * Why it is faster: bandwidth times latency of a card is some 17 KB for each multiprocessor.  Step 7 has a row a thread
 *     on its way, 16 KB at most, and less while threads do anything else; this one has three times that.
 * What it costs: registers, 4 K for rows on their way.
 * Budget: at most 198 registers on sm_80, 195 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW of two axes, filters of 3x3, 5x5 and 7x7, stride and dilation 1, K / 2
 *     columns of padding before the image, any multiplier.
 * Explained in docs/ladder-cuda.md, step 13 of depthwise.
 */
#include "rows_ahead.h"

static const char *applies(const conv_problem *conv)
{
    const char *why = fits_in_ints(conv);
    return why ? why : rows_ahead::applies_to(shape_of(conv));
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    rows_ahead::start<false>(workspace, static_cast<float *>(o->y), static_cast<const float *>(o->x),
                             static_cast<const float *>(o->w), static_cast<const float *>(o->bias), shape_of(conv));
}

CUDA_KERNEL(cuda_dw_13_rows_ahead,
    .title = "K rows on their way to each thread, and sums that don't move",
    .from = "cuda_dw_07_halo_by_shuffle",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
