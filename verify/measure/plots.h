/* plots.h - data for the gnuplot scripts, and running them.  Internal.
 *
 * The scripts are verify/measure/plot/NAME.gp; each reads NAME.tsv and writes NAME.svg.  Here their data are made
 * from results.
 */
#ifndef CONVREF_VERIFY_MEASURE_PLOTS_H
#define CONVREF_VERIFY_MEASURE_PLOTS_H

#include "verify/io/tsv.h"
#include "verify/cli/options.h"

enum plot { PLOT_SPEEDUP, PLOT_ROOFLINE, PLOT_RATIO, PLOT_NETWORKS, PLOT_EXPERIMENT, PLOT_GROUPS, PLOTS };

const char *plot_name(enum plot plot);
int plot_find(const char *name);      /* -1 if there is none of that name */

/* Write the script's data to `file`, from a table of results (or of blocks, or of networks).  `ladder` restricts
 * speedup to one ladder, NULL to the one with the most rows.  CONV_BAD_FILE if the table isn't of the right sort. */
enum conv_status plot_data(FILE *file, enum plot plot, const struct tsv *table, const char *ladder,
                           struct conv_error *error);

/* Run gnuplot on the data file.  CONV_NOT_APPLICABLE if gnuplot is missing, CONV_BAD_FILE if it fails. */
enum conv_status plot_draw(const char *svg, enum plot plot, const char *data, const char *heading,
                           struct conv_error *error);

/* The script's path; the caller frees it.  NULL if it isn't found. */
char *plot_script(enum plot plot);

/* What the plot shows, in one line: its title where no other is given.  Empty for plots that have none. */
enum { PLOT_TITLE = 400 };
void plot_finding(char text[PLOT_TITLE], enum plot plot, const struct tsv *table, const char *ladder);

/* Table -> data -> svg, in a temporary folder.  heading: NULL for what the plot shows. */
enum conv_status plot_table(const char *svg, enum plot plot, const struct tsv *table, const char *ladder,
                            const char *heading, struct conv_error *error);

#endif
