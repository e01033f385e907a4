/* rows.c - the table of an experiment: ours measured, theirs published, what is counted, and what is possible.
 *
 * A row is one way of a case, or one published time for it: they never share a row, so that nobody's time is compared
 * with one of another machine as if it were ours.  Ratios are within one machine: ours over ours, theirs over theirs.
 * Declared in experiment.h.   Read next: verify/program/cmd_experiment.c
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/experiment/experiment.h"
#include "verify/measure/fit.h"
#include "verify/measure/statistics.h"

/* ---- ratios ---------------------------------------------------------------------------------------------------- */

static int way_named(const struct exp_case *one, const char *name)
{
    for (int i = 0; i < one->way_count; i++)
        if (!strcmp(one->ways[i].name, name))
            return i;
    return -1;
}

/* What a way's time is compared with: the way of that name of the case that ratios are over, or the first that was
 * timed.  NULL: nothing. */
static const struct exp_time *base_of(const struct exp_run *run, int which, const struct exp_way *way)
{
    const struct exp_case *one = &run->experiment->cases[which];
    const int over = one->over >= 0 ? one->over : which;
    const int named = one->over >= 0 ? way_named(&run->experiment->cases[over], way->over) : -1;
    if (named >= 0)
        return &run->times[over][named];
    for (int i = 0; i < run->experiment->cases[over].way_count; i++)
        if (run->times[over][i].timed)
            return &run->times[over][i];
    return NULL;
}

/* Median over the passes, and the least and the greatest of them. */
static bool ratio_of(double ratio[3], const struct exp_time *base, const struct exp_time *time)
{
    double ratios[EXP_MOST_PASSES];
    if (!base || !base->timed || !time->timed || time->passes == 0)
        return false;
    for (int pass = 0; pass < time->passes; pass++)
        ratios[pass] = base->pass[pass] / time->pass[pass];
    ratio[0] = quantile(ratios, time->passes, 0.5);
    ratio[1] = quantile(ratios, time->passes, 0);
    ratio[2] = quantile(ratios, time->passes, 1);
    return true;
}

static const struct exp_published *published_named(const struct exp_case *one, const char *name)
{
    for (int i = 0; i < one->published_count; i++)
        if (!strcmp(one->published[i].name, name))
            return &one->published[i];
    return NULL;
}

/* ---- cells ----------------------------------------------------------------------------------------------------- */

/* For people: what is counted, then ours, then theirs; a part that would be empty is left out. */
static const struct table_column counted_columns[] = {
    { "case", "case", false }, { "params", "params", true }, { "macs", "MACs", true },
    { "macs_inside", "MACs inside", true }, { "kernel", "kernel", false }, { "mac_ratio", "MAC ratio", true },
};
static const struct table_column our_columns[] = {
    { "ms", "ms", true }, { "gmacs", "GMAC/s", true }, { "of_roof", "of roof", true },
    { "time_ratio", "time ratio", true },
};
static const struct table_column peer_columns[] = { { "peer_ratio", "peer / ours", true } };
static const struct table_column their_columns[] = {
    { "published_ms", "published ms", true }, { "published_gmacs", "published GMAC/s", true },
    { "published_ratio", "published ratio", true }, { "floor", "floor ms", false },
    { "plausible", "plausible", false },
};

static const struct table_column wide_columns[] = {
    { "experiment", "experiment", false }, { "case", "case", false }, { "scaled", "scaled", false },
    { "params", "params", true }, { "macs", "MACs", true }, { "macs_inside", "MACs inside", true },
    { "way", "way", false }, { "kernel", "kernel", false }, { "mac_ratio", "MAC ratio", true }, { "ms", "ms", true },
    { "ms_low", "from", true }, { "ms_high", "to", true }, { "passes", "passes", true },
    { "gmacs", "GMAC/s", true }, { "of_roof", "of roof", true }, { "time_ratio", "time ratio", true },
    { "time_ratio_low", "from", true }, { "time_ratio_high", "to", true }, { "allocations", "allocations", true },
    { "published", "published", false }, { "published_ms", "published ms", true },
    { "published_gmacs", "published GMAC/s", true }, { "published_ratio", "published ratio", true },
    { "device", "device", false }, { "floor_ms", "floor ms", true }, { "winograd_ms", "floor by Winograd", true },
    { "memory_ms", "floor by bytes", true }, { "plausible", "plausible", false }, { "note", "note", false },
    { "groups", "groups", true }, { "peer", "peer", false }, { "peer_version", "version", false },
    { "beside_ms", "ours beside it", true }, { "peer_ratio", "peer / ours", true },
};

