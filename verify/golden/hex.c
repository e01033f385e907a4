/* hex.c - reads back what $writememh or a simulator wrote.   Declared in golden.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"
#include "verify/io/output.h"

enum { LONGEST_HEX = 256 << 20 };

static int digit_value(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The digits of one word, lowest lane last; `_` may stand between digits, as in Verilog.  False if it isn't a
 * word. */
static bool read_hex_word(double *values, const char *word, size_t length, enum element element, int64_t count,
                          int lanes)
{
    const int digits = 2 * (int)element_facts(element)->size;
    uint64_t bits = 0;
    int done = 0;
    for (size_t i = length; i-- > 0; ) {
        if (word[i] == '_')
            continue;
        const int value = digit_value(word[i]);
        if (value < 0 || done == digits * lanes)
            return false;
        bits |= (uint64_t)value << 4 * (done % digits);
        if (++done % digits)
            continue;
        if (done / digits <= count)
            values[done / digits - 1] = element_value(element, bits);
        bits = 0;
    }
    return done == digits * lanes;
}

/* The next word of the text, comments and blanks skipped; NULL at the end. */
static const char *next_word(const char *at, size_t *length)
{
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (at[0] != '/' || at[1] != '/')
            break;
        at += strcspn(at, "\n");
    }
    *length = strcspn(at, " \t\r\n/");
    return *at ? at : NULL;
}

enum conv_status golden_read_hex(double *values, const char *path, enum element element, int64_t count, int lanes,
                                 struct conv_error *error)
{
    char *text;
    size_t length;
    int64_t done = 0;
    const size_t limit = 4096 + 64 * (size_t)count;   /* at most 17 characters and a line each */
    enum conv_status status = conv_text_read(&text, path, limit < LONGEST_HEX ? limit : LONGEST_HEX, error);
    if (status != CONV_OK)
        return status;
    const char *at = text;
    while (status == CONV_OK && (at = next_word(at, &length))) {
        if (done >= count || !read_hex_word(values + done, at, length, element, count - done, lanes))
            status = conv_fail(error, CONV_BAD_FILE, "%s: word %" PRId64 ", '%.*s', is %s", path, done / lanes,
                               length < 40 ? (int)length : 40, at,
                               done >= count ? "one too many" : "not a hexadecimal number of that many digits");
        done += lanes;
        at += length;
    }
    if (status == CONV_OK && done < count)
        status = conv_fail(error, CONV_BAD_FILE, "%s has %" PRId64 " of %" PRId64 " elements", path, done, count);
    if (status != CONV_OK)
        conv_hint(error, "%d hexadecimal digits to a word: %d x %s", lanes * 2
                  * (int)element_facts(element)->size, lanes, element_facts(element)->name);
    free(text);
    return status;
}
