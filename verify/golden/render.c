/* render.c - a case as files, in memory: .npy, .raw, C headers, hex for $readmemh.
 *
 * The bytes depend on the case alone: no dates, no paths, no locale.   Not here: .npz (render_npz.c), ONNX
 * (render_onnx.c), folders (folder.c).
 */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../io/output.h"
#include "../io/stored.h"
#include "golden.h"

/* NumPy has no bf16: its values are written as f32, which holds them. */
enum element golden_stored_element(enum golden_format format, enum element element)
{
    const bool numpy = format == GOLDEN_NPY || format == GOLDEN_NPZ;
    return numpy && !element_facts(element)->npy ? ELEMENT_F32 : element;
}

static void put_little_endian(FILE *file, enum element element, const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const uint64_t bits = element_bits(element, values[i]);
        for (size_t b = 0; b < element_facts(element)->size; b++)
            fputc((int)(bits >> 8 * b & 0xff), file);
    }
}

/* ---- one array, one file ---------------------------------------------------------------------------------- */

enum conv_status golden_print_npy(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    const enum element element = golden_stored_element(made->settings.format, array->element);
    unsigned char header[NPY_HEADER];
    fwrite(header, 1, npy_print_header(header, element_facts(element)->npy, array->rank, array->dims), file);
    put_little_endian(file, element, array->values, array->count);
    return CONV_OK;
}

static enum conv_status print_raw(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    (void)made;
    put_little_endian(file, array->element, array->values, array->count);
    return CONV_OK;
}

static enum conv_status print_sidecar(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    (void)made;
    fprintf(file, "{\"dtype\": \"%s\", \"shape\": [", element_facts(array->element)->name);
    for (int d = 0; d < array->rank; d++)
        fprintf(file, "%s%" PRId64, d ? ", " : "", array->dims[d]);
    fprintf(file, "], \"order\": \"C\", \"endian\": \"little\"}\n");
    return CONV_OK;
}

/* One word a line, lane 0 in the digits on the right, the last word filled up with zeros on the left. */
static enum conv_status print_hex(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    const int lanes = made->settings.lanes, digits = 2 * (int)element_facts(array->element)->size;
    char shape[96];
    fprintf(file, "// %s/%s: %s %s, last index fastest\n", made->plan.name, array->name,
            element_facts(array->element)->name, conv_shape_print(shape, array->rank, array->dims));
    fprintf(file, "// %d-bit words of %d lane%s; lane i of word j is element j*%d+i, lane 0 in the lowest bits\n",
            4 * digits * lanes, lanes, lanes == 1 ? "" : "s", lanes);
    for (int64_t word = 0; word * lanes < array->count; word++) {
        for (int64_t lane = lanes - 1; lane >= 0; lane--) {
            const int64_t i = word * lanes + lane;
            fprintf(file, "%0*" PRIx64, digits,
                    i < array->count ? element_bits(array->element, array->values[i]) : 0);
        }
        fputc('\n', file);
    }
    return CONV_OK;
}

/* ---- C: one header for a case ----------------------------------------------------------------------------- */

static const struct { const char *type; bool bits; } c_types[ELEMENTS] = {
    [ELEMENT_F16] = { "uint16_t", true }, [ELEMENT_BF16] = { "uint16_t", true }, [ELEMENT_F32] = { "float", false },
    [ELEMENT_F64] = { "double", false }, [ELEMENT_S8] = { "int8_t", false }, [ELEMENT_U8] = { "uint8_t", false },
    [ELEMENT_S32] = { "int32_t", false },
};

/* A literal that gives back exactly this number. */
static void put_literal(FILE *file, enum element element, double value)
{
    char text[40];
    if (c_types[element].bits) {
        fprintf(file, "0x%04" PRIx64, element_bits(element, value));
    } else if (element != ELEMENT_F32 && element != ELEMENT_F64) {
        if (value == INT32_MIN)
            fputs("INT32_MIN", file);
        else
            fprintf(file, "%.0f", value);
    } else {
        snprintf(text, sizeof text, element == ELEMENT_F32 ? "%.9g" : "%.17g", value);
        fprintf(file, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0", element == ELEMENT_F32 ? "f" : "");
    }
}

/* "std-1d" -> "std_1d" */
static void put_identifier(FILE *file, const char *name, bool upper)
{
    for (; *name; name++)
        fputc(isalnum((unsigned char)*name) ? upper ? toupper((unsigned char)*name) : *name : '_', file);
}

static void put_c_array(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    char shape[96];
    fprintf(file, "\n/* %s, %s, %s%s */\nstatic const %s ", conv_shape_print(shape, array->rank, array->dims),
            element_facts(array->element)->name, array->is_output ? "output" : "input",
            c_types[array->element].bits ? ", as bits" : "", c_types[array->element].type);
    put_identifier(file, made->plan.name, false);
    fprintf(file, "_%s[%" PRId64 "] = {", array->name, array->count);
    for (int64_t i = 0; i < array->count; i++) {
        fputs(i % 8 ? " " : "\n    ", file);
        put_literal(file, array->element, array->values[i]);
        fputc(',', file);
    }
    fputs("\n};\n", file);
}

static enum conv_status print_c(FILE *file, const struct golden_case *made)
{
    char problem[CONV_PROBLEM_TEXT];
    fprintf(file, "/* %s - %s\n * Made by convref golden; the last index runs fastest. */\n#ifndef CONVREF_GOLDEN_",
            made->plan.name, conv_problem_print(problem, &made->plan.problem));
    put_identifier(file, made->plan.name, true);
    fputs("_H\n#define CONVREF_GOLDEN_", file);
    put_identifier(file, made->plan.name, true);
    fputs("_H\n#include <stdint.h>\n", file);
    for (int i = 0; i < made->count; i++)
        put_c_array(file, made, &made->arrays[i]);
    fputs("\n#endif\n", file);
    return CONV_OK;
}

/* ---- the files of a case ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *between, *behind;    /* of the path: case BETWEEN array BEHIND */
    bool whole;                      /* one file for a case */
    bool sidecar;
    enum conv_status (*print)(FILE *, const struct golden_case *, const struct golden_array *);
} formats[GOLDEN_FORMATS] = {
    [GOLDEN_NPY] = { "npy", "/", ".npy", false, false, golden_print_npy },
    [GOLDEN_NPZ] = { "npz", ".npz:", "", true, false, NULL },
    [GOLDEN_RAW] = { "raw", "/", ".raw", false, true, print_raw },
    [GOLDEN_C] = { "c", ".h:", "", true, false, NULL },
    [GOLDEN_HEX] = { "hex", "/", ".hex", false, false, print_hex },
    [GOLDEN_ONNX] = { "onnx", "/test_data_set_0/", "", false, false, NULL },
};

