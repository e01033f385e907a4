/* network_read.c - reads a network file, statement by statement.
 *
 * Lines are cut in network_line.c, shapes inferred in network_infer.c; totals are in network_totals.c.
 * Declared in convref/network.h.
 */
#include "verify/count/network_reader.h"

#include <convref/count.h>
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/output.h"
#include "verify/onnx/onnx.h"
#include "core/words.h"
#include "verify/count/network_totals.h"

enum { LARGEST_FILE = 1 << 20, MOST_NODES = 16384 };   /* a node takes a thousand times its shortest line */

/* ---- nodes ---------------------------------------------------------------------------------------------- */

static enum conv_status check_keys(struct reader *reader, enum conv_node_kind kind)
{
    for (int i = 0; i < reader->words.pair_count; i++) {
        const struct pair *pair = &reader->words.pairs[i];
        char spaced[24], what[96], hint[128];
        snprintf(spaced, sizeof spaced, " %s ", pair->key);
        if (!strstr(node_rules[kind].keys, spaced) && !strstr(" from aux fixed ", spaced)) {
            snprintf(what, sizeof what, "'%s' is not a key of %s", pair->key, node_rules[kind].name);
            snprintf(hint, sizeof hint, "its keys are%sfrom aux fixed", node_rules[kind].keys);
            return reader_fail(reader, pair->column, what, hint);
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
    const struct pair *from = reader_pair(reader, "from");
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
            return reader_fail(reader, from->column, what, "from names labels of earlier lines, or input");
        }
        reader->inputs[reader->input_count++] = node;
        at = at[length] ? at + length + 1 : NULL;
    }
    return CONV_OK;
}

static struct conv_node *add_node(struct reader *reader, enum conv_node_kind kind)
{
    struct conv_network *network = reader->network;
    const int count = network->node_count;
    if ((count & (count - 1)) == 0) {   /* 0 or a power of two: full; room for as many again */
        struct conv_node *nodes = realloc(network->nodes, sizeof *nodes * (size_t)(count > 0 ? 2 * count : 1));
        if (!nodes)
            return NULL;
        network->nodes = nodes;
    }
    struct conv_node *node = &network->nodes[count];
    *node = (struct conv_node){ .kind = kind, .line = reader->line };
    if (reader->words.label[0])
        memcpy(node->label, reader->words.label, sizeof node->label);
    else
        snprintf(node->label, sizeof node->label, "%s@%d", node_rules[kind].name, reader->line);
    return node;
}

/* How torchvision's code calls the node, where that changes what a tool counts. */
static enum conv_status read_via(struct reader *reader, struct conv_node *node)
{
    static const char *const ways[] = { "call", "mean", "2d", "adaptive" };
    const char *via = reader_value(reader, "via", NULL);
    for (size_t i = 0; via && i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(via, ways[i])) {
            strcpy(node->via, via);
            return CONV_OK;
        }
    return !via ? CONV_OK : reader_fail(reader, reader_column(reader, "via"), "an unknown way to call a node",
                                    "via is call, mean, 2d or adaptive");
}

static enum conv_status check_size(struct reader *reader, const struct conv_node *node)
{
    reader->work += conv_node_work(node);
    return reader->work <= CONV_MOST_WORK ? CONV_OK
        : reader_fail(reader, reader->words.word_column,
                      "the network has more than 2^56 multiply-adds and elements up to here",
                  "convref counts in 64 bits; give smaller sizes");
}

/* share=LABEL: the weights of an earlier node once more, so that this one has none of its own. */
static enum conv_status read_share(struct reader *reader, struct conv_node *node)
{
    const char *label = reader_value(reader, "share", NULL);
    if (!label)
        return CONV_OK;
    const int index = find_label(reader->network, label, strlen(label));
    const struct conv_node *owner = index < 0 ? NULL : &reader->network->nodes[index];
    const struct conv_problem *mine = &node->problem, *theirs = owner ? &owner->problem : mine;
    bool same = owner && owner->kind == node->kind && conv_node_params(owner) == conv_node_params(node)
             && mine->k == theirs->k && mine->c == theirs->c && mine->groups == theirs->groups;
    for (int a = 0; a < CONV_AXES; a++)
        same = same && mine->axis[a].filter == theirs->axis[a].filter;
    if (!same)
        return reader_fail(reader, reader_column(reader, "share"), "no node before this one has these weights",
                           "share names a node of the same kind, channels, filter and bias, with weights of its own");
    node->by_tensor = true;
    node->weights = node->buffers = 0;
    return CONV_OK;
}

