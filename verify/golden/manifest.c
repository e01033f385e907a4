/* manifest.c - manifest.json: what a folder of golden vectors holds, how it was made, and what its bytes are.
 *
 * It has no dates and no names of machines, so that making a folder again gives the same bytes.  Reading it believes
 * nothing: names become paths, so they are checked like any other input.   docs/golden.md explains every key.
 */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "verify/io/output.h"
#include "verify/io/stored.h"
#include "verify/golden/golden.h"

#define SCHEMA "convref-golden-1"
enum { LONGEST_MANIFEST = 8 << 20, MOST_CASES = 10000 };

/* ---- writing ------------------------------------------------------------------------------------------------- */

json_t *golden_manifest_begin(const struct golden_settings *settings, const char *command)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:i, s:{s:s, s:s}, s:[]}",
        "schema", SCHEMA, "generator", "convref golden", "version", conv_version(), "command", command,
        "seed", (json_int_t)settings->seed, "format", golden_format_name(settings->format),
        "requantise", requantise_name(settings->mode), "lanes", settings->lanes,
        "rules", "exact", "every output bit for bit", "bound",
        "|y - exact| <= gamma_(n+1) * S + u * |y| + (n+1) * eta for each output; u is that of its dtype "
        "(docs/exactness.md)", "cases");
}

static json_t *array_json(const struct golden_case *made, const struct golden_array *array)
{
    char path[128];
    json_t *shape = json_array();
    for (int d = 0; d < array->rank; d++)
        json_array_append_new(shape, json_integer(array->dims[d]));
    golden_path(path, made, array);
    const enum element stored = golden_stored_element(made->settings.format, array->element);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "name", array->name, "role",
        array->is_output ? "output" : "input", "dtype", element_facts(array->element)->name, "stored",
        element_facts(stored)->name, "shape", shape, "file", path);
    if (array->is_output)
        json_object_set_new(json, "pass", json_string(conv_pass_name(array->pass)));
    return json;
}

static json_t *file_json(const struct golden_file *file)
{
    char hash[SHA256_TEXT];
    golden_sha256(hash, file->bytes, file->size);
    return json_pack("{s:s, s:I, s:s}", "path", file->path, "bytes", (json_int_t)file->size, "sha256", hash);
}

static json_t *case_json(const struct golden_case *made)
{
    char problem[CONV_PROBLEM_TEXT];
    const bool exact = made->plan.data == GOLDEN_INTEGERS || golden_is_quantised(made->plan.data);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", made->plan.name, "problem",
        conv_problem_print(problem, &made->plan.problem), "kind",
            conv_kind_name(conv_problem_kind(&made->plan.problem)),
        "data", golden_data_name(made->plan.data), "class", golden_is_quantised(made->plan.data) ? "int8" : "direct",
        "rule", exact ? "exact" : "bound");
    if (made->range > 0)
        json_object_set_new(json, "range", json_integer(made->range));
    if (golden_is_quantised(made->plan.data))
        json_object_set_new(json, "quantisation", json_pack("{s:s, s:i, s:i, s:i, s:i}", "mode",
            requantise_name(made->settings.mode), "x_zero_point", made->x_zero_point, "y_zero_point",
            made->y_zero_point, "least", made->least, "most", made->most));
    return json;
}

