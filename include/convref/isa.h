/* isa.h - instruction sets: which the library was compiled for, which this machine has, which are used.
 *
 * A kernel of the library is compiled once for each set that the compiler knows, and the best that this machine has
 * is used: the ladder compares ideas, never compiler flags.
 *
 * Threads: the limit is one for the whole process; set it before kernels are looked up.   Read next: kernel.h
 */
#ifndef CONVREF_ISA_H
#define CONVREF_ISA_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum conv_isa { CONV_ISA_BASELINE, CONV_ISA_AVX2, CONV_ISA_AVX512, CONV_ISAS };

CONV_API const char *conv_isa_name(enum conv_isa isa);   /* "baseline", "avx2", "avx512" */
CONV_API bool conv_isa_compiled(enum conv_isa isa);      /* is there a build for it? */
CONV_API bool conv_isa_available(enum conv_isa isa);     /* compiled, and this machine has it? */

/* The best that this machine has, whatever the limit says: what somebody else's kernel may use. */
CONV_API enum conv_isa conv_isa_best(void);

/* Use no instruction set above this one.  Starts as the best of the machine, or as the environment variable
 * CONVREF_ISA (baseline, avx2, avx512) says. */
CONV_API void conv_isa_set_limit(enum conv_isa limit);
CONV_API enum conv_isa conv_isa_limit(void);

#ifdef __cplusplus
}
#endif
#endif
