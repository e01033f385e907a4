/* cuda_dw_bwd_data_03_as_forward.cu - step 3 of depthwise backward_data on a GPU: with stride 1 it is a forward pass.
 *
 * Changed since cuda_dw_bwd_data_02_by_parity: with stride 1 an element of dx is the sum over a window of dy, with the
 *     filter read from its end and K - 1 - pad in the place of the padding: a forward pass, and so step 13 of that
 *     ladder, whose file this shares.
 * Why it is faster: for every element of dx step 2 asks for each of its taps whether it has an output, and where.
 * What it costs: it is for stride 1; step 2 is the one for others.
 * Budget: at most 198 registers on sm_80, 195 on sm_90; no spills.
 * Applies to: backward_data of depthwise problems in NCHW of two axes, filters of 3x3, 5x5 and 7x7, stride and dilation
 *     1, K / 2 columns of padding before the image, no multiplier.
 * Explained in docs/ladder-cuda.md, step 3 of the gradient with respect to x.
 */
#include "rows_ahead.h"

/* y in the place of x, and x in that of y */
static axis turned(const axis &a) { return { a.out, a.filter, a.stride, a.dilation, a.filter - 1 - a.pad, a.in }; }

static shape turned(const shape &s)
{
    return { s.n, s.k, s.c, 1, 1, turned(s.d), turned(s.h), turned(s.w), CONV_ACT_NONE };
}

static const char *applies(const conv_problem *conv)
{
    const char *why = fits_in_ints(conv);
    if (!why && conv->k != conv->c)
        why = "a channel has one filter here; step 2 takes multipliers";
    return why ? why : rows_ahead::applies_to(turned(shape_of(conv)));
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    rows_ahead::start<true>(workspace, static_cast<float *>(o->x), static_cast<const float *>(o->y),
                            static_cast<const float *>(o->w), nullptr, turned(shape_of(conv)));
}

CUDA_KERNEL(cuda_dw_bwd_data_03_as_forward,
    .title = "with stride 1 a forward pass of the flipped filter, K rows ahead",
    .from = "cuda_dw_bwd_data_02_by_parity",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_DATA,
    .applies = applies,
    .run = run);
