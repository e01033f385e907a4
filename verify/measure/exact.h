/* exact.h - data to time kernels on: sums are exact in every order, and no number looks like an integer.  Internal.
 *
 * Inputs are small integers times a power of two, another one for each tensor and round; a bias is times the product
 * of the powers of its factors.  Outputs are then integers times a power of two as well, so they can be compared bit
 * for bit.  In each round some channels of the output change their signs, by the weights (or dy); and in each call
 * some elements of the first factor.  What outputs should be is known, from one computation, when all of those have
 * one sign.
 *
 * So no call has data that were there before, though most of them cost a pass over the first factor alone; and a
 * kernel that keeps results, or does less for numbers that aren't integers, is wrong or gains nothing.   Not here:
 * turns (turns.c).
 */
#ifndef CONVREF_VERIFY_MEASURE_EXACT_H
#define CONVREF_VERIFY_MEASURE_EXACT_H

#include <convref/run.h>

struct exact {
    const struct conv_problem *problem;
    enum conv_accuracy accuracy;          /* the narrowest class of the kernels: integers are small enough for it */
    signed char *base[CONV_OPERANDS];     /* of inputs: the integers, in the problem's layout */
    double *sums[CONV_OPERANDS][2];       /* of outputs, channels first: what they are without the last bias and activation,
                                           * and with the first factor negated; NULL: minus the former, or the same */
    bool turns[CONV_OPERANDS];            /* does this output change its sign with the first factor? */
    int exponent[CONV_OPERANDS];          /* of inputs, in this round */
    uint64_t seed, channels;              /* what the signs of channels are drawn from, in this round */
    uint64_t mask;                        /* of each 64 elements of the first factor, those that are negated now */
};

/* Masks for which it is known what outputs should be. */
#define EXACT_AS_DRAWN UINT64_C(0)
#define EXACT_NEGATED UINT64_MAX

/* Draw the integers and compute what the outputs should be.  exact_free() it. */
enum conv_status exact_create(struct exact *exact, const struct conv_problem *problem, enum conv_accuracy accuracy,
                              uint64_t seed, struct conv_error *error);
void exact_free(struct exact *exact);

/* Another round: other powers of two, other signs.  Write all inputs. */
void exact_fill(struct exact *exact, const struct conv_operands *operands, int round);

/* Change the signs of the first factor, x or dy of backward_data, where it lies. */
void exact_set_mask(struct exact *exact, const struct conv_operands *operands, uint64_t mask);

/* Is the output what it should be now, as drawn or negated?  If not, say what is wrong, "element 17 of y is NaN,
 * expected 12.5", counted with the channels first. */
bool exact_is_right(char *words, size_t room, const struct exact *exact, enum conv_operand output, const void *got,
                    enum conv_accuracy accuracy);

#endif
