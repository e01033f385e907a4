/* infer_elements.c - operators that work element by element.   See infer.c.   Read next: numbers.c */
#include "verify/count/onnx/infer.h"

#include <math.h>
#include <string.h>

/* The shape of the first input. */
enum conv_status infer_same(struct step *step)
{
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_set_shape(step, &step->in[0]->shape);
    if (status != CONV_OK)
        return status;
    if (onnx_is(step->at.node, "Identity") || onnx_is(step->at.node, "Dropout"))
        step_keep_numbers(step);
    else if (step->in[0]->numbers)
        numbers_compute(step);
    return CONV_OK;
}

/* Scaler and Normalizer make floats of any numbers. */
enum conv_status infer_scaled(struct step *step)
{
    const enum conv_status status = step_needs(step, 1);
    step->out->type = ONNX_FLOAT;
    return status == CONV_OK ? step_set_shape(step, &step->in[0]->shape) : status;
}

/* Cast, CastLike, BitCast: the type is an attribute, or that of the second input. */
enum conv_status infer_cast(struct step *step)
{
    int64_t to = step->in[1] ? step->in[1]->type : 0;
    enum conv_status status = onnx_int(&to, &step->at, "to");
    if (status == CONV_OK)
        status = infer_same(step);
    step->out->type = to > 0 && to < 256 ? (int32_t)to : 0;
    if (status == CONV_OK && !onnx_is(step->at.node, "BitCast"))
        step_keep_numbers(step);
    return status;
}

/* Quantised numbers are of the type of their zero point, or of an attribute; DynamicQuantizeLinear makes scales. */
enum conv_status infer_quantize(struct step *step)
{
    const struct onnx_shape single = { .rank = 0 };
    int64_t type = step->in[2] ? step->in[2]->type : ONNX_UINT8;
    enum conv_status status = onnx_int(&type, &step->at, "output_dtype");
    if (status == CONV_OK)
        status = infer_same(step);
    if (status == CONV_OK && onnx_is(step->at.node, "DynamicQuantizeLinear")) {
        status = step_set_output(step, 1, &single, ONNX_FLOAT);
        if (status == CONV_OK)
            status = step_set_output(step, 2, &single, ONNX_UINT8);
    }
    const bool back = onnx_is(step->at.node, "DequantizeLinear");
    step->out->type = back ? step->in[1] ? step->in[1]->type : ONNX_FLOAT : (int32_t)type;
    step->out->numbers = NULL;
    return status;
}

static double number_of(const struct value *value, double normal)
{
    double number;
    return number_get(&number, value) ? number : normal;
}

/* Clip is relu6 where its limits are 0 and 6: attributes once, inputs since opset 11. */
enum conv_status infer_clip(struct step *step)
{
    const ConvOnnx__Attribute *least, *most;
    enum conv_status status = onnx_attribute(&least, &step->at, "min", ONNX_ATTRIBUTE_FLOAT);
    if (status == CONV_OK)
        status = onnx_attribute(&most, &step->at, "max", ONNX_ATTRIBUTE_FLOAT);
    if (status != CONV_OK)
        return status;
    const double low = least ? (double)least->f : number_of(step->in[1], -INFINITY);
    const double high = most ? (double)most->f : number_of(step->in[2], INFINITY);
    strcpy(step->made->fn, low == 0 && high == 6 ? "relu6" : "clip");
    return infer_same(step);
}

/* An Add behind a matrix product with weights is the bias of that layer: a constant with a number for each of its
 * outputs, which stand in the last axis. */
static void take_as_bias(struct step *step, struct value *learned, const struct value *other)
{
    struct conv_node *layer = other->node >= 0 ? &step->walk->network->nodes[other->node] : NULL;
    if (!layer || !conv_node_is_fc(layer) || layer->problem.bias || !learned->constant || other->constant
        || learned->shape.rank < 1 || !is_real_type(learned->type)
        || shape_elements(&learned->shape) != learned->shape.dims[learned->shape.rank - 1]
        || shape_elements(&learned->shape) < 2 || layer->problem.k != shape_elements(&learned->shape))
        return;
    layer->problem.bias = true;
    layer->weights += take_bias(step->walk, learned);
}

/* Arithmetic with broadcasting, of any number of inputs; those behind the twelfth are looked up by name. */
enum conv_status infer_binary(struct step *step)
{
    enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    for (size_t i = 1; i < step->at.node->n_input && status == CONV_OK; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        if (i < sizeof step->in / sizeof *step->in)
            status = step_needs(step, (int)i + 1);
        else if (!value || !value->known)
            status = not_understood(step, "the size of its input isn't known");
        if (status == CONV_OK)
            status = step_broadcast(&out, step, &value->shape);
    }
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    if (status != CONV_OK)
        return status;
    numbers_compute(step);
    if (onnx_is(step->at.node, "Add") && step->in[1]) {
        take_as_bias(step, step->in[1], step->in[0]);
        take_as_bias(step, step->in[0], step->in[1]);
    }
    return CONV_OK;
}

/* The same, of truths: comparisons; Where, whose first input is one. */
enum conv_status infer_compare(struct step *step)
{
    const bool where = onnx_is(step->at.node, "Where");
    if (where && !step->in[1])
        return step_bad(step, "it has too few inputs");
    step->out->type = where ? step->in[1]->type : ONNX_BOOL;
    return infer_binary(step);
}
