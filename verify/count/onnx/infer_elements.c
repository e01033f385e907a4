/* infer_elements.c - operators that work element by element, shapes that a graph computes among them.   See infer.c. */
#include "verify/count/onnx/infer.h"

#include <math.h>
#include <string.h>

enum conv_status infer_same(struct step *step)
{
    const enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    if (onnx_is(step->at.node, "Identity") || onnx_is(step->at.node, "Cast"))
        step_keep_ints(step);
    return step_set_shape(step, &step->in[0]->shape);
}

/* A number of a constant, such as the limits of Clip; `normal` if it can't be read. */
static double number_of(const struct value *value, double normal)
{
    const struct onnx_model nowhere = { .name = "" };
    struct conv_tensor tensor;
    if (!value || !value->tensor || shape_elements(&value->shape) != 1
        || onnx_take_tensor(&tensor, &nowhere, value->tensor, STORED_OPERANDS) != CONV_OK)
        return normal;
    const double number = conv_get(tensor.type, tensor.data, 0);
    conv_tensor_free(&tensor);
    return number;
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

enum conv_status infer_prelu(struct step *step)
{
    if (step->in[1] && step->in[1]->known && step->in[1]->constant)
        step->made->weights = shape_elements(&step->in[1]->shape);
    return infer_same(step);
}

static enum conv_status broadcast(struct onnx_shape *out, const struct step *step, const struct onnx_shape *b)
{
    const struct onnx_shape a = *out;
    out->rank = a.rank > b->rank ? a.rank : b->rank;
    for (int d = 1; d <= out->rank; d++) {
        const int64_t one = d <= a.rank ? a.dims[a.rank - d] : 1, other = d <= b->rank ? b->dims[b->rank - d] : 1;
        if (one != other && one != 1 && other != 1)
            return step_bad(step, "the shapes of its inputs can't be broadcast");
        out->dims[out->rank - d] = one == 1 ? other : one;
    }
    return CONV_OK;
}

/* Arithmetic of shapes. */
static void compute_ints(struct step *step)
{
    const struct value *a = step->in[0], *b = step->in[1];
    const char op = step->at.node->op_type[0];
    if (a->int_count < 0 || b->int_count < 0
        || (a->int_count != b->int_count && a->int_count != 1 && b->int_count != 1))
        return;
    const int count = a->int_count > b->int_count ? a->int_count : b->int_count;
    for (int i = 0; i < count; i++) {
        const int64_t x = a->ints[a->int_count == 1 ? 0 : i], y = b->ints[b->int_count == 1 ? 0 : i];
        int64_t *to = &step->out->ints[i];
        const bool good = op == 'A' ? !__builtin_add_overflow(x, y, to)
                        : op == 'S' ? !__builtin_sub_overflow(x, y, to)
                        : op == 'M' ? !__builtin_mul_overflow(x, y, to) : y > 0;
        if (!good)
            return;
        if (op == 'D')
            *to = x / y;
    }
    step->out->int_count = count;
}

/* An Add behind a MatMul is the bias of the layer; other learned operands are weights of the node. */
static void take_learned(struct step *step, const struct value *learned, const struct value *other)
{
    const int64_t count = shape_elements(&learned->shape);
    struct conv_node *layer = other->node >= 0 ? &step->walk->network->nodes[other->node] : NULL;
    if (!learned->constant || !learned->is_float || other->constant || count < 2)
        return;
    if (step->made->kind == CONV_NODE_ADD && layer && conv_node_is_fc(layer) && !layer->problem.bias
        && layer->problem.k == count)
        layer->problem.bias = true;
    else
        step->made->weights = count;
}

enum conv_status infer_binary(struct step *step)
{
    enum conv_status status = step_needs(step, 2);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    status = broadcast(&out, step, &step->in[1]->shape);
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    if (status != CONV_OK)
        return status;
    compute_ints(step);
    take_learned(step, step->in[1], step->in[0]);
    take_learned(step, step->in[0], step->in[1]);
    return CONV_OK;
}

/* Sum, Max and Min of any number; more than eight inputs are looked at as values, not as steps. */
enum conv_status infer_many(struct step *step)
{
    enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    for (size_t i = 1; i < step->at.node->n_input && status == CONV_OK; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        status = value && value->known ? broadcast(&out, step, &value->shape)
                                       : not_understood(step, "the size of its input isn't known");
    }
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}
