/* chains.c - ways of an experiment that compute a case's convolutions back to back, in one arena.
 *
 * Each chain is timed once a pass, in turn with everything else, so that its ratios are of the same passes.
 * Not here: the arena and the clock (verify/measure/chain.c), which layer each kernel takes (run.c).
 * Declared in experiment.h.   Read next: rows.c
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/experiment/experiment.h"
#include "verify/measure/alloc_count.h"
#include "verify/measure/chain.h"

/* Seconds of a call that aren't waited for once more in every pass: that one counts for all. */
static const double long_call = 5;

struct chain_row {
    int which, way;                       /* of the experiment's cases; of its ways */
    struct conv_problem *problems;
    const struct conv_kernel **kernels;
    struct chain chain;
    struct chain_timing timings[EXP_MOST_PASSES];
};

static const struct exp_way *way_of(const struct exp_run *run, const struct chain_row *row)
{
    return &run->experiment->cases[row->which].ways[row->way];
}

/* All layers, each as often as it stands there. */
static enum conv_status fill_row(struct chain_row *row, const struct exp_run *run, struct conv_error *error)
{
    const struct exp_case *one = &run->experiment->cases[row->which];
    const struct exp_way *way = way_of(run, row);
    char text[CONV_PROBLEM_TEXT];
    int64_t count = 0;
    for (int i = 0; i < one->layer_count; i++)
        count += one->layers[i].fc ? 0 : one->layers[i].times;
    row->problems = calloc((size_t)count + 1, sizeof *row->problems);
    row->kernels = calloc((size_t)count + 1, sizeof *row->kernels);
    if (!row->problems || !row->kernels)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the chain of %s", one->name);
    const int threads = way->threads ? way->threads : run->options->bench.threads;
    row->chain = (struct chain){ row->problems, row->kernels, 0, threads, run->options->bench.seed };
    for (int i = 0; i < one->layer_count; i++)
        for (int64_t time = 0; time < one->layers[i].times && !one->layers[i].fc; time++) {
            const struct conv_problem problem = way_problem(way, &one->layers[i]);
            const struct conv_kernel *kernel = way_kernel(way, &problem);
            if (!kernel)
                return conv_fail(error, CONV_BAD_FILE, "%s, line %d: no kernel of %s computes %s", one->name,
                                 one->line, way->name, conv_problem_print(text, &problem));
            row->problems[row->chain.count] = problem;
            row->kernels[row->chain.count++] = kernel;
        }
    return CONV_OK;
}

enum conv_status chains_collect(struct exp_chains *chains, const struct exp_run *run, struct conv_error *error)
{
    const struct experiment *experiment = run->experiment;
    *chains = (struct exp_chains){ calloc((size_t)experiment->case_count * EXP_MOST_WAYS, sizeof *chains->rows), 0 };
    if (!chains->rows)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the chains of %s", experiment->name);
    enum conv_status status = CONV_OK;
    for (int c = 0; c < experiment->case_count; c++)
        for (int w = 0; w < experiment->cases[c].way_count && status == CONV_OK; w++) {
            const struct exp_way *way = &experiment->cases[c].ways[w];
            if (!way->chain || !run_shows(run, c) || run_leaves_out(run, way))
                continue;
            struct chain_row *row = &chains->rows[chains->count++];
            row->which = c;
            row->way = w;
            status = fill_row(row, run, error);
        }
    return status;
}

enum conv_status chains_pass(struct exp_chains *chains, struct exp_run *run, int pass, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int i = 0; i < chains->count && status == CONV_OK; i++) {
        struct chain_row *row = &chains->rows[i];
        const struct chain_options options = { .turn_seconds = 4 * run->options->bench.turn_seconds,
            .each_layer = pass == 0, .allocations = alloc_counter };
        char label[64];
        /* it is out, or has taken long */
        if (pass > 0 && (row->timings[pass - 1].why[0] || row->timings[pass - 1].median > long_call)) {
            row->timings[pass] = row->timings[pass - 1];
            continue;
        }
        snprintf(label, sizeof label, "%.30s, %.20s", run->experiment->cases[row->which].name,
                 way_of(run, row)->name);
        cli_progress(label, (int64_t)pass * chains->count + i, (int64_t)run->options->passes * chains->count);
        status = chain_time(&row->timings[pass], &row->chain, &options, error);
        results_watched(&run->results, row->timings[pass].watched, row->timings[pass].others);
    }
    return status;
}

static void time_of(struct exp_time *time, const struct chain_row *row, const struct exp_run *run)
{
    const struct results *results = &run->results;
    const double before = chain_floor(NULL, &row->chain, &results->roof, &results->machine);
    const double after = chain_floor(NULL, &row->chain, &results->roof_after, &results->machine);
    *time = (struct exp_time){ .timed = true, .verified = true, .passes = run->options->passes, .ceiling = before,
                               .arena_bytes = row->timings[0].arena_bytes };
    for (int pass = 0; pass < time->passes; pass++) {
        const struct chain_timing *timing = &row->timings[pass];
        time->verified = time->verified && timing->verified;
        time->pass[pass] = timing->median;
        time->allocations = timing->allocations < 0 ? NAN
            : fmax(time->allocations, (double)timing->allocations / timing->calls);
        if (timing->why[0])
            snprintf(time->note, sizeof time->note, "NOT TIMED: %s", timing->why);
    }
    time->timed = time->verified;
    if (!time->timed)
        return;
    time_sum_up(time);
    if (time->seconds > long_call)
        snprintf(time->note, sizeof time->note, "timed once: it takes long");
    time->impossible = !results_possible(fmin(before, after) / time->seconds, 1);
    time->timed = !time->impossible;
    if (time->impossible)
        snprintf(time->note, sizeof time->note, "IMPOSSIBLE: %.3f ms, and this machine needs %.3f",
                 1e3 * time->seconds, 1e3 * fmin(before, after));
}

void chains_times(const struct exp_chains *chains, const struct exp_run *run)
{
    for (int i = 0; i < chains->count; i++)
        time_of(&run->times[chains->rows[i].which][chains->rows[i].way], &chains->rows[i], run);
}

void chains_free(struct exp_chains *chains)
{
    for (int i = 0; i < chains->count; i++) {
        free(chains->rows[i].problems);
        free(chains->rows[i].kernels);
    }
    free(chains->rows);
    *chains = (struct exp_chains){ .count = 0 };
}
