/* cmd_list.c - convref list: the kernels and what they compute.   Read next: cmd_show.c */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "verify/cli/options.h"
#include "verify/cli/names.h"
#include "verify/program/verbs.h"

struct arguments { struct cli cli; const char *pattern; const char *problem; };

static const struct argp_option options[] = {
    { "for", 'F', "PROBLEM", 0, "only the kernels that compute this problem, or why not", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->cli;
        return 0;
    case 'F':
        arguments->problem = text;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->pattern)
            argp_error(state, "one pattern is enough, '%s' is the second", text);
        arguments->pattern = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add_row(struct table *table, const struct conv_kernel *kernel, const char *why, bool asked)
{
    char text[256];
    table_text(table, kernel->name);
    table_text(table, kernel->title);
    table_text(table, names_of_kinds(text, kernel));
    table_text(table, names_of_passes(text, kernel));
    table_text(table, names_of_layouts(text, kernel));
    table_text(table, conv_isa_name(kernel->isa));
    if (asked)
        table_text(table, why ? why : "yes");
}

static bool matches_any(const char *pattern)
{
    bool any = false;
    for (int i = 0; i < conv_kernel_count(); i++)
        any = any || fnmatch(pattern, conv_kernel_at(i)->name, 0) == 0;
    return any;
}

int cmd_list(int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_output_argp, 0, NULL, 0 }, { &cli_kernel_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "[PATTERN]",
        "List the kernels, in the order in which to read them.\v"
        "PATTERN is a shell pattern such as \"dw_*\".", children, NULL, NULL };
    static const struct table_column columns[] = {
        { "kernel", "kernel", false }, { "title", "what this step changes", false },
        { "kinds", "computes", false }, { "passes", "passes", false }, { "layouts", "channels", false },
        { "isa", "compiled for", false }, { "applies", "applies", false },
    };
    struct arguments arguments = { .cli = cli_defaults() };
    struct conv_problem problem;
    struct conv_error error;
    struct conv_output output;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.problem && conv_problem_parse(&problem, arguments.problem, &error) != CONV_OK)
        return cli_error(&error, arguments.problem);
    if (arguments.pattern && !matches_any(arguments.pattern))
        return cli_unknown(arguments.pattern, "the name of a kernel or a pattern of names",
                           "`convref list` shows all of them");
    if (conv_output_open(&output, arguments.cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);

    struct table *table = table_create(columns, arguments.problem ? 7 : 6);
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        if (!arguments.pattern || fnmatch(arguments.pattern, kernel->name, 0) == 0)
            add_row(table, kernel, arguments.problem ? conv_kernel_refuses(kernel, &problem) : NULL,
                    arguments.problem != NULL);
    }
    table_print(table, output.file, arguments.cli.format);
    table_free(table);
    if (conv_output_commit(&output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    return 0;
}
