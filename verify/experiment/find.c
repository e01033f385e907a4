/* find.c - where the files of experiments are.   Declared in experiment.h.   Read next: read.c */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/experiment/experiment.h"
#include "verify/io/output.h"

char *experiment_find(const char *name)
{
    char beside[1024];
    const char *const folders[] = { getenv("CONVREF_EXPERIMENTS"), "experiments",
                                    conv_folder_beside(beside, "../experiments"), CONVREF_EXPERIMENTS_DIR };
    if (strchr(name, '/') && access(name, R_OK) == 0)
        return strdup(name);
    return conv_file_find(folders, sizeof folders / sizeof *folders, name);
}

/* Of the folder that has the table of devices. */
char **experiment_names(void)
{
    char *devices = experiment_find("devices.tsv"), *slash = devices ? strrchr(devices, '/') : NULL;
    if (slash)
        *slash = 0;
    char **names = slash ? conv_files_find((const char *const[]){ devices }, 1, ".txt") : NULL;
    for (int i = 0; names && names[i]; i++) {
        const char *name = strrchr(names[i], '/') + 1;
        memmove(names[i], name, strlen(name) + 1);
        *strrchr(names[i], '.') = 0;
    }
    free(devices);
    return names;
}