const char *golden_format_name(enum golden_format format) { return formats[format].name; }

enum golden_format golden_format_of_name(const char *name)
{
    enum golden_format format = 0;
    while (format < GOLDEN_FORMATS && strcmp(formats[format].name, name))
        format++;
    return format;
}

void golden_path(char path[128], const struct golden_case *made, const struct golden_array *array)
{
    const enum golden_format format = made->settings.format;
    path[0] = 0;
    if (format == GOLDEN_ONNX && golden_onnx_file(array->name))
        snprintf(path, 128, "%s%s%s", made->plan.name, formats[format].between, golden_onnx_file(array->name));
    if (format != GOLDEN_ONNX)
        snprintf(path, 128, "%s%s%s%s", made->plan.name, formats[format].between, array->name,
                 formats[format].behind);
}

typedef enum conv_status print_function(FILE *, const struct golden_case *, const struct golden_array *);

static enum conv_status print_into(struct golden_files *files, const struct golden_case *made,
                                   const struct golden_array *array, print_function *print, struct conv_error *error)
{
    struct golden_file *file = &files->files[files->count];
    FILE *stream = open_memstream(&file->bytes, &file->size);
    if (!stream)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the files of %s", made->plan.name);
    files->count++;
    const enum conv_status status = print ? print(stream, made, array) : print_c(stream, made);
    const bool bad = ferror(stream);
    if (fclose(stream) != 0 || bad)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the files of %s", made->plan.name);
    return status;
}

static enum conv_status render_array(struct golden_files *files, const struct golden_case *made,
                                     const struct golden_array *array, struct conv_error *error)
{
    char path[128];
    golden_path(path, made, array);
    memcpy(files->files[files->count].path, path, sizeof path);
    enum conv_status status = print_into(files, made, array, formats[made->settings.format].print, error);
    if (status != CONV_OK || !formats[made->settings.format].sidecar)
        return status;
    snprintf(files->files[files->count].path, 128, "%.120s.json", path);
    return print_into(files, made, array, print_sidecar, error);
}

/* "case.npz" or "case.h" */
static enum conv_status render_whole(struct golden_files *files, const struct golden_case *made,
                                     struct conv_error *error)
{
    golden_path(files->files[0].path, made, &made->arrays[0]);
    *strchr(files->files[0].path, ':') = 0;
    if (made->settings.format == GOLDEN_C)
        return print_into(files, made, NULL, NULL, error);
    files->count = 1;
    return golden_render_npz(&files->files[0], made, error);
}

enum conv_status golden_render(struct golden_files *files, const struct golden_case *made, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    *files = (struct golden_files){ .count = 0 };
    if (made->settings.format == GOLDEN_ONNX)
        status = golden_render_onnx(files, made, error);
    else if (formats[made->settings.format].whole)
        status = render_whole(files, made, error);
    else
        for (int i = 0; i < made->count && status == CONV_OK; i++)
            status = render_array(files, made, &made->arrays[i], error);
    if (status != CONV_OK)
        golden_files_free(files);
    return status;
}

void golden_files_free(struct golden_files *files)
{
    for (int i = 0; i < files->count; i++)
        free(files->files[i].bytes);
    files->count = 0;
}

/* ---- back from hex ---------------------------------------------------------------------------------------- */

enum { LONGEST_HEX = 256 << 20 };

static int digit_value(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The digits of one word, lowest lane last; `_` may stand between digits, as in Verilog.  False if it isn't a
 * word. */
static bool read_word(double *values, const char *word, size_t length, enum element element, int64_t count, int lanes)
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
        if (done >= count || !read_word(values + done, at, length, element, count - done, lanes))
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
