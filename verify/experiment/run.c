/* run.c - times the cases of an experiment, all in turn, several times over.
 *
 * A job is one problem and all kernels that some way wants it computed by: conv_bench_kernels() verifies them and has
 * them take turns.  All jobs are done once, then all once more: each pass gives every way a time, and the ratio of
 * two ways is the median of their ratios pass by pass, so that what disturbs one pass disturbs both sides.
 * Not here: the clock (verify/measure/turns.c), the roof (verify/measure/results.c), whole networks (chains.c).
 * Declared in experiment.h.   Read next: rows.c
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/experiment/experiment.h"
#include "verify/measure/statistics.h"

enum { MOST_KERNELS = 24 };

struct job {
    struct conv_problem problem;
    const struct conv_kernel *kernels[MOST_KERNELS];
    int count;
    int first_row[EXP_MOST_PASSES];   /* of results.rows */
};

struct jobs { struct job *rows; int count; };

/* ---- what is to be done ---------------------------------------------------------------------------------------- */

struct conv_problem way_problem(const struct exp_way *way, const struct exp_layer *layer)
{
    struct conv_problem problem = layer->problem;
    problem.layout = way->layout < CONV_LAYOUTS ? way->layout : problem.layout;
    return problem;
}

const struct conv_kernel *way_kernel(const struct exp_way *way, const struct conv_problem *problem)
{
    for (int i = 0; i < way->kernel_count; i++) {
        const struct conv_kernel *kernel = conv_kernel_find(way->kernels[i]);
        if (kernel && !conv_kernel_refuses(kernel, problem))
            return kernel;
    }
    return NULL;
}

