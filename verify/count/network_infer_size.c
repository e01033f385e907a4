/* network_infer_size.c - nodes that change sizes and compute nothing that is counted: upsample, pad, crop, reshape,
 * merge, slice.   Declared in network_reader.h.   Read next: network_infer_sequence.c
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/network_reader.h"

enum { MOST_SIZE = 1 << 20 };

/* One number, which ends at `*at`. */
static bool read_number(int64_t *number, const char **at)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    *number = strtoll(*at, &end, 10);
    *at = end;
    return *number <= MOST_SIZE;
}

enum conv_status reader_sizes(struct reader *reader, const char *key, int rank, int64_t sizes[CONV_AXES],
                              int64_t ends[CONV_AXES])
{
    const char *at = reader_value(reader, key, "");
    int64_t begin[CONV_AXES], end[CONV_AXES];
    int count = 0;
    bool good = true;
    do {
        at += count > 0;
        good = count < CONV_AXES && read_number(&begin[count], &at);
        if (good)
            end[count] = begin[count];
        if (good && ends && *at == ':')
            good = (at++, read_number(&end[count], &at));
        count++;
    } while (good && *at == 'x');
    if (!good || *at || (count != 1 && count != rank)) {
        char what[64];
        snprintf(what, sizeof what, "%s is missing or not a size for each axis", key);
        return reader_fail(reader, reader_column(reader, key), what,
                           ends ? "write 1, 1x2 or 0:1x0:1 (begin:end)" : "write 2 or 2x3");
    }
    for (int a = 0; a < rank; a++) {
        sizes[CONV_AXES - rank + a] = begin[count == 1 ? 0 : a];
        if (ends)
            ends[CONV_AXES - rank + a] = end[count == 1 ? 0 : a];
    }
    return CONV_OK;
}

/* scale=2, or size=28x28 */
enum conv_status network_infer_upsample(struct reader *reader, struct conv_node *node)
{
    const bool scaled = reader_pair(reader, "scale") != NULL;
    int64_t sizes[CONV_AXES];
    node->out = *reader_input(reader, 0);
    if (scaled == (reader_pair(reader, "size") != NULL))
        return reader_fail(reader, reader->words.word_column, "upsample has either a scale or a size",
                           "write scale=2 or size=28x28");
    if (reader_sizes(reader, scaled ? "scale" : "size", node->out.rank, sizes, NULL) != CONV_OK)
        return CONV_BAD_FILE;
    for (int a = CONV_AXES - node->out.rank; a < CONV_AXES; a++) {
        if (sizes[a] < 1)
            return reader_fail(reader, reader_column(reader, scaled ? "scale" : "size"), "a size of 0",
                               "sizes and scales are 1 or more");
        if ((double)node->out.size[a] * (double)sizes[a] > 0x1p40)
            return reader_fail(reader, reader->words.word_column, "more than 2^40 positions", "give smaller sizes");
        node->out.size[a] = scaled ? node->out.size[a] * sizes[a] : sizes[a];
    }
    return CONV_OK;
}

/* size=1x1 or size=0:1x0:1: zeros around the image as a node of its own, or what is cut off around it */
enum conv_status network_infer_pad(struct reader *reader, struct conv_node *node)
{
    int64_t begin[CONV_AXES], end[CONV_AXES];
    node->out = *reader_input(reader, 0);
    if (reader_sizes(reader, "size", node->out.rank, begin, end) != CONV_OK)
        return CONV_BAD_FILE;
    for (int a = CONV_AXES - node->out.rank; a < CONV_AXES; a++) {
        const int64_t both = begin[a] + end[a];
        if (node->kind == CONV_NODE_CROP && both >= node->out.size[a])
            return reader_fail(reader, reader_column(reader, "size"), "nothing is left", "cut off less");
        node->out.size[a] += node->kind == CONV_NODE_CROP ? -both : both;
    }
    return CONV_OK;
}

/* in=196 or in=14x14: the same positions, written as other axes */
enum conv_status network_infer_reshape(struct reader *reader, struct conv_node *node)
{
    const struct conv_shape *in = reader_input(reader, 0);
    const char *value = reader_value(reader, "in", "");
    int64_t positions = 1, sizes[CONV_AXES];
    int rank = 1;
    for (const char *at = value; *at; at++)
        rank += *at == 'x';
    if (reader_sizes(reader, "in", rank <= CONV_AXES ? rank : 1, sizes, NULL) != CONV_OK)
        return CONV_BAD_FILE;
    node->out = (struct conv_shape){ .rank = rank, .c = in->c, .size = { 1, 1, 1 } };
    for (int a = CONV_AXES - rank; a < CONV_AXES; a++) {
        node->out.size[a] = sizes[a];
        positions *= sizes[a];
    }
    if (positions != conv_shape_elements(in) / in->c) {
        char what[96];
        snprintf(what, sizeof what, "in=%.20s has %" PRId64 " positions, and the input %" PRId64, value, positions,
                 conv_shape_elements(in) / in->c);
        return reader_fail(reader, reader_column(reader, "in"), what, "a reshape keeps every position");
    }
    return CONV_OK;
}

/* block=2: the positions of a block one behind the other, as channels */
enum conv_status network_infer_merge(struct reader *reader, struct conv_node *node)
{
    int64_t block[CONV_AXES];
    node->out = *reader_input(reader, 0);
    if (reader_sizes(reader, "block", node->out.rank, block, NULL) != CONV_OK)
        return CONV_BAD_FILE;
    for (int a = CONV_AXES - node->out.rank; a < CONV_AXES; a++) {
        if (block[a] < 1 || node->out.size[a] % block[a])
            return reader_fail(reader, reader_column(reader, "block"), "block does not divide the sizes",
                               "give a divisor");
        node->out.size[a] /= block[a];
        node->out.c *= block[a];
    }
    return CONV_OK;
}

enum conv_status reader_part(struct reader *reader, const char *key, int64_t limit, int64_t *taken)
{
    const char *at = reader_value(reader, key, "");
    int64_t previous = 0;
    bool good = true, range = strchr(at, ':') != NULL;
    *taken = 0;
    for (int part = 0; good; part++) {
        char *end;
        const int64_t number = isdigit((unsigned char)*at) ? strtoll(at, &end, 10) : -1;
        good = number >= 0 && number < limit + (range && part == 1)
            && (!range || part == 0 || (part == 1 && number > previous));
        *taken = range ? number - previous : *taken + 1;
        previous = number;
        if (!good || !*end)
            break;
        good = *end == (range ? ':' : ',');
        at = end + 1;
    }
    if (good)
        return CONV_OK;
    char what[64], hint[128];
    snprintf(what, sizeof what, "not %s of the input", key);
    snprintf(hint, sizeof hint, "%s is begin:end or a list such as 0,1,5, below the number of %s", key, key);
    return reader_fail(reader, reader_column(reader, key), what, hint);
}

/* channels=0:58 or channels=0,1,5; positions=0:1 of a sequence */
enum conv_status network_infer_slice(struct reader *reader, struct conv_node *node)
{
    node->out = *reader_input(reader, 0);
    if (!reader_pair(reader, "positions"))
        return reader_part(reader, "channels", node->out.c, &node->out.c);
    if (node->out.rank != 1 || reader_pair(reader, "channels"))
        return reader_fail(reader, reader_column(reader, "positions"), "positions are of a sequence, and alone",
                           "slice channels in a node of its own; `reshape` makes a sequence");
    const int64_t all = node->out.size[CONV_AXES - 1];
    return reader_part(reader, "positions", all, &node->out.size[CONV_AXES - 1]);
}
