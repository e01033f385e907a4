/* flips.h - other data at the same addresses: some inputs are negated, and what becomes of the outputs is known.
 * Internal.
 *
 * A kernel that keeps something from one call to the next is wrong only when the next call brings other data.  To
 * negate an input is the cheapest way to have some: a sum changes its sign with each of its factors, and on integers
 * a bias can be taken out of the sum and added with another sign, so the reference is asked once for all calls.
 *
 * Pure functions, but for flips_apply().   Read next: careful.c, turns.c
 */
#ifndef CONVREF_VERIFY_ENGINE_FLIPS_H
#define CONVREF_VERIFY_ENGINE_FLIPS_H

#include <convref/reference.h>

/* The inputs that are negated, against the data as they were filled in. */
struct flips { bool of[CONV_OPERANDS]; };

enum { FLIP_SORTS = 4 };

/* Other weights, other data, other weights of an earlier stage, or another bias alone, in turn.  Numbers other than
 * integers have outputs that are known only if bias and sum change their signs together: `together`. */
struct flips flips_choose(const struct conv_problem *problem, int64_t turn, bool together);

/* Negate what isn't as `wanted` yet, where it lies. */
void flips_apply(const struct conv_operands *operands, const struct conv_problem *problem, struct flips *now,
                 struct flips wanted);

/* The outputs, activated, from the sums without activation that no flip made.  False if they don't follow from those:
 * an activation in the middle of a separable problem, or an x that is added.
 * In: sums   of this output, for the problem without activation
 *     bias   its last bias, before any flip; NULL: none */
bool flips_predict(double *value, const struct conv_truth *sums, const struct conv_problem *problem,
                   enum conv_operand output, const double *bias, const struct flips *flips);

/* The bias that is added to the last sum. */
enum conv_operand flips_last_bias(const struct conv_problem *problem);

#endif
