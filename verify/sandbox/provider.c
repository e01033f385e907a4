/* provider.c - opens a stranger's shared object: first in a child, then here.   Declared in convref/provider.h.
 *
 * A provider is code that runs with all our rights.  The child finds out whether it survives being opened, and what
 * it says of itself; what it prints and how it ends are told, and decide nothing.  Then it is opened once more, here,
 * its kernels are copied into structs of this version, and added to the table.
 * Not here: running a kernel (verify/engine, verify/measure).
 */
#include <convref/kernel.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/calls.h"
#include "core/guest.h"
#include "core/kernel_table.h"
#include "verify/sandbox/sandbox.h"

typedef const struct conv_provider *provider_function(void);

/* Seconds that constructors and convref_provider() may take: some look for a GPU. */
static const double open_seconds = 30;

/* ---- what it says of itself ------------------------------------------------------------------------------------ */

/* The struct of an ABI ends where the next one added something. */
static const size_t kernel_size_of_abi_2 = offsetof(struct conv_kernel, context),
                    device_size_of_abi_2 = offsetof(struct conv_device, context);

static enum conv_status another_version(const struct conv_provider *provider, const char *path,
                                        struct conv_error *error)
{
    conv_fail(error, CONV_BAD_FILE, "%s: was compiled for another version of convref "
              "(ABI %u with kernels of %u bytes; this is ABI %d with %zu)", path, provider->abi,
              provider->kernel_size, CONV_PROVIDER_ABI, sizeof(struct conv_kernel));
    conv_hint(error, "compile it again with this version's headers");
    return CONV_BAD_FILE;
}

static bool all_zero(const void *bytes, size_t count)
{
    for (const unsigned char *at = bytes; count > 0; at++, count--)
        if (*at)
            return false;
    return true;
}

/* A kernel that is larger than ours was compiled with newer headers: welcome if it uses nothing of what is new. */
static bool fits(const struct conv_provider *provider, const struct conv_kernel *kernel)
{
    const size_t own = sizeof(struct conv_kernel), its = provider->kernel_size;
    return its <= own || all_zero((const char *)kernel + own, its - own);
}

static enum conv_status check_abi(const struct conv_provider *provider, const char *path, struct conv_error *error)
{
    if (!provider || !provider->kernels)
        return conv_fail(error, CONV_BAD_FILE, "%s: convref_provider() has no kernels", path);
    const bool known = provider->abi >= CONV_PROVIDER_OLDEST_ABI && provider->abi <= CONV_PROVIDER_ABI;
    const bool sized = provider->abi < 3 ? provider->kernel_size == kernel_size_of_abi_2
                                         : provider->kernel_size >= sizeof(struct conv_kernel);
    return known && sized ? CONV_OK : another_version(provider, path, error);
}

static enum conv_status check_kernel(const struct conv_kernel *kernel, const char *path, struct conv_error *error)
{
    if (!kernel->name || !kernel->name[0] || !kernel->title)
        return conv_fail(error, CONV_BAD_FILE, "%s: a kernel has no name or no title", path);
    if (!kernel_can_run(kernel) || !kernel->kinds)
        return conv_fail(error, CONV_BAD_FILE, "%s: kernel %s has no run function or no kinds", path, kernel->name);
    if (!kernel_packs_whole(kernel))
        return conv_fail(error, CONV_BAD_FILE, "%s: kernel %s has one of packed_bytes and pack, not both",
                         path, kernel->name);
    if (kernel_named(kernel->name)) {
        conv_fail(error, CONV_BAD_FILE, "%s: the name %s is taken", path, kernel->name);
        conv_hint(error, "`convref list` shows the names in use");
        return CONV_BAD_FILE;
    }
    return CONV_OK;
}

/* ---- copies of this version ------------------------------------------------------------------------------------ */

static struct conv_device *copy_device(const struct conv_device *device, const struct conv_provider *provider)
{
    struct conv_device *copy = calloc(1, sizeof *copy);
    if (copy)
        memcpy(copy, device, provider->abi < 3 ? device_size_of_abi_2 : sizeof *copy);
    return copy;
}

/* It lives as long as the table, which is until the program ends. */
static struct conv_kernel *copy_kernel(const struct conv_kernel *kernel, const struct conv_provider *provider)
{
    struct conv_kernel *copy = calloc(1, sizeof *copy);
    if (copy)
        memcpy(copy, kernel, provider->kernel_size < sizeof *copy ? provider->kernel_size : sizeof *copy);
    if (copy && copy->device)
        copy->device = copy_device(kernel->device, provider);
    return copy && (copy->device || !kernel->device) ? copy : NULL;
}

