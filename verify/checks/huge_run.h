/* huge_run.h - one problem of check "huge": run, and judged by some hundred outputs.  Internal to it.
 * Read next: huge_run.c
 */
#ifndef CONVREF_VERIFY_CHECKS_HUGE_RUN_H
#define CONVREF_VERIFY_CHECKS_HUGE_RUN_H

#include "verify/checks/huge_memory.h"
#include "verify/engine/checker.h"

enum outcome { DONE, WRONG, NO_MEMORY, TOO_SLOW };

/* DONE, WRONG (the finding is written) or NO_MEMORY.  Sets `adds` if the kernel adds to its outputs, so that they
 * can't be repeated; then it is NO_MEMORY where there isn't enough for one that isn't repeated. */
enum outcome huge_run(struct checker *checker, struct huge_common *common, const struct conv_problem *problem,
                      bool *adds);

#endif
