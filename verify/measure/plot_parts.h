/* plot_parts.h - what the files that make data and titles of plots share.  Internal.   Read next: plots.c */
#ifndef CONVREF_VERIFY_MEASURE_PLOT_PARTS_H
#define CONVREF_VERIFY_MEASURE_PLOT_PARTS_H

#include "verify/measure/plots.h"

/* Columns that a plot needs; all must be there. */
enum conv_status plot_columns(int *columns, const struct tsv *table, const char *const *wanted, int count,
                              enum plot plot, struct conv_error *error);

/* A step of a ladder: the sum of the first step's times over this step's, on the layers of this step, with the most
 * threads that it was timed with.  gain: over the step before. */
struct plot_step { const struct conv_kernel *kernel; int threads; double speedup, gain; };
enum { PLOT_MOST_STEPS = 64 };

/* Returns how many steps of a ladder the table has, 0 if none; `ladder` is filled with the one that has the most rows
 * if `wanted` is NULL. */
int plot_steps(struct plot_step steps[PLOT_MOST_STEPS], char ladder[32], const struct tsv *table, const char *wanted,
               const int columns[5]);
extern const char *const plot_step_columns[5];

/* Is the row the fastest of its layer among the kernels of its kind, on one thread? */
bool plot_is_fastest(const struct tsv *table, int row, const int columns[6]);
extern const char *const plot_roofline_columns[6];

/* Times of one way, or of one published series, over groups, and the fit of MACs / rate + groups t0. */
enum { PLOT_MOST_TIMES = 64 };
struct plot_series {
    char name[96];
    bool published;
    int count;
    double macs[PLOT_MOST_TIMES], groups[PLOT_MOST_TIMES], seconds[PLOT_MOST_TIMES], rate, t0;
};

/* The series that begins in a row; false if the row isn't the first of it, or it has no fit. */
bool plot_series_at(struct plot_series *series, const struct tsv *table, int row, const int columns[6]);
extern const char *const plot_groups_columns[6], *const plot_experiment_columns[6];

/* Parameters against multiply-adds, and where the names go. (plot_networks.c) */
enum conv_status plot_networks_data(FILE *file, const struct tsv *table, struct conv_error *error);

#endif
