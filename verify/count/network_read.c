/* network_read.c - reads a network file: lines into nodes, shapes from one node to the next.
 *
 * A line is cut into an optional label, a word and key=value pairs.  Each kind of node has a row in a table:
 * its keys, how many inputs it takes, and the function that infers its output.  The sizes of a layer go through
 * conv_problem_parse(), so that a network and a problem have one grammar and one set of messages.
 * Declared in convref/network.h; totals are in network_totals.c.
 */
#include <convref/network.h>
#include <convref/tensor.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../io/output.h"
#include "core/words.h"
#include "network_totals.h"

enum { MOST_PAIRS = 16, MOST_INPUTS = 64, LARGEST_FILE = 1 << 20 };

struct pair { char key[16], value[256]; int column; };

/* One line, cut up. */
struct line {
    char label[64], word[16];
    struct pair pairs[MOST_PAIRS];
    int pair_count, word_column;
};

struct reader {
    struct conv_network *network;
    const char *name;
    int line;
    struct line words;
    int inputs[MOST_INPUTS], input_count;   /* nodes that the current one reads */
    double work;                            /* everything that will be counted so far, from above */
    struct conv_error *error;
};

/* ---- errors: file:line:column -------------------------------------------------------------------------- */

static enum conv_status fail_at(struct reader *reader, int column, const char *what, const char *hint)
{
    conv_fail(reader->error, CONV_BAD_FILE, "%s:%d:%d: %s", reader->name, reader->line, column + 1, what);
    conv_hint(reader->error, "%s", hint);
    if (reader->error) {
        reader->error->position = column;
        reader->error->length = 1;
    }
    return CONV_BAD_FILE;
}

/* ---- cutting a line ---------------------------------------------------------------------------------------- */

static bool is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-'; }

static bool copy(char *to, size_t room, const char *from, size_t length)
{
    if (length >= room)
        return false;
    memcpy(to, from, length);
    to[length] = 0;
    return true;
}

static enum conv_status cut_pair(struct reader *reader, const char *token, int length, int column)
{
    struct line *line = &reader->words;
    const char *equals = memchr(token, '=', (size_t)length);
    if (!equals)
        return fail_at(reader, column, "a word without '='", "a node is [LABEL:] OP key=value ...");
    if (line->pair_count == MOST_PAIRS)
        return fail_at(reader, column, "too many keys", "no node has as many as 16");
    struct pair *pair = &line->pairs[line->pair_count++];
    pair->column = column;
    if (!copy(pair->key, sizeof pair->key, token, (size_t)(equals - token))
        || !copy(pair->value, sizeof pair->value, equals + 1, (size_t)(token + length - equals - 1))
        || !pair->value[0])
        return fail_at(reader, column, "a key or value that is empty or too long", "write key=value");
    for (int i = 0; i < line->pair_count - 1; i++)
        if (!strcmp(line->pairs[i].key, pair->key))
            return fail_at(reader, column, "a key given twice", "remove one of them");
    return CONV_OK;
}

/* [LABEL:] WORD key=value ...  An empty line leaves an empty word. */
static enum conv_status cut_line(struct reader *reader, const char *text, int length)
{
    struct line *line = &reader->words;
    memset(line, 0, sizeof *line);
    for (int at = 0; at < length;) {
        if (isspace((unsigned char)text[at])) {
            at++;
            continue;
        }
        int end = at;
        while (end < length && !isspace((unsigned char)text[end]))
            end++;
        const char *token = text + at;
        const int size = end - at;
        enum conv_status status = CONV_OK;
        if (line->word[0])
            status = cut_pair(reader, token, size, at);
        else if (token[size - 1] == ':' && !line->label[0]) {
            bool good = size > 1 && copy(line->label, sizeof line->label, token, (size_t)size - 1);
            for (int i = 0; i < size - 1; i++)
                good = good && is_name(token[i]);
            if (!good)
                status = fail_at(reader, at, "a label that is empty, too long or has odd characters",
                                 "labels are up to 63 letters, digits, '_', '.' and '-'");
        } else {
            line->word_column = at;
            if (!copy(line->word, sizeof line->word, token, (size_t)size))
                status = fail_at(reader, at, "an unknown node", "docs/networks.md lists the nodes");
        }
        if (status != CONV_OK)
            return status;
        at = end;
    }
    if (line->label[0] && !line->word[0])
        return fail_at(reader, 0, "a label without a node", "write LABEL: OP key=value ...");
    return CONV_OK;
}

