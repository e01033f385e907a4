/* infer.c - what the rules for operators share.
 *
 * Shapes are those of ONNX: the batch first, channels behind it, any number of axes.  A rule is in one of
 * infer_layers.c (convolutions, norms, pooling), infer_products.c (matrix products, recurrent layers),
 * infer_elements.c, infer_shapes.c (the same elements in another shape), infer_parts.c (some of them),
 * infer_images.c (larger and smaller images), infer_values.c (shapes and constants as values).
 * Not here: the table (operators.c), numbers (numbers.c), values (graph.c), networks (network.c).
 * Source: the documentation of the operators, opset 6 to 28
 */
#include "verify/count/onnx/infer.h"

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

enum conv_status step_set_output(struct step *step, size_t i, const struct onnx_shape *shape, int32_t type)
{
    struct value *value = value_find(step->walk, onnx_output(step->at.node, i));
    if (!shape_is_sane(shape))
        return step_bad(step, "an output would have a negative size, or more than 2^56 elements");
    if (!value)
        return CONV_OK;
    value->known = true;
    value->shape = *shape;
    value->type = type;
    return CONV_OK;
}

/* "the size of its input isn't known: it comes behind 'nms' (NonMaxSuppression)" */
static enum conv_status lost(const struct step *step, const struct value *value, const char *what)
{
    char name[ONNX_NAME], op[ONNX_NAME];
    const ConvOnnx__Node *node = value->lost;
    if (!node)
        return not_understood(step, "%s: the model doesn't give that of '%s'", what, onnx_plain(name, value->name));
    onnx_plain(name, *onnx_text(node->name) ? node->name : onnx_output(node, 0));
    return not_understood(step, "%s: it comes behind '%s' (%s)", what, name, onnx_plain(op, node->op_type));
}

enum conv_status step_needs(const struct step *step, int count)
{
    for (int i = 0; i < count; i++) {
        if (!step->in[i])
            return step_bad(step, "it has too few inputs");
        if (!step->in[i]->known)
            return lost(step, step->in[i], "the size of its input isn't known");
    }
    return CONV_OK;
}

enum conv_status step_need_int(int64_t *value, const struct step *step, const char *name)
{
    const ConvOnnx__Attribute *found;
    char what[80];
    const enum conv_status status = onnx_attribute(&found, &step->at, name, ONNX_ATTRIBUTE_INT);
    snprintf(what, sizeof what, "it has no %s", name);
    if (status != CONV_OK || !found)
        return status != CONV_OK ? status : step_bad(step, what);
    *value = found->i;
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

enum conv_status step_list(const int64_t **values, int *count, const struct step *step, int input, const char *what)
{
    const struct value *value = step->in[input];
    if (!value)
        return step_bad(step, "it has too few inputs");
    if (!value_is_list(value))
        return not_understood(step, "its %s %s computed from data", what,
                              what[strlen(what) - 1] == 's' ? "are" : "is");
    *values = &value->numbers->whole;
    *count = (int)shape_elements(&value->shape);
    return CONV_OK;
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
        *count = found->n_ints <= MOST_NUMBERS ? (int)found->n_ints : -1;
        return *count < 0 ? step_bad(step, "an attribute has too many numbers") : CONV_OK;
    }
    return step->in[input] ? step_list(values, count, step, input, attribute) : CONV_OK;
}

enum conv_status step_read_axes(unsigned *set, const struct step *step, int rank)
{
    const int64_t *axes = NULL;
    int count, axis;
    const enum conv_status status = step_numbers(&axes, &count, step, "axes", 1);
    if (status != CONV_OK)
        return status;
    *set = 0;
    for (int i = 0; i < count; i++) {
        if (!step_find_axis(&axis, axes[i], rank))
            return step_bad(step, "one of its axes isn't there");
        *set |= 1u << axis;
    }
    return CONV_OK;
}

void step_keep_numbers(struct step *step)
{
    numbers_keep(step, step->out, step->in[0]);
}

enum conv_status step_broadcast(struct onnx_shape *out, const struct step *step, const struct onnx_shape *b)
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

enum conv_status infer_unknown(struct step *step)
{
    return not_understood(step, "the size of what it computes depends on data");
}

/* Scan, SequenceMap */
enum conv_status infer_subgraph(struct step *step)
{
    return not_understood(step, "it has a graph of its own, which convref doesn't read");
}
