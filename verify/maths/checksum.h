/* checksum.h - is an output of integers right?   One number, exactly, without computing the convolution. 
 * Internal. */
#ifndef CONVREF_VERIFY_MATHS_CHECKSUM_H
#define CONVREF_VERIFY_MATHS_CHECKSUM_H

#include <convref/tensor.h>

enum checksum { CHECKSUM_RIGHT, CHECKSUM_WRONG, CHECKSUM_NO_MEMORY };

/* `at` has all operands of a problem that has no activation and isn't separable, its output among them: integers
 * below 2^36, channels first.  An output that is wrong anywhere passes with a probability of at most 5 / (2^61 -
 * 1). */
enum checksum checksum_compare(const struct conv_problem *problem, enum conv_operand output,
                               const double *const at[CONV_OPERANDS], uint64_t seed);

#endif