static const struct pair *find_pair(const struct reader *reader, const char *key)
{
    for (int i = 0; i < reader->words.pair_count; i++)
        if (!strcmp(reader->words.pairs[i].key, key))
            return &reader->words.pairs[i];
    return NULL;
}

static const char *value_of(const struct reader *reader, const char *key, const char *normal)
{
    const struct pair *pair = find_pair(reader, key);
    return pair ? pair->value : normal;
}

static int column_of(const struct reader *reader, const char *key)
{
    const struct pair *pair = find_pair(reader, key);
    return pair ? pair->column : reader->words.word_column;
}

/* A flag: 0 or 1. */
static enum conv_status read_flag(struct reader *reader, const char *key, bool *flag, bool normal)
{
    const char *value = value_of(reader, key, normal ? "1" : "0");
    if (strcmp(value, "0") && strcmp(value, "1"))
        return fail_at(reader, column_of(reader, key), "a flag that is neither 0 nor 1", "write 0 or 1");
    *flag = value[0] == '1';
    return CONV_OK;
}

/* A number from 1 to 2^40. */
static enum conv_status read_number(struct reader *reader, const char *key, int64_t *number)
{
    char *end;
    const char *value = value_of(reader, key, "");
    *number = strtoll(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || *number < 1 || *number > INT64_C(1) << 40) {
        char what[64];
        snprintf(what, sizeof what, "%s is missing or not a number from 1 to 2^40", key);
        return fail_at(reader, column_of(reader, key), what, "give it as key=NUMBER");
    }
    return CONV_OK;
}

/* ---- nodes ---------------------------------------------------------------------------------------------- */

int64_t conv_shape_elements(const struct conv_shape *shape)
{
    return shape->c * shape->size[0] * shape->size[1] * shape->size[2];
}

static const struct conv_shape *input(const struct reader *reader, int i)
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

/* Parse the problem that the node's sizes make; its errors become errors of this line. */
static enum conv_status parse_layer(struct reader *reader, struct conv_problem *problem, const char *text)
{
    struct conv_error inner;
    if (conv_problem_parse(problem, text, &inner) == CONV_OK)
        return CONV_OK;
    char what[768];
    snprintf(what, sizeof what, "%s (read as the problem %s)", inner.message, text);
    return fail_at(reader, inner.key[0] ? column_of(reader, inner.key) : reader->words.word_column, what,
                   inner.hint);
}

static void output_of(struct conv_shape *out, const struct conv_problem *problem)
{
    *out = (struct conv_shape){ .rank = problem->rank, .c = problem->k };
    for (int a = 0; a < CONV_AXES; a++)
        out->size[a] = problem->axis[a].out;
}

/* "c=64 in=56x56" and then those of `keys` that the line has */
static void layer_text(char *text, size_t room, const struct reader *reader, const char *const *keys)
{
    char size[96];
    print_size(size, input(reader, 0));
    size_t used = (size_t)snprintf(text, room, "c=%" PRId64 " in=%s", input(reader, 0)->c, size);
    for (; *keys && used < room; keys++)
        if (find_pair(reader, *keys))
            used += (size_t)snprintf(text + used, room - used, " %s=%s", *keys,
                                     find_pair(reader, *keys)->value);
}

static enum conv_status infer_conv(struct reader *reader, struct conv_node *node)
{
    static const char *const keys[] = {
        "k", "filter", "stride", "pad", "dilation", "groups", "bias", "mult", NULL };
    char text[1024];
    layer_text(text, sizeof text - 16, reader, keys);
    if (node->kind == CONV_NODE_SEPARABLE)
        strcat(text, " op=separable");
    enum conv_status status = parse_layer(reader, &node->problem, text);
    if (status == CONV_OK)
        output_of(&node->out, &node->problem);
    return status;
}

