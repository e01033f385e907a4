/* plots.c - data for the gnuplot scripts, and running them. */
#include "verify/measure/plot_parts.h"

#include "verify/measure/fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[PLOTS] = { "speedup", "roofline", "ratio", "networks", "experiment", "groups" };

const char *plot_name(enum plot plot) { return names[plot]; }

int plot_find(const char *name)
{
    for (int i = 0; i < PLOTS; i++)
        if (!strcmp(name, names[i]))
            return i;
    return -1;
}

/* ---- data ----------------------------------------------------------------------------------------------------- */

enum conv_status plot_columns(int *columns, const struct tsv *table, const char *const *wanted, int count,
                              enum plot plot, struct conv_error *error)
{
    for (int i = 0; i < count; i++) {
        columns[i] = tsv_column(table, wanted[i]);
        if (columns[i] < 0) {
            conv_fail(error, CONV_BAD_FILE, "the table has no column '%s', which a %s plot needs", wanted[i],
                      plot_name(plot));
            conv_hint(error, "speedup and roofline are drawn from `convref bench --format tsv`, networks from "
                             "`convref count --format tsv`, ratio from `convref report --keep`, experiment and groups from "
                             "`convref experiment --results`");
            return CONV_BAD_FILE;
        }
    }
    return CONV_OK;
}

static void ladder_of(char ladder[32], const char *kernel)
{
    const struct conv_kernel fake = { .name = kernel };
    conv_kernel_ladder(ladder, &fake);
}

/* The ladder with the most rows. */
static void main_ladder(char ladder[32], const struct tsv *table, int kernel)
{
    char one[32], other[32];
    int most = 0;
    ladder[0] = 0;
    for (int i = 0; i < table->rows; i++) {
        int count = 0;
        ladder_of(one, tsv_text(table, i, kernel));
        for (int j = 0; j < table->rows; j++) {
            ladder_of(other, tsv_text(table, j, kernel));
            count += !strcmp(one, other);
        }
        if (one[0] && count > most) {
            most = count;
            strcpy(ladder, one);
        }
    }
}

/* Add up one kernel's rows with the most threads: its times, and those of the first step on the same layers. */
static bool sum_step(struct plot_step *step, const struct tsv *table, const int c[5])
{
    double first = 0, own = 0;
    for (int row = 0; row < table->rows; row++)
        if (!strcmp(tsv_text(table, row, c[0]), step->kernel->name)
            && isfinite(tsv_number(table, row, c[1]) * tsv_number(table, row, c[2])))
            step->threads = (int)fmax(step->threads, tsv_number(table, row, c[4]));
    for (int row = 0; row < table->rows; row++) {
        const double ms = tsv_number(table, row, c[1]) * tsv_number(table, row, c[3]);
        if (strcmp(tsv_text(table, row, c[0]), step->kernel->name) || tsv_number(table, row, c[4]) != step->threads
            || !isfinite(ms * tsv_number(table, row, c[2])))
            continue;
        own += ms;
        first += ms * tsv_number(table, row, c[2]);
    }
    step->speedup = first / own;
    return own > 0;
}

const char *const plot_step_columns[5] = { "kernel", "ms", "speedup", "repeats", "threads" };

int plot_steps(struct plot_step steps[PLOT_MOST_STEPS], char ladder[32], const struct tsv *table, const char *wanted,
               const int c[5])
{
    char other[32];
    int count = 0;
    if (wanted)
        snprintf(ladder, 32, "%s", wanted);
    else
        main_ladder(ladder, table, c[0]);
    for (int i = 0; i < conv_kernel_count() && count < PLOT_MOST_STEPS; i++) {
        struct plot_step step = { .kernel = conv_kernel_at(i) };
        if (strcmp(conv_kernel_ladder(other, step.kernel), ladder) || !sum_step(&step, table, c))
            continue;
        step.gain = count > 0 ? step.speedup / steps[count - 1].speedup : step.speedup;
        steps[count++] = step;
    }
    return count;
}

static enum conv_status speedup_data(FILE *file, const struct tsv *table, const char *wanted,
                                     struct conv_error *error)
{
    struct plot_step steps[PLOT_MOST_STEPS];
    int c[5];
    char ladder[32];
    enum conv_status status = plot_columns(c, table, plot_step_columns, 5, PLOT_SPEEDUP, error);
    if (status != CONV_OK)
        return status;
    const int count = plot_steps(steps, ladder, table, wanted, c);
    for (int i = 0; i < count; i++) {
        fprintf(file, "%s\t%s", steps[i].kernel->name, steps[i].kernel->title);
        if (steps[i].kernel->threaded)
            fprintf(file, ", here %d", steps[i].threads);
        fprintf(file, "\t%.4g\t%.4g\n", steps[i].speedup, steps[i].gain);
    }
    return count > 0 ? CONV_OK : conv_fail(error, CONV_BAD_FILE, "the table has no timed step of ladder '%s'",
                                           ladder);
}

