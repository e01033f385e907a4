/* infer.c - what operators do to shapes: one row in the table at the end for each that convref understands.
 *
 * Shapes are those of ONNX: the batch first, channels behind it, any number of axes.  Graphs compute some of their
 * own shapes (Shape, Gather, Concat, Reshape), so the numbers of short integer values are followed as well.
 * Not here: values (graph.c), networks (network.c).   Source: the documentation of the operators, opset 6 to 21
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../count/network_reader.h"
#include "graph.h"

enum conv_status not_understood(const struct step *step, const char *format, ...)
{
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return conv_fail(step->at.model->error, CONV_NOT_APPLICABLE, "%s", what);
}

static enum conv_status bad(const struct step *step, const char *what)
{
    return onnx_bad_node(&step->at, NULL, "%s", what);
}

/* Give the output its shape. */
static enum conv_status set_shape(struct step *step, const struct onnx_shape *shape)
{
    if (!shape_is_sane(shape))
        return bad(step, "its output would have a negative size, or more than 2^56 elements");
    step->out->known = true;
    step->out->shape = *shape;
    return CONV_OK;
}

static enum conv_status needs(const struct step *step, int count)
{
    for (int i = 0; i < count; i++) {
        if (!step->in[i])
            return bad(step, "it has too few inputs");
        if (!step->in[i]->known)
            return not_understood(step, "the size of its input isn't known");
    }
    return CONV_OK;
}

/* An axis, counted from the end if it is negative. */
static bool find_axis(int *found, int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        return false;
    *found = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

/* Numbers that were an attribute once and are an input now; `count` is -1 if there are neither. */
static enum conv_status numbers(const int64_t **values, int *count, const struct step *step, const char *attribute,
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
        return *count < 0 ? bad(step, "an attribute has too many numbers") : CONV_OK;
    }
    if (!step->in[input])
        return CONV_OK;
    *values = step->in[input]->ints;
    *count = step->in[input]->int_count;
    return *count < 0 ? not_understood(step, "its %s are computed from data", attribute) : CONV_OK;
}

/* ---- layers ------------------------------------------------------------------------------------------------- */

static void shape_of_output(struct onnx_shape *shape, const struct conv_problem *problem, int64_t channels)
{
    shape->rank = problem->rank + 2;
    shape->dims[0] = problem->n;
    shape->dims[1] = channels;
    for (int i = 0; i < problem->rank; i++)
        shape->dims[i + 2] = problem->axis[CONV_AXES - problem->rank + i].out;
}

/* Counting takes a step for each tap along an axis.  Real networks have some thousands; a hostile one could have 2^20
 * in each of many short nodes. */
static enum conv_status check_taps(struct step *step)
{
    enum { MOST_TAPS = 1 << 18 };
    for (int a = 0; a < CONV_AXES; a++)
        step->walk->taps += step->made->problem.axis[a].filter;
    return step->walk->taps <= MOST_TAPS ? CONV_OK
        : bad(step, "the filters up to here have more than 2^18 taps along their axes");
}

static enum conv_status infer_conv(struct step *step)
{
    struct onnx_shape shape;
    enum conv_status status = needs(step, 2);
    if (status == CONV_OK && !step->in[1]->constant)
        status = not_understood(step, "its weights are computed from data");
    if (status == CONV_OK)
        status = onnx_conv_problem(&step->made->problem, &step->at, &step->in[0]->shape, &step->in[1]->shape,
                                   step->in[2] != NULL, CONV_F32);
    if (status == CONV_OK)
        status = check_taps(step);
    if (status != CONV_OK)
        return status;
    shape_of_output(&shape, &step->made->problem, step->made->problem.k);
    return set_shape(step, &shape);
}

/* A matrix product with weights, as a pointwise convolution of `rows` positions. */
static enum conv_status make_linear(struct step *step, int64_t rows, int64_t c, int64_t k, bool bias)
{
    struct conv_error inner;
    struct conv_problem *problem = &step->made->problem;
    *problem = conv_problem_default(1);
    problem->n = 1;
    problem->c = c;
    problem->k = k;
    problem->bias = bias;
    problem->axis[CONV_W].in = rows;
    return conv_problem_finish(problem, &inner) == CONV_OK ? CONV_OK
        : onnx_bad_node(&step->at, NULL, "%.200s", inner.message);
}

