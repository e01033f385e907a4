/* folder.c - a folder for somebody else's files.   Declared in folder.h. */
#include <config.h>

#include "verify/sandbox/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:@%";

enum conv_status folder_make(char path[FOLDER_PATH], struct conv_error *error)
{
    const char *place = getenv("TMPDIR");
    if (!place || !place[0])
        place = "/tmp";
    const int length = snprintf(path, FOLDER_PATH, "%s/convref-XXXXXX", place);
    if (length >= FOLDER_PATH || strspn(path, plain) != (size_t)length) {
        conv_fail(error, CONV_BAD_INPUT,
                  "TMPDIR can't be a part of a command line: it is long, or has characters that a shell reads");
        conv_hint(error, "set TMPDIR to a folder such as /tmp");
        return CONV_BAD_INPUT;
    }
    if (!mkdtemp(path))
        return conv_fail(error, CONV_BAD_FILE, "no folder can be made in %s: %s", place, strerror(errno));
    return CONV_OK;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts, (void)kind, (void)where;
    remove(path);
    return 0;   /* go on: what can be removed is */
}

void folder_remove(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }
