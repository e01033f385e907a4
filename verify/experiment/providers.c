/* providers.c - opens the providers that an experiment's ways name, where their kernels aren't there yet.
 *
 * NAME.so lies where $CONVREF_PROVIDERS says, in the build folder (experiments/), or where `make install` put it.
 * They are our own, from experiments/providers/; anybody else's come in by --provider.  A way whose provider isn't
 * found is left out.
 * Declared in experiment.h.   Read next: experiments/providers/systems.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/experiment/experiment.h"
#include "verify/io/output.h"

static char *place_of(const char *name)
{
    char beside[1024], file[EXP_NAME + 4];
    const char *const folders[] = { getenv("CONVREF_PROVIDERS"), conv_folder_beside(beside, "experiments"),
                                    CONVREF_PROVIDERS_DIR };
    snprintf(file, sizeof file, "%s.so", name);
    return conv_file_find(folders, sizeof folders / sizeof *folders, file);
}

static bool is_missing(const struct exp_way *way)
{
    for (int i = 0; i < way->kernel_count; i++)
        if (!conv_kernel_find(way->kernels[i]))
            return true;
    return false;
}

enum conv_status experiment_open_providers(const struct experiment *experiment, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int c = 0; c < experiment->case_count; c++)
        for (int w = 0; w < experiment->cases[c].way_count && status == CONV_OK; w++) {
            const struct exp_way *way = &experiment->cases[c].ways[w];
            char *path = way->provider[0] && is_missing(way) ? place_of(way->provider) : NULL;
            if (path)
                status = conv_provider_load(path, error);
            free(path);
        }
    return status;
}
