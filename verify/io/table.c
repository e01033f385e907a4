/* table.c - one table, many formats. */
#include "verify/io/table.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    char *shown;      /* for people; NULL is an empty cell */
    bool is_number, is_integer;
    double real;
    int64_t integer;
};

struct table {
    const struct table_column *columns;
    int column_count, cell_count, capacity;
    struct cell *cells;
};

struct table *table_create(const struct table_column *columns, int count)
{
    struct table *table = calloc(1, sizeof *table);
    if (table) {
        table->columns = columns;
        table->column_count = count;
    }
    return table;
}

void table_free(struct table *table)
{
    for (int i = 0; table && i < table->cell_count; i++)
        free(table->cells[i].shown);
    if (table)
        free(table->cells);
    free(table);
}

static void add(struct table *table, struct cell cell)
{
    if (table && table->cell_count == table->capacity) {
        const int capacity = table->capacity * 2 + 64;
        struct cell *cells = realloc(table->cells, sizeof *cells * (size_t)capacity);
        table->cells = cells ? cells : table->cells;
        table->capacity = cells ? capacity : table->capacity;
    }
    if (table && table->cell_count < table->capacity)
        table->cells[table->cell_count++] = cell;
    else
        free(cell.shown);
}

void table_text(struct table *table, const char *text)
{
    add(table, (struct cell){ .shown = text ? strdup(text) : NULL });
}

void table_missing(struct table *table) { table_text(table, NULL); }

void table_integer(struct table *table, int64_t number)
{
    char text[32];
    add(table, (struct cell){ .shown = strdup(table_thousands(text, number)), .is_number = true,
                              .is_integer = true, .integer = number });
}

void table_real(struct table *table, double number, const char *format)
{
    char text[64];
    if (!isfinite(number)) {
        table_missing(table);
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, format, number);
#pragma GCC diagnostic pop
    add(table, (struct cell){ .shown = strdup(text), .is_number = true, .real = number });
}

int table_rows(const struct table *table) { return table ? table->cell_count / table->column_count : 0; }

char *table_thousands(char text[32], int64_t number)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%" PRId64, number);
    int used = 0;
    for (int i = 0; i < length; i++) {
        text[used++] = digits[i];
        if ((length - i - 1) % 3 == 0 && i + 1 < length && digits[i] != '-')
            text[used++] = ',';
    }
    text[used] = 0;
    return text;
}

int table_format_of(const char *name)
{
    static const char *const names[TABLE_FORMATS] = { "text", "json", "tsv", "markdown", "html", "csv", "latex" };
    for (int i = 0; i < TABLE_FORMATS; i++)
        if (!strcmp(name, names[i]))
            return i;
    return -1;
}

bool table_is_for_paper(enum table_format format) { return format == TABLE_MARKDOWN || format == TABLE_LATEX; }

/* ---- printing ------------------------------------------------------------------------------------------------ */

static const struct cell *cell_at(const struct table *table, int row, int column)
{
    return &table->cells[row * table->column_count + column];
}

/* Columns on a terminal, not bytes: continuation bytes of UTF-8 take no place. */
static int width_of(const char *text)
{
    int width = 0;
    for (; text && *text; text++)
        width += (*text & 0xC0) != 0x80;
    return width;
}

static int column_width(const struct table *table, int column)
{
    int width = width_of(table->columns[column].heading);
    for (int row = 0; row < table_rows(table); row++) {
        const int w = width_of(cell_at(table, row, column)->shown);
        width = w > width ? w : width;
    }
    return width;
}

static void put_padded(FILE *file, const char *text, int width, bool right, bool last)
{
    const int space = width - width_of(text);
    if (right)
        fprintf(file, "%*s", space, "");
    fputs(text ? text : "", file);
    if (!right && !last)
        fprintf(file, "%*s", space, "");
    fputs(last ? "\n" : "  ", file);
}

static void print_text(const struct table *table, FILE *file)
{
    const int columns = table->column_count;
    for (int c = 0; c < columns; c++)
        put_padded(file, table->columns[c].heading, column_width(table, c), table->columns[c].number,
                   c == columns - 1);
    for (int c = 0; c < columns; c++) {
        for (int i = 0; i < column_width(table, c); i++)
            fputc('-', file);
        fputs(c == columns - 1 ? "\n" : "  ", file);
    }
    for (int row = 0; row < table_rows(table); row++)
        for (int c = 0; c < columns; c++)
            put_padded(file, cell_at(table, row, c)->shown, column_width(table, c), table->columns[c].number,
                       c == columns - 1);
}

/* For machines: all digits of a number, and no thousands separators. */
static void put_raw(FILE *file, const struct cell *cell)
{
    if (cell->is_integer)
        fprintf(file, "%" PRId64, cell->integer);
    else if (cell->is_number)
        fprintf(file, "%.9g", cell->real);
    else
        for (const char *at = cell->shown; at && *at; at++)
            fputc(*at == '\t' || *at == '\n' ? ' ' : *at, file);
}

static void print_tsv(const struct table *table, FILE *file)
{
    for (int c = 0; c < table->column_count; c++)
        fprintf(file, "%s%s", table->columns[c].name, c == table->column_count - 1 ? "\n" : "\t");
    for (int row = 0; row < table_rows(table); row++)
        for (int c = 0; c < table->column_count; c++) {
            put_raw(file, cell_at(table, row, c));
            fputc(c == table->column_count - 1 ? '\n' : '\t', file);
        }
}

