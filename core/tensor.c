/* tensor.c - arrays with a shape.   Declared in convref/tensor.h. */
#include <convref/tensor.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *conv_shape_print(char text[96], int rank, const int64_t *dims)
{
    size_t used = 0;
    strcpy(text, rank == 0 ? "scalar" : "");
    for (int d = 0; d < rank && used < 96; d++)
        used += (size_t)snprintf(text + used, 96 - used, "%s%" PRId64, d > 0 ? "x" : "", dims[d]);
    return text;
}

int64_t conv_tensor_count(const struct conv_tensor *tensor)
{
    int64_t count = 1;
    for (int d = 0; d < tensor->rank; d++)
        count *= tensor->dims[d];
    return count;
}

size_t conv_tensor_bytes(const struct conv_tensor *tensor)
{
    return (size_t)conv_tensor_count(tensor) * conv_type_facts(tensor->type)->size;
}

enum conv_status conv_tensor_create(struct conv_tensor *tensor, enum conv_type type, int rank,
                                    const int64_t *dims, struct conv_error *error)
{
    struct conv_tensor made = { .type = type, .rank = rank };
    int64_t bytes = (int64_t)conv_type_facts(type)->size;
    char shape[96];

    for (int d = 0; d < rank; d++) {
        made.dims[d] = dims[d];
        if (dims[d] < 0 || __builtin_mul_overflow(bytes, dims[d], &bytes))
            return conv_fail(error, CONV_TOO_LARGE, "a tensor of %s elements can't be",
                             conv_shape_print(shape, rank, dims));
    }
    /* aligned_alloc wants a multiple of the alignment, and a tensor without elements wants an address */
    const size_t rounded = ((size_t)bytes / CONV_ALIGNMENT + 1) * CONV_ALIGNMENT;
    made.data = aligned_alloc(CONV_ALIGNMENT, rounded);
    if (!made.data)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for a tensor of %s elements (%" PRId64 " bytes)",
                         conv_shape_print(shape, rank, dims), bytes);
    *tensor = made;
    return CONV_OK;
}

void conv_tensor_free(struct conv_tensor *tensor)
{
    free(tensor->data);
    *tensor = (struct conv_tensor){ .rank = 0 };
}