static bool begins_with(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

bool run_shows(const struct exp_run *run, int which)
{
    const struct experiment *experiment = run->experiment;
    const char *only = run->options->only;
    if (!only || begins_with(experiment->cases[which].name, only))
        return true;
    for (int i = 0; i < experiment->case_count; i++)
        if (experiment->cases[i].over == which && begins_with(experiment->cases[i].name, only))
            return true;
    return false;
}

const char run_takes_long[] = "takes long: --full";

const char *run_leaves_out(const struct exp_run *run, const struct exp_way *way)
{
    if (run->options->counts)
        return "";
    if (way->full && !run->options->full)
        return run_takes_long;
    if (way->threads > run->results.machine.cores)
        return "this machine has fewer cores";
    for (int i = 0; way->provider[0] && i < way->kernel_count; i++)
        if (!conv_kernel_find(way->kernels[i]))
            return "its provider isn't here";
    return NULL;
}

static struct job *job_of(struct jobs *jobs, const struct conv_problem *problem)
{
    for (int i = 0; i < jobs->count; i++)
        if (conv_problem_equal(&jobs->rows[i].problem, problem))
            return &jobs->rows[i];
    struct job *rows = realloc(jobs->rows, sizeof *rows * ((size_t)jobs->count + 1));
    if (!rows)
        return NULL;
    jobs->rows = rows;
    rows[jobs->count] = (struct job){ .problem = *problem };
    return &rows[jobs->count++];
}

static enum conv_status add_way(struct jobs *jobs, const struct exp_case *one, const struct exp_way *way,
                                struct conv_error *error)
{
    char text[CONV_PROBLEM_TEXT];
    for (int i = 0; i < one->layer_count; i++) {
        const struct conv_problem problem = way_problem(way, &one->layers[i]);
        if (one->layers[i].fc)
            continue;
        const struct conv_kernel *kernel = way_kernel(way, &problem);
        if (!kernel)
            return conv_fail(error, CONV_BAD_FILE, "%s, line %d: no kernel of %s computes %s", one->name, one->line,
                             way->name, conv_problem_print(text, &problem));
        struct job *job = job_of(jobs, &problem);
        bool there = false;
        for (int k = 0; job && k < job->count; k++)
            there = there || job->kernels[k] == kernel;
        if (!job || (!there && job->count == MOST_KERNELS))
            return conv_fail(error, CONV_NO_MEMORY, "no room for the kernels of %s", one->name);
        if (!there)
            job->kernels[job->count++] = kernel;
    }
    return CONV_OK;
}

static enum conv_status collect(struct jobs *jobs, const struct exp_run *run, struct conv_error *error)
{
    const struct experiment *experiment = run->experiment;
    enum conv_status status = CONV_OK;
    for (int c = 0; c < experiment->case_count && status == CONV_OK; c++)
        for (int w = 0; w < experiment->cases[c].way_count && status == CONV_OK; w++)
            if (run_shows(run, c) && !experiment->cases[c].ways[w].chain
                && !run_leaves_out(run, &experiment->cases[c].ways[w]))
                status = add_way(jobs, &experiment->cases[c], &experiment->cases[c].ways[w], error);
    return status;
}

/* ---- doing it -------------------------------------------------------------------------------------------------- */

/* A pass over all jobs, and then over all chains. */
static enum conv_status do_all(struct exp_run *run, struct jobs *jobs, struct exp_chains *chains,
                               struct conv_error *error)
{
    const int passes = run->options->passes;
    enum conv_status status = CONV_OK;
    for (int pass = 0; pass < passes && status == CONV_OK; pass++) {
        for (int i = 0; i < jobs->count && status == CONV_OK; i++) {
            struct job *job = &jobs->rows[i];
            char label[64];
            snprintf(label, sizeof label, "%.40s, pass %d", run->experiment->name, pass + 1);
            cli_progress(label, (int64_t)pass * jobs->count + i, (int64_t)passes * jobs->count);
            job->first_row[pass] = run->results.count;
            status = results_bench(&run->results, job->kernels, job->count, &job->problem, label, 1,
                                   &run->options->bench, error);
        }
        if (status == CONV_OK)
            status = chains_pass(chains, run, pass, error);
    }
    cli_progress("", 0, 0);
    return status;
}

static const struct result *row_of(const struct exp_run *run, const struct jobs *jobs, int pass,
                                   const struct conv_problem *problem, const struct conv_kernel *kernel)
{
    for (int i = 0; i < jobs->count; i++)
        if (conv_problem_equal(&jobs->rows[i].problem, problem))
            for (int k = 0; k < jobs->rows[i].count; k++) {
                const struct result *row = &run->results.rows[jobs->rows[i].first_row[pass] + k];
                if (row->kernel == kernel)
                    return row;
            }
    return NULL;
}

/* Add one layer's row to one pass.  Its figures count, or the whole way has none. */
static void add_row(struct exp_time *time, const struct result *row, int pass, double times)
{
    time->verified = time->verified && row->timing.verified;
    time->impossible = time->impossible || row->impossible;
    if (!result_counts(row)) {
        time->timed = false;
        snprintf(time->note, sizeof time->note, "%s: %.*s", row->kernel->name, CONV_WHY, row->note);
        return;
    }
    time->pass[pass] += times * row->timing.median;
    if (pass > 0)
        return;
    time->ceiling += times * (double)row->count.macs_inside / row->ceiling.macs;
    if (row->timing.allocations < 0 || row->timing.calls == 0)
        time->allocations = NAN;
    else
        time->allocations += times * (double)row->timing.allocations / row->timing.calls;
}

void time_sum_up(struct exp_time *time)
{
    double sorted[EXP_MOST_PASSES];
    memcpy(sorted, time->pass, sizeof sorted);
    time->seconds = quantile(sorted, time->passes, 0.5);
    time->low = quantile(sorted, time->passes, 0);
    time->high = quantile(sorted, time->passes, 1);
}

static void time_of(struct exp_time *time, const struct exp_run *run, const struct jobs *jobs,
                    const struct exp_case *one, const struct exp_way *way)
{
    *time = (struct exp_time){ .timed = true, .verified = true, .passes = run->options->passes };
    for (int pass = 0; pass < time->passes; pass++)
        for (int i = 0; i < one->layer_count; i++) {
            const struct exp_layer *layer = &one->layers[i];
            const struct conv_problem problem = way_problem(way, layer);
            const struct result *row = layer->fc ? NULL
                : row_of(run, jobs, pass, &problem, way_kernel(way, &problem));
            if (row)
                add_row(time, row, pass, (double)layer->times);
        }
    if (time->timed)
        time_sum_up(time);
}

static void all_times(const struct exp_run *run, const struct jobs *jobs)
{
    const struct experiment *experiment = run->experiment;
    for (int c = 0; c < experiment->case_count; c++)
        for (int w = 0; w < experiment->cases[c].way_count; w++) {
            struct exp_time *time = &run->times[c][w];
            const struct exp_way *way = &experiment->cases[c].ways[w];
            const char *why = run_leaves_out(run, way);
            if (!run_shows(run, c))
                continue;
            if (!why && way->chain)
                continue;
            if (!why)
                time_of(time, run, jobs, &experiment->cases[c], way);
            else
                snprintf(time->note, sizeof time->note, "%s", why);
        }
}

/* The roof is measured with as many threads as any way has; 0: all cores. */
static int roof_threads(const struct exp_run *run)
{
    int threads = run->options->bench.threads;
    for (int c = 0; c < run->experiment->case_count; c++)
        for (int w = 0; w < run->experiment->cases[c].way_count; w++) {
            const int own = run->experiment->cases[c].ways[w].threads;
            threads = threads > 0 && own > threads ? own : threads;
        }
    return threads;
}

enum conv_status experiment_run(struct exp_run *run, const struct experiment *experiment,
                                const struct exp_options *options, struct conv_error *error)
{
    struct jobs jobs = { .count = 0 };
    struct exp_chains chains = { .count = 0 };
    *run = (struct exp_run){ .experiment = experiment, .options = options };
    run->times = calloc((size_t)experiment->case_count, sizeof *run->times);
    if (!run->times)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the times of %s", experiment->name);
    conv_machine_read(&run->results.machine);
    enum conv_status status = collect(&jobs, run, error);
    if (status == CONV_OK)
        status = chains_collect(&chains, run, error);
    run->timed = jobs.count + chains.count > 0;
    if (status == CONV_OK && run->timed) {
        status = results_begin(&run->results, roof_threads(run), error);
        if (status == CONV_OK)
            status = do_all(run, &jobs, &chains, error);
        if (status == CONV_OK)
            status = results_end(&run->results, error);
    }
    if (status == CONV_OK)
        all_times(run, &jobs);
    if (status == CONV_OK)
        chains_times(&chains, run);
    free(jobs.rows);
    chains_free(&chains);
    if (status != CONV_OK)
        experiment_run_free(run);
    return status;
}

void experiment_run_free(struct exp_run *run)
{
    experiment_peers_free(&run->peers);
    results_free(&run->results);
    free(run->times);
    *run = (struct exp_run){ .experiment = NULL };
}
