/* print_npy.c - an array as bytes, and as the .npy file that they make.   Declared in golden.h. */
#include "verify/golden/golden.h"
#include "verify/io/stored.h"

void golden_put_little_endian(FILE *file, enum element element, const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const uint64_t bits = element_bits(element, values[i]);
        for (size_t b = 0; b < element_facts(element)->size; b++)
            fputc((int)(bits >> 8 * b & 0xff), file);
    }
}

enum conv_status golden_print_npy(FILE *file, const struct golden_case *made, const struct golden_array *array)
{
    const enum element element = golden_stored_element(made->settings.format, array->element);
    unsigned char header[NPY_HEADER];
    fwrite(header, 1, npy_print_header(header, element_facts(element)->npy, array->rank, array->dims), file);
    golden_put_little_endian(file, element, array->values, array->count);
    return CONV_OK;
}
