/* huge_memory.h - operands of gigabytes that cost megabytes, and what is in them.  Internal to check "huge".
 *
 * Operands of more than 2^28 elements are repeated (engine/repeated.h), others have memory of their own.  Elements
 * are named as if channels came first, whatever the problem's layout.   Read next: huge_run.c
 */
#ifndef CONVREF_VERIFY_CHECKS_HUGE_MEMORY_H
#define CONVREF_VERIFY_CHECKS_HUGE_MEMORY_H

#include <convref/tensor.h>

#include "verify/engine/repeated.h"

/* What all problems have in common, since it takes time to make: an input and an output with repetitions. */
struct huge_common { struct repeated input, output; };

struct huge_memory {
    struct repeated repeated[CONV_OPERANDS];   /* `common`, but for the largest inputs */
    float *own[CONV_OPERANDS];                 /* of operands that aren't repeated */
    struct conv_operands operands;
};

void huge_common_free(struct huge_common *common);

/* `repeat_output`: a large one; else it has memory of its own.  Outputs are NaN, inputs have huge_value().  False,
 * and nothing to free, if there isn't enough memory. */
bool huge_memory_create(struct huge_memory *memory, struct huge_common *common, const struct conv_problem *problem,
                        bool repeat_output);
void huge_memory_free(struct huge_memory *memory, const struct huge_common *common);

bool huge_is_repeated(const struct conv_problem *problem, enum conv_operand operand);

/* Where element `i` lies in the problem's layout. */
int64_t huge_place(const struct conv_problem *problem, enum conv_operand operand, int64_t i);

/* What it holds, as a function of spots.h; `problem` is a struct conv_problem. */
double huge_value(const void *problem, enum conv_operand operand, int64_t element);

#endif
