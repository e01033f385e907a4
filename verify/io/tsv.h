/* tsv.h - reads the tables that convref writes: comments with #, a line of names, rows.  Internal. */
#ifndef CONVREF_VERIFY_IO_TSV_H
#define CONVREF_VERIFY_IO_TSV_H

#include <convref/base.h>

struct tsv {
    char *text;            /* cut into the cells */
    int columns, rows;
    char **names;
    char **cells;          /* row by row */
    char *comments;        /* the comment lines, one behind the other */
};

/* Read a file.  CONV_BAD_FILE, with the line, if a row hasn't as many cells as there are names. */
enum conv_status tsv_read(struct tsv *tsv, const char *path, struct conv_error *error);
void tsv_free(struct tsv *tsv);

/* The number of a column; -1 if there is none of that name. */
int tsv_column(const struct tsv *tsv, const char *name);

/* A cell as text, and as a number (NAN if it isn't one). */
const char *tsv_text(const struct tsv *tsv, int row, int column);
double tsv_number(const struct tsv *tsv, int row, int column);

/* The number behind "NAME " in the comments; NAN if it isn't there. */
double tsv_comment_number(const struct tsv *tsv, const char *name);

#endif
