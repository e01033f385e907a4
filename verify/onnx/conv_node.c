/* conv_node.c - the problem of a Conv or ConvTranspose node.
 *
 * Sizes come from the shapes of X and W, the rest from attributes, whose defaults the operators define.  auto_pad and
 * output_shape are resolved into numbers here, by the formulas in the documentation of the two operators:
 *
 *   Conv            SAME: out = ceil(in / stride); pads = max((out - 1) * stride + extent - in, 0), in two halves
 *   ConvTranspose   pads = (in - 1) * stride + output_padding + extent - output_shape, in two halves;
 *                   SAME: output_shape = in * stride, where the taps reach so far
 *
 * An odd pad goes to the end for SAME_UPPER and to the beginning otherwise.  Where the pads of a ConvTranspose come
 * out negative its output_shape is longer than what the taps reach, which is what output_pad says.  SAME only cuts: a
 * filter that is shorter than the stride leaves the output shorter than in * stride, in ONNX's own shape inference and
 * in ONNX Runtime, and so does pad=same in a problem (docs/problem.md).
 * Not here: whether the sizes fit together, which conv_problem_finish() checks.
 */
#include <inttypes.h>
#include <string.h>

#include "verify/onnx/model.h"

enum { SIZES = 2 * CONV_AXES };

/* The attributes of both operators; one number for each axis, pads first all begins, then all ends. */
struct attributes {
    char auto_pad[16];
    int64_t group;
    int64_t strides[CONV_AXES], dilations[CONV_AXES], kernel[CONV_AXES], pads[SIZES];
    int64_t output_padding[CONV_AXES], output_shape[SIZES];
    bool has_kernel, has_pads, has_output_shape;
};

bool onnx_is_conv(const ConvOnnx__Node *node)
{
    return onnx_is(node, "Conv") || onnx_is(node, "ConvTranspose");
}

/* ---- attributes --------------------------------------------------------------------------------------------- */

static enum conv_status read_auto_pad(struct attributes *read, const struct onnx_at *at)
{
    static const char *const words[] = { "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER" };
    const ConvOnnx__Attribute *found;
    const enum conv_status status = onnx_attribute(&found, at, "auto_pad", ONNX_ATTRIBUTE_STRING);
    strcpy(read->auto_pad, words[0]);
    if (status != CONV_OK || !found)
        return status;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (found->s.len == strlen(words[i]) && !memcmp(found->s.data, words[i], found->s.len)) {
            strcpy(read->auto_pad, words[i]);
            return CONV_OK;
        }
    return onnx_bad_node(at, "auto_pad is NOTSET, VALID, SAME_UPPER or SAME_LOWER", "an unknown auto_pad");
}

/* Older files give output_shape with N and C in front; the documentation asks for the spatial sizes alone. */
static enum conv_status read_output_shape(struct attributes *read, const struct onnx_at *at, int rank)
{
    const ConvOnnx__Attribute *found;
    const enum conv_status status = onnx_attribute(&found, at, "output_shape", ONNX_ATTRIBUTE_INTS);
    read->has_output_shape = status == CONV_OK && found;
    if (!read->has_output_shape)
        return status;
    if (found->n_ints != (size_t)rank && found->n_ints != (size_t)rank + 2)
        return onnx_bad_node(at, NULL, "output_shape has %zu numbers, not %d", found->n_ints, rank);
    memcpy(read->output_shape, found->ints + (found->n_ints - (size_t)rank), sizeof *found->ints * (size_t)rank);
    return CONV_OK;
}

