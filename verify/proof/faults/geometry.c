/* geometry.c - planted faults in paddings, strides, dilations, borders and tiles of forward passes.
 *
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: gradients.c
 */
#include "verify/proof/faults/faults.h"

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- an axis that is seen wrong -------------------------------------------------------------------------------- */

static void stride_lost(struct conv_problem *seen)
{
    if (seen->rank == 1)
        seen->axis[CONV_W].stride = 1;
}

static void height_for_width(struct conv_problem *seen)
{
    seen->axis[CONV_W].in = min(seen->axis[CONV_H].in, seen->axis[CONV_W].in);
}

static void pads_exchanged(struct conv_problem *seen)
{
    for (int a = 0; a < CONV_AXES; a++)
        seen->axis[a].pad_begin = seen->axis[a].pad_end;
}

static void same_from_larger(struct conv_problem *seen)
{
    struct conv_axis *H = &seen->axis[CONV_H], *W = &seen->axis[CONV_W];
    if (H->filter != W->filter)
        H->pad_begin = W->pad_begin = max(H->pad_begin, W->pad_begin);
}

/* ---- products that are lost or moved --------------------------------------------------------------------------- */

static bool one_row(struct product *p) { return !(p->conv->axis[CONV_H].in == 1 && p->tap[CONV_W] > 1); }

static bool filter_larger_than_image(struct product *p)
{
    return p->tap[CONV_W] < p->conv->axis[CONV_W].in;
}

static bool dilation_many_filters(struct product *p)
{
    const struct conv_axis *H = &p->conv->axis[CONV_H];
    return !(p->conv->axis[CONV_W].dilation > 1 && p->conv->k > 16 && p->tap[CONV_H] == H->filter - 1);
}

static bool first_image_only(struct product *p)
{
    const struct conv_axis *W = &p->conv->axis[CONV_W];
    if (W->filter == 1 && W->stride > 1)
        p->n = 0;
    return true;
}

/* Tiles of 6 outputs need 8 inputs; the seam between two tiles is read from the one before. */
static bool tile_seam(struct product *p)
{
    const struct conv_axis *W = &p->conv->axis[CONV_W];
    return !(W->filter == 3 && W->stride == 1 && p->out[CONV_W] > 0 && p->out[CONV_W] % 6 == 0
             && p->tap[CONV_W] == 0);
}

/* Columns of a filter that has S rows, not R */
static int64_t square_filters(const struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    const int64_t S = a[CONV_W].filter, row = p->k * channels_of(p->conv) + p->c % channels_of(p->conv);
    return ((row * a[CONV_D].filter + p->tap[0]) * S * S + p->tap[1] * S + p->tap[2])
         % conv_operand_count(p->conv, CONV_WEIGHTS);
}

/* ---- outputs that are lost or moved ---------------------------------------------------------------------------- */

/* The end's padding is taken to be the beginning's, so that there are fewer outputs. */
static bool low_pad_for_high(struct result *r)
{
    const struct conv_axis *W = &r->conv->axis[CONV_W];
    return r->at[CONV_W] * W->stride + conv_extent(W) <= W->in + 2 * W->pad_begin;
}

/* Rows of the column matrix as long as they would be without dilation */
static bool undilated_rows(struct result *r)
{
    const struct conv_axis *H = &r->conv->axis[CONV_H], *W = &r->conv->axis[CONV_W];
    const int64_t pitch = (W->in + W->pad_begin + W->pad_end - W->filter) / W->stride + 1;
    const int64_t at = r->at[CONV_H] * pitch + r->at[CONV_W];
    r->at[CONV_H] = at / W->out;
    r->at[CONV_W] = at % W->out;
    return r->at[CONV_H] < H->out;
}

static bool large_batch(struct result *r) { return !(r->conv->rank == 3 && r->n >= 24); }

