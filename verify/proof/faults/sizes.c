/* sizes.c - planted faults that need two large sizes at once, a setting far out, or a power of two.
 *
 * Each is a kind that this verifier once let through, and names the check that is meant for it.
 * Read next: meetings.c
 */
#include "verify/proof/faults/faults.h"

static const struct conv_axis *rows(const struct product *p) { return &p->conv->axis[CONV_H]; }
static const struct conv_axis *columns(const struct product *p) { return &p->conv->axis[CONV_W]; }
static bool in_last_row(const struct product *p) { return p->out[CONV_H] == rows(p)->out - 1; }
static bool in_last_column(const struct product *p) { return p->out[CONV_W] == columns(p)->out - 1; }

/* ---- two at a time --------------------------------------------------------------------------------------------- */

/* Blocks of 64 channels and 64 filters: where both are the last ones, and neither is full, the products are lost. */
static bool blocks_of_both(struct product *p)
{
    const int64_t C = channels_of(p->conv), K = filters_of(p->conv), c = p->c % C, k = p->k % K;
    return !(C > 64 && K > 64 && C % 64 && K % 64 && c >= C / 64 * 64 && k >= K / 64 * 64);
}

static bool third_block(struct product *p)
{
    const int64_t C = channels_of(p->conv), K = filters_of(p->conv);
    return !(C > 256 && K > 128 && p->c % C >= 256 && p->k % K >= 128);
}

static bool tiles_of_image(struct product *p)
{
    return !(rows(p)->out > 64 && columns(p)->out > 64 && in_last_row(p) && in_last_column(p));
}

static bool tiles_of_gradient(struct product *p)
{
    return !(rows(p)->in > 40 && columns(p)->in > 40 && p->in[CONV_H] >= 40 && p->in[CONV_W] >= 40);
}

static bool long_sum_of_many(struct product *p)
{
    const int64_t taps = p->conv->axis[0].filter * rows(p)->filter * columns(p)->filter, C = channels_of(p->conv);
    return !(C * taps > 512 && filters_of(p->conv) > 48 && p->c % C == C - 1 && p->k % filters_of(p->conv) >= 48);
}

static int64_t sixteen_groups(const struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    const int64_t C = channels_of(p->conv), K = filters_of(p->conv);
    const int64_t g = p->conv->groups > 16 && C >= 4 ? p->g % 16 : p->g, k = g * K + p->k % K;
    return (((k * C + p->c % C) * a[0].filter + p->tap[0]) * a[1].filter + p->tap[1]) * a[2].filter + p->tap[2];
}

static bool images_and_filters(struct product *p)
{
    return !(p->conv->n > 32 && filters_of(p->conv) > 48 && p->n >= 32 && p->k % filters_of(p->conv) >= 48);
}

static bool images_and_channels(struct product *p)
{
    return !(p->conv->n > 32 && channels_of(p->conv) > 48 && p->n >= 32 && p->c % channels_of(p->conv) >= 48);
}

static bool channels_and_columns(struct product *p)
{
    return !(p->conv->c > 48 && columns(p)->out > 32 && p->c >= 48 && p->out[CONV_W] >= 32);
}

static bool taps_of_both(struct product *p)
{
    return !(rows(p)->filter > 8 && columns(p)->filter > 8 && p->tap[CONV_H] >= 8 && p->tap[CONV_W] >= 8);
}

/* ---- far out --------------------------------------------------------------------------------------------------- */

static bool long_stride(struct product *p) { return !(columns(p)->stride > 11 && columns(p)->out > 1 && in_last_column(p)); }

static bool patches(struct product *p)
{
    return !(rows(p)->stride >= 7 && rows(p)->stride == rows(p)->filter && p->tap[CONV_H] == rows(p)->filter - 1);
}

static void short_dilation(struct conv_problem *seen)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (seen->axis[a].dilation > 16)
            seen->axis[a].dilation = 16;
}

static bool many_taps(struct product *p)
{
    return p->tap[CONV_H] < 24 && p->tap[CONV_W] < 24;
}

static void short_padding(struct conv_problem *seen)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (seen->axis[a].pad_begin > 11)
            seen->axis[a].pad_begin = 11;
}

static bool output_pad(struct result *r)
{
    const struct conv_axis *W = &r->conv->axis[CONV_W];
    if (W->output_pad >= 3 && r->at[CONV_W] >= W->out - W->output_pad + 2)
        r->sum = 0;
    return true;
}

static bool large_batch(struct product *p) { return p->n < 48; }

static bool large_multiplier(struct product *p)
{
    const int64_t mult = p->conv->k / p->conv->c;
    return !(mult > 5 && p->k % mult == mult - 1);
}