static const char *kind_of(const char *kernel)
{
    static const struct { const char *prefix, *kind; } kinds[] = {
        { "std_", "standard" }, { "pw_", "pointwise" }, { "grp_", "grouped" }, { "dw_", "depthwise" },
        { "sep_", "separable" },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strncmp(kernel, kinds[i].prefix, strlen(kinds[i].prefix)))
            return kinds[i].kind;
    return "standard";
}

/* A roof line: from the left edge up to the peak, or the peak itself. */
static void roof_line(FILE *file, double gbytes, double peak, double left, double right, const char *name)
{
    if (!isfinite(gbytes) || !isfinite(peak))
        return;
    /* GMAC/s = GB/s * MAC/byte; the line ends where it meets the peak */
    const double corner = fmin(peak / gbytes, right);
    fprintf(file, "\n\n%g\t%g\t%s\n%g\t%g\t%s\n", left, gbytes * left, name, corner, gbytes * corner, name);
}

/* A line for each level of memory.  Those that are nearly as fast share a name, which would not be read twice. */
static void roof_lines(FILE *file, const struct tsv *table, double peak, double left, double right)
{
    double rates[CONV_LEVELS];
    for (enum conv_level level = 0; level < CONV_LEVELS; level++) {
        char name[32];
        snprintf(name, sizeof name, "roof_%s", conv_level_name(level));
        rates[level] = tsv_comment_number(table, name);
    }
    for (enum conv_level level = 0; level < CONV_LEVELS; level++) {
        char name[64] = "";
        enum conv_level next = level;
        while (next < CONV_LEVELS && fabs(log(rates[next] / rates[level])) < log(1.3)) {
            const bool last = next + 1 == CONV_LEVELS || !(fabs(log(rates[next + 1] / rates[level])) < log(1.3));
            const size_t used = strlen(name);
            snprintf(name + used, sizeof name - used, "%s%s", used ? ", " : "", conv_level_name(next));
            roof_line(file, rates[next], peak, left, right, last ? name : "");
            next++;
        }
        level = next > level ? next - 1 : level;
    }
}

const char *const plot_roofline_columns[6] = { "kernel", "gmacs", "macs_inside", "bytes", "layer", "threads" };

bool plot_is_fastest(const struct tsv *table, int row, const int c[6])
{
    const double gmacs = tsv_number(table, row, c[1]);
    bool fastest = isfinite(gmacs) && tsv_number(table, row, c[5]) == 1;
    for (int other = 0; fastest && other < table->rows; other++)
        fastest = strcmp(tsv_text(table, row, c[4]), tsv_text(table, other, c[4]))
            || strcmp(kind_of(tsv_text(table, row, c[0])), kind_of(tsv_text(table, other, c[0])))
            || !(tsv_number(table, other, c[1]) > gmacs) || tsv_number(table, other, c[5]) != 1;
    return fastest;
}

/* The fastest kernel of each kind on each layer. */
static enum conv_status roofline_data(FILE *file, const struct tsv *table, struct conv_error *error)
{
    int c[6];
    double left = INFINITY, right = 0;
    enum conv_status status = plot_columns(c, table, plot_roofline_columns, 6, PLOT_ROOFLINE, error);
    for (int row = 0; status == CONV_OK && row < table->rows; row++) {
        const double intensity = tsv_number(table, row, c[2]) / tsv_number(table, row, c[3]);
        if (!plot_is_fastest(table, row, c))
            continue;
        fprintf(file, "%g\t%g\t%s\t%s\n", intensity, tsv_number(table, row, c[1]),
                kind_of(tsv_text(table, row, c[0])), tsv_text(table, row, c[4]));
        left = fmin(left, intensity / 2);
        right = fmax(right, intensity * 2);
    }
    if (status != CONV_OK || right == 0)
        return status != CONV_OK ? status : conv_fail(error, CONV_BAD_FILE, "the table has no timed layer");
    const double peak = tsv_comment_number(table, "roof_gmacs");
    roof_lines(file, table, peak, left, right);
    if (isfinite(peak))
        fprintf(file, "\n\n%g\t%g\tpeak\n%g\t%g\tpeak\n", left, peak, right, peak);
    return CONV_OK;
}