struct rows_parts rows_parts_of(const struct exp_run *run)
{
    struct rows_parts parts = { .timed = run->timed, .peers = run->peers.count > 0 };
    for (int c = 0; c < run->experiment->case_count; c++)
        parts.published = parts.published || (run_shows(run, c) && run->experiment->cases[c].published_count > 0);
    return parts;
}

struct table *rows_create(struct rows_parts parts)
{
    static struct table_column made[2][2][2][16];   /* a table goes on using its columns */
    struct table_column *const columns = made[parts.timed][parts.published][parts.peers];
    int count = sizeof counted_columns / sizeof *counted_columns;
    if (parts.wide)
        return table_create(wide_columns, sizeof wide_columns / sizeof *wide_columns);
    memcpy(columns, counted_columns, sizeof counted_columns);
    if (parts.timed) {
        memcpy(columns + count, our_columns, sizeof our_columns);
        count += sizeof our_columns / sizeof *our_columns;
    }
    if (parts.peers)
        columns[count++] = peer_columns[0];
    if (parts.published) {
        memcpy(columns + count, their_columns, sizeof their_columns);
        count += sizeof their_columns / sizeof *their_columns;
    }
    return table_create(columns, count);
}

static void add_number(struct table *table, bool there, double number, const char *format)
{
    table_real(table, there ? number : NAN, format);
}

/* "dw_01_direct", or "dw_01_direct, pw_03_register_tile" */
static void kernels_of(char text[EXP_MOST_KERNELS * (EXP_NAME + 2)], const struct exp_way *way)
{
    text[0] = 0;
    for (int i = 0; i < way->kernel_count; i++) {
        strcat(text, i > 0 ? ", " : "");
        strcat(text, way->kernels[i]);
    }
}

static void add_counts(struct table *table, bool wide, const struct exp_run *run, int which)
{
    const struct exp_case *one = &run->experiment->cases[which];
    const struct exp_cost cost = experiment_cost(one, false);
    char name[EXP_NAME + 16];
    snprintf(name, sizeof name, "%s%s", one->name, one->scaled && !wide ? " (scaled)" : "");
    if (wide)
        table_text(table, run->experiment->name);
    table_text(table, name);
    if (wide)
        table_text(table, one->scaled ? one->scaled : "");
    table_integer(table, one->params);
    table_integer(table, cost.macs);
    table_integer(table, cost.macs_inside);
}

static double mac_ratio(const struct exp_run *run, int which)
{
    const struct exp_case *one = &run->experiment->cases[which];
    const double own = (double)experiment_cost(one, false).macs;
    return one->over < 0 ? NAN : (double)experiment_cost(&run->experiment->cases[one->over], false).macs / own;
}

/* What computes it, "best: dw_01_direct" for people, or whose time follows. */
static void add_name(struct table *table, bool wide, const struct exp_way *way, const char *label)
{
    char kernels[EXP_MOST_KERNELS * (EXP_NAME + 2)] = "", both[2 * EXP_NAME + 2];
    if (way) {
        kernels_of(kernels, way);
        snprintf(both, sizeof both, "%s%s%s", way->name, way->kernel_count == 1 ? ": " : "",
                 way->kernel_count == 1 ? way->kernels[0] : "");
    }
    if (wide)
        table_text(table, way ? way->name : "");
    table_text(table, !way ? label : wide ? kernels : both);
}

