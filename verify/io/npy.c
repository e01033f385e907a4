/* npy.c - NumPy's .npy files.   Declared in convref/npy.h.
 *
 *   "\x93NUMPY"  version, 0  length of header (2 bytes, or 4 from version 2 on)  header  data
 *
 * The header is a Python dictionary with three keys, such as
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 8, 8), }
 * It is read by a parser for exactly that, not evaluated; and nothing is allocated before the lengths fit.
 */
#include <convref/npy.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "output.h"

/* As NumPy: a longer header is refused. */
enum { LONGEST_HEADER = 10000, PREFIX = 12 };

static const unsigned char magic[] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

struct header {
    bool has_descr, has_order, has_shape;
    enum conv_type type;
    int rank;
    int64_t dims[CONV_MAX_RANK];
};

struct parser {
    const char *at;
    const char *path;
    struct conv_error *error;
};

static enum conv_status bad(const struct parser *parser, const char *what)
{
    conv_fail(parser->error, CONV_BAD_FILE, "%s: %s", parser->path, what);
    conv_hint(parser->error, "convref reads what numpy.save() writes for C-ordered arrays of float32 or "
                             "float64");
    return CONV_BAD_FILE;
}

/* ---- the dictionary ---------------------------------------------------------------------------------- */

static void skip_spaces(struct parser *parser)
{
    while (*parser->at == ' ')
        parser->at++;
}

static bool take(struct parser *parser, char wanted)
{
    skip_spaces(parser);
    if (*parser->at != wanted)
        return false;
    parser->at++;
    return true;
}

static bool take_word(struct parser *parser, const char *word)
{
    skip_spaces(parser);
    if (strncmp(parser->at, word, strlen(word)))
        return false;
    parser->at += strlen(word);
    return true;
}

static enum conv_status read_descr(struct parser *parser, struct header *header)
{
    for (enum conv_type type = 0; type < CONV_TYPES; type++) {
        char quoted[16];
        snprintf(quoted, sizeof quoted, "'<%s'", conv_type_facts(type)->npy);
        if (take_word(parser, quoted)) {
            header->type = type;
            header->has_descr = true;
            return CONV_OK;
        }
    }
    return bad(parser, "the element type is not little-endian float32 ('<f4') or float64 ('<f8')");
}

static enum conv_status read_order(struct parser *parser, struct header *header)
{
    if (take_word(parser, "True"))
        return bad(parser, "the array is in Fortran order; save numpy.ascontiguousarray(a)");
    if (!take_word(parser, "False"))
        return bad(parser, "fortran_order is neither True nor False");
    header->has_order = true;
    return CONV_OK;
}

static bool read_dim(struct parser *parser, int64_t *dim)
{
    int digits = 0;
    skip_spaces(parser);
    for (*dim = 0; isdigit((unsigned char)*parser->at) && digits < 15; digits++)
        *dim = *dim * 10 + (*parser->at++ - '0');
    return digits > 0 && !isdigit((unsigned char)*parser->at);
}

static enum conv_status read_shape(struct parser *parser, struct header *header)
{
    if (!take(parser, '('))
        return bad(parser, "the shape is not a tuple");
    while (!take(parser, ')')) {
        if (header->rank == CONV_MAX_RANK)
            return bad(parser, "the array has more than 8 dimensions");
        if (!read_dim(parser, &header->dims[header->rank++]))
            return bad(parser, "a dimension of the shape is not a believable number");
        if (!take(parser, ',')) {
            if (header->rank == 1 || !take(parser, ')'))   /* (3) is not a tuple in Python */
                return bad(parser, "the shape is not a tuple");
            break;
        }
    }
    header->has_shape = true;
    return CONV_OK;
}