static enum conv_status ratio_data(FILE *file, const struct tsv *table, struct conv_error *error)
{
    static const char *const columns[] = {
        "block", "mac_ratio", "first_ratio", "left_behind_ratio", "unfolded_ratio", "two_layers_ratio" };
    int c[6];
    enum conv_status status = plot_columns(c, table, columns, 6, PLOT_RATIO, error);
    for (int row = 0; status == CONV_OK && row < table->rows; row++) {
        fputs(tsv_text(table, row, c[0]), file);
        for (int i = 1; i < 6; i++)
            fprintf(file, "\t%g", tsv_number(table, row, c[i]));
        fputc('\n', file);
    }
    return status;
}

const char *const plot_experiment_columns[6] = { "case", "way", "mac_ratio", "time_ratio", "time_ratio_low",
                                                 "time_ratio_high" };

/* One row for each way that has a time ratio: case and way, MAC ratio, time ratio with its range. */
static enum conv_status experiment_data(FILE *file, const struct tsv *table, struct conv_error *error)
{
    int c[6], rows = 0;
    enum conv_status status = plot_columns(c, table, plot_experiment_columns, 6, PLOT_EXPERIMENT, error);
    for (int row = 0; status == CONV_OK && row < table->rows; row++) {
        const double macs = tsv_number(table, row, c[2]);
        if (!isfinite(tsv_number(table, row, c[3])))
            continue;
        fprintf(file, "%s, %s\t%g\t%g\t%g\t%g\n", tsv_text(table, row, c[0]), tsv_text(table, row, c[1]),
                isfinite(macs) ? macs : 1, tsv_number(table, row, c[3]), tsv_number(table, row, c[4]),
                tsv_number(table, row, c[5]));
        rows++;
    }
    return status != CONV_OK || rows > 0 ? status
        : conv_fail(error, CONV_BAD_FILE, "the table has no time ratio");
}

/* The name of a row's series: of its way, or of its published time. */
static const char *series_of(char name[96], const struct tsv *table, int row, int way, int published)
{
    const char *theirs = tsv_text(table, row, published);
    snprintf(name, 96, "%s%.80s", *theirs ? "published: " : "", *theirs ? theirs : tsv_text(table, row, way));
    return name;
}

/* The fit between two points, at every doubling of the groups: there is no time there, but the U has its bottom. */
static void print_between(FILE *file, double from, double to, double macs_of_one, double rate, double t0, double unit)
{
    for (double groups = 2 * from; groups < to; groups *= 2)
        fprintf(file, "%g\t?\t%g\n", groups, (macs_of_one / groups / rate + groups * t0) / unit);
}

const char *const plot_groups_columns[6] = { "way", "published", "groups", "macs_inside", "ms", "published_ms" };

bool plot_series_at(struct plot_series *series, const struct tsv *table, int first, const int c[6])
{
    char other[96];
    series_of(series->name, table, first, c[0], c[1]);
    series->published = *tsv_text(table, first, c[1]);
    series->count = 0;
    for (int row = 0; row < table->rows && series->count < PLOT_MOST_TIMES; row++) {
        const double ms = tsv_number(table, row, c[series->published ? 5 : 4]);
        if (strcmp(series_of(other, table, row, c[0], c[1]), series->name))
            continue;
        if (row < first)
            return false;
        series->macs[series->count] = tsv_number(table, row, c[3]);
        series->groups[series->count] = tsv_number(table, row, c[2]);
        series->seconds[series->count] = 1e-3 * ms;
        series->count += isfinite(ms);
    }
    return fit_groups(&series->rate, &series->t0, series->macs, series->groups, series->seconds, series->count);
}

/* A block for each series of three points or more: groups, time over that of its first point, and so the fit of
 * MACs / rate + groups t0.  Each series is over its own beginning: nobody's time is beside one of another machine. */
static enum conv_status groups_data(FILE *file, const struct tsv *table, struct conv_error *error)
{
    struct plot_series series;
    const double *groups = series.groups, *seconds = series.seconds;
    int c[6], blocks = 0;
    enum conv_status status = plot_columns(c, table, plot_groups_columns, 6, PLOT_GROUPS, error);
    for (int row = 0; status == CONV_OK && row < table->rows; row++) {
        if (!plot_series_at(&series, table, row, c))
            continue;
        fprintf(file, "%s\"%s\"\n", blocks++ > 0 ? "\n\n" : "", series.name);
        for (int i = 0; i < series.count; i++) {
            if (i > 0)
                print_between(file, groups[i - 1] / groups[0], groups[i] / groups[0], series.macs[0], series.rate,
                              series.t0 * groups[0], seconds[0]);
            fprintf(file, "%g\t%g\t%g\n", groups[i] / groups[0], seconds[i] / seconds[0],
                    (series.macs[i] / series.rate + groups[i] * series.t0) / seconds[0]);
        }
    }
    return status != CONV_OK || blocks > 0 ? status
        : conv_fail(error, CONV_BAD_FILE, "the table has no three times of one way with different groups");
}

