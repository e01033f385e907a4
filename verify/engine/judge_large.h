/* judge_large.h - judging outputs of problems that are too large for the reference.  Internal. */
#ifndef CONVREF_VERIFY_ENGINE_JUDGE_LARGE_H
#define CONVREF_VERIFY_ENGINE_JUDGE_LARGE_H

#include "verify/engine/checker.h"

/* Judge one output of such a problem.  False if it is wrong, or nothing could be found out. */
bool judge_large_integers(struct checker *checker, const struct conv_problem *problem,
                          const struct conv_operands *operands, enum conv_operand output);
bool judge_large_spots(struct checker *checker, const struct conv_problem *problem,
                       const struct conv_operands *operands, enum conv_operand output);

#endif
