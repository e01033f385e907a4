/* infer_images.c - operators that change the size of images, look at parts of them, or turn signals into spectra.
 * See infer.c.   Read next: infer_layers.c
 */
#include "verify/count/onnx/infer.h"

#include <math.h>
#include <string.h>

/* ---- larger and smaller ------------------------------------------------------------------------------------- */

/* Pads of all axes, or since opset 18 of those that the fourth input chooses. */
enum conv_status infer_pad(struct step *step)
{
    const int64_t *pads = NULL, *axes = NULL, limit = INT64_C(1) << 40;
    int count, axis_count = -1, at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_numbers(&pads, &count, step, "pads", 1);
    if (status == CONV_OK && step->in[3])
        status = step_list(&axes, &axis_count, step, 3, "axes");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    const int padded = axis_count < 0 ? out.rank : axis_count;
    if (count != 2 * padded)
        return step_bad(step, "pads has not two numbers for each axis");
    for (int i = 0; i < padded; i++) {
        const int64_t begin = pads[i], end = pads[padded + i];
        if (!step_find_axis(&at, axis_count < 0 ? i : axes[i], out.rank))
            return step_bad(step, "one of its axes isn't there");
        if (begin < -limit || begin > limit || end < -limit || end > limit)
            return step_bad(step, "its pads are too large");
        out.dims[at] += begin + end;
        if (out.dims[at] > 2 * limit)
            return step_bad(step, "its pads are too large");
    }
    return step_set_shape(step, &out);
}

/* Which axis each number of Resize stands for: all in order, or those of the attribute `axes` (opset 18). */
static enum conv_status read_resized(const int64_t **axes, int *count, const struct step *step)
{
    const ConvOnnx__Attribute *found;
    int at;
    const enum conv_status status = onnx_attribute(&found, &step->at, "axes", ONNX_ATTRIBUTE_INTS);
    *axes = found ? found->ints : NULL;
    *count = step->in[0]->shape.rank;
    if (status != CONV_OK || !found)
        return status;
    *count = found->n_ints <= CONV_MAX_RANK ? (int)found->n_ints : 0;
    for (int i = 0; i < *count; i++)
        if (!step_find_axis(&at, found->ints[i], step->in[0]->shape.rank))
            return step_bad(step, "one of its axes isn't there");
    return CONV_OK;
}

/* A size is floor(input * scale), in single precision as runtimes have it. */
static int64_t scaled(int64_t size, double scale)
{
    const double product = floor((double)((float)size * (float)scale));
    return product >= 0 && product <= 0x1p40 ? (int64_t)product : -1;
}

/* With keep_aspect_ratio_policy one scale goes for all of the axes: the smallest or the largest. */
static enum conv_status keep_ratio(struct step *step, struct onnx_shape *out, const int64_t *axes, int count,
                                   const int64_t *sizes)
{
    const ConvOnnx__Attribute *found;
    const struct onnx_shape *x = &step->in[0]->shape;
    int at = 0;
    const enum conv_status status = onnx_attribute(&found, &step->at, "keep_aspect_ratio_policy",
                                                   ONNX_ATTRIBUTE_STRING);
    const bool smaller = found && found->s.len == 11 && !memcmp(found->s.data, "not_smaller", 11);
    const bool larger = found && found->s.len == 10 && !memcmp(found->s.data, "not_larger", 10);
    double scale = smaller ? 0 : INFINITY;
    for (int i = 0; i < count; i++) {
        step_find_axis(&at, axes ? axes[i] : i, x->rank);
        const double own = (double)sizes[i] / (double)x->dims[at];
        scale = smaller ? fmax(scale, own) : fmin(scale, own);
        out->dims[at] = sizes[i];
    }
    for (int i = 0; i < count && (smaller || larger); i++) {
        step_find_axis(&at, axes ? axes[i] : i, x->rank);
        const double size = round(scale * (double)x->dims[at]);
        out->dims[at] = size >= 0 && size <= 0x1p40 ? (int64_t)size : -1;
    }
    return status;
}

/* The scales of Upsample before opset 9 are an attribute; an empty list is none. */
static enum conv_status find_scales(double *scales, int count, const struct step *step, const struct value *given)
{
    const ConvOnnx__Attribute *found;
    const enum conv_status status = onnx_attribute(&found, &step->at, "scales", ONNX_ATTRIBUTE_FLOATS);
    if (status != CONV_OK)
        return status;
    if (found && found->n_floats != (size_t)count)
        return step_bad(step, "it has not one scale for each axis");
    if (!found && (!given || !given->known || !given->numbers || !is_real_type(given->type)))
        return not_understood(step, "its scales are computed from data");
    if (!found && shape_elements(&given->shape) != count)
        return step_bad(step, "it has not one scale for each axis");
    for (int i = 0; i < count; i++)
        scales[i] = found ? (double)found->floats[i] : given->numbers[i].real;
    return CONV_OK;
}

static bool is_empty(const struct value *value)
{
    return !value || (value->known && shape_elements(&value->shape) == 0);
}

