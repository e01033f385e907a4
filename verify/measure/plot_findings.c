/* plot_findings.c - what a plot shows, in one line, from its table: the title above it.   Declared in plots.h.
 *
 * Every figure is computed from the rows that are drawn.   Read next: plots.c
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/measure/plot_parts.h"

struct range { double low, high; };

static void widen(struct range *range, double value)
{
    range->low = isfinite(value) && !(value >= range->low) ? value : range->low;
    range->high = isfinite(value) && !(value <= range->high) ? value : range->high;
}

/* "7.9 to 9.1", or "8.7" if they read the same.  Returns `text`. */
static const char *print_range(char text[64], struct range range, const char *format)
{
    char low[24], high[24];
    snprintf(low, sizeof low, format, range.low);
    snprintf(high, sizeof high, format, range.high);
    snprintf(text, 64, strcmp(low, high) ? "%s to %s" : "%s", low, high);
    return text;
}

static struct range column_range(const struct tsv *table, const char *name)
{
    struct range range = { NAN, NAN };
    for (int row = 0; row < table->rows; row++)
        widen(&range, tsv_number(table, row, tsv_column(table, name)));
    return range;
}

static bool has_columns(int *c, const struct tsv *table, const char *const *names, int count, enum plot plot)
{
    return plot_columns(c, table, names, count, plot, NULL) == CONV_OK;
}

static void find_speedup(char text[PLOT_TITLE], const struct tsv *table, const char *wanted)
{
    struct plot_step steps[PLOT_MOST_STEPS];
    char ladder[32], at[32] = "";
    int c[5], best = 0, greatest = 0;
    const int count = has_columns(c, table, plot_step_columns, 5, PLOT_SPEEDUP)
        ? plot_steps(steps, ladder, table, wanted, c) : 0;
    for (int i = 1; i < count; i++) {
        best = steps[i].speedup > steps[best].speedup ? i : best;
        greatest = greatest == 0 || steps[i].gain > steps[greatest].gain ? i : greatest;
    }
    if (count > 0 && steps[best].threads > 1)
        snprintf(at, sizeof at, " on %d cores", steps[best].threads);
    if (count == 1 || (count > 1 && best == 0))
        snprintf(text, PLOT_TITLE, "%s: no step is faster than the first", ladder);
    else if (count > 1)
        snprintf(text, PLOT_TITLE, "%s: %.*f times faster%s; the greatest step, %.*fx: %s", ladder,
                 steps[best].speedup < 2 ? 2 : 1, steps[best].speedup, at, steps[greatest].gain < 2 ? 2 : 1,
                 steps[greatest].gain, steps[greatest].kernel->title);
}

static void find_roofline(char text[PLOT_TITLE], const struct tsv *table)
{
    int c[6], layers = 0, near = 0;
    const int of_roof = tsv_column(table, "of_roof");
    struct range range = { NAN, NAN };
    if (!has_columns(c, table, plot_roofline_columns, 6, PLOT_ROOFLINE) || of_roof < 0)
        return;
    for (int row = 0; row < table->rows; row++)
        if (plot_is_fastest(table, row, c)) {
            const double part = tsv_number(table, row, of_roof);
            widen(&range, 100 * part);
            layers++;
            near += part >= 0.7;
        }
    char part[64];
    if (layers > 0)
        snprintf(text, PLOT_TITLE, "The fastest steps reach %s %% of the roof, on one thread; %d of %d reach 70 %%",
                 print_range(part, range, "%.0f"), near, layers);
}

static void find_ratio(char text[PLOT_TITLE], const struct tsv *table)
{
    char macs[64], behind[64], best[64];
    snprintf(text, PLOT_TITLE, "%s times fewer multiply-adds: %s times faster with the depthwise layer left behind, "
             "%s by all last steps", print_range(macs, column_range(table, "mac_ratio"), "%.1f"),
             print_range(behind, column_range(table, "left_behind_ratio"), "%.1f"),
             print_range(best, column_range(table, "two_layers_ratio"), "%.1f"));
}

static void find_networks(char text[PLOT_TITLE], const struct tsv *table)
{
    struct range times = { NAN, NAN };
    char often[64];
    for (int row = 0; row < table->rows; row++)
        widen(&times, (tsv_number(table, row, tsv_column(table, "macs_conv"))
                       + tsv_number(table, row, tsv_column(table, "macs_fc")))
              / tsv_number(table, row, tsv_column(table, "params")));
    snprintf(text, PLOT_TITLE, "%d network%s: for each input, a parameter is used %s times on average", table->rows,
             table->rows == 1 ? "" : "s", print_range(often, times, "%.0f"));
}

/* Of the ways that were timed: how often is time saved as work is? */
static void find_experiment(char text[PLOT_TITLE], const struct tsv *table)
{
    int c[6], ways = 0, kept = 0;
    struct range macs = { NAN, NAN }, times = { NAN, NAN };
    char fewer[64], faster[64];
    if (!has_columns(c, table, plot_experiment_columns, 6, PLOT_EXPERIMENT))
        return;
    for (int row = 0; row < table->rows; row++) {
        const double work = tsv_number(table, row, c[2]), time = tsv_number(table, row, c[3]);
        if (!isfinite(time))
            continue;
        widen(&macs, isfinite(work) ? work : 1);
        widen(&times, time);
        ways++;
        kept += time >= (isfinite(work) ? work : 1);
    }
    if (ways > 0)
        snprintf(text, PLOT_TITLE, "%s times fewer multiply-adds: %s times faster; %d of %d gain as much time as work",
                 print_range(fewer, macs, "%.3g"), print_range(faster, times, "%.3g"), kept, ways);
}

/* Of the series that were timed here: what the most groups cost, and what one costs. */
static void find_groups(char text[PLOT_TITLE], const struct tsv *table)
{
    int c[6];
    struct plot_series series;
    struct range groups = { NAN, NAN }, macs = { NAN, NAN }, times = { NAN, NAN }, each = { NAN, NAN };
    char more[64], fewer[64], time[64], cost[64];
    if (!has_columns(c, table, plot_groups_columns, 6, PLOT_GROUPS))
        return;
    for (int row = 0; row < table->rows; row++) {
        if (!plot_series_at(&series, table, row, c) || series.published)
            continue;
        const int last = series.count - 1;
        widen(&groups, series.groups[last] / series.groups[0]);
        widen(&macs, series.macs[0] / series.macs[last]);
        widen(&times, series.seconds[last] / series.seconds[0]);
        widen(&each, 1e6 * series.t0);
    }
    if (isfinite(each.low))
        snprintf(text, PLOT_TITLE, "%s times the groups, %s times fewer multiply-adds: %s times the time; "
                 "a group costs %s us", print_range(more, groups, "%.3g"), print_range(fewer, macs, "%.3g"),
                 print_range(time, times, "%.2g"), print_range(cost, each, "%.2g"));
}

void plot_finding(char text[PLOT_TITLE], enum plot plot, const struct tsv *table, const char *ladder)
{
    text[0] = 0;
    if (plot == PLOT_SPEEDUP)
        find_speedup(text, table, ladder);
    if (plot == PLOT_ROOFLINE)
        find_roofline(text, table);
    if (plot == PLOT_RATIO)
        find_ratio(text, table);
    if (plot == PLOT_NETWORKS)
        find_networks(text, table);
    if (plot == PLOT_EXPERIMENT)
        find_experiment(text, table);
    if (plot == PLOT_GROUPS)
        find_groups(text, table);
}
