/* cmd_bench.c - convref bench: time kernels, against each other and against the machine's roof.
 *
 *   convref bench "c=64 in=56x56 k=64 filter=3x3 pad=1" --kernel "std_*"
 *   convref bench --network mobilenet_v1 --kernel "dw_0*" --cold --format tsv --output results.tsv
 *   convref bench --network mobilenet_v1 --chain --kernel "dw_*,pw_*,std_*"      (bench_chain.c)
 *
 * Read next: docs/measuring.md, verify/measure/bench.c
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/cli/options.h"
#include "verify/count/layers.h"
#include "verify/measure/results.h"
#include "verify/program/bench_chain.h"
#include "verify/program/verbs.h"

enum { KEY_KERNEL = 'k', KEY_COLD = 'c', KEY_ROUNDS = CLI_KEYS, KEY_TURN, KEY_PATIENCE, KEY_TIME_LIMIT, KEY_CHAIN,
       KEY_BATCH, MOST_KERNELS = 128 };

struct arguments {
    struct cli cli;
    const char *kernels;
    const char **problems;
    int problem_count;
    struct conv_bench_options bench;
    bool chain;
    int64_t batch;            /* of a chain; 0: not given */
};

static const struct argp_option options[] = {
    { "kernel", KEY_KERNEL, "NAMES", 0, "kernels: names or patterns with commas between; speed-ups are over the first [all]", 0 },
    { "cold", KEY_COLD, NULL, 0, "sweep the caches before every call", 0 },
    { "rounds", KEY_ROUNDS, "N", 0, "turns of each kernel [7]", 0 },
    { "turn", KEY_TURN, "MS", 0, "milliseconds of one turn [20]", 0 },
    { "patience", KEY_PATIENCE, "MS", 0, "milliseconds that one kernel may take in all its turns [1000]", 0 },
    { "time-limit", KEY_TIME_LIMIT, "SECONDS", 0, "a call that takes longer is a hang [60]", 0 },
    { "chain", KEY_CHAIN, NULL, 0, "the convolutions of --network back to back in one arena, in both layouts", 0 },
    { "batch", KEY_BATCH, "N", 0, "images at once, with --chain [1]", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &arguments->cli;
        return 0;
    case KEY_KERNEL: arguments->kernels = text; return 0;
    case KEY_COLD: arguments->bench.cold = true; return 0;
    case KEY_ROUNDS: arguments->bench.rounds = (int)cli_number("--rounds", text, 1, 101); return 0;
    case KEY_TURN: arguments->bench.turn_seconds = 1e-3 * (double)cli_number("--turn", text, 1, 100000); return 0;
    case KEY_PATIENCE: arguments->bench.patience = 1e-3 * (double)cli_number("--patience", text, 1,
            10000000); return 0;
    case KEY_TIME_LIMIT: arguments->bench.time_limit = (double)cli_number("--time-limit", text, 1, 100000); return 0;
    case KEY_CHAIN: arguments->chain = true; return 0;
    case KEY_BATCH: arguments->batch = cli_number("--batch", text, 1, 1024); return 0;
    case ARGP_KEY_ARGS:
        arguments->problems = (const char **)state->argv + state->next;
        arguments->problem_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool same_block(const struct result *a, const struct result *b)
{
    return !strcmp(a->layer, b->layer) && conv_problem_equal(&a->problem, &b->problem);
}

static void print_figures(struct table *table, const struct result *row)
{
    const struct conv_timing *t = &row->timing;
    char text[96];
    snprintf(text, sizeof text, "%.3f..%.3f", t->p10 * 1e3, t->p90 * 1e3);
    table_real(table, t->median * 1e3, "%.3f");
    table_text(table, text);
    table_real(table, result_macs(row) / 1e9, "%.2f");
    table_real(table, 100 * result_of_roof(row), "%.0f %%");
    table_text(table, row->kernel->device ? "" : row->ceiling.by_memory ? conv_level_name(row->ceiling.level)
                                                                        : "arithmetic");
    table_real(table, t->speedup, "%.2fx");
    if (isnan(t->speedup))
        text[0] = 0;
    else if (t->shared_rounds == 1)
        snprintf(text, sizeof text, "n=1");
    else
        snprintf(text, sizeof text, "%.2f..%.2f", t->speedup_low, t->speedup_high);
    table_text(table, text);
    if (t->allocations >= 0)
        table_integer(table, t->allocations);
    else
        table_missing(table);
    table_integer(table, (int64_t)t->scratch_bytes / 1024);
}

/* Why rows have no figures, below their table. */
static void print_notes(FILE *file, const struct result *rows, int count)
{
    for (int i = 0; i < count; i++)
        if (!result_counts(&rows[i]))
            fprintf(file, "  %s %s\n", rows[i].kernel->name, rows[i].note);
}

/* For people: fewer columns, a block for each layer. */
static void print_text(FILE *file, const struct results *results)
{
    static const struct table_column columns[] = {
        { "kernel", "kernel", false }, { "ms", "ms", true }, { "spread", "p10..p90", true }, { "gmacs", "GMAC/s", true },
        { "of_roof", "of roof", true }, { "limit", "limited by", false }, { "speedup", "speed-up", true },
        { "speedup_spread", "from..to", true }, { "allocations", "allocations", true },
        { "scratch", "scratch KiB", true },
    };
    enum { COLUMNS = sizeof columns / sizeof *columns };
    for (int i = 0, end; i < results->count; i = end) {
        const struct result *head = &results->rows[i];
        struct table *table = table_create(columns, COLUMNS);
        char text[CONV_PROBLEM_TEXT];
        fprintf(file, "\n%s  %s, %s\n", head->layer, conv_problem_print(text, &head->problem),
                head->cold ? "cold caches" : "warm caches");
        for (end = i; end < results->count && same_block(&results->rows[end], head); end++) {
            const struct result *row = &results->rows[end];
            table_text(table, row->kernel->name);
            if (result_counts(row))
                print_figures(table, row);
            else
                for (int cell = 1; cell < COLUMNS; cell++)
                    table_text(table, cell == 1 ? "-" : "");
        }
        table_print(table, file, TABLE_TEXT);
        table_free(table);
        print_notes(file, head, end - i);
    }
    if (results->count > 0)
        fprintf(file, "\nspeed-up is over %s\n", results->rows[0].first);
}

static int print_results(struct conv_output *output, const struct arguments *arguments, const struct results *results)
{
    struct conv_error error;
    if (arguments->cli.format == TABLE_TEXT || arguments->cli.format == TABLE_TSV)
        results_print_machine(output->file, results, arguments->cli.format == TABLE_TSV ? "# " : "");
    if (arguments->cli.format == TABLE_TEXT) {
        print_text(output->file, results);
    } else {
        struct table *table = results_table(results);
        table_print(table, output->file, arguments->cli.format);
        table_free(table);
    }
    return conv_output_commit(output, &error) == CONV_OK ? 0 : cli_error(&error, NULL);
}

static int bench_layers(struct results *results, const struct arguments *arguments,
                        const struct conv_kernel *const *kernels, int count, const struct layers *layers)
{
    struct conv_error error;
    for (int i = 0; i < layers->count; i++) {
        cli_progress(layers->labels[i], i, layers->count);
        if (results_bench(results, kernels, count, &layers->problems[i], layers->labels[i], layers->repeats[i],
                          &arguments->bench, &error) != CONV_OK) {
            cli_progress("", 0, 0);
            return cli_error(&error, NULL);
        }
    }
    cli_progress("", 0, 0);
    return 0;
}

static int read_network(struct layers *layers, const struct cli *cli)
{
    struct conv_error error;
    return layers_read(layers, cli->network, cli->in, cli->layer, true, &error) == CONV_OK ? 0
                                                                                          : cli_error(&error, NULL);
}

/* Problems of the command line as layers without labels. */
static int read_problems(struct layers *layers, const struct arguments *arguments)
{
    struct conv_error error;
    const size_t count = (size_t)arguments->problem_count;
    *layers = (struct layers){ .problems = calloc(count + 1, sizeof *layers->problems),
        .labels = calloc(count + 1, sizeof *layers->labels), .repeats = calloc(count + 1, sizeof *layers->repeats) };
    for (int i = 0; i < arguments->problem_count; i++, layers->count++) {
        if (conv_problem_parse(&layers->problems[i], arguments->problems[i], &error) != CONV_OK)
            return cli_error(&error, arguments->problems[i]);
        snprintf(layers->labels[i], sizeof *layers->labels, "%d:", i + 1);
        layers->repeats[i] = 1;
    }
    return 0;
}

/* One that is wrong, or doesn't return, is rejected; of one that can't be so fast, nothing is known. */
static int verdict_of(const struct results *results)
{
    int status = 0;
    for (int i = 0; i < results->count; i++) {
        if (!results->rows[i].timing.verified)
            return conv_verdict_exit(CONV_REJECT);
        if (results->rows[i].impossible)
            status = conv_verdict_exit(CONV_INCONCLUSIVE);
    }
    return status;
}

/* ---- a chain --------------------------------------------------------------------------------------------------- */

static bool check_chain(const struct arguments *arguments)
{
    if (!arguments->chain && arguments->batch > 0)
        cli_usage("--batch: it is for --chain", "a problem says its own n");
    else if (arguments->chain && (!arguments->cli.network || arguments->problem_count > 0 || arguments->cli.layer))
        cli_usage("--chain: it takes a whole network", "--network NAME --chain, without --layer and problems");
    else if (arguments->chain && arguments->bench.cold)
        cli_usage("--chain: --cold can't be combined with it", "a chain's own layers leave the caches as they are");
    else
        return true;
    return false;
}

/* A network by the references takes seconds to minutes, and nobody waits to know that. */
static int without_references(const struct conv_kernel **kernels, int count)
{
    int left = 0;
    for (int i = 0; i < count; i++)
        if (strncmp(kernels[i]->name, "ref_", 4))
            kernels[left++] = kernels[i];
    return left;
}

static int run_chain(const struct arguments *arguments, const struct conv_kernel *const *kernels, int count)
{
    struct conv_output output;
    struct conv_error error;
    if (conv_output_open(&output, arguments->cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    const int status = bench_chain(&output, &arguments->cli, kernels, count, &arguments->bench,
                                   arguments->batch > 0 ? arguments->batch : 1);
    conv_output_abandon(&output);   /* if it was not written */
    return status;
}

int cmd_bench(int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_output_argp, 0, NULL, 0 }, { &cli_kernel_argp, 0, NULL, 0 }, { &cli_network_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "[PROBLEM...]",
        "Time kernels, against each other and against the machine's roof.\v"
        "Every kernel is verified on the problem first, and once more in each of its turns; one that is wrong, crashes or "
        "doesn't return is not timed, and the exit status is 1.  One that is faster than the machine can be has no figures; "
        "the status is 3.  A kernel that is named twice is timed twice.\n"
        "With --chain a table of whole chains comes out: each layer by the first of the kernels that computes it, and by "
        "the one that was the fastest on it.  Without --kernel those are all but the references.",
        children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults() };
    const struct conv_kernel *kernels[MOST_KERNELS];
    struct layers layers;
    struct results results;
    struct conv_output output;
    struct conv_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (!arguments.cli.network && arguments.problem_count == 0)
        return cli_usage("time what?",
                         "give a problem such as \"c=64 in=56x56 k=64 filter=3x3 pad=1\", or --network NAME");
    if (!check_chain(&arguments))
        return EXIT_USAGE;
    int count = cli_kernels(kernels, MOST_KERNELS, arguments.kernels ? arguments.kernels : "*");
    if (count == 0)
        return EXIT_USAGE;
    arguments.bench.threads = arguments.cli.threads;
    arguments.bench.seed = arguments.cli.seed;
    if (arguments.chain)
        return run_chain(&arguments, kernels, arguments.kernels ? count : without_references(kernels, count));
    int status = arguments.cli.network ? read_network(&layers, &arguments.cli) : read_problems(&layers, &arguments);
    if (status) {
        layers_free(&layers);
        return status;
    }
    /* opened first: minutes of work must not end in a folder that isn't there */
    if (conv_output_open(&output, arguments.cli.output, &error) != CONV_OK) {
        layers_free(&layers);
        return cli_error(&error, NULL);
    }
    status = results_begin(&results, arguments.cli.threads, &error) == CONV_OK ? 0 : cli_error(&error, NULL);
    if (status == 0)
        status = bench_layers(&results, &arguments, kernels, count, &layers);
    if (status == 0 && results.count > 0)
        status = results_end(&results, &error) == CONV_OK ? print_results(&output, &arguments, &results)
                                                          : cli_error(&error, NULL);
    conv_output_abandon(&output);   /* if it was not written */
    if (status == 0)
        status = verdict_of(&results);
    if (status == 0 && results.count == 0) {
        fprintf(stderr, "%s: none of these kernels computes any of these problems\n", cli_name);
        status = EXIT_SKIPPED;
    }
    results_free(&results);
    layers_free(&layers);
    return status;
}
