/* infer_shapes.c - operators that give the same elements another shape, and those whose values are shapes.
 * See infer.c.   Read next: infer_parts.c
 */
#include "verify/count/onnx/infer.h"

#include <string.h>

/* ---- the same elements in another shape --------------------------------------------------------------------- */

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
    return step_set_shape(step, &out);
}

enum conv_status infer_reshape(struct step *step)
{
    enum conv_status status = step_needs(step, 2);
    int64_t keep_zero = 0;
    if (status == CONV_OK)
        status = onnx_int(&keep_zero, &step->at, "allowzero");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const struct value *wanted = step->in[1];
    struct onnx_shape out = { .rank = wanted->int_count };
    int64_t product = 1;
    int open = -1;
    if (wanted->int_count < 0)
        return not_understood(step, "its shape is computed from data");
    if (wanted->int_count > CONV_MAX_RANK)
        return step_bad(step, "its shape has more than 8 dims");
    for (int d = 0; d < out.rank; d++) {
        const int64_t size = wanted->ints[d];
        out.dims[d] = size == 0 && !keep_zero && d < x->rank ? x->dims[d] : size;
        if (size < -1 || size > INT64_C(1) << 40 || (size == -1 && open >= 0))
            return step_bad(step, "its shape has sizes that can't be");
        open = size == -1 ? d : open;
        if (size != -1 && __builtin_mul_overflow(product, out.dims[d], &product))
            return step_bad(step, "its shape has sizes that can't be");
    }
    const int64_t elements = shape_elements(x);
    if (open >= 0)
        out.dims[open] = product > 0 ? elements / product : 0;
    if (open >= 0 ? product > 0 && elements % product : product != elements)
        return step_bad(step, "its shape has not as many elements as its input");
    step_keep_ints(step);
    return step_set_shape(step, &out);
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
    if (perm && perm->n_ints != (size_t)x->rank)
        return step_bad(step, "perm has not one number for each axis");
    for (int d = 0; d < x->rank; d++) {
        const int64_t from = perm ? perm->ints[d] : x->rank - 1 - d;
        if (from < 0 || from >= x->rank || seen & 1u << from)
            return step_bad(step, "perm is no permutation");
        seen |= 1u << from;
        out.dims[d] = x->dims[from];
    }
    return step_set_shape(step, &out);
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
    const bool named = set != (1u << x->rank) - 1;
    struct onnx_shape out = { .rank = 0 };
    for (int d = 0; d < x->rank; d++) {
        if (named && set & 1u << d && x->dims[d] != 1)
            return step_bad(step, "it removes an axis that isn't 1");
        if (!(set & 1u << d) || x->dims[d] != 1)
            out.dims[out.rank++] = x->dims[d];
    }
    step_keep_ints(step);
    return step_set_shape(step, &out);
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
    step_keep_ints(step);
    return step_set_shape(step, &out);
}

/* ---- shapes as values --------------------------------------------------------------------------------------- */

enum conv_status infer_shape(struct step *step)
{
    int64_t begin = 0, end = INT64_MAX;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&begin, &step->at, "start");
    if (status == CONV_OK)
        status = onnx_int(&end, &step->at, "end");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    begin = step_clamp(begin, x->rank, 0, x->rank);
    end = step_clamp(end, x->rank, 0, x->rank);
    step->out->int_count = end > begin ? (int)(end - begin) : 0;
    for (int i = 0; i < step->out->int_count; i++)
        step->out->ints[i] = x->dims[begin + i];
    const struct onnx_shape out = { 1, { step->out->int_count } };
    return step_set_shape(step, &out);
}

enum conv_status infer_constant(struct step *step)
{
    const ConvOnnx__Attribute *found;
    struct onnx_shape shape = { .rank = 0 };
    enum conv_status status = onnx_attribute(&found, &step->at, "value", ONNX_ATTRIBUTE_TENSOR);
    step->out->constant = true;
    if (status == CONV_OK && found && found->t) {
        status = onnx_check_tensor(&shape, step->at.model, found->t);
        if (status == CONV_OK)
            value_set_tensor(step->out, found->t, &shape);
        return status == CONV_OK ? step_set_shape(step, &shape) : status;
    }
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "value_int", ONNX_ATTRIBUTE_INT);
    if (status == CONV_OK && found) {
        step->out->int_count = 1;
        step->out->ints[0] = found->i;
        return step_set_shape(step, &shape);
    }
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "value_ints", ONNX_ATTRIBUTE_INTS);
    if (status == CONV_OK && found && found->n_ints <= MOST_KNOWN_INTS) {
        shape = (struct onnx_shape){ 1, { (int64_t)found->n_ints } };
        step->out->int_count = (int)found->n_ints;
        memcpy(step->out->ints, found->ints, sizeof *found->ints * found->n_ints);
        return step_set_shape(step, &shape);
    }
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "value_float", ONNX_ATTRIBUTE_FLOAT);
    return status != CONV_OK ? status : found ? step_set_shape(step, &shape)
                                              : not_understood(step, "it is a constant of another sort");
}

/* Weights without values: models that were emptied for publication have them. */
enum conv_status infer_constant_of_shape(struct step *step)
{
    const enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    const struct value *wanted = step->in[0];
    struct onnx_shape out = { .rank = wanted->int_count };
    if (wanted->int_count < 0)
        return not_understood(step, "its shape is computed from data");
    if (out.rank > CONV_MAX_RANK)
        return step_bad(step, "its shape has more than 8 dims");
    memcpy(out.dims, wanted->ints, sizeof *out.dims * (size_t)out.rank);
    step->out->is_float = true;
    return step_set_shape(step, &out);
}
