/* infer_parts.c - operators that put parts together or take them out.   See infer.c.   Read next: infer_images.c */
#include "verify/count/onnx/infer.h"

#include <math.h>
#include <string.h>

/* ---- parts -------------------------------------------------------------------------------------------------- */

/* The numbers of all inputs, one behind the other along an axis. */
static void join_numbers(struct step *step, int at)
{
    const struct onnx_shape *out = &step->out->shape;
    int64_t strides[CONV_MAX_RANK], base = 0;
    union number *numbers = step->in[0]->numbers ? numbers_room(step, step->out) : NULL;
    strides_of(strides, out);
    for (size_t i = 0; numbers && i < step->at.node->n_input; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        if (!value->numbers)
            return;
        for (int64_t j = 0; j < shape_elements(&value->shape); j++)
            numbers[base + strides_at(&value->shape, j, strides)] = value->numbers[j];
        base += value->shape.dims[at] * strides[at];
    }
    step->out->numbers = numbers;
}

enum conv_status infer_concat(struct step *step)
{
    int64_t axis = 1;
    int at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (!step_find_axis(&at, axis, out.rank))
        return step_bad(step, "its axis isn't there");
    out.dims[at] = 0;
    for (size_t i = 0; i < step->at.node->n_input; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        if (i < sizeof step->in / sizeof *step->in && step_needs(step, (int)i + 1) != CONV_OK)
            return step_needs(step, (int)i + 1);
        if (!value || !value->known)
            return not_understood(step, "the size of its input isn't known");
        for (int d = 0; d < out.rank; d++)
            if (value->shape.rank != out.rank || (d != at && value->shape.dims[d] != out.dims[d]))
                return step_bad(step, "its inputs differ in more than the axis");
        out.dims[at] += value->shape.dims[at];
        if (out.dims[at] > INT64_C(1) << 40)
            return step_bad(step, "its output is too large");
    }
    status = step_set_shape(step, &out);
    if (status == CONV_OK)
        join_numbers(step, at);
    return status;
}

enum conv_status infer_split(struct step *step)
{
    const int64_t *sizes = NULL;
    int64_t axis = 0;
    int at, count;
    const int parts = step->at.node->n_output > 4096 ? 0 : (int)step->at.node->n_output;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_numbers(&sizes, &count, step, "split", 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (!step_find_axis(&at, axis, out.rank) || parts < 1 || (count >= 0 && count != parts))
        return step_bad(step, "its axis isn't there, or it has not as many outputs as parts");
    int64_t left = out.dims[at], begin = 0, strides[CONV_MAX_RANK];
    strides_of(strides, &out);
    const int64_t each = (left + parts - 1) / parts;
    for (int i = 0; i < parts; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, (size_t)i));
        out.dims[at] = count >= 0 ? sizes[i] : left < each ? left : each;
        if (out.dims[at] < 0 || out.dims[at] > left)
            return step_bad(step, "its parts are not as large as its input");
        left -= out.dims[at];
        if (value) {
            value->known = true;
            value->shape = out;
            numbers_stride(step, value, step->in[0], begin * strides[at], strides);
        }
        begin += out.dims[at];
    }
    return left == 0 ? CONV_OK : step_bad(step, "its parts are not as large as its input");
}

/* One axis of a slice: where it begins and in which steps, as strides of the input. */
static enum conv_status slice_axis(struct step *step, struct onnx_shape *out, int64_t begin, int64_t end,
                                   int64_t pace, int at, int64_t *base, int64_t *strides)
{
    const int64_t size = out->dims[at];
    if (pace == 0)
        return step_bad(step, "it has a step of 0");
    pace = step_clamp(pace, 0, -(INT64_C(1) << 40), INT64_C(1) << 40);   /* larger ones take one element, too */
    begin = step_clamp(begin < -size - 1 ? -size - 1 : begin, size, 0, pace > 0 ? size : size - 1);
    end = step_clamp(end < -size - 1 ? -size - 1 : end, size, pace > 0 ? 0 : -1, size);
    const int64_t taken = pace > 0 ? conv_ceil_div(end - begin, pace) : conv_ceil_div(begin - end, -pace);
    out->dims[at] = taken > 0 ? taken : 0;
    if (taken > 0)
        *base += begin * strides[at];
    strides[at] = taken > 1 ? strides[at] * pace : 0;
    return CONV_OK;
}

