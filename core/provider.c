/* provider.c - loads a shared object and adds its kernels to the table.   Declared in convref/kernel.h.
 *
 * A provider is code that runs with all our rights; what is checked here is that it is one and that it
 * was compiled for this ABI, so that an honest mistake ends in a message and not in a crash.
 */
#include <convref/kernel.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_table.h"

typedef const struct conv_provider *provider_function(void);

static enum conv_status check_abi(const struct conv_provider *provider, const char *path,
                                  struct conv_error *error)
{
    if (!provider || !provider->kernels)
        return conv_fail(error, CONV_BAD_FILE, "%s: convref_provider() has no kernels", path);
    if (provider->abi < CONV_PROVIDER_OLDEST_ABI || provider->abi > CONV_PROVIDER_ABI
        || provider->kernel_size != sizeof(struct conv_kernel)) {
        conv_fail(error, CONV_BAD_FILE, "%s: was compiled for another version of convref "
                  "(ABI %u with kernels of %u bytes; this is ABI %d with %zu)", path, provider->abi,
                  provider->kernel_size, CONV_PROVIDER_ABI, sizeof(struct conv_kernel));
        conv_hint(error, "compile it again with this version's headers");
        return CONV_BAD_FILE;
    }
    return CONV_OK;
}

static enum conv_status check_kernel(const struct conv_kernel *kernel, const char *path,
                                     struct conv_error *error)
{
    if (!kernel->name || !kernel->name[0] || !kernel->title)
        return conv_fail(error, CONV_BAD_FILE, "%s: a kernel has no name or no title", path);
    if (!kernel->run || !kernel->kinds)
        return conv_fail(error, CONV_BAD_FILE, "%s: kernel %s has no run function or no kinds", path,
                         kernel->name);
    if (!kernel->packed_bytes != !kernel->pack)
        return conv_fail(error, CONV_BAD_FILE, "%s: kernel %s has one of packed_bytes and pack, not both",
                         path, kernel->name);
    if (conv_kernel_find(kernel->name)) {
        conv_fail(error, CONV_BAD_FILE, "%s: the name %s is taken", path, kernel->name);
        conv_hint(error, "`convref list` shows the names in use");
        return CONV_BAD_FILE;
    }
    return CONV_OK;
}

static enum conv_status add_kernels(const struct conv_provider *provider, const char *path,
                                    struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (const struct conv_kernel *const *kernel = provider->kernels; *kernel && status == CONV_OK; kernel++)
        status = check_kernel(*kernel, path, error);   /* all of them before the first is added */
    if (status != CONV_OK)
        return status;
    const char *source = strdup(path);   /* lives as long as the kernels, which is until the program ends */
    for (const struct conv_kernel *const *kernel = provider->kernels; *kernel; kernel++)
        if (!source || !conv_kernel_add(*kernel, source))
            return conv_fail(error, CONV_NO_MEMORY, "no memory for the kernels of %s", path);
    return CONV_OK;
}

enum conv_status conv_provider_load(const char *path, struct conv_error *error)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        conv_fail(error, CONV_BAD_FILE, "%s can't be loaded: %s", path, dlerror());
        conv_hint(error, "a provider is a shared object; for one in this folder write ./name.so");
        return CONV_BAD_FILE;
    }
    void *symbol = dlsym(object, "convref_provider");
    if (!symbol) {
        conv_fail(error, CONV_BAD_FILE, "%s has no function convref_provider", path);
        conv_hint(error, "docs/adding-a-kernel.md shows a provider in 30 lines");
        dlclose(object);
        return CONV_BAD_FILE;
    }
    provider_function *entry;
    memcpy(&entry, &symbol, sizeof entry);   /* ISO C has no cast from an object to a function */
    const struct conv_provider *provider = entry();
    enum conv_status status = check_abi(provider, path, error);
    if (status == CONV_OK)
        status = add_kernels(provider, path, error);
    if (status != CONV_OK && status != CONV_NO_MEMORY)
        dlclose(object);
    return status;
}
