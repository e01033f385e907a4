/* counts.c - what was counted, as tables and JSON.   Declared in counts.h.
 *
 * Not here: the counting (count/), the options (program/cmd_count.c).
 */
#include "verify/report/counts.h"

#include <convref/tensor.h>
#include <inttypes.h>
#include <jansson.h>

/* ---- one problem ----------------------------------------------------------------------------------------------- */

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

/* `missing` nodes aren't in the figure; 0: it is whole. */
static void print_terms(FILE *file, const struct count_view *view, int convention, int64_t figure,
                        const struct conv_term *terms, int count, int missing)
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
    if (missing > 0) {
        table_text(table, "nodes that are missing: the figure is too small");
        table_integer(table, missing);
        table_integer(table, 0);
        table_integer(table, 0);
    }
    const struct conv_convention facts = conv_convention_at(convention);
    char number[32];
    if (view->format == TABLE_TEXT)
        fprintf(file, "\n%s%s%s counts %s%s %s\n", facts.name, facts.version[0] ? " " : "", facts.version,
                missing > 0 ? "at least " : "", table_thousands(number, figure), facts.unit);
    if (view->format == TABLE_TEXT && missing > 0)
        fprintf(file, "incomplete: %d node%s missing\n", missing, missing == 1 ? " is" : "s are");
    if (view->why || view->format != TABLE_TEXT) {
        if (view->format == TABLE_TEXT)
            fputc('\n', file);
        table_print(table, file, view->format);
    }
    table_free(table);
}

static void print_all_conventions(FILE *file, const struct count_view *view, const struct conv_network *network,
                                  const struct conv_problem *problem)
{
    static const struct table_column columns[] = {
        { "tool", "tool", false }, { "version", "version", false }, { "figure", "figure", true },
        { "unit", "its word for it", false }, { "missing", "nodes missing", true },
    };
    const bool whole = !network || (conv_network_unknowns(network) == 0 && conv_network_open_nodes(network) == 0
                                    && network->totals[CONV_TOTAL_MACS_RECURRENT] == 0);
    struct table *table = table_create(columns, view->format == TABLE_TEXT && whole ? 4 : 5);
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    for (int i = 0; i < conv_convention_count(); i++) {
        const struct conv_convention facts = conv_convention_at(i);
        table_text(table, facts.name);
        table_text(table, facts.version);
        table_integer(table, network ? conv_convention_network(terms, &count, i, network)
                                     : conv_convention_problem(terms, &count, i, problem));
        table_text(table, facts.unit);
        if (view->format != TABLE_TEXT || !whole)
            table_integer(table, network ? conv_convention_missing(i, network) : 0);
    }
    table_print(table, file, view->format);
    table_free(table);
}

void counts_print_problem(FILE *file, const struct count_view *view, const struct conv_problem *problem)
{
    char text[CONV_PROBLEM_TEXT];
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    if (view->format == TABLE_TEXT)
        fprintf(file, "%s: %s\n\n", conv_kind_name(conv_problem_kind(problem)), conv_problem_print(text, problem));
    if (view->all) {
        print_all_conventions(file, view, NULL, problem);
        return;
    }
    if (view->convention >= 0) {
        const int64_t figure = conv_convention_problem(terms, &count, view->convention, problem);
        print_terms(file, view, view->convention, figure, terms, count, 0);
        return;
    }
    struct table *table = problem_table(problem);
    table_print(table, file, view->format);
    table_free(table);
}

/* ---- one network ----------------------------------------------------------------------------------------------- */

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
    json_object_set_new(json, "complete", json_boolean(conv_network_unknowns(network) == 0));
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
    const char *more = conv_network_unknowns(network) > 0 ? " or more" : "";
    for (int i = 0; i < CONV_TOTALS; i++)
        if (network->totals[i] && i != CONV_TOTAL_CONNECTIONS)
            fprintf(file, "%-28s %18s%s\n", conv_total_name((enum conv_total)i),
                    table_thousands(number, network->totals[i]), more);
    if (conv_network_unknowns(network) > 0)
        fprintf(file, "%-28s %18d\n", "nodes not understood", conv_network_unknowns(network));
    if (network->published)
        fprintf(file, "\npublished: %s\n", network->published);
    if (network->note)
        fprintf(file, "note: %s\n", network->note);
}

void counts_add_network(struct table *table, const struct conv_network *network)
{
    static const enum conv_total totals[] = { CONV_TOTAL_PARAMS, CONV_TOTAL_MACS_CONV, CONV_TOTAL_MACS_FC,
                                              CONV_TOTAL_MACS_INSIDE };
    table_text(table, network->name);
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++)
        table_integer(table, network->totals[totals[t]]);
    table_integer(table, network->expectation_count);
}

void counts_print_network(FILE *file, const struct count_view *view, const struct conv_network *network)
{
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    if (view->all) {
        print_all_conventions(file, view, network, NULL);
        return;
    }
    if (view->convention >= 0) {
        const int64_t figure = conv_convention_network(terms, &count, view->convention, network);
        print_terms(file, view, view->convention, figure, terms, count,
                    conv_convention_missing(view->convention, network));
        return;
    }
    struct table *table = layer_table(network);
    if (view->format == TABLE_JSON)
        print_network_json(file, network, table);
    else
        table_print(table, file, view->format);
    if (view->format == TABLE_TEXT) {
        fputc('\n', file);
        print_totals(file, network);
        if (network->expectation_count > 0)
            fprintf(file, "\n%d published totals: %s\n", network->expectation_count,
                    conv_network_check(network) ? "not all as expected" : "all exactly as expected");
    }
    table_free(table);
}
