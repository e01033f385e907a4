/* cite.c - how to quote a count: the formula, the convention, a sentence and an entry for BibTeX.
 *
 * A figure without its convention can't be checked: the same network has 300 and 327 million "MACs" in two papers,
 * and both are right.   Declared in counts.h.   Read next: docs/counting.md
 */
#include <inttypes.h>
#include <string.h>

#include "verify/report/counts.h"

static const char ours[] = "multiply-adds (MACs): products with padding are counted, additions of biases are not";

/* 73156608 -> "73.2 million"; below a million all digits. */
static const char *in_words(char text[48], int64_t number)
{
    static const struct { double from; const char *word; } units[] = {
        { 1e12, "trillion" }, { 1e9, "billion" }, { 1e6, "million" },
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if ((double)number >= units[i].from * 0.9995 && number >= 1000000) {   /* 999.6 million is 1 billion */
            snprintf(text, 48, "%.3g %s", (double)number / units[i].from, units[i].word);
            return text;
        }
    return table_thousands(text, number);
}

/* The convention whose figure is quoted: a tool's, or our own. */
struct quoted { char convention[160], unit[64]; int64_t macs; };

static struct quoted quote_tool(int index, int64_t figure)
{
    const struct conv_convention facts = conv_convention_at(index);
    struct quoted made = { .macs = figure };
    snprintf(made.convention, sizeof made.convention, "%s%s%s: %s; `--convention %s --why` has its terms", facts.name,
             *facts.version ? " " : "", facts.version, facts.unit, facts.name);
    snprintf(made.unit, sizeof made.unit, "%s as %s%s%s prints them", facts.unit, facts.name,
             *facts.version ? " " : "", facts.version);
    return made;
}

static struct quoted quote_ours(int64_t macs)
{
    struct quoted made = { .macs = macs };
    snprintf(made.convention, sizeof made.convention, "%s", ours);
    snprintf(made.unit, sizeof made.unit, "multiply-adds");
    return made;
}

/* "73.2 million parameters (73,156,608)"; below a million the digits alone. */
static void print_number(FILE *file, int64_t number, const char *unit)
{
    char words[48], digits[32];
    fprintf(file, "%s %s", in_words(words, number), unit);
    if (number >= 1000000)
        fprintf(file, " (%s)", table_thousands(digits, number));
}

static void print_quote(FILE *file, const char *of, int64_t params, const struct quoted *quoted, const char *least)
{
    fprintf(file, "convention  %s\nquote       %s has %s", quoted->convention, of, least);
    print_number(file, params, "parameters");
    fprintf(file, " and needs %s", least);
    print_number(file, quoted->macs, quoted->unit);
    fprintf(file, ", counted with convref %s%s.\n\n", conv_version(),
            strcmp(quoted->convention, ours) ? "" : "; padding counted, biases not");
    fprintf(file, "@software{convref,\n  title   = {convref: a reference and verification suite for convolutions},\n"
                  "  author  = {{The convref authors}},\n  version = {%s},\n  year    = {2026}\n}\n", conv_version());
}

/* ---- a problem ------------------------------------------------------------------------------------------------- */

static void print_formula(FILE *file, const struct conv_problem *p, const struct conv_count *count)
{
    const bool transposed = p->op == CONV_OP_TRANSPOSED;
    char factors[256], number[32];
    if (p->expand > 0) {
        fprintf(file, "formula     macs = N * C * E * PRODUCT of in + N * E*M * PRODUCT of filter * out + N * K * E*M "
                "* PRODUCT of out = %s\n", table_thousands(number, count->macs));
        fprintf(file, "            params = C * E + E*M * PRODUCT of filter + K * E*M%s = %s\n",
                p->bias ? " + E + E*M + K" : "", table_thousands(number, count->weights + count->biases));
        return;
    }
    if (p->op == CONV_OP_SEPARABLE) {
        fprintf(file, "formula     macs = N * C*M * PRODUCT of filter * out + N * K * C*M * PRODUCT of out = %s\n",
                table_thousands(number, count->macs));
        fprintf(file, "            params = C*M * PRODUCT of filter + K * C*M%s = %s\n", p->bias ? " + C*M + K" : "",
                table_thousands(number, count->weights + count->biases));
        return;
    }
    fprintf(file, "formula     macs = N * K * C/G * PRODUCT of filter * %s\n", transposed ? "in" : "out");
    fprintf(file, "                 = %s = %s\n", counts_formula(factors, p), table_thousands(number, count->macs));
    fprintf(file, "            params = K * C/G * PRODUCT of filter%s = %s\n", p->bias ? " + K" : "",
            table_thousands(number, count->weights + count->biases));
}

void counts_cite_problem(FILE *file, const struct count_view *view, const struct conv_problem *problem)
{
    char text[CONV_PROBLEM_TEXT], of[CONV_PROBLEM_TEXT + 32];
    struct conv_term terms[CONV_MOST_TERMS];
    struct conv_count count;
    int term_count;
    conv_count_problem(&count, problem);
    snprintf(of, sizeof of, "The layer `%s`", conv_problem_print(text, problem));
    print_formula(file, problem, &count);
    const struct quoted quoted = view->convention < 0 ? quote_ours(count.macs)
        : quote_tool(view->convention, conv_convention_problem(terms, &term_count, view->convention, problem));
    print_quote(file, of, count.weights + count.biases, &quoted, "");
}

/* ---- a network ------------------------------------------------------------------------------------------------- */

void counts_cite_network(FILE *file, const struct count_view *view, const struct conv_network *network)
{
    const int64_t *totals = network->totals;
    struct conv_term terms[CONV_MOST_TERMS];
    char of[96], number[32];
    int term_count;
    const bool tool = view->convention >= 0;
    const int missing = tool ? conv_convention_missing(view->convention, network) : conv_network_unknowns(network);
    const struct quoted quoted = !tool ? quote_ours(totals[CONV_TOTAL_MACS])
        : quote_tool(view->convention, conv_convention_network(terms, &term_count, view->convention, network));
    fputs("formula     macs = SUM over the layers of N * K * C/G * PRODUCT of filter * out; transposed ones: * in;\n"
          "            matrix products: the product of their three sizes\n", file);
    for (enum conv_total total = 0; total < CONV_TOTALS; total++)
        if (totals[total] && (total == CONV_TOTAL_MACS_CONV || total == CONV_TOTAL_MACS_FC
                              || total == CONV_TOTAL_MACS_PRODUCTS || total == CONV_TOTAL_MACS_RECURRENT))
            fprintf(file, "            %-15s  %s\n", conv_total_name(total), table_thousands(number, totals[total]));
    if (network->published)
        fprintf(file, "published   %s\n", network->published);
    if (network->source)
        fprintf(file, "source      %s\n", network->source);
    if (missing > 0)
        fprintf(file, "incomplete  %d node%s missing\n", missing, missing == 1 ? " is" : "s are");
    snprintf(of, sizeof of, "The network %s", network->name);
    print_quote(file, of, totals[CONV_TOTAL_PARAMS], &quoted, missing > 0 ? "at least " : "");
}
