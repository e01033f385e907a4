/* fuzz_table.c - the TSV tables that plots are drawn from.   See fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include "verify/io/tsv.h"

FUZZ_TARGET(table)
{
    struct tsv table;
    struct conv_error error;
    char path[64];
    const int file = fuzz_file(path, data, size);
    if (tsv_read(&table, path, &error) == CONV_OK) {
        for (int row = 0; row < table.rows; row++)
            for (int column = 0; column < table.columns; column++)
                FUZZ_DEMAND(tsv_text(&table, row, column) && (tsv_number(&table, row, column), true));
        tsv_comment_number(&table, "roof_gmacs");
        tsv_free(&table);
    } else {
        FUZZ_DEMAND(error.message[0]);
    }
    close(file);
    return 0;
}
