/* infer_layers.c - operators with weights or a window: convolutions, matrix products, norms, pooling.   See infer.c. */
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

enum conv_status infer_conv(struct step *step)
{
    struct onnx_shape shape;
    enum conv_status status = step_needs(step, 2);
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
    return step_set_shape(step, &shape);
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

enum conv_status infer_gemm(struct step *step)
{
    int64_t trans[2] = { 0, 0 };
    enum conv_status status = step_needs(step, 2);
    if (status == CONV_OK)
        status = onnx_int(&trans[0], &step->at, "transA");
    if (status == CONV_OK)
        status = onnx_int(&trans[1], &step->at, "transB");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *a = &step->in[0]->shape, *b = &step->in[1]->shape;
    if (a->rank != 2 || b->rank != 2)
        return step_bad(step, "A and B have two dims each");
    if (!step->in[1]->constant)
        return not_understood(step, "it multiplies two matrices that are computed");
    const int64_t rows = a->dims[trans[0] != 0], c = a->dims[trans[0] == 0];
    const int64_t k = b->dims[trans[1] == 0];
    if (b->dims[trans[1] != 0] != c)
        return step_bad(step, "the dims of A and B don't fit together");
    status = make_linear(step, rows, c, k, step->in[2] != NULL);
    const struct onnx_shape out = { 2, { rows, k } };
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

enum conv_status infer_matmul(struct step *step)
{
    enum conv_status status = step_needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *a = &step->in[0]->shape, *b = &step->in[1]->shape;
    if (!step->in[1]->constant || b->rank != 2)
        return not_understood(step, "it multiplies two matrices that are computed");
    if (a->rank < 1 || a->dims[a->rank - 1] != b->dims[0])
        return step_bad(step, "the dims of A and B don't fit together");
    struct onnx_shape out = *a;
    int64_t rows = 1;
    for (int d = 0; d < a->rank - 1; d++)
        rows *= a->dims[d];
    out.dims[a->rank - 1] = b->dims[1];
    if (a->rank > 2)
        step->made->kind = CONV_NODE_LINEAR;
    status = make_linear(step, rows, b->dims[0], b->dims[1], false);
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

enum conv_status infer_norm(struct step *step)
{
    const enum conv_status status = step_needs(step, 2);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape;
    const int64_t scales = shape_elements(&step->in[1]->shape);
    if (step->made->kind == CONV_NODE_BN && (x->rank < 2 || scales != x->dims[1]))
        return step_bad(step, "it has not as many scales as its input has channels");
    if (x->rank < 2 || scales != x->dims[1]) {   /* a layer norm over other axes */
        step->made->kind = CONV_NODE_OTHER;
        step->made->weights = scales + (step->in[2] && step->in[2]->known ? shape_elements(&step->in[2]->shape) : 0);
    }
    return step_set_shape(step, x);
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

enum conv_status infer_reduce(struct step *step)
{
    unsigned set = 0;
    int64_t keep = 1;
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK)
        status = step_read_axes(&set, step, step->in[0]->shape.rank);
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
    return step_set_shape(step, &out);
}
