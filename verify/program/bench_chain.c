/* bench_chain.c - convref bench --network NAME --chain: a whole network's convolutions back to back.
 *
 * In each layout, every layer is timed by itself first, as without --chain; then two chains take turns: `first`, each
 * layer by the first of the kernels that computes it, and `best`, by the one that was the fastest.
 * Not here: the arena and the clock (verify/measure/chain.c).   Read next: docs/measuring.md
 */
#include "verify/program/bench_chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/layers.h"
#include "verify/measure/alloc_count.h"
#include "verify/measure/chain.h"
#include "verify/measure/results.h"
#include "verify/measure/statistics.h"

enum { FIRST, BEST, WAYS, MOST_TURNS = 101, MOST_NAMES = 1024 };

static const char *const way_names[WAYS] = { "first", "best" };

/* One chain, and what it took. */
struct row {
    struct chain chain;
    const struct conv_kernel **kernels;
    double turns[MOST_TURNS], apart;      /* seconds; of the layers by themselves, added up */
    struct chain_timing timing;           /* of the last turn; calls and allocations of all */
};

/* Everything in one layout. */
struct side {
    struct conv_problem *problems;
    struct row rows[WAYS];
    char missing[CONV_PROBLEM_TEXT];      /* a layer that no kernel computes in this layout; empty: none */
};

struct job {
    const struct cli *cli;
    const struct conv_kernel *const *kernels;
    int kernel_count;
    const struct conv_bench_options *options;
    struct layers layers;
    struct results results;
    struct side sides[CONV_LAYOUTS];
};

/* ---- which kernels --------------------------------------------------------------------------------------------- */

static const struct conv_kernel *first_of(const struct job *job, const struct conv_problem *problem)
{
    for (int i = 0; i < job->kernel_count; i++)
        if (!conv_kernel_refuses(job->kernels[i], problem))
            return job->kernels[i];
    return NULL;
}

/* The row of this kernel, or the fastest of all, on this problem; NULL if there is none with figures. */
static const struct result *row_of(const struct job *job, const struct conv_problem *problem,
                                   const struct conv_kernel *kernel)
{
    const struct result *found = NULL;
    for (int i = 0; i < job->results.count; i++) {
        const struct result *row = &job->results.rows[i];
        if (!row->timing.turns || !conv_problem_equal(&row->problem, problem) || (kernel && row->kernel != kernel))
            continue;
        if (!found || row->timing.median < found->timing.median)
            found = row;
    }
    return found;
}

static bool timed_before(const struct job *job, const struct conv_problem *problem)
{
    for (int i = 0; i < job->results.count; i++)
        if (conv_problem_equal(&job->results.rows[i].problem, problem))
            return true;
    return false;
}

static enum conv_status time_layers(struct job *job, struct side *side, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int i = 0; i < job->layers.count && status == CONV_OK; i++) {
        cli_progress(job->layers.labels[i], i, job->layers.count);
        if (!timed_before(job, &side->problems[i]))
            status = results_bench(&job->results, job->kernels, job->kernel_count, &side->problems[i],
                                   job->layers.labels[i], 1, job->options, error);
    }
    cli_progress("", 0, 0);
    return status;
}

static enum conv_status choose(struct job *job, struct side *side, enum conv_layout layout, struct conv_error *error)
{
    const int count = job->layers.count;
    side->problems = calloc((size_t)count, sizeof *side->problems);
    for (int way = 0; way < WAYS; way++)
        side->rows[way].kernels = calloc((size_t)count, sizeof *side->rows[way].kernels);
    if (!side->problems || !side->rows[FIRST].kernels || !side->rows[BEST].kernels)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for a chain of %d layers", count);
    for (int i = 0; i < count; i++) {
        side->problems[i] = job->layers.problems[i];
        side->problems[i].layout = layout;
        if (!first_of(job, &side->problems[i]) && !side->missing[0])
            conv_problem_print(side->missing, &side->problems[i]);
    }
    if (side->missing[0])
        return CONV_OK;
    enum conv_status status = time_layers(job, side, error);
    for (int way = 0; way < WAYS && status == CONV_OK; way++) {
        struct row *row = &side->rows[way];
        row->chain = (struct chain){ side->problems, row->kernels, count, job->options->threads, job->options->seed };
        for (int i = 0; i < count; i++) {
            const struct result *best = row_of(job, &side->problems[i], NULL), *own;
            row->kernels[i] = way == BEST && best ? best->kernel : first_of(job, &side->problems[i]);
            own = row_of(job, &side->problems[i], row->kernels[i]);
            row->apart += own ? own->timing.median : NAN;
        }
    }
    return status;
}

