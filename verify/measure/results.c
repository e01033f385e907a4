/* results.c - bench results as rows, held against the roof.   Declared in results.h, explained in docs/measuring.md. */
#include "verify/measure/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "verify/measure/alloc_count.h"
#include "verify/sandbox/sandbox.h"

/* ---- the roof, before and afterwards --------------------------------------------------------------------------- */

/* A figure may be this much above the roof: both were measured. */
static const double tolerance = 0.05;

/* The roof may move by this much, and others may use this many cores, before the machine is called busy. */
static const double calm = 0.10, busy_cores = 0.25, long_enough = 0.25;

struct measuring { const struct conv_machine *machine; int threads; struct conv_roof roof; };

static void measure(void *argument)
{
    struct measuring *measuring = argument;
    conv_roof_measure(&measuring->roof, measuring->machine, measuring->threads);
}

/* In a child: this process is to fork later, and must not have used threads. */
static enum conv_status measure_roof(struct conv_roof *roof, const struct conv_machine *machine, int threads,
                                     struct conv_error *error)
{
    const struct sandbox_limits limits = { .seconds = 60 };
    struct sandbox_end end;
    struct measuring *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory to measure the roof with");
    *shared = (struct measuring){ machine, threads, { .threads = 0 } };
    enum conv_status status = sandbox_run(&end, measure, shared, &limits, NULL, error);
    char how[256];
    if (status == CONV_OK && !end.completed)
        status = conv_fail(error, CONV_NO_MEMORY, "the child that measures the roof %s",
                           sandbox_words(how, sizeof how, &end, limits.seconds));
    *roof = shared->roof;
    munmap(shared, sizeof *shared);
    return status;
}

enum conv_status results_begin(struct results *results, int threads, struct conv_error *error)
{
    *results = (struct results){ .count = 0 };
    conv_machine_read(&results->machine);
    return measure_roof(&results->roof, &results->machine, threads, error);
}

static struct conv_ceiling ceiling_of(const struct result *row, const struct conv_roof *roof,
                                      const struct conv_machine *machine)
{
    struct conv_ceiling ceiling = conv_bench_ceiling(roof, machine, &row->problem, conv_bench_isa(row->kernel),
                                                     conv_bench_fewer_macs(row->kernel->accuracy), row->timing.threads,
                                                     row->cold);
    if (row->kernel->device)
        ceiling.macs = NAN;
    return ceiling;
}

void results_watched(struct results *results, double seconds, double others)
{
    if (others < 0)
        return;
    results->watched += seconds;
    results->others += seconds * others;
}

bool results_possible(double rate, double most) { return rate <= most * (1 + tolerance); }

static void hold_against(struct result *row, const struct results *results)
{
    row->ceiling_after = ceiling_of(row, &results->roof_after, &results->machine).macs;
    const double most = fmax(row->ceiling.macs, row->ceiling_after), rate = result_macs(row);
    row->impossible = rate > most && !results_possible(rate, most);   /* NaN: not known */
    if (row->impossible)
        snprintf(row->note, sizeof row->note, "IMPOSSIBLE: %.4g GMAC/s, and f32 arithmetic of %s can do %.4g at most "
                 "here (limited by %s): it does less work, or in a narrower type", rate / 1e9,
                 conv_isa_name(conv_bench_isa(row->kernel)), most / 1e9,
                 row->ceiling.by_memory ? conv_level_name(row->ceiling.level) : "arithmetic");
}

/* A speed-up over a figure that doesn't count is none. */
static void drop_ratios(const struct results *results)
{
    for (int i = 0; i < results->count; i++)
        for (int j = 0; j < results->count && results->rows[i].impossible; j++)
            if (!strcmp(results->rows[j].first, results->rows[i].kernel->name)
                && results->rows[j].cold == results->rows[i].cold
                && conv_problem_equal(&results->rows[j].problem, &results->rows[i].problem))
                results->rows[j].timing.speedup = NAN;
}

/* Cores that others used: over all that was timed, or in any row that took long enough to say it of that alone.  The
 * system counts in ticks of 10 ms, of which a short row has few. */
static double cores_of_others(const struct results *results)
{
    double seconds = results->watched, used = results->others, most = 0;
    for (int i = 0; i < results->count; i++) {
        const struct conv_timing *timing = &results->rows[i].timing;
        const double took = timing->turns > 0 ? timing->calls * timing->median : 0;
        if (!(timing->others >= 0))
            continue;
        seconds += took;
        used += took * timing->others;
        most = took >= long_enough ? fmax(most, timing->others) : most;
    }
    return seconds > 0 ? fmax(most, used / seconds) : 0;
}

static void judge_quiet(struct results *results)
{
    double others = cores_of_others(results), moved = calm;
    for (int i = 0; i < results->count; i++) {
        const struct result *row = &results->rows[i];
        const double ratio = fmax(row->ceiling.macs, row->ceiling_after) / fmin(row->ceiling.macs,
                row->ceiling_after) - 1;
        if (!(ratio > moved))   /* NaN: a device */
            continue;
        moved = ratio;
        snprintf(results->busy, sizeof results->busy, "its roof for %s moved from %.1f to %.1f GMAC/s", row->layer,
                 row->ceiling.macs / 1e9, row->ceiling_after / 1e9);
    }
    const size_t used = strlen(results->busy);
    if (others > busy_cores)
        snprintf(results->busy + used, sizeof results->busy - used, "%sother programs used %.1f of its %d cores",
                 used ? ", and " : "", others, results->machine.cores);
}

