/* safetensors.c - one tensor out of a .safetensors file.
 *
 *   length of the header (8 bytes, little-endian)   header, JSON   data
 *   {"x": {"dtype": "F32", "shape": [1, 3, 8, 8], "data_offsets": [0, 768]}, "__metadata__": {...}}
 *
 * As the format demands, the tensors must cover the data without holes and without overlapping; every entry is
 * checked, whichever is asked for.  Source of the format: the README of huggingface/safetensors.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/readers.h"

/* The format allows 100 MB of header; a network of 10,000 tensors needs about 1 MB. */
enum { LONGEST_HEADER = 4 << 20, MOST_TENSORS = 65536 };

struct file {
    struct source source;
    struct conv_error *error;
    int64_t data;          /* bytes behind the header */
};

struct span { int64_t begin, end; };

static enum conv_status refuse(struct file *file, const char *what)
{
    return stored_bad(&file->source, file->error, NULL, "%s", what);
}

/* ---- the header ------------------------------------------------------------------------------------------ */

static enum conv_status read_header(json_t **header, struct file *file)
{
    unsigned char prefix[8];
    uint64_t length = 0;
    json_error_t where;
    if (!source_read(&file->source, prefix, sizeof prefix))
        return refuse(file, "it is shorter than the 8 bytes that every .safetensors file begins with");
    for (int i = 7; i >= 0; i--)
        length = length << 8 | prefix[i];
    if (length > LONGEST_HEADER || (int64_t)length > file->source.left)
        return refuse(file, "the header is longer than the file, or than 4 MiB");
    char *text = malloc((size_t)length + 1);
    if (!text || !source_read(&file->source, text, (size_t)length)) {
        free(text);
        return refuse(file, "the header can't be read");
    }
    *header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json_is_object(*header)) {
        json_decref(*header);
        return stored_bad(&file->source, file->error, NULL, "the header is not a JSON object: %s, at byte %d",
                          *header ? "it is something else" : where.text, *header ? 0 : where.position);
    }
    file->data = file->source.left;
    return CONV_OK;
}

/* ---- its entries --------------------------------------------------------------------------------------------- */

static enum conv_status bad_entry(struct file *file, const char *name, const char *what)
{
    return stored_bad(&file->source, file->error, NULL, "tensor \"%.60s\": %s", name, what);
}

static bool read_size(int64_t *size, const json_t *json)
{
    *size = json_integer_value(json);
    return json_is_integer(json) && *size >= 0;
}

static enum conv_status read_span(struct span *span, struct file *file, const char *name, const json_t *entry)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    if (json_array_size(offsets) != 2 || !read_size(&span->begin, json_array_get(offsets, 0))
        || !read_size(&span->end, json_array_get(offsets, 1)))
        return bad_entry(file, name, "its data_offsets are not two numbers");
    if (!(span->begin <= span->end && span->end <= file->data))
        return bad_entry(file, name, "its data_offsets lie outside the data, or end before they begin");
    return CONV_OK;
}

static int by_begin(const void *a, const void *b)
{
    const struct span *one = a, *other = b;
    if (one->begin != other->begin)
        return one->begin < other->begin ? -1 : 1;
    return one->end < other->end ? -1 : one->end > other->end;
}

static enum conv_status check_cover(struct file *file, struct span *spans, size_t count)
{
    int64_t end = 0;
    qsort(spans, count, sizeof *spans, by_begin);
    for (size_t i = 0; i < count; i++) {
        if (spans[i].begin != end)
            return refuse(file, spans[i].begin < end ? "two tensors overlap" : "there is a hole between two tensors");
        end = spans[i].end;
    }
    return end == file->data ? CONV_OK : refuse(file, "there are bytes behind the last tensor");
}

static enum conv_status check_spans(struct file *file, json_t *header)
{
    const char *name;
    json_t *entry;
    size_t count = 0;
    enum conv_status status = CONV_OK;
    if (json_object_size(header) > MOST_TENSORS)
        return refuse(file, "it has more than 65536 tensors");
    struct span *spans = calloc(json_object_size(header) + 1, sizeof *spans);
    if (!spans)
        return conv_fail(file->error, CONV_NO_MEMORY, "no memory to read %s", file->source.name);
    json_object_foreach(header, name, entry)
        if (status == CONV_OK && strcmp(name, "__metadata__"))
            status = read_span(&spans[count++], file, name, entry);
    if (status == CONV_OK)
        status = check_cover(file, spans, count);
    free(spans);
    return status;
}

