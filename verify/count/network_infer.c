/* network_infer.c - what each kind of node does to a shape.
 *
 * Each kind has a row in the table at the end: its keys, and the function that infers its output.  The sizes of a
 * layer go through conv_problem_parse(), so that a network and a problem have one grammar and one set of messages.
 * Declared in network_reader.h.   Read next: network_read.c
 */
#include "verify/count/network_reader.h"

#include <convref/tensor.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t conv_shape_elements(const struct conv_shape *shape)
{
    return shape->c * shape->size[0] * shape->size[1] * shape->size[2];
}

const struct conv_shape *reader_input(const struct reader *reader, int i)
{
    return &reader->network->nodes[reader->inputs[i]].out;
}

static bool same_size(const struct conv_shape *a, const struct conv_shape *b)
{
    return a->rank == b->rank && a->size[0] == b->size[0] && a->size[1] == b->size[1]
        && a->size[2] == b->size[2];
}

static void print_size(char text[96], const struct conv_shape *shape)
{
    conv_shape_print(text, shape->rank, shape->size + CONV_AXES - shape->rank);
}

enum conv_status reader_layer(struct reader *reader, struct conv_problem *problem, const char *text)
{
    struct conv_error inner;
    if (conv_problem_parse(problem, text, &inner) == CONV_OK)
        return CONV_OK;
    char what[1600];
    snprintf(what, sizeof what, "%s (read as the problem %s)", inner.message, text);
    return reader_fail(reader, inner.key[0] ? reader_column(reader, inner.key) : reader->words.word_column, what,
                   inner.hint);
}

void reader_output(struct conv_shape *out, const struct conv_problem *problem)
{
    *out = (struct conv_shape){ .rank = problem->rank, .c = problem->k };
    for (int a = 0; a < CONV_AXES; a++)
        out->size[a] = problem->axis[a].out;
}

/* "c=64 in=56x56" and then those of `keys` that the line has */
static void layer_text(char *text, size_t room, const struct reader *reader, const char *const *keys)
{
    char size[96];
    print_size(size, reader_input(reader, 0));
    size_t used = (size_t)snprintf(text, room, "c=%" PRId64 " in=%s", reader_input(reader, 0)->c, size);
    for (; *keys && used < room; keys++)
        if (reader_pair(reader, *keys))
            used += (size_t)snprintf(text + used, room - used, " %s=%s", *keys,
                                     reader_pair(reader, *keys)->value);
}

static enum conv_status infer_conv(struct reader *reader, struct conv_node *node)
{
    static const char *const keys[] = {
        "k", "filter", "stride", "pad", "dilation", "groups", "bias", "mult", "output_pad", NULL };
    char text[1024];
    layer_text(text, sizeof text - 20, reader, keys);
    if (node->kind == CONV_NODE_SEPARABLE)
        strcat(text, " op=separable");
    if (node->kind == CONV_NODE_TRANSPOSED)
        strcat(text, " op=transposed");
    enum conv_status status = reader_layer(reader, &node->problem, text);
    if (status == CONV_OK)
        reader_output(&node->out, &node->problem);
    return status;
}

static enum conv_status infer_dw(struct reader *reader, struct conv_node *node)
{
    static const char *const keys[] = { "filter", "stride", "pad", "dilation", "bias", NULL };
    const int64_t c = reader_input(reader, 0)->c;
    int64_t mult = 1;
    char text[1024];
    if (reader_pair(reader, "mult") && reader_number(reader, "mult", &mult) != CONV_OK)
        return CONV_BAD_FILE;
    if (mult > (INT64_C(1) << 40) / c)
        return reader_fail(reader, reader_column(reader, "mult"), "more than 2^40 channels", "give a smaller mult");
    layer_text(text, sizeof text - 64, reader, keys);
    snprintf(text + strlen(text), 64, " groups=%" PRId64 " k=%" PRId64, c, c * mult);
    enum conv_status status = reader_layer(reader, &node->problem, text);
    if (status == CONV_OK)
        reader_output(&node->out, &node->problem);
    return status;
}