static enum conv_status infer_gemm(struct step *step)
{
    int64_t trans[2] = { 0, 0 };
    enum conv_status status = needs(step, 2);
    if (status == CONV_OK)
        status = onnx_int(&trans[0], &step->at, "transA");
    if (status == CONV_OK)
        status = onnx_int(&trans[1], &step->at, "transB");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *a = &step->in[0]->shape, *b = &step->in[1]->shape;
    if (a->rank != 2 || b->rank != 2)
        return bad(step, "A and B have two dims each");
    if (!step->in[1]->constant)
        return not_understood(step, "it multiplies two matrices that are computed");
    const int64_t rows = a->dims[trans[0] != 0], c = a->dims[trans[0] == 0];
    const int64_t k = b->dims[trans[1] == 0];
    if (b->dims[trans[1] != 0] != c)
        return bad(step, "the dims of A and B don't fit together");
    status = make_linear(step, rows, c, k, step->in[2] != NULL);
    const struct onnx_shape out = { 2, { rows, k } };
    return status == CONV_OK ? set_shape(step, &out) : status;
}

static enum conv_status infer_matmul(struct step *step)
{
    enum conv_status status = needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *a = &step->in[0]->shape, *b = &step->in[1]->shape;
    if (!step->in[1]->constant || b->rank != 2)
        return not_understood(step, "it multiplies two matrices that are computed");
    if (a->rank < 1 || a->dims[a->rank - 1] != b->dims[0])
        return bad(step, "the dims of A and B don't fit together");
    struct onnx_shape out = *a;
    int64_t rows = 1;
    for (int d = 0; d < a->rank - 1; d++)
        rows *= a->dims[d];
    out.dims[a->rank - 1] = b->dims[1];
    if (a->rank > 2)
        step->made->kind = CONV_NODE_LINEAR;
    status = make_linear(step, rows, b->dims[0], b->dims[1], false);
    return status == CONV_OK ? set_shape(step, &out) : status;
}

static enum conv_status infer_norm(struct step *step)
{
    const enum conv_status status = needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const int64_t scales = shape_elements(&step->in[1]->shape);
    if (step->made->kind == CONV_NODE_BN && (x->rank < 2 || scales != x->dims[1]))
        return bad(step, "it has not as many scales as its input has channels");
    if (x->rank < 2 || scales != x->dims[1]) {   /* a layer norm over other axes */
        step->made->kind = CONV_NODE_OTHER;
        step->made->weights = scales + (step->in[2] && step->in[2]->known ? shape_elements(&step->in[2]->shape) : 0);
    }
    return set_shape(step, x);
}

/* ---- pooling ------------------------------------------------------------------------------------------------ */

/* As a convolution with one filter; its attributes have the same names. */
static enum conv_status infer_pool(struct step *step)
{
    const ConvOnnx__Attribute *kernel;
    struct onnx_shape w, out;
    struct conv_problem *problem = &step->made->problem;
    int64_t up = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = onnx_attribute(&kernel, &step->at, "kernel_shape", ONNX_ATTRIBUTE_INTS);
    if (status == CONV_OK)
        status = onnx_int(&up, &step->at, "ceil_mode");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (!kernel || x->rank < 3 || kernel->n_ints != (size_t)x->rank - 2)
        return bad(step, "kernel_shape is missing, or has not one number for each axis");
    w = (struct onnx_shape){ x->rank, { 1, x->dims[1] } };
    memcpy(w.dims + 2, kernel->ints, sizeof *w.dims * kernel->n_ints);
    status = onnx_conv_problem(problem, &step->at, x, &w, false, CONV_F32);
    if (status != CONV_OK)
        return status;
    step->made->window = 1;
    for (int a = 0; a < CONV_AXES; a++) {
        step->made->window *= problem->axis[a].filter;
        if (up)
            problem->axis[a].out = conv_ceil_out(&problem->axis[a]);
    }
    shape_of_output(&out, problem, x->dims[1]);
    return set_shape(step, &out);
}

