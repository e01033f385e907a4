/* arrays.c - the arrays of a golden case, and the operands that they make.   Declared in golden.h. */
#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"

struct golden_array *golden_add(struct golden_case *made, const char *name, enum element element, int rank,
                                const int64_t *dims)
{
    struct golden_array *array = &made->arrays[made->count];
    *array = (struct golden_array){ .element = element, .rank = rank, .count = 1 };
    snprintf(array->name, sizeof array->name, "%s", name);
    for (int d = 0; d < rank; d++) {
        array->dims[d] = dims[d];
        array->count *= dims[d];
    }
    array->values = calloc((size_t)array->count + 1, sizeof *array->values);
    if (array->values)
        made->count++;
    return array->values ? array : NULL;
}

struct golden_array *golden_find(struct golden_case *made, const char *name)
{
    for (int i = 0; i < made->count; i++)
        if (!strcmp(made->arrays[i].name, name))
            return &made->arrays[i];
    return NULL;
}

void golden_free(struct golden_case *made)
{
    for (int i = 0; i < made->count; i++)
        free(made->arrays[i].values);
    made->count = 0;
}

struct conv_problem golden_problem(const struct golden_case *made, enum conv_pass pass)
{
    struct conv_problem problem = made->plan.problem;
    problem.pass = pass;
    if (pass != CONV_FORWARD)
        problem.act = CONV_ACT_NONE;
    return problem;
}

enum conv_status golden_operands(struct conv_operands *operands, const struct golden_case *made, enum conv_pass pass,
                                 struct conv_error *error)
{
    const struct conv_problem problem = golden_problem(made, pass);
    *operands = (struct conv_operands){ .x = NULL };
    for (int i = 0; i < made->count; i++) {
        const struct golden_array *array = &made->arrays[i];
        if (!array->is_operand || strcmp(array->name, conv_operand_name(&problem, array->operand))
            || conv_operand_role(&problem, array->operand) != CONV_INPUT)
            continue;
        void *data = malloc((size_t)array->count * conv_type_facts(problem.type)->size + 1);
        if (!data) {
            golden_operands_free(operands);
            return conv_fail(error, CONV_NO_MEMORY, "no memory for the operands of %s", made->plan.name);
        }
        for (int64_t e = 0; e < array->count; e++)
            conv_set(problem.type, data, e, array->values[e]);
        operands->at[array->operand] = data;
    }
    return CONV_OK;
}

void golden_operands_free(struct conv_operands *operands)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(operands->at[operand]);
    *operands = (struct conv_operands){ .x = NULL };
}