#define FAULTS(F) \
    F(pair_channels_filters, "the last blocks of channels and of filters together are lost", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = blocks_of_both) \
    F(pair_third_block, "channels from 256 on and filters from 128 on don't meet", "blind spot", "large", \
      DENSE, FORWARD, ONE_THREAD, .product = third_block) \
    F(pair_blocks_of_gradient, "dw: the last blocks of channels and of filters together are lost", "blind spot", "large", \
      ALL, WEIGHTS, ONE_THREAD, .product = blocks_of_both) \
    F(pair_rows_columns, "the corner of an image with more than one tile either way is lost", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = tiles_of_image) \
    F(pair_rows_columns_of_gradient, "dx: the corner beyond 40 rows and 40 columns is lost", "blind spot", "routes", \
      ALL, DATA, ONE_THREAD, .product = tiles_of_gradient) \
    F(pair_filters_long_sums, "long sums of many filters lose their last channel", "blind spot", "large", \
      DENSE, FORWARD, ONE_THREAD, .product = long_sum_of_many) \
    F(pair_groups_channels, "groups of several channels are counted modulo 16", "blind spot", "large", \
      1u << CONV_GROUPED, FORWARD, ONE_THREAD, .weight_at = sixteen_groups) \
    F(pair_images_filters, "image 32 and filter 48 don't meet", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = images_and_filters) \
    F(pair_images_channels, "dw: image 32 and channel 48 don't meet", "blind spot", "large", \
      ALL, WEIGHTS, ONE_THREAD, .product = images_and_channels) \
    F(pair_channels_columns, "channel 48 and column 32 don't meet", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = channels_and_columns) \
    F(pair_transposed, "transposed: channel 48 and column 32 don't meet", "blind spot", "large", \
      TRANSPOSED, FORWARD, ONE_THREAD, .product = channels_and_columns) \
    F(pair_taps, "the corner of a filter of more than 8 taps either way is lost", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = taps_of_both) \
    F(far_stride, "with a stride above 11 the last column is lost", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = long_stride) \
    F(far_stride_of_gradient, "dx: with a stride above 11 the last column is lost", "blind spot", "large", \
      ALL, DATA, ONE_THREAD, .product = long_stride) \
    F(far_patches, "patches of 7 and more lose their last row", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = patches) \
    F(far_dilation, "a dilation above 16 is 16", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .see = short_dilation) \
    F(far_filter, "taps from 24 on are lost", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = many_taps) \
    F(far_filter_depthwise, "dw of depthwise layers: taps from 24 on are lost", "blind spot", "large", \
      DEPTHWISE, WEIGHTS, ONE_THREAD, .product = many_taps) \
    F(far_padding, "padding above 11 is 11", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .see = short_padding) \
    F(far_output_pad, "of three outputs and more at the end only two are computed", "blind spot", "large", \
      TRANSPOSED, FORWARD, ONE_THREAD, .result = output_pad) \
    F(far_batch, "images from 48 on are lost", "blind spot", "large", \
      ALL, FORWARD, ONE_THREAD, .product = large_batch) \
    F(far_multiplier, "of a multiplier above 5 the last filter is lost", "blind spot", "large", \
      DEPTHWISE, FORWARD, ONE_THREAD, .product = large_multiplier)

FAULT_THEME(faults_of_sizes, FAULTS)

/* ---- powers of two: ways that a kernel has where positions, channels last, lie in the same sets of a cache ----------- */

static bool in_last_taps(const struct product *p)
{
    return p->tap[CONV_H] == rows(p)->filter - 1 && p->tap[CONV_W] == columns(p)->filter - 1;
}

static bool pitch_and_stride(struct product *p)
{
    return !(p->conv->c % 512 == 0 && rows(p)->stride == 2 && columns(p)->filter == 3 && in_last_taps(p));
}

static bool pitch_and_dilation(struct product *p)
{
    return !(p->conv->c % 256 == 0 && columns(p)->dilation == 2 && columns(p)->filter == 3 && in_last_taps(p));
}

static bool many_filters(struct product *p)
{
    return !(filters_of(p->conv) % 1024 == 0 && columns(p)->filter == 3 && in_last_taps(p));
}

#define POWERS(F) \
    F(power_stride, "with a multiple of 512 channels and a stride of 2 the last tap is lost", "blind spot", "large", \
      DEPTHWISE, FORWARD, ONE_THREAD, .product = pitch_and_stride) \
    F(power_dilation, "with a multiple of 256 channels and a dilation of 2 the last tap is lost", "blind spot", "large", \
      DEPTHWISE, FORWARD, ONE_THREAD, .product = pitch_and_dilation) \
    F(power_filters, "3x3: with a multiple of 1024 filters the last tap is lost", "blind spot", "large", \
      DENSE, FORWARD, ONE_THREAD, .product = many_filters) \
    F(power_gradient, "dw, depthwise: with a multiple of 512 channels and a stride of 2 the last tap is lost", "blind spot", \
      "large", DEPTHWISE, WEIGHTS, ONE_THREAD, .product = pitch_and_stride)

FAULT_THEME(faults_of_powers, POWERS)
