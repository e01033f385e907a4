/* explain_code.c - prints the instructions of a kernel of CUDA.   Read next: tools/cuda-sass */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "verify/io/table.h"
#include "verify/program/explain_code.h"

static bool is_of(const struct explain_code_row *row, const char *rung) { return !strcmp(row->rung, rung); }

/* The columns that say something of this rung; registers and spills always do. */
static int columns_of(int columns[EXPLAIN_CODE_COLUMNS], const char *rung)
{
    int count = 0;
    for (int i = 0; i < EXPLAIN_CODE_COLUMNS; i++) {
        bool wanted = i == 0 || i == EXPLAIN_CODE_COLUMNS - 1;
        for (const struct explain_code_row *row = explain_code_rows; row->rung && !wanted; row++)
            wanted = is_of(row, rung) && row->count[i] != 0;
        if (wanted)
            columns[count++] = i;
    }
    return count;
}

static void name_columns(struct table_column heads[], const int columns[], int count)
{
    heads[0] = (struct table_column){ "kernel", "kernel", false };
    for (int i = 0; i < count; i++) {
        const char *name = explain_code_columns[columns[i]];
        heads[1 + i] = (struct table_column){ name, name, true };
    }
}

void explain_code(const char *rung)
{
    struct table_column heads[1 + EXPLAIN_CODE_COLUMNS];   /* the table points to them */
    int columns[EXPLAIN_CODE_COLUMNS], rows = 0;
    const int count = columns_of(columns, rung);
    name_columns(heads, columns, count);
    struct table *table = table_create(heads, 1 + count);
    for (const struct explain_code_row *row = explain_code_rows; row->rung; row++) {
        if (!is_of(row, rung))
            continue;
        table_text(table, row->kernel);
        for (int i = 0; i < count; i++)
            table_integer(table, row->count[columns[i]]);
        rows++;
    }
    if (rows > 0) {
        printf("\n%s on sm_90, by nvcc 13.0: how often an instruction stands in its code\n\n", rung);
        table_print(table, stdout, TABLE_TEXT);
    } else {
        printf("\n%s: nobody looked at its instructions yet; tools/cuda-sass does\n", rung);
    }
    table_free(table);
}
