/* infer_layers.c - operators with weights or a window: convolutions, norms, pooling, and reductions.   See infer.c.
 * Read next: infer_products.c, ../../onnx/conv_node.c
 */
#include "verify/count/onnx/infer.h"

#include <string.h>

#include "verify/count/network_reader.h"

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
        : step_bad(step, "the filters up to here have more than 2^18 taps along their axes");
}

/* Where the weights and the bias of a convolution stand among its inputs, and its type if it isn't that of X. */
static const struct places { const char *op_type; int weights, bias; int32_t type; } conv_places[] = {
    { "Conv", 1, 2, 0 }, { "ConvTranspose", 1, 2, 0 }, { "DeformConv", 1, 3, 0 },
    { "ConvInteger", 1, -1, ONNX_INT32 }, { "QLinearConv", 3, 8, 0 },
};

static const struct places *inputs_of(const ConvOnnx__Node *node)
{
    const struct places *at = conv_places;
    while (!onnx_is(node, at->op_type))
        at++;
    return at;
}

/* Quantised weights are weights: as many, each multiplied as often. */
enum conv_status infer_conv(struct step *step)
{
    struct onnx_shape shape;
    const struct places *places = inputs_of(step->at.node);
    const struct value *w = step->in[places->weights];
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK && !w)
        status = step_bad(step, "it has too few inputs");
    if (status == CONV_OK && !w->known)
        status = not_understood(step, "the size of its weights isn't known");
    if (status == CONV_OK)
        status = onnx_conv_problem(&step->made->problem, &step->at, &step->in[0]->shape, &w->shape,
                                   places->bias >= 0 && step->in[places->bias] != NULL, CONV_F32);
    if (status == CONV_OK)
        status = check_taps(step);
    if (status != CONV_OK)
        return status;
    step->out->type = places->type ? places->type : step->in[0]->type;
    shape_of_output(&shape, &step->made->problem, step->made->problem.k);
    return step_set_shape(step, &shape);
}

/* CausalConvWithState: depthwise, along one axis, with as many zeros in front as the filter reaches back. */
enum conv_status infer_causal_conv(struct step *step)
{
    struct conv_error inner;
    struct conv_problem *problem = &step->made->problem;
    enum conv_status status = step_needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape, *w = &step->in[1]->shape;
    if (x->rank != 3 || w->rank != 3 || w->dims[0] != x->dims[1] || w->dims[1] != 1 || w->dims[2] < 1)
        return step_bad(step, "X is N x C x L and W is C x 1 x taps");
    *problem = conv_problem_default(1);
    problem->n = x->dims[0];
    problem->c = problem->k = problem->groups = x->dims[1];
    problem->bias = step->in[2] != NULL;
    problem->axis[CONV_W].in = x->dims[2];
    problem->axis[CONV_W].filter = w->dims[2];
    problem->axis[CONV_W].pad_begin = w->dims[2] - 1;
    if (conv_problem_finish(problem, &inner) != CONV_OK)
        return onnx_bad_node(&step->at, NULL, "%.200s", inner.message);
    const struct onnx_shape state = { 3, { x->dims[0], x->dims[1], w->dims[2] - 1 } };
    status = check_taps(step);
    if (status == CONV_OK)
        status = step_set_output(step, 1, &state, step->in[0]->type);
    return status == CONV_OK ? step_set_shape(step, x) : status;
}

/* What training asks for beside: a number for each channel, and for a layer norm one for each place that it is taken
 * over, whose axes are those from `axis` on. */
static enum conv_status set_statistics(struct step *step, const struct onnx_shape *x, const struct onnx_shape *scale)
{
    struct onnx_shape each = *scale;
    int64_t axis = -1;
    int at;
    enum conv_status status = CONV_OK;
    if (onnx_is(step->at.node, "LayerNormalization")) {
        status = onnx_int(&axis, &step->at, "axis");
        if (status != CONV_OK || !step_find_axis(&at, axis, x->rank))
            return status != CONV_OK ? status : step_bad(step, "its axis isn't there");
        each = *x;
        for (int d = at; d < each.rank; d++)
            each.dims[d] = 1;
    }
    for (size_t i = 1; i < 3 && status == CONV_OK; i++)
        status = step_set_output(step, i, &each, step->in[0]->type);
    return status;
}