/* A field stands in quotes where it has a comma, a quote or a new line; quotes within are doubled. */
static void put_csv(FILE *file, const struct cell *cell)
{
    if (cell->is_number || !cell->shown || !strpbrk(cell->shown, ",\"\r\n")) {
        put_raw(file, cell);
        return;
    }
    fputc('"', file);
    for (const char *at = cell->shown; *at; at++)
        fputs(*at == '"' ? "\"\"" : (char[]){ *at, 0 }, file);
    fputc('"', file);
}

static void print_csv(const struct table *table, FILE *file)
{
    for (int c = 0; c < table->column_count; c++)
        fprintf(file, "%s%s", table->columns[c].name, c == table->column_count - 1 ? "\n" : ",");
    for (int row = 0; row < table_rows(table); row++)
        for (int c = 0; c < table->column_count; c++) {
            put_csv(file, cell_at(table, row, c));
            fputc(c == table->column_count - 1 ? '\n' : ',', file);
        }
}

static void put_latex(FILE *file, const char *text)
{
    for (; text && *text; text++)
        switch (*text) {
        case '&': case '%': case '$': case '#': case '_': case '{': case '}': fprintf(file, "\\%c", *text); break;
        case '<': fputs("\\textless{}", file); break;
        case '>': fputs("\\textgreater{}", file); break;
        case '|': fputs("\\textbar{}", file); break;
        case '~': fputs("\\textasciitilde{}", file); break;
        case '^': fputs("\\textasciicircum{}", file); break;
        case '\\': fputs("\\textbackslash{}", file); break;
        default: fputc(*text, file);
        }
}

static void print_latex(const struct table *table, FILE *file)
{
    fputs("% needs \\usepackage{booktabs}\n\\begin{tabular}{", file);
    for (int c = 0; c < table->column_count; c++)
        fputc(table->columns[c].number ? 'r' : 'l', file);
    fputs("}\n\\toprule\n", file);
    for (int c = 0; c < table->column_count; c++) {
        put_latex(file, table->columns[c].heading);
        fputs(c == table->column_count - 1 ? " \\\\\n\\midrule\n" : " & ", file);
    }
    for (int row = 0; row < table_rows(table); row++)
        for (int c = 0; c < table->column_count; c++) {
            const char *shown = cell_at(table, row, c)->shown;
            if (c == 0 && shown && *shown == '[')
                fputs("{}", file);   /* or the \\ of the row before takes it as its option */
            put_latex(file, shown);
            fputs(c == table->column_count - 1 ? " \\\\\n" : " & ", file);
        }
    fputs("\\bottomrule\n\\end{tabular}\n", file);
}

static void print_markdown(const struct table *table, FILE *file)
{
    for (int c = 0; c < table->column_count; c++)
        fprintf(file, "| %s ", table->columns[c].heading);
    fputs("|\n", file);
    for (int c = 0; c < table->column_count; c++)
        fputs(table->columns[c].number ? "| ---: " : "| --- ", file);
    fputs("|\n", file);
    for (int row = 0; row < table_rows(table); row++) {
        for (int c = 0; c < table->column_count; c++) {
            const char *shown = cell_at(table, row, c)->shown;
            fprintf(file, "| %s ", shown ? shown : "");
        }
        fputs("|\n", file);
    }
}

static json_t *cell_json(const struct cell *cell)
{
    return cell->is_integer ? json_integer(cell->integer) : cell->is_number ? json_real(cell->real)
         : cell->shown ? json_string(cell->shown) : json_null();
}

json_t *table_json(const struct table *table)
{
    json_t *list = json_array();
    for (int row = 0; row < table_rows(table); row++) {
        json_t *object = json_object();
        for (int c = 0; c < table->column_count; c++)
            json_object_set_new(object, table->columns[c].name, cell_json(cell_at(table, row, c)));
        json_array_append_new(list, object);
    }
    return list;
}

static void print_json(const struct table *table, FILE *file)
{
    json_t *list = table_json(table);
    json_dumpf(list, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', file);
    json_decref(list);
}

static void put_html(FILE *file, const char *text)
{
    for (; text && *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '&': fputs("&amp;", file); break;
        default: fputc(*text, file);
        }
}

enum { WIDE = 12 };   /* columns; more need a sheet of paper on its side */

static void print_html(const struct table *table, FILE *file)
{
    /* tabindex: what scrolls can be scrolled with keys */
    fprintf(file, "<div class=\"table%s\" tabindex=\"0\"><table>\n<thead><tr>",
            table->column_count > WIDE ? " wide" : "");
    for (int c = 0; c < table->column_count; c++) {
        fprintf(file, "<th%s>", table->columns[c].number ? " class=\"n\"" : "");
        put_html(file, table->columns[c].heading);
        fputs("</th>", file);
    }
    fputs("</tr></thead>\n<tbody>\n", file);
    for (int row = 0; row < table_rows(table); row++) {
        fputs("<tr>", file);
        for (int c = 0; c < table->column_count; c++) {
            fprintf(file, "<td%s>", table->columns[c].number ? " class=\"n\"" : "");
            put_html(file, cell_at(table, row, c)->shown);
            fputs("</td>", file);
        }
        fputs("</tr>\n", file);
    }
    fputs("</tbody></table></div>\n", file);
}

void table_print(const struct table *table, FILE *file, enum table_format format)
{
    static void (*const printers[TABLE_FORMATS])(const struct table *, FILE *) = {
        print_text, print_json, print_tsv, print_markdown, print_html, print_csv, print_latex
    };
    if (table)
        printers[format](table, file);
}
