/* train.c - train stacks of convolutions, and say where the time goes: is it the optimizer?
 *
 *   ./train stack50 stack50_separable --image 32x32
 *   ./train stack50 stack50_separable --image 32x32 --outputs 3 --loss mse --optimizer sgd
 *   ./train mine.net --steps 50
 *
 * Networks take turns, step by step, so that what disturbs one disturbs the others.  Times are medians of the steps.
 * Not here: the training (step.c), the table (figures.c).   Read next: experiments/stack50.md, step.c
 */
#include <config.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiments/training/figures.h"
#include "verify/cli/options.h"
#include "verify/measure/busy.h"

enum { KEY_IMAGE = CLI_KEYS, KEY_BATCH, KEY_OUTPUTS, KEY_LOSS, KEY_OPTIMIZER, KEY_RATE, KEY_STEPS, KEY_KERNELS };
enum { MOST_STEPS = 100000, MOST_SIZE = 1 << 20 };

struct arguments {
    struct cli cli;
    struct training_options training;
    int steps;
    const char *names[MOST_NETWORKS];
    int count;
};

static const struct argp_option options[] = {
    { "image", KEY_IMAGE, "SIZES", 0, "sizes of the input, such as 32x32, in place of the network's", 0 },
    { "batch", KEY_BATCH, "N", 0, "images at a time [1]", 0 },
    { "outputs", KEY_OUTPUTS, "K", 0, "channels of the last layer, in place of the network's", 0 },
    { "loss", KEY_LOSS, "NAME", 0, "cross-entropy or mse [cross-entropy]", 0 },
    { "optimizer", KEY_OPTIMIZER, "NAME", 0, "sgd or adam [adam]", 0 },
    { "rate", KEY_RATE, "X", 0, "the learning rate [sgd: 0.1, adam: 0.001]", 0 },
    { "steps", KEY_STEPS, "N", 0, "steps of training [3]", 0 },
    { "kernels", KEY_KERNELS, "WAY", 0, "best, left-behind (depthwise layers by their ladders' first steps), or "
      "reference [best]", 0 },
    { 0 }
};

/* ---- options --------------------------------------------------------------------------------------------------- */

/* 32x32: one to three sizes, which stand at the last axes. */
static void read_image(int64_t image[CONV_AXES], const char *text)
{
    int64_t sizes[CONV_AXES];
    int count = 0;
    const char *at = text;
    for (char *end; count < CONV_AXES; at = end + 1) {
        const long long size = strtoll(at, &end, 10);
        const bool digit = *at >= '0' && *at <= '9';
        if (!digit || size < 1 || size > MOST_SIZE || (*end && *end != 'x'))
            break;
        sizes[count++] = size;
        if (!*end) {
            memset(image, 0, CONV_AXES * sizeof *image);
            memcpy(image + CONV_AXES - count, sizes, (size_t)count * sizeof *sizes);
            return;
        }
    }
    exit(cli_unknown(text, "a value of --image", "it is one to three sizes from 1 to 2^20, such as 32x32"));
}

