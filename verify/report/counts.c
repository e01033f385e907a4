/* counts.c - what was counted, as tables.   Declared in counts.h.
 *
 * Not here: the counting (count/), JSON (counts_json.c), how to quote it (cite.c), the options (program/cmd_count.c).
 */
#include "verify/report/counts.h"

#include <convref/tensor.h>
#include <inttypes.h>

/* ---- one problem ----------------------------------------------------------------------------------------------- */

static const char *const quantity_names[COUNTS_QUANTITIES] = {
    [COUNTS_PARAMS] = "params", [COUNTS_WEIGHTS] = "weights", [COUNTS_BIASES] = "biases", [COUNTS_MACS] = "macs",
    [COUNTS_MACS_INSIDE] = "macs_inside", [COUNTS_FLOPS] = "flops", [COUNTS_BIAS_ADDS] = "bias_adds",
    [COUNTS_BYTES] = "bytes",
};

const char *counts_name(enum counts_quantity quantity) { return quantity_names[quantity]; }

int64_t counts_value(const struct conv_count *count, enum counts_quantity quantity)
{
    const int64_t values[COUNTS_QUANTITIES] = {
        [COUNTS_PARAMS] = count->weights + count->biases, [COUNTS_WEIGHTS] = count->weights,
        [COUNTS_BIASES] = count->biases, [COUNTS_MACS] = count->macs, [COUNTS_MACS_INSIDE] = count->macs_inside,
        [COUNTS_FLOPS] = 2 * count->macs, [COUNTS_BIAS_ADDS] = count->bias_adds, [COUNTS_BYTES] = count->bytes,
    };
    return values[quantity];
}

char *counts_formula(char text[256], const struct conv_problem *p)
{
    size_t used = (size_t)snprintf(text, 256, "%" PRId64 " * %" PRId64 " * %" PRId64, p->n, p->k, p->c / p->groups);
    for (int a = CONV_AXES - p->rank; a < CONV_AXES && used < 256; a++)
        used += (size_t)snprintf(text + used, 256 - used, " * (%" PRId64 "*%" PRId64 ")", p->axis[a].filter,
                                 p->op == CONV_OP_TRANSPOSED ? p->axis[a].in : p->axis[a].out);
    return text;
}

/* What a quantity is, in words. */
static char *describe(char words[320], enum counts_quantity quantity, const struct conv_count *count,
                      const struct conv_problem *problem)
{
    static const char *const plain[COUNTS_QUANTITIES] = {
        [COUNTS_PARAMS] = "weights and biases", [COUNTS_FLOPS] = "2 * macs",
        [COUNTS_BIAS_ADDS] = "additions of a bias", [COUNTS_BYTES] = "every operand of the pass, once",
    };
    char formula[256];
    snprintf(words, 320, "%s", plain[quantity] ? plain[quantity] : "");
    if (quantity == COUNTS_MACS)
        snprintf(words, 320, "multiply-adds: %s", problem->op == CONV_OP_SEPARABLE
                 ? problem->expand > 0 ? "a pointwise stage, a depthwise one, then a pointwise one"
                 : "a depthwise stage, then a pointwise one" : counts_formula(formula, problem));
    if (quantity == COUNTS_MACS_INSIDE)
        snprintf(words, 320, "without products with padding, which are %.2f %%",
                 count->macs ? 100.0 * (double)(count->macs - count->macs_inside) / (double)count->macs : 0.0);
    return words;
}

