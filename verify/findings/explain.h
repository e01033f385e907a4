/* explain.h - after the verdict: the smallest failing problem, what it looks like, and which arithmetic it is.
 * Internal. */
#ifndef CONVREF_VERIFY_FINDINGS_EXPLAIN_H
#define CONVREF_VERIFY_FINDINGS_EXPLAIN_H

#include "verify/engine/checker.h"

/* After a rejection. */
void explain(struct checker *checker);

/* After all checks. */
void explain_arithmetic(struct checker *checker);

#endif
