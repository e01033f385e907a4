/* cmd_count.c - convref count: parameters, multiply-adds and bytes.
 *
 *   convref count "c=8 in=128x128 k=64 filter=3x3 bias=1"
 *   convref count mobilenet_v1 --convention ptflops --why
 *   convref count model.onnx
 *
 * The formulas are docs/counting.md.   Read next: verify/count/count.c
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "verify/onnx/onnx.h"
#include "verify/cli/options.h"
#include "verify/program/verbs.h"

enum { KEY_CONVENTION = CLI_KEYS, KEY_WHY, KEY_CONVENTIONS, KEY_IN };

struct arguments {
    struct cli cli;
    int convention;
    bool why, all;
    const char *in;
    const char **what;
    int count;
};

static const struct argp_option options[] = {
    { "convention", KEY_CONVENTION, "NAME", 0,
      "what another tool prints: papers, torchvision, ptflops, ptflops-aten, thop, fvcore, torchinfo, torchprofile, "
      "flop_counter", 0 },
    { "conventions", KEY_CONVENTIONS, NULL, 0, "all of them in one table", 0 },
    { "why", KEY_WHY, NULL, 0, "the terms that make up the tool's figure", 0 },
    { "in", KEY_IN, "SIZES", 0, "sizes that an ONNX model leaves open, such as 224x224", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->cli;
        return 0;
    case KEY_CONVENTION:
        arguments->convention = conv_convention_find(text);
        if (arguments->convention < 0)
            argp_error(state, "'%s' is not a convention; they are papers, torchvision, ptflops, ptflops-aten, thop, "
                       "fvcore, torchinfo, torchprofile and flop_counter", text);
        return 0;
    case KEY_CONVENTIONS:
        arguments->all = true;
        return 0;
    case KEY_IN:
        arguments->in = text;
        return 0;
    case KEY_WHY:
        arguments->why = true;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->what = (const char **)state->argv + state->next;
        arguments->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "count what?  A problem such as \"c=32 in=112x112 k=64 filter=3x3\", or a network");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one problem ------------------------------------------------------------------------------------------------ */

static const struct table_column quantity_columns[] = {
    { "quantity", "quantity", false }, { "value", "value", true }, { "what", "what it is", false },
};

static void add_quantity(struct table *table, const char *name, int64_t value, const char *what)
{
    table_text(table, name);
    table_integer(table, value);
    table_text(table, what);
}

/* "1 * 64 * 8 * (3*126) * (3*126)": the factors of the nominal count */
static char *macs_formula(char text[256], const struct conv_problem *p)
{
    size_t used = (size_t)snprintf(text, 256, "%" PRId64 " * %" PRId64 " * %" PRId64, p->n, p->k, p->c / p->groups);
    for (int a = CONV_AXES - p->rank; a < CONV_AXES && used < 256; a++)
        used += (size_t)snprintf(text + used, 256 - used, " * (%" PRId64 "*%" PRId64 ")", p->axis[a].filter,
                                 p->op == CONV_OP_TRANSPOSED ? p->axis[a].in : p->axis[a].out);
    return text;
}

static struct table *problem_table(const struct conv_problem *problem)
{
    struct table *table = table_create(quantity_columns, 3);
    struct conv_count count;
    char formula[256], words[320];
    conv_count_problem(&count, problem);
    add_quantity(table, "params", count.weights + count.biases, "weights and biases");
    add_quantity(table, "weights", count.weights, "");
    add_quantity(table, "biases", count.biases, "");
    if (problem->op == CONV_OP_SEPARABLE)
        snprintf(words, sizeof words, "multiply-adds: a depthwise stage, then a pointwise one");
    else
        snprintf(words, sizeof words, "multiply-adds: %s", macs_formula(formula, problem));
    add_quantity(table, "macs", count.macs, words);
    snprintf(words, sizeof words, "without products with padding, which are %.2f %%",
             count.macs ? 100.0 * (double)(count.macs - count.macs_inside) / (double)count.macs : 0.0);
    add_quantity(table, "macs_inside", count.macs_inside, words);
    add_quantity(table, "flops", 2 * count.macs, "2 * macs");
    add_quantity(table, "bias_adds", count.bias_adds, "additions of a bias");
    add_quantity(table, "bytes", count.bytes, "every operand of the pass, once");
    table_text(table, "intensity");
    table_real(table, count.intensity, "%.2f");
    table_text(table, "2 * macs_inside / bytes");
    return table;
}