static enum conv_status infer_gpool(struct step *step)
{
    const enum conv_status status = needs(step, 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    step->made->window = 1;
    for (int d = 2; d < out.rank; d++) {
        step->made->window *= out.dims[d];
        out.dims[d] = 1;
    }
    return set_shape(step, &out);
}

/* The axes of a reduction as a set; all without any. */
static enum conv_status read_axes(unsigned *set, const struct step *step, int rank)
{
    const int64_t *axes = NULL;
    int count, axis;
    const enum conv_status status = numbers(&axes, &count, step, "axes", 1);
    if (status != CONV_OK)
        return status;
    *set = count < 0 ? (1u << rank) - 1 : 0;
    for (int i = 0; i < count; i++) {
        if (!find_axis(&axis, axes[i], rank))
            return bad(step, "one of its axes isn't there");
        *set |= 1u << axis;
    }
    return CONV_OK;
}

static enum conv_status infer_reduce(struct step *step)
{
    unsigned set = 0;
    int64_t keep = 1;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = read_axes(&set, step, step->in[0]->shape.rank);
    if (status == CONV_OK)
        status = onnx_int(&keep, &step->at, "keepdims");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    struct onnx_shape out = { .rank = 0 };
    const bool global = x->rank > 2 && set == ((1u << x->rank) - 1) - 3 && step->fn;
    for (int d = 0; d < x->rank; d++)
        if (!(set & 1u << d) || keep)
            out.dims[out.rank++] = set & 1u << d ? 1 : x->dims[d];
    step->made->kind = global ? CONV_NODE_GPOOL : CONV_NODE_OTHER;
    if (global)
        strcpy(step->made->via, "mean");
    return set_shape(step, &out);
}

/* ---- element by element ------------------------------------------------------------------------------------- */

static void keep_ints(struct step *step)
{
    step->out->int_count = step->in[0]->int_count;
    memcpy(step->out->ints, step->in[0]->ints, sizeof step->out->ints);
}

static enum conv_status infer_same(struct step *step)
{
    const enum conv_status status = needs(step, 1);
    if (status != CONV_OK)
        return status;
    if (onnx_is(step->at.node, "Identity") || onnx_is(step->at.node, "Cast"))
        keep_ints(step);
    return set_shape(step, &step->in[0]->shape);
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
static enum conv_status infer_clip(struct step *step)
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

static enum conv_status infer_prelu(struct step *step)
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
            return bad(step, "the shapes of its inputs can't be broadcast");
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

static enum conv_status infer_binary(struct step *step)
{
    enum conv_status status = needs(step, 2);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    status = broadcast(&out, step, &step->in[1]->shape);
    if (status == CONV_OK)
        status = set_shape(step, &out);
    if (status != CONV_OK)
        return status;
    compute_ints(step);
    take_learned(step, step->in[1], step->in[0]);
    take_learned(step, step->in[0], step->in[1]);
    return CONV_OK;
}

/* Sum, Max and Min of any number; more than eight inputs are looked at as values, not as steps. */
static enum conv_status infer_many(struct step *step)
{
    enum conv_status status = needs(step, 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    for (size_t i = 1; i < step->at.node->n_input && status == CONV_OK; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        status = value && value->known ? broadcast(&out, step, &value->shape)
                                       : not_understood(step, "the size of its input isn't known");
    }
    return status == CONV_OK ? set_shape(step, &out) : status;
}

/* ---- the same elements in another shape --------------------------------------------------------------------- */

static enum conv_status infer_flatten(struct step *step)
{
    int64_t axis = 1;
    int at = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (axis == x->rank)
        at = x->rank;
    else if (!find_axis(&at, axis, x->rank))
        return bad(step, "its axis isn't there");
    struct onnx_shape out = { 2, { 1, 1 } };
    for (int d = 0; d < x->rank; d++)
        out.dims[d >= at] *= x->dims[d];
    return set_shape(step, &out);
}

static enum conv_status infer_reshape(struct step *step)
{
    enum conv_status status = needs(step, 2);
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
        return bad(step, "its shape has more than 8 dims");
    for (int d = 0; d < out.rank; d++) {
        const int64_t size = wanted->ints[d];
        out.dims[d] = size == 0 && !keep_zero && d < x->rank ? x->dims[d] : size;
        if (size < -1 || size > INT64_C(1) << 40 || (size == -1 && open >= 0))
            return bad(step, "its shape has sizes that can't be");
        open = size == -1 ? d : open;
        if (size != -1 && __builtin_mul_overflow(product, out.dims[d], &product))
            return bad(step, "its shape has sizes that can't be");
    }
    const int64_t elements = shape_elements(x);
    if (open >= 0)
        out.dims[open] = product > 0 ? elements / product : 0;
    if (open >= 0 ? product > 0 && elements % product : product != elements)
        return bad(step, "its shape has not as many elements as its input");
    keep_ints(step);
    return set_shape(step, &out);
}

static enum conv_status infer_transpose(struct step *step)
{
    const ConvOnnx__Attribute *perm;
    unsigned seen = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = onnx_attribute(&perm, &step->at, "perm", ONNX_ATTRIBUTE_INTS);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    struct onnx_shape out = { .rank = x->rank };
    if (perm && perm->n_ints != (size_t)x->rank)
        return bad(step, "perm has not one number for each axis");
    for (int d = 0; d < x->rank; d++) {
        const int64_t from = perm ? perm->ints[d] : x->rank - 1 - d;
        if (from < 0 || from >= x->rank || seen & 1u << from)
            return bad(step, "perm is no permutation");
        seen |= 1u << from;
        out.dims[d] = x->dims[from];
    }
    return set_shape(step, &out);
}

static enum conv_status infer_squeeze(struct step *step)
{
    unsigned set = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = read_axes(&set, step, step->in[0]->shape.rank);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const bool named = set != (1u << x->rank) - 1;
    struct onnx_shape out = { .rank = 0 };
    for (int d = 0; d < x->rank; d++) {
        if (named && set & 1u << d && x->dims[d] != 1)
            return bad(step, "it removes an axis that isn't 1");
        if (!(set & 1u << d) || x->dims[d] != 1)
            out.dims[out.rank++] = x->dims[d];
    }
    keep_ints(step);
    return set_shape(step, &out);
}

static enum conv_status infer_unsqueeze(struct step *step)
{
    const int64_t *axes = NULL;
    int count, axis;
    unsigned set = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = numbers(&axes, &count, step, "axes", 1);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (count < 0 || x->rank + count > CONV_MAX_RANK)
        return bad(step, "it has no axes, or too many");
    for (int i = 0; i < count; i++) {
        if (!find_axis(&axis, axes[i], x->rank + count) || set & 1u << axis)
            return bad(step, "one of its axes can't be");
        set |= 1u << axis;
    }
    struct onnx_shape out = { .rank = x->rank + count };
    for (int d = 0, from = 0; d < out.rank; d++)
        out.dims[d] = set & 1u << d ? 1 : x->dims[from++];
    keep_ints(step);
    return set_shape(step, &out);
}

/* ---- parts -------------------------------------------------------------------------------------------------- */

static enum conv_status infer_concat(struct step *step)
{
    int64_t axis = 1;
    int at, count = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (!find_axis(&at, axis, out.rank))
        return bad(step, "its axis isn't there");
    out.dims[at] = 0;
    for (size_t i = 0; i < step->at.node->n_input; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        if (!value || !value->known)
            return not_understood(step, "the size of its input isn't known");
        for (int d = 0; d < out.rank; d++)
            if (value->shape.rank != out.rank || (d != at && value->shape.dims[d] != out.dims[d]))
                return bad(step, "its inputs differ in more than the axis");
        out.dims[at] += value->shape.dims[at];
        if (out.dims[at] > INT64_C(1) << 40)
            return bad(step, "its output is too large");
        if (value->int_count < 0 || count < 0 || count + value->int_count > MOST_KNOWN_INTS)
            count = -1;
        for (int j = 0; j < value->int_count && count >= 0; j++)
            step->out->ints[count++] = value->ints[j];
    }
    step->out->int_count = count;
    return set_shape(step, &out);
}

static enum conv_status infer_split(struct step *step)
{
    const int64_t *sizes = NULL;
    int64_t axis = 0;
    int at, count;
    const int parts = step->at.node->n_output > 4096 ? 0 : (int)step->at.node->n_output;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = numbers(&sizes, &count, step, "split", 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (!find_axis(&at, axis, out.rank) || parts < 1 || (count >= 0 && count != parts))
        return bad(step, "its axis isn't there, or it has not as many outputs as parts");
    int64_t left = out.dims[at];
    const int64_t each = (left + parts - 1) / parts;
    for (int i = 0; i < parts; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, (size_t)i));
        out.dims[at] = count >= 0 ? sizes[i] : left < each ? left : each;
        if (out.dims[at] < 0 || out.dims[at] > left)
            return bad(step, "its parts are not as large as its input");
        left -= out.dims[at];
        if (value) {
            value->known = true;
            value->shape = out;
        }
    }
    return left == 0 ? CONV_OK : bad(step, "its parts are not as large as its input");
}

/* One end of a slice, as the documentation clamps it. */
static int64_t clamp_index(int64_t index, int64_t size, int64_t least, int64_t most)
{
    index = index < 0 ? index + size : index;
    return index < least ? least : index > most ? most : index;
}

static enum conv_status slice_axis(struct step *step, struct onnx_shape *out, int64_t begin, int64_t end,
                                   int64_t pace, int at)
{
    const int64_t size = out->dims[at];
    if (pace == 0 || pace < -(INT64_C(1) << 40) || pace > INT64_C(1) << 40)
        return bad(step, "it has a step of 0, or too large");
    begin = clamp_index(begin, size, 0, pace > 0 ? size : size - 1);
    end = clamp_index(end < -size - 1 ? -size - 1 : end, size, pace > 0 ? 0 : -1, size);
    const int64_t taken = pace > 0 ? conv_ceil_div(end - begin, pace) : conv_ceil_div(begin - end, -pace);
    out->dims[at] = taken > 0 ? taken : 0;
    const struct value *from = step->in[0];
    const bool followed = from->int_count >= 0 && out->rank == 1 && from->int_count == size;
    step->out->int_count = followed ? (int)out->dims[at] : -1;
    for (int i = 0; i < step->out->int_count; i++)
        step->out->ints[i] = from->ints[begin + i * pace];
    return CONV_OK;
}

static enum conv_status infer_slice(struct step *step)
{
    static const char *const names[] = { "starts", "ends", "axes", "steps" };
    const int64_t *lists[4] = { NULL };
    int counts[4], at;
    enum conv_status status = needs(step, 1);
    for (int i = 0; i < 4 && status == CONV_OK; i++)
        status = numbers(&lists[i], &counts[i], step, names[i], i + 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (counts[0] < 0 || counts[1] != counts[0] || (counts[2] >= 0 && counts[2] != counts[0])
        || (counts[3] >= 0 && counts[3] != counts[0]) || counts[0] > out.rank)
        return bad(step, "starts, ends, axes and steps are not lists of one length");
    for (int i = 0; i < counts[0] && status == CONV_OK; i++) {
        if (!find_axis(&at, counts[2] >= 0 ? lists[2][i] : i, out.rank))
            return bad(step, "one of its axes isn't there");
        status = slice_axis(step, &out, lists[0][i], lists[1][i], counts[3] >= 0 ? lists[3][i] : 1, at);
    }
    return status == CONV_OK ? set_shape(step, &out) : status;
}

static enum conv_status infer_gather(struct step *step)
{
    int64_t axis = 0;
    int at;
    enum conv_status status = needs(step, 2);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status != CONV_OK)
        return status;
    const struct value *data = step->in[0], *indices = step->in[1];
    if (!find_axis(&at, axis, data->shape.rank))
        return bad(step, "its axis isn't there");
    if (data->shape.rank - 1 + indices->shape.rank > CONV_MAX_RANK)
        return bad(step, "its output has more than 8 dims");
    struct onnx_shape out = { .rank = 0 };
    for (int d = 0; d < data->shape.rank; d++)
        for (int i = 0; d != at ? i < 1 : i < indices->shape.rank; i++)
            out.dims[out.rank++] = d == at ? indices->shape.dims[i] : data->shape.dims[d];
    if (data->int_count >= 0 && indices->int_count >= 0 && data->shape.rank == 1) {
        step->out->int_count = indices->int_count;
        for (int i = 0; i < indices->int_count; i++) {
            const int64_t index = indices->ints[i] < 0 ? indices->ints[i] + data->int_count : indices->ints[i];
            if (index < 0 || index >= data->int_count)
                return bad(step, "one of its indices isn't there");
            step->out->ints[i] = data->ints[index];
        }
    }
    if (data->constant && data->is_float)
        step->made->weights = shape_elements(&data->shape);   /* an embedding */
    return set_shape(step, &out);
}

/* ---- shapes as values --------------------------------------------------------------------------------------- */

static enum conv_status infer_shape(struct step *step)
{
    int64_t begin = 0, end = INT64_MAX;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&begin, &step->at, "start");
    if (status == CONV_OK)
        status = onnx_int(&end, &step->at, "end");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    begin = clamp_index(begin, x->rank, 0, x->rank);
    end = clamp_index(end, x->rank, 0, x->rank);
    step->out->int_count = end > begin ? (int)(end - begin) : 0;
    for (int i = 0; i < step->out->int_count; i++)
        step->out->ints[i] = x->dims[begin + i];
    const struct onnx_shape out = { 1, { step->out->int_count } };
    return set_shape(step, &out);
}

static enum conv_status infer_constant(struct step *step)
{
    const ConvOnnx__Attribute *found;
    struct onnx_shape shape = { .rank = 0 };
    enum conv_status status = onnx_attribute(&found, &step->at, "value", ONNX_ATTRIBUTE_TENSOR);
    step->out->constant = true;
    if (status == CONV_OK && found && found->t) {
        status = onnx_check_tensor(&shape, step->at.model, found->t);
        if (status == CONV_OK)
            value_set_tensor(step->out, found->t, &shape);
        return status == CONV_OK ? set_shape(step, &shape) : status;
    }
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "value_int", ONNX_ATTRIBUTE_INT);
    if (status == CONV_OK && found) {
        step->out->int_count = 1;
        step->out->ints[0] = found->i;
        return set_shape(step, &shape);
    }
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "value_ints", ONNX_ATTRIBUTE_INTS);
    if (status == CONV_OK && found && found->n_ints <= MOST_KNOWN_INTS) {
        shape = (struct onnx_shape){ 1, { (int64_t)found->n_ints } };
        step->out->int_count = (int)found->n_ints;
        memcpy(step->out->ints, found->ints, sizeof *found->ints * found->n_ints);
        return set_shape(step, &shape);
    }
    if (status == CONV_OK)
        status = onnx_attribute(&found, &step->at, "value_float", ONNX_ATTRIBUTE_FLOAT);
    return status != CONV_OK ? status : found ? set_shape(step, &shape)
                                              : not_understood(step, "it is a constant of another sort");
}

