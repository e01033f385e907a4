/* infer.c - what operators do to shapes: one row in the table at the end for each that convref understands.
 *
 * Shapes are those of ONNX: the batch first, channels behind it, any number of axes.  Graphs compute some of their
 * own shapes (Shape, Gather, Concat, Reshape), so the numbers of short integer values are followed as well.
 * Here is what the rules share; they are in infer_layers.c (what has weights or a window), infer_elements.c,
 * infer_shapes.c and infer_parts.c.   Not here: values (graph.c), networks (network.c).
 * Source: the documentation of the operators, opset 6 to 21
 */
#include "verify/count/onnx/infer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum conv_status not_understood(const struct step *step, const char *format, ...)
{
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return conv_fail(step->at.model->error, CONV_NOT_APPLICABLE, "%s", what);
}

enum conv_status step_bad(const struct step *step, const char *what)
{
    return onnx_bad_node(&step->at, NULL, "%s", what);
}

enum conv_status step_set_shape(struct step *step, const struct onnx_shape *shape)
{
    if (!shape_is_sane(shape))
        return step_bad(step, "its output would have a negative size, or more than 2^56 elements");
    step->out->known = true;
    step->out->shape = *shape;
    return CONV_OK;
}

enum conv_status step_needs(const struct step *step, int count)
{
    for (int i = 0; i < count; i++) {
        if (!step->in[i])
            return step_bad(step, "it has too few inputs");
        if (!step->in[i]->known)
            return not_understood(step, "the size of its input isn't known");
    }
    return CONV_OK;
}

