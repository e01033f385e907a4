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
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/output.h"
#include "verify/io/stored.h"

/* As NumPy: a longer header is refused. */
enum { LONGEST_HEADER = 10000, PREFIX = 12 };

static const unsigned char magic[] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

struct header {
    bool has_descr, has_order, has_shape;
    struct stored stored;
};

struct parser {
    const char *at;
    const struct source *source;
    struct conv_error *error;
};

static enum conv_status bad(const struct parser *parser, const char *what)
{
    return stored_bad(parser->source, parser->error, "convref reads what numpy.save() writes for C-ordered arrays of "
                      "float32, float64 and some narrower types", "%s", what);
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

static const char *name_of(enum element element) { return element_facts(element)->npy; }

/* What a type of NumPy is called, by its letter, and what to do about it. */
static const struct { char letter; const char *name; bool sized; const char *hint; } kinds[] = {
    { 'f', "float", true, "save a.astype(np.float64)" }, { 'i', "int", true, "save a.astype(np.int32), if it fits" },
    { 'u', "uint", true, "save a.astype(np.int32), if it fits" }, { 'c', "complex", true, "save a.real" },
    { 'b', "bool", false, "save a.astype(np.uint8)" }, { 'O', "Python objects", false, "save a.astype(np.float32)" },
    { 'V', "bytes without a type", false, "bfloat16 of ml_dtypes is saved so: save a.astype(np.float32)" },
    { 'U', "text", false, "save a.astype(np.float32)" }, { 'S', "text", false, "save a.astype(np.float32)" },
    { '[', "records", false, "save one field: a['name']" },
};

/* The type that stands there and isn't read: by its descr and its name, and what would be right. */
static enum conv_status refuse_descr(const struct parser *parser)
{
    enum { SHOWN = 20 };
    const char *at = parser->at + strspn(parser->at, " "), *hint = "save a.astype(np.float32)";
    const bool quoted = *at == '\'' || *at == '"';
    const char *text = at + quoted;
    const int length = (int)strcspn(text, quoted ? "'\"" : ",");
    const char order = *text, *letter = text + (quoted && *text && strchr("<>|=", order) ? 1 : 0);
    char name[48] = "", list[STORED_LIST];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (*letter == kinds[i].letter) {
            const bool big = kinds[i].sized && order == '>';
            const size_t used = (size_t)snprintf(name, sizeof name, ", which is %s%s", big ? "big-endian " : "",
                                                 kinds[i].name);
            if (kinds[i].sized)
                snprintf(name + used, sizeof name - used, "%ld", 8 * (strtol(letter + 1, NULL, 10) % 1000));
            hint = big ? "save a.astype(a.dtype.newbyteorder('<'))" : kinds[i].hint;
        }
    return stored_bad(parser->source, parser->error, hint, "its elements are '%.*s'%s; it can be %s",
                      length < SHOWN ? length : SHOWN, text, name,
                      stored_list(list, parser->source->accepted, name_of));
}

static enum conv_status read_descr(struct parser *parser, struct header *header)
{
    for (enum element element = 0; element < ELEMENTS; element++) {
        const char *npy = element_facts(element)->npy;
        char quoted[16];
        snprintf(quoted, sizeof quoted, "'%s'", npy ? npy : "");
        if (npy && parser->source->accepted & 1u << element && take_word(parser, quoted)) {
            header->stored.element = element;
            header->has_descr = true;
            return CONV_OK;
        }
    }
    return refuse_descr(parser);
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
        if (header->stored.rank == CONV_MAX_RANK)
            return bad(parser, "the array has more than 8 dimensions");
        if (!read_dim(parser, &header->stored.dims[header->stored.rank++]))
            return bad(parser, "a dimension of the shape is not a believable number");
        if (!take(parser, ',')) {
            if (header->stored.rank == 1 || !take(parser, ')'))   /* (3) is not a tuple in Python */
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

static enum conv_status read_header(struct header *header, struct source *source, struct conv_error *error)
{
    struct parser parser = { .source = source, .error = error };
    unsigned char prefix[PREFIX] = { 0 };
    char text[LONGEST_HEADER + 1];
    size_t start;
    size_t length = source_read(source, prefix, 10) ? header_length(prefix, &start) : 0;
    if (length > 0 && start > 10)   /* from version 2 on, two more bytes of length */
        length = source_read(source, prefix + 10, 2) ? header_length(prefix, &start) : 0;
    if (length == 0)
        return bad(&parser, "it is not a .npy file of version 1, 2 or 3");
    if (length > LONGEST_HEADER || (int64_t)length > source->left)
        return bad(&parser, "the header is longer than the file, or than 10000 bytes");
    if (!source_read(source, text, length))
        return bad(&parser, "the header can't be read");
    text[length] = 0;
    if (strlen(text) != length)
        return bad(&parser, "the header has a zero byte in it");
    parser.at = text;
    enum conv_status status = read_dictionary(&parser, header);
    /* header + elements = file, before anything is allocated */
    if (status == CONV_OK && !stored_fits(&header->stored, source->left))
        status = bad(&parser, "the file is not as long as its shape says");
    return status;
}

enum conv_status npy_read(struct conv_tensor *tensor, struct source *source, struct conv_error *error)
{
    struct header header = { .has_descr = false };
    const enum conv_status status = read_header(&header, source, error);
    return status == CONV_OK ? stored_read(tensor, &header.stored, source, error) : status;
}

enum conv_status conv_npy_read(struct conv_tensor *tensor, const char *path, struct conv_error *error)
{
    struct source source;
    enum conv_status status = source_open(&source, path, STORED_OPERANDS, error);
    if (status == CONV_OK)
        status = npy_read(tensor, &source, error);
    source_close(&source);
    return status;
}

size_t npy_print_header(unsigned char header[NPY_HEADER], const char *descr, int rank, const int64_t *dims)
{
    char *text = (char *)header + 10;
    const size_t room = NPY_HEADER - 10;
    size_t used = (size_t)snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int d = 0; d < rank; d++)
        used += (size_t)snprintf(text + used, room - used, "%" PRId64 "%s", dims[d],
                                 rank == 1 ? "," : d + 1 < rank ? ", " : "");
    used += (size_t)snprintf(text + used, room - used, "), }");
    while ((10 + used + 1) % 64)   /* data begin at a multiple of 64 bytes */
        text[used++] = ' ';
    text[used++] = '\n';
    memcpy(header, magic, sizeof magic);
    header[6] = 1;
    header[7] = 0;
    header[8] = used & 0xff;
    header[9] = (unsigned char)(used >> 8);
    return 10 + used;
}

enum conv_status conv_npy_write(const char *path, const struct conv_tensor *tensor,
                                struct conv_error *error)
{
    struct conv_output output;
    unsigned char header[NPY_HEADER];
    char descr[8];
    snprintf(descr, sizeof descr, "<%s", conv_type_facts(tensor->type)->npy);
    const size_t length = npy_print_header(header, descr, tensor->rank, tensor->dims);
    enum conv_status status = conv_output_open(&output, path, error);
    if (status != CONV_OK)
        return status;
    fwrite(header, 1, length, output.file);
    fwrite(tensor->data, 1, conv_tensor_bytes(tensor), output.file);
    return conv_output_commit(&output, error);
}
