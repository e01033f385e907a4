/* find.c - where the files of experiments are.   Declared in experiment.h.   Read next: read.c */
#include <dirent.h>
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

static int is_experiment(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 4 && !strcmp(entry->d_name + length - 4, ".txt");
}

char **experiment_names(void)
{
    struct dirent **entries;
    char *devices = experiment_find("devices.tsv"), **names = NULL;
    char *slash = devices ? strrchr(devices, '/') : NULL;
    if (slash)
        *slash = 0;
    const int count = slash ? scandir(devices, &entries, is_experiment, alphasort) : -1;
    if (count >= 0) {
        names = calloc((size_t)count + 1, sizeof *names);
        for (int i = 0; i < count; i++) {
            if (names)
                names[i] = strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 4);
            free(entries[i]);
        }
        free(entries);
    }
    free(devices);
    return names;
}
