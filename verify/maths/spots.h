/* spots.h - the truth of a few outputs of a problem that is too large for all of them.  Internal. */
#ifndef CONVREF_VERIFY_MATHS_SPOTS_H
#define CONVREF_VERIFY_MATHS_SPOTS_H

#include <convref/reference.h>

enum { MOST_SPOTS = 400 };

/* Choose output elements: corners, edges, the seams of tiles, and anywhere.  Returns how many. */
int spots_choose(int64_t element[MOST_SPOTS], const struct conv_problem *problem, enum conv_operand output,
                 uint64_t seed);

/* Their truth: truth->value[i] is that of element[i].  The inputs are doubles, channels first; no gradient of a bias.
 * The caller frees it with conv_truth_free().  False if memory is short. */
bool spots_truth(struct conv_truth *truth, const struct conv_problem *problem, enum conv_operand output,
                 const double *const in[CONV_OPERANDS], const int64_t *element, int count);

/* The same, of inputs that are in no array: element `element` of an operand, channels first, is what `read` says. */
typedef double spots_reader(const void *context, enum conv_operand operand, int64_t element);
struct spots_inputs { spots_reader *read; const void *context; };
bool spots_truth_by(struct conv_truth *truth, const struct conv_problem *problem, enum conv_operand output,
                    const struct spots_inputs *inputs, const int64_t *element, int count);

/* Every product that enters one output, one call each.  Returns their sum with the bias, before the activation.  The
 * products of a separable layer are those of its second stage. */
typedef void spots_visitor(void *context, double product);
long double spots_products(const struct conv_problem *problem, enum conv_operand output,
                           const double *const in[CONV_OPERANDS], int64_t element, spots_visitor *visit, void *context);

/* What an activation makes of a sum. */
long double spots_activated(enum conv_activation act, long double value);

#endif
