/* names.h - sets of a kernel as words.  Internal. */
#ifndef CONVREF_VERIFY_CLI_NAMES_H
#define CONVREF_VERIFY_CLI_NAMES_H

#include <convref/kernel.h>

/* "standard pointwise", "forward", "first last", "f32".  All return `text`. */
char *names_of_kinds(char text[256], const struct conv_kernel *kernel);
char *names_of_passes(char text[256], const struct conv_kernel *kernel);
char *names_of_layouts(char text[256], const struct conv_kernel *kernel);
char *names_of_types(char text[256], const struct conv_kernel *kernel);

#endif