enum conv_status results_end(struct results *results, struct conv_error *error)
{
    enum conv_status status = measure_roof(&results->roof_after, &results->machine, results->roof.threads, error);
    for (int i = 0; i < results->count && status == CONV_OK; i++)
        hold_against(&results->rows[i], results);
    if (status == CONV_OK) {
        drop_ratios(results);
        judge_quiet(results);
    }
    return status;
}

void results_print_machine(FILE *file, const struct results *results, const char *prefix)
{
    const struct conv_machine *m = &results->machine;
    const struct conv_roof *roof = &results->roof, *after = &results->roof_after;
    const char *hurried = getenv("CONVREF_QUICK_ROOF");
    const time_t now = time(NULL);
    struct tm local;
    char day[32] = "";
    if (localtime_r(&now, &local))
        strftime(day, sizeof day, "%Y-%m-%d", &local);
    fprintf(file, "%s%s, %d cores, %s, %s %s, up to %s, convref %s, %s\n", prefix, m->cpu, m->cores, m->system,
            m->compiler,
            m->flags, conv_isa_name(m->isa), conv_version(), day);
    fprintf(file, "%sone thread: roof_gmacs %.1f (%.1f at the end), GB/s:", prefix, roof->macs[m->isa][0] / 1e9,
            after->macs[m->isa][0] / 1e9);
    for (enum conv_level level = 0; level < CONV_LEVELS; level++)
        if (roof->bandwidth[level][0] > 0)
            fprintf(file, " roof_%s %.1f (%.1f)", conv_level_name(level), roof->bandwidth[level][0] / 1e9,
                    after->bandwidth[level][0] / 1e9);
    fputc('\n', file);
    if (hurried && hurried[0])
        fprintf(file, "%sTHE ROOF IS NOT TO BE QUOTED: it was measured in a moment, because of CONVREF_QUICK_ROOF.\n",
                prefix);
    if (results->busy[0])
        fprintf(file, "%sTHE MACHINE IS BUSY: %s.  Measure again before you quote a figure.\n", prefix,
                results->busy);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

void results_free(struct results *results)
{
    free(results->rows);
    *results = (struct results){ .count = 0 };
}

static struct result *add_row(struct results *results)
{
    if (results->count == results->capacity) {
        const int capacity = results->capacity * 2 + 64;
        struct result *rows = realloc(results->rows, sizeof *rows * (size_t)capacity);
        if (!rows)
            return NULL;
        results->rows = rows;
        results->capacity = capacity;
    }
    return &results->rows[results->count++];
}

enum conv_status results_bench(struct results *results, const struct conv_kernel *const *kernels, int count,
                               const struct conv_problem *problem, const char *layer, int repeats,
                               const struct conv_bench_options *wanted, struct conv_error *error)
{
    struct conv_bench_options options = *wanted;
    struct conv_timing *timings = calloc((size_t)count, sizeof *timings);
    if (!timings)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for %d timings", count);
    options.allocations = alloc_counter;
    enum conv_status status = conv_bench_kernels(timings, kernels, count, problem, &options, error);
    for (int i = 0; i < count && status == CONV_OK; i++) {
        struct result *row = conv_kernel_refuses(kernels[i], problem) ? NULL : add_row(results);
        if (!row)
            continue;
        *row = (struct result){ .problem = *problem, .repeats = repeats, .kernel = kernels[i],
                                .first = kernels[0]->name, .cold = options.cold, .timing = timings[i] };
        snprintf(row->layer, sizeof row->layer, "%s", layer);
        conv_count_problem(&row->count, problem);
        row->ceiling = ceiling_of(row, &results->roof, &results->machine);
        if (timings[i].turns == 0)
            snprintf(row->note, sizeof row->note, "NOT TIMED: %s", timings[i].why);
        else if (row->count.macs == 0)
            snprintf(row->note, sizeof row->note, "NOT TIMED: n=0 has no multiply-adds");
        else if (timings[i].shared_rounds == 1 && count > 1)
            snprintf(row->note, sizeof row->note, "n=1");
    }
    free(timings);
    return status;
}

bool result_counts(const struct result *row)
{
    return row->timing.turns > 0 && !row->impossible && row->count.macs > 0;
}

double result_macs(const struct result *row)
{
    return result_counts(row) ? (double)row->count.macs_inside / row->timing.median : NAN;
}

double result_of_roof(const struct result *row) { return result_macs(row) / row->ceiling.macs; }

struct table *results_table(const struct results *results)
{
    static const struct table_column columns[] = {
        { "layer", "layer", false }, { "kernel", "kernel", false }, { "isa", "set", false },
        { "threads", "threads", true }, { "cache", "cache", false }, { "verified", "right", false },
        { "ms", "ms", true }, { "p10_ms", "p10", true }, { "p90_ms", "p90", true },
        { "gmacs", "GMAC/s", true }, { "of_roof", "of roof", true }, { "roof_gmacs", "roof", true },
        { "limit", "limited by", false }, { "speedup", "speed-up", true }, { "speedup_low", "from", true },
        { "speedup_high", "to", true }, { "rounds", "rounds", true }, { "first", "over", false },
        { "allocations", "allocations", true }, { "scratch_bytes", "scratch", true },
        { "packed_bytes", "packed", true }, { "pack_ms", "packing ms", true }, { "calls", "calls", true },
        { "repeats", "repeats", true }, { "macs", "MACs", true }, { "macs_inside", "MACs inside", true },
        { "bytes", "bytes", true }, { "others", "cores of others", true }, { "note", "note", false },
        { "problem", "problem", false },
    };
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < results->count; i++) {
        const struct result *row = &results->rows[i];
        const struct conv_timing *t = &row->timing;
        char text[CONV_PROBLEM_TEXT];
        const double nothing = result_counts(row) ? 0 : NAN;
        table_text(table, row->layer);
        table_text(table, row->kernel->name);
        table_text(table, conv_isa_name(row->kernel->isa));
        table_integer(table, t->threads);
        table_text(table, row->cold ? "cold" : "warm");
        table_text(table, t->verified ? "yes" : "NO");
        table_real(table, t->median * 1e3 + nothing, "%.3f");
        table_real(table, t->p10 * 1e3 + nothing, "%.3f");
        table_real(table, t->p90 * 1e3 + nothing, "%.3f");
        table_real(table, result_macs(row) / 1e9, "%.2f");
        table_real(table, result_of_roof(row), "%.2f");
        table_real(table, row->ceiling.macs / 1e9, "%.1f");
        table_text(table, row->kernel->device ? "" : row->ceiling.by_memory ? conv_level_name(row->ceiling.level)
                                                                            : "arithmetic");
        table_real(table, t->speedup + nothing, "%.2f");
        table_real(table, t->speedup_low + nothing + 0 * t->speedup, "%.2f");
        table_real(table, t->speedup_high + nothing + 0 * t->speedup, "%.2f");
        table_integer(table, t->shared_rounds);
        table_text(table, row->first);
        if (t->allocations >= 0)
            table_integer(table, t->allocations);
        else
            table_missing(table);
        table_integer(table, (int64_t)t->scratch_bytes);
        table_integer(table, (int64_t)t->packed_bytes);
        table_real(table, t->pack_seconds * 1e3, "%.3f");
        table_integer(table, t->calls);
        table_integer(table, row->repeats);
        table_integer(table, row->count.macs);
        table_integer(table, row->count.macs_inside);
        table_integer(table, row->count.bytes);
        table_real(table, t->others >= 0 ? t->others : NAN, "%.1f");
        table_text(table, row->note);
        table_text(table, conv_problem_print(text, &row->problem));
    }
    return table;
}