bool golden_manifest_add(json_t *manifest, const struct golden_case *made, const struct golden_files *files)
{
    json_t *json = case_json(made), *arrays = json_array(), *list = json_array();
    for (int i = 0; i < made->count; i++)
        if (made->settings.format != GOLDEN_ONNX || golden_onnx_file(made->arrays[i].name))
            json_array_append_new(arrays, array_json(made, &made->arrays[i]));
    for (int i = 0; i < files->count; i++)
        json_array_append_new(list, file_json(&files->files[i]));
    return json && json_object_set_new(json, "arrays", arrays) == 0 && json_object_set_new(json, "files", list) == 0
        && json_array_append_new(json_object_get(manifest, "cases"), json) == 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

struct reader {
    struct source source;      /* for messages: the manifest's name */
    struct conv_error *error;
};

static enum conv_status refuse(struct reader *reader, const char *what, const char *of)
{
    return stored_bad(&reader->source, reader->error, "`convref golden FOLDER` writes a manifest", "%s%s%.60s", what,
                      of ? " of case " : "", of ? of : "");
}

/* A name that is a file or folder inside, never above or hidden: letters, digits and - _ . */
static bool is_plain(const char *name)
{
    if (!name || !name[0] || name[0] == '.' || strlen(name) > 63)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
            return false;
    return true;
}

/* "x.npz", "case/x.npy" or "case/test_data_set_0/input_0.pb" */
static bool is_inside(const char *path)
{
    char first[128];
    const char *slash = path ? strchr(path, '/') : NULL;
    for (int depth = 0; slash && depth < 2 && strlen(path) < sizeof first; depth++) {
        snprintf(first, sizeof first, "%.*s", (int)(slash - path), path);
        if (!is_plain(first))
            return false;
        path = slash + 1;
        slash = strchr(path, '/');
    }
    return is_plain(path);
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static enum conv_status read_settings(struct golden_manifest *manifest, struct reader *reader)
{
    struct golden_settings *settings = &manifest->settings;
    const json_t *seed = json_object_get(manifest->json, "seed"), *lanes = json_object_get(manifest->json, "lanes");
    if (strcmp(text_of(manifest->json, "schema"), SCHEMA))
        return refuse(reader, "its schema is not " SCHEMA, NULL);
    settings->format = golden_format_of_name(text_of(manifest->json, "format"));
    settings->mode = requantise_of_name(text_of(manifest->json, "requantise"));
    settings->seed = (uint64_t)json_integer_value(seed);
    settings->lanes = (int)json_integer_value(lanes);
    if (settings->format == GOLDEN_FORMATS || settings->mode == REQUANTISE_MODES || !json_is_integer(seed)
        || !json_is_integer(lanes) || json_integer_value(lanes) < 1 || json_integer_value(lanes) > 1024)
        return refuse(reader, "seed, format, requantise or lanes is not one of those that convref writes", NULL);
    return CONV_OK;
}

/* What the files of a case have together; no format stores more than one element in a byte. */
static int64_t bytes_of(const json_t *json)
{
    size_t i;
    json_t *file;
    int64_t sum = 0;
    json_array_foreach(json_object_get(json, "files"), i, file) {
        const int64_t bytes = json_integer_value(json_object_get(file, "bytes"));
        if (bytes < 0 || __builtin_add_overflow(sum, bytes, &sum))
            return 0;
    }
    return sum;
}

static enum conv_status read_case(struct golden_plan *plan, struct reader *reader, const json_t *json)
{
    struct conv_error wrong;
    const char *name = json_string_value(json_object_get(json, "name"));
    if (!is_plain(name))
        return refuse(reader, "a case has no name, or one that can't be a folder's", NULL);
    snprintf(plan->name, sizeof plan->name, "%s", name);
    plan->data = golden_data_of_name(text_of(json, "data"));
    if (plan->data == GOLDEN_KINDS)
        return refuse(reader, "unknown data", name);
    if (conv_problem_parse(&plan->problem, text_of(json, "problem"), &wrong) != CONV_OK)
        return refuse(reader, "wrong problem", name);
    if (conv_operand_count(&plan->problem, CONV_X) > bytes_of(json)
        || conv_operand_count(&plan->problem, CONV_WEIGHTS) > bytes_of(json))
        return refuse(reader, "the problem is larger than the files", name);
    return CONV_OK;
}

static enum conv_status read_cases(struct golden_manifest *manifest, struct reader *reader)
{
    const json_t *cases = json_object_get(manifest->json, "cases");
    const size_t count = json_array_size(cases);
    enum conv_status status = CONV_OK;
    if (count < 1 || count > MOST_CASES)
        return refuse(reader, "it has no cases, or more than 10000", NULL);
    manifest->plans = calloc(count, sizeof *manifest->plans);
    if (!manifest->plans)
        return conv_fail(reader->error, CONV_NO_MEMORY, "no memory to read %s", reader->source.name);
    for (size_t i = 0; i < count && status == CONV_OK; i++)
        status = read_case(&manifest->plans[i], reader, json_array_get(cases, i));
    manifest->count = (int)count;
    return status;
}

enum conv_status golden_manifest_read(struct golden_manifest *manifest, const char *folder, struct conv_error *error)
{
    char path[4096], *text;
    json_error_t where;
    struct reader reader = { { .name = path }, error };
    *manifest = (struct golden_manifest){ .count = 0 };
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    enum conv_status status = conv_text_read(&text, path, LONGEST_MANIFEST, error);
    if (status != CONV_OK)
        return status;
    manifest->json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!manifest->json)
        return stored_bad(&reader.source, error, NULL, "it is not JSON: %s, in line %d", where.text, where.line);
    status = read_settings(manifest, &reader);
    if (status == CONV_OK)
        status = read_cases(manifest, &reader);
    if (status != CONV_OK)
        golden_manifest_free(manifest);
    return status;
}

void golden_manifest_free(struct golden_manifest *manifest)
{
    json_decref(manifest->json);
    free(manifest->plans);
    *manifest = (struct golden_manifest){ .count = 0 };
}

/* ---- hashes ----------------------------------------------------------------------------------------------- */

/* The SHA-256 that the manifest has for a path; "" if it has none. */
static const char *hash_of(const struct golden_manifest *manifest, const char *path)
{
    size_t c, f;
    json_t *json, *file;
    json_array_foreach(json_object_get(manifest->json, "cases"), c, json)
        json_array_foreach(json_object_get(json, "files"), f, file)
            if (!strcmp(text_of(file, "path"), path))
                return text_of(file, "sha256");
    return "";
}

bool golden_manifest_has(const struct golden_manifest *manifest, const struct golden_files *files)
{
    for (int i = 0; i < files->count; i++) {
        char hash[SHA256_TEXT];
        if (!golden_sha256(hash, files->files[i].bytes, files->files[i].size)
            || strcmp(hash, hash_of(manifest, files->files[i].path)))
            return false;
    }
    return true;
}

static enum conv_status check_file(const char *folder, const json_t *facts, struct conv_error *error)
{
    char path[4096], hash[SHA256_TEXT];
    struct source source;
    const char *name = text_of(facts, "path");
    if (!is_inside(name)) {
        conv_fail(error, CONV_BAD_FILE, "%s/manifest.json: the path '%.60s' leads out of the folder", folder, name);
        return CONV_BAD_FILE;
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    enum conv_status status = source_open(&source, path, 0, error);
    if (status != CONV_OK)
        return status;
    const int64_t size = source.left, wanted = json_integer_value(json_object_get(facts, "bytes"));
    if (size != wanted)
        status = stored_bad(&source, error, NULL, "it has %" PRId64 " bytes, the manifest says %" PRId64, size,
                            wanted);
    else if (!golden_sha256_rest(hash, &source))
        status = stored_bad(&source, error, NULL, "it can't be read");
    else if (strcmp(hash, text_of(facts, "sha256")))
        status = stored_bad(&source, error,
                            "`convref golden` makes the folder again; the command is in manifest.json",
                            "its SHA-256 is not that of the manifest");
    source_close(&source);
    return status;
}

enum conv_status golden_check(int *files, const char *folder, struct conv_error *error)
{
    struct golden_manifest manifest;
    size_t c, f;
    json_t *json, *file;
    enum conv_status status = golden_manifest_read(&manifest, folder, error);
    *files = 0;
    json_array_foreach(json_object_get(manifest.json, "cases"), c, json)
        json_array_foreach(json_object_get(json, "files"), f, file)
            if (status == CONV_OK) {
                status = check_file(folder, file, error);
                ++*files;
            }
    golden_manifest_free(&manifest);
    return status;
}
