/* cmd_explain.c - convref explain: a problem in pictures and numbers.
 *
 * Prints the shapes, what one window covers, the formula with this problem's numbers, and one output computed by
 * hand: every product, with the seeded data that `convref run` would use.  --svg draws the same.  With --kernel it
 * explains what a kernel of CUDA moves for the problem (explain_kernel.c).   Read next: explain_output.h, cmd_count.c
 */
#include <inttypes.h>
#include <stdlib.h>

#include "verify/cli/options.h"
#include "verify/io/output.h"
#include "verify/program/explain_kernel.h"
#include "verify/program/explain_output.h"
#include "verify/program/verbs.h"

enum { KEY_AGAINST = CLI_KEYS, KEY_CARD, KEY_SVG };

struct arguments { struct cli cli; const char *problem, *at, *svg, *kernel, *against, *card; };

static const struct argp_option options[] = {
    { "at", 'a', "N,K,[Z,[P,]]Q", 0, "the output to compute by hand [the first with a full window]; of backward_data "
      "N,C,[D,[H,]]W of dx, of backward_weights K,C,[T,[R,]]S of dw", 0 },
    { "svg", KEY_SVG, "FILE.svg", 0, "draw the window over the image, with its numbers, for slides", 0 },
    { "kernel", 'k', "NAME", 0, "what a GPU would move for this kernel of CUDA, line by line, and the least time for "
      "that", 0 },
    { "against", KEY_AGAINST, "NAME", 0, "with --kernel: a second kernel beside it", 0 },
    { "card", KEY_CARD, "NAME", 0, "with --kernel: a100, h100 or h200, as its data sheet has it [h100]", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->cli;
        return 0;
    case 'a': arguments->at = text; return 0;
    case KEY_SVG: arguments->svg = text; return 0;
    case 'k': arguments->kernel = text; return 0;
    case KEY_AGAINST: arguments->against = text; return 0;
    case KEY_CARD: arguments->card = text; return 0;
    case ARGP_KEY_ARG:
        if (arguments->problem)
            argp_error(state, "one problem at a time; put it between quotes");
        arguments->problem = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "explain what?  A problem such as \"c=2 in=6x6 k=3 filter=3x3 pad=1\"");
        return 0;
    case ARGP_KEY_END:
        if (!arguments->kernel && (arguments->against || arguments->card))
            argp_error(state, "--against and --card belong to --kernel");
        if (arguments->kernel && arguments->at)
            argp_error(state, "--at: --kernel can't be combined with it");
        if (arguments->kernel && arguments->svg)
            argp_error(state, "--svg: --kernel can't be combined with it");
        /* the module that counts, unless another was named; opened when all options have been read */
        if (arguments->kernel && arguments->cli.provider_count == 0 && explain_watched_module())
            arguments->cli.providers[arguments->cli.provider_count++] = explain_watched_module();
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- shapes ------------------------------------------------------------------------------------------------- */

static void print_shapes(const struct conv_problem *problem)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK];
        char shape[96];
        const int rank = conv_operand_shape(dims, problem, operand);
        if (rank > 0)
            printf("  %-8s %-6s %s\n", conv_operand_name(problem, operand),
                   conv_operand_role(problem, operand) == CONV_INPUT ? "in" : "out",
                   conv_shape_print(shape, rank, dims));
    }
}

/* The output's size along each axis, with the formula. */
static void print_sizes(const struct conv_problem *p)
{
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++) {
        const struct conv_axis *x = &p->axis[a];
        const char in = "DHW"[a], out = "ZPQ"[a];
        if (p->op == CONV_OP_TRANSPOSED)
            printf("  %c = (%c - 1) * stride + extent + output_pad - pad = (%" PRId64 " - 1) * %" PRId64 " + %" PRId64
                   " + %" PRId64 " - %" PRId64 " = %" PRId64 "\n", out, in, x->in, x->stride, conv_extent(x), x->output_pad,
                   x->pad_begin + x->pad_end, x->out);
        else
            printf("  %c = floor((%c + pad - extent) / stride) + 1 = floor((%" PRId64 " + %" PRId64 " - %" PRId64 ") / %"
                   PRId64 ") + 1 = %" PRId64 "\n", out, in, x->in, x->pad_begin + x->pad_end, conv_extent(x), x->stride, x->out);
    }
}

/* ---- the verb -------------------------------------------------------------------------------------------------- */

static int draw(const char *path, const struct explained *explained)
{
    struct conv_output output;
    struct conv_error error;
    if (conv_output_open(&output, path, &error) != CONV_OK)
        return cli_error(&error, NULL);
    explain_draw(output.file, explained);
    if (conv_output_commit(&output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    printf("\n%s\n", path);
    return 0;
}

int cmd_explain(int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_kernel_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "PROBLEM",
        "Explain a problem: shapes, window, formula, one output computed by hand.\v"
        "With --kernel the kernel runs once in the emulator that counts, cuda-watched.so.  Its counts are exact, and "
        "are no times.  The bound is the largest of the times that they take on the card, if everything overlaps and "
        "caches are cold: no time was measured.", children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults() };
    struct conv_problem problem;
    struct conv_error error;
    struct conv_count count;
    char text[CONV_PROBLEM_TEXT], number[32];
    struct explained explained;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (conv_problem_parse(&problem, arguments.problem, &error) != CONV_OK)
        return cli_error(&error, arguments.problem);
    if (arguments.kernel)
        return explain_kernel(arguments.kernel, arguments.against, arguments.card ? arguments.card : "h100", &problem,
                              arguments.cli.seed);
    if (!explain_choose(&explained, &problem, arguments.cli.seed, arguments.at))
        return cli_unknown(arguments.at, "an output of this problem", explain_axes(&problem));
    const char *why_not = explain_refuses(&explained);
    if (arguments.svg && why_not)
        return cli_usage("--svg: there is nothing to draw", why_not);

    conv_count_problem(&count, &problem);
    printf("%s, %s: %s\n\n", conv_kind_name(conv_problem_kind(&problem)), conv_pass_name(problem.pass),
           conv_problem_print(text, &problem));
    print_shapes(&problem);
    puts("");
    print_sizes(&problem);
    explain_print_formula(&problem);
    printf("  %s multiply-adds, ", table_thousands(number, count.macs));
    printf("%s of them inside the image; ", table_thousands(number, count.macs_inside));
    printf("%s parameters\n", table_thousands(number, count.weights + count.biases));
    if (why_not) {
        printf("\n(The window and the sum by hand are left out: %s.)\n", why_not);
        return 0;
    }
    explain_print_window(&explained);
    explain_print_sum(&explained);
    return arguments.svg ? draw(arguments.svg, &explained) : 0;
}
