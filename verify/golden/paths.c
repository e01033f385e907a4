/* paths.c - formats by name, and where each array of a case lies in them.   Declared in golden.h. */
#include <string.h>

#include "verify/golden/golden.h"

static const struct {
    const char *name;
    const char *between, *behind;    /* of the path: case BETWEEN array BEHIND */
} formats[GOLDEN_FORMATS] = {
    [GOLDEN_NPY] = { "npy", "/", ".npy" }, [GOLDEN_NPZ] = { "npz", ".npz:", "" }, [GOLDEN_RAW] = { "raw", "/", ".raw" },
    [GOLDEN_C] = { "c", ".h:", "" }, [GOLDEN_HEX] = { "hex", "/", ".hex" },
    [GOLDEN_ONNX] = { "onnx", "/test_data_set_0/", "" },
};

const char *golden_format_name(enum golden_format format) { return formats[format].name; }

enum golden_format golden_format_of_name(const char *name)
{
    enum golden_format format = 0;
    while (format < GOLDEN_FORMATS && strcmp(formats[format].name, name))
        format++;
    return format;
}

/* NumPy has no bf16: its values are written as f32, which holds them. */
enum element golden_stored_element(enum golden_format format, enum element element)
{
    const bool numpy = format == GOLDEN_NPY || format == GOLDEN_NPZ;
    return numpy && !element_facts(element)->npy ? ELEMENT_F32 : element;
}

/* Of the ONNX project's test cases. */
static const struct { const char *array, *file; } onnx_files[] = {
    { "x", "input_0.pb" }, { "w", "input_1.pb" }, { "bias", "input_2.pb" }, { "y", "output_0.pb" },
};

const char *golden_onnx_file(const char *array)
{
    for (size_t i = 0; i < sizeof onnx_files / sizeof *onnx_files; i++)
        if (!strcmp(onnx_files[i].array, array))
            return onnx_files[i].file;
    return NULL;
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