/* Resize has inputs X, roi, scales, sizes; Upsample, and Resize before opset 11, X and scales. */
enum conv_status infer_resize(struct step *step)
{
    const int64_t *axes, *sizes;
    double scales[CONV_MAX_RANK];
    int count, size_count, at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = read_resized(&axes, &count, step);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (is_empty(step->in[3])) {
        status = find_scales(scales, count, step, step->at.node->n_input == 2 ? step->in[1] : step->in[2]);
        for (int i = 0; i < count && status == CONV_OK; i++) {
            step_find_axis(&at, axes ? axes[i] : i, out.rank);
            out.dims[at] = scaled(out.dims[at], scales[i]);
        }
        return status == CONV_OK ? step_set_shape(step, &out) : status;
    }
    status = step_list(&sizes, &size_count, step, 3, "sizes");
    if (status == CONV_OK && size_count != count)
        status = step_bad(step, "it has not one size for each axis");
    if (status == CONV_OK)
        status = keep_ratio(step, &out, axes, count, sizes);
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

enum conv_status infer_blocks(struct step *step)
{
    int64_t block = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&block, &step->at, "blocksize");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    const bool to_space = onnx_is(step->at.node, "DepthToSpace");
    if (out.rank != 4 || block < 1 || block > 65536
        || (to_space ? out.dims[1] % (block * block) : out.dims[2] % block || out.dims[3] % block))
        return step_bad(step, "its blocksize doesn't fit its input");
    for (int d = 2; d < 4; d++)
        out.dims[d] = to_space ? out.dims[d] * block : out.dims[d] / block;
    out.dims[1] = to_space ? out.dims[1] / (block * block) : out.dims[1] * block * block;
    return step_set_shape(step, &out);
}

/* Col2Im(columns, image, block): the channels are those of the columns over the elements of a block. */
enum conv_status infer_col2im(struct step *step)
{
    const int64_t *image, *block;
    int count, block_count;
    int64_t elements = 1;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_list(&image, &count, step, 1, "image_shape");
    if (status == CONV_OK)
        status = step_list(&block, &block_count, step, 2, "block_shape");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    for (int i = 0; i < block_count; i++)
        if (block[i] < 1 || __builtin_mul_overflow(elements, block[i], &elements))
            return step_bad(step, "its block can't be");
    if (x->rank != 3 || count != block_count || count > CONV_MAX_RANK - 2 || x->dims[1] % elements)
        return step_bad(step, "its columns, image and block don't fit together");
    struct onnx_shape out = { count + 2, { x->dims[0], x->dims[1] / elements } };
    memcpy(out.dims + 2, image, sizeof *image * (size_t)count);
    return step_set_shape(step, &out);
}

/* MaxUnpool: the sizes that pooling had, or those of the third input.  It has no more than three, so that the last
 * place of a step is empty. */
enum { NO_INPUT = 11 };
enum conv_status infer_unpool(struct step *step)
{
    const int64_t *kernel, *strides, *pads, *sizes;
    int counts[3], size_count;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_numbers(&kernel, &counts[0], step, "kernel_shape", NO_INPUT);
    if (status == CONV_OK)
        status = step_numbers(&strides, &counts[1], step, "strides", NO_INPUT);
    if (status == CONV_OK)
        status = step_numbers(&pads, &counts[2], step, "pads", NO_INPUT);
    if (status == CONV_OK && step->in[2])
        status = step_list(&sizes, &size_count, step, 2, "output_shape");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    const int axes = out.rank - 2;
    if (step->in[2] ? size_count != out.rank : counts[0] != axes || (counts[1] >= 0 && counts[1] != axes)
        || (counts[2] >= 0 && counts[2] != 2 * axes))
        return step_bad(step, "its attributes have not one number for each axis");
    for (int i = 0; i < axes && !step->in[2]; i++) {
        const int64_t stride = counts[1] >= 0 ? strides[i] : 1, cut = counts[2] >= 0 ? pads[i] + pads[axes + i] : 0;
        int64_t size;
        if (__builtin_mul_overflow(out.dims[i + 2] - 1, stride, &size) || kernel[i] > INT64_C(1) << 40
            || kernel[i] < 1 || size > INT64_C(1) << 40 || cut > INT64_C(1) << 40 || cut < 0)
            return step_bad(step, "its attributes can't be");
        out.dims[i + 2] = size + kernel[i] - cut;
    }
    if (step->in[2])
        memcpy(out.dims, sizes, sizeof *sizes * (size_t)size_count);
    return step_set_shape(step, &out);
}

/* ---- parts of images ---------------------------------------------------------------------------------------- */

/* RoiAlign, MaxRoiPool: an image of a given size for each region. */
enum conv_status infer_regions(struct step *step)
{
    int64_t size[2] = { 1, 1 };
    bool found;
    enum conv_status status = step_needs(step, 2);
    if (status == CONV_OK && onnx_is(step->at.node, "MaxRoiPool"))
        status = onnx_ints(size, 2, &found, &step->at, "pooled_shape");
    else if (status == CONV_OK)
        status = onnx_int(&size[0], &step->at, "output_height");
    if (status == CONV_OK)
        status = onnx_int(&size[1], &step->at, "output_width");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape, *regions = &step->in[1]->shape;
    if (x->rank != 4 || regions->rank != 2)
        return step_bad(step, "its input has four axes, its regions two");
    const struct onnx_shape out = { 4, { regions->dims[0], x->dims[1], size[0], size[1] } };
    return step_set_shape(step, &out);
}

