/* folder.c - a folder of golden vectors, complete or not there.
 *
 * Everything is written into a temporary folder beside the place, which is renamed at the end.
 */
#include <config.h>   /* nftw */

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/golden/golden.h"

static enum conv_status cant(struct conv_error *error, const char *path)
{
    return conv_fail(error, CONV_BAD_FILE, "%s can't be written: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts, (void)kind, (void)walk;
    return remove(path);
}

static void remove_all(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Write one file of the folder, and before the first of a folder inside that folder. */
static enum conv_status write_file(const char *folder, const char *name, const void *bytes, size_t size,
                                   struct conv_error *error)
{
    char path[4096];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - name), name);
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return cant(error, path);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        return cant(error, path);
    const bool whole = fwrite(bytes, 1, size, file) == size;
    return fclose(file) != 0 || !whole ? cant(error, path) : CONV_OK;
}

static enum conv_status write_case(const char *folder, json_t *manifest, const struct golden_plan *plan,
                                   const struct golden_settings *settings, struct conv_error *error)
{
    struct golden_case made;
    struct golden_files files = { .count = 0 };
    enum conv_status status = golden_make(&made, plan, settings, error);
    if (status != CONV_OK)
        return status;
    status = golden_render(&files, &made, error);
    for (int i = 0; i < files.count && status == CONV_OK; i++)
        status = write_file(folder, files.files[i].path, files.files[i].bytes, files.files[i].size, error);
    if (status == CONV_OK && !golden_manifest_add(manifest, &made, &files))
        status = conv_fail(error, CONV_NO_MEMORY, "no memory for the manifest");
    golden_files_free(&files);
    golden_free(&made);
    return status;
}

static enum conv_status write_all(const char *folder, const struct golden_plan *plans, int count,
                                  const struct golden_settings *settings, const char *command,
                                  struct conv_error *error)
{
    json_t *manifest = golden_manifest_begin(settings, command);
    enum conv_status status = manifest ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory for the manifest");
    for (int i = 0; i < count && status == CONV_OK; i++)
        status = write_case(folder, manifest, &plans[i], settings, error);
    char *text = status == CONV_OK ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
    if (status == CONV_OK)
        status = text ? write_file(folder, "manifest.json", text, strlen(text), error)
                      : conv_fail(error, CONV_NO_MEMORY, "no memory for the manifest");
    free(text);
    json_decref(manifest);
    return status;
}

/* mkdtemp makes a private folder; a result is as public as the umask allows. */
static bool publish(const char *temporary, const char *folder)
{
    const mode_t mask = umask(0);
    umask(mask);
    return chmod(temporary, 0777 & ~mask) == 0 && rename(temporary, folder) == 0;
}

enum conv_status golden_write(const char *folder, const struct golden_plan *plans, int count,
                              const struct golden_settings *settings, const char *command, struct conv_error *error)
{
    char place[3900], temporary[sizeof place + 8];
    struct stat facts;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof place)
        return conv_fail(error, CONV_BAD_INPUT, "a folder must have a name of 1 to %zu bytes", sizeof place - 1);
    snprintf(place, sizeof place, "%.*s", (int)length, folder);
    if (lstat(place, &facts) == 0) {
        conv_fail(error, CONV_BAD_FILE, "%s is there already", place);
        conv_hint(error, "golden vectors go into a folder that doesn't exist yet");
        return CONV_BAD_FILE;
    }
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", place);
    if (!mkdtemp(temporary))
        return cant(error, place);
    enum conv_status status = write_all(temporary, plans, count, settings, command, error);
    if (status == CONV_OK && !publish(temporary, place))
        status = cant(error, place);
    if (status != CONV_OK)
        remove_all(temporary);
    return status;
}