static enum conv_status infer_dw(struct reader *reader, struct conv_node *node)
{
    static const char *const keys[] = { "filter", "stride", "pad", "dilation", "bias", NULL };
    const int64_t c = input(reader, 0)->c;
    int64_t mult = 1;
    char text[1024];
    if (find_pair(reader, "mult") && read_number(reader, "mult", &mult) != CONV_OK)
        return CONV_BAD_FILE;
    if (mult > (INT64_C(1) << 40) / c)
        return fail_at(reader, column_of(reader, "mult"), "more than 2^40 channels", "give a smaller mult");
    layer_text(text, sizeof text - 64, reader, keys);
    snprintf(text + strlen(text), 64, " groups=%" PRId64 " k=%" PRId64, c, c * mult);
    enum conv_status status = parse_layer(reader, &node->problem, text);
    if (status == CONV_OK)
        output_of(&node->out, &node->problem);
    return status;
}

/* linear: at every position; fc: flattened first */
static enum conv_status infer_linear(struct reader *reader, struct conv_node *node)
{
    struct conv_shape in = *input(reader, 0);
    char text[1024], size[96];
    int64_t k;
    bool bias;
    if (read_number(reader, "k", &k) != CONV_OK || read_flag(reader, "bias", &bias, true) != CONV_OK)
        return CONV_BAD_FILE;
    if (node->kind == CONV_NODE_FC)
        in = (struct conv_shape){ .rank = 1, .c = conv_shape_elements(&in), .size = { 1, 1, 1 } };
    print_size(size, &in);
    snprintf(text, sizeof text, "c=%" PRId64 " in=%s k=%" PRId64 " filter=1 bias=%d", in.c, size, k, bias);
    enum conv_status status = parse_layer(reader, &node->problem, text);
    if (status == CONV_OK)
        output_of(&node->out, &node->problem);
    return status;
}

static enum conv_status infer_same(struct reader *reader, struct conv_node *node)
{
    node->out = *input(reader, 0);
    return CONV_OK;
}

static enum conv_status infer_scale(struct reader *reader, struct conv_node *node)
{
    node->out = *input(reader, 0);
    return read_flag(reader, "bias", &node->bias, false);
}

static enum conv_status infer_act(struct reader *reader, struct conv_node *node)
{
    static const char *const functions[] = { "relu", "relu6", "swish", "sigmoid", "tanh", "gelu" };
    const char *fn = value_of(reader, "fn", "");
    node->out = *input(reader, 0);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(fn, functions[i])) {
            strcpy(node->fn, fn);
            return CONV_OK;
        }
    return fail_at(reader, column_of(reader, "fn"), "an unknown activation",
                   "fn is relu, relu6, swish, sigmoid, tanh or gelu");
}

/* Rounding up adds a window at the end, unless it would begin in the padding behind the image. */
static int64_t ceil_out(const struct conv_axis *axis)
{
    const int64_t span = axis->in + axis->pad_begin + axis->pad_end - conv_extent(axis);
    const int64_t out = conv_ceil_div(span, axis->stride) + 1;
    return (out - 1) * axis->stride >= axis->in + axis->pad_begin ? out - 1 : out;
}

static enum conv_status infer_pool(struct reader *reader, struct conv_node *node)
{
    static const char *const keys[] = { "filter", "stride", "pad", NULL };
    const char *kind = value_of(reader, "kind", "");
    char text[1024];
    bool up;
    if (strcmp(kind, "max") && strcmp(kind, "avg"))
        return fail_at(reader, column_of(reader, "kind"), "an unknown kind of pooling", "kind is max or avg");
    layer_text(text, sizeof text - 8, reader, keys);
    strcat(text, " k=1");
    if (read_flag(reader, "ceil", &up, false) != CONV_OK
        || parse_layer(reader, &node->problem, text) != CONV_OK)
        return CONV_BAD_FILE;
    strcpy(node->fn, kind);
    output_of(&node->out, &node->problem);
    node->out.c = node->problem.c;
    node->window = 1;
    for (int a = 0; a < CONV_AXES; a++) {
        node->window *= node->problem.axis[a].filter;
        if (up)
            node->out.size[a] = ceil_out(&node->problem.axis[a]);
    }
    return CONV_OK;
}

static enum conv_status infer_gpool(struct reader *reader, struct conv_node *node)
{
    node->out = *input(reader, 0);
    node->window = node->out.size[0] * node->out.size[1] * node->out.size[2];
    for (int a = 0; a < CONV_AXES; a++)
        node->out.size[a] = 1;
    return CONV_OK;
}