/* linear: at every position; fc: flattened first */
static enum conv_status infer_linear(struct reader *reader, struct conv_node *node)
{
    struct conv_shape in = *reader_input(reader, 0);
    char text[1024], size[96];
    int64_t k;
    bool bias;
    if (reader_number(reader, "k", &k) != CONV_OK || reader_flag(reader, "bias", &bias, true) != CONV_OK)
        return CONV_BAD_FILE;
    if (node->kind == CONV_NODE_FC)
        in = (struct conv_shape){ .rank = 1, .c = conv_shape_elements(&in), .size = { 1, 1, 1 } };
    print_size(size, &in);
    snprintf(text, sizeof text, "c=%" PRId64 " in=%s k=%" PRId64 " filter=1 bias=%d", in.c, size, k, bias);
    enum conv_status status = reader_layer(reader, &node->problem, text);
    if (status == CONV_OK)
        reader_output(&node->out, &node->problem);
    return status;
}

static enum conv_status infer_same(struct reader *reader, struct conv_node *node)
{
    node->out = *reader_input(reader, 0);
    return CONV_OK;
}

static enum conv_status infer_scale(struct reader *reader, struct conv_node *node)
{
    node->out = *reader_input(reader, 0);
    return reader_flag(reader, "bias", &node->bias, false);
}

static enum conv_status infer_act(struct reader *reader, struct conv_node *node)
{
    static const char *const functions[] = { "relu", "relu6", "leaky_relu", "elu", "swish", "silu", "hswish",
                                             "sigmoid", "hsigmoid", "tanh", "gelu", "mish", "softmax" };
    const char *fn = reader_value(reader, "fn", "");
    node->out = *reader_input(reader, 0);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(fn, functions[i])) {
            strcpy(node->fn, fn);
            return CONV_OK;
        }
    return reader_fail(reader, reader_column(reader, "fn"), "an unknown activation",
                   "fn is relu relu6 leaky_relu elu swish silu hswish sigmoid hsigmoid tanh gelu mish or softmax");
}

int64_t conv_ceil_out(const struct conv_axis *axis)
{
    const int64_t span = axis->in + axis->pad_begin + axis->pad_end - conv_extent(axis);
    const int64_t out = conv_ceil_div(span, axis->stride) + 1;
    return (out - 1) * axis->stride >= axis->in + axis->pad_begin ? out - 1 : out;
}

static enum conv_status infer_pool(struct reader *reader, struct conv_node *node)
{
    static const char *const keys[] = { "filter", "stride", "pad", NULL };
    const char *kind = reader_value(reader, "kind", "");
    char text[1024];
    bool up;
    if (strcmp(kind, "max") && strcmp(kind, "avg"))
        return reader_fail(reader, reader_column(reader, "kind"), "an unknown kind of pooling", "kind is max or avg");
    layer_text(text, sizeof text - 8, reader, keys);
    strcat(text, " k=1");
    if (reader_flag(reader, "ceil", &up, false) != CONV_OK
        || reader_layer(reader, &node->problem, text) != CONV_OK)
        return CONV_BAD_FILE;
    strcpy(node->fn, kind);
    reader_output(&node->out, &node->problem);
    node->out.c = node->problem.c;
    node->window = 1;
    for (int a = 0; a < CONV_AXES; a++) {
        node->window *= node->problem.axis[a].filter;
        if (up)
            node->out.size[a] = conv_ceil_out(&node->problem.axis[a]);
    }
    return CONV_OK;
}

static enum conv_status infer_gpool(struct reader *reader, struct conv_node *node)
{
    node->out = *reader_input(reader, 0);
    node->window = node->out.size[0] * node->out.size[1] * node->out.size[2];
    for (int a = 0; a < CONV_AXES; a++)
        node->out.size[a] = 1;
    return CONV_OK;
}

static enum conv_status infer_pair(struct reader *reader, struct conv_node *node)
{
    const struct conv_shape *a = reader_input(reader, 0), *b = reader_input(reader, 1);
    const bool broadcast = node->kind == CONV_NODE_MUL && conv_shape_elements(b) == b->c;
    char sizes[2][96], what[256];
    if (reader->input_count != 2)
        return reader_fail(reader, reader_column(reader, "from"), "two inputs are needed", "write from=A,B");
    if (a->c != b->c || (!broadcast && !same_size(a, b))) {
        print_size(sizes[0], a);
        print_size(sizes[1], b);
        snprintf(what, sizeof what, "the inputs differ: %" PRId64 " channels of %s and %" PRId64 " of %s", a->c,
                 sizes[0], b->c, sizes[1]);
        return reader_fail(reader, reader_column(reader, "from"), what, "both must have the same shape");
    }
    node->out = *a;
    return CONV_OK;
}

