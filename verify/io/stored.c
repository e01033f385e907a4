/* stored.c - from bytes to a tensor. */
#include "verify/io/stored.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool read_file(void *handle, void *to, size_t bytes)
{
    return fread(to, 1, bytes, handle) == bytes;
}

enum conv_status source_open(struct source *source, const char *path, unsigned accepted, struct conv_error *error)
{
    struct stat facts;
    *source = (struct source){ .name = path, .accepted = accepted, .read = read_file };
    /* asked before opening: a pipe would wait for its other end */
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode))
        return stored_bad(source, error, NULL, "it is not a regular file");
    source->handle = fopen(path, "rb");
    if (!source->handle || fstat(fileno(source->handle), &facts) != 0) {
        conv_fail(error, CONV_BAD_FILE, "%s can't be opened: %s", path, strerror(errno));
        source_close(source);
        return CONV_BAD_FILE;
    }
    source->left = facts.st_size;
    return CONV_OK;
}

void source_close(struct source *source)
{
    if (source->handle)
        fclose(source->handle);
    source->handle = NULL;
}

bool source_read(struct source *source, void *to, size_t bytes)
{
    if (source->left < 0 || bytes > (uint64_t)source->left || !source->read(source->handle, to, bytes))
        return false;
    source->left -= (int64_t)bytes;
    return true;
}

enum conv_status stored_bad(const struct source *source, struct conv_error *error, const char *hint,
                            const char *format, ...)
{
    char what[384];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    conv_fail(error, CONV_BAD_FILE, "%s: %s", source->name, what);
    if (hint)
        conv_hint(error, "%s", hint);
    return CONV_BAD_FILE;
}

char *stored_list(char text[STORED_LIST], unsigned accepted, const char *(*name)(enum element))
{
    unsigned left = accepted;
    size_t used = 0;
    for (enum element element = 0; element < ELEMENTS; element++)
        if (!name(element))
            left &= ~(1u << element);
    text[0] = 0;
    for (enum element element = 0; element < ELEMENTS && used < STORED_LIST; element++)
        if (left & 1u << element) {
            left &= ~(1u << element);
            used += (size_t)snprintf(text + used, STORED_LIST - used, "%s%s", used == 0 ? "" : left ? ", " : " and ",
                                     name(element));
        }
    return text;
}

bool stored_fits(const struct stored *stored, int64_t bytes)
{
    int64_t product = (int64_t)element_facts(stored->element)->size;
    bool empty = false;
    for (int d = 0; d < stored->rank; d++) {
        empty |= stored->dims[d] == 0;
        if (stored->dims[d] < 0 || __builtin_mul_overflow(product, stored->dims[d] ? stored->dims[d] : 1, &product))
            return false;
    }
    return (empty ? 0 : product) == bytes;
}

static uint64_t bits_at(const unsigned char *bytes, size_t size, bool big_endian)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | bytes[big_endian ? i : size - 1 - i];
    return bits;
}

/* `count` elements into the tensor, a buffer at a time. */
static bool decode(struct conv_tensor *tensor, const struct stored *stored, struct source *source, int64_t count)
{
    enum { BUFFER = 1 << 15 };
    unsigned char buffer[BUFFER];
    const size_t size = element_facts(stored->element)->size;
    const int64_t most = (int64_t)(BUFFER / size);
    for (int64_t done = 0; done < count; ) {
        const int64_t now = count - done < most ? count - done : most;
        if (!source_read(source, buffer, (size_t)now * size))
            return false;
        for (int64_t i = 0; i < now; i++)
            conv_set(tensor->type, tensor->data, done + i,
                     element_value(stored->element, bits_at(buffer + (size_t)i * size, size, stored->big_endian)));
        done += now;
    }
    return true;
}

/* Elements that are a tensor's own, in the order of this machine. */
static bool as_they_are(const struct stored *stored, enum conv_type type)
{
    static const uint16_t one = 1;
    const bool big = *(const unsigned char *)&one == 0;
    return stored->big_endian == big
        && ((stored->element == ELEMENT_F32 && type == CONV_F32)
            || (stored->element == ELEMENT_F64 && type == CONV_F64));
}

/* A file that is as long as its header says may still be terabytes, and take no place on the disk. */
static enum conv_status check_most(const struct stored *stored, const struct source *source, struct conv_error *error)
{
    char shape[96];
    int64_t count = 1;
    for (int d = 0; d < stored->rank; d++)
        count *= stored->dims[d];   /* stored_fits() has seen that it is no more than the file has */
    if (source->most == 0 || count <= source->most)
        return CONV_OK;
    return stored_bad(source, error, "`convref explain` shows the shapes of a problem",
                      "it is %s: %" PRId64 " elements, where at most %" PRId64 " are wanted",
                      conv_shape_print(shape, stored->rank, stored->dims), count, source->most);
}

enum conv_status stored_read(struct conv_tensor *tensor, const struct stored *stored, struct source *source,
                             struct conv_error *error)
{
    struct conv_tensor made;
    const enum conv_type type = element_facts(stored->element)->widened;
    enum conv_status status = check_most(stored, source, error);
    if (status == CONV_OK)
        status = conv_tensor_create(&made, type, stored->rank, stored->dims, error);
    if (status != CONV_OK)
        return status;
    const bool whole = as_they_are(stored, type) ? source_read(source, made.data, conv_tensor_bytes(&made))
                                                 : decode(&made, stored, source, conv_tensor_count(&made));
    if (!whole) {
        conv_tensor_free(&made);
        return conv_fail(error, CONV_BAD_FILE, "%s ended while it was read", source->name);
    }
    if (source->seen)
        *source->seen = stored->element;
    *tensor = made;
    return CONV_OK;
}
