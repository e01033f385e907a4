/* covering.c - check "covering": every combination of any three settings of a problem, on integers, bit for bit.
 *
 * Then shapes that were somebody's bug, and every tail of channels.
 *
 * Sees: faults that need up to three settings at once; the shapes that bugs were reported for.
 * Does not see: faults that need four or more; large sizes; precision.   Read next: verify/problems/covering.c
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static void run(struct checker *checker)
{
    (void)(check_set(checker, "covering") && check_set(checker, "lessons") && check_set(checker, "remainders"));
}

const struct check check_covering = {
    .name = "covering",
    .sees = "faults that need up to three settings at once; shapes that bugs were reported for",
    .blind = "faults that need four or more settings at once; large sizes; precision",
    .run = run,
};