static double read_rate(const char *text)
{
    char *end;
    const double rate = strtod(text, &end);
    if (end == text || *end || !(rate > 0) || !isfinite(rate))
        exit(cli_unknown(text, "a value of --rate", "it is a number above 0, such as 0.01"));
    return rate;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct training_options *o = &arguments->training;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->cli;
        return 0;
    case KEY_IMAGE: read_image(o->stack.image, text); return 0;
    case KEY_BATCH: o->stack.batch = cli_number("--batch", text, 1, MOST_SIZE); return 0;
    case KEY_OUTPUTS: o->stack.outputs = cli_number("--outputs", text, 1, MOST_SIZE); return 0;
    case KEY_STEPS: arguments->steps = (int)cli_number("--steps", text, 1, MOST_STEPS); return 0;
    case KEY_RATE: o->rate = read_rate(text); return 0;
    case KEY_KERNELS: o->stack.way = text; return 0;
    case KEY_LOSS:
        o->loss = loss_find(text);
        return o->loss ? 0 : (exit(cli_unknown(text, "a loss", "they are cross-entropy and mse")), 0);
    case KEY_OPTIMIZER:
        o->method = method_find(text);
        return o->method ? 0 : (exit(cli_unknown(text, "an optimizer", "they are sgd and adam")), 0);
    case ARGP_KEY_ARG:
        if (arguments->count == MOST_NETWORKS)
            exit(cli_usage("too many networks", "up to four are trained side by side"));
        arguments->names[arguments->count++] = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- networks -------------------------------------------------------------------------------------------------- */

static enum conv_status read_network(struct conv_network *network, const char *name, struct conv_error *error)
{
    char *path = conv_network_find(name);
    if (!path) {
        conv_fail(error, CONV_BAD_FILE, "there is no network '%s'", name);
        conv_hint(error, "a name of networks/ without .net, or a path; CONVREF_NETWORKS is their folder");
        return CONV_BAD_FILE;
    }
    const enum conv_status status = conv_network_read(network, path, error);
    free(path);
    return status;
}

/* A network as it is to be trained, and what its parts would have to do at its own size. */
static enum conv_status begin(struct training *training, struct figures *figures, const char *name,
                              const struct arguments *arguments, struct conv_error *error)
{
    struct conv_network network;
    struct stack stack, own;
    struct stack_options own_size = arguments->training.stack;
    memset(own_size.image, 0, sizeof own_size.image);
    enum conv_status status = read_network(&network, name, error);
    if (status != CONV_OK)
        return status;
    status = stack_read(&stack, &network, &arguments->training.stack, error);
    if (status == CONV_OK)
        status = training_begin(training, &stack, &arguments->training, error);
    if (status == CONV_OK) {
        *figures = (struct figures){ .stack = &training->stack, .steps = arguments->steps };
        status = stack_read(&own, &network, &own_size, error);
    }
    if (status == CONV_OK) {
        figures_scale(figures, &own);
        stack_free(&own);
        figures->seconds = calloc((size_t)arguments->steps, sizeof *figures->seconds);
        figures->losses = calloc((size_t)arguments->steps, sizeof *figures->losses);
        if (!figures->seconds || !figures->losses)
            status = conv_fail(error, CONV_NO_MEMORY, "no memory for the times of %d steps", arguments->steps);
    }
    conv_network_free(&network);
    return status;
}

static enum conv_status train(struct training *training, struct figures *figures, const struct arguments *arguments,
                              struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int step = 0; step < arguments->steps; step++)
        for (int i = 0; i < arguments->count && status == CONV_OK; i++) {
            double *seconds = training[i].stack.seconds;
            cli_progress("training", (int64_t)step * arguments->count + i,
                         (int64_t)arguments->steps * arguments->count);
            memset(seconds, 0, sizeof training[i].stack.seconds);
            status = training_step(&training[i], &figures[i].losses[step], error);
            memcpy(figures[i].seconds[step], seconds, sizeof training[i].stack.seconds);
        }
    cli_progress("training", 0, 0);
    return status;
}

/* ---- what is printed ------------------------------------------------------------------------------------------- */

static void print_machine(FILE *file, const char *prefix, int threads, double others)
{
    struct conv_machine machine;
    char day[32] = "";
    const time_t now = time(NULL);
    struct tm local;
    conv_machine_read(&machine);
    if (localtime_r(&now, &local))
        strftime(day, sizeof day, "%Y-%m-%d", &local);
    fprintf(file, "%s%s, %d cores, %s, %s %s, up to %s, convref %s, %s; %d thread%s\n", prefix, machine.cpu,
            machine.cores, machine.system, machine.compiler, machine.flags, conv_isa_name(machine.isa),
            conv_version(), day, threads, threads == 1 ? "" : "s");
    if (others > busy_limit)
        fprintf(file, "%sTHE MACHINE IS BUSY: other programs used %.1f of its %d cores.  Measure again before you "
                "quote a figure.\n", prefix, others, machine.cores);
}