/* ---- sums over layers ------------------------------------------------------------------------------------------ */

static struct result_sum *sum_of(struct result_sum *sums, int *count, int room, const struct conv_kernel *kernel)
{
    for (int i = 0; i < *count; i++)
        if (sums[i].kernel == kernel)
            return &sums[i];
    if (*count == room)
        return NULL;
    sums[*count] = (struct result_sum){ .kernel = kernel, .verified = true };
    return &sums[(*count)++];
}

/* Seconds that the first kernel of the ladder takes on those layers that `kernel` was timed on. */
static double first_seconds(const struct results *results, const struct conv_kernel *kernel, bool cold, int threads)
{
    double seconds = 0;
    for (int i = 0; i < results->count; i++) {
        const struct result *row = &results->rows[i];
        if (row->kernel != kernel || row->cold != cold || !result_counts(row)
            || (threads > 0 && row->timing.threads != threads))
            continue;
        seconds += row->timing.median * row->timing.speedup * row->repeats;
    }
    return seconds;
}

int results_sum(struct result_sum *sums, int room, const struct results *results, bool cold, int threads)
{
    int count = 0;
    for (int i = 0; i < results->count; i++) {
        const struct result *row = &results->rows[i];
        if (row->cold != cold || (threads > 0 && row->timing.threads != threads))
            continue;
        struct result_sum *sum = sum_of(sums, &count, room, row->kernel);
        if (!sum)
            continue;
        sum->verified = sum->verified && row->timing.verified;
        if (!result_counts(row))
            continue;
        sum->layers += row->repeats;
        sum->seconds += row->timing.median * row->repeats;
        sum->macs += (double)row->count.macs_inside * row->repeats;
        sum->ceiling_seconds += (double)row->count.macs_inside / row->ceiling.macs * row->repeats;
        sum->allocations += row->timing.allocations > 0 ? row->timing.allocations : 0;
    }
    for (int i = 0; i < count; i++)
        sums[i].speedup = first_seconds(results, sums[i].kernel, cold, threads) / sums[i].seconds;
    return count;
}
