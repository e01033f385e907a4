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

static bool place_of(char path[2048], const char *name)
{
    char beside[1024];
    const char *const folders[] = { getenv("CONVREF_PROVIDERS"), conv_folder_beside(beside, "experiments"),
                                    CONVREF_PROVIDERS_DIR };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, 2048, "%s/%s.so", folders[i] ? folders[i] : "", name);
        if (folders[i] && access(path, R_OK) == 0)
            return true;
    }
    return false;
}

enum conv_status experiment_open_providers(const struct experiment *experiment, struct conv_error *error)
{
    char path[2048];
    for (int c = 0; c < experiment->case_count; c++)
        for (int w = 0; w < experiment->cases[c].way_count; w++) {
            const struct exp_way *way = &experiment->cases[c].ways[w];
            bool missing = false;
            for (int i = 0; i < way->kernel_count; i++)
                missing = missing || !conv_kernel_find(way->kernels[i]);
            if (!missing || !way->provider[0] || !place_of(path, way->provider))
                continue;
            const enum conv_status status = conv_provider_load(path, error);
            if (status != CONV_OK)
                return status;
        }
    return CONV_OK;
}