/* ---- turns ----------------------------------------------------------------------------------------------------- */

static enum conv_status take_turn(struct job *job, struct row *row, int turn, struct conv_error *error)
{
    const struct chain_options options = { .turn_seconds = job->options->turn_seconds,
        .time_limit = job->options->time_limit, .each_layer = turn == 0, .allocations = alloc_counter };
    const int calls = row->timing.calls;
    const int64_t allocations = row->timing.allocations;
    if (row->timing.why[0])
        return CONV_OK;   /* it is out */
    const enum conv_status status = chain_time(&row->timing, &row->chain, &options, error);
    row->turns[turn] = row->timing.median;
    row->timing.calls += calls;
    row->timing.allocations += row->timing.allocations >= 0 ? allocations : 0;
    results_watched(&job->results, row->timing.watched, row->timing.others);
    return status;
}

static int turns_of(const struct job *job) { return job->options->rounds > 0 ? job->options->rounds : 7; }

static enum conv_status take_turns(struct job *job, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int turn = 0; turn < turns_of(job); turn++)
        for (int side = 0; side < CONV_LAYOUTS; side++)
            for (int way = 0; way < WAYS && !job->sides[side].missing[0] && status == CONV_OK; way++) {
                cli_progress("back to back", turn, turns_of(job));
                status = take_turn(job, &job->sides[side].rows[way], turn, error);
            }
    cli_progress("", 0, 0);
    return status;
}

/* ---- output ---------------------------------------------------------------------------------------------------- */

/* "std_nhwc_04_rows_of_taps 1, pw_nhwc_05_rows_by_pointers 13" */
static char *names_of(char text[MOST_NAMES], const struct chain *chain)
{
    text[0] = 0;
    for (int i = 0; i < chain->count; i++) {
        int times = 0, before = 0;
        for (int j = 0; j < chain->count; j++) {
            times += chain->kernels[j] == chain->kernels[i];
            before += j < i && chain->kernels[j] == chain->kernels[i];
        }
        const size_t used = strlen(text);
        if (before == 0)
            snprintf(text + used, MOST_NAMES - used, "%s%s %d", used ? ", " : "", chain->kernels[i]->name, times);
    }
    return text;
}

/* Of all turns, in seconds. */
struct figures { double median, p10, p90, floor, arithmetic, macs; };

static struct figures figures_of(const struct job *job, const struct row *row)
{
    const struct results *results = &job->results;
    struct figures figures = { .macs = 0 };
    double sorted[MOST_TURNS], later;
    const double before = chain_floor(&figures.arithmetic, &row->chain, &results->roof, &results->machine);
    figures.floor = fmin(before, chain_floor(&later, &row->chain, &results->roof_after, &results->machine));
    figures.arithmetic = fmin(figures.arithmetic, later);
    for (int i = 0; i < row->chain.count; i++) {
        struct conv_count count;
        conv_count_problem(&count, &row->chain.problems[i]);
        figures.macs += (double)count.macs_inside;
    }
    memcpy(sorted, row->turns, sizeof sorted);
    const double there = row->timing.verified ? 0 : NAN;
    figures.median = quantile(sorted, turns_of(job), 0.5) + there;
    figures.p10 = quantile(sorted, turns_of(job), 0.1) + there;
    figures.p90 = quantile(sorted, turns_of(job), 0.9) + there;
    return figures;
}

static bool impossible(const struct figures *figures)
{
    return figures->median < figures->floor && !results_possible(figures->floor / figures->median, 1);
}

static void add_allocations(struct table *table, const struct chain_timing *timing)
{
    if (timing->allocations >= 0)
        table_integer(table, timing->allocations);
    else
        table_missing(table);
}

/* For people. */
static const struct table_column short_columns[] = {
    { "layout", "layout", false }, { "kernels", "kernels", false }, { "ms", "ms", true },
    { "spread", "p10..p90", true }, { "gmacs", "GMAC/s", true }, { "apart", "layers apart ms", true },
    { "floor", "floor ms", true }, { "over_floor", "over floor", true }, { "allocations", "allocations", true },
    { "arena", "arena KiB", true }, { "weights", "weights KiB", true },
};