static enum conv_status read_attributes(struct attributes *read, const struct onnx_at *at, int rank, bool transposed)
{
    const struct { const char *name; int64_t *values; int count; bool *found; bool transposed; } lists[] = {
        { "strides", read->strides, rank, NULL, false }, { "dilations", read->dilations, rank, NULL, false },
        { "kernel_shape", read->kernel, rank, &read->has_kernel, false },
        { "pads", read->pads, 2 * rank, &read->has_pads, false },
        { "output_padding", read->output_padding, rank, NULL, true },
    };
    *read = (struct attributes){ .group = 1, .strides = { 1, 1, 1 }, .dilations = { 1, 1, 1 } };
    enum conv_status status = read_auto_pad(read, at);
    if (status == CONV_OK)
        status = onnx_int(&read->group, at, "group");
    for (size_t i = 0; i < sizeof lists / sizeof *lists && status == CONV_OK; i++) {
        bool found = false;
        if (!lists[i].transposed || transposed)
            status = onnx_ints(lists[i].values, lists[i].count, &found, at, lists[i].name);
        if (lists[i].found)
            *lists[i].found = found;
    }
    return status == CONV_OK && transposed ? read_output_shape(read, at, rank) : status;
}

/* ---- padding ------------------------------------------------------------------------------------------------ */

/* Numbers of a file before arithmetic with them: what a problem can hold is checked later, and better. */
static bool is_sane(int64_t number, int64_t least) { return number >= least && number <= INT64_C(1) << 40; }

static void halve(struct conv_axis *axis, int64_t total, bool upper)
{
    axis->pad_begin = upper ? total / 2 : total - total / 2;
    axis->pad_end = total - axis->pad_begin;
}

static void pad_same(struct conv_axis *axis, bool upper)
{
    const int64_t out = conv_ceil_div(axis->in, axis->stride);
    const int64_t total = (out - 1) * axis->stride + conv_extent(axis) - axis->in;
    halve(axis, total > 0 ? total : 0, upper);
}

/* What the taps reach beyond `output` is cut off. */
static int64_t cut_to(struct conv_axis *axis, int64_t output, bool upper)
{
    const int64_t total = (axis->in - 1) * axis->stride + axis->output_pad + conv_extent(axis) - output;
    halve(axis, total > 0 ? total : 0, upper);
    return total;
}

static void pad_to_output(struct conv_axis *axis, int64_t output, bool upper)
{
    const int64_t total = cut_to(axis, output, upper);
    axis->output_pad -= total < 0 ? total : 0;
}

static void pad_axis(struct conv_axis *axis, const struct attributes *read, int i, int rank, bool transposed)
{
    const bool same = !strncmp(read->auto_pad, "SAME", 4), upper = !strcmp(read->auto_pad, "SAME_UPPER");
    axis->pad_begin = axis->pad_end = 0;
    if (read->has_output_shape)
        pad_to_output(axis, read->output_shape[i], upper);
    else if (same && transposed)
        cut_to(axis, axis->in * axis->stride, upper);
    else if (same)
        pad_same(axis, upper);
    else if (read->has_pads && strcmp(read->auto_pad, "VALID")) {
        axis->pad_begin = read->pads[i];
        axis->pad_end = read->pads[rank + i];
    }
}

/* ---- the problem -------------------------------------------------------------------------------------------- */

static enum conv_status check_numbers(const struct attributes *read, const struct onnx_at *at,
                                      const struct onnx_shape *x, const struct onnx_shape *w)
{
    bool sane = is_sane(read->group, 1);
    for (int i = 0; i < x->rank - 2; i++) {
        sane = sane && is_sane(x->dims[i + 2], 0) && is_sane(w->dims[i + 2], 1) && is_sane(read->strides[i], 1)
            && is_sane(read->dilations[i], 1) && is_sane(read->output_padding[i], 0);
        if (sane && read->has_output_shape && !is_sane(read->output_shape[i], 1))
            sane = false;
        if (read->has_kernel && read->kernel[i] != w->dims[i + 2])
            return onnx_bad_node(at, NULL, "kernel_shape says %" PRId64 " where W has %" PRId64, read->kernel[i],
                                 w->dims[i + 2]);
        /* the two together are at most 2^60, below any overflow; larger windows don't fit into any input */
        sane = sane && (read->dilations[i] <= INT64_C(1) << 20 || w->dims[i + 2] <= INT64_C(1) << 20)
            && (x->dims[i + 2] <= INT64_C(1) << 20 || read->strides[i] <= INT64_C(1) << 20);
    }
    return sane ? CONV_OK : onnx_bad_node(at, "sizes, group, strides and dilations go from 1 to 2^40",
                                          "a size or an attribute is zero, negative or too large");
}

