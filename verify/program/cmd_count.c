/* cmd_count.c - convref count: parameters, multiply-adds and bytes.
 *
 *   convref count "c=8 in=128x128 k=64 filter=3x3 bias=1"
 *   convref count mobilenet_v1 --convention ptflops --why
 *   convref count model.onnx
 *
 * The formulas are docs/counting.md.   Read next: verify/report/counts.c, verify/count/count.c,
 * verify/report/cite.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/cli/options.h"
#include "verify/onnx/onnx.h"
#include "verify/program/verbs.h"
#include "verify/report/counts.h"

enum { KEY_CONVENTION = CLI_KEYS, KEY_WHY, KEY_CONVENTIONS, KEY_IN, KEY_CITE };

struct arguments {
    struct cli cli;
    struct count_view view;
    char *in;
    const char **what;
    int count;
};

static const struct argp_option options[] = {
    { "convention", KEY_CONVENTION, "NAME", 0,
      "what another tool prints: ", 0 },   /* and help() has the names */
    { "conventions", KEY_CONVENTIONS, NULL, 0, "all of them in one table", 0 },
    { "why", KEY_WHY, NULL, 0, "the terms that make up the tool's figure", 0 },
    { "cite", KEY_CITE, NULL, 0, "the formula, the convention, and how to quote the figures", 0 },
    { "in", KEY_IN, "SIZES", 0, "sizes that an ONNX model leaves open: 224x224 of every input, NAME=1x3x224x224 of "
      "one, NAME=224 for an open size of that name, or NAME:=16000 for the number in an input; may be repeated", 0 },
    { 0 }
};

enum { CONVENTIONS_TEXT = 1024 };

/* "papers, torchvision, ..." with `last` in front of the last one.  Returns `text`. */
static char *list_conventions(char text[CONVENTIONS_TEXT], const char *last)
{
    size_t used = 0;
    const int count = conv_convention_count();
    for (int i = 0; i < count && used < CONVENTIONS_TEXT; i++)
        used += (size_t)snprintf(text + used, CONVENTIONS_TEXT - used, "%s%s",
                                 i == 0 ? "" : i + 1 < count ? ", " : last, conv_convention_at(i).name);
    return text;
}

/* The text of --convention goes on with the names in the table of conventions.  argp frees what differs. */
static char *help(int key, const char *text, void *input)
{
    char names[CONVENTIONS_TEXT], *whole = NULL;
    (void)input;
    if (key == KEY_CONVENTION && text)
        whole = malloc(strlen(text) + CONVENTIONS_TEXT);
    if (whole)
        sprintf(whole, "%s%s", text, list_conventions(names, ", "));
    return whole ? whole : (char *)text;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->cli;
        return 0;
    case KEY_CONVENTION:
        arguments->view.convention = conv_convention_find(text);
        if (arguments->view.convention < 0)
            argp_error(state, "'%s' is not a convention; they are %s", text,
                       list_conventions((char[CONVENTIONS_TEXT]){ 0 }, " and "));
        return 0;
    case KEY_CONVENTIONS:
        arguments->view.all = true;
        return 0;
    case KEY_CITE:
        arguments->view.cite = true;
        return 0;
    case KEY_IN:
        arguments->in = cli_add_in(arguments->in, text);
        return 0;
    case KEY_WHY:
        arguments->view.why = true;
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

/* ---- networks -------------------------------------------------------------------------------------------------- */

/* The totals that the file expects: all right, or the one that isn't.  Totals that leave a node out aren't any. */
static int report_expectations(const struct conv_network *network, const struct count_view *view)
{
    if (conv_network_unknowns(network) > 0
        || (view->convention >= 0 && !view->all && conv_convention_missing(view->convention, network) > 0))
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

/* 0 done, 1 a wrong expectation, 3 an incomplete total: there is something to print.  Others are errors. */
static bool is_failure(int status) { return status == EXIT_USAGE || status == EXIT_FILE; }

static bool is_model(const char *path)
{
    const char *ending = strrchr(path, '.');
    return ending && !strcmp(ending, ".onnx");
}

static enum conv_status read_network(struct conv_network *network, const struct arguments *arguments,
                                     const char *path,
                                     struct conv_error *error)
{
    if (arguments->in && is_model(path))
        return onnx_network_read(network, path, arguments->in, error);
    return conv_network_read(network, path, error);
}

/* ---- several networks: one line each --------------------------------------------------------------------------- */

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
            counts_add_network(table, &network);
            const int result = report_expectations(&network, &arguments->view);
            table_text(table, conv_network_unknowns(&network) ? "incomplete" : result ? "NO"
                       : network.expectation_count > 0 ? "yes" : "no published totals");
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

/* ---- the verb -------------------------------------------------------------------------------------------------- */

/* Both i and o channels are in every benchdnn string, and hardly in the name of a network.  Folders may have a '='. */
static bool is_problem(const char *what)
{
    const char *in = strstr(what, "ic"), *out = strstr(what, "oc"), *ending = strrchr(what, '.');
    if (ending && (!strcmp(ending, ".onnx") || !strcmp(ending, ".net")))
        return false;
    return strpbrk(what, "= ") || !*what || (in && strchr("0123456789", in[2]))
        || (out && strchr("0123456789", out[2]));
}

static bool is_plain_text(const struct count_view *view)
{
    return view->format == TABLE_TEXT && !view->all && !view->cite && view->convention < 0;
}

/* What isn't the name of a network is a problem, if it looks like one. */
static int count_one(FILE *file, const struct arguments *arguments, const char *what)
{
    struct conv_network network;
    struct conv_problem problem;
    struct conv_error error;
    char *path = conv_network_find(what);
    if (!path) {
        if (conv_problem_parse(&problem, what, &error) == CONV_OK) {
            counts_print_problem(file, &arguments->view, &problem);
            return 0;
        }
        if (!is_problem(what)) {
            conv_fail(&error, CONV_BAD_FILE, "there is no network '%s'", what);
            conv_hint(&error,
                      "a network is a file, or the name of one in networks/; a problem is a line of key=value");
        }
        return cli_error(&error, what);
    }
    enum conv_status status = read_network(&network, arguments, path, &error);
    const bool model = is_model(path);
    free(path);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    counts_print_network(file, &arguments->view, &network);
    if (!model && network.expectation_count == 0 && is_plain_text(&arguments->view))
        fputs("\nno published totals: nothing says whether these are right\n", file);
    const int result = report_expectations(&network, &arguments->view);
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
        "and 3 if the figure is incomplete: an ONNX model has nodes that aren't understood, or a network nodes of "
        "which the convention's tool is known to count something that convref doesn't.", children, help, NULL };
    struct arguments arguments = { .cli = cli_defaults(), .view = { .convention = -1 } };
    struct conv_output output;
    struct conv_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.view.format = arguments.cli.format;
    if (arguments.view.why && arguments.view.convention < 0)
        return cli_usage("--why needs --convention", "such as --convention ptflops --why");
    if (arguments.view.cite && arguments.count > 1)
        return cli_usage("--cite quotes one count", "give one problem or one network");
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