/* ---- the one that is asked for ------------------------------------------------------------------------------- */

/* "x, w, y": as many names as fit. */
static void list_names(char list[256], json_t *header)
{
    const char *name;
    json_t *entry;
    size_t used = 0;
    snprintf(list, 256, "none");
    json_object_foreach(header, name, entry)
        if (strcmp(name, "__metadata__") && used < 200)
            used += (size_t)snprintf(list + used, 256 - used, "%s%.40s", used ? ", " : "", name);
}

static const char *find_name(struct file *file, json_t *header, const char *wanted)
{
    const char *name, *found = NULL;
    char list[256];
    json_t *entry;
    size_t count = 0;
    json_object_foreach(header, name, entry)
        if (strcmp(name, "__metadata__") && (!wanted || !strcmp(name, wanted))) {
            found = name;
            count++;
        }
    if (count == 1)
        return found;
    list_names(list, header);
    if (wanted)
        stored_bad(&file->source, file->error, NULL, "it has no tensor of that name; it has %s", list);
    else
        stored_bad(&file->source, file->error, "FILE.safetensors:NAME", "name one of its %zu tensors: %s", count,
                   list);
    return NULL;
}

static const char *name_of(enum element element) { return element_facts(element)->safetensors; }

static enum conv_status read_element(struct stored *stored, struct file *file, const char *name, const json_t *entry)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    char list[STORED_LIST];
    if (!dtype)
        return bad_entry(file, name, "it has no dtype");
    for (enum element element = 0; element < ELEMENTS; element++)
        if (file->source.accepted & 1u << element && !strcmp(element_facts(element)->safetensors, dtype)) {
            stored->element = element;
            return CONV_OK;
        }
    return stored_bad(&file->source, file->error, "convert it before it is saved: tensor.to(torch.float32)",
                      "tensor \"%.60s\": its dtype is %.20s, none of %s", name, dtype,
                      stored_list(list, file->source.accepted, name_of));
}

static enum conv_status read_entry(struct stored *stored, struct file *file, const char *name, const json_t *entry)
{
    const json_t *shape = json_object_get(entry, "shape");
    const enum conv_status status = read_element(stored, file, name, entry);
    if (status != CONV_OK)
        return status;
    if (!json_is_array(shape) || json_array_size(shape) > CONV_MAX_RANK)
        return bad_entry(file, name, "its shape is not a list of at most 8 numbers");
    for (stored->rank = 0; stored->rank < (int)json_array_size(shape); stored->rank++)
        if (!read_size(&stored->dims[stored->rank], json_array_get(shape, (size_t)stored->rank)))
            return bad_entry(file, name, "its shape is not a list of at most 8 numbers");
    return CONV_OK;
}

static bool skip_to(struct file *file, const struct span *span)
{
    file->source.left = span->end - span->begin;
    return fseeko(file->source.handle, (off_t)span->begin, SEEK_CUR) == 0;
}

static enum conv_status read_tensor(struct conv_tensor *tensor, struct file *file, json_t *header, const char *wanted)
{
    struct stored stored = { .rank = 0 };
    struct span span;
    const char *name = find_name(file, header, wanted);
    if (!name)
        return CONV_BAD_FILE;
    const json_t *entry = json_object_get(header, name);
    enum conv_status status = read_entry(&stored, file, name, entry);
    if (status == CONV_OK)
        status = read_span(&span, file, name, entry);
    if (status == CONV_OK && !stored_fits(&stored, span.end - span.begin))
        status = bad_entry(file, name, "its data_offsets are not as far apart as its shape says");
    if (status == CONV_OK && !skip_to(file, &span))
        status = refuse(file, "it can't be read at an offset");
    return status == CONV_OK ? stored_read(tensor, &stored, &file->source, file->error) : status;
}

enum conv_status safetensors_read(struct conv_tensor *tensor, const struct tensor_name *from,
                                  struct conv_error *error)
{
    struct file file = { .error = error };
    json_t *header = NULL;
    enum conv_status status = source_open(&file.source, from->path, from->accepted, error);
    file.source.name = from->name;
    file.source.most = from->most;
    file.source.seen = from->seen;
    if (status == CONV_OK)
        status = read_header(&header, &file);
    if (status == CONV_OK) {
        status = check_spans(&file, header);
        if (status == CONV_OK)
            status = read_tensor(tensor, &file, header, from->member);
        json_decref(header);
    }
    source_close(&file.source);
    return status;
}
