/* operands.h - operands from files or from the seed.  Internal. */
#ifndef CONVREF_VERIFY_CLI_OPERANDS_H
#define CONVREF_VERIFY_CLI_OPERANDS_H

#include "verify/cli/options.h"

/* --x, --w, --bias, --pw, --pw-bias, --y; argp's input is a struct operand_files. */
struct operand_files { const char *path[CONV_OPERANDS]; };
extern const struct argp operand_argp;

/* All operands of a problem, in memory.  `problem` is the one that was asked for, but for its type: that of the
 * operands, which is f64 where an output to be read is in 32-bit integers. */
struct operand_set {
    struct conv_problem problem;
    struct conv_tensor tensors[CONV_OPERANDS];
    struct conv_operands operands;
};

/* Read those operands that have a file and a role up to `last` (CONV_INPUT: inputs; CONV_OUTPUT: outputs too), check
 * type and shape, generate the inputs that have none, and allocate the outputs that aren't read.  On failure the set
 * is empty. */
enum conv_status operands_load(struct operand_set *set, const struct conv_problem *problem,
                               const struct operand_files *files, enum conv_role last, enum conv_fill_kind fill,
                               uint64_t seed, struct conv_error *error);
void operands_free(struct operand_set *set);

#endif
