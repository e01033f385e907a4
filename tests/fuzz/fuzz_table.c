/* fuzz_table.c - the TSV tables that plots are drawn from.   See fuzz.h. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "verify/io/tsv.h"

FUZZ_TARGET(table)
{
    struct tsv table;
    struct conv_error error;
    char path[64];
    const int file = memfd_create("fuzz", 0);
    FUZZ_DEMAND(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
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