static enum conv_status read_dictionary(struct parser *parser, struct header *header)
{
    if (!take(parser, '{'))
        return bad(parser, "the header is not a dictionary");
    while (!take(parser, '}')) {
        enum conv_status status;
        if (take_word(parser, "'descr':") && !header->has_descr)
            status = read_descr(parser, header);
        else if (take_word(parser, "'fortran_order':") && !header->has_order)
            status = read_order(parser, header);
        else if (take_word(parser, "'shape':") && !header->has_shape)
            status = read_shape(parser, header);
        else
            status = bad(parser, "the header has an unknown or repeated key");
        if (status != CONV_OK)
            return status;
        if (!take(parser, ',')) {
            if (!take(parser, '}'))
                return bad(parser, "the header's dictionary does not end");
            break;
        }
    }
    skip_spaces(parser);
    if (*parser->at == '\n')
        parser->at++;
    if (*parser->at)
        return bad(parser, "there is something behind the header's dictionary");
    if (!header->has_descr || !header->has_order || !header->has_shape)
        return bad(parser, "the header lacks descr, fortran_order or shape");
    return CONV_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------ */

/* The length of the header's text, and where it starts; 0 if the file isn't one. */
static size_t header_length(const unsigned char prefix[PREFIX], size_t *start)
{
    const unsigned version = prefix[6];
    *start = version == 1 ? 10 : 12;
    if (memcmp(prefix, magic, sizeof magic) || version < 1 || version > 3 || prefix[7] != 0)
        return 0;
    size_t length = prefix[8] | (size_t)prefix[9] << 8;
    if (version > 1)
        length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
    return length;
}

/* header + elements = file, checked in 64 bits */
static bool lengths_fit(const struct header *header, int64_t data_bytes)
{
    int64_t bytes = (int64_t)conv_type_facts(header->type)->size;
    for (int d = 0; d < header->rank; d++)
        if (__builtin_mul_overflow(bytes, header->dims[d], &bytes))
            return false;
    return bytes == data_bytes;
}

static enum conv_status read_header(struct header *header, FILE *file, const char *path,
                                    struct conv_error *error)
{
    struct parser parser = { .path = path, .error = error };
    unsigned char prefix[PREFIX] = { 0 };
    char text[LONGEST_HEADER + 1];
    struct stat facts;
    size_t start;
    if (fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode))
        return bad(&parser, "it is not a regular file");
    const size_t had = fread(prefix, 1, PREFIX, file);
    const size_t length = had >= 10 ? header_length(prefix, &start) : 0;
    if (length == 0)
        return bad(&parser, "it is not a .npy file of version 1, 2 or 3");
    if (length > LONGEST_HEADER || (int64_t)(start + length) > facts.st_size)
        return bad(&parser, "the header is longer than the file, or than 10000 bytes");
    if (fseek(file, (long)start, SEEK_SET) != 0 || fread(text, 1, length, file) != length)
        return bad(&parser, "the header can't be read");
    text[length] = 0;
    if (strlen(text) != length)
        return bad(&parser, "the header has a zero byte in it");
    parser.at = text;
    enum conv_status status = read_dictionary(&parser, header);
    if (status == CONV_OK && !lengths_fit(header, facts.st_size - (int64_t)(start + length)))
        status = bad(&parser, "the file is not as long as its shape says");
    return status;
}

enum conv_status conv_npy_read(struct conv_tensor *tensor, const char *path, struct conv_error *error)
{
    struct header header = { .rank = 0 };
    struct conv_tensor made;
    FILE *file = fopen(path, "rb");
    if (!file) {
        return conv_fail(error, CONV_BAD_FILE, "%s can't be opened: %s", path, strerror(errno));
    }
    enum conv_status status = read_header(&header, file, path, error);
    if (status == CONV_OK)
        status = conv_tensor_create(&made, header.type, header.rank, header.dims, error);
    if (status == CONV_OK) {
        const size_t bytes = conv_tensor_bytes(&made);
        if (fread(made.data, 1, bytes, file) == bytes) {
            *tensor = made;
        } else {
            conv_tensor_free(&made);
            status = conv_fail(error, CONV_BAD_FILE, "%s ended while it was read", path);
        }
    }
    fclose(file);
    return status;
}

/* The dictionary, padded with spaces so that the data begin at a multiple of 64 bytes. */
static size_t print_header(char text[256], const struct conv_tensor *tensor)
{
    int used = snprintf(text, 256, "{'descr': '<%s', 'fortran_order': False, 'shape': (",
                        conv_type_facts(tensor->type)->npy);
    for (int d = 0; d < tensor->rank; d++)
        used += snprintf(text + used, 256 - (size_t)used, "%" PRId64 "%s", tensor->dims[d],
                         tensor->rank == 1 ? "," : d + 1 < tensor->rank ? ", " : "");
    used += snprintf(text + used, 256 - (size_t)used, "), }");
    while ((10 + used + 1) % 64)
        text[used++] = ' ';
    text[used++] = '\n';
    return (size_t)used;
}

enum conv_status conv_npy_write(const char *path, const struct conv_tensor *tensor,
                                struct conv_error *error)
{
    struct conv_output output;
    char text[256 + 64];
    const size_t length = print_header(text, tensor);
    unsigned char prefix[10] = { [6] = 1, [8] = length & 0xff, [9] = (unsigned char)(length >> 8) };
    memcpy(prefix, magic, sizeof magic);
    enum conv_status status = conv_output_open(&output, path, error);
    if (status != CONV_OK)
        return status;
    fwrite(prefix, 1, sizeof prefix, output.file);
    fwrite(text, 1, length, output.file);
    fwrite(tensor->data, 1, conv_tensor_bytes(tensor), output.file);
    return conv_output_commit(&output, error);
}
