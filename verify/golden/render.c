/* render.c - a case as files, in memory: .npy, .raw, C headers, hex for $readmemh.
 *
 * The bytes depend on the case alone: no dates, no paths, no locale.   Not here: .npz (render_npz.c), ONNX
 * (render_onnx.c), the .npy file of an array (print_npy.c), paths (paths.c), reading hex back (hex.c), folders
 * (folder.c).
 */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/output.h"
#include "verify/io/stored.h"
#include "verify/golden/golden.h"

/* ---- one array, one file ---------------------------------------------------------------------------------- */

static enum conv_status print_raw(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    (void)made;
    golden_put_little_endian(file, array->element, array->values, array->count);
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
    bool whole;                      /* one file for a case */
    bool sidecar;
    enum conv_status (*print)(FILE *, const struct golden_case *, const struct golden_array *);
} formats[GOLDEN_FORMATS] = {
    [GOLDEN_NPY] = { false, false, golden_print_npy }, [GOLDEN_NPZ] = { true, false, NULL },
    [GOLDEN_RAW] = { false, true, print_raw }, [GOLDEN_C] = { true, false, NULL },
    [GOLDEN_HEX] = { false, false, print_hex }, [GOLDEN_ONNX] = { false, false, NULL },
};

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