static enum conv_status infer_concat(struct reader *reader, struct conv_node *node)
{
    node->out = *reader_input(reader, 0);
    for (int i = 1; i < reader->input_count; i++) {
        if (!same_size(&node->out, reader_input(reader, i)))
            return reader_fail(reader, reader_column(reader, "from"), "the inputs differ in size",
                           "inputs of concat must have the same spatial size");
        node->out.c += reader_input(reader, i)->c;
    }
    return CONV_OK;
}

static enum conv_status infer_shuffle(struct reader *reader, struct conv_node *node)
{
    int64_t groups;
    node->out = *reader_input(reader, 0);
    if (reader_number(reader, "groups", &groups) != CONV_OK)
        return CONV_BAD_FILE;
    if (node->out.c % groups)
        return reader_fail(reader, reader_column(reader, "groups"), "groups does not divide the channels",
                       "give a divisor");
    return CONV_OK;
}

/* The kinds of nodes; those without a function are in no network file.  Keys are separated by spaces, and from, aux
 * and fixed go with all of them. */
const struct node_rule node_rules[CONV_NODE_KINDS] = {
    [CONV_NODE_INPUT] = { "input", " c in ", NULL },
    [CONV_NODE_CONV] = { "conv", " k filter stride pad dilation groups bias share ", infer_conv },
    [CONV_NODE_DW] = { "dw", " filter stride pad dilation bias mult share ", infer_dw },
    [CONV_NODE_SEPARABLE] = { "separable", " k filter stride pad dilation bias mult share ", infer_conv },
    [CONV_NODE_LINEAR] = { "linear", " k bias share ", infer_linear },
    [CONV_NODE_FC] = { "fc", " k bias share ", infer_linear },
    [CONV_NODE_BN] = { "bn", " share ", infer_same },
    [CONV_NODE_LN] = { "ln", " via share ", infer_same },
    [CONV_NODE_SCALE] = { "scale", " bias ", infer_scale },
    [CONV_NODE_ACT] = { "act", " fn via ", infer_act },
    [CONV_NODE_POOL] = { "pool", " kind filter stride pad ceil via ", infer_pool },
    [CONV_NODE_GPOOL] = { "gpool", " via ", infer_gpool },
    [CONV_NODE_ADD] = { "add", " ", infer_pair },
    [CONV_NODE_MUL] = { "mul", " ", infer_pair },
    [CONV_NODE_CONCAT] = { "concat", " ", infer_concat },
    [CONV_NODE_SLICE] = { "slice", " channels positions ", network_infer_slice },
    [CONV_NODE_SHUFFLE] = { "shuffle", " groups ", infer_shuffle },
    [CONV_NODE_PRODUCT] = { "product", " ", NULL },
    [CONV_NODE_RECURRENT] = { "recurrent", " ", NULL },
    [CONV_NODE_OTHER] = { "other", " ", NULL },
    [CONV_NODE_UNKNOWN] = { "unknown", " ", NULL },
    [CONV_NODE_TRANSPOSED] = { "transposed", " k filter stride pad dilation groups bias output_pad share ",
                               infer_conv },
    [CONV_NODE_UPSAMPLE] = { "upsample", " scale size ", network_infer_upsample },
    [CONV_NODE_PAD] = { "pad", " size ", network_infer_pad },
    [CONV_NODE_CROP] = { "crop", " size ", network_infer_pad },
    [CONV_NODE_RESHAPE] = { "reshape", " in ", network_infer_reshape },
    [CONV_NODE_MERGE] = { "merge", " block ", network_infer_merge },
    [CONV_NODE_LEARNED] = { "learned", " count ", network_infer_learned },
    [CONV_NODE_ATTENTION] = { "attention", " heads window ", network_infer_attention },
    [CONV_NODE_LSTM] = { "lstm", " k bias bidirectional share ", network_infer_recurrent },
    [CONV_NODE_GRU] = { "gru", " k bias bidirectional share ", network_infer_recurrent },
};

const char *conv_node_kind_name(enum conv_node_kind kind) { return node_rules[kind].name; }