static enum conv_status check_shapes(const struct onnx_at *at, const struct onnx_shape *x, const struct onnx_shape *w)
{
    if (x->rank < 3 || x->rank != w->rank)
        return onnx_bad_node(at, "X is N x C x spatial sizes, W as many", "X has %d dims and W has %d", x->rank,
                             w->rank);
    if (x->rank > 2 + CONV_AXES) {
        conv_fail(at->model->error, CONV_NOT_APPLICABLE, "it has %d spatial axes, and a problem has at most 3",
                  x->rank - 2);
        return CONV_NOT_APPLICABLE;
    }
    return CONV_OK;
}

static enum conv_status fill_in(struct conv_problem *problem, const struct attributes *read, const struct onnx_at *at,
                                const struct onnx_shape *x, const struct onnx_shape *w)
{
    const bool transposed = problem->op == CONV_OP_TRANSPOSED;
    const int64_t inner = w->dims[1];   /* C/G, transposed K/G */
    problem->n = x->dims[0];
    problem->c = x->dims[1];
    problem->groups = read->group;
    if (!is_sane(inner, 1) || !is_sane(problem->c, 1) || read->group > INT64_C(1) << 20)
        return onnx_bad_node(at, NULL, "X or W has no channels, or too many");
    problem->k = transposed ? inner * read->group : w->dims[0];
    if (transposed ? w->dims[0] != problem->c : inner * read->group != problem->c)
        return onnx_bad_node(at, "W is K x C/group x ..., in ConvTranspose C x K/group x ...",
                             "X has %" PRId64 " channels, W is made for %" PRId64, problem->c,
                             transposed ? w->dims[0] : inner * read->group);
    for (int i = 0; i < problem->rank; i++) {
        struct conv_axis *axis = &problem->axis[CONV_AXES - problem->rank + i];
        axis->in = x->dims[i + 2];
        axis->filter = w->dims[i + 2];
        axis->stride = read->strides[i];
        axis->dilation = read->dilations[i];
        axis->output_pad = read->output_padding[i];
        pad_axis(axis, read, i, problem->rank, transposed);
    }
    return CONV_OK;
}

enum conv_status onnx_conv_problem(struct conv_problem *problem, const struct onnx_at *at,
                                   const struct onnx_shape *x, const struct onnx_shape *w, bool bias,
                                   enum conv_type type)
{
    struct attributes read;
    struct conv_error inner;
    const bool transposed = onnx_is(at->node, "ConvTranspose");
    enum conv_status status = check_shapes(at, x, w);
    if (status == CONV_OK)
        status = read_attributes(&read, at, x->rank - 2, transposed);
    if (status == CONV_OK)
        status = check_numbers(&read, at, x, w);
    if (status != CONV_OK)
        return status;
    *problem = conv_problem_default(x->rank - 2);
    problem->op = transposed ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
    problem->bias = bias;
    problem->type = type;
    status = fill_in(problem, &read, at, x, w);
    if (status != CONV_OK)
        return status;
    for (int i = 0; i < problem->rank; i++) {
        const struct conv_axis *axis = &problem->axis[CONV_AXES - problem->rank + i];
        if (axis->pad_begin < 0 || axis->pad_end < 0)
            return conv_fail(at->model->error, CONV_NOT_APPLICABLE, "its pads are negative, and a problem's are not");
        if (axis->output_pad > read.output_padding[i] && axis->output_pad >= axis->stride
            && axis->output_pad >= axis->dilation)
            return conv_fail(at->model->error, CONV_NOT_APPLICABLE,
                             "its output is longer than what the taps reach by a stride or more");
    }
    if (conv_problem_finish(problem, &inner) == CONV_OK)
        return CONV_OK;
    return onnx_bad_node(at, inner.hint[0] ? inner.hint : NULL, "%.200s", inner.message);
}