static void print_terms(FILE *file, const struct arguments *arguments, int convention, int64_t figure,
                        const struct conv_term *terms, int count)
{
    static const struct table_column columns[] = {
        { "term", "term", false }, { "count", "count", true }, { "factor", "times", true }, { "sum", "sum", true },
    };
    struct table *table = table_create(columns, 4);
    for (int i = 0; i < count; i++) {
        table_text(table, terms[i].what);
        table_integer(table, terms[i].count);
        table_integer(table, terms[i].factor);
        table_integer(table, terms[i].count * terms[i].factor);
    }
    const struct conv_convention facts = conv_convention_at(convention);
    char number[32];
    if (arguments->cli.format == TABLE_TEXT)
        fprintf(file, "\n%s%s%s counts %s %s\n", facts.name, facts.version[0] ? " " : "", facts.version,
                table_thousands(number, figure), facts.unit);
    if (arguments->why || arguments->cli.format != TABLE_TEXT) {
        if (arguments->cli.format == TABLE_TEXT)
            fputc('\n', file);
        table_print(table, file, arguments->cli.format);
    }
    table_free(table);
}

static void print_all_conventions(FILE *file, const struct arguments *arguments, const struct conv_network *network,
                                  const struct conv_problem *problem)
{
    static const struct table_column columns[] = {
        { "tool", "tool", false }, { "version", "version", false }, { "figure", "figure", true },
        { "unit", "its word for it", false },
    };
    struct table *table = table_create(columns, 4);
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    for (int i = 0; i < conv_convention_count(); i++) {
        const struct conv_convention facts = conv_convention_at(i);
        table_text(table, facts.name);
        table_text(table, facts.version);
        table_integer(table, network ? conv_convention_network(terms, &count, i, network)
                                     : conv_convention_problem(terms, &count, i, problem));
        table_text(table, facts.unit);
    }
    table_print(table, file, arguments->cli.format);
    table_free(table);
}

static void count_problem(FILE *file, const struct arguments *arguments, const struct conv_problem *problem)
{
    char text[CONV_PROBLEM_TEXT];
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    if (arguments->cli.format == TABLE_TEXT)
        fprintf(file, "%s: %s\n\n", conv_kind_name(conv_problem_kind(problem)), conv_problem_print(text, problem));
    if (arguments->all) {
        print_all_conventions(file, arguments, NULL, problem);
        return;
    }
    if (arguments->convention >= 0) {
        const int64_t figure = conv_convention_problem(terms, &count, arguments->convention, problem);
        print_terms(file, arguments, arguments->convention, figure, terms, count);
        return;
    }
    struct table *table = problem_table(problem);
    table_print(table, file, arguments->cli.format);
    table_free(table);
}

/* ---- one network --------------------------------------------------------------------------------------------------- */

static const struct table_column layer_columns[] = {
    { "layer", "layer", false }, { "kind", "kind", false }, { "in", "in", false }, { "out", "out", false },
    { "filter", "filter", false }, { "params", "params", true }, { "macs", "MACs", true },
    { "macs_inside", "without padding", true }, { "share", "share", true }, { "intensity", "FLOP/byte", true },
};

static void add_layer_row(struct table *table, const struct conv_node *node, double total)
{
    const struct conv_problem *p = &node->problem;
    struct conv_count count;
    char text[96], size[96];
    int64_t dims[CONV_AXES];
    conv_count_problem(&count, p);
    table_text(table, node->label);
    table_text(table, conv_node_is_fc(node) ? conv_node_kind_name(node->kind)
                                            : conv_kind_name(conv_problem_kind(p)));
    for (int side = 0; side < 2; side++) {
        for (int a = 0; a < p->rank; a++)
            dims[a] = side ? p->axis[CONV_AXES - p->rank + a].out : p->axis[CONV_AXES - p->rank + a].in;
        snprintf(text, sizeof text, "%" PRId64 " x %s", side ? p->k : p->c, conv_shape_print(size, p->rank, dims));
        table_text(table, text);
    }
    for (int a = 0; a < p->rank; a++)
        dims[a] = p->axis[CONV_AXES - p->rank + a].filter;
    table_text(table, conv_shape_print(size, p->rank, dims));
    table_integer(table, conv_node_params(node));
    table_integer(table, count.macs);
    table_integer(table, count.macs_inside);
    table_real(table, total > 0 ? 100 * (double)count.macs / total : 0, "%.1f %%");
    table_real(table, count.intensity, "%.1f");
}

