/* judge.h - which outputs are wrong?   Internal.   Read next: docs/exactness.md */
#ifndef CONVREF_VERIFY_ENGINE_JUDGE_H
#define CONVREF_VERIFY_ENGINE_JUDGE_H

#include <convref/reference.h>
#include <convref/verdict.h>

/* Bit for bit, or by the bound of a class. */
struct judging { bool exact; enum conv_accuracy accuracy; };

/* No memory for bounds is neither right nor wrong. */
enum judged { JUDGED_RIGHT, JUDGED_WRONG, JUDGED_NOT };

/* Find the wrong elements of one output and describe them. */
enum judged judge_output(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                         enum conv_operand output, const struct conv_truth *truth, const double *got, struct judging how);

/* As above, for some elements: truth->value[i] and got[i] are those of output element[i]. */
enum judged judge_elements(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                           enum conv_operand output, const struct conv_truth *truth, const int64_t *element,
                           const double *got, struct judging how);

/* Where integers came out of a transform: round them first. */
void judge_rounds(double *got, int64_t count, struct judging how);

#endif
