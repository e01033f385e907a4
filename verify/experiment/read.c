/* read.c - reads experiments/NAME.txt, a statement a line, in the manner of network files.
 *
 * The statements are explained in experiments/README.md.   Not here: any convolution's grammar (core/problem_text.c).
 * Where the files are is in find.c, what a case costs in cost.c.
 * Declared in experiment.h.   Read next: run.c
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/words.h"
#include "verify/count/layers.h"
#include "verify/experiment/experiment.h"
#include "verify/io/output.h"

enum { LARGEST_FILE = 1 << 18, MOST_WORDS = 24 };

struct reader {
    struct experiment *experiment;
    const char *name, *line_text;
    int line;
    char *words[MOST_WORDS];         /* of the current line, cut up; [0] is the statement */
    int columns[MOST_WORDS], count;
    struct conv_error *error;
};

/* ---- errors: file:line:column ---------------------------------------------------------------------------------- */

static enum conv_status fail(struct reader *reader, int column, const char *what, const char *hint)
{
    conv_fail(reader->error, CONV_BAD_FILE, "%s:%d:%d: %s", reader->name, reader->line, column + 1, what);
    conv_hint(reader->error, "%s", hint);
    return CONV_BAD_FILE;
}

static enum conv_status no_memory(struct reader *reader)
{
    return conv_fail(reader->error, CONV_NO_MEMORY, "no memory for %s", reader->name);
}

/* ---- words and keys -------------------------------------------------------------------------------------------- */

