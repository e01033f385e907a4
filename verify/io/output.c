/* output.c - files that are complete or not there. */
#include <config.h>
#include "verify/io/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum conv_status cant(struct conv_error *error, const char *verb, const char *path)
{
    return conv_fail(error, CONV_BAD_FILE, "%s can't be %s: %s", path, verb, strerror(errno));
}

enum conv_status conv_output_open(struct conv_output *output, const char *path, struct conv_error *error)
{
    *output = (struct conv_output){ .file = stdout };
    if (!strcmp(path, "-"))
        return CONV_OK;
    const size_t room = strlen(path) + sizeof ".XXXXXX";
    output->path = strdup(path);
    output->temporary = malloc(room);
    if (!output->path || !output->temporary) {
        conv_output_abandon(output);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the name of %s", path);
    }
    snprintf(output->temporary, room, "%s.XXXXXX", path);
    const int descriptor = mkstemp(output->temporary);
    output->file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (!output->file) {
        const enum conv_status status = cant(error, "written", path);
        if (descriptor >= 0)
            close(descriptor);
        else
            output->temporary[0] = 0;
        conv_output_abandon(output);
        return status;
    }
    /* mkstemp makes a private file; a result is as public as the umask allows */
    const mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    return CONV_OK;
}

enum conv_status conv_output_commit(struct conv_output *output, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    if (!output->path)
        return fflush(output->file) == 0 ? CONV_OK : cant(error, "written", "the standard output");
    const bool bad = ferror(output->file);
    if (fclose(output->file) != 0 || bad || rename(output->temporary, output->path) != 0)
        status = cant(error, "written", output->path);
    else
        output->temporary[0] = 0;
    output->file = NULL;
    conv_output_abandon(output);
    return status;
}

void conv_output_abandon(struct conv_output *output)
{
    if (output->file && output->file != stdout)
        fclose(output->file);
    if (output->temporary && output->temporary[0])
        unlink(output->temporary);
    free(output->temporary);
    free(output->path);
    *output = (struct conv_output){ .file = NULL };
}

enum conv_status conv_text_read(char **text, const char *path, size_t limit, struct conv_error *error)
{
    struct stat facts;
    /* asked before opening: a pipe would wait for its other end */
    const bool is_file = stat(path, &facts) != 0 || S_ISREG(facts.st_mode);
    FILE *file = is_file ? fopen(path, "rb") : NULL;
    if (!file && is_file)
        return cant(error, "read", path);
    if (!file || fstat(fileno(file), &facts) != 0 || (size_t)facts.st_size > limit) {
        if (file)
            fclose(file);
        return conv_fail(error, CONV_BAD_FILE, "%s is not a text file of at most %zu bytes", path, limit);
    }
    char *read = malloc((size_t)facts.st_size + 1);
    if (!read) {
        fclose(file);
        return conv_fail(error, CONV_NO_MEMORY, "no memory to read %s", path);
    }
    const size_t length = fread(read, 1, (size_t)facts.st_size, file);
    const bool bad = ferror(file) || memchr(read, 0, length);
    fclose(file);
    if (bad) {
        free(read);
        return conv_fail(error, CONV_BAD_FILE, "%s is not a text file", path);
    }
    read[length] = 0;
    *text = read;
    return CONV_OK;
}

const char *conv_folder_beside(char folder[1024], const char *relative)
{
    const ssize_t length = readlink("/proc/self/exe", folder, 1023);
    char *slash = NULL;
    if (length > 0) {
        folder[length] = 0;
        slash = strrchr(folder, '/');
    }
    if (!slash || (size_t)(slash - folder) + strlen(relative) + 2 > 1024)
        return NULL;
    strcpy(slash + 1, relative);
    return folder;
}

char *conv_file_find(const char *const folders[], size_t count, const char *file)
{
    char path[1400];
    for (size_t i = 0; i < count; i++)
        if (folders[i] && snprintf(path, sizeof path, "%s/%s", folders[i], file) < (int)sizeof path
            && access(path, R_OK) == 0)
            return strdup(path);
    return NULL;
}

static bool ends_with(const char *name, const char *suffix)
{
    const size_t length = strlen(name), end = strlen(suffix);
    return length > end && !strcmp(name + length - end, suffix);
}

/* NULL if there is none. */
static char **files_of(const char *folder, const char *suffix)
{
    struct dirent **entries;
    const int found = scandir(folder, &entries, NULL, alphasort);
    char **paths = found > 0 ? calloc((size_t)found + 1, sizeof *paths) : NULL;
    int count = 0;
    for (int i = 0; i < found; i++) {
        if (paths && ends_with(entries[i]->d_name, suffix)
            && asprintf(&paths[count], "%s/%s", folder, entries[i]->d_name) >= 0)
            count++;
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    if (count > 0) {
        paths[count] = NULL;   /* a failed asprintf may leave anything there */
        return paths;
    }
    free(paths);
    return NULL;
}

char **conv_files_find(const char *const folders[], size_t count, const char *suffix)
{
    char **paths = NULL;
    for (size_t i = 0; i < count && !paths; i++)
        paths = folders[i] ? files_of(folders[i], suffix) : NULL;
    return paths;
}
