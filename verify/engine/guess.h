/* guess.h - which mistake would give exactly these outputs?   Internal. */
#ifndef CONVREF_VERIFY_ENGINE_GUESS_H
#define CONVREF_VERIFY_ENGINE_GUESS_H

#include <convref/verdict.h>

/* The mistakes that are still possible: those with which the reference gives exactly what the kernel gave. */
struct suspects { unsigned possible; };
void suspect_all(struct suspects *suspects);
void suspect_those_who_fit(struct suspects *suspects, const struct conv_problem *problem,
                           enum conv_operand output, const struct conv_operands *operands, const double *got,
                           bool exact);

/* Put the first suspect into words, in finding->guess, or a constant factor, if there is one. */
void suspect_name(struct conv_finding *finding, const struct suspects *suspects);

#endif