static enum conv_status read_node(struct reader *reader, enum conv_node_kind kind)
{
    if (reader->network->node_count == 0)
        return reader_fail(reader, reader->words.word_column, "a node before the input",
                       "the second statement is input c=C in=HxW");
    if (reader->words.label[0]
        && find_label(reader->network, reader->words.label, strlen(reader->words.label)) >= 0)
        return reader_fail(reader, 0, "a label that is taken", "labels are unique");
    enum conv_status status = check_keys(reader, kind);
    if (status == CONV_OK)
        status = read_inputs(reader);
    if (status != CONV_OK)
        return status;
    if (reader->network->node_count >= MOST_NODES)
        return reader_fail(reader, reader->words.word_column, "the network has more than 16384 nodes",
                           "count its parts by themselves");
    struct conv_node *node = add_node(reader, kind);
    if (!node)
        return conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
    node->in = *reader_input(reader, 0);
    node->back = reader->input_count == 1 ? reader->network->node_count - reader->inputs[0] : 0;
    status = node_rules[kind].infer(reader, node);
    if (status == CONV_OK)
        status = read_share(reader, node);
    if (status == CONV_OK)
        status = check_size(reader, node);
    if (status == CONV_OK)
        status = read_via(reader, node);
    if (status == CONV_OK)
        status = reader_flag(reader, "aux", &node->aux, false);
    if (status == CONV_OK)
        status = reader_flag(reader, "fixed", &node->fixed, false);
    reader->network->node_count++;   /* counted even if it failed, so that it is freed */
    return status;
}

/* ---- the other statements --------------------------------------------------------------------------------- */

static enum conv_status read_input(struct reader *reader)
{
    char text[1024];
    struct conv_problem problem;
    if (reader->network->node_count > 0)
        return reader_fail(reader, reader->words.word_column, "a second input", "a network has one");
    enum conv_status status = check_keys(reader, CONV_NODE_INPUT);
    if (status != CONV_OK)
        return status;
    /* read as a problem that leaves its input as it is: one grammar for c and in */
    snprintf(text, sizeof text, "c=%s in=%s k=1 filter=1", reader_value(reader, "c", "(missing)"),
             reader_value(reader, "in", "(missing)"));
    status = reader_layer(reader, &problem, text);
    if (status != CONV_OK)
        return status;
    strcpy(reader->words.label, "input");
    struct conv_node *node = add_node(reader, CONV_NODE_INPUT);
    if (!node)
        return conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
    reader_output(&node->out, &problem);
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
    bool good = length > 0 && reader_copy(reader->network->name, sizeof reader->network->name, name, length);
    for (size_t i = 0; i < length; i++)
        good = good && reader_is_name(name[i]);
    return good ? CONV_OK : reader_fail(reader, (int)(name - text), "a network without a name",
                                    "write network NAME; names are letters, digits, '_', '.' and '-'");
}

