/* statistics.h - medians of turns and of ratios of turns.  Internal; pure functions.
 *
 * Kernels have different numbers of turns: a slow one has fewer.  The rounds in which it has them are chosen so that
 * those of a slower kernel are among those of a faster one, and spread over the whole measurement.
 * Read next: turns.c
 */
#ifndef CONVREF_VERIFY_MEASURE_STATISTICS_H
#define CONVREF_VERIFY_MEASURE_STATISTICS_H

#include <convref/bench.h>

enum { MOST_ROUNDS = 101 };

/* The value below which a part of the values lies; sorts them. */
double quantile(double *values, int count, double part);

/* Which of `rounds` rounds come first when there is time for a few only: order[0] before all others. */
void statistics_order(int order[MOST_ROUNDS], int rounds);

/* Turns of two kernels by round; NaN where one had none.  Fills in median, p10 and p90 of the second, and its
 * speed-up over the first. */
void statistics_of(struct conv_timing *timing, const double *turns, const double *first, int rounds);

#endif