static struct table *layer_table(const struct conv_network *network)
{
    struct table *table = table_create(layer_columns, 10);
    for (int i = 0; i < network->node_count; i++) {
        const struct conv_node *node = &network->nodes[i];
        if ((conv_node_is_conv(node) || conv_node_is_fc(node)) && !node->aux && !node->fixed)
            add_layer_row(table, node, (double)network->totals[CONV_TOTAL_MACS_CONV_FC]);
    }
    return table;
}

static void print_network_json(FILE *file, const struct conv_network *network, const struct table *layers)
{
    json_t *json = json_object(), *totals = json_object();
    for (int i = 0; i < CONV_TOTALS; i++)
        json_object_set_new(totals, conv_total_name((enum conv_total)i), json_integer(network->totals[i]));
    json_object_set_new(json, "network", json_string(network->name));
    json_object_set_new(json, "layers", table_json(layers));
    json_object_set_new(json, "totals", totals);
    json_object_set_new(json, "unknown", json_integer(conv_network_unknowns(network)));
    if (network->note)
        json_object_set_new(json, "note", json_string(network->note));
    json_object_set_new(json, "expectations", json_integer(network->expectation_count));
    json_object_set_new(json, "expectations_hold", json_boolean(!conv_network_check(network)));
    json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', file);
    json_decref(json);
}

static void print_totals(FILE *file, const struct conv_network *network)
{
    char number[32];
    for (int i = 0; i < CONV_TOTALS; i++)
        if (network->totals[i] && i != CONV_TOTAL_CONNECTIONS)
            fprintf(file, "%-28s %18s\n", conv_total_name((enum conv_total)i), table_thousands(number, network->totals[i]));
    if (conv_network_unknowns(network) > 0)
        fprintf(file, "%-28s %18d\n", "nodes not understood", conv_network_unknowns(network));
    if (network->published)
        fprintf(file, "\npublished: %s\n", network->published);
    if (network->note)
        fprintf(file, "note: %s\n", network->note);
}

/* The totals that the file expects: all right, or the one that isn't.  Totals that leave a node out aren't any. */
static int report_expectations(const struct conv_network *network)
{
    if (conv_network_unknowns(network) > 0)
        return conv_verdict_exit(CONV_INCONCLUSIVE);
    const struct conv_expectation *wrong = conv_network_check(network);
    char expected[32], counted[32];
    if (!wrong)
        return 0;
    fprintf(stderr, "%s: %s, line %d: expects %s %s, counted %s\n", cli_name, network->name, wrong->line,
            conv_total_name(wrong->total), table_thousands(expected, wrong->value),
            table_thousands(counted, network->totals[wrong->total]));
    return 1;
}

static int count_network(FILE *file, const struct arguments *arguments, const struct conv_network *network)
{
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    if (arguments->all) {
        print_all_conventions(file, arguments, network, NULL);
        return report_expectations(network);
    }
    if (arguments->convention >= 0) {
        const int64_t figure = conv_convention_network(terms, &count, arguments->convention, network);
        print_terms(file, arguments, arguments->convention, figure, terms, count);
        return report_expectations(network);
    }
    struct table *table = layer_table(network);
    if (arguments->cli.format == TABLE_JSON)
        print_network_json(file, network, table);
    else
        table_print(table, file, arguments->cli.format);
    if (arguments->cli.format == TABLE_TEXT) {
        fputc('\n', file);
        print_totals(file, network);
        if (network->expectation_count > 0)
            fprintf(file, "\n%d published totals: %s\n", network->expectation_count,
                    conv_network_check(network) ? "not all as expected" : "all exactly as expected");
    }
    table_free(table);
    return report_expectations(network);
}

/* 0 done, 1 a wrong expectation, 3 an incomplete total: there is something to print.  Others are errors. */
static bool is_failure(int status) { return status == EXIT_USAGE || status == EXIT_FILE; }

