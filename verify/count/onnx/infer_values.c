/* infer_values.c - operators whose values are shapes and constants, and those that make tensors of a given size.
 * See infer.c.   Read next: numbers.c
 */
#include "verify/count/onnx/infer.h"

#include <math.h>
#include <string.h>

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
    const struct onnx_shape out = { 1, { end > begin ? end - begin : 0 } };
    step->out->type = ONNX_INT64;
    status = step_set_shape(step, &out);
    union number *numbers = numbers_room(step, step->out);
    for (int i = 0; numbers && i < out.dims[0]; i++)
        numbers[i].whole = x->dims[begin + i];
    step->out->numbers = numbers;
    return status;
}

enum conv_status infer_size(struct step *step)
{
    const struct onnx_shape single = { .rank = 0 };
    enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    step->out->type = ONNX_INT64;
    status = step_set_shape(step, &single);
    union number *numbers = numbers_room(step, step->out);
    if (numbers)
        numbers[0].whole = shape_elements(&step->in[0]->shape);
    step->out->numbers = numbers;
    return status;
}

/* A truth or a number that depends on data. */
enum conv_status infer_scalar(struct step *step)
{
    const struct onnx_shape single = { .rank = 0 };
    step->out->type = onnx_is(step->at.node, "OptionalHasElement") ? ONNX_BOOL : ONNX_INT64;
    return step_set_shape(step, &single);
}

/* Coordinates of what isn't 0: they are as many as there are, so the numbers must be known. */
enum conv_status infer_nonzero(struct step *step)
{
    enum conv_status status = step_needs(step, 1);
    const struct value *in = step->in[0];
    struct onnx_shape out = { 2, { 0 } };
    int64_t found = 0;
    step->out->type = ONNX_INT64;
    if (status != CONV_OK)
        return status;
    if (!in->numbers)
        return infer_unknown(step);
    const bool real = is_real_type(in->type);
    const int64_t count = shape_elements(&in->shape);
    for (int64_t i = 0; i < count; i++)
        out.dims[1] += real ? in->numbers[i].real != 0 : in->numbers[i].whole != 0;
    out.dims[0] = in->shape.rank > 0 ? in->shape.rank : 1;
    status = step_set_shape(step, &out);
    union number *numbers = status == CONV_OK ? numbers_room(step, step->out) : NULL;
    for (int64_t i = 0; numbers && i < count; i++) {
        if (real ? in->numbers[i].real == 0 : in->numbers[i].whole == 0)
            continue;
        int64_t index = i;
        for (int d = in->shape.rank - 1; d >= 0; d--) {
            numbers[d * out.dims[1] + found].whole = index % in->shape.dims[d];
            index /= in->shape.dims[d];
        }
        found++;
    }
    step->out->numbers = numbers;
    return status;
}

/* ---- constants ---------------------------------------------------------------------------------------------- */

/* The attribute that has the value: one of these, of which `kind` says what is there. */
static const struct { const char *name; int attribute; int32_t type; } constants[] = {
    { "value", ONNX_ATTRIBUTE_TENSOR, 0 }, { "value_int", ONNX_ATTRIBUTE_INT, ONNX_INT64 },
    { "value_ints", ONNX_ATTRIBUTE_INTS, ONNX_INT64 }, { "value_float", ONNX_ATTRIBUTE_FLOAT, ONNX_FLOAT },
    { "value_floats", ONNX_ATTRIBUTE_FLOATS, ONNX_FLOAT },
};

static enum conv_status set_tensor(struct step *step, const ConvOnnx__Tensor *tensor)
{
    struct onnx_shape shape;
    enum conv_status status = onnx_check_tensor(&shape, step->at.model, tensor);
    if (status == CONV_OK)
        status = step_set_shape(step, &shape);
    if (status == CONV_OK)
        value_set_tensor(step->walk, step->out, tensor, &shape);
    return status;
}

static enum conv_status set_numbers(struct step *step, const ConvOnnx__Attribute *found, int32_t type, bool list)
{
    const int64_t count = !list ? 1 : type == ONNX_INT64 ? (int64_t)found->n_ints : (int64_t)found->n_floats;
    const struct onnx_shape shape = { list, { count } };
    const enum conv_status status = step_set_shape(step, &shape);
    step->out->type = type;
    union number *numbers = status == CONV_OK ? numbers_room(step, step->out) : NULL;
    for (int64_t i = 0; numbers && i < count; i++)
        if (type == ONNX_INT64)
            numbers[i].whole = list ? found->ints[i] : found->i;
        else
            numbers[i].real = (double)(list ? found->floats[i] : found->f);
    step->out->numbers = numbers;
    return status;
}

enum conv_status infer_constant(struct step *step)
{
    const ConvOnnx__Attribute *found;
    step->out->constant = true;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        const enum conv_status status = onnx_attribute(&found, &step->at, constants[i].name, constants[i].attribute);
        if (status != CONV_OK)
            return status;
        if (found && i == 0 && found->t)
            return set_tensor(step, found->t);
        if (found && i > 0)
            return set_numbers(step, found, constants[i].type, constants[i].attribute >= ONNX_ATTRIBUTE_FLOATS);
    }
    return not_understood(step, "it is a constant of another sort");
}

