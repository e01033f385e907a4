/* results.c - bench results as rows. */
#include "verify/measure/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify/measure/alloc_count.h"

void results_begin(struct results *results, int threads)
{
    *results = (struct results){ .count = 0 };
    conv_machine_read(&results->machine);
    conv_roof_measure(&results->roof, &results->machine, threads);
}

void results_end(struct results *results)
{
    struct conv_roof roof;
    conv_roof_measure(&roof, &results->machine, 1);
    results->peak_after = roof.macs[results->machine.isa][0];
}

void results_print_machine(FILE *file, const struct results *results, const char *prefix)
{
    const struct conv_machine *m = &results->machine;
    const time_t now = time(NULL);
    struct tm local;
    char day[32] = "";
    if (localtime_r(&now, &local))
        strftime(day, sizeof day, "%Y-%m-%d", &local);
    fprintf(file, "%s%s, %d cores, %s, %s %s, up to %s, convref %s, %s\n", prefix, m->cpu, m->cores, m->system, m->compiler,
            m->flags, conv_isa_name(m->isa), conv_version(), day);
    fprintf(file, "%sone thread: roof_gmacs %.1f", prefix, results->roof.macs[m->isa][0] / 1e9);
    if (results->peak_after > 0)
        fprintf(file, " (%.1f at the end)", results->peak_after / 1e9);
    fputs(", GB/s:", file);
    for (enum conv_level level = 0; level < CONV_LEVELS; level++)
        if (results->roof.bandwidth[level][0] > 0)
            fprintf(file, " roof_%s %.1f", conv_level_name(level), results->roof.bandwidth[level][0] / 1e9);
    fputc('\n', file);
}

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
        row->ceiling = conv_bench_ceiling(&results->roof, &results->machine, problem, kernels[i]->isa,
                                          timings[i].threads, options.cold);
    }
    free(timings);
    return status;
}

double result_macs(const struct result *row)
{
    return row->timing.turns > 0 ? (double)row->count.macs_inside / row->timing.median : NAN;
}

double result_of_roof(const struct result *row) { return result_macs(row) / row->ceiling.macs; }

struct table *results_table(const struct results *results)
{
    static const struct table_column columns[] = {
        { "layer", "layer", false }, { "kernel", "kernel", false }, { "isa", "set", false },
        { "threads", "threads", true }, { "cache", "cache", false }, { "verified", "right", false },
        { "ms", "ms", true }, { "p10_ms", "p10", true }, { "p90_ms", "p90", true },
        { "gmacs", "GMAC/s", true }, { "of_roof", "of roof", true }, { "roof_gmacs", "roof", true },
        { "limit", "limited by", false }, { "speedup", "speed-up", true }, { "first", "over", false },
        { "allocations", "allocations", true }, { "scratch_bytes", "scratch", true },
        { "packed_bytes", "packed", true }, { "pack_ms", "packing ms", true }, { "calls", "calls", true },
        { "repeats", "repeats", true }, { "macs", "MACs", true }, { "macs_inside", "MACs inside", true },
        { "bytes", "bytes", true }, { "problem", "problem", false },
    };
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < results->count; i++) {
        const struct result *row = &results->rows[i];
        const struct conv_timing *t = &row->timing;
        char text[CONV_PROBLEM_TEXT];
        const double nothing = t->turns > 0 ? 0 : NAN;
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
        table_text(table, row->ceiling.by_memory ? conv_level_name(row->ceiling.level) : "arithmetic");
        table_real(table, t->speedup + nothing, "%.2f");
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
        if (row->kernel != kernel || row->cold != cold || row->timing.turns == 0
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
        if (row->timing.turns == 0)
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
