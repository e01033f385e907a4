/* cmd_show.c - convref show: all about one kernel.   Read next: the file that it names */
#include <string.h>

#include "core/calls.h"
#include "verify/cli/options.h"
#include "verify/cli/names.h"
#include "verify/program/verbs.h"

struct arguments { struct cli cli; const char *name; };

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->cli;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->name)
            argp_error(state, "one kernel at a time, '%s' is the second", text);
        arguments->name = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which kernel?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char *next_step(const struct conv_kernel *kernel)
{
    for (int i = 0; i < conv_kernel_count(); i++)
        if (conv_kernel_at(i)->from && !strcmp(conv_kernel_at(i)->from, kernel->name))
            return conv_kernel_at(i)->name;
    return "";
}

int cmd_show(int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_kernel_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { NULL, parse, "KERNEL", "Show all about one kernel.", children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults() };
    char text[256], ladder[32];
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    const struct conv_kernel *kernel = cli_kernel(arguments.name);
    if (!kernel)
        return EXIT_USAGE;

    printf("%s - %s\n\n", kernel->name, kernel->title);
    printf("  computes      %s\n", names_of_kinds(text, kernel));
    printf("  passes        %s\n", names_of_passes(text, kernel));
    printf("  channels      %s\n", names_of_layouts(text, kernel));
    printf("  types         %s\n", names_of_types(text, kernel));
    printf("  threads       %s\n", kernel->threaded ? "as many as it is told" : "one");
    printf("  weights       %s\n", kernel_packs(kernel) ? "packed beforehand" : "as they are");
    printf("  compiled for  %s\n", conv_isa_name(kernel->isa));
    printf("  source        %s\n", conv_kernel_source(kernel));
    if (kernel->from)
        printf("  grew out of   %s\n", kernel->from);
    if (next_step(kernel)[0])
        printf("  next step     %s\n", next_step(kernel));
    if (conv_kernel_ladder(ladder, kernel)[0] && kernel->from)
        printf("\nWhat changed: tools/step-diff %s\n", kernel->name);
    return 0;
}
