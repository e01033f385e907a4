/* provider.h - the one door for kernels from outside: a shared object that exports convref_provider().
 *
 * A provider is somebody else's code.  conv_provider_load() opens it in a child process first; only one that gets
 * through that, names its kernels and is built for this ABI is opened here.  `verify`, `bench` and `run` call its
 * kernels in children, too.  What remains in the caller's own process are its constructors, applies(),
 * scratch_bytes() and packed_bytes().
 *
 * Threads: load providers before other threads look kernels up.   Read next: examples/provider.c
 */
#ifndef CONVREF_PROVIDER_H
#define CONVREF_PROVIDER_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_kernel;

/* ABI 2 added workspace->failure.  ABI 3 added contexts, errors of devices and inputs that are const, all at the ends
 * of their structs.  ABI 4 added inverted residuals: a kind, two keys of problems and two operands, at the ends of
 * theirs, which no kernel meets that hasn't the kind among its own.  Providers of every ABI from the first on are
 * welcome: structs that grow carry their sizes, and a field that an older provider hasn't is 0. */
enum { CONV_PROVIDER_ABI = 4, CONV_PROVIDER_OLDEST_ABI = 1 };

struct conv_provider {
    uint32_t abi;           /* CONV_PROVIDER_ABI */
    uint32_t kernel_size;   /* sizeof(struct conv_kernel), as the provider was compiled */
    const char *name, *version;
    const struct conv_kernel *const *kernels;   /* ends with NULL */
};

/* A provider is a shared object that exports this function. */
CONV_API const struct conv_provider *convref_provider(void);

/* Load a shared object and add its kernels to the table.  CONV_BAD_FILE if it isn't a provider, if it doesn't survive
 * being opened, if its ABI is newer, or if one of its kernels is incomplete or has a name that is taken. */
CONV_API enum conv_status conv_provider_load(const char *path, struct conv_error *error);

#ifdef __cplusplus
}
#endif
#endif