static enum conv_status infer_pair(struct reader *reader, struct conv_node *node)
{
    const struct conv_shape *a = input(reader, 0), *b = input(reader, 1);
    const bool broadcast = node->kind == CONV_NODE_MUL && conv_shape_elements(b) == b->c;
    char sizes[2][96], what[256];
    if (reader->input_count != 2)
        return fail_at(reader, column_of(reader, "from"), "two inputs are needed", "write from=A,B");
    if (a->c != b->c || (!broadcast && !same_size(a, b))) {
        print_size(sizes[0], a);
        print_size(sizes[1], b);
        snprintf(what, sizeof what, "the inputs differ: %" PRId64 " channels of %s and %" PRId64 " of %s", a->c,
                 sizes[0], b->c, sizes[1]);
        return fail_at(reader, column_of(reader, "from"), what, "both must have the same shape");
    }
    node->out = *a;
    return CONV_OK;
}

static enum conv_status infer_concat(struct reader *reader, struct conv_node *node)
{
    node->out = *input(reader, 0);
    for (int i = 1; i < reader->input_count; i++) {
        if (!same_size(&node->out, input(reader, i)))
            return fail_at(reader, column_of(reader, "from"), "the inputs differ in size",
                           "inputs of concat must have the same spatial size");
        node->out.c += input(reader, i)->c;
    }
    return CONV_OK;
}

/* channels=0:58 or channels=0,1,5 */
static enum conv_status infer_slice(struct reader *reader, struct conv_node *node)
{
    const char *at = value_of(reader, "channels", "");
    const int64_t limit = input(reader, 0)->c;
    int64_t taken = 0, previous = 0;
    bool good = true, range = strchr(at, ':') != NULL;
    for (int part = 0; good; part++) {
        char *end;
        const int64_t number = isdigit((unsigned char)*at) ? strtoll(at, &end, 10) : -1;
        good = number >= 0 && number < limit + (range && part == 1)
            && (!range || part == 0 || (part == 1 && number > previous));
        taken = range ? number - previous : taken + 1;
        previous = number;
        if (!good || !*end)
            break;
        good = *end == (range ? ':' : ',');
        at = end + 1;
    }
    if (!good)
        return fail_at(reader, column_of(reader, "channels"), "not channels of the input",
                       "channels is begin:end or a list such as 0,1,5, below the number of channels");
    node->out = *input(reader, 0);
    node->out.c = taken;
    return CONV_OK;
}

static enum conv_status infer_shuffle(struct reader *reader, struct conv_node *node)
{
    int64_t groups;
    node->out = *input(reader, 0);
    if (read_number(reader, "groups", &groups) != CONV_OK)
        return CONV_BAD_FILE;
    if (node->out.c % groups)
        return fail_at(reader, column_of(reader, "groups"), "groups does not divide the channels",
                       "give a divisor");
    return CONV_OK;
}

/* The kinds of nodes; keys are separated by spaces, and from, aux and fixed go with all of them. */
static const struct {
    const char *name, *keys;
    enum conv_status (*infer)(struct reader *, struct conv_node *);
} kinds[CONV_NODE_KINDS] = {
    [CONV_NODE_INPUT] = { "input", " c in ", NULL },
    [CONV_NODE_CONV] = { "conv", " k filter stride pad dilation groups bias ", infer_conv },
    [CONV_NODE_DW] = { "dw", " filter stride pad dilation bias mult ", infer_dw },
    [CONV_NODE_SEPARABLE] = { "separable", " k filter stride pad dilation bias mult ", infer_conv },
    [CONV_NODE_LINEAR] = { "linear", " k bias ", infer_linear },
    [CONV_NODE_FC] = { "fc", " k bias ", infer_linear },
    [CONV_NODE_BN] = { "bn", " ", infer_same },
    [CONV_NODE_LN] = { "ln", " via ", infer_same },
    [CONV_NODE_SCALE] = { "scale", " bias ", infer_scale },
    [CONV_NODE_ACT] = { "act", " fn via ", infer_act },
    [CONV_NODE_POOL] = { "pool", " kind filter stride pad ceil via ", infer_pool },
    [CONV_NODE_GPOOL] = { "gpool", " via ", infer_gpool },
    [CONV_NODE_ADD] = { "add", " ", infer_pair },
    [CONV_NODE_MUL] = { "mul", " ", infer_pair },
    [CONV_NODE_CONCAT] = { "concat", " ", infer_concat },
    [CONV_NODE_SLICE] = { "slice", " channels ", infer_slice },
    [CONV_NODE_SHUFFLE] = { "shuffle", " groups ", infer_shuffle },
};

