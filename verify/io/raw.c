/* raw.c - a file of elements and nothing else, with a sidecar that says what they are.
 *
 * x.raw.json, all four keys, no others:
 *   {"dtype": "f32", "shape": [1, 3, 8, 8], "order": "C", "endian": "little"}
 * dtype is one of f16 bf16 f32 f64 s8 u8 s32; endian is little or big; the last index runs fastest.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/output.h"
#include "verify/io/readers.h"

enum { LONGEST_SIDECAR = 65536 };

struct sidecar {
    struct source source;    /* for messages: the sidecar's name */
    struct conv_error *error;
};

static const char example[] = "such as {\"dtype\": \"f32\", \"shape\": [1, 3, 8, 8], \"order\": \"C\", "
    "\"endian\": \"little\"}";

static enum conv_status refuse(struct sidecar *sidecar, const char *what)
{
    return stored_bad(&sidecar->source, sidecar->error, example, "%s", what);
}

static const char *name_of(enum element element) { return element_facts(element)->name; }

static enum conv_status take_dtype(struct stored *stored, struct sidecar *sidecar, const json_t *value)
{
    const char *name = json_string_value(value);
    char list[STORED_LIST];
    stored->element = name ? element_of_name(name) : ELEMENTS;
    if (stored->element < ELEMENTS && sidecar->source.accepted & 1u << stored->element)
        return CONV_OK;
    return stored_bad(&sidecar->source, sidecar->error, example, "dtype is %s%.40s%s, none of %s", name ? "\"" : "",
                      name ? name : "not a text", name ? "\"" : "",
                      stored_list(list, sidecar->source.accepted, name_of));
}

static enum conv_status take_shape(struct stored *stored, struct sidecar *sidecar, const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) > CONV_MAX_RANK)
        return refuse(sidecar, "shape is not a list of at most 8 numbers");
    for (stored->rank = 0; stored->rank < (int)json_array_size(value); stored->rank++) {
        const json_t *dim = json_array_get(value, (size_t)stored->rank);
        stored->dims[stored->rank] = json_integer_value(dim);
        if (!json_is_integer(dim) || stored->dims[stored->rank] < 0)
            return refuse(sidecar, "shape is not a list of at most 8 numbers");
    }
    return CONV_OK;
}

static enum conv_status take_order(struct stored *stored, struct sidecar *sidecar, const json_t *value)
{
    (void)stored;
    return json_is_string(value) && !strcmp(json_string_value(value), "C")
               ? CONV_OK : refuse(sidecar, "order is not \"C\": the last index must run fastest");
}

static enum conv_status take_endian(struct stored *stored, struct sidecar *sidecar, const json_t *value)
{
    const char *endian = json_is_string(value) ? json_string_value(value) : "";
    stored->big_endian = !strcmp(endian, "big");
    return stored->big_endian || !strcmp(endian, "little")
               ? CONV_OK : refuse(sidecar, "endian is neither \"little\" nor \"big\"");
}

static const struct {
    const char *key;
    enum conv_status (*take)(struct stored *, struct sidecar *, const json_t *);
} keys[] = { { "dtype", take_dtype }, { "shape", take_shape }, { "order", take_order }, { "endian", take_endian } };

enum { KEYS = sizeof keys / sizeof *keys };

static enum conv_status take_keys(struct stored *stored, struct sidecar *sidecar, const json_t *json)
{
    enum conv_status status = CONV_OK;
    if (!json_is_object(json))
        return refuse(sidecar, "it is not a JSON object");
    for (int i = 0; i < KEYS && status == CONV_OK; i++) {
        const json_t *value = json_object_get(json, keys[i].key);
        status = value ? keys[i].take(stored, sidecar, value)
                       : stored_bad(&sidecar->source, sidecar->error, NULL, "the key \"%s\" is missing", keys[i].key);
    }
    if (status == CONV_OK && json_object_size(json) != KEYS)
        status = refuse(sidecar, "it has a key that is none of dtype, shape, order and endian");
    return status;
}

static enum conv_status read_sidecar(struct stored *stored, struct sidecar *sidecar)
{
    char *text;
    json_error_t where;
    enum conv_status status = conv_text_read(&text, sidecar->source.name, LONGEST_SIDECAR, sidecar->error);
    if (status != CONV_OK) {
        conv_hint(sidecar->error, "a .raw file needs a sidecar that says what it holds: FILE.raw.json");
        return status;
    }
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json)
        return stored_bad(&sidecar->source, sidecar->error, NULL, "it is not JSON: %s, at byte %d", where.text,
                          where.position);
    status = take_keys(stored, sidecar, json);
    json_decref(json);
    return status;
}

enum conv_status raw_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error)
{
    struct stored stored = { .rank = 0 };
    struct source source;
    const size_t room = strlen(from->path) + sizeof ".json";
    char *name = malloc(room);
    if (!name)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the name of %s", from->name);
    snprintf(name, room, "%s.json", from->path);
    struct sidecar sidecar = { { .name = name, .accepted = from->accepted }, error };
    enum conv_status status = source_open(&source, from->path, from->accepted, error);
    source.most = from->most;
    source.seen = from->seen;
    if (status == CONV_OK)
        status = read_sidecar(&stored, &sidecar);
    if (status == CONV_OK && !stored_fits(&stored, source.left))
        status = stored_bad(&source, error, NULL, "it is not as long as %s says", name);
    if (status == CONV_OK)
        status = stored_read(tensor, &stored, &source, error);
    source_close(&source);
    free(name);
    return status;
}
