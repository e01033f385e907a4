/* cmd_experiment.c - convref experiment: a published claim, run again.
 *
 *   convref experiment --list
 *   convref experiment factorized-block
 *   convref experiment all --counts
 *   convref experiment groups-sweep --full --results out/
 *
 * Read next: docs/claims.md, experiments/README.md, verify/experiment/run.c
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/cli/options.h"
#include "verify/experiment/experiment.h"
#include "verify/measure/plots.h"
#include "verify/program/verbs.h"

enum { KEY_LIST = CLI_KEYS, KEY_QUICK, KEY_FULL, KEY_COUNTS, KEY_CASE, KEY_RESULTS, KEY_PEERS };

struct arguments {
    struct cli cli;
    struct exp_options options;
    const char *results;      /* a folder, or NULL */
    bool list, quick;
    const char **names;
    int count;
};

static const struct argp_option options[] = {
    { "list", KEY_LIST, NULL, 0, "list the experiments", 0 },
    { "quick", KEY_QUICK, NULL, 0, "a minute or less [this]", 0 },
    { "full", KEY_FULL, NULL, 0, "more passes, longer turns, and the ways that take long", 0 },
    { "counts", KEY_COUNTS, NULL, 0, "time nothing: counts, published times and what is possible", 0 },
    { "case", KEY_CASE, "NAME", 0, "only cases whose name begins so, and those that they are compared with", 0 },
    { "peers", KEY_PEERS, "NAMES", OPTION_ARG_OPTIONAL,
      "the same layers by other people's libraries, too: these, or all that are installed (python3 -m convref.peers)", 0 },
    { "results", KEY_RESULTS, "FOLDER", 0, "write NAME.tsv, NAME.md and, where gnuplot is, NAME.svg there", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->cli;
        return 0;
    case KEY_LIST: arguments->list = true; return 0;
    case KEY_QUICK: arguments->quick = true; return 0;
    case KEY_FULL: arguments->options.full = true; return 0;
    case KEY_COUNTS: arguments->options.counts = true; return 0;
    case KEY_CASE: arguments->options.only = text; return 0;
    case KEY_PEERS:
        arguments->options.peers = true;
        arguments->options.peer_names = text;
        return 0;
    case KEY_RESULTS: arguments->results = text; return 0;
    case ARGP_KEY_ARGS:
        arguments->names = (const char **)state->argv + state->next;
        arguments->count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one experiment -------------------------------------------------------------------------------------------- */

static enum conv_status read_one(struct experiment *experiment, const char *name, struct conv_error *error)
{
    char file[1100];
    snprintf(file, sizeof file, "%.1024s%s", name, strchr(name, '/') ? "" : ".txt");   /* a path is one as it is */
    char *path = experiment_find(file);
    if (!path) {
        conv_fail(error, CONV_BAD_FILE, "there is no experiment '%s'", name);
        conv_hint(error, "`convref experiment --list` names them; CONVREF_EXPERIMENTS is their folder");
        return CONV_BAD_FILE;
    }
    const enum conv_status status = experiment_read(experiment, path, error);
    free(path);
    return status;
}

/* Are there cases that --case means, devices that published times name? */
static enum conv_status check_names(const struct experiment *experiment, const struct arguments *arguments,
                                    const struct exp_devices *devices, struct conv_error *error)
{
    const char *only = arguments->options.only;
    bool found = !only;
    for (int c = 0; c < experiment->case_count; c++) {
        const struct exp_case *one = &experiment->cases[c];
        found = found || !strncmp(one->name, only, strlen(only));
        for (int p = 0; p < one->published_count; p++)
            if (one->published[p].device[0] && !devices_find(devices, one->published[p].device))
                return conv_fail(error, CONV_BAD_FILE, "%s: %s of case %s names the device '%s', which devices.tsv "
                                 "doesn't have", experiment->name, one->published[p].name, one->name,
                                 one->published[p].device);
    }
    return found ? CONV_OK : conv_fail(error, CONV_BAD_INPUT, "%s has no case whose name begins with '%s'",
                                       experiment->name, only);
}

/* The totals that the file expects: 0, or 1 after a message. */
static int check_expectations(const struct experiment *experiment)
{
    int status = 0;
    for (int c = 0; c < experiment->case_count; c++) {
        int64_t counted;
        char expected_text[32], counted_text[32];
        const struct exp_expected *expected = experiment_check(&experiment->cases[c], &counted);
        if (!expected)
            continue;
        fprintf(stderr, "%s: %s, line %d: expects %s %s of %s, counted %s\n", cli_name, experiment->name,
                expected->line, expected->what, table_thousands(expected_text, expected->value),
                experiment->cases[c].name, table_thousands(counted_text, counted));
        status = 1;
    }
    return status;
}

/* A kernel that is wrong is rejected; one that can't be so fast leaves nothing known. */
static int verdict_of(const struct exp_run *run)
{
    int status = 0;
    for (int c = 0; c < run->experiment->case_count; c++)
        for (int w = 0; w < run->experiment->cases[c].way_count; w++) {
            const struct exp_time *time = &run->times[c][w];
            if (time->passes == 0)
                continue;
            if (!time->verified)
                return conv_verdict_exit(CONV_REJECT);
            if (time->impossible)
                status = conv_verdict_exit(CONV_INCONCLUSIVE);
        }
    return status;
}

/* ---- output ---------------------------------------------------------------------------------------------------- */

static const struct rows_parts all_columns = { .wide = true };

/* What stands above a table; with "# " before it in TSV, "* " in Markdown. */
static void print_head(FILE *file, const struct exp_run *run, const char *prefix)
{
    rows_print_scaled(file, run, prefix);
    fprintf(file, "%s%s: %s\n", prefix, run->experiment->name, run->experiment->title);
    fprintf(file, "%sreported by: %s\n", prefix, run->experiment->source);
    if (run->timed)
        results_print_machine(file, &run->results, prefix);
    else
        fprintf(file, "%scounts alone: nothing was timed\n", prefix);
}

static void print_foot(FILE *file, const struct exp_run *run, const char *prefix)
{
    rows_print_fit(file, run, prefix);
    rows_print_notes(file, run, prefix);
}

/* For people: a table with its head and its foot. */
static void print_page(FILE *file, const struct exp_run *run, const struct exp_devices *devices,
                       enum table_format format)
{
    const struct rows_parts parts = rows_parts_of(run);
    struct table *table = rows_create(parts);
    const char *prefix = format == TABLE_MARKDOWN ? "* " : "";
    rows_add(table, parts, run, devices);
    print_head(file, run, prefix);
    fputc('\n', file);
    table_print(table, file, format);
    fputc('\n', file);
    print_foot(file, run, format == TABLE_MARKDOWN ? "* " : "  ");
    table_free(table);
}

static void print_data(FILE *file, const struct exp_run *run, const struct exp_devices *devices)
{
    struct table *table = rows_create(all_columns);
    rows_add(table, all_columns, run, devices);
    print_head(file, run, "# ");
    print_foot(file, run, "# ");
    table_print(table, file, TABLE_TSV);
    table_free(table);
}

/* FOLDER/NAME.ENDING */
static enum conv_status write_file(const char *folder, const char *ending, const struct exp_run *run,
                                   const struct exp_devices *devices, struct conv_error *error)
{
    char path[4200];
    struct conv_output output;
    snprintf(path, sizeof path, "%.4000s/%s.%s", folder, run->experiment->name, ending);
    enum conv_status status = conv_output_open(&output, path, error);
    if (status != CONV_OK)
        return status;
    if (!strcmp(ending, "tsv"))
        print_data(output.file, run, devices);
    else
        print_page(output.file, run, devices, TABLE_MARKDOWN);
    return conv_output_commit(&output, error);
}

/* A picture, where gnuplot is and there is something to draw: FOLDER/NAME.svg, and of a fit FOLDER/NAME-groups.svg. */
static enum conv_status draw(const char *folder, enum plot plot, const struct exp_run *run, struct conv_error *error)
{
    char data[4200], svg[4200];
    struct tsv table;
    snprintf(data, sizeof data, "%.4000s/%s.tsv", folder, run->experiment->name);
    snprintf(svg, sizeof svg, "%.4000s/%s%s.svg", folder, run->experiment->name,
             plot == PLOT_GROUPS ? "-groups" : "");
    enum conv_status status = tsv_read(&table, data, error);
    if (status != CONV_OK)
        return status;
    int any = 0;
    for (int row = 0; row < table.rows; row++)
        any += isfinite(tsv_number(&table, row, tsv_column(&table, "time_ratio")));
    status = any == 0 ? CONV_NOT_APPLICABLE
                      : plot_table(svg, plot, &table, NULL, NULL, error);
    tsv_free(&table);
    return status == CONV_NOT_APPLICABLE ? CONV_OK : status;   /* nothing to draw, or no gnuplot */
}

static enum conv_status write_results(const char *folder, const struct exp_run *run,
                                      const struct exp_devices *devices, struct conv_error *error)
{
    enum conv_status status = write_file(folder, "tsv", run, devices, error);
    if (status == CONV_OK)
        status = write_file(folder, "md", run, devices, error);
    if (status == CONV_OK)
        status = draw(folder, PLOT_EXPERIMENT, run, error);
    return status == CONV_OK && rows_has_fit(run) ? draw(folder, PLOT_GROUPS, run, error) : status;
}

/* ---- the verb -------------------------------------------------------------------------------------------------- */

static int run_one(FILE *file, const struct arguments *arguments, const struct exp_devices *devices,
                   const char *name, struct table *shared)
{
    struct experiment experiment;
    struct exp_run run;
    struct conv_error error;
    enum conv_status status = read_one(&experiment, name, &error);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    int result = 0;
    if (check_names(&experiment, arguments, devices, &error) != CONV_OK)
        result = cli_error(&error, NULL);
    else if ((result = check_expectations(&experiment)) != 0)
        ;
    else if (!arguments->options.counts && experiment_open_providers(&experiment, &error) != CONV_OK)
        result = cli_error(&error, NULL);
    else if (experiment_run(&run, &experiment, &arguments->options, &error) != CONV_OK)
        result = cli_error(&error, NULL);
    else if (arguments->options.peers && experiment_ask_peers(&run, &error) != CONV_OK) {
        result = cli_error(&error, NULL);
        experiment_run_free(&run);
    } else {
        if (shared && arguments->cli.format == TABLE_TSV) {
            print_head(file, &run, "# ");
            print_foot(file, &run, "# ");
        }
        if (shared)
            rows_add(shared, all_columns, &run, devices);
        else
            print_page(file, &run, devices, arguments->cli.format);
        result = verdict_of(&run);
        if (arguments->results && write_results(arguments->results, &run, devices, &error) != CONV_OK)
            result = cli_error(&error, NULL);
        experiment_run_free(&run);
    }
    experiment_free(&experiment);
    return result;
}

static int list(FILE *file, enum table_format format)
{
    static const struct table_column columns[] = { { "experiment", "experiment", false },
                                                   { "title", "what is asked", false } };
    struct table *table = table_create(columns, 2);
    struct conv_error error;
    int status = 0;
    char **names = experiment_names();
    for (int i = 0; names && names[i]; i++) {
        struct experiment experiment;
        if (status == 0 && read_one(&experiment, names[i], &error) != CONV_OK)
            status = cli_error(&error, NULL);
        else if (status == 0) {
            table_text(table, names[i]);
            table_text(table, experiment.title);
            experiment_free(&experiment);
        }
        free(names[i]);
    }
    free(names);
    if (status == 0)
        table_print(table, file, format);
    table_free(table);
    return status;
}

/* "all" is every experiment of the folder. */
static int run_all(FILE *file, const struct arguments *arguments, const struct exp_devices *devices,
                   struct table *shared)
{
    int worst = 0;
    char **names = experiment_names();
    for (int i = 0; names && names[i]; i++) {
        if (i > 0 && !shared)
            fputc('\n', file);
        const int status = worst == EXIT_FILE ? 0 : run_one(file, arguments, devices, names[i], shared);
        worst = status > 0 && (worst == 0 || worst == 3 || status == EXIT_FILE) ? status : worst;
        free(names[i]);
    }
    free(names);
    return worst;
}

static int run_named(FILE *file, const struct arguments *arguments, const struct exp_devices *devices)
{
    const enum table_format format = arguments->cli.format;
    const bool wide = format == TABLE_TSV || format == TABLE_JSON;
    struct table *shared = wide ? rows_create(all_columns) : NULL;
    const int status = !strcmp(arguments->names[0], "all") ? run_all(file, arguments, devices, shared)
                                                           : run_one(file, arguments, devices, arguments->names[0],
                                                                     shared);
    if (shared && status != EXIT_FILE && status != EXIT_USAGE)
        table_print(shared, file, format);
    table_free(shared);
    return status;
}

/* What a run may take. */
static void set_times(struct arguments *arguments)
{
    struct exp_options *o = &arguments->options;
    o->passes = o->full ? EXP_MOST_PASSES : 3;
    o->bench = (struct conv_bench_options){ .rounds = o->full ? 7 : 3, .turn_seconds = o->full ? 0.02 : 0.005,
        .patience = o->full ? 1 : 0.1, .threads = arguments->cli.threads, .seed = arguments->cli.seed };
}

int cmd_experiment(int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_output_argp, 0, NULL, 0 }, { &cli_kernel_argp, 0, NULL, 0 },
                                                  { 0 } };
    static const struct argp argp = { options, parse, "NAME|all",
        "A published claim, run again: counts, our times beside the published ones, and which of those are "
        "possible.\v"
        "Every kernel is verified on each problem first, as `convref bench` does it.  Ratios are within one machine: "
        "ours over ours, theirs over theirs.  A published time is held against the peak and the bandwidth of the "
        "device that it names.  The exit status is 1 if a count isn't what the file expects, or a kernel is wrong, "
        "and 3 if one is faster than the machine can be.", children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults() };
    struct exp_devices devices;
    struct conv_output output;
    struct conv_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.quick && arguments.options.full)
        return cli_usage("--full: --quick can't be combined with it", "one of them");
    if (arguments.options.peers && arguments.options.counts)
        return cli_usage("--peers: --counts can't be combined with it", "peers are timed");
    if (arguments.count != 1 && !arguments.list)
        return cli_usage(arguments.count == 0 ? "run what again?" : "one experiment at a time, or all",
                         "`convref experiment --list` names the experiments");
    if (arguments.list && arguments.count > 0)
        return cli_usage("--list: a name can't be combined with it", "it lists all experiments");
    set_times(&arguments);
    /* now: minutes of work must not end in a folder that isn't there */
    if (arguments.results && ((mkdir(arguments.results, 0777) != 0 && errno != EEXIST)
                              || access(arguments.results, W_OK | X_OK) != 0)) {
        conv_fail(&error, CONV_BAD_FILE, "%s can't be written to: %s", arguments.results, strerror(errno));
        return cli_error(&error, NULL);
    }
    if (devices_read(&devices, &error) != CONV_OK)
        return cli_error(&error, NULL);
    if (conv_output_open(&output, arguments.cli.output, &error) != CONV_OK) {
        devices_free(&devices);
        return cli_error(&error, NULL);
    }
    int status = arguments.list ? list(output.file, arguments.cli.format)
                                : run_named(output.file, &arguments, &devices);
    if (status == EXIT_FILE || status == EXIT_USAGE)
        conv_output_abandon(&output);
    else if (conv_output_commit(&output, &error) != CONV_OK)
        status = cli_error(&error, NULL);
    devices_free(&devices);
    return status;
}
