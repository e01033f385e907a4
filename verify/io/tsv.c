/* tsv.c - reads the tables that convref writes. */
#include "verify/io/tsv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/output.h"

enum { LARGEST = 2 << 20 };   /* a cell takes eight times its shortest text */

static int count_of(const char *text, char wanted)
{
    int count = 0;
    for (; *text; text++)
        count += *text == wanted;
    return count;
}

/* Cut a line into exactly `columns` cells. */
static bool cut(char *line, char **cells, int columns)
{
    int count = 0;
    for (char *cell; (cell = strsep(&line, "\t"));) {
        if (count == columns)
            return false;
        cells[count++] = cell;
    }
    return count == columns;
}

static enum conv_status bad_row(struct tsv *tsv, const char *path, int line, struct conv_error *error)
{
    tsv_free(tsv);
    conv_fail(error, CONV_BAD_FILE, "%s:%d: the row has not as many cells as the table has columns", path, line);
    conv_hint(error, "tables are written by `convref bench --format tsv` and `convref count --format tsv`");
    return CONV_BAD_FILE;
}

enum conv_status tsv_read(struct tsv *tsv, const char *path, struct conv_error *error)
{
    *tsv = (struct tsv){ .columns = 0 };
    enum conv_status status = conv_text_read(&tsv->text, path, LARGEST, error);
    if (status != CONV_OK)
        return status;
    /* that the text can have at most */
    const int cells = count_of(tsv->text, '\n') + 1 + count_of(tsv->text, '\t');
    tsv->comments = calloc(strlen(tsv->text) + 2, 1);
    char *rest = tsv->text, *line, *comment = tsv->comments;
    for (int number = 1; tsv->comments && (line = strsep(&rest, "\n")); number++) {
        if (line[0] == '#') {
            comment = stpcpy(stpcpy(comment, line), "\n");
        } else if (line[0] && !tsv->names) {
            tsv->columns = count_of(line, '\t') + 1;
            tsv->names = calloc((size_t)tsv->columns, sizeof *tsv->names);
            tsv->cells = calloc((size_t)cells, sizeof *tsv->cells);
            if (!tsv->names || !tsv->cells)
                break;
            cut(line, tsv->names, tsv->columns);
        } else if (line[0] && !cut(line, tsv->cells + tsv->rows++ * tsv->columns, tsv->columns)) {
            return bad_row(tsv, path, number, error);
        }
    }
    if (!tsv->comments || !tsv->names || !tsv->cells) {
        const bool empty = tsv->comments && !tsv->names;
        tsv_free(tsv);
        return empty ? conv_fail(error, CONV_BAD_FILE, "%s has no table in it", path)
                     : conv_fail(error, CONV_NO_MEMORY, "no memory to read %s", path);
    }
    return CONV_OK;
}

void tsv_free(struct tsv *tsv)
{
    free(tsv->text);
    free(tsv->names);
    free(tsv->cells);
    free(tsv->comments);
    *tsv = (struct tsv){ .columns = 0 };
}

int tsv_column(const struct tsv *tsv, const char *name)
{
    for (int i = 0; i < tsv->columns; i++)
        if (!strcmp(tsv->names[i], name))
            return i;
    return -1;
}

const char *tsv_text(const struct tsv *tsv, int row, int column)
{
    return column < 0 ? "" : tsv->cells[row * tsv->columns + column];
}

double tsv_number(const struct tsv *tsv, int row, int column)
{
    char *end;
    const char *text = tsv_text(tsv, row, column);
    const double number = strtod(text, &end);
    return end == text || *end ? NAN : number;
}

double tsv_comment_number(const struct tsv *tsv, const char *name)
{
    const char *at = strstr(tsv->comments, name);
    return at && at[strlen(name)] == ' ' ? strtod(at + strlen(name) + 1, NULL) : NAN;
}
