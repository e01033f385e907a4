/* fuzz_folder.h - a folder for the targets whose readers open more than one file by name.
 *
 * It is made once for each process, in memory where there is /dev/shm, and goes when the process ends.
 * Read next: fuzz_raw.c, fuzz_manifest.c
 */
#ifndef CONVREF_TESTS_FUZZ_FOLDER_H
#define CONVREF_TESTS_FUZZ_FOLDER_H

#include "tests/fuzz/fuzz.h"

/* "" until there is one. */
static char fuzz_folder_path[64];
static const char *fuzz_folder_names[2];    /* what the target writes there */

static inline void fuzz_folder_remove(void)
{
    char path[128];
    for (int i = 0; i < 2 && fuzz_folder_names[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", fuzz_folder_path, fuzz_folder_names[i]);
        unlink(path);
    }
    rmdir(fuzz_folder_path);
}

/* Write a file of the folder.  `index` is 0 or 1: a target has at most two files. */
static inline void fuzz_folder_write(int index, const char *name, const void *data, size_t size)
{
    char path[128];
    if (!fuzz_folder_path[0]) {
        snprintf(fuzz_folder_path, sizeof fuzz_folder_path, "%s/convref-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FUZZ_DEMAND(mkdtemp(fuzz_folder_path) && atexit(fuzz_folder_remove) == 0);
    }
    fuzz_folder_names[index] = name;
    snprintf(path, sizeof path, "%s/%s", fuzz_folder_path, name);
    FILE *file = fopen(path, "wb");
    FUZZ_DEMAND(file && fwrite(data, 1, size, file) == size);
    FUZZ_DEMAND(fclose(file) == 0);
}

#endif