static bool is_name(const char *word)
{
    for (const char *at = word; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_.-", *at))
            return false;
    return *word && strlen(word) < EXP_NAME;
}

static enum conv_status take_name(struct reader *reader, char to[EXP_NAME], int word, const char *of)
{
    char what[96];
    if (word < reader->count && is_name(reader->words[word])) {
        strcpy(to, reader->words[word]);
        return CONV_OK;
    }
    snprintf(what, sizeof what, "%s without a good name", of);
    return fail(reader, word < reader->count ? reader->columns[word] : 0, what,
                "names are up to 63 letters, digits, '_', '.' and '-'");
}

/* The value of KEY=... among the words from `first` on, or NULL. */
static const char *value_of(const struct reader *reader, int first, const char *key, int *column)
{
    const size_t length = strlen(key);
    for (int i = first; i < reader->count; i++)
        if (!strncmp(reader->words[i], key, length) && reader->words[i][length] == '=') {
            if (column)
                *column = reader->columns[i];
            return reader->words[i] + length + 1;
        }
    return NULL;
}

/* A name as the value of a key; `to` stays as it is without the key. */
static enum conv_status take_word(struct reader *reader, int first, const char *key, char to[EXP_NAME])
{
    int column = 0;
    const char *value = value_of(reader, first, key, &column);
    if (!value)
        return CONV_OK;
    if (!is_name(value))
        return fail(reader, column, "a value that is no name",
                    "names are up to 63 letters, digits, '_', '.' and '-'");
    strcpy(to, value);
    return CONV_OK;
}

/* Every word from `first` on is KEY=... of one of the keys; words without '=' end the search if `others`. */
static enum conv_status check_keys(struct reader *reader, int first, const char *keys, bool others)
{
    for (int i = first; i < reader->count; i++) {
        char what[128], key[32], hint[96];
        const size_t length = strcspn(reader->words[i], "=");
        if (!reader->words[i][length] && others)
            continue;
        snprintf(key, sizeof key, " %.*s ", (int)(length < 24 ? length : 24), reader->words[i]);
        if (reader->words[i][length] && strstr(keys, key))
            continue;
        snprintf(what, sizeof what, "'%.40s' doesn't belong to %s", reader->words[i], reader->words[0]);
        snprintf(hint, sizeof hint, "its keys are%s", keys);
        return fail(reader, reader->columns[i], what, hint);
    }
    return CONV_OK;
}

static enum conv_status take_flag(struct reader *reader, int first, const char *key, bool *flag)
{
    int column = 0;
    const char *value = value_of(reader, first, key, &column);
    *flag = value && !strcmp(value, "1");
    return !value || !strcmp(value, "0") || *flag ? CONV_OK
        : fail(reader, column, "a flag that is neither 0 nor 1", "write 0 or 1");
}

static enum conv_status take_integer(struct reader *reader, int first, const char *key, int64_t *number)
{
    int column = 0;
    char *end, what[64];
    const char *value = value_of(reader, first, key, &column);
    if (!value)
        return CONV_OK;
    *number = strtoll(value, &end, 10);
    if (isdigit((unsigned char)*value) && !*end && *number >= 1 && *number <= 1000000)
        return CONV_OK;
    snprintf(what, sizeof what, "%s is not a number from 1 to 1000000", key);
    return fail(reader, column, what, "give it as key=NUMBER");
}

static enum conv_status take_real(struct reader *reader, int first, const char *key, double *number)
{
    int column = 0;
    char *end, what[64];
    const char *value = value_of(reader, first, key, &column);
    if (!value)
        return CONV_OK;
    *number = strtod(value, &end);
    if (isdigit((unsigned char)*value) && !*end && *number > 0 && *number < 1e12)
        return CONV_OK;
    snprintf(what, sizeof what, "%s is not a positive number", key);
    return fail(reader, column, what, "such as ms=42.935");
}

/* WORD "..." */
static enum conv_status take_words(struct reader *reader, char **to)
{
    const char *begin = reader->line_text + strspn(reader->line_text, " \t") + strlen(reader->words[0]);
    begin += strspn(begin, " \t");
    const char *end = begin + strlen(begin);
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    if (*begin != '"' || end - begin < 3 || end[-1] != '"')
        return fail(reader, (int)(begin - reader->line_text), "words without quotes", "write them between two \"");
    if (*to)
        return fail(reader, 0, "a statement given twice", "join the two");
    *to = strndup(begin + 1, (size_t)(end - begin - 2));
    return *to ? CONV_OK : no_memory(reader);
}

/* ---- layers ---------------------------------------------------------------------------------------------------- */

static enum conv_status add_layer(struct reader *reader, struct exp_case *one, const struct conv_problem *problem,
                                  int64_t times, bool fc)
{
    const int count = one->layer_count;
    struct conv_count cost;
    conv_count_problem(&cost, problem);
    one->work += (double)times * ((double)cost.macs + (double)cost.bytes);
    if (one->work > 0x1p56)
        return fail(reader, 0, "the case has more than 2^56 multiply-adds and bytes", "give smaller sizes");
    if ((count & (count - 1)) == 0) {   /* 0 or a power of two: full */
        struct exp_layer *layers = realloc(one->layers, sizeof *layers * (size_t)(count > 0 ? 2 * count : 1));
        if (!layers)
            return no_memory(reader);
        one->layers = layers;
    }
    one->layers[one->layer_count++] = (struct exp_layer){ *problem, times, fc };
    return CONV_OK;
}

static int64_t params_of(const struct conv_problem *problem)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    return count.weights + count.biases;
}

/* layer [times=N] PROBLEM */
static enum conv_status read_layer(struct reader *reader, struct exp_case *one)
{
    struct conv_problem problem;
    int64_t times = 1;
    const bool has_times = reader->count > 1 && !strncmp(reader->words[1], "times=", 6);
    const int first = has_times ? 2 : 1;
    enum conv_status status = has_times ? take_integer(reader, 1, "times", &times) : CONV_OK;
    if (status != CONV_OK)
        return status;
    if (first >= reader->count)
        return fail(reader, 0, "a layer without a problem", "such as layer c=64 in=56x56 k=64 filter=3x3 pad=1");
    struct conv_error error = { .position = -1 };
    const char *text = reader->line_text + reader->columns[first];
    if (conv_problem_parse(&problem, text, &error) != CONV_OK)
        return fail(reader, reader->columns[first] + (int)(error.position > 0 ? error.position : 0), error.message,
                    error.hint);
    one->params += times * params_of(&problem);
    return add_layer(reader, one, &problem, times, false);
}