enum conv_status plot_data(FILE *file, enum plot plot, const struct tsv *table, const char *ladder,
                           struct conv_error *error)
{
    switch (plot) {
    case PLOT_SPEEDUP: return speedup_data(file, table, ladder, error);
    case PLOT_ROOFLINE: return roofline_data(file, table, error);
    case PLOT_RATIO: return ratio_data(file, table, error);
    case PLOT_EXPERIMENT: return experiment_data(file, table, error);
    case PLOT_GROUPS: return groups_data(file, table, error);
    default: return plot_networks_data(file, table, error);
    }
}

/* ---- gnuplot --------------------------------------------------------------------------------------------------- */

char *plot_script(enum plot plot)
{
    char beside[1024], file[64];
    const char *const folders[] = { getenv("CONVREF_PLOTS"), "verify/measure/plot",
                                    conv_folder_beside(beside, "../verify/measure/plot"), CONVREF_PLOTS_DIR };
    snprintf(file, sizeof file, "%s.gp", plot_name(plot));
    return conv_file_find(folders, sizeof folders / sizeof *folders, file);
}

/* A gnuplot string between single quotes: a quote inside is doubled. */
static void put_quoted(char *to, size_t room, const char *name, const char *text)
{
    size_t used = (size_t)snprintf(to, room, "%s='", name);
    for (; *text && used + 4 < room; text++) {
        if (*text == '\'')
            to[used++] = '\'';
        to[used++] = *text;
    }
    snprintf(to + used, room - used, "'");
}

static enum conv_status run_gnuplot(char *const arguments[], struct conv_error *error)
{
    int status = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        execvp("gnuplot", arguments);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return conv_fail(error, CONV_NO_MEMORY, "gnuplot can't be started");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        conv_fail(error, CONV_NOT_APPLICABLE, "gnuplot is missing");
        conv_hint(error, "install gnuplot-nox (Debian, Ubuntu) or gnuplot");
        return CONV_NOT_APPLICABLE;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CONV_OK
        : conv_fail(error, CONV_BAD_FILE, "gnuplot failed; its message is above");
}

enum conv_status plot_draw(const char *svg, enum plot plot, const char *data, const char *heading,
                           struct conv_error *error)
{
    char set_data[4200], set_output[4200], set_heading[512];
    char *script = plot_script(plot);
    if (!script) {
        conv_fail(error, CONV_BAD_FILE, "the script %s.gp is not found", plot_name(plot));
        conv_hint(error, "set CONVREF_PLOTS to the folder verify/measure/plot");
        return CONV_BAD_FILE;
    }
    put_quoted(set_data, sizeof set_data, "data", data);
    put_quoted(set_output, sizeof set_output, "output", svg);
    put_quoted(set_heading, sizeof set_heading, "heading", heading ? heading : "");
    char *const with_heading[] = { "gnuplot", "-e", set_data, "-e", set_output, "-e", set_heading, script, NULL };
    char *const without[] = { "gnuplot", "-e", set_data, "-e", set_output, script, NULL };
    enum conv_status status = run_gnuplot(heading ? with_heading : without, error);
    free(script);
    return status;
}

enum conv_status plot_table(const char *svg, enum plot plot, const struct tsv *table, const char *ladder,
                            const char *heading, struct conv_error *error)
{
    char data[] = "/tmp/convref-plot-XXXXXX", drawn[4200], finding[PLOT_TITLE];
    plot_finding(finding, plot, table, ladder);
    heading = heading || !finding[0] ? heading : finding;
    if (snprintf(drawn, sizeof drawn, "%s.drawing", svg) >= (int)sizeof drawn)
        return conv_fail(error, CONV_BAD_FILE, "%s can't be written: the name is too long", svg);
    const int descriptor = mkstemp(data);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (!file)
        return conv_fail(error, CONV_BAD_FILE, "no temporary file for the plot's data");
    enum conv_status status = plot_data(file, plot, table, ladder, error);
    if (fclose(file) != 0 && status == CONV_OK)
        status = conv_fail(error, CONV_BAD_FILE, "the plot's data can't be written");
    if (status == CONV_OK)
        status = plot_draw(drawn, plot, data, heading, error);
    unlink(data);
    /* gnuplot empties its output first: a plot that fails must not cost the picture of an earlier one */
    if (status == CONV_OK && rename(drawn, svg) != 0)
        status = conv_fail(error, CONV_BAD_FILE, "%s can't be written: %s", svg, strerror(errno));
    if (status != CONV_OK)
        unlink(drawn);
    return status;
}