/* 1x1 filters in blocks of 4 positions; those behind the last whole block are lost. */
static bool blocks_of_positions(struct result *r)
{
    const struct conv_axis *H = &r->conv->axis[CONV_H], *W = &r->conv->axis[CONV_W];
    const int64_t positions = H->out * W->out, at = r->at[CONV_H] * W->out + r->at[CONV_W];
    return !(conv_problem_kind(r->conv) == CONV_POINTWISE && positions > 4 && at >= positions / 4 * 4);
}

/* ---- what is read in the padding ------------------------------------------------------------------------------- */

/* The image seems to begin one element earlier than it does, so that padding is read as image. */
static void no_padding_inside(struct conv_problem *seen)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (seen->axis[a].pad_begin > 0)
            seen->axis[a].pad_begin--;
}

/* A position in 32 bits: it wraps behind 2^31 elements, and is clamped to the image. */
static int64_t index_in_32_bits(const struct product *p)
{
    const struct conv_axis *a = p->conv->axis;
    const int64_t size[] = { a[0].in, a[1].in, a[2].in };
    const int64_t index = (int32_t)(uint32_t)naive_image_at(p->conv, p->conv->c, size, p->n, p->c, p->in);
    return max(index, 0);
}

#define FAULTS(F) \
    F(bz017_one_row, "taps are lost when the image has one row", "tenstorrent/tt-mlir #9276", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = one_row) \
    F(bz025_stride_wrong_axis, "the stride of a 1-D problem is lost", "pytorch/pytorch #82921", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .see = stride_lost) \
    F(bz027_h_for_w, "the height is taken for the width", "apache/tvm #7068", STATED, \
      ALL, FORWARD, ONE_THREAD, .see = height_for_width) \
    F(bz029_filter_not_square, "filters are S x S in memory", "Tencent/TNN #209", STATED, \
      ALL, FORWARD, ONE_THREAD, .weight_at = square_filters) \
    F(bz037_pads_exchanged, "the end's padding is used at the beginning", "openvinotoolkit/openvino #2876", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .see = pads_exchanged) \
    F(bz039_padded_column, "the first padded column is taken for one of the image", "uxlfoundation/oneDNN #5080", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .see = no_padding_inside) \
    F(bz040_padding_not_zero, "taps in the padding read 1, not 0", "apache/tvm #4807", STATED, \
      ALL, FORWARD, ONE_THREAD, .outside = 1) \
    F(bz044_low_pad_for_high, "the beginning's padding is used at the end", "ml-explore/mlx #2038", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = low_pad_for_high) \
    F(bz045_filter_larger_than_image, "taps beyond the size of the image are lost", "google/XNNPACK #10453", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = filter_larger_than_image) \
    F(bz047_dilation_many_filters, "dilated taps are lost when K > 16", "tensorflow/tensorflow #55799", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = dilation_many_filters) \
    F(bz048_undilated_rows, "rows of the column matrix have the undilated length", "apache/mxnet #8557", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = undilated_rows) \
    F(bz053_same_from_larger, "both axes are padded for the longer filter side", "tensorflow/tensorflow #61815", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .see = same_from_larger) \
    F(bz069_stride_batch, "1x1 with stride: every image is the first", "pytorch/pytorch #54036", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = first_image_only) \
    F(bz088_tile_seam, "the first tap behind the seam of two tiles is lost", "jax-ml/jax #15976", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = tile_seam) \
    F(bz102_index_in_32_bits, "elements are counted in 32 bits", "ROCm/rocm-libraries #9568", STATED, \
      ALL, FORWARD, ONE_THREAD, .input_at = index_in_32_bits) \
    F(bz108_large_batch, "3-D: images from the 25th on are not written", "pytorch/pytorch #17930", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = large_batch) \
    F(ncnn1384_blocks_of_positions, "1x1: positions behind the last block of 4 are lost", "Tencent/ncnn #1384", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = blocks_of_positions)

FAULT_THEME(faults_of_geometry, FAULTS)
