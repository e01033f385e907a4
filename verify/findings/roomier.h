/* roomier.h - from the smallest problem that fails to one that shows where.  Internal.   Read next: roomier.c */
#ifndef CONVREF_VERIFY_FINDINGS_ROOMIER_H
#define CONVREF_VERIFY_FINDINGS_ROOMIER_H

#include "verify/findings/shrink.h"

/* Grow the problem of the finding, while it fails, and put what was found into finding->roomier and finding->pattern. */
void grow(struct checker *checker, const struct check_data *data, problem_test *fails, double seconds);

#endif
