/* kernel_table.h - the generated table, and the rows that providers add.  Internal. */
#ifndef CONVREF_CORE_KERNEL_TABLE_H
#define CONVREF_CORE_KERNEL_TABLE_H

#include <convref/kernel.h>

struct conv_kernel_row {
    const struct conv_kernel *kernel;
    const char *source;   /* the file that it came from */
};

/* Made by tools/make-kernel-table from the lists in kernels.mk; ends with a NULL kernel.  A kernel has
 * one row for each of its builds, the best first. */
extern const struct conv_kernel_row conv_builtin_kernels[];

/* Add the row of a provider's kernel.  False if memory is short. */
bool kernel_add(const struct conv_kernel *kernel, const char *source);

/* The kernel of that name, whoever asks; NULL if there is none. */
const struct conv_kernel *kernel_named(const char *name);

/* The build of this kernel that this machine would use for elements of `type`; `kernel` itself if there
 * is none. */
const struct conv_kernel *kernel_build(const struct conv_kernel *kernel, enum conv_type type);

/* The sets of a kernel with their defaults filled in. */
unsigned kernel_passes(const struct conv_kernel *kernel);
unsigned kernel_layouts(const struct conv_kernel *kernel);
unsigned kernel_types(const struct conv_kernel *kernel);

#endif