/* The kernels of a provider as copies, ended by NULL: all of them, or an error. */
static enum conv_status copy_kernels(struct conv_kernel ***copies, const struct conv_provider *provider,
                                     const char *path, struct conv_error *error)
{
    size_t count = 0;
    while (provider->kernels[count])
        count++;
    *copies = calloc(count + 1, sizeof **copies);
    enum conv_status status = *copies ? CONV_OK : CONV_NO_MEMORY;
    for (size_t i = 0; i < count && status == CONV_OK; i++) {
        if (!fits(provider, provider->kernels[i]))
            return another_version(provider, path, error);
        (*copies)[i] = copy_kernel(provider->kernels[i], provider);
        status = !(*copies)[i] ? CONV_NO_MEMORY : check_kernel((*copies)[i], path, error);
    }
    return status == CONV_NO_MEMORY ? conv_fail(error, status, "no memory for the kernels of %s", path) : status;
}

static void free_copies(struct conv_kernel **copies)
{
    for (int i = 0; copies && copies[i]; i++) {
        free((void *)copies[i]->device);
        free(copies[i]);
    }
    free(copies);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

struct opened { void *object; struct conv_kernel **kernels; };

static enum conv_status open_object(struct opened *opened, const char *path, struct conv_error *error)
{
    opened->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened->object) {
        conv_fail(error, CONV_BAD_FILE, "%s can't be loaded: %s", path, dlerror());
        conv_hint(error, "a provider is a shared object; for one in this folder write ./name.so");
        return CONV_BAD_FILE;
    }
    void *symbol = dlsym(opened->object, "convref_provider");
    if (!symbol) {
        conv_fail(error, CONV_BAD_FILE, "%s has no function convref_provider", path);
        conv_hint(error, "docs/adding-a-kernel.md shows a provider in 30 lines");
        return CONV_BAD_FILE;
    }
    provider_function *entry;
    memcpy(&entry, &symbol, sizeof entry);   /* ISO C has no cast from an object to a function */
    const struct conv_provider *provider = entry();
    enum conv_status status = check_abi(provider, path, error);
    return status == CONV_OK ? copy_kernels(&opened->kernels, provider, path, error) : status;
}

static enum conv_status open_as_guest(struct opened *opened, const char *path, struct conv_error *error)
{
    const bool was = guest_enter_all();
    *opened = (struct opened){ .object = NULL };
    const enum conv_status status = open_object(opened, path, error);
    guest_leave(was);
    return status;
}

/* ---- in a child first ------------------------------------------------------------------------------------------ */

/* What the child leaves in shared memory. */
struct trial {
    char path[4096];
    enum conv_status status;
    struct conv_error error;
    int kernels;
};

static void try(void *argument)
{
    struct trial *trial = argument;
    struct opened opened;
    trial->status = open_as_guest(&opened, trial->path, &trial->error);
    while (trial->status == CONV_OK && opened.kernels[trial->kernels])
        trial->kernels++;
}

static enum conv_status did_not_survive(const struct trial *trial, const struct sandbox_end *end,
                                        struct conv_error *error)
{
    char how[256];
    conv_fail(error, CONV_BAD_FILE, "%.200s can't be opened: its code %s", trial->path,
              sandbox_words(how, sizeof how, end, open_seconds));
    conv_hint(error, "opening a provider runs its constructors and convref_provider(), which must return");
    return CONV_BAD_FILE;
}

static enum conv_status try_in_child(const char *path, struct conv_error *error)
{
    const struct sandbox_limits limits = { .seconds = open_seconds };
    struct sandbox_end end;
    struct trial *trial = mmap(NULL, sizeof *trial, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory to open %s with", path);
    snprintf(trial->path, sizeof trial->path, "%s", path);
    enum conv_status status = sandbox_run(&end, try, trial, &limits, NULL, error);
    if (status == CONV_OK && !end.completed)
        status = did_not_survive(trial, &end, error);
    else if (status == CONV_OK && trial->status != CONV_OK) {
        status = trial->status;
        if (error)
            *error = trial->error;
    }
    munmap(trial, sizeof *trial);
    return status;
}

enum conv_status conv_provider_load(const char *path, struct conv_error *error)
{
    struct opened opened = { .object = NULL };
    enum conv_status status = try_in_child(path, error);
    if (status == CONV_OK)
        status = open_as_guest(&opened, path, error);
    if (status != CONV_OK) {
        free_copies(opened.kernels);
        return status;
    }
    const char *source = strdup(path);   /* it and the copies live as long as the table */
    for (int i = 0; opened.kernels[i]; i++)
        if (!source || !guest_add(opened.kernels[i]) || !kernel_add(opened.kernels[i], source))
            status = conv_fail(error, CONV_NO_MEMORY, "no memory for the kernels of %s", path);
    free(opened.kernels);
    return status;
}