static enum conv_status add_node(struct reader *reader, struct exp_case *one, struct conv_problem problem, int64_t n,
                                 enum conv_layout layout, const char *kind, bool fc)
{
    struct conv_error error;
    problem.n = n;
    problem.layout = layout;
    if (kind && strcmp(kind, conv_kind_name(conv_problem_kind(&problem))))
        return CONV_OK;
    if (conv_problem_finish(&problem, &error) != CONV_OK)
        return fail(reader, 0, error.message, error.hint);
    return add_layer(reader, one, &problem, 1, fc);
}

static enum conv_status add_nodes(struct reader *reader, struct exp_case *one, const struct conv_network *network,
                                  int64_t n, enum conv_layout layout, const char *kind)
{
    enum conv_status status = CONV_OK;
    for (int i = 0; i < network->node_count && status == CONV_OK; i++) {
        const struct conv_node *node = &network->nodes[i];
        struct conv_problem stages[2];
        const bool separable = node->kind == CONV_NODE_SEPARABLE, fc = conv_node_is_fc(node);
        if (node->aux || !(fc || conv_node_is_conv(node)))
            continue;
        if (separable)
            conv_separable_stages(&stages[0], &stages[1], &node->problem);
        else
            stages[0] = node->problem;
        for (int stage = 0; stage <= separable && status == CONV_OK; stage++)
            status = add_node(reader, one, stages[stage], n, layout, kind, fc);
    }
    return status;
}

/* network NAME [n=N] [kind=KIND] [layout=LAYOUT] */
static enum conv_status read_network(struct reader *reader, struct exp_case *one)
{
    struct conv_network network;
    struct conv_error error;
    char name[EXP_NAME];
    int64_t n = 1;
    int column = 0;
    enum conv_status status = take_name(reader, name, 1, "a network");
    if (status == CONV_OK)
        status = check_keys(reader, 2, " n kind layout ", false);
    if (status == CONV_OK)
        status = take_integer(reader, 2, "n", &n);
    const char *kind = value_of(reader, 2, "kind", &column), *layout = value_of(reader, 2, "layout", &column);
    if (status == CONV_OK && layout && strcmp(layout, "nchw") && strcmp(layout, "nhwc"))
        status = fail(reader, column, "an unknown layout", "it is nchw or nhwc");
    if (status != CONV_OK)
        return status;
    if (layers_network(&network, name, NULL, &error) != CONV_OK)
        return fail(reader, reader->columns[1], error.message, error.hint);
    const int before = one->layer_count;
    status = add_nodes(reader, one, &network, n, layout && !strcmp(layout, "nhwc") ? CONV_CHANNELS_LAST
                                                                                   : CONV_CHANNELS_FIRST, kind);
    if (!kind)
        one->params += network.totals[CONV_TOTAL_PARAMS];
    for (int i = before; kind && i < one->layer_count; i++)
        one->params += params_of(&one->layers[i].problem);
    conv_network_free(&network);
    if (status == CONV_OK && one->layer_count == before)
        status = fail(reader, column, "the network has no layer of this kind",
                      "kinds are standard, pointwise, grouped and depthwise");
    return status;
}

/* ---- the other statements -------------------------------------------------------------------------------------- */

