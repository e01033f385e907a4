/* cmd_explain.c - convref explain: a problem in pictures and numbers.
 *
 * Prints the shapes, what one window covers, the formula with this problem's numbers, and one output computed by
 * hand: every product, with the seeded data that `convref run` would use.  With --kernel it explains what a kernel of
 * CUDA moves for the problem (explain_kernel.c).   Read next: cmd_count.c
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/cli/options.h"
#include "verify/program/explain_kernel.h"
#include "verify/program/verbs.h"

enum { KEY_AGAINST = CLI_KEYS, KEY_CARD };

struct arguments { struct cli cli; const char *problem, *at, *kernel, *against, *card; };

static const struct argp_option options[] = {
    { "at", 'a', "N,K,[Z,[P,]]Q", 0, "the output to compute by hand [the first with a full window]", 0 },
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

/* ---- the window: one row of the image, its padding, and the taps ----------------------------------------------- */

static void print_window_along(const struct conv_axis *axis, char letter, int64_t out)
{
    enum { WIDEST = 60 };
    const int64_t first = -axis->pad_begin, last = axis->in + axis->pad_end;
    if (last - first > WIDEST) {
        const struct conv_range taps = conv_taps_inside(axis, out);
        printf("  %c: taps at ", letter);
        for (int64_t tap = 0; tap < axis->filter; tap++)
            printf("%s%" PRId64, tap > 0 ? ", " : "", conv_input_at(axis, out, tap));
        printf(" of 0..%" PRId64 "; %" PRId64 " of %" PRId64 " inside\n", axis->in - 1, taps.end - taps.begin,
               axis->filter);
        return;
    }
    printf("  %c: ", letter);
    for (int64_t at = first; at < last; at++) {
        bool is_tap = false;
        for (int64_t tap = 0; tap < axis->filter; tap++)
            is_tap = is_tap || conv_input_at(axis, out, tap) == at;
        fputs(conv_inside(axis, at) ? is_tap ? "#" : "." : is_tap ? "0" : "-", stdout);
    }
    fputc('\n', stdout);
}

static void print_window(const struct conv_problem *p, const int64_t index[5])
{
    printf("\nThe window of that output   # tap   . image   0 tap in the padding   - padding\n");
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++)
        print_window_along(&p->axis[a], "DHW"[a], index[2 + a]);
}

/* ---- one output by hand ---------------------------------------------------------------------------------------- */

/* The output asked for with --at, or the first whose window has no padding, or the first. */
static int choose_output(int64_t index[5], const struct conv_problem *p, const char *asked)
{
    const char *at = asked;
    const int64_t sizes[5] = { p->n, p->k, p->axis[0].out, p->axis[1].out, p->axis[2].out };
    memset(index, 0, 5 * sizeof *index);
    for (int a = 0; a < CONV_AXES && !at; a++) {
        /* the first window that begins inside the image; if that one has padding, all have */
        const int64_t out = conv_ceil_div(p->axis[a].pad_begin, p->axis[a].stride);
        const struct conv_range taps = conv_taps_inside(&p->axis[a], out);
        if (out < p->axis[a].out && taps.end - taps.begin == p->axis[a].filter)
            index[2 + a] = out;
    }
    for (int i = 0; at && i < 5; i++) {
        char *end;
        if (i == 2)
            i += CONV_AXES - p->rank;
        index[i] = strtoll(at, &end, 10);
        if (end == at || index[i] < 0 || index[i] >= sizes[i] || *end != (i < 4 ? ',' : 0))
            return cli_unknown(asked, "an output of this problem",
                               "--at is n,k and one number for each axis, below the sizes of y");
        at = end + 1;
    }
    return 0;
}

static double value_of(const struct conv_fill *fill, const struct conv_problem *p, enum conv_operand operand,
                       int64_t i)
{
    return conv_fill_value(fill, conv_operand_name(p, operand), i);
}

/* Position of x[n][c][d][h][w] in memory. */
static int64_t x_at(const struct conv_problem *p, int64_t n, int64_t c, int64_t d, int64_t h, int64_t w)
{
    const struct conv_axis *a = p->axis;
    const int64_t position = (d * a[1].in + h) * a[2].in + w, positions = a[0].in * a[1].in * a[2].in;
    return p->layout == CONV_CHANNELS_LAST ? (n * positions + position) * p->c + c
                                           : (n * p->c + c) * positions + position;
}

/* "x[0][1][2][3]" without the axes that the problem lacks, and in the order of its layout */
static void print_element(const struct conv_problem *p, const char *name, int64_t n, int64_t c,
                          const int64_t position[3])
{
    printf("%s[%" PRId64 "]", name, n);
    if (p->layout == CONV_CHANNELS_FIRST)
        printf("[%" PRId64 "]", c);
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++)
        printf("[%" PRId64 "]", position[a]);
    if (p->layout == CONV_CHANNELS_LAST)
        printf("[%" PRId64 "]", c);
}