/* A normalisation has the shape of its input; BatchNormalization has a number for each channel. */
enum conv_status infer_norm(struct step *step)
{
    enum conv_status status = step_needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape, *scale = &step->in[1]->shape;
    if (step->made->kind == CONV_NODE_BN && (x->rank < 2 || shape_elements(scale) != x->dims[1]))
        return step_bad(step, "it has not as many scales as its input has channels");
    status = set_statistics(step, x, scale);
    return status == CONV_OK ? step_set_shape(step, x) : status;
}

/* ---- pooling ------------------------------------------------------------------------------------------------ */

/* As a convolution with one filter; its attributes have the same names. */
enum conv_status infer_pool(struct step *step)
{
    const ConvOnnx__Attribute *kernel;
    struct onnx_shape w, out;
    struct conv_problem *problem = &step->made->problem;
    int64_t up = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_attribute(&kernel, &step->at, "kernel_shape", ONNX_ATTRIBUTE_INTS);
    if (status == CONV_OK)
        status = onnx_int(&up, &step->at, "ceil_mode");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    if (!kernel || x->rank < 3 || kernel->n_ints != (size_t)x->rank - 2)
        return step_bad(step, "kernel_shape is missing, or has not one number for each axis");
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
    return step_set_shape(step, &out);
}

enum conv_status infer_gpool(struct step *step)
{
    const enum conv_status status = step_needs(step, 1);
    if (status != CONV_OK)
        return status;
    struct onnx_shape out = step->in[0]->shape;
    step->made->window = 1;
    for (int d = 2; d < out.rank; d++) {
        step->made->window *= out.dims[d];
        out.dims[d] = 1;
    }
    return step_set_shape(step, &out);
}

/* The input without the axes of a set, or with 1 in their place. */
static struct onnx_shape reduced(const struct onnx_shape *x, unsigned set, bool keep)
{
    struct onnx_shape out = { .rank = 0 };
    for (int d = 0; d < x->rank; d++)
        if (!(set & 1u << d) || keep)
            out.dims[out.rank++] = set & 1u << d ? 1 : x->dims[d];
    return out;
}

enum conv_status infer_reduce(struct step *step)
{
    unsigned set = 0;
    int64_t keep = 1, nothing = 0;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_read_axes(&set, step, step->in[0]->shape.rank);
    if (status == CONV_OK)
        status = onnx_int(&keep, &step->at, "keepdims");
    if (status == CONV_OK)
        status = onnx_int(&nothing, &step->at, "noop_with_empty_axes");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const unsigned all = (1u << x->rank) - 1;
    set = set == 0 && !nothing ? all : set;   /* an empty list is all axes, too */
    const struct onnx_shape out = reduced(x, set, keep != 0);
    const bool global = x->rank > 2 && set == all - 3 && step->fn;
    step->made->kind = global ? CONV_NODE_GPOOL : CONV_NODE_OTHER;
    if (global)
        strcpy(step->made->via, "mean");
    status = step_set_shape(step, &out);
    if (status == CONV_OK)
        numbers_reduce(step, set);
    return status;
}

/* ArgMax, ArgMin: along one axis. */
enum conv_status infer_arg(struct step *step)
{
    int64_t axis = 0, keep = 1;
    int at;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = onnx_int(&axis, &step->at, "axis");
    if (status == CONV_OK)
        status = onnx_int(&keep, &step->at, "keepdims");
    if (status != CONV_OK)
        return status;
    if (!step_find_axis(&at, axis, step->in[0]->shape.rank))
        return step_bad(step, "its axis isn't there");
    const struct onnx_shape out = reduced(&step->in[0]->shape, 1u << at, keep != 0);
    step->out->type = ONNX_INT64;
    return step_set_shape(step, &out);
}
