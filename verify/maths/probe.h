/* probe.h - inputs made so that a particular arithmetic shows.  Internal.   Read next: probe.c
 *
 * All of them write one input of a problem as doubles, channels first.
 */
#ifndef CONVREF_VERIFY_MATHS_PROBE_H
#define CONVREF_VERIFY_MATHS_PROBE_H

#include <convref/tensor.h>

/* What an operand is to the products of a pass: the first factor (x; dy where dx is asked for), the second (the
 * weights; dy where dw is asked for), or the third (pw of a separable layer),
 * or the fourth (ew of an inverted residual). */
enum probe_factor { PROBE_FIRST, PROBE_SECOND, PROBE_THIRD, PROBE_FOURTH, PROBE_BIAS };
enum probe_factor probe_factor(const struct conv_problem *problem, enum conv_operand operand);

/* One product for each output, and x where it is added: the second factor is 0 but for one element for each output channel.  Values have
 * bits[factor] significant bits, all in use, and lie between 1 and 2; biases are 0. */
void probe_single(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                  const int bits[PROBE_BIAS]);

/* Integers as large as every order of summation allows, positive products first and negative ones behind, so that
 * sums grow and come down again.  `unit` scales the first factor and the biases. */
void probe_cancelling(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                      int64_t largest, double unit);

/* The largest integer for probe_cancelling(), below 2 if there is none: every sum stays below 2^bits. */
int64_t probe_largest(const struct conv_problem *problem, int bits);

#endif