/* Ours, for people.  `way` NULL: empty cells. */
static void add_ours(struct table *table, const struct exp_run *run, int which, const struct exp_way *way,
                     const struct exp_time *time)
{
    double ratio[3];
    const double inside = (double)experiment_cost(&run->experiment->cases[which], false).macs_inside;
    const bool timed = time && time->timed, compared = timed && ratio_of(ratio, base_of(run, which, way), time);
    add_number(table, timed, timed ? 1e3 * time->seconds : 0, "%.3f");
    add_number(table, timed, timed ? inside / time->seconds / 1e9 : 0, "%.2f");
    add_number(table, timed, timed ? 100 * time->ceiling / time->seconds : 0, "%.0f %%");
    add_number(table, compared, compared ? ratio[0] : 0, "%.2f");
}

/* Ours, with every figure. */
static void add_ours_wide(struct table *table, const struct exp_run *run, int which, const struct exp_way *way,
                          const struct exp_time *time)
{
    double ratio[3];
    const double inside = (double)experiment_cost(&run->experiment->cases[which], false).macs_inside;
    const bool timed = time && time->timed, compared = timed && ratio_of(ratio, base_of(run, which, way), time);
    add_number(table, timed, timed ? 1e3 * time->seconds : 0, "%.3f");
    add_number(table, timed, timed ? 1e3 * time->low : 0, "%.3f");
    add_number(table, timed, timed ? 1e3 * time->high : 0, "%.3f");
    if (timed)
        table_integer(table, time->passes);
    else
        table_missing(table);
    add_number(table, timed, timed ? inside / time->seconds / 1e9 : 0, "%.2f");
    add_number(table, timed, timed ? time->ceiling / time->seconds : 0, "%.2f");
    for (int i = 0; i < 3; i++)
        add_number(table, compared, compared ? ratio[i] : 0, "%.2f");
    add_number(table, timed, timed ? time->allocations : 0, "%.0f");
}

/* Theirs.  NULL: empty cells. */
static void add_theirs(struct table *table, bool wide, const struct exp_run *run, int which,
                       const struct exp_published *published, const struct exp_devices *devices)
{
    const struct exp_case *one = &run->experiment->cases[which];
    const struct exp_case *over = one->over >= 0 ? &run->experiment->cases[one->over] : NULL;
    const struct exp_published *base = over && published ? published_named(over, published->over) : NULL;
    const struct exp_device *device = published ? devices_find(devices, published->device) : NULL;
    const struct exp_cost cost = experiment_cost(one, false), whole = experiment_cost(one, true);
    struct exp_floor floor = { NAN, NAN, NAN };
    char words[96] = "", least[96] = "";
    if (device) {
        floor = device_floor(device, &whole, published->work);
        device_judge(words, &floor, published->seconds);
        snprintf(least, sizeof least, "%.3g on %s", 1e3 * fmax(floor.direct, floor.memory), device->name);
    }
    if (wide)
        table_text(table, published ? published->name : "");
    add_number(table, published, published ? 1e3 * published->seconds : 0, "%.5g");
    add_number(table, published,
               published ? published->work * (double)cost.macs_inside / published->seconds / 1e9 : 0, "%.3g");
    add_number(table, base, base ? base->seconds / published->seconds : 0, "%.2f");
    if (wide) {
        table_text(table, published ? published->device[0] ? published->device : "not named" : "");
        table_real(table, 1e3 * floor.direct, "%.4g");
        table_real(table, 1e3 * floor.winograd, "%.4g");
        table_real(table, 1e3 * floor.memory, "%.4g");
    } else
        table_text(table, least);
    table_text(table, device ? words : published ? "device not named" : "");
}