enum conv_status infer_slice(struct step *step)
{
    static const char *const names[] = { "starts", "ends", "axes", "steps" };
    const int64_t *lists[4] = { NULL };
    int64_t strides[CONV_MAX_RANK], base = 0;
    int counts[4], at;
    enum conv_status status = step_needs(step, 1);
    for (int i = 0; i < 4 && status == CONV_OK; i++)
        status = step_numbers(&lists[i], &counts[i], step, names[i], i + 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (counts[0] < 0 || counts[1] != counts[0] || (counts[2] >= 0 && counts[2] != counts[0])
        || (counts[3] >= 0 && counts[3] != counts[0]) || counts[0] > out.rank)
        return step_bad(step, "starts, ends, axes and steps are not lists of one length");
    strides_of(strides, &out);
    unsigned seen = 0;
    for (int i = 0; i < counts[0] && status == CONV_OK; i++) {
        if (!step_find_axis(&at, counts[2] >= 0 ? lists[2][i] : i, out.rank) || seen & 1u << at)
            return step_bad(step, "one of its axes isn't there, or twice");
        seen |= 1u << at;
        status = slice_axis(step, &out, lists[0][i], lists[1][i], counts[3] >= 0 ? lists[3][i] : 1, at, &base,
                            strides);
    }
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    if (status == CONV_OK)
        numbers_stride(step, step->out, step->in[0], base, strides);
    return status;
}

/* Numbers at known indices along one axis. */
static enum conv_status gather_numbers(struct step *step, int at)
{
    const struct value *data = step->in[0], *indices = step->in[1];
    const int64_t size = data->shape.dims[at], count = shape_elements(&indices->shape);
    int64_t inner = 1;
    union number *numbers = data->numbers && value_is_list(indices) ? numbers_room(step, step->out) : NULL;
    for (int d = at + 1; d < data->shape.rank; d++)
        inner *= data->shape.dims[d];
    for (int64_t i = 0; numbers && i < shape_elements(&step->out->shape); i++) {
        const int64_t asked = indices->numbers[i / inner % count].whole, index = asked < 0 ? asked + size : asked;
        if (index < 0 || index >= size)
            return step_bad(step, "one of its indices isn't there");
        numbers[i] = data->numbers[(i / inner / count * size + index) * inner + i % inner];
    }
    step->out->numbers = numbers;
    return CONV_OK;
}

enum conv_status infer_gather(struct step *step)
{
    int64_t axis = 0;
    int at;
    enum conv_status status = step_needs(step, 2);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    const struct value *data = step->in[0], *indices = step->in[1];
    if (!step_find_axis(&at, axis, data->shape.rank))
        return step_bad(step, "its axis isn't there");
    if (data->shape.rank - 1 + indices->shape.rank > CONV_MAX_RANK)
        return step_bad(step, "its output has more than 8 dims");
    struct onnx_shape out = { .rank = 0 };
    for (int d = 0; d < data->shape.rank; d++)
        for (int i = 0; d != at ? i < 1 : i < indices->shape.rank; i++)
            out.dims[out.rank++] = d == at ? indices->shape.dims[i] : data->shape.dims[d];
    status = step_set_shape(step, &out);
    return status == CONV_OK ? gather_numbers(step, at) : status;
}

/* The last axis of the indices is a tuple of so many; behind it comes what the tuple leaves of the data. */
enum conv_status infer_gather_nd(struct step *step)
{
    int64_t batch = 0;
    enum conv_status status = step_needs(step, 2);
    if (status == CONV_OK)
        status = onnx_int(&batch, &step->at, "batch_dims");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *data = &step->in[0]->shape, *indices = &step->in[1]->shape;
    const int64_t tuple = indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    if (indices->rank < 1 || batch < 0 || batch >= indices->rank || tuple < 0 || batch + tuple > data->rank
        || indices->rank - 1 + data->rank - batch - tuple > CONV_MAX_RANK)
        return step_bad(step, "its indices don't fit its data");
    struct onnx_shape out = *indices;
    out.rank--;
    for (int d = (int)(batch + tuple); d < data->rank; d++)
        out.dims[out.rank++] = data->dims[d];
    return step_set_shape(step, &out);
}

/* The k largest along an axis, and where they are. */
enum conv_status infer_topk(struct step *step)
{
    int64_t axis = -1, k = -1;
    int at, count;
    const int64_t *list;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status == CONV_OK)
        status = onnx_int(&k, &step->at, "k");
    if (status == CONV_OK && k < 0) {
        status = step_list(&list, &count, step, 1, "k");
        k = status == CONV_OK && count == 1 ? list[0] : -1;
    }
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (!step_find_axis(&at, axis, out.rank) || k < 0)
        return step_bad(step, "its axis isn't there, or k is no number");
    out.dims[at] = k;
    status = step_set_output(step, 1, &out, ONNX_INT64);
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

/* A new axis with a place for each of `depth` classes. */
enum conv_status infer_onehot(struct step *step)
{
    int64_t axis = -1;
    double depth;
    int at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (!number_get(&depth, step->in[1]))
        return not_understood(step, "its depth is computed from data");
    if (x->rank == CONV_MAX_RANK || !step_find_axis(&at, axis, x->rank + 1) || !(depth >= 0 && depth <= 0x1p40))
        return step_bad(step, "its axis isn't there, or its depth can't be");
    struct onnx_shape out = { .rank = x->rank + 1 };
    for (int d = 0, from = 0; d < out.rank; d++)
        out.dims[d] = d == at ? (int64_t)depth : x->dims[from++];
    step->out->type = step->in[2] ? step->in[2]->type : 0;
    return step_set_shape(step, &out);
}

/* CenterCropPad: the sizes of all axes, or of chosen ones. */
enum conv_status infer_crop(struct step *step)
{
    const int64_t *sizes, *axes = NULL;
    int count, axis_count, at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_list(&sizes, &count, step, 1, "shape");
    if (status == CONV_OK)
        status = step_numbers(&axes, &axis_count, step, "axes", 2);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (count != (axis_count < 0 ? out.rank : axis_count))
        return step_bad(step, "its shape has not one size for each axis");
    for (int i = 0; i < count; i++) {
        if (!step_find_axis(&at, axis_count < 0 ? i : axes[i], out.rank))
            return step_bad(step, "one of its axes isn't there");
        out.dims[at] = sizes[i];
    }
    return step_set_shape(step, &out);
}

/* As many as a condition chooses, if that is known. */
enum conv_status infer_compress(struct step *step)
{
    const ConvOnnx__Attribute *axis;
    const int64_t *chosen;
    int count, at;
    int64_t taken = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_attribute(&axis, &step->at, "axis", ONNX_ATTRIBUTE_INT);
    if (status == CONV_OK)
        status = step_list(&chosen, &count, step, 1, "condition");
    if (status != CONV_OK)
        return status;
    for (int i = 0; i < count; i++)
        taken += chosen[i] != 0;
    struct onnx_shape out = { 1, { taken } };
    if (axis) {
        out = step->in[0]->shape;
        if (!step_find_axis(&at, axis->i, out.rank))
            return step_bad(step, "its axis isn't there");
        out.dims[at] = taken;
    }
    return step_set_shape(step, &out);
}

/* TfIdfVectorizer: a place for each of the n-grams. */
enum conv_status infer_tfidf(struct step *step)
{
    const ConvOnnx__Attribute *found;
    int64_t most = -1;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "ngram_indexes", ONNX_ATTRIBUTE_INTS);
    if (status != CONV_OK || !found)
        return status != CONV_OK ? status : step_bad(step, "it has no ngram_indexes");
    for (size_t i = 0; i < found->n_ints; i++)
        most = found->ints[i] > most ? found->ints[i] : most;
    struct onnx_shape out = step->in[0]->shape;
    if (out.rank < 1 || out.rank > 2 || most < 0 || most > INT64_C(1) << 40)
        return step_bad(step, "its input has not one or two axes, or it has no n-grams");
    out.dims[out.rank - 1] = most + 1;
    step->out->type = ONNX_FLOAT;
    return step_set_shape(step, &out);
}

/* Multinomial: so many samples of each row. */
enum conv_status infer_multinomial(struct step *step)
{
    int64_t samples = 1;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&samples, &step->at, "sample_size");
    if (status != CONV_OK)
        return status;
    if (step->in[0]->shape.rank != 2)
        return step_bad(step, "its input has not two axes");
    const struct onnx_shape out = { 2, { step->in[0]->shape.dims[0], samples } };
    return step_set_shape(step, &out);
}
