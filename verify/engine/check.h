/* check.h - what a check is: a set of problems, and what is done with each.  Internal.
 *
 * A check calls check_exact() and its kin (careful.h, ways.h) for each of its problems; the first failure ends the
 * verification.  Adding a check is one file in verify/checks/ and one line in checks.c there.   Read next: checker.h
 */
#ifndef CONVREF_VERIFY_ENGINE_CHECK_H
#define CONVREF_VERIFY_ENGINE_CHECK_H

#include "verify/engine/checker.h"

struct check {
    const char *name;
    const char *sees, *blind;           /* what it can see, and what it can't */
    bool on_problems;                   /* looks at the problems that the user named, too */
    void (*run)(struct checker *checker);
};

/* All checks, in the order in which they run; ends with NULL (verify/checks/checks.c). */
extern const struct check *const all_checks[];

/* Of the checks that others must know by name: what they are called. */
#define CHECK_PROBES "probes"

#endif