static void add_short(struct table *table, const struct job *job, const struct row *row, const char *way)
{
    const struct figures f = figures_of(job, row);
    const struct conv_problem *problem = &row->chain.problems[0];
    char text[64];
    snprintf(text, sizeof text, "%.3f..%.3f", 1e3 * f.p10, 1e3 * f.p90);
    table_text(table, conv_layout_name(problem->layout, problem->rank));
    table_text(table, way);
    table_real(table, 1e3 * f.median, "%.3f");
    table_text(table, row->timing.verified ? text : "-");
    table_real(table, f.macs / f.median / 1e9, "%.2f");
    table_real(table, 1e3 * row->apart, "%.3f");
    table_real(table, 1e3 * f.floor, "%.3f");
    table_real(table, f.median / f.floor, "%.2fx");
    add_allocations(table, &row->timing);
    table_integer(table, (int64_t)row->timing.arena_bytes / 1024);
    table_integer(table, (int64_t)row->timing.weight_bytes / 1024);
}

static const struct table_column wide_columns[] = {
    { "layout", "layout", false }, { "kernels", "kernels", false }, { "layers", "layers", true }, { "n", "n", true },
    { "threads", "threads", true }, { "ms", "ms", true }, { "p10_ms", "p10", true }, { "p90_ms", "p90", true },
    { "turns", "turns", true }, { "calls", "calls", true }, { "macs_inside", "MACs inside", true },
    { "gmacs", "GMAC/s", true }, { "apart_ms", "layers apart ms", true }, { "floor_ms", "floor ms", true },
    { "arithmetic_ms", "MACs alone ms", true }, { "over_floor", "over floor", true },
    { "allocations", "allocations", true }, { "arena_bytes", "arena bytes", true },
    { "weight_bytes", "weight bytes", true }, { "scratch_bytes", "scratch bytes", true }, { "note", "note", false },
    { "names", "which", false },
};

static void add_wide(struct table *table, const struct job *job, const struct row *row, const char *way)
{
    const struct figures f = figures_of(job, row);
    const struct conv_problem *problem = &row->chain.problems[0];
    char names[MOST_NAMES];
    table_text(table, conv_layout_name(problem->layout, problem->rank));
    table_text(table, way);
    table_integer(table, row->chain.count);
    table_integer(table, problem->n);
    table_integer(table, job->options->threads > 0 ? job->options->threads : 1);
    table_real(table, 1e3 * f.median, "%.3f");
    table_real(table, 1e3 * f.p10, "%.3f");
    table_real(table, 1e3 * f.p90, "%.3f");
    table_integer(table, turns_of(job));
    table_integer(table, row->timing.calls);
    table_integer(table, (int64_t)f.macs);
    table_real(table, f.macs / f.median / 1e9, "%.2f");
    table_real(table, 1e3 * row->apart, "%.3f");
    table_real(table, 1e3 * f.floor, "%.3f");
    table_real(table, 1e3 * f.arithmetic, "%.3f");
    table_real(table, f.median / f.floor, "%.2f");
    add_allocations(table, &row->timing);
    table_integer(table, (int64_t)row->timing.arena_bytes);
    table_integer(table, (int64_t)row->timing.weight_bytes);
    table_integer(table, (int64_t)row->timing.scratch_bytes);
    table_text(table, row->timing.why);
    table_text(table, names_of(names, &row->chain));
}

static void print_table(FILE *file, const struct job *job)
{
    const bool people = job->cli->format == TABLE_TEXT;
    struct table *table = people ? table_create(short_columns, sizeof short_columns / sizeof *short_columns)
                                 : table_create(wide_columns, sizeof wide_columns / sizeof *wide_columns);
    for (int side = 0; side < CONV_LAYOUTS; side++)
        for (int way = 0; way < WAYS && !job->sides[side].missing[0]; way++)
            (people ? add_short : add_wide)(table, job, &job->sides[side].rows[way], way_names[way]);
    table_print(table, file, job->cli->format);
    table_free(table);
}

