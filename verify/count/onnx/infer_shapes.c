/* infer_shapes.c - operators that give the same elements another shape, or repeat them.   See infer.c. */
#include "verify/count/onnx/infer.h"

#include <string.h>

enum conv_status infer_flatten(struct step *step)
{
    int64_t axis = 1;
    int at = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (axis == x->rank)
        at = x->rank;
    else if (!step_find_axis(&at, axis, x->rank))
        return step_bad(step, "its axis isn't there");
    struct onnx_shape out = { 2, { 1, 1 } };
    for (int d = 0; d < x->rank; d++)
        out.dims[d >= at] *= x->dims[d];
    status = step_set_shape(step, &out);
    step_keep_numbers(step);
    return status;
}

/* The sizes of Reshape: 0 is that of the input, one -1 is what is left. */
static enum conv_status read_reshape(struct onnx_shape *out, const struct step *step, const int64_t *sizes)
{
    const struct onnx_shape *x = &step->in[0]->shape;
    const int64_t elements = shape_elements(x);
    int64_t product = 1, keep_zero = 0;
    int open = -1;
    const enum conv_status status = onnx_int(&keep_zero, &step->at, "allowzero");
    if (status != CONV_OK)
        return status;
    for (int d = 0; d < out->rank; d++) {
        const int64_t size = sizes[d];
        out->dims[d] = size == 0 && !keep_zero && d < x->rank ? x->dims[d] : size;
        if (size < -1 || size > INT64_C(1) << 40 || (size == -1 && open >= 0))
            return step_bad(step, "its shape has sizes that can't be");
        open = size == -1 ? d : open;
        if (size != -1 && __builtin_mul_overflow(product, out->dims[d], &product))
            return step_bad(step, "its shape has sizes that can't be");
    }
    if (open >= 0)
        out->dims[open] = product > 0 ? elements / product : 0;
    if (open >= 0 ? product > 0 && elements % product : product != elements)
        return step_bad(step, "its shape has not as many elements as its input");
    return CONV_OK;
}

enum conv_status infer_reshape(struct step *step)
{
    const int64_t *sizes;
    struct onnx_shape out;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_numbers(&sizes, &out.rank, step, "shape", 1);
    if (status == CONV_OK && out.rank < 0)
        status = step_bad(step, "it has too few inputs");
    if (status == CONV_OK && out.rank > CONV_MAX_RANK)
        status = step_bad(step, "its shape has more than 8 dims");
    if (status == CONV_OK)
        status = read_reshape(&out, step, sizes);
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    if (status == CONV_OK)
        step_keep_numbers(step);
    return status;
}

enum conv_status infer_transpose(struct step *step)
{
    const ConvOnnx__Attribute *perm;
    unsigned seen = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_attribute(&perm, &step->at, "perm", ONNX_ATTRIBUTE_INTS);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    struct onnx_shape out = { .rank = x->rank };
    int64_t strides[CONV_MAX_RANK], moved[CONV_MAX_RANK] = { 0 };
    strides_of(strides, x);
    if (perm && perm->n_ints != (size_t)x->rank)
        return step_bad(step, "perm has not one number for each axis");
    for (int d = 0; d < x->rank; d++) {
        const int64_t from = perm ? perm->ints[d] : x->rank - 1 - d;
        if (from < 0 || from >= x->rank || seen & 1u << from)
            return step_bad(step, "perm is no permutation");
        seen |= 1u << from;
        out.dims[d] = x->dims[from];
        moved[d] = strides[from];
    }
    status = step_set_shape(step, &out);
    if (status == CONV_OK)
        numbers_stride(step, step->out, step->in[0], 0, moved);
    return status;
}