static enum conv_status read_network(struct conv_network *network, const struct arguments *arguments, const char *path,
                                     struct conv_error *error)
{
    const char *ending = strrchr(path, '.');
    if (arguments->in && ending && !strcmp(ending, ".onnx"))
        return onnx_network_read(network, path, arguments->in, error);
    return conv_network_read(network, path, error);
}

/* ---- several networks: one line each ------------------------------------------------------------------------------- */

static int count_networks(FILE *file, const struct arguments *arguments)
{
    static const struct table_column columns[] = {
        { "network", "network", false }, { "params", "params", true }, { "macs_conv", "MACs conv", true },
        { "macs_fc", "MACs fc", true }, { "macs_inside", "conv without padding", true },
        { "expectations", "totals checked", true }, { "hold", "exact", false },
    };
    struct table *table = table_create(columns, 7);
    struct conv_network network;
    struct conv_error error;
    int status = 0;
    for (int i = 0; i < arguments->count && !is_failure(status); i++) {
        char *path = conv_network_find(arguments->what[i]);
        if (!path) {
            conv_fail(&error, CONV_BAD_FILE, "there is no network '%s'", arguments->what[i]);
            status = cli_error(&error, NULL);
        } else if (read_network(&network, arguments, path, &error) != CONV_OK) {
            status = cli_error(&error, NULL);
        } else {
            table_text(table, network.name);
            table_integer(table, network.totals[CONV_TOTAL_PARAMS]);
            table_integer(table, network.totals[CONV_TOTAL_MACS_CONV]);
            table_integer(table, network.totals[CONV_TOTAL_MACS_FC]);
            table_integer(table, network.totals[CONV_TOTAL_MACS_INSIDE]);
            table_integer(table, network.expectation_count);
            const int result = report_expectations(&network);
            table_text(table, conv_network_unknowns(&network) ? "incomplete" : result ? "NO" : "yes");
            status = status == 0 || result == 1 ? result : status;
            conv_network_free(&network);
        }
        free(path);
    }
    if (!is_failure(status))
        table_print(table, file, arguments->cli.format);
    table_free(table);
    return status;
}

/* ---- the verb -------------------------------------------------------------------------------------------------------- */

/* Both i and o channels are in every benchdnn string, and hardly in the name of a network. */
static bool is_problem(const char *what)
{
    const char *in = strstr(what, "ic"), *out = strstr(what, "oc");
    return strpbrk(what, "= ") || !*what || (in && strchr("0123456789", in[2])) || (out && strchr("0123456789", out[2]));
}

/* A problem has '=' or is a benchdnn string; everything else names a network. */
static int count_one(FILE *file, const struct arguments *arguments, const char *what)
{
    struct conv_network network;
    struct conv_problem problem;
    struct conv_error error;
    char *path = strchr(what, '=') ? NULL : conv_network_find(what);
    if (!path) {
        if (conv_problem_parse(&problem, what, &error) == CONV_OK) {
            count_problem(file, arguments, &problem);
            return 0;
        }
        if (!is_problem(what)) {
            conv_fail(&error, CONV_BAD_FILE, "there is no network '%s'", what);
            conv_hint(&error, "a network is a file, or the name of one in networks/; a problem is a line of key=value");
        }
        return cli_error(&error, what);
    }
    enum conv_status status = read_network(&network, arguments, path, &error);
    free(path);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    const int result = count_network(file, arguments, &network);
    conv_network_free(&network);
    return result;
}

int cmd_count(int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_output_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "PROBLEM | NETWORK | MODEL.onnx...",
        "Count parameters, multiply-adds and bytes.\v"
        "One network is shown layer by layer with its totals, several with a line each.  The totals that a network "
        "file expects are checked; the exit status is 1 if one of them is wrong, "
        "and 3 if an ONNX model has nodes that aren't understood.", children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults(), .convention = -1 };
    struct conv_output output;
    struct conv_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.why && arguments.convention < 0)
        return cli_usage("--why needs --convention", "such as --convention ptflops --why");
    if (conv_output_open(&output, arguments.cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    const int status = arguments.count > 1 ? count_networks(output.file, &arguments)
                                           : count_one(output.file, &arguments, arguments.what[0]);
    if (is_failure(status)) {
        conv_output_abandon(&output);
        return status;
    }
    return conv_output_commit(&output, &error) == CONV_OK ? status : cli_error(&error, NULL);
}