/* One row: a way with its time, or a published one, or neither. */
static void add_row(struct table *table, struct rows_parts parts, const struct exp_run *run, int which,
                    const struct exp_way *way, const struct exp_time *time, const struct exp_published *published,
                    const struct exp_devices *devices)
{
    char label[EXP_NAME + 16] = "";
    if (published)
        snprintf(label, sizeof label, "published: %s", published->name);
    add_counts(table, parts.wide, run, which);
    add_name(table, parts.wide, way, label);
    table_real(table, mac_ratio(run, which), "%.2f");
    if (parts.wide)
        add_ours_wide(table, run, which, way, time);
    else if (parts.timed)
        add_ours(table, run, which, way, time);
    if (parts.peers && !parts.wide)
        table_missing(table);
    if (parts.wide || parts.published)
        add_theirs(table, parts.wide, run, which, published, devices);
    if (parts.wide) {
        table_text(table, time ? time->note : "");
        table_real(table, experiment_cost(&run->experiment->cases[which], false).groups, "%.0f");
        for (int i = 0; i < 4; i++)
            table_text(table, "");
    }
}

/* ---- peers ----------------------------------------------------------------------------------------------------- */

/* All layers of a case by a peer, and by us beside it; false if one is missing: layers[0] of layers[1] are there. */
static bool peer_sum(double *theirs, double *ours, int layers[2], const struct exp_run *run, int which, int peer)
{
    const struct exp_case *one = &run->experiment->cases[which];
    *theirs = *ours = layers[0] = layers[1] = 0;
    for (int i = 0; i < one->layer_count && peers_take(run, which); i++) {
        const struct exp_peer_time *time = peers_time(&run->peers, peer, &one->layers[i].problem);
        if (one->layers[i].fc)
            continue;
        layers[1]++;
        layers[0] += time != NULL;
        *theirs += time ? (double)one->layers[i].times * time->theirs : 0;
        *ours += time ? (double)one->layers[i].times * time->ours : 0;
    }
    return layers[1] > 0 && layers[0] == layers[1];
}

/* Our columns, filled by a peer's time: its ratio is over its own time for the case that ratios are over. */
static void add_peer_time(struct table *table, bool wide, const struct exp_run *run, int which, int peer,
                          double theirs)
{
    const struct exp_case *one = &run->experiment->cases[which];
    const double inside = (double)experiment_cost(one, false).macs_inside;
    double base = NAN, beside;
    int layers[2];
    const bool compared = one->over >= 0 && peer_sum(&base, &beside, layers, run, one->over, peer);
    table_real(table, 1e3 * theirs, "%.3f");
    for (int i = 0; i < 3 && wide; i++)
        table_missing(table);   /* from, to, passes */
    table_real(table, inside / theirs / 1e9, "%.2f");
    table_missing(table);       /* of roof */
    add_number(table, compared, base / theirs, "%.2f");
    for (int i = 0; i < 3 && wide; i++)
        table_missing(table);   /* from, to, allocations */
}

static void add_peer(struct table *table, struct rows_parts parts, const struct exp_run *run, int which, int peer,
                     const struct exp_devices *devices)
{
    char label[2 * EXP_NAME + 16];
    double theirs, ours;
    int layers[2];
    if (!peer_sum(&theirs, &ours, layers, run, which, peer))
        return;
    snprintf(label, sizeof label, "peer: %s %s", run->peers.names[peer], run->peers.versions[peer]);
    add_counts(table, parts.wide, run, which);
    add_name(table, parts.wide, NULL, label);
    table_real(table, mac_ratio(run, which), "%.2f");
    add_peer_time(table, parts.wide, run, which, peer, theirs);
    if (!parts.wide)
        table_real(table, theirs / ours, "%.2f");
    if (parts.wide || parts.published)
        add_theirs(table, parts.wide, run, which, NULL, devices);
    if (!parts.wide)
        return;
    table_text(table, "");
    table_real(table, experiment_cost(&run->experiment->cases[which], false).groups, "%.0f");
    table_text(table, run->peers.names[peer]);
    table_text(table, run->peers.versions[peer]);
    table_real(table, 1e3 * ours, "%.3f");
    table_real(table, theirs / ours, "%.2f");
}

