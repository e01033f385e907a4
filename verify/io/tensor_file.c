/* tensor_file.c - which reader a name asks for. */
#include <config.h>

#include "verify/io/tensor_file.h"

#include <stdlib.h>
#include <string.h>

#include "verify/io/readers.h"
#include "verify/onnx/onnx.h"

static enum conv_status read_npy(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error)
{
    struct source source;
    enum conv_status status = source_open(&source, from->path, from->accepted, error);
    source.most = from->most;
    source.seen = from->seen;
    if (status == CONV_OK)
        status = npy_read(tensor, &source, error);
    source_close(&source);
    return status;
}

#ifndef HAVE_LIBZIP
enum conv_status npz_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error)
{
    (void)tensor;
    conv_fail(error, CONV_BAD_FILE, "%s: this build reads no .npz files, because libzip was missing", from->name);
    conv_hint(error, "numpy.save() each array as .npy, or install libzip and configure again");
    return CONV_BAD_FILE;
}
#endif

/* THE table: the ending, whether a member's name may follow behind a colon, and the reader.  Archives come first, so
 * that all.npz:x.npy is one of them; the last row is for names without a known ending. */
static const struct format {
    const char *ending;
    bool members;
    enum conv_status (*read)(struct conv_tensor *, const struct tensor_name *, struct conv_error *);
} formats[] = {
    { ".npz", true, npz_read },
    { ".safetensors", true, safetensors_read },
    { ".onnx", true, initializer_read },
    { ".raw", false, raw_read },
    { ".pb", false, pb_read },
    { ".npy", false, read_npy },
};
enum { FORMATS = sizeof formats / sizeof *formats };

static bool ends_with(const char *text, size_t length, const char *ending)
{
    const size_t tail = strlen(ending);
    return length > tail && !memcmp(text + length - tail, ending, tail);
}

/* The format of a name, and the length of its path: what is before the colon, if there is a member. */
static const struct format *format_of(const char *name, size_t *path)
{
    for (size_t i = 0; i < FORMATS; i++) {
        *path = strlen(name);
        if (ends_with(name, *path, formats[i].ending))
            return &formats[i];
        for (const char *colon = strchr(name, ':'); colon && formats[i].members; colon = strchr(colon + 1, ':')) {
            *path = (size_t)(colon - name);
            if (ends_with(name, *path, formats[i].ending))
                return &formats[i];
        }
    }
    *path = strlen(name);
    return &formats[FORMATS - 1];
}

enum conv_status tensor_file_read(struct conv_tensor *tensor, const char *name, unsigned accepted,
                                  struct conv_error *error)
{
    return tensor_file_read_most(tensor, NULL, name, accepted, 0, error);
}

enum conv_status tensor_file_read_most(struct conv_tensor *tensor, enum element *seen, const char *name,
                                       unsigned accepted, int64_t most, struct conv_error *error)
{
    size_t length;
    const struct format *format = format_of(name, &length);
    char *path = strndup(name, length);
    if (!path)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the name of %s", name);
    const struct tensor_name from = { name, path, name[length] ? name + length + 1 : NULL, accepted, most, seen };
    const enum conv_status status = format->read(tensor, &from, error);
    free(path);
    return status;
}