static void print_head(FILE *file, const struct figures *figures, const struct arguments *arguments,
                       const char *prefix, double others)
{
    const struct training_options *o = &arguments->training;
    for (int i = 0; i < arguments->count; i++)
        if (figures_scaled(&figures[i]))
            fprintf(file, "%sSCALED %s, %s: the image is %s in place of %s: %.1f times %s multiply-adds, the same "
                    "channels, layers and parameters\n", prefix, figures[i].scale[CONV_FORWARD] > 1 ? "DOWN" : "UP",
                    figures[i].stack->name, figures[i].size, figures[i].own_size,
                    fmax(figures[i].scale[CONV_FORWARD], 1 / figures[i].scale[CONV_FORWARD]),
                    figures[i].scale[CONV_FORWARD] > 1 ? "fewer" : "more");
    for (int i = 0; i < arguments->count; i++) {
        const struct stack *stack = figures[i].stack;
        char parameters[32];
        fprintf(file, "%s%s: %d convolutions, %s parameters, %" PRId64 " outputs; %s %.4g before step 1, "
                "%.4g before step %d\n", prefix, stack->name, stack->count,
                table_thousands(parameters, stack->parameter_count),
                stack_last(stack)->problem[CONV_FORWARD].k, o->loss->name, figures[i].losses[0],
                figures[i].losses[arguments->steps - 1], arguments->steps);
    }
    fprintf(file, "%sbatch %" PRId64 ", %s with rate %g, kernels %s, seed %" PRIu64 "; a part's time is its median "
            "over %d steps\n", prefix, o->stack.batch, o->method->name, o->rate, o->stack.way, o->seed,
            arguments->steps);
    print_machine(file, prefix, o->stack.threads, others);
}

static void print(FILE *file, const struct figures *figures, const struct arguments *arguments, double others)
{
    const enum table_format format = arguments->cli.format;
    const char *prefix = format == TABLE_TSV ? "# " : format == TABLE_MARKDOWN ? "* " : "";
    if (format == TABLE_TEXT || format == TABLE_MARKDOWN || format == TABLE_TSV)
        print_head(file, figures, arguments, prefix, others);
    if (format == TABLE_TEXT || format == TABLE_MARKDOWN)
        fputc('\n', file);
    figures_print(file, format, figures, arguments->count);
}

/* ---- the program ----------------------------------------------------------------------------------------------- */

static enum conv_status run(FILE *file, const struct arguments *arguments, struct conv_error *error)
{
    struct training training[MOST_NETWORKS];
    struct figures figures[MOST_NETWORKS];
    enum conv_status status = CONV_OK;
    int begun = 0;
    memset(figures, 0, sizeof figures);
    memset(training, 0, sizeof training);
    for (; begun < arguments->count && status == CONV_OK; begun++)
        status = begin(&training[begun], &figures[begun], arguments->names[begun], arguments, error);
    const struct busy since = busy_read();
    if (status == CONV_OK)
        status = train(training, figures, arguments, error);
    const double others = busy_others(&since);
    for (int i = 0; i < begun && status == CONV_OK; i++)
        figures_finish(&figures[i]);
    if (status == CONV_OK)
        print(file, figures, arguments, others);
    for (int i = 0; i < begun; i++) {
        free(figures[i].seconds);
        free(figures[i].losses);
        training_end(&training[i]);
    }
    return status;
}

int main(int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_output_argp, 0, NULL, 0 }, { &cli_kernel_argp, 0, NULL, 0 },
                                                  { 0 } };
    static const struct argp argp = { options, parse, "NETWORK [NETWORK...]",
        "Train stacks of convolutions, and say where the time of a step goes.\v"
        "A network is a name of networks/, or a file: conv, dw and separable in a row, each perhaps with act fn=relu "
        "or relu6 behind it.  What is learned is made from the seed: the class, or the colour, of the patches of an "
        "image.  With several networks, the first one's times are divided by those of each other.", children, NULL,
        NULL };
    struct arguments arguments = { .cli = cli_defaults(), .steps = 3 };
    struct training_options *o = &arguments.training;
    struct conv_output output;
    struct conv_error error;
    o->stack = (struct stack_options){ .type = CONV_F32, .batch = 1, .way = "best" };
    o->loss = loss_find("cross-entropy");
    o->method = method_find("adam");
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version = PACKAGE_STRING;
    cli_name = "train";
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.count == 0)
        return cli_usage("train what?", "such as ./train stack50 stack50_separable --image 32x32");
    o->stack.threads = arguments.cli.threads > 0 ? arguments.cli.threads : 1;
    o->seed = arguments.cli.seed;
    o->rate = o->rate > 0 ? o->rate : o->method->rate;
    /* first: minutes of work must not end in a file that can't be written */
    if (conv_output_open(&output, arguments.cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    if (run(output.file, &arguments, &error) == CONV_OK && conv_output_commit(&output, &error) == CONV_OK)
        return 0;
    conv_output_abandon(&output);
    return cli_error(&error, NULL);
}