/* case NAME [over=CASE] */
static enum conv_status read_case(struct reader *reader)
{
    struct experiment *experiment = reader->experiment;
    if (experiment->case_count == EXP_MOST_CASES)
        return fail(reader, 0, "too many cases", "64 are enough for one experiment");
    struct exp_case *one = &experiment->cases[experiment->case_count];
    *one = (struct exp_case){ .over = -1, .line = reader->line };
    enum conv_status status = take_name(reader, one->name, 1, "a case");
    if (status == CONV_OK)
        status = check_keys(reader, 2, " over ", false);
    if (status != CONV_OK)
        return status;
    int column = 0;
    const char *over = value_of(reader, 2, "over", &column);
    for (int i = 0; i < experiment->case_count; i++) {
        if (!strcmp(experiment->cases[i].name, one->name))
            return fail(reader, reader->columns[1], "a case that is there already", "names of cases are unique");
        if (over && !strcmp(experiment->cases[i].name, over))
            one->over = i;
    }
    if (over && one->over < 0)
        return fail(reader, column, "over names no case before this one", "ratios are over an earlier case");
    experiment->case_count++;
    return CONV_OK;
}

static enum conv_status check_kernel(struct reader *reader, const struct exp_way *way, int word)
{
    const char *name = reader->words[word];
    if (!is_name(name) || way->kernel_count == EXP_MOST_KERNELS)
        return fail(reader, reader->columns[word], "a bad name of a kernel, or too many of them",
                    "a way has at most 8 kernels");
    if (way->provider[0] || conv_kernel_find(name))
        return CONV_OK;
    const char *names[512];
    char what[128], hint[160];
    int count = 0;
    for (; count < conv_kernel_count() && count < 512; count++)
        names[count] = conv_kernel_at(count)->name;
    const char *nearest = conv_nearest(name, names, count);
    snprintf(what, sizeof what, "there is no kernel '%.60s'", name);
    snprintf(hint, sizeof hint, "%s%s%s`convref list` shows all of them; one of a provider needs provider=NAME",
             nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "");
    return fail(reader, reader->columns[word], what, hint);
}

/* chain=1, and what only a chain has */
static enum conv_status read_chain(struct reader *reader, struct exp_way *way)
{
    int64_t threads = 0;
    int column = 0;
    const char *layout = value_of(reader, 2, "layout", &column);
    enum conv_status status = take_flag(reader, 2, "chain", &way->chain);
    way->layout = !layout ? CONV_LAYOUTS : !strcmp(layout, "nhwc") ? CONV_CHANNELS_LAST : CONV_CHANNELS_FIRST;
    if (status == CONV_OK && layout && strcmp(layout, "nhwc") && strcmp(layout, "nchw"))
        status = fail(reader, column, "an unknown layout", "it is nchw or nhwc");
    if (status == CONV_OK)
        status = take_integer(reader, 2, "threads", &threads);
    way->threads = (int)threads;
    if (status == CONV_OK && threads > 0 && !way->chain)
        status = fail(reader, 0, "threads of a way that is no chain", "--threads is for all of those");
    return status;
}

/* way NAME KERNEL... [over=WAY] [full=1] [provider=NAME] [chain=1 [threads=N]] [layout=LAYOUT] */
static enum conv_status read_way(struct reader *reader, struct exp_case *one)
{
    if (one->way_count == EXP_MOST_WAYS)
        return fail(reader, 0, "too many ways", "a case has at most 12");
    struct exp_way *way = &one->ways[one->way_count];
    *way = (struct exp_way){ .kernel_count = 0 };
    enum conv_status status = take_name(reader, way->name, 1, "a way");
    if (status == CONV_OK)
        status = check_keys(reader, 2, " over full provider chain threads layout ", true);
    if (status == CONV_OK)
        status = read_chain(reader, way);
    if (status == CONV_OK)
        status = take_flag(reader, 2, "full", &way->full);
    memcpy(way->over, way->name, sizeof way->over);
    if (status == CONV_OK)
        status = take_word(reader, 2, "over", way->over);
    if (status == CONV_OK)
        status = take_word(reader, 2, "provider", way->provider);
    for (int i = 2; i < reader->count && status == CONV_OK; i++)
        if (!strchr(reader->words[i], '=')) {
            status = check_kernel(reader, way, i);
            if (status == CONV_OK)
                strcpy(way->kernels[way->kernel_count++], reader->words[i]);
        }
    if (status == CONV_OK && way->kernel_count == 0)
        status = fail(reader, 0, "a way without kernels", "write way NAME KERNEL...");
    one->way_count++;
    return status;
}