const char *conv_node_kind_name(enum conv_node_kind kind) { return kinds[kind].name; }

static enum conv_status check_keys(struct reader *reader, enum conv_node_kind kind)
{
    for (int i = 0; i < reader->words.pair_count; i++) {
        const struct pair *pair = &reader->words.pairs[i];
        char spaced[24], what[96], hint[128];
        snprintf(spaced, sizeof spaced, " %s ", pair->key);
        if (!strstr(kinds[kind].keys, spaced) && !strstr(" from aux fixed ", spaced)) {
            snprintf(what, sizeof what, "'%s' is not a key of %s", pair->key, kinds[kind].name);
            snprintf(hint, sizeof hint, "its keys are%sfrom aux fixed", kinds[kind].keys);
            return fail_at(reader, pair->column, what, hint);
        }
    }
    return CONV_OK;
}

static int find_label(const struct conv_network *network, const char *label, size_t length)
{
    for (int i = 0; i < network->node_count; i++)
        if (strlen(network->nodes[i].label) == length && !memcmp(network->nodes[i].label, label, length))
            return i;
    return -1;
}

/* from=A,B or the node of the line before */
static enum conv_status read_inputs(struct reader *reader)
{
    const struct pair *from = find_pair(reader, "from");
    reader->input_count = 1;
    reader->inputs[0] = reader->network->node_count - 1;
    if (!from)
        return CONV_OK;
    reader->input_count = 0;
    for (const char *at = from->value; at; ) {
        const size_t length = strcspn(at, ",");
        const int node = find_label(reader->network, at, length);
        if (node < 0 || reader->input_count == MOST_INPUTS) {
            char what[128];
            snprintf(what, sizeof what, "no node before this one is called '%.*s'", (int)length, at);
            return fail_at(reader, from->column, what, "from names labels of earlier lines, or input");
        }
        reader->inputs[reader->input_count++] = node;
        at = at[length] ? at + length + 1 : NULL;
    }
    return CONV_OK;
}

static struct conv_node *add_node(struct reader *reader, enum conv_node_kind kind)
{
    struct conv_network *network = reader->network;
    struct conv_node *nodes = realloc(network->nodes, sizeof *nodes * (size_t)(network->node_count + 1));
    if (!nodes)
        return NULL;
    network->nodes = nodes;
    struct conv_node *node = &nodes[network->node_count];
    *node = (struct conv_node){ .kind = kind, .line = reader->line };
    if (reader->words.label[0])
        memcpy(node->label, reader->words.label, sizeof node->label);
    else
        snprintf(node->label, sizeof node->label, "%s@%d", kinds[kind].name, reader->line);
    return node;
}

/* How torchvision's code calls the node, where that changes what a tool counts. */
static enum conv_status read_via(struct reader *reader, struct conv_node *node)
{
    static const char *const ways[] = { "call", "mean", "2d", "adaptive" };
    const char *via = value_of(reader, "via", NULL);
    for (size_t i = 0; via && i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(via, ways[i])) {
            strcpy(node->via, via);
            return CONV_OK;
        }
    return !via ? CONV_OK : fail_at(reader, column_of(reader, "via"), "an unknown way to call a node",
                                    "via is call, mean, 2d or adaptive");
}

/* Totals are 64-bit sums of 64-bit products, which a short file could overflow: concat doubles channels with every
 * line.  2^56 leaves room for any convention's factors; a large language model has 2^40 parameters. */
static enum conv_status check_size(struct reader *reader, const struct conv_node *node)
{
    const double elements = (double)node->out.c * (double)node->out.size[0] * (double)node->out.size[1]
                          * (double)node->out.size[2];
    struct conv_count count = { 0 };
    if (conv_node_is_conv(node) || conv_node_is_fc(node))
        conv_count_problem(&count, &node->problem);
    reader->work += (double)count.macs + (double)count.weights + elements * (double)(node->window + 4);
    return reader->work <= 0x1p56 ? CONV_OK
        : fail_at(reader, reader->words.word_column, "the network has more than 2^56 multiply-adds and elements up to here",
                  "convref counts in 64 bits; give smaller sizes");
}