bool step_find_axis(int *found, int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        return false;
    *found = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

int64_t step_clamp(int64_t index, int64_t size, int64_t least, int64_t most)
{
    index = index < 0 ? index + size : index;
    return index < least ? least : index > most ? most : index;
}

enum conv_status step_numbers(const int64_t **values, int *count, const struct step *step, const char *attribute,
                              int input)
{
    const ConvOnnx__Attribute *found;
    const enum conv_status status = onnx_attribute(&found, &step->at, attribute, ONNX_ATTRIBUTE_INTS);
    *count = -1;
    if (status != CONV_OK)
        return status;
    if (found) {
        *values = found->ints;
        *count = found->n_ints <= CONV_MAX_RANK * 2 ? (int)found->n_ints : -1;
        return *count < 0 ? step_bad(step, "an attribute has too many numbers") : CONV_OK;
    }
    if (!step->in[input])
        return CONV_OK;
    *values = step->in[input]->ints;
    *count = step->in[input]->int_count;
    return *count < 0 ? not_understood(step, "its %s are computed from data", attribute) : CONV_OK;
}

enum conv_status step_read_axes(unsigned *set, const struct step *step, int rank)
{
    const int64_t *axes = NULL;
    int count, axis;
    const enum conv_status status = step_numbers(&axes, &count, step, "axes", 1);
    if (status != CONV_OK)
        return status;
    *set = count < 0 ? (1u << rank) - 1 : 0;
    for (int i = 0; i < count; i++) {
        if (!step_find_axis(&axis, axes[i], rank))
            return step_bad(step, "one of its axes isn't there");
        *set |= 1u << axis;
    }
    return CONV_OK;
}

void step_keep_ints(struct step *step)
{
    step->out->int_count = step->in[0]->int_count;
    memcpy(step->out->ints, step->in[0]->ints, sizeof step->out->ints);
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static const struct rule rules[] = {
    { "Conv", CONV_NODE_CONV, NULL, infer_conv },
    { "ConvTranspose", CONV_NODE_CONV, NULL, infer_conv },
    { "Gemm", CONV_NODE_FC, NULL, infer_gemm },
    { "MatMul", CONV_NODE_FC, NULL, infer_matmul },
    { "BatchNormalization", CONV_NODE_BN, NULL, infer_norm },
    { "InstanceNormalization", CONV_NODE_LN, NULL, infer_norm },
    { "GroupNormalization", CONV_NODE_LN, NULL, infer_norm },
    { "LayerNormalization", CONV_NODE_LN, NULL, infer_norm },
    { "MaxPool", CONV_NODE_POOL, "max", infer_pool },
    { "AveragePool", CONV_NODE_POOL, "avg", infer_pool },
    { "GlobalAveragePool", CONV_NODE_GPOOL, NULL, infer_gpool },
    { "GlobalMaxPool", CONV_NODE_GPOOL, NULL, infer_gpool },
    { "ReduceMean", CONV_NODE_GPOOL, "mean", infer_reduce },
    { "ReduceSum", CONV_NODE_OTHER, NULL, infer_reduce },
    { "ReduceMax", CONV_NODE_OTHER, NULL, infer_reduce },
    { "ReduceMin", CONV_NODE_OTHER, NULL, infer_reduce },
    { "Relu", CONV_NODE_ACT, "relu", infer_same },
    { "Clip", CONV_NODE_ACT, "clip", infer_clip },
    { "Sigmoid", CONV_NODE_ACT, "sigmoid", infer_same },
    { "Tanh", CONV_NODE_ACT, "tanh", infer_same },
    { "Gelu", CONV_NODE_ACT, "gelu", infer_same },
    { "HardSigmoid", CONV_NODE_ACT, "hardsigmoid", infer_same },
    { "HardSwish", CONV_NODE_ACT, "hardswish", infer_same },
    { "LeakyRelu", CONV_NODE_ACT, "leakyrelu", infer_same },
    { "Elu", CONV_NODE_ACT, "elu", infer_same },
    { "Selu", CONV_NODE_ACT, "selu", infer_same },
    { "Softplus", CONV_NODE_ACT, "softplus", infer_same },
    { "Mish", CONV_NODE_ACT, "mish", infer_same },
    { "PRelu", CONV_NODE_ACT, "prelu", infer_prelu },
    { "Add", CONV_NODE_ADD, NULL, infer_binary },
    { "Sub", CONV_NODE_OTHER, NULL, infer_binary },
    { "Mul", CONV_NODE_MUL, NULL, infer_binary },
    { "Div", CONV_NODE_OTHER, NULL, infer_binary },
    { "Pow", CONV_NODE_OTHER, NULL, infer_many },
    { "Sum", CONV_NODE_ADD, NULL, infer_many },
    { "Max", CONV_NODE_OTHER, NULL, infer_many },
    { "Min", CONV_NODE_OTHER, NULL, infer_many },
    { "Concat", CONV_NODE_CONCAT, NULL, infer_concat },
    { "Split", CONV_NODE_SLICE, NULL, infer_split },
    { "Slice", CONV_NODE_SLICE, NULL, infer_slice },
    { "Gather", CONV_NODE_OTHER, NULL, infer_gather },
    { "Identity", CONV_NODE_OTHER, NULL, infer_same },
    { "Dropout", CONV_NODE_OTHER, NULL, infer_same },
    { "Cast", CONV_NODE_OTHER, NULL, infer_same },
    { "Softmax", CONV_NODE_OTHER, NULL, infer_same },
    { "LogSoftmax", CONV_NODE_OTHER, NULL, infer_same },
    { "LRN", CONV_NODE_OTHER, NULL, infer_same },
    { "Erf", CONV_NODE_OTHER, NULL, infer_same },
    { "Exp", CONV_NODE_OTHER, NULL, infer_same },
    { "Log", CONV_NODE_OTHER, NULL, infer_same },
    { "Sqrt", CONV_NODE_OTHER, NULL, infer_same },
    { "Neg", CONV_NODE_OTHER, NULL, infer_same },
    { "Abs", CONV_NODE_OTHER, NULL, infer_same },
    { "Reciprocal", CONV_NODE_OTHER, NULL, infer_same },
    { "Floor", CONV_NODE_OTHER, NULL, infer_same },
    { "Flatten", CONV_NODE_OTHER, NULL, infer_flatten },
    { "Reshape", CONV_NODE_OTHER, NULL, infer_reshape },
    { "Transpose", CONV_NODE_OTHER, NULL, infer_transpose },
    { "Squeeze", CONV_NODE_OTHER, NULL, infer_squeeze },
    { "Unsqueeze", CONV_NODE_OTHER, NULL, infer_unsqueeze },
    { "Pad", CONV_NODE_OTHER, NULL, infer_pad },
    { "Resize", CONV_NODE_OTHER, NULL, infer_resize },
    { "Upsample", CONV_NODE_OTHER, NULL, infer_resize },
    { "DepthToSpace", CONV_NODE_OTHER, NULL, infer_blocks },
    { "SpaceToDepth", CONV_NODE_OTHER, NULL, infer_blocks },
    { "Shape", CONV_NODE_OTHER, NULL, infer_shape },
    { "Constant", CONV_NODE_OTHER, NULL, infer_constant },
    { "ConstantOfShape", CONV_NODE_OTHER, NULL, infer_constant_of_shape },
};

const struct rule *rule_of(const ConvOnnx__Node *node)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (onnx_is(node, rules[i].op_type))
            return &rules[i];
    return NULL;
}