static double print_products(const struct conv_problem *p, const struct conv_fill *fill, const int64_t index[5])
{
    enum { MOST_LINES = 60 };
    const int64_t channels = p->c / p->groups, first = index[1] / (p->k / p->groups) * channels;
    const int64_t T = p->axis[0].filter, R = p->axis[1].filter, S = p->axis[2].filter;
    double sum = p->bias ? value_of(fill, p, CONV_BIAS, index[1]) : 0;
    int64_t lines = 0, taps = 0;
    if (p->bias)
        printf("      bias[%" PRId64 "]%*s = %5g\n", index[1], 36, "", sum);
    for (int64_t i = 0; i < channels * T * R * S; i++) {
        const int64_t s = i % S, r = i / S % R, t = i / S / R % T, c = i / S / R / T;
        const int64_t at[3] = { conv_input_at(&p->axis[0], index[2], t), conv_input_at(&p->axis[1], index[3], r),
                                conv_input_at(&p->axis[2], index[4], s) };
        const int64_t tap[3] = { t, r, s };
        if (!conv_inside(&p->axis[0], at[0]) || !conv_inside(&p->axis[1], at[1]) || !conv_inside(&p->axis[2], at[2]))
            continue;
        const double x = value_of(fill, p, CONV_X, x_at(p, index[0], first + c, at[0], at[1], at[2]));
        const double w = value_of(fill, p, CONV_WEIGHTS, index[1] * channels * T * R * S + i);
        sum += x * w;
        taps++;
        if (lines++ >= MOST_LINES)
            continue;
        fputs("    + ", stdout);
        print_element(p, "x", index[0], first + c, at);
        printf(" * w[%" PRId64 "][%" PRId64 "]", index[1], c);
        for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++)
            printf("[%" PRId64 "]", tap[a]);
        printf(" = %5g * %5g = %6g\n", x, w, x * w);
    }
    if (lines > MOST_LINES)
        printf("    + ... %" PRId64 " more products\n", lines - MOST_LINES);
    printf("    = %g   (%" PRId64 " products)\n", sum, taps);
    return sum;
}

static void print_by_hand(const struct conv_problem *p, uint64_t seed, const int64_t index[5])
{
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, conv_exact_range(p) > 0 ? conv_exact_range(p) : 1, 0 };
    printf("\nBy hand, with integers of seed %" PRIu64 " (as `convref run` fills them)\n  ", seed);
    print_element(p, "y", index[0], index[1], index + 2);
    puts("");
    const double sum = print_products(p, &fill, index);
    if (p->act != CONV_ACT_NONE)
        printf("    %s -> %g\n", conv_activation_name(p->act), (double)conv_activate(p->act, (float)sum));
}

/* ---- the verb -------------------------------------------------------------------------------------------------- */

static void print_formula(const struct conv_problem *p)
{
    static const char *const formulas[CONV_KINDS] = {
        [CONV_STANDARD] = "y[n][k][p][q] = bias[k] + SUM over c,r,s of x[n][c][h][w] * w[k][c][r][s]",
        [CONV_POINTWISE] = "y[n][k][p][q] = bias[k] + SUM over c of x[n][c][h][w] * w[k][c]",
        [CONV_GROUPED] = "y[n][g][k][p][q] = bias[g][k] + SUM over c,r,s of x[n][g][c][h][w] * w[g][k][c][r][s]",
        [CONV_DEPTHWISE] = "y[n][c][m][p][q] = bias[c][m] + SUM over r,s of x[n][c][h][w] * w[c][m][r][s]",
        [CONV_SEPARABLE] = "m[c][p][q] = SUM over r,s of x[n][c][h][w] * w[c][r][s];  "
                           "y[n][k][p][q] = SUM over c of m[c][p][q] * pw[k][c]",
        [CONV_TRANSPOSED] = "y[n][k][p][q] = bias[k] + SUM of x[n][c][h][w] * w[c][k][r][s] where "
                            "h * stride - pad + r * dilation = p, and so for w, s, q",
    };
    const enum conv_kind kind = conv_problem_kind(p);
    printf("\n%s\n", formulas[kind]);
    if (kind != CONV_TRANSPOSED)
        printf("  where h = p * stride - pad + r * dilation, and so for w, q, s\n");
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
    int64_t index[5];
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (conv_problem_parse(&problem, arguments.problem, &error) != CONV_OK)
        return cli_error(&error, arguments.problem);
    if (arguments.kernel)
        return explain_kernel(arguments.kernel, arguments.against, arguments.card ? arguments.card : "h100", &problem,
                              arguments.cli.seed);
    const int status = choose_output(index, &problem, arguments.at);
    if (status)
        return status;

    conv_count_problem(&count, &problem);
    printf("%s, %s: %s\n\n", conv_kind_name(conv_problem_kind(&problem)), conv_pass_name(problem.pass),
           conv_problem_print(text, &problem));
    print_shapes(&problem);
    puts("");
    print_sizes(&problem);
    print_formula(&problem);
    printf("  %s multiply-adds, ", table_thousands(number, count.macs));
    printf("%s of them inside the image; ", table_thousands(number, count.macs_inside));
    printf("%s parameters\n", table_thousands(number, count.weights + count.biases));
    enum { MOST_PRODUCTS = 1 << 24 };   /* a sum that a person waits for */
    const bool by_hand = problem.op == CONV_OP_CONV && problem.pass == CONV_FORWARD;
    if (problem.n == 0) {
        puts("\n(n=0: there are no images, and no output whose window or sum could be shown.)");
    } else if (by_hand && conv_fan_in(&problem) > MOST_PRODUCTS) {
        puts("\n(The window and the sum by hand are left out: one output has more than 2^24 products.)");
    } else if (by_hand) {
        print_window(&problem, index);
        print_by_hand(&problem, arguments.cli.seed, index);
    } else {
        puts("\n(The window and the sum by hand are shown for forward convolutions.)");
    }
    return 0;
}