/* Below the table: which kernels, and what is missing. */
static void print_notes(FILE *file, const struct job *job)
{
    char names[MOST_NAMES];
    fprintf(file, "\n  floor: of each layer the longer of its multiply-adds at the peak and its bytes, added up\n");
    for (int i = 0; i < CONV_LAYOUTS; i++) {
        const struct side *side = &job->sides[i];
        if (side->missing[0])
            fprintf(file, "  no chain in the other layout: none of these kernels computes %s\n", side->missing);
        for (int way = 0; way < WAYS && !side->missing[0]; way++) {
            const struct row *row = &side->rows[way];
            fprintf(file, "  %s, %s: %s\n", conv_layout_name(side->problems[0].layout, side->problems[0].rank),
                    way_names[way], names_of(names, &row->chain));
            if (row->timing.why[0])
                fprintf(file, "    NOT TIMED: %s\n", row->timing.why);
        }
    }
}

static void print(FILE *file, const struct job *job)
{
    const enum table_format format = job->cli->format;
    const char *prefix = format == TABLE_TSV ? "# " : "";
    if (format == TABLE_TEXT || format == TABLE_TSV) {
        results_print_machine(file, &job->results, prefix);
        fprintf(file, "%s%s: %d convolutions back to back, batch %lld, in one arena, weights packed before\n", prefix,
                job->cli->network, job->layers.count, (long long)job->layers.problems[0].n);
    }
    print_table(file, job);
    if (format == TABLE_TEXT)
        print_notes(file, job);
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

/* A chain, or a layer of it, that is wrong is rejected; of one that can't be so fast, nothing is known. */
static int verdict_of(const struct job *job)
{
    int status = 0;
    for (int i = 0; i < job->results.count; i++)
        if (!job->results.rows[i].timing.verified)
            return conv_verdict_exit(CONV_REJECT);
    for (int side = 0; side < CONV_LAYOUTS; side++)
        for (int way = 0; way < WAYS && !job->sides[side].missing[0]; way++) {
            const struct figures figures = figures_of(job, &job->sides[side].rows[way]);
            if (!job->sides[side].rows[way].timing.verified)
                return conv_verdict_exit(CONV_REJECT);
            if (impossible(&figures))
                status = conv_verdict_exit(CONV_INCONCLUSIVE);
        }
    return status;
}

static enum conv_status measure(struct job *job, struct conv_error *error)
{
    enum conv_status status = results_begin(&job->results, job->options->threads, error);
    for (enum conv_layout layout = 0; layout < CONV_LAYOUTS && status == CONV_OK; layout++)
        status = choose(job, &job->sides[layout], layout, error);
    if (status == CONV_OK && job->sides[0].missing[0] && job->sides[1].missing[0])
        return conv_fail(error, CONV_NOT_APPLICABLE, "none of these kernels computes %s", job->sides[0].missing);
    if (status == CONV_OK)
        status = take_turns(job, error);
    return status == CONV_OK ? results_end(&job->results, error) : status;
}

static enum conv_status set_batch(struct layers *layers, int64_t batch, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int i = 0; i < layers->count && status == CONV_OK; i++) {
        layers->problems[i].n = batch;
        status = conv_problem_finish(&layers->problems[i], error);
    }
    return status;
}

static void free_job(struct job *job)
{
    for (int side = 0; side < CONV_LAYOUTS; side++) {
        free(job->sides[side].problems);
        for (int way = 0; way < WAYS; way++)
            free(job->sides[side].rows[way].kernels);
    }
    results_free(&job->results);
    layers_free(&job->layers);
}

int bench_chain(struct conv_output *output, const struct cli *cli, const struct conv_kernel *const *kernels,
                int count, const struct conv_bench_options *options, int64_t batch)
{
    struct job *job = calloc(1, sizeof *job);
    struct conv_error error;
    int status = 0;
    if (!job)
        return EXIT_FILE;
    *job = (struct job){ .cli = cli, .kernels = kernels, .kernel_count = count, .options = options };
    if (layers_convolutions(&job->layers, cli->network, cli->in, &error) != CONV_OK
        || set_batch(&job->layers, batch, &error) != CONV_OK || measure(job, &error) != CONV_OK)
        status = cli_error(&error, NULL);
    else {
        print(output->file, job);
        status = conv_output_commit(output, &error) == CONV_OK ? verdict_of(job) : cli_error(&error, NULL);
    }
    free_job(job);
    free(job);
    return status;
}