/* published NAME ms=T [device=ID] [work=N] [over=NAME] */
static enum conv_status read_published(struct reader *reader, struct exp_case *one)
{
    if (one->published_count == EXP_MOST_PUBLISHED)
        return fail(reader, 0, "too many published times", "a case has at most 12");
    struct exp_published *published = &one->published[one->published_count];
    *published = (struct exp_published){ .seconds = NAN, .work = 1 };
    enum conv_status status = take_name(reader, published->name, 1, "a published time");
    if (status == CONV_OK)
        status = check_keys(reader, 2, " ms device work over ", false);
    if (status == CONV_OK)
        status = take_real(reader, 2, "ms", &published->seconds);
    if (status == CONV_OK)
        status = take_real(reader, 2, "work", &published->work);
    if (status == CONV_OK)
        status = take_word(reader, 2, "device", published->device);
    memcpy(published->over, published->name, sizeof published->over);
    if (status == CONV_OK)
        status = take_word(reader, 2, "over", published->over);
    if (status != CONV_OK)
        return status;
    if (isnan(published->seconds))
        return fail(reader, 0, "a published time without ms", "write published NAME ms=42.935");
    published->seconds *= 1e-3;
    one->published_count++;
    return CONV_OK;
}

/* expect params|macs|macs_inside NUMBER */
static enum conv_status read_expect(struct reader *reader, struct exp_case *one)
{
    char *end = NULL;
    const char *what = reader->count > 1 ? reader->words[1] : "";
    const int64_t value = reader->count == 3 && isdigit((unsigned char)*reader->words[2])
                              ? strtoll(reader->words[2], &end, 10) : 0;
    if ((strcmp(what, "params") && strcmp(what, "macs") && strcmp(what, "macs_inside")) || !end || *end)
        return fail(reader, 0, "an expectation that is not a total and a number",
                    "write expect params NUMBER; totals are params, macs and macs_inside");
    if (one->expected_count == EXP_MOST_EXPECTED)
        return fail(reader, 0, "too many expectations", "a case has at most 4");
    struct exp_expected *expected = &one->expected[one->expected_count++];
    *expected = (struct exp_expected){ .value = value, .line = reader->line };
    strcpy(expected->what, what);
    return CONV_OK;
}

static enum conv_status read_scaled(struct reader *reader, struct exp_case *one)
{
    return take_words(reader, &one->scaled);
}

static enum conv_status read_head(struct reader *reader)
{
    struct experiment *experiment = reader->experiment;
    const char *word = reader->words[0];
    if (!experiment->name[0])
        return strcmp(word, "experiment") ? fail(reader, 0, "the first statement is not the name",
                                                 "begin with experiment NAME")
                                          : take_name(reader, experiment->name, 1, "an experiment");
    if (!strcmp(word, "title"))
        return take_words(reader, &experiment->title);
    if (!strcmp(word, "source"))
        return take_words(reader, &experiment->source);
    if (!strcmp(word, "fit")) {
        experiment->fit = reader->count == 2 && !strcmp(reader->words[1], "groups");
        return experiment->fit ? CONV_OK : fail(reader, 0, "an unknown fit", "write fit groups");
    }
    return strcmp(word, "case") ? CONV_NOT_APPLICABLE : read_case(reader);
}

