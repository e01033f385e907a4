/* read.c - from a file to messages: how much is read, how much memory it may take, and what holds for every model.
 *
 * protobuf-c does the reading.  Two limits surround it: a file ends at 2 GiB, as every protocol buffer does, and the
 * messages may take 32 MiB and twice the size of the file, and of each graph within that is looked into.  The factor
 * is there for weights, which are copied once; the constant for small messages, where two bytes in the file are
 * about a hundred in memory: the largest graphs that people export have some ten thousand nodes, which is a few MiB,
 * while without a limit a hostile file of 1 MiB would take 100.  Read next: model.h, conv_node.c
 */
#include "verify/onnx/model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = INT32_MAX, ALWAYS_ALLOWED = 32 << 20 };

bool onnx_is_there(struct conv_error *error, const char *name)
{
    (void)error, (void)name;
    return true;
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

struct budget { size_t left; bool spent; };

/* What is freed is not given back: the budget is for everything that a file makes protobuf-c allocate. */
static void *allocate(void *data, size_t size)
{
    struct budget *budget = data;
    if (size > budget->left) {
        budget->spent = true;
        return NULL;
    }
    budget->left -= size;
    return malloc(size);
}

static void release(void *data, void *memory)
{
    (void)data;
    free(memory);
}

static enum conv_status unpack(ProtobufCMessage **message, const ProtobufCMessageDescriptor *descriptor,
                               const struct onnx_bytes *bytes, size_t *left, const char *what,
                               struct conv_error *error)
{
    struct budget budget = { *left, false };
    ProtobufCAllocator allocator = { allocate, release, &budget };
    *message = protobuf_c_message_unpack(descriptor, &allocator, bytes->size, bytes->data);
    *left = budget.left;
    if (*message)
        return CONV_OK;
    conv_fail(error, CONV_BAD_FILE, budget.spent ? "%s: its messages take more than 32 MiB and twice the file's size"
              : "%s: it is not %s: its bytes are no protocol buffer with these fields", bytes->name, what);
    return CONV_BAD_FILE;
}

/* ---- models ------------------------------------------------------------------------------------------------- */

static bool is_default_domain(const char *domain)
{
    return !*onnx_text(domain) || !strcmp(domain, "ai.onnx");
}

enum conv_status onnx_check_model(struct onnx_model *model)
{
    for (size_t i = 0; i < model->message->n_opset_import; i++)
        if (is_default_domain(model->message->opset_import[i]->domain))
            model->opset = model->message->opset_import[i]->version;
    if (model->opset == 0)
        return onnx_bad(model, "onnx.save() writes an opset_import",
                        "it doesn't say which opset its operators are of");
    if (model->opset < ONNX_LEAST_OPSET)
        return onnx_bad(model, "onnx.version_converter.convert_version(model, 13) makes it newer",
                        "its operators are of opset %" PRId64 "; convref reads %d and later", model->opset,
                        ONNX_LEAST_OPSET);
    if (model->graph->n_node == 0)
        return onnx_bad(model, NULL, "its graph has no nodes");
    return CONV_OK;
}

enum conv_status onnx_unpack_model(struct onnx_model *model, const struct onnx_bytes *bytes, struct conv_error *error)
{
    ProtobufCMessage *message;
    *model = (struct onnx_model){ .name = bytes->name, .error = error, .left = ALWAYS_ALLOWED + 2 * bytes->size };
    enum conv_status status = unpack(&message, &conv_onnx__model__descriptor, bytes, &model->left, "an ONNX model",
                                     error);
    if (status != CONV_OK)
        return status;
    model->message = (ConvOnnx__Model *)message;
    model->graph = model->message->graph;
    if (model->message->has_ir_version && model->graph)
        return CONV_OK;
    onnx_bad(model, NULL, "it is not an ONNX model: it has no %s", model->graph ? "IR version" : "graph");
    onnx_free_model(model);
    return CONV_BAD_FILE;
}

enum conv_status onnx_unpack_graph(ConvOnnx__Graph **graph, struct onnx_model *model,
                                   const ConvOnnx__Attribute *attribute)
{
    const struct onnx_bytes bytes = { model->name, attribute->g.data, attribute->g.len };
    ProtobufCMessage *message;
    model->left += 2 * bytes.size;   /* they are there once already, so that a file can't make many of them */
    const enum conv_status status = unpack(&message, &conv_onnx__graph__descriptor, &bytes, &model->left,
                                           "an ONNX graph", model->error);
    *graph = status == CONV_OK ? (ConvOnnx__Graph *)message : NULL;
    return status;
}

void onnx_free_graph(ConvOnnx__Graph *graph)
{
    if (graph)
        conv_onnx__graph__free_unpacked(graph, NULL);
}

void onnx_free_model(struct onnx_model *model)
{
    if (model->message)
        conv_onnx__model__free_unpacked(model->message, NULL);
    model->message = NULL;
}

enum conv_status onnx_unpack_tensor(ConvOnnx__Tensor **tensor, const struct onnx_bytes *bytes,
                                    struct conv_error *error)
{
    ProtobufCMessage *message;
    size_t left = ALWAYS_ALLOWED + 2 * bytes->size;
    const enum conv_status status = unpack(&message, &conv_onnx__tensor__descriptor, bytes, &left, "a TensorProto",
                                           error);
    *tensor = status == CONV_OK ? (ConvOnnx__Tensor *)message : NULL;
    return status;
}

void onnx_free_tensor(ConvOnnx__Tensor *tensor)
{
    if (tensor)
        conv_onnx__tensor__free_unpacked(tensor, NULL);
}

/* ---- files -------------------------------------------------------------------------------------------------- */

enum conv_status onnx_read_bytes(struct onnx_bytes *bytes, const char *path, struct conv_error *error)
{
    struct source source;
    *bytes = (struct onnx_bytes){ .name = path };
    enum conv_status status = source_open(&source, path, 0, error);
    if (status != CONV_OK)
        return status;
    const int64_t size = source.left;
    uint8_t *data = size <= LARGEST_FILE ? malloc((size_t)size + 1) : NULL;
    if (size > LARGEST_FILE)
        status = stored_bad(&source, error, NULL, "it has more than 2 GiB, where protocol buffers end");
    else if (!data)
        status = conv_fail(error, CONV_NO_MEMORY, "no memory to read %s", path);
    else if (!source_read(&source, data, (size_t)size))
        status = stored_bad(&source, error, NULL, "it ended while it was read");
    source_close(&source);
    if (status != CONV_OK)
        free(data);
    else
        *bytes = (struct onnx_bytes){ path, data, (size_t)size };
    return status;
}

/* ---- messages for people ------------------------------------------------------------------------------------ */

const char *onnx_text(const char *text) { return text ? text : ""; }

char *onnx_plain(char text[ONNX_NAME], const char *name)
{
    snprintf(text, ONNX_NAME, "%s", onnx_text(name));
    for (char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    return text;
}

enum conv_status onnx_bad(const struct onnx_model *model, const char *hint, const char *format, ...)
{
    const struct source source = { .name = model->name };
    char what[384];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return stored_bad(&source, model->error, hint, "%s", what);
}

enum conv_status onnx_bad_node(const struct onnx_at *at, const char *hint, const char *format, ...)
{
    char what[256], name[ONNX_NAME], op[ONNX_NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    onnx_plain(name, at->node->name);
    return onnx_bad(at->model, hint, "node %zu%s%s%s (%s): %s", at->index, *name ? " '" : "", name, *name ? "'" : "",
                    onnx_plain(op, at->node->op_type), what);
}

/* ---- nodes -------------------------------------------------------------------------------------------------- */

bool onnx_is(const ConvOnnx__Node *node, const char *op_type)
{
    return is_default_domain(node->domain) && !strcmp(onnx_text(node->op_type), op_type);
}

const char *onnx_input(const ConvOnnx__Node *node, size_t i)
{
    return i < node->n_input ? onnx_text(node->input[i]) : "";
}

const char *onnx_output(const ConvOnnx__Node *node, size_t i)
{
    return i < node->n_output ? onnx_text(node->output[i]) : "";
}

enum conv_status onnx_attribute(const ConvOnnx__Attribute **found, const struct onnx_at *at, const char *name,
                                int type)
{
    *found = NULL;
    for (size_t i = 0; i < at->node->n_attribute; i++) {
        const ConvOnnx__Attribute *attribute = at->node->attribute[i];
        if (strcmp(onnx_text(attribute->name), name))
            continue;
        if (*found)
            return onnx_bad_node(at, NULL, "its attribute %s is there twice", name);
        *found = attribute;
    }
    /* the type is missing in files of IR version 1 alone */
    if (*found && (*found)->has_type && (*found)->type != type)
        return onnx_bad_node(at, NULL, "its attribute %s is not of the type that the operator has", name);
    return CONV_OK;
}

enum conv_status onnx_int(int64_t *value, const struct onnx_at *at, const char *name)
{
    const ConvOnnx__Attribute *found;
    const enum conv_status status = onnx_attribute(&found, at, name, ONNX_ATTRIBUTE_INT);
    if (status == CONV_OK && found)
        *value = found->i;
    return status;
}

enum conv_status onnx_ints(int64_t *values, int count, bool *found, const struct onnx_at *at, const char *name)
{
    const ConvOnnx__Attribute *list;
    const enum conv_status status = onnx_attribute(&list, at, name, ONNX_ATTRIBUTE_INTS);
    *found = status == CONV_OK && list != NULL;
    if (!*found)
        return status;
    if (list->n_ints != (size_t)count)
        return onnx_bad_node(at, NULL, "%s has %zu numbers, not %d", name, list->n_ints, count);
    for (int i = 0; i < count; i++)
        values[i] = list->ints[i];
    return CONV_OK;
}
