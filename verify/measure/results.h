/* results.h - bench results as rows: what is in the TSV, and what plots and reports are made from.  Internal. */
#ifndef CONVREF_VERIFY_MEASURE_RESULTS_H
#define CONVREF_VERIFY_MEASURE_RESULTS_H

#include <convref/bench.h>

#include "verify/cli/options.h"

/* One kernel on one layer. */
struct result {
    struct conv_problem problem;
    char layer[64];
    int repeats;                        /* how often the layer stands in its network */
    const struct conv_kernel *kernel;
    const char *first;                  /* the kernel that speed-ups are over */
    bool cold;
    struct conv_timing timing;
    struct conv_count count;
    struct conv_ceiling ceiling;        /* by the roof before; `macs` is NaN for a device, which has another roof */
    double ceiling_after;               /* multiply-adds a second, by the roof afterwards */
    bool impossible;                    /* faster than both: its figures are left out of everything */
    char note[CONV_WHY + 32];           /* why there are no figures, or what to know about them; or empty */
};

struct results {
    int count, capacity;
    struct result *rows;
    struct conv_machine machine;
    struct conv_roof roof, roof_after;  /* measured before, and behind the last row */
    double watched, others;             /* seconds in which something was timed that is no row, and CPU seconds that other
                                         * programs used in them */
    char busy[256];                     /* why the machine wasn't quiet; empty if it was */
};

/* Read the machine and measure the roof. */
enum conv_status results_begin(struct results *results, int threads, struct conv_error *error);

/* Time kernels on one layer and add a row for each that applies. */
enum conv_status results_bench(struct results *results, const struct conv_kernel *const *kernels, int count,
                               const struct conv_problem *problem, const char *layer, int repeats,
                               const struct conv_bench_options *options, struct conv_error *error);

/* Measure the roof once more, and hold all rows against it. */
enum conv_status results_end(struct results *results, struct conv_error *error);
void results_free(struct results *results);

/* The machine, the compiler, the day, the roof, and whether it was quiet: comments above a TSV, or lines above a
 * table. */
void results_print_machine(FILE *file, const struct results *results, const char *prefix);

/* Something was timed that is no row: other programs used so many cores meanwhile (negative: not known). */
void results_watched(struct results *results, double seconds, double others);

/* May anything do `rate`, when it can do `most` at most?  Both were measured: some tolerance is in it. */
bool results_possible(double rate, double most);

/* Has the row figures that count? */
bool result_counts(const struct result *row);

/* Multiply-adds a second, of products inside the image; and that as part of the ceiling, 0 to 1. */
double result_macs(const struct result *row);
double result_of_roof(const struct result *row);

/* The rows as a table with all columns. */
struct table *results_table(const struct results *results);

/* For each kernel, over all its layers: the sum of times (with repeats), the speed-up of the sums over `first`. */
struct result_sum {
    const struct conv_kernel *kernel;
    double seconds, macs, ceiling_seconds;   /* ceiling_seconds: the time that the roof would take */
    double speedup;                          /* over the first of the ladder, summed over the same layers */
    int64_t allocations;
    int layers;
    bool verified;
};
int results_sum(struct result_sum *sums, int room, const struct results *results, bool cold, int threads);

#endif