/* Weights without values: models that were emptied for publication have them. */
static enum conv_status infer_constant_of_shape(struct step *step)
{
    const enum conv_status status = needs(step, 1);
    if (status != CONV_OK)
        return status;
    const struct value *wanted = step->in[0];
    struct onnx_shape out = { .rank = wanted->int_count };
    if (wanted->int_count < 0)
        return not_understood(step, "its shape is computed from data");
    if (out.rank > CONV_MAX_RANK)
        return bad(step, "its shape has more than 8 dims");
    memcpy(out.dims, wanted->ints, sizeof *out.dims * (size_t)out.rank);
    step->out->is_float = true;
    return set_shape(step, &out);
}

/* ---- larger and smaller images ------------------------------------------------------------------------------ */

static enum conv_status infer_pad(struct step *step)
{
    const int64_t *pads = NULL;
    int count;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = numbers(&pads, &count, step, "pads", 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    if (count != 2 * out.rank || step->in[3])
        return count == 2 * out.rank ? not_understood(step, "it pads chosen axes")
                                     : bad(step, "pads has not two numbers for each axis");
    for (int d = 0; d < out.rank; d++) {
        const int64_t begin = pads[d], end = pads[out.rank + d], limit = INT64_C(1) << 40;
        if (begin < -limit || begin > limit || end < -limit || end > limit)
            return bad(step, "its pads are too large");
        out.dims[d] += begin + end;
    }
    return set_shape(step, &out);
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
    return set_shape(step, &out);
}

/* Resize has inputs X, roi, scales, sizes; Upsample, and Resize before opset 11, X and scales. */
static enum conv_status infer_resize(struct step *step)
{
    const enum conv_status status = needs(step, 1);
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
    return set_shape(step, &out);
}

static enum conv_status infer_blocks(struct step *step)
{
    int64_t block = 0;
    enum conv_status status = needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&block, &step->at, "blocksize");
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    const bool to_space = onnx_is(step->at.node, "DepthToSpace");
    if (out.rank != 4 || block < 1 || block > 65536
        || (to_space ? out.dims[1] % (block * block) : out.dims[2] % block || out.dims[3] % block))
        return bad(step, "its blocksize doesn't fit its input");
    for (int d = 2; d < 4; d++)
        out.dims[d] = to_space ? out.dims[d] * block : out.dims[d] / block;
    out.dims[1] = to_space ? out.dims[1] / (block * block) : out.dims[1] * block * block;
    return set_shape(step, &out);
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
