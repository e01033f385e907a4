/* guess.h - which mistake would give exactly these outputs?   Internal.   Read next: guess.c, mistake.h */
#ifndef CONVREF_VERIFY_FINDINGS_GUESS_H
#define CONVREF_VERIFY_FINDINGS_GUESS_H

#include "verify/engine/judge.h"

/* What a kernel was asked, what it gave, and what is right. */
struct testimony {
    const struct conv_problem *problem;
    enum conv_operand output;
    const struct conv_operands *operands;   /* in the problem's type and layout */
    const struct conv_truth *truth;
    const double *got;                      /* channels first */
    struct judging how;
    double held;                            /* what every element of the output was before; NaN: not known */
};

/* All mistakes that convref knows, and what speaks for each.  NULL if memory is short. */
struct suspects;
struct suspects *suspects_create(void);
void suspects_free(struct suspects *suspects);
void suspects_hear(struct suspects *suspects, const struct testimony *said);

/* Nobody is left who could be it. */
bool suspects_cleared(const struct suspects *suspects);

/* Put into words, in finding->guess, who explains every wrong output that was heard of, or a constant factor. */
void suspects_name(struct conv_finding *finding, const struct suspects *suspects);

/* All of it for one output that is wrong. */
void guess_from(struct conv_finding *finding, const struct testimony *said);

#endif
