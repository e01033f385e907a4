/* table.h - one table, many formats: text, TSV, CSV, Markdown, LaTeX, JSON, HTML.  Internal.
 *
 * Columns are declared once; rows are filled cell by cell, in order.  A cell is a text or a number; what is printed
 * in aligned text may be rounded, in TSV, CSV and JSON a number keeps its digits.
 */
#ifndef CONVREF_VERIFY_IO_TABLE_H
#define CONVREF_VERIFY_IO_TABLE_H

#include <convref/base.h>
#include <stdio.h>

enum table_format {
    TABLE_TEXT, TABLE_JSON, TABLE_TSV, TABLE_MARKDOWN, TABLE_HTML,
    TABLE_CSV,       /* as RFC 4180 says */
    TABLE_LATEX,     /* a tabular with the rules of the package booktabs */
    TABLE_FORMATS
};

/* A column: its name in TSV, CSV and JSON, its heading in the other formats, and whether it holds numbers. */
struct table_column { const char *name, *heading; bool number; };

struct table;

/* NULL if memory is short; every function takes a NULL table and does nothing. */
struct table *table_create(const struct table_column *columns, int count);
void table_free(struct table *table);

/* The next cell, left to right; behind the last column a new row begins. */
void table_text(struct table *table, const char *text);
void table_integer(struct table *table, int64_t number);
void table_real(struct table *table, double number, const char *format);   /* format: for people, such as "%.2f" */
void table_missing(struct table *table);                                   /* empty, null */

int table_rows(const struct table *table);

/* Print.  text: the columns are aligned, numbers to the right, with a line under the headings. */
void table_print(const struct table *table, FILE *file, enum table_format format);

/* The rows as a list of JSON objects. */
struct json_t *table_json(const struct table *table);

/* Is it a format for people, with figures that are rounded and words around the table? */
bool table_is_for_paper(enum table_format format);   /* Markdown and LaTeX */

/* "text", ...; -1 if there is none of that name. */
int table_format_of(const char *name);

/* 1234567 -> "1,234,567".  Returns `text`. */
char *table_thousands(char text[32], int64_t number);

#endif
