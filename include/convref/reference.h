/* reference.h - the truth: what a convolution is, and how far a correct kernel may be from it.
 *
 * The pages in reference/ compute in double what the formulas say (f64 problems: in long double) and return beside
 * each output what a judge needs: how many products it has, and the sum of their absolute values.  They know one
 * layout (channels first) and one input type (double), because every element type is exact in double;
 * conv_truth_compute() converts.  While a provider's function runs, it fails: a kernel isn't helped to answers.
 *
 * Threads: safe; a truth is its caller's.   Read next: reference/ref_forward.c
 */
#ifndef CONVREF_REFERENCE_H
#define CONVREF_REFERENCE_H

#include <convref/accuracy.h>
#include <convref/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The true elements of one output, channels first. */
struct conv_truth {
    int64_t count;
    double *value;       /* the sum, after the activation */
    double *magnitude;   /* S = SUM |x||w| + |bias|, before the activation */
    int64_t *taps;       /* the length of the sum: products that are not padding */
};

/* Compute the truth of one output of the problem from its inputs, given in the problem's own type and
 * layout.  `output` is the operand asked for: y, or dx, or dw or dbias.
 * Out: truth        the caller frees it with conv_truth_free()
 *      products     multiplications done, counted one by one; may be NULL */
CONV_API enum conv_status conv_truth_compute(struct conv_truth *truth, int64_t *products,
                                             const struct conv_problem *problem,
                                             enum conv_operand output,
                                             const struct conv_operands *inputs,
                                             struct conv_error *error);
CONV_API void conv_truth_free(struct conv_truth *truth);

/* Copy an operand as doubles, channels first.  `to` has conv_operand_count() elements. */
CONV_API void conv_operand_widen(double *to, const struct conv_problem *problem,
                                 enum conv_operand operand, const void *from);

/* The inverse: doubles, channels first, to the problem's type and layout. */
CONV_API void conv_operand_narrow(void *to, const struct conv_problem *problem,
                                  enum conv_operand operand, const double *from);

/* How far an output of accuracy class "direct" may be from truth element i (docs/exactness.md):
 * gamma_n * S + u * |value| + n * eta, with n = taps + 1 and gamma_n = n*u / (1 - n*u);
 * infinity from n = 1/u on. */
CONV_API double conv_truth_bound(const struct conv_truth *truth, int64_t i, enum conv_type type);

/* The same for all elements of a truth of this operand, whatever the class: bounds[i] is for element i.
 *   narrow inputs   ((1 + u_in)^f (1 + gamma_n) - 1) * S + u * |value| + n * eta, with f factors that are rounded
 *   a transform     growth * levels * u * P + gamma_n * P + u * |value| + n * eta, with P the largest S of the
 *                   plane, or of an FFT the root of the sum of their squares
 * where u is that of the class.  The truth must be of whole planes for a transform. */
CONV_API void conv_truth_bounds(double *bounds, const struct conv_truth *truth, const struct conv_problem *problem,
                                enum conv_operand output, enum conv_accuracy accuracy);

#ifdef __cplusplus
}
#endif
#endif
