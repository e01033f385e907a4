/* labels.h - where the names beside the points of a plot go, so that none covers another or a point.  Internal.
 *
 * The rule: a name stands beside its point, in one of eight places; if all are taken it moves away, and a line leads
 * to its point; if there is no room near by either, it is dropped, and a table has to say what the point is.
 */
#ifndef CONVREF_VERIFY_MEASURE_LABELS_H
#define CONVREF_VERIFY_MEASURE_LABELS_H

#include <convref/base.h>

/* In pixels, from the lower left corner of the plot's area. */
struct label_point { double x, y; const char *name; };

struct label {
    bool shown;
    double x, y;                /* the middle of the name */
    bool led;                   /* by a line from here to the point */
    double end_x, end_y;
};

/* Place the names of `count` points in an area; names are as wide as 11-pixel letters of a wide font make them. */
enum conv_status labels_place(struct label *labels, const struct label_point *points, int count, double width,
                              double height, struct conv_error *error);

#endif
