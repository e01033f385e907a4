/* mistake.c - tensors that mistakes are made on.   Declared in mistake.h. */
#include "verify/findings/mistake.h"

#include <stdlib.h>
#include <string.h>

/* The axes in space are the last ones, whatever the rank. */
static void set_sizes(int64_t size[TENSOR_AXES], const struct conv_problem *problem, enum conv_operand operand)
{
    int64_t dims[CONV_MAX_RANK];
    const int rank = conv_operand_shape(dims, problem, operand);
    for (int a = 0; a < TENSOR_AXES; a++)
        size[a] = 1;
    for (int a = 0; a < rank; a++)
        size[a < 2 ? a : TENSOR_AXES - rank + a] = dims[a];
}

struct tensor tensor_of(const struct mistake *m, enum conv_operand operand)
{
    struct tensor tensor = { .at = m->in[operand] };
    set_sizes(tensor.size, &m->problem, operand);
    return tensor;
}

struct tensor tensor_of_output(const struct mistake *m)
{
    struct tensor tensor = { .at = m->out };
    set_sizes(tensor.size, &m->problem, m->output);
    return tensor;
}

int64_t tensor_count(const struct tensor *tensor)
{
    int64_t count = 1;
    for (int a = 0; a < TENSOR_AXES; a++)
        count *= tensor->size[a];
    return count;
}

bool tensor_pick(const struct mistake *m, struct tensor tensor, source_function *source)
{
    const int64_t count = tensor.at ? tensor_count(&tensor) : 0, *size = tensor.size;
    double *old = count > 0 ? malloc((size_t)count * sizeof *old) : NULL;
    if (!old)
        return false;
    memcpy(old, tensor.at, (size_t)count * sizeof *old);
    for (int64_t i = 0; i < count; i++) {
        int64_t index[TENSOR_AXES], rest = i;
        for (int a = TENSOR_AXES - 1; a >= 0; rest /= size[a--])
            index[a] = rest % size[a];
        const int64_t from = source(m, size, index);
        tensor.at[i] = from >= 0 && from < count ? old[from] : 0;
    }
    free(old);
    return true;
}
