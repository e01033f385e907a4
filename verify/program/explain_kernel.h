/* explain_kernel.h - convref explain --kernel: what a GPU would move, and how long it takes at least.  Internal. */
#ifndef CONVREF_VERIFY_PROGRAM_EXPLAIN_KERNEL_H
#define CONVREF_VERIFY_PROGRAM_EXPLAIN_KERNEL_H

#include "verify/cli/options.h"

/* The module that counts, where it is built or installed; NULL if it isn't there.  Stays until the program ends. */
const char *explain_watched_module(void);

/* Print the counts of kernel `name`, and of `against` (may be NULL) beside it, and their bounds on `card`.  Returns
 * the exit status. */
int explain_kernel(const char *name, const char *against, const char *card, const struct conv_problem *problem,
                   uint64_t seed);

#endif
