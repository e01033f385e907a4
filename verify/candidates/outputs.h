/* outputs.h - what judging somebody else's outputs is made of.  Internal.   Read next: outputs.c */
#ifndef CONVREF_VERIFY_CANDIDATES_OUTPUTS_H
#define CONVREF_VERIFY_CANDIDATES_OUTPUTS_H

#include <convref/reference.h>
#include <convref/verdict.h>

/* Are these inputs integers whose sums are exact in this class? */
bool outputs_are_exact(const struct conv_problem *problem, const struct conv_operands *operands,
                       const struct conv_truth *truth, enum conv_accuracy accuracy);

/* Where a sum may leave the type's range on its way, depending on the order in which it is made, and `got` is what
 * then comes out, put the truth in its place.  `note` says how many there are; it stays as it is if there are none.
 */
void overflow_excuse(char *note, size_t room, double *got, const struct conv_problem *problem,
                     enum conv_operand output, const struct conv_operands *operands, const struct conv_truth *truth,
                     enum conv_accuracy accuracy);

/* If all of `got` are numbers of a narrower type, and a class of accuracy accepts them, say so in finding->guess. */
void storage_guess(struct conv_finding *finding, const struct conv_problem *problem, enum conv_operand output,
                   const struct conv_operands *operands, const struct conv_truth *truth, const double *got);

#endif
