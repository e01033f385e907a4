/* plot_networks.c - the data of the plot of networks: points, and where their names go.   Declared in plot_parts.h.
 *
 * Sizes, margins and ranges are those of plot/networks.gp.   Read next: labels.h
 */
#include <math.h>
#include <stdlib.h>

#include "verify/measure/labels.h"
#include "verify/measure/plot_parts.h"

/* The plot's area: 0.12 to 0.98 of 900 pixels, 0.08 to 0.95 of 860; the ranges go this much beyond the points. */
static const double width = 0.86 * 900, height = 0.87 * 860, beyond = 1.3;

struct span { double low, high; };   /* logarithms */

static double macs_of(const struct tsv *table, int row, const int c[4])
{
    return tsv_number(table, row, c[2]) + tsv_number(table, row, c[3]);
}

static struct span span_of(const struct tsv *table, const int c[4], bool macs)
{
    struct span span = { INFINITY, -INFINITY };
    for (int row = 0; row < table->rows; row++) {
        const double at = log(macs ? macs_of(table, row, c) : tsv_number(table, row, c[1]));
        span.low = fmin(span.low, at - log(beyond));
        span.high = fmax(span.high, at + log(beyond));
    }
    return span;
}

static double to_pixels(double value, struct span span, double pixels)
{
    return (log(value) - span.low) / (span.high - span.low) * pixels;
}

static double to_value(double at, struct span span, double pixels)
{
    return exp(span.low + at / pixels * (span.high - span.low));
}

enum conv_status plot_networks_data(FILE *file, const struct tsv *table, struct conv_error *error)
{
    static const char *const columns[] = { "network", "params", "macs_conv", "macs_fc" };
    int c[4];
    enum conv_status status = plot_columns(c, table, columns, 4, PLOT_NETWORKS, error);
    if (status != CONV_OK)
        return status;
    const struct span x = span_of(table, c, false), y = span_of(table, c, true);
    struct label_point *points = calloc((size_t)table->rows + 1, sizeof *points);
    struct label *labels = calloc((size_t)table->rows + 1, sizeof *labels);
    for (int row = 0; row < table->rows && points; row++)
        points[row] = (struct label_point){ to_pixels(tsv_number(table, row, c[1]), x, width),
                                            to_pixels(macs_of(table, row, c), y, height), tsv_text(table, row, c[0]) };
    status = points && labels ? labels_place(labels, points, table->rows, width, height, error)
        : conv_fail(error, CONV_NO_MEMORY, "no memory for the names of networks");
    for (int row = 0; row < table->rows && status == CONV_OK; row++) {
        const struct label *label = &labels[row];
        fprintf(file, "%s\t%.0f\t%.0f", points[row].name, tsv_number(table, row, c[1]), macs_of(table, row, c));
        fprintf(file, label->shown ? "\t%.0f\t%.0f" : "\t?\t?", to_value(label->x, x, width),
                to_value(label->y, y, height));
        fprintf(file, label->led ? "\t%.0f\t%.0f\n" : "\t?\t?\n", to_value(label->end_x, x, width),
                to_value(label->end_y, y, height));
    }
    free(points);
    free(labels);
    return status;
}
