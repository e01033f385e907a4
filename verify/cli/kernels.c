/* kernels.c - kernels by name and pattern.   Declared in kernels.h. */
#include "verify/cli/kernels.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/words.h"
#include "verify/cli/messages.h"

static void no_such_kernel(const char *name)
{
    const char *names[512];
    int count = 0;
    for (; count < conv_kernel_count() && count < 512; count++)
        names[count] = conv_kernel_at(count)->name;
    const char *nearest = conv_nearest(name, names, count);
    fflush(stdout);
    fprintf(stderr, "%s: there is no kernel '%s'\n    %s%s%s`convref list` shows all of them\n", cli_name, name,
            nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "");
}

const struct conv_kernel *cli_kernel(const char *name)
{
    const struct conv_kernel *kernel = conv_kernel_find(name);
    if (!kernel)
        no_such_kernel(name);
    return kernel;
}

static bool listed(const struct conv_kernel **list, int count, const struct conv_kernel *kernel)
{
    for (int i = 0; i < count; i++)
        if (list[i] == kernel)
            return true;
    return false;
}

/* A pattern adds what isn't there yet; a name that is written twice is meant twice. */
static bool add_matches(const struct conv_kernel **list, int *count, int room, const char *pattern)
{
    const bool is_name = conv_kernel_find(pattern) != NULL;
    bool matched = false;
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        if (fnmatch(pattern, kernel->name, 0) != 0)
            continue;
        matched = true;
        if (*count < room && (is_name || !listed(list, *count, kernel)))
            list[(*count)++] = kernel;
    }
    return matched;
}

int cli_kernels(const struct conv_kernel **list, int room, const char *patterns)
{
    char *copy = strdup(patterns), *rest = copy;
    int count = 0;
    for (char *pattern; copy && (pattern = strsep(&rest, ",")); )
        if (!add_matches(list, &count, room, pattern)) {
            no_such_kernel(pattern);
            count = 0;
            break;
        }
    free(copy);
    return count;
}
