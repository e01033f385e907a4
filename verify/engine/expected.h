/* expected.h - what the outputs of one problem should be, for the data that lie in its operands now.  Internal.
 *
 * The reference is asked once, for the sums without activation; when inputs are negated (flips.h) the outputs follow.
 * Not here: outputs that are judged by a checksum or by some of them (judge_large.h).   Read next: careful.c
 */
#ifndef CONVREF_VERIFY_ENGINE_EXPECTED_H
#define CONVREF_VERIFY_ENGINE_EXPECTED_H

#include <convref/verdict.h>

#include "verify/engine/flips.h"

struct expected {
    struct conv_problem problem;
    /* of outputs, without activation, before any flip; count 0: not wanted */
    struct conv_truth sums[CONV_OPERANDS];
    struct conv_truth now[CONV_OPERANDS];    /* what is right now: values of their own, the rest is that of `sums` */
    double *bias;                            /* the last bias, before any flip; NULL: none */
    struct flips flips;
    bool given;                              /* the sums are the caller's */
};

/* The outputs marked in `wanted`.  given: sums of y that are known already; NULL: the reference computes them. */
enum conv_status expected_create(struct expected *expected, const struct conv_problem *problem,
                                 const struct conv_operands *operands, const bool wanted[CONV_OPERANDS],
                                 const struct conv_truth *given, struct conv_error *error);
void expected_free(struct expected *expected);

/* Negate inputs where they lie, and know what becomes of the outputs. */
enum conv_status expected_flip(struct expected *expected, const struct conv_operands *operands, struct flips wanted,
                               struct conv_error *error);

/* Is this output that of inputs which have been negated since the call before?  Then says so in words. */
bool expected_kept(char words[CONV_WORDS], const struct expected *expected, enum conv_operand output,
                   const double *got,
                   const struct flips *before);

#endif