enum conv_status infer_squeeze(struct step *step)
{
    unsigned set = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_read_axes(&set, step, step->in[0]->shape.rank);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const bool named = set != 0;
    struct onnx_shape out = { .rank = 0 };
    for (int d = 0; d < x->rank; d++) {
        if (named && set & 1u << d && x->dims[d] != 1)
            return step_bad(step, "it removes an axis that isn't 1");
        if (named ? !(set & 1u << d) : x->dims[d] != 1)
            out.dims[out.rank++] = x->dims[d];
    }
    status = step_set_shape(step, &out);
    if (status == CONV_OK)
        step_keep_numbers(step);
    return status;
}

enum conv_status infer_unsqueeze(struct step *step)
{
    const int64_t *axes = NULL;
    int count, axis;
    unsigned set = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_numbers(&axes, &count, step, "axes", 1);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (count < 0 || x->rank + count > CONV_MAX_RANK)
        return step_bad(step, "it has no axes, or too many");
    for (int i = 0; i < count; i++) {
        if (!step_find_axis(&axis, axes[i], x->rank + count) || set & 1u << axis)
            return step_bad(step, "one of its axes can't be");
        set |= 1u << axis;
    }
    struct onnx_shape out = { .rank = x->rank + count };
    for (int d = 0, from = 0; d < out.rank; d++)
        out.dims[d] = set & 1u << d ? 1 : x->dims[from++];
    status = step_set_shape(step, &out);
    if (status == CONV_OK)
        step_keep_numbers(step);
    return status;
}

/* ---- repeated ----------------------------------------------------------------------------------------------- */

enum conv_status infer_expand(struct step *step)
{
    const int64_t *sizes;
    int64_t strides[CONV_MAX_RANK];
    struct onnx_shape wanted, out;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_list(&sizes, &wanted.rank, step, 1, "shape");
    if (status == CONV_OK && wanted.rank > CONV_MAX_RANK)
        status = step_bad(step, "its shape has more than 8 dims");
    if (status != CONV_OK)
        return status;
    memcpy(wanted.dims, sizes, sizeof *sizes * (size_t)wanted.rank);
    for (int d = 0; d < wanted.rank; d++)
        if (wanted.dims[d] < 0)
            return step_bad(step, "its shape has sizes that can't be");
    out = step->in[0]->shape;
    status = step_broadcast(&out, step, &wanted);
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    if (status != CONV_OK)
        return status;
    strides_broadcast(strides, &step->in[0]->shape, &out);
    numbers_stride(step, step->out, step->in[0], 0, strides);
    return CONV_OK;
}

static void repeat_numbers(struct step *step)
{
    const struct value *in = step->in[0];
    const struct onnx_shape *out = &step->out->shape;
    int64_t strides[CONV_MAX_RANK];
    strides_of(strides, &in->shape);
    union number *numbers = in->numbers ? numbers_room(step, step->out) : NULL;
    for (int64_t i = 0; numbers && i < shape_elements(out); i++) {
        int64_t at = 0, index = i;
        for (int d = out->rank - 1; d >= 0; d--) {
            at += index % out->dims[d] % in->shape.dims[d] * strides[d];
            index /= out->dims[d];
        }
        numbers[i] = in->numbers[at];
    }
    step->out->numbers = numbers;
}

enum conv_status infer_tile(struct step *step)
{
    const int64_t *repeats;
    int count;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_list(&repeats, &count, step, 1, "repeats");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (count != out.rank)
        return step_bad(step, "it has not one repeat for each axis");
    for (int d = 0; d < out.rank; d++)
        if (repeats[d] < 0 || __builtin_mul_overflow(out.dims[d], repeats[d], &out.dims[d]))
            return step_bad(step, "its repeats are negative or too large");
    status = step_set_shape(step, &out);
    if (status == CONV_OK)
        repeat_numbers(step);
    return status;
}

/* GatherElements has the shape of its indices. */
enum conv_status infer_like_second(struct step *step)
{
    const enum conv_status status = step_needs(step, 2);
    return status == CONV_OK ? step_set_shape(step, &step->in[1]->shape) : status;
}
