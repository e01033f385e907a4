/* statistics.c - medians of turns and of ratios of turns.   Declared in statistics.h. */
#include "verify/measure/statistics.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(double *values, int count, double part)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[(int)(part * (count - 1) + 0.5)];
}

/* The middle of the longest stretch without a turn comes next, after the first round and the last. */
void statistics_order(int order[MOST_ROUNDS], int rounds)
{
    bool taken[MOST_ROUNDS] = { false };
    for (int i = 0; i < rounds; i++) {
        int best = i == 0 ? 0 : rounds - 1, longest = 0;
        for (int begin = 0; i > 1 && begin < rounds; begin++) {
            int end = begin;
            while (end < rounds && !taken[end])
                end++;
            if (end - begin > longest) {
                longest = end - begin;
                best = begin + (end - begin - 1) / 2;
            }
        }
        taken[best] = true;
        order[i] = best;
    }
}

/* The values that aren't NaN. */
static int collect(double *values, const double *turns, const double *over, int rounds)
{
    int count = 0;
    for (int round = 0; round < rounds; round++) {
        const double value = over ? over[round] / turns[round] : turns[round];
        if (!isnan(value))
            values[count++] = value;
    }
    return count;
}

void statistics_of(struct conv_timing *timing, const double *turns, const double *first, int rounds)
{
    double values[MOST_ROUNDS];
    timing->turns = collect(values, turns, NULL, rounds);
    timing->median = quantile(values, timing->turns, 0.5);
    timing->p10 = quantile(values, timing->turns, 0.1);
    timing->p90 = quantile(values, timing->turns, 0.9);

    const int firsts = collect(values, first, NULL, rounds);
    const double of_medians = firsts > 0 ? quantile(values, firsts, 0.5) / timing->median : NAN;
    timing->shared_rounds = collect(values, turns, first, rounds);
    timing->speedup = timing->speedup_low = timing->speedup_high = NAN;
    if (timing->shared_rounds == 0)
        return;
    timing->speedup = quantile(values, timing->shared_rounds, 0.5);
    timing->speedup_low = fmin(quantile(values, timing->shared_rounds, 0.1), of_medians);
    timing->speedup_high = fmax(quantile(values, timing->shared_rounds, 0.9), of_medians);
}
