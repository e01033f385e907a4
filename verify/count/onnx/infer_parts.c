/* infer_parts.c - operators that put parts together or take them out, and those that change the size of images.
 * See infer.c.   Read next: infer_elements.c
 */
#include "verify/count/onnx/infer.h"

#include <math.h>
#include <string.h>

/* ---- parts -------------------------------------------------------------------------------------------------- */

enum conv_status infer_concat(struct step *step)
{
    int64_t axis = 1;
    int at, count = 0;
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
        if (!value || !value->known)
            return not_understood(step, "the size of its input isn't known");
        for (int d = 0; d < out.rank; d++)
            if (value->shape.rank != out.rank || (d != at && value->shape.dims[d] != out.dims[d]))
                return step_bad(step, "its inputs differ in more than the axis");
        out.dims[at] += value->shape.dims[at];
        if (out.dims[at] > INT64_C(1) << 40)
            return step_bad(step, "its output is too large");
        if (value->int_count < 0 || count < 0 || count + value->int_count > MOST_KNOWN_INTS)
            count = -1;
        for (int j = 0; j < value->int_count && count >= 0; j++)
            step->out->ints[count++] = value->ints[j];
    }
    step->out->int_count = count;
    return step_set_shape(step, &out);
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
    int64_t left = out.dims[at];
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
        }
    }
    return left == 0 ? CONV_OK : step_bad(step, "its parts are not as large as its input");
}

static enum conv_status slice_axis(struct step *step, struct onnx_shape *out, int64_t begin, int64_t end,
                                   int64_t pace, int at)
{
    const int64_t size = out->dims[at];
    if (pace == 0 || pace < -(INT64_C(1) << 40) || pace > INT64_C(1) << 40)
        return step_bad(step, "it has a step of 0, or too large");
    begin = step_clamp(begin, size, 0, pace > 0 ? size : size - 1);
    end = step_clamp(end < -size - 1 ? -size - 1 : end, size, pace > 0 ? 0 : -1, size);
    const int64_t taken = pace > 0 ? conv_ceil_div(end - begin, pace) : conv_ceil_div(begin - end, -pace);
    out->dims[at] = taken > 0 ? taken : 0;
    const struct value *from = step->in[0];
    const bool followed = from->int_count >= 0 && out->rank == 1 && from->int_count == size;
    step->out->int_count = followed ? (int)out->dims[at] : -1;
    for (int i = 0; i < step->out->int_count; i++)
        step->out->ints[i] = from->ints[begin + i * pace];
    return CONV_OK;
}

enum conv_status infer_slice(struct step *step)
{
    static const char *const names[] = { "starts", "ends", "axes", "steps" };
    const int64_t *lists[4] = { NULL };
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
    for (int i = 0; i < counts[0] && status == CONV_OK; i++) {
        if (!step_find_axis(&at, counts[2] >= 0 ? lists[2][i] : i, out.rank))
            return step_bad(step, "one of its axes isn't there");
        status = slice_axis(step, &out, lists[0][i], lists[1][i], counts[3] >= 0 ? lists[3][i] : 1, at);
    }
    return status == CONV_OK ? step_set_shape(step, &out) : status;
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
    if (data->int_count >= 0 && indices->int_count >= 0 && data->shape.rank == 1) {
        step->out->int_count = indices->int_count;
        for (int i = 0; i < indices->int_count; i++) {
            const int64_t index = indices->ints[i] < 0 ? indices->ints[i] + data->int_count : indices->ints[i];
            if (index < 0 || index >= data->int_count)
                return step_bad(step, "one of its indices isn't there");
            step->out->ints[i] = data->ints[index];
        }
    }
    if (data->constant && data->is_float)
        step->made->weights = shape_elements(&data->shape);   /* an embedding */
    return step_set_shape(step, &out);
}

/* ---- larger and smaller images ------------------------------------------------------------------------------ */

enum conv_status infer_pad(struct step *step)
{
    const int64_t *pads = NULL;
    int count;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_numbers(&pads, &count, step, "pads", 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (count != 2 * out.rank || step->in[3])
        return count == 2 * out.rank ? not_understood(step, "it pads chosen axes")
                                     : step_bad(step, "pads has not two numbers for each axis");
    for (int d = 0; d < out.rank; d++) {
        const int64_t begin = pads[d], end = pads[out.rank + d], limit = INT64_C(1) << 40;
        if (begin < -limit || begin > limit || end < -limit || end > limit)
            return step_bad(step, "its pads are too large");
        out.dims[d] += begin + end;
    }
    return step_set_shape(step, &out);
}

static enum conv_status scale_shape(struct step *step, const struct value *scales)
{
    const struct onnx_shape *x = &step->in[0]->shape;
    struct onnx_shape out = { .rank = x->rank };
    struct conv_tensor tensor;
    if (!scales->tensor || shape_elements(&scales->shape) != x->rank)
        return not_understood(step, "its scales are computed from data");
    const enum conv_status status = onnx_take_tensor(&tensor, step->at.model, scales->tensor, STORED_OPERANDS);
    if (status != CONV_OK)
        return status;
    for (int d = 0; d < x->rank; d++) {
        const double size = floor((double)x->dims[d] * conv_get(tensor.type, tensor.data, d));
        out.dims[d] = size >= 0 && size <= 0x1p40 ? (int64_t)size : -1;
    }
    conv_tensor_free(&tensor);
    return step_set_shape(step, &out);
}

/* Resize has inputs X, roi, scales, sizes; Upsample, and Resize before opset 11, X and scales. */
enum conv_status infer_resize(struct step *step)
{
    const enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const struct value *sizes = step->in[3], *scales = step->at.node->n_input == 2 ? step->in[1] : step->in[2];
    if (!sizes)
        return scales && scales->known ? scale_shape(step, scales)
                                       : not_understood(step, "its scales are computed from data");
    struct onnx_shape out = { .rank = x->rank };
    if (sizes->int_count != x->rank)
        return not_understood(step, "its sizes are computed from data");
    memcpy(out.dims, sizes->ints, sizeof *out.dims * (size_t)x->rank);
    return step_set_shape(step, &out);
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