static enum conv_status read_expect(struct reader *reader, const char *text)
{
    char name[64] = "", digits[19] = "";   /* 18 digits fit */
    int consumed = 0;
    enum conv_total total = 0;
    if (sscanf(rest_of(text, "expect"), "%63s %18[0-9] %n", name, digits, &consumed) < 2
        || rest_of(text, "expect")[consumed])
        return reader_fail(reader, 0, "an expectation that is not a total and a number", "write expect TOTAL NUMBER");
    const int64_t value = strtoll(digits, NULL, 10);
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
        return reader_fail(reader, (int)(rest_of(text, "expect") - text), "an unknown total", hint);
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

/* As JSON wants it, which is where the words may go: jansson makes no string of anything else. */
static bool is_utf8(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

/* source "..." */
static enum conv_status read_words(struct reader *reader, const char *text, const char *word, char **to)
{
    const char *begin = rest_of(text, word), *end = begin + strlen(begin);
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    if (*begin != '"' || end - begin < 2 || end[-1] != '"')
        return reader_fail(reader, (int)(begin - text), "words without quotes", "write them between two \"");
    if (!is_utf8(begin, (size_t)(end - begin)))
        return reader_fail(reader, (int)(begin - text), "words that aren't UTF-8",
                           "save the file in UTF-8; JSON has no other");
    if (*to)
        return reader_fail(reader, 0, "a statement given twice", "join the two");
    *to = strndup(begin + 1, (size_t)(end - begin - 2));
    return *to ? CONV_OK : conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
}

static bool starts_with(const char *text, const char *word)
{
    const char *at = text + strspn(text, " \t");
    const size_t length = strlen(word);
    return !strncmp(at, word, length) && (!at[length] || isspace((unsigned char)at[length]));
}

static enum conv_status read_statement(struct reader *reader, const char *text);

/* se k=8 act=relu gate=sigmoid: squeeze-and-excite, six nodes written as one.  Its 1x1 layers have biases. */
static enum conv_status read_se(struct reader *reader)
{
    enum { MOST = 512, MOST_LABEL = 58 };
    const struct line words = reader->words;
    const struct conv_network *network = reader->network;
    char label[64], from[64], lines[6][MOST];
    for (int i = 0; i < words.pair_count; i++) {
        char spaced[24], what[64];
        snprintf(spaced, sizeof spaced, " %s ", words.pairs[i].key);
        snprintf(what, sizeof what, "'%s' is not a key of se", words.pairs[i].key);
        if (!strstr(" k act gate from via aux fixed ", spaced))
            return reader_fail(reader, words.pairs[i].column, what, "its keys are k act gate from via aux fixed");
    }
    if (strlen(words.label) > MOST_LABEL)
        return reader_fail(reader, 0, "a label that is too long for the nodes of se",
                           "up to 58 characters: .pool, .fc1, .fc2 and .gate come behind it");
    if (network->node_count == 0)
        return reader_fail(reader, words.word_column, "a node before the input",
                           "the second statement is input c=C in=HxW");
    snprintf(label, sizeof label, "%.58s", words.label);
    if (!*label)
        snprintf(label, sizeof label, "se.%d", reader->line);
    snprintf(from, sizeof from, "%s", reader_value(reader, "from", network->nodes[network->node_count - 1].label));
    if (find_label(network, from, strlen(from)) < 0)
        return reader_fail(reader, reader_column(reader, "from"), "no node before this one is called so",
                           "from names one label of an earlier line");
    const int64_t channels = network->nodes[find_label(network, from, strlen(from))].out.c;
    const char *via = reader_value(reader, "via", NULL);
    char flags[64];   /* of all six */
    snprintf(flags, sizeof flags, "aux=%.20s fixed=%.20s", reader_value(reader, "aux", "0"),
             reader_value(reader, "fixed", "0"));
    snprintf(lines[0], MOST, "%s.pool: gpool from=%s %s%s%s", label, from, flags, via ? " via=" : "", via ? via : "");
    snprintf(lines[1], MOST, "%s.fc1: conv k=%.20s filter=1 bias=1 %s", label, reader_value(reader, "k", "?"), flags);
    snprintf(lines[2], MOST, "act fn=%.20s %s", reader_value(reader, "act", "relu"), flags);
    snprintf(lines[3], MOST, "%s.fc2: conv k=%" PRId64 " filter=1 bias=1 %s", label, channels, flags);
    snprintf(lines[4], MOST, "%s.gate: act fn=%.20s %s", label, reader_value(reader, "gate", "sigmoid"), flags);
    snprintf(lines[5], MOST, "%s: mul from=%s,%s.gate %s", label, from, label, flags);
    enum conv_status status = CONV_OK;
    for (int i = 0; i < 6 && status == CONV_OK; i++)
        status = read_statement(reader, lines[i]);
    return status;
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
            : reader_fail(reader, 0, "the first statement is not the name", "begin with network NAME");
    enum conv_status status = reader_cut(reader, text, (int)strlen(text));
    if (status != CONV_OK)
        return status;
    if (!strcmp(reader->words.word, "input"))
        return read_input(reader);
    if (!strcmp(reader->words.word, "se"))
        return read_se(reader);
    for (enum conv_node_kind kind = CONV_NODE_CONV; kind < CONV_NODE_KINDS; kind++)
        if (node_rules[kind].infer && !strcmp(reader->words.word, node_rules[kind].name))
            return read_node(reader, kind);
    char what[64];
    snprintf(what, sizeof what, "'%s' is not a node", reader->words.word);
    return reader_fail(reader, reader->words.word_column, what,
                   "nodes are conv dw separable transposed linear fc bn ln scale act pool gpool se add mul concat "
                   "slice shuffle upsample pad crop reshape merge learned attention lstm gru");
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
        status = reader_fail(reader, 0, "a network without nodes", "docs/networks.md has an example");
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
    const size_t length = strlen(path);
    if (length > 5 && !strcmp(path + length - 5, ".onnx"))
        return onnx_network_read(network, path, NULL, error);
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
