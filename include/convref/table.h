/* table.h - the table of kernels: those of the library in the order of kernels.mk, then those of loaded providers.
 *
 * Of the several builds of one kernel, the best for this machine and below conv_isa_limit() is in the table.
 *
 * Threads: reading the table is safe from any number of threads, as long as none of them loads a provider or sets the
 * limit.   Read next: run.h
 */
#ifndef CONVREF_TABLE_H
#define CONVREF_TABLE_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_kernel;
struct conv_problem;

CONV_API int conv_kernel_count(void);
CONV_API const struct conv_kernel *conv_kernel_at(int index);

/* The kernel of that name; NULL if there is none. */
CONV_API const struct conv_kernel *conv_kernel_find(const char *name);

/* The file that a kernel of the library came from, "optimized/standard/std_01_direct.c"; for a provider's kernel, the
 * provider's path. */
CONV_API const char *conv_kernel_source(const struct conv_kernel *kernel);

/* The ladder that a kernel belongs to: the name up to its number, "dw" for "dw_04_rows_in_registers".  Returns
 * `ladder`, empty if the name has no number. */
CONV_API char *conv_kernel_ladder(char ladder[32], const struct conv_kernel *kernel);

/* NULL if `kernel` computes `problem` on this machine; otherwise why not, in words.  The words stay valid until the
 * next call in the same thread. */
CONV_API const char *conv_kernel_refuses(const struct conv_kernel *kernel, const struct conv_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
