/* error.c - status codes and errors in words.   Declared in convref/base.h and core/words.h. */
#include <config.h>
#include <convref/base.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/words.h"

/* Words from files are repeated in messages; their control characters must not reach a terminal. */
static void make_plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

enum conv_status conv_fail(struct conv_error *error, enum conv_status status, const char *format, ...)
{
    if (error) {
        va_list args;
        *error = (struct conv_error){ .status = status, .position = -1 };
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
        make_plain(error->message);
    }
    return status;
}

void conv_hint(struct conv_error *error, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->hint, sizeof error->hint, format, args);
        va_end(args);
        make_plain(error->hint);
    }
}

const char *conv_status_name(enum conv_status status)
{
    static const char *const names[] = {
        [CONV_OK] = "ok", [CONV_BAD_INPUT] = "bad input", [CONV_BAD_FILE] = "bad file",
        [CONV_TOO_LARGE] = "too large", [CONV_NOT_APPLICABLE] = "not applicable",
        [CONV_NO_MEMORY] = "out of memory",
    };
    return names[status];
}

const char *conv_version(void)
{
    return PACKAGE_VERSION;
}

/* The edit distance between two words, cut off at the length of the row. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    int row[LONGEST + 1];
    const int length = (int)strnlen(b, LONGEST);

    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 0; j < length; j++) {
            const int change = diagonal + (a[i] != b[j]);
            const int insert = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < insert ? change : insert;
        }
    }
    return row[length];
}

const char *conv_nearest(const char *word, const char *const *words, int count)
{
    const char *nearest = NULL;
    int best = 3;   /* further away than two edits is another word, not a typing error */

    for (int i = 0; i < count; i++) {
        const int d = distance(word, words[i]);
        if (d < best && (size_t)d < strlen(words[i])) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}