static struct table *problem_table(const struct conv_problem *problem)
{
    static const struct table_column columns[] = {
        { "quantity", "quantity", false }, { "value", "value", true }, { "what", "what it is", false },
    };
    struct table *table = table_create(columns, 3);
    struct conv_count count;
    char words[320];
    conv_count_problem(&count, problem);
    for (enum counts_quantity quantity = 0; quantity < COUNTS_QUANTITIES; quantity++) {
        table_text(table, counts_name(quantity));
        table_integer(table, counts_value(&count, quantity));
        table_text(table, describe(words, quantity, &count, problem));
    }
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
    if (view->cite) {
        counts_cite_problem(file, view, problem);
        return;
    }
    if (view->format == TABLE_JSON) {
        counts_print_json(file, counts_problem_json(view, problem));
        return;
    }
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

static bool is_row(const struct conv_node *node)
{
    return !node->aux && !node->fixed
        && (conv_node_is_conv(node) || conv_node_is_fc(node) || node->kind == CONV_NODE_PRODUCT
            || node->kind == CONV_NODE_RECURRENT);
}

static const char *node_kind(const struct conv_node *node)
{
    return conv_node_is_conv(node) ? conv_kind_name(conv_problem_kind(&node->problem))
                                   : conv_node_kind_name(node->kind);
}

static char *node_size(char text[128], const struct conv_node *node, bool out)
{
    const struct conv_problem *p = &node->problem;
    struct conv_shape shape = out ? node->out : node->in;
    char size[96];
    if (p->rank > 0) {
        shape.rank = p->rank;
        shape.c = out ? p->k : p->c;
        for (int a = 0; a < CONV_AXES; a++)
            shape.size[a] = out ? p->axis[a].out : p->axis[a].in;
    }
    snprintf(text, 128, "%" PRId64 " x %s", shape.c,
             conv_shape_print(size, shape.rank, shape.size + CONV_AXES - shape.rank));
    return text;
}

static char *node_filter(char text[96], const struct conv_node *node)
{
    const struct conv_problem *p = &node->problem;
    int64_t dims[CONV_AXES];
    for (int a = 0; a < p->rank; a++)
        dims[a] = p->axis[CONV_AXES - p->rank + a].filter;
    *text = 0;
    return p->rank > 0 ? conv_shape_print(text, p->rank, dims) : text;
}

static double share_of(const struct conv_node *node, const struct conv_network *network)
{
    const int64_t all = network->totals[CONV_TOTAL_MACS];
    return all > 0 ? (double)conv_node_macs(node) / (double)all : 0;
}

/* For people: what fits on a line. */
static struct table *layer_table(const struct conv_network *network)
{
    static const struct table_column columns[] = {
        { "layer", "layer", false }, { "kind", "kind", false }, { "in", "in", false }, { "out", "out", false },
        { "filter", "filter", false }, { "params", "params", true }, { "macs", "MACs", true },
        { "macs_inside", "without padding", true }, { "share", "share", true }, { "intensity", "FLOP/byte", true },
    };
    struct table *table = table_create(columns, 10);
    struct conv_count count;
    char text[128];
    for (int i = 0; i < network->node_count; i++) {
        const struct conv_node *node = &network->nodes[i];
        if (!is_row(node))
            continue;
        const bool layer = node->problem.rank > 0;
        table_text(table, node->label);
        table_text(table, node_kind(node));
        table_text(table, node_size(text, node, false));
        table_text(table, node_size(text, node, true));
        table_text(table, node_filter(text, node));
        table_integer(table, conv_node_params(node));
        table_integer(table, conv_node_macs(node));
        if (layer)
            conv_count_problem(&count, &node->problem);
        table_integer(table, layer ? count.macs_inside : conv_node_macs(node));
        table_real(table, 100 * share_of(node, network), "%.1f %%");
        if (layer)
            table_real(table, count.intensity, "%.1f");
        else
            table_missing(table);
    }
    return table;
}

static void add_number(struct table *table, bool known, int64_t number)
{
    if (known)
        table_integer(table, number);
    else
        table_missing(table);
}

/* Products and recurrent nodes are no problems: of their quantities, parameters and multiply-adds are known. */
static void add_quantities(struct table *table, const struct conv_node *node)
{
    const bool layer = node->problem.rank > 0;
    struct conv_count count = { .macs = conv_node_macs(node), .macs_inside = conv_node_macs(node) };
    if (layer)
        conv_count_problem(&count, &node->problem);
    for (enum counts_quantity quantity = 0; quantity < COUNTS_QUANTITIES; quantity++) {
        const bool known = quantity == COUNTS_PARAMS || quantity == COUNTS_MACS || quantity == COUNTS_MACS_INSIDE
                        || quantity == COUNTS_FLOPS;
        add_number(table, layer || known,
                   quantity == COUNTS_PARAMS ? conv_node_params(node) : counts_value(&count, quantity));
    }
    if (layer)
        table_real(table, count.intensity, "%.2f");
    else
        table_missing(table);
}

static void add_layer_row(struct table *table, const struct conv_node *node, double share)
{
    char text[CONV_PROBLEM_TEXT];
    table_text(table, node->label);
    table_text(table, node_kind(node));
    table_text(table, node->problem.rank > 0 ? conv_problem_print(text, &node->problem) : NULL);
    table_text(table, node_size(text, node, false));
    table_text(table, node_size(text, node, true));
    table_text(table, *node_filter(text, node) ? text : NULL);
    add_quantities(table, node);
    table_real(table, share, "%.4f");
}

/* For programs: the keys of a problem, and what the layer is called. */
struct table *counts_layers(const struct conv_network *network)
{
    enum { FRONT = 6, ALL = FRONT + COUNTS_QUANTITIES + 2 };
    static struct table_column columns[ALL] = {
        { "layer", "layer", false }, { "kind", "kind", false }, { "problem", "problem", false },
        { "in", "in", false }, { "out", "out", false }, { "filter", "filter", false },
        [ALL - 2] = { "intensity", "intensity", true }, { "share", "share", true },
    };
    for (int q = 0; q < COUNTS_QUANTITIES; q++)
        columns[FRONT + q] = (struct table_column){ quantity_names[q], quantity_names[q], true };
    struct table *table = table_create(columns, ALL);
    for (int i = 0; i < network->node_count; i++)
        if (is_row(&network->nodes[i]))
            add_layer_row(table, &network->nodes[i], share_of(&network->nodes[i], network));
    return table;
}

/* Totals of which there is something to say. */
static bool is_shown(const struct conv_network *network, enum conv_total total)
{
    return network->totals[total] && total != CONV_TOTAL_CONNECTIONS;
}

static void print_total_table(FILE *file, enum table_format format, const struct conv_network *network)
{
    static const struct table_column columns[] = { { "total", "total", false }, { "value", "value", true } };
    struct table *table = table_create(columns, 2);
    for (enum conv_total total = 0; total < CONV_TOTALS; total++)
        if (is_shown(network, total)) {
            table_text(table, conv_total_name(total));
            table_integer(table, network->totals[total]);
        }
    if (conv_network_unknowns(network) > 0) {
        table_text(table, "nodes not understood: totals are too small");
        table_integer(table, conv_network_unknowns(network));
    }
    fputc('\n', file);
    table_print(table, file, format);
    table_free(table);
}

static void print_totals(FILE *file, const struct conv_network *network)
{
    char number[32];
    const char *more = conv_network_unknowns(network) > 0 ? " or more" : "";
    fputc('\n', file);
    for (enum conv_total total = 0; total < CONV_TOTALS; total++)
        if (is_shown(network, total))
            fprintf(file, "%-28s %18s%s\n", conv_total_name(total),
                    table_thousands(number, network->totals[total]), more);
    if (conv_network_unknowns(network) > 0)
        fprintf(file, "%-28s %18d\n", "nodes not understood", conv_network_unknowns(network));
    if (network->published)
        fprintf(file, "\npublished: %s\n", network->published);
    if (network->note)
        fprintf(file, "note: %s\n", network->note);
    if (network->expectation_count > 0)
        fprintf(file, "\n%d published totals: %s\n", network->expectation_count,
                conv_network_check(network) ? "not all as expected" : "all exactly as expected");
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
    if (view->cite) {
        counts_cite_network(file, view, network);
        return;
    }
    if (view->format == TABLE_JSON) {
        counts_print_json(file, counts_network_json(view, network));
        return;
    }
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
    const bool for_people = view->format == TABLE_TEXT || table_is_for_paper(view->format);
    struct table *table = for_people ? layer_table(network) : counts_layers(network);
    table_print(table, file, view->format);
    if (view->format == TABLE_TEXT)
        print_totals(file, network);
    else if (for_people)
        print_total_table(file, view->format, network);
    table_free(table);
}