/* What peers are, and whose times aren't there. */
static void print_peers(FILE *file, const struct exp_run *run, const char *prefix)
{
    double theirs, ours;
    int layers[2];
    if (run->peers.count == 0)
        return;
    fprintf(file, "%speers: each layer by itself, in the layout that the library likes best, without the cost of a "
            "call, added up; peer / ours: over the best of our kernels, "
            "which had turns beside it in the same process\n", prefix);
    for (int c = 0; c < run->experiment->case_count; c++)
        for (int peer = 0; peer < run->peers.count && peers_take(run, c); peer++)
            if (!peer_sum(&theirs, &ours, layers, run, c, peer))
                fprintf(file, "%s%s, %s: no sum, %d of %d layers have a time that counts\n", prefix,
                        run->experiment->cases[c].name, run->peers.names[peer], layers[0], layers[1]);
}

void rows_add(struct table *table, struct rows_parts parts, const struct exp_run *run,
              const struct exp_devices *devices)
{
    for (int c = 0; c < run->experiment->case_count; c++) {
        const struct exp_case *one = &run->experiment->cases[c];
        if (!run_shows(run, c))
            continue;
        for (int w = 0; w < one->way_count; w++)
            add_row(table, parts, run, c, &one->ways[w], &run->times[c][w], NULL, devices);
        for (int peer = 0; peer < run->peers.count && (parts.wide || parts.peers); peer++)
            add_peer(table, parts, run, c, peer, devices);
        for (int p = 0; p < one->published_count; p++)
            add_row(table, parts, run, c, NULL, NULL, &one->published[p], devices);
        if (one->way_count + one->published_count == 0)
            add_row(table, parts, run, c, NULL, NULL, NULL, devices);
    }
}

/* ---- lines around the table ------------------------------------------------------------------------------------ */

void rows_print_scaled(FILE *file, const struct exp_run *run, const char *prefix)
{
    for (int c = 0; c < run->experiment->case_count; c++)
        if (run->experiment->cases[c].scaled && run_shows(run, c))
            fprintf(file, "%sSCALED DOWN, %s: %s\n", prefix, run->experiment->cases[c].name,
                    run->experiment->cases[c].scaled);
}

/* What the chains of this name took besides time. */
static void print_chain(FILE *file, const struct exp_run *run, const char *name, const char *prefix)
{
    double allocations = 0;
    size_t arena = 0;
    for (int c = 0; c < run->experiment->case_count; c++) {
        const int way = way_named(&run->experiment->cases[c], name);
        const struct exp_time *time = way >= 0 ? &run->times[c][way] : NULL;
        if (!time || !time->timed)
            continue;
        allocations = isnan(time->allocations) ? NAN : fmax(allocations, time->allocations);
        arena = time->arena_bytes > arena ? time->arena_bytes : arena;
    }
    if (arena > 0 && isnan(allocations))
        fprintf(file, "%s%s: an arena of at most %zu KiB\n", prefix, name, arena / 1024);
    else if (arena > 0)
        fprintf(file, "%s%s: an arena of at most %zu KiB, %.0f allocations in a pass\n", prefix, name, arena / 1024,
                allocations);
}

void rows_print_notes(FILE *file, const struct exp_run *run, const char *prefix)
{
    char kernels[EXP_MOST_KERNELS * (EXP_NAME + 2)], said[16][EXP_NAME];
    int says = 0, left = 0;
    for (int c = 0; c < run->experiment->case_count; c++)
        for (int w = 0; w < run->experiment->cases[c].way_count && run_shows(run, c); w++) {
            const struct exp_way *way = &run->experiment->cases[c].ways[w];
            bool there = way->kernel_count < 2 && !way->chain;
            for (int i = 0; i < says; i++)
                there = there || !strcmp(said[i], way->name);
            if (!there && says < 16) {
                kernels_of(kernels, way);
                fprintf(file, "%s%s: %sthe first that applies of %s\n", prefix, way->name,
                        way->chain ? "the layers back to back, " : "", kernels);
                if (way->chain)
                    print_chain(file, run, way->name, prefix);
                strcpy(said[says++], way->name);
            }
            const bool long_one = !strcmp(run->times[c][w].note, run_takes_long);
            left += long_one;
            if (run->times[c][w].note[0] && !long_one)
                fprintf(file, "%s%s, %s: %s\n", prefix, run->experiment->cases[c].name, way->name,
                        run->times[c][w].note);
        }
    if (left > 0)
        fprintf(file, "%sleft out, because they take long: %d of the ways; --full has them\n", prefix, left);
    print_peers(file, run, prefix);
}

