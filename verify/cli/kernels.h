/* kernels.h - kernels as a user names them.  Internal. */
#ifndef CONVREF_VERIFY_CLI_KERNELS_H
#define CONVREF_VERIFY_CLI_KERNELS_H

#include <convref/kernel.h>

/* The kernel of that name; NULL after a message that suggests the nearest. */
const struct conv_kernel *cli_kernel(const char *name);

/* Kernels whose names match a list such as "std_*,dw_01_direct"; returns how many, 0 after a message. */
int cli_kernels(const struct conv_kernel **list, int room, const char *patterns);

#endif