/* GridSample: a pixel for each place of the grid, whose last axis has coordinates. */
enum conv_status infer_grid(struct step *step)
{
    const enum conv_status status = step_needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape, *grid = &step->in[1]->shape;
    if (x->rank < 3 || grid->rank != x->rank)
        return step_bad(step, "its input and its grid have not as many axes");
    struct onnx_shape out = *x;
    for (int d = 2; d < x->rank; d++)
        out.dims[d] = grid->dims[d - 1];
    return step_set_shape(step, &out);
}

/* AffineGrid(theta, size): N x (D x) H x W x coordinates. */
enum conv_status infer_affine_grid(struct step *step)
{
    const int64_t *sizes;
    int count;
    enum conv_status status = step_list(&sizes, &count, step, 1, "size");
    if (status != CONV_OK)
        return status;
    if (count < 4 || count > 5)
        return step_bad(step, "its size has not four or five numbers");
    struct onnx_shape out = { count, { sizes[0] } };
    memcpy(out.dims + 1, sizes + 2, sizeof *sizes * (size_t)(count - 2));
    out.dims[count - 1] = count - 2;
    return step_set_shape(step, &out);
}

/* The determinants of a stack of matrices. */
enum conv_status infer_det(struct step *step)
{
    const enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (out.rank < 2)
        return step_bad(step, "its input is no matrix");
    out.rank -= 2;
    return step_set_shape(step, &out);
}

/* ---- spectra ------------------------------------------------------------------------------------------------ */

/* DFT(x, length, axis): `length` values of two numbers along the axis, half of them if they mirror the others. */
enum conv_status infer_dft(struct step *step)
{
    int64_t one_sided = 0, inverse = 0, axis = step->at.model->opset < 20 ? 1 : -2;
    double length = -1, given;
    int at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&one_sided, &step->at, "onesided");
    if (status == CONV_OK)
        status = onnx_int(&inverse, &step->at, "inverse");
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    if ((step->in[1] && !number_get(&length, step->in[1])) || (step->in[2] && !number_get(&given, step->in[2])))
        return not_understood(step, "its length or axis is computed from data");
    axis = step->in[2] ? (int64_t)given : axis;
    struct onnx_shape out = step->in[0]->shape;
    if (out.rank < 2 || !step_find_axis(&at, axis, out.rank) || at == out.rank - 1
        || (step->in[1] && !(length >= 1 && length <= 0x1p40)))
        return step_bad(step, "its axis isn't there, or its length can't be");
    out.dims[at] = step->in[1] ? (int64_t)length : one_sided && inverse ? 2 * (out.dims[at] - 1) : out.dims[at];
    if (one_sided && !inverse)
        out.dims[at] = out.dims[at] / 2 + 1;
    out.dims[out.rank - 1] = one_sided && inverse ? 1 : 2;
    return step_set_shape(step, &out);
}

/* STFT(signal, step, window, length) */
enum conv_status infer_stft(struct step *step)
{
    int64_t one_sided = 1;
    double pace, length;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&one_sided, &step->at, "onesided");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const struct value *window = step->in[2];
    if (x->rank < 2)
        return step_bad(step, "its signal is batch x length");
    length = window && window->known && window->shape.rank == 1 ? (double)window->shape.dims[0] : (double)x->dims[1];
    if (!number_get(&pace, step->in[1]) || (step->in[3] && !number_get(&length, step->in[3])))
        return not_understood(step, "its step or length is computed from data");
    if (!(pace >= 1 && pace <= 0x1p40 && length >= 1 && length <= (double)x->dims[1]))
        return step_bad(step, "its step or length can't be");
    const int64_t frames = (x->dims[1] - (int64_t)length) / (int64_t)pace + 1;
    const struct onnx_shape out = { 4, { x->dims[0], frames,
                                         one_sided ? (int64_t)length / 2 + 1 : (int64_t)length, 2 } };
    return step_set_shape(step, &out);
}

/* ---- losses ------------------------------------------------------------------------------------------------- */

/* NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss: a number, or one for each target. */
enum conv_status infer_loss(struct step *step)
{
    const ConvOnnx__Attribute *found;
    const struct onnx_shape single = { .rank = 0 };
    enum conv_status status = step_needs(step, 2);
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "reduction", ONNX_ATTRIBUTE_STRING);
    if (status == CONV_OK && onnx_is(step->at.node, "SoftmaxCrossEntropyLoss"))
        status = step_set_output(step, 1, &step->in[0]->shape, step->in[0]->type);
    if (status != CONV_OK)
        return status;
    const bool each = found && found->s.len == 4 && !memcmp(found->s.data, "none", 4);
    return step_set_shape(step, each ? &step->in[1]->shape : &single);
}