static enum conv_status read_node(struct reader *reader, enum conv_node_kind kind)
{
    if (reader->network->node_count == 0)
        return fail_at(reader, reader->words.word_column, "a node before the input",
                       "the second statement is input c=C in=HxW");
    if (reader->words.label[0]
        && find_label(reader->network, reader->words.label, strlen(reader->words.label)) >= 0)
        return fail_at(reader, 0, "a label that is taken", "labels are unique");
    enum conv_status status = check_keys(reader, kind);
    if (status == CONV_OK)
        status = read_inputs(reader);
    if (status != CONV_OK)
        return status;
    struct conv_node *node = add_node(reader, kind);
    if (!node)
        return conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
    node->in = *input(reader, 0);
    status = kinds[kind].infer(reader, node);
    if (status == CONV_OK)
        status = check_size(reader, node);
    if (status == CONV_OK)
        status = read_via(reader, node);
    if (status == CONV_OK)
        status = read_flag(reader, "aux", &node->aux, false);
    if (status == CONV_OK)
        status = read_flag(reader, "fixed", &node->fixed, false);
    reader->network->node_count++;   /* counted even if it failed, so that it is freed */
    return status;
}

/* ---- the other statements --------------------------------------------------------------------------------- */

static enum conv_status read_input(struct reader *reader)
{
    char text[1024];
    struct conv_problem problem;
    if (reader->network->node_count > 0)
        return fail_at(reader, reader->words.word_column, "a second input", "a network has one");
    enum conv_status status = check_keys(reader, CONV_NODE_INPUT);
    if (status != CONV_OK)
        return status;
    /* read as a problem that leaves its input as it is: one grammar for c and in */
    snprintf(text, sizeof text, "c=%s in=%s k=1 filter=1", value_of(reader, "c", "(missing)"),
             value_of(reader, "in", "(missing)"));
    status = parse_layer(reader, &problem, text);
    if (status != CONV_OK)
        return status;
    strcpy(reader->words.label, "input");
    struct conv_node *node = add_node(reader, CONV_NODE_INPUT);
    if (!node)
        return conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
    output_of(&node->out, &problem);
    node->out.c = problem.c;
    node->in = node->out;
    reader->network->node_count = 1;
    return check_size(reader, node);
}

static const char *rest_of(const char *text, const char *word)
{
    const char *at = text + strspn(text, " \t") + strlen(word);
    return at + strspn(at, " \t");
}

static enum conv_status read_name(struct reader *reader, const char *text)
{
    const char *name = rest_of(text, "network");
    const size_t length = strcspn(name, " \t\r\n#");
    bool good = length > 0 && copy(reader->network->name, sizeof reader->network->name, name, length);
    for (size_t i = 0; i < length; i++)
        good = good && is_name(name[i]);
    return good ? CONV_OK : fail_at(reader, (int)(name - text), "a network without a name",
                                    "write network NAME; names are letters, digits, '_', '.' and '-'");
}

static enum conv_status read_expect(struct reader *reader, const char *text)
{
    char name[64] = "";
    int64_t value = -1;
    int consumed = 0;
    enum conv_total total = 0;
    if (sscanf(rest_of(text, "expect"), "%63s %" SCNd64 " %n", name, &value, &consumed) < 2 || value < 0
        || rest_of(text, "expect")[consumed])
        return fail_at(reader, 0, "an expectation that is not a total and a number", "write expect TOTAL NUMBER");
    while (total < CONV_TOTALS && strcmp(name, conv_total_name(total)))
        total++;
    if (total == CONV_TOTALS) {
        const char *names[CONV_TOTALS];
        char hint[128];
        for (int i = 0; i < CONV_TOTALS; i++)
            names[i] = conv_total_name((enum conv_total)i);
        const char *nearest = conv_nearest(name, names, CONV_TOTALS);
        snprintf(hint, sizeof hint, "%s%s%sdocs/networks.md lists the totals", nearest ? "did you mean " : "",
                 nearest ? nearest : "", nearest ? "? " : "");
        return fail_at(reader, (int)(rest_of(text, "expect") - text), "an unknown total", hint);
    }
    struct conv_network *network = reader->network;
    struct conv_expectation *rows =
        realloc(network->expectations, sizeof *rows * (size_t)(network->expectation_count + 1));
    if (!rows)
        return conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
    network->expectations = rows;
    rows[network->expectation_count++] = (struct conv_expectation){ total, value, reader->line };
    return CONV_OK;
}