/* ---- the fit over groups --------------------------------------------------------------------------------------- */

/* The times of one way, or of one published name, in all cases that are shown. */
struct series {
    const char *name;
    bool published;
    double macs[EXP_MOST_CASES], groups[EXP_MOST_CASES], seconds[EXP_MOST_CASES];
    int count;
    double rate, t0;
};

/* Fill it and fit it: false if it hasn't three points. */
static bool fit(struct series *series, const struct exp_run *run)
{
    series->count = 0;
    for (int c = 0; c < run->experiment->case_count; c++) {
        const struct exp_case *one = &run->experiment->cases[c];
        const struct exp_cost cost = experiment_cost(one, false);
        const int way = series->published ? -1 : way_named(one, series->name);
        const struct exp_published *theirs = series->published ? published_named(one, series->name) : NULL;
        if (!run_shows(run, c) || (!theirs && (way < 0 || !run->times[c][way].timed)))
            continue;
        series->macs[series->count] = (double)cost.macs_inside;
        series->groups[series->count] = cost.groups;
        series->seconds[series->count++] = theirs ? theirs->seconds : run->times[c][way].seconds;
    }
    return fit_groups(&series->rate, &series->t0, series->macs, series->groups, series->seconds, series->count);
}

/* The name of series number i of a case: its ways, then its published times.  False: there are no more. */
static bool series_at(struct series *series, const struct exp_case *one, int i)
{
    series->published = i >= one->way_count;
    if (i >= one->way_count + one->published_count)
        return false;
    series->name = series->published ? one->published[i - one->way_count].name : one->ways[i].name;
    return true;
}

/* Has an earlier case a series of this name? */
static bool seen_before(const struct experiment *experiment, int which, const struct series *series)
{
    for (int c = 0; c < which; c++)
        if (series->published ? published_named(&experiment->cases[c], series->name) != NULL
                              : way_named(&experiment->cases[c], series->name) >= 0)
            return true;
    return false;
}

static void print_fit(FILE *file, const struct series *series, const char *prefix)
{
    double worst = 0;
    for (int i = 0; i < series->count; i++)
        worst = fmax(worst, fabs((series->macs[i] / series->rate + series->groups[i] * series->t0)
                                 / series->seconds[i] - 1));
    fprintf(file, "%sfit of %s%s: MACs inside at %.3g GMAC/s, and %.3g us for each group of a layer "
            "(%d points, off by %.0f %% at most)\n", prefix, series->published ? "published " : "", series->name,
            series->rate / 1e9, series->t0 * 1e6, series->count, 100 * worst);
}

/* Every series that can be fitted; without a file it only says whether there is one. */
static bool print_fits(FILE *file, const struct exp_run *run, const char *prefix)
{
    const struct experiment *experiment = run->experiment;
    struct series series;
    bool any = false;
    for (int c = 0; c < experiment->case_count && experiment->fit; c++)
        for (int i = 0; series_at(&series, &experiment->cases[c], i); i++)
            if (!seen_before(experiment, c, &series) && fit(&series, run)) {
                any = true;
                if (file)
                    print_fit(file, &series, prefix);
            }
    return any;
}

bool rows_has_fit(const struct exp_run *run) { return print_fits(NULL, run, ""); }

void rows_print_fit(FILE *file, const struct exp_run *run, const char *prefix) { print_fits(file, run, prefix); }
