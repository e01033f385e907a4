/* circumstances.h - when is it right?   With one thread, in a process of its own, with smaller sizes.  Internal. */
#ifndef CONVREF_VERIFY_FINDINGS_CIRCUMSTANCES_H
#define CONVREF_VERIFY_FINDINGS_CIRCUMSTANCES_H

#include "verify/findings/shrink.h"

/* Is this problem computed rightly with so many threads?  The finding stays as it is. */
bool is_right(struct checker *checker, const struct conv_problem *problem, const struct check_data *data, int threads,
              problem_test *fails);

/* Guesses about the finding, from what is right.  The second asks a process that has computed nothing else. */
void blame_threads(struct checker *checker, const struct check_data *data);
void blame_others(struct checker *checker, const struct check_data *data, problem_test *in_a_process);

#endif