/* source "..." */
static enum conv_status read_words(struct reader *reader, const char *text, const char *word, char **to)
{
    const char *begin = rest_of(text, word), *end = begin + strlen(begin);
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    if (*begin != '"' || end - begin < 2 || end[-1] != '"')
        return fail_at(reader, (int)(begin - text), "words without quotes", "write them between two \"");
    if (*to)
        return fail_at(reader, 0, "a statement given twice", "join the two");
    *to = strndup(begin + 1, (size_t)(end - begin - 2));
    return *to ? CONV_OK : conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
}

static bool starts_with(const char *text, const char *word)
{
    const char *at = text + strspn(text, " \t");
    const size_t length = strlen(word);
    return !strncmp(at, word, length) && (!at[length] || isspace((unsigned char)at[length]));
}

static enum conv_status read_statement(struct reader *reader, const char *text)
{
    struct conv_network *network = reader->network;
    if (starts_with(text, "source"))
        return read_words(reader, text, "source", &network->source);
    if (starts_with(text, "published"))
        return read_words(reader, text, "published", &network->published);
    if (starts_with(text, "note"))
        return read_words(reader, text, "note", &network->note);
    if (starts_with(text, "expect"))
        return read_expect(reader, text);
    if (!network->name[0])
        return starts_with(text, "network") ? read_name(reader, text)
            : fail_at(reader, 0, "the first statement is not the name", "begin with network NAME");
    enum conv_status status = cut_line(reader, text, (int)strlen(text));
    if (status != CONV_OK)
        return status;
    if (!strcmp(reader->words.word, "input"))
        return read_input(reader);
    for (enum conv_node_kind kind = CONV_NODE_CONV; kind < CONV_NODE_KINDS; kind++)
        if (!strcmp(reader->words.word, kinds[kind].name))
            return read_node(reader, kind);
    char what[64];
    snprintf(what, sizeof what, "'%s' is not a node", reader->words.word);
    return fail_at(reader, reader->words.word_column, what,
                   "nodes are conv dw separable linear fc bn ln scale act pool gpool add mul concat slice shuffle");
}

/* ---- the file --------------------------------------------------------------------------------------------- */

/* Cut a comment off, which begins with # outside of quotes. */
static void cut_comment(char *line)
{
    bool quoted = false;
    for (; *line; line++) {
        quoted ^= *line == '"';
        if (*line == '#' && !quoted)
            *line = 0;
        if (!*line)
            break;
    }
}

static enum conv_status read_lines(struct reader *reader, char *text)
{
    enum conv_status status = CONV_OK;
    for (char *line = text; line && status == CONV_OK; reader->line++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        cut_comment(line);
        if (line[strspn(line, " \t\r")])
            status = read_statement(reader, line);
        line = end ? end + 1 : NULL;
    }
    reader->line = status == CONV_OK ? 1 : reader->line;   /* what follows is about the whole file */
    if (status == CONV_OK && reader->network->node_count < 2)
        status = fail_at(reader, 0, "a network without nodes", "docs/networks.md has an example");
    return status;
}

enum conv_status conv_network_parse(struct conv_network *network, const char *text, const char *name,
                                    struct conv_error *error)
{
    struct conv_network made = { .node_count = 0 };
    struct reader reader = { .network = &made, .name = name, .line = 1, .error = error };
    char *copied = strdup(text);
    if (!copied)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for %s", name);
    enum conv_status status = read_lines(&reader, copied);
    free(copied);
    if (status != CONV_OK) {
        conv_network_free(&made);
        return status;
    }
    conv_network_total(&made);
    *network = made;
    return CONV_OK;
}

enum conv_status conv_network_read(struct conv_network *network, const char *path, struct conv_error *error)
{
    char *text;
    enum conv_status status = conv_text_read(&text, path, LARGEST_FILE, error);
    if (status != CONV_OK)
        return status;
    status = conv_network_parse(network, text, path, error);
    free(text);
    return status;
}

void conv_network_free(struct conv_network *network)
{
    free(network->nodes);
    free(network->expectations);
    free(network->source);
    free(network->published);
    free(network->note);
    *network = (struct conv_network){ .node_count = 0 };
}
