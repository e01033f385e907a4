/* arithmetic.h - which arithmetic does a kernel use?   Named from its outputs on data made to tell.
 *
 * Not here: which one it claims (accuracy.h), and whether it is held to that (verify.h, check "probes").
 *
 * Threads: safe for different kernels.   Read next: docs/exactness.md
 */
#ifndef CONVREF_ARITHMETIC_H
#define CONVREF_ARITHMETIC_H

#include <convref/kernel.h>
#include <convref/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Name the arithmetic of a kernel.  CONV_NOT_APPLICABLE if it computes none of the problems that would tell. */
CONV_API enum conv_status conv_arithmetic_name(struct conv_arithmetic *named, const struct conv_kernel *kernel,
                                               uint64_t seed, struct conv_error *error);

#ifdef __cplusplus
}
#endif
#endif