/* The sizes of a list as a shape. */
static enum conv_status read_shape(struct onnx_shape *shape, const struct step *step, const int64_t *sizes, int count)
{
    if (count > CONV_MAX_RANK)
        return step_bad(step, "its shape has more than 8 dims");
    shape->rank = count;
    memcpy(shape->dims, sizes, sizeof *sizes * (size_t)count);
    return CONV_OK;
}

/* Zeros, if no value is given.  Models that were emptied for publication have weights of this sort. */
enum conv_status infer_constant_of_shape(struct step *step)
{
    const ConvOnnx__Attribute *found;
    const int64_t *sizes;
    struct onnx_shape out;
    union number fill = { 0 };
    int count;
    enum conv_status status = onnx_attribute(&found, &step->at, "value", ONNX_ATTRIBUTE_TENSOR);
    if (status == CONV_OK)
        status = step_needs(step, 1);
    const ConvOnnx__Tensor *tensor = status == CONV_OK && found ? found->t : NULL;
    step->out->type = tensor ? tensor->data_type : ONNX_FLOAT;
    if (status == CONV_OK)
        status = step_list(&sizes, &count, step, 0, "shape");
    if (status == CONV_OK)
        status = read_shape(&out, step, sizes, count);
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    if (status != CONV_OK)
        return status;
    const bool known = !tensor || (is_real_type(tensor->data_type) ? onnx_tensor_reals(&fill.real, 1, tensor)
                                                                    : onnx_tensor_ints(&fill.whole, 1, tensor)) == 1;
    union number *numbers = known ? numbers_room(step, step->out) : NULL;
    for (int64_t i = 0; numbers && i < shape_elements(&out); i++)
        numbers[i] = fill;
    step->out->numbers = numbers;
    return CONV_OK;
}

/* Numbers from a start to a limit, which isn't among them: max(ceil((limit - start) / delta), 0) of them. */
enum conv_status infer_range(struct step *step)
{
    double ends[3];
    enum conv_status status = step_needs(step, 3);
    for (int i = 0; i < 3 && status == CONV_OK; i++)
        if (!number_get(&ends[i], step->in[i]))
            status = not_understood(step, "its limits are computed from data");
    if (status != CONV_OK)
        return status;
    const double count = ceil((ends[1] - ends[0]) / ends[2]);
    if (ends[2] == 0 || isnan(count) || count > 0x1p40)
        return step_bad(step, "it has a step of 0, or too many numbers");
    const struct onnx_shape out = { 1, { count > 0 ? (int64_t)count : 0 } };
    status = step_set_shape(step, &out);
    const bool exact = fabs(ends[0]) < 0x1p53 && fabs(ends[1]) < 0x1p53 && fabs(ends[2]) < 0x1p53;
    union number *numbers = status == CONV_OK && exact ? numbers_room(step, step->out) : NULL;
    for (int64_t i = 0; numbers && i < out.dims[0]; i++)
        if (is_real_type(step->out->type))
            numbers[i].real = ends[0] + (double)i * ends[2];
        else
            numbers[i].whole = step->in[0]->numbers->whole + i * step->in[2]->numbers->whole;
    step->out->numbers = numbers;
    return status;
}

/* ---- tensors of a given size -------------------------------------------------------------------------------- */

/* RandomNormal, RandomUniform: the attribute `shape`. */
enum conv_status infer_random(struct step *step)
{
    const int64_t *sizes = NULL;
    struct onnx_shape out;
    int count;
    enum conv_status status = step_numbers(&sizes, &count, step, "shape", 0);
    if (status == CONV_OK && count < 0)
        status = step_bad(step, "it has no shape");
    if (status == CONV_OK)
        status = read_shape(&out, step, sizes, count);
    step->out->type = ONNX_FLOAT;
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

/* HannWindow and its kin: as many numbers as the input says. */
enum conv_status infer_window(struct step *step)
{
    double size;
    const enum conv_status status = step_needs(step, 1);
    step->out->type = ONNX_FLOAT;
    if (status != CONV_OK || !number_get(&size, step->in[0]) || !(size >= 0 && size <= 0x1p40))
        return status != CONV_OK ? status : not_understood(step, "its size is computed from data");
    const struct onnx_shape out = { 1, { (int64_t)size } };
    return step_set_shape(step, &out);
}

/* MelWeightMatrix(num_mel_bins, dft_length, ...): floor(dft_length / 2) + 1 rows, a column for each bin. */
enum conv_status infer_mel(struct step *step)
{
    double bins, length;
    const enum conv_status status = step_needs(step, 2);
    step->out->type = ONNX_FLOAT;
    if (status != CONV_OK || !number_get(&bins, step->in[0]) || !number_get(&length, step->in[1])
        || !(bins >= 0 && bins <= 0x1p40 && length >= 0 && length <= 0x1p40))
        return status != CONV_OK ? status : not_understood(step, "its size is computed from data");
    const struct onnx_shape out = { 2, { (int64_t)length / 2 + 1, (int64_t)bins } };
    return step_set_shape(step, &out);
}