static enum conv_status read_statement(struct reader *reader)
{
    static const struct rule { const char *word; enum conv_status (*read)(struct reader *, struct exp_case *); }
    rules[] = {
        { "layer", read_layer }, { "network", read_network }, { "way", read_way }, { "published", read_published },
        { "expect", read_expect }, { "scaled", read_scaled },
    };
    char what[96];
    const enum conv_status status = read_head(reader);
    if (status != CONV_NOT_APPLICABLE)
        return status;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!strcmp(reader->words[0], rules[i].word))
            return reader->experiment->case_count > 0
                ? rules[i].read(reader, &reader->experiment->cases[reader->experiment->case_count - 1])
                : fail(reader, reader->columns[0], "a statement before the first case", "write case NAME first");
    snprintf(what, sizeof what, "'%.40s' is not a statement", reader->words[0]);
    return fail(reader, reader->columns[0], what,
                "statements are experiment title source fit case scaled layer network way published expect");
}

/* ---- the file -------------------------------------------------------------------------------------------------- */

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

/* Cut a copy of the line into words. */
static void cut_words(struct reader *reader, char *copy)
{
    reader->count = 0;
    for (char *at = copy + strspn(copy, " \t\r"); *at; at += strspn(at, " \t\r")) {
        if (reader->count == MOST_WORDS)
            break;   /* of words between quotes, which are read from the line itself */
        reader->words[reader->count] = at;
        reader->columns[reader->count++] = (int)(at - copy);
        at += strcspn(at, " \t\r");
        if (*at)
            *at++ = 0;
    }
}

static enum conv_status read_line(struct reader *reader, char *line)
{
    cut_comment(line);
    char *copy = strdup(line);
    if (!copy)
        return no_memory(reader);
    reader->line_text = line;
    cut_words(reader, copy);
    const enum conv_status status = reader->count > 0 ? read_statement(reader) : CONV_OK;
    free(copy);
    return status;
}

/* A case without layers, or ways that are compared with none, is a typing error. */
static enum conv_status check_whole(struct reader *reader)
{
    const struct experiment *experiment = reader->experiment;
    reader->line = 1;
    if (!experiment->title || !experiment->source)
        return fail(reader, 0, "no title or no source", "say in title what is asked, and in source who reported it");
    if (experiment->case_count == 0)
        return fail(reader, 0, "an experiment without cases", "experiments/README.md has an example");
    for (int i = 0; i < experiment->case_count; i++) {
        reader->line = experiment->cases[i].line;
        if (experiment->cases[i].layer_count == 0)
            return fail(reader, 0, "a case without layers", "give it a layer or a network");
    }
    return CONV_OK;
}

static enum conv_status read_text(struct reader *reader, char *text)
{
    enum conv_status status = CONV_OK;
    reader->experiment->cases = calloc(EXP_MOST_CASES, sizeof *reader->experiment->cases);
    if (!reader->experiment->cases)
        return no_memory(reader);
    for (char *line = text; line && status == CONV_OK; reader->line++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        status = read_line(reader, line);
        line = end ? end + 1 : NULL;
    }
    return status == CONV_OK ? check_whole(reader) : status;
}

enum conv_status experiment_read(struct experiment *experiment, const char *path, struct conv_error *error)
{
    char *text;
    *experiment = (struct experiment){ .case_count = 0 };
    struct reader reader = { .experiment = experiment, .name = path, .line = 1, .error = error };
    enum conv_status status = conv_text_read(&text, path, LARGEST_FILE, error);
    if (status != CONV_OK)
        return status;
    status = read_text(&reader, text);
    free(text);
    if (status != CONV_OK)
        experiment_free(experiment);
    return status;
}

void experiment_free(struct experiment *experiment)
{
    for (int i = 0; experiment->cases && i < EXP_MOST_CASES; i++) {
        free(experiment->cases[i].layers);
        free(experiment->cases[i].scaled);
    }
    free(experiment->cases);
    free(experiment->title);
    free(experiment->source);
    *experiment = (struct experiment){ .case_count = 0 };
}
