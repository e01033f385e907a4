/* network_line.c - cuts a line of a network file into a label, a word and key=value pairs.
 * Declared in network_reader.h.   Read next: network_infer.c
 */
#include "verify/count/network_reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors: file:line:column -------------------------------------------------------------------------- */

enum conv_status reader_fail(struct reader *reader, int column, const char *what, const char *hint)
{
    conv_fail(reader->error, CONV_BAD_FILE, "%s:%d:%d: %s", reader->name, reader->line, column + 1, what);
    conv_hint(reader->error, "%s", hint);
    if (reader->error) {
        reader->error->position = column;
        reader->error->length = 1;
    }
    return CONV_BAD_FILE;
}

/* ---- cutting a line ---------------------------------------------------------------------------------------- */

bool reader_is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-'; }

bool reader_copy(char *to, size_t room, const char *from, size_t length)
{
    if (length >= room)
        return false;
    memcpy(to, from, length);
    to[length] = 0;
    return true;
}

static enum conv_status cut_pair(struct reader *reader, const char *token, int length, int column)
{
    struct line *line = &reader->words;
    const char *equals = memchr(token, '=', (size_t)length);
    if (!equals)
        return reader_fail(reader, column, "a word without '='", "a node is [LABEL:] OP key=value ...");
    if (line->pair_count == MOST_PAIRS)
        return reader_fail(reader, column, "too many keys", "no node has as many as 16");
    struct pair *pair = &line->pairs[line->pair_count++];
    pair->column = column;
    if (!reader_copy(pair->key, sizeof pair->key, token, (size_t)(equals - token))
        || !reader_copy(pair->value, sizeof pair->value, equals + 1, (size_t)(token + length - equals - 1))
        || !pair->value[0])
        return reader_fail(reader, column, "a key or value that is empty or too long", "write key=value");
    for (int i = 0; i < line->pair_count - 1; i++)
        if (!strcmp(line->pairs[i].key, pair->key))
            return reader_fail(reader, column, "a key given twice", "remove one of them");
    return CONV_OK;
}

enum conv_status reader_cut(struct reader *reader, const char *text, int length)
{
    struct line *line = &reader->words;
    memset(line, 0, sizeof *line);
    for (int at = 0; at < length;) {
        if (isspace((unsigned char)text[at])) {
            at++;
            continue;
        }
        int end = at;
        while (end < length && !isspace((unsigned char)text[end]))
            end++;
        const char *token = text + at;
        const int size = end - at;
        enum conv_status status = CONV_OK;
        if (line->word[0])
            status = cut_pair(reader, token, size, at);
        else if (token[size - 1] == ':' && !line->label[0]) {
            bool good = size > 1 && reader_copy(line->label, sizeof line->label, token, (size_t)size - 1);
            for (int i = 0; i < size - 1; i++)
                good = good && reader_is_name(token[i]);
            if (!good)
                status = reader_fail(reader, at, "a label that is empty, too long or has odd characters",
                                 "labels are up to 63 letters, digits, '_', '.' and '-'");
        } else {
            line->word_column = at;
            if (!reader_copy(line->word, sizeof line->word, token, (size_t)size))
                status = reader_fail(reader, at, "an unknown node", "docs/networks.md lists the nodes");
        }
        if (status != CONV_OK)
            return status;
        at = end;
    }
    if (line->label[0] && !line->word[0])
        return reader_fail(reader, 0, "a label without a node", "write LABEL: OP key=value ...");
    return CONV_OK;
}

const struct pair *reader_pair(const struct reader *reader, const char *key)
{
    for (int i = 0; i < reader->words.pair_count; i++)
        if (!strcmp(reader->words.pairs[i].key, key))
            return &reader->words.pairs[i];
    return NULL;
}

const char *reader_value(const struct reader *reader, const char *key, const char *normal)
{
    const struct pair *pair = reader_pair(reader, key);
    return pair ? pair->value : normal;
}

int reader_column(const struct reader *reader, const char *key)
{
    const struct pair *pair = reader_pair(reader, key);
    return pair ? pair->column : reader->words.word_column;
}

enum conv_status reader_flag(struct reader *reader, const char *key, bool *flag, bool normal)
{
    const char *value = reader_value(reader, key, normal ? "1" : "0");
    if (strcmp(value, "0") && strcmp(value, "1"))
        return reader_fail(reader, reader_column(reader, key), "a flag that is neither 0 nor 1", "write 0 or 1");
    *flag = value[0] == '1';
    return CONV_OK;
}

enum conv_status reader_number(struct reader *reader, const char *key, int64_t *number)
{
    char *end;
    const char *value = reader_value(reader, key, "");
    *number = strtoll(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || *number < 1 || *number > INT64_C(1) << 40) {
        char what[64];
        snprintf(what, sizeof what, "%s is missing or not a number from 1 to 2^40", key);
        return reader_fail(reader, reader_column(reader, key), what, "give it as key=NUMBER");
    }
    return CONV_OK;
}
