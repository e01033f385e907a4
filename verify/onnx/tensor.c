/* tensor.c - a TensorProto as a tensor: shape, type, and data in one of six fields.
 *
 * Data are either in raw_data, little-endian, or in a list of the field that belongs to the type, of which int32_data
 * serves all types of at most 32 bits: a half is there as a number from 0 to 65535.  Data in another file are
 * refused: a path out of a model is not to be followed.   Read next: ../io/element.h
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/onnx/model.h"

/* What TensorProto.DataType is called, which field has its elements, and which element it is here. */
enum field { RAW, FLOATS, INTS32, INTS64, DOUBLES, FIELDS };
static const struct type { const char *name; enum field field; enum element element; size_t size; } types[] = {
    [1] = { "FLOAT", FLOATS, ELEMENT_F32, 4 }, [2] = { "UINT8", INTS32, ELEMENT_U8, 1 },
    [3] = { "INT8", INTS32, ELEMENT_S8, 1 }, [4] = { "UINT16", INTS32, ELEMENTS, 2 },
    [5] = { "INT16", INTS32, ELEMENTS, 2 }, [6] = { "INT32", INTS32, ELEMENT_S32, 4 },
    [7] = { "INT64", INTS64, ELEMENTS, 8 }, [8] = { "STRING", FIELDS, ELEMENTS, 0 },
    [9] = { "BOOL", INTS32, ELEMENTS, 1 }, [10] = { "FLOAT16", INTS32, ELEMENT_F16, 2 },
    [11] = { "DOUBLE", DOUBLES, ELEMENT_F64, 8 }, [12] = { "UINT32", FIELDS, ELEMENTS, 4 },
    [13] = { "UINT64", FIELDS, ELEMENTS, 8 }, [14] = { "COMPLEX64", FIELDS, ELEMENTS, 8 },
    [15] = { "COMPLEX128", FIELDS, ELEMENTS, 16 }, [16] = { "BFLOAT16", INTS32, ELEMENT_BF16, 2 },
};
enum { TYPES = sizeof types / sizeof *types };

static const struct type *type_of(const ConvOnnx__Tensor *tensor)
{
    return tensor->has_data_type && tensor->data_type > 0 && tensor->data_type < TYPES ? &types[tensor->data_type]
                                                                                       : NULL;
}

static enum conv_status bad(const struct onnx_model *model, const ConvOnnx__Tensor *tensor, const char *hint,
                            const char *what)
{
    char name[ONNX_NAME];
    return onnx_bad(model, hint, "tensor '%s': %s", onnx_plain(name, tensor->name), what);
}

static enum conv_status check_dims(struct onnx_shape *shape, const struct onnx_model *model,
                                   const ConvOnnx__Tensor *tensor, int64_t *count)
{
    *count = 1;
    if (tensor->n_dims > CONV_MAX_RANK)
        return bad(model, tensor, NULL, "it has more than 8 dims");
    shape->rank = (int)tensor->n_dims;
    for (int d = 0; d < shape->rank; d++) {
        shape->dims[d] = tensor->dims[d];
        if (tensor->dims[d] < 0)
            return bad(model, tensor, NULL, "one of its dims is negative");
        if (__builtin_mul_overflow(*count, tensor->dims[d], count) || *count > INT64_MAX / 16)
            return bad(model, tensor, NULL, "the product of its dims overflows 63 bits");
    }
    return CONV_OK;
}

/* How many elements each field has; raw_data in bytes. */
static void count_fields(size_t counts[FIELDS], const ConvOnnx__Tensor *tensor)
{
    counts[RAW] = tensor->has_raw_data ? tensor->raw_data.len : 0;
    counts[FLOATS] = tensor->n_float_data;
    counts[INTS32] = tensor->n_int32_data;
    counts[INTS64] = tensor->n_int64_data;
    counts[DOUBLES] = tensor->n_double_data;
}

static enum conv_status check_length(const struct onnx_model *model, const ConvOnnx__Tensor *tensor,
                                     const struct type *type, int64_t count)
{
    size_t counts[FIELDS];
    int fields = 0;
    char what[160];
    count_fields(counts, tensor);
    for (enum field field = 0; field < FIELDS; field++)
        fields += counts[field] > 0;
    if (fields > 1)
        return bad(model, tensor, NULL, "its data are in two fields at once");
    const int64_t bytes = count * (int64_t)type->size;
    if (tensor->has_raw_data ? (uint64_t)bytes == counts[RAW] && (counts[RAW] > 0 || fields == 0)
                             : type->field < FIELDS && (uint64_t)count == counts[type->field]
                                   && (counts[type->field] > 0 || fields == 0))
        return CONV_OK;
    if (tensor->has_raw_data)
        snprintf(what, sizeof what, "its dims and type make %" PRId64 " bytes, raw_data has %zu", bytes, counts[RAW]);
    else
        snprintf(what, sizeof what, "its dims make %" PRId64 " elements, the field of its type has %zu", count,
                 type->field < FIELDS ? counts[type->field] : 0);
    return bad(model, tensor, NULL, what);
}

enum conv_status onnx_check_tensor(struct onnx_shape *shape, const struct onnx_model *model,
                                   const ConvOnnx__Tensor *tensor)
{
    const struct type *type = type_of(tensor);
    int64_t count;
    const enum conv_status status = check_dims(shape, model, tensor, &count);
    if (status != CONV_OK)
        return status;
    if (!tensor->has_data_type || tensor->data_type == 0)
        return bad(model, tensor, NULL, "it doesn't say of which type it is");
    if (tensor->segment)
        return bad(model, tensor, NULL, "it is only a segment of a tensor");
    if (tensor->data_location == ONNX_EXTERNAL || tensor->n_external_data > 0)
        return bad(model, tensor, "onnx.save(onnx.load(FILE), FILE) puts the data into the file",
                   "its data are in another file, which convref doesn't follow");
    /* strings, and types that are newer than this page: their length is not known here */
    return !type || type->field == FIELDS ? CONV_OK : check_length(model, tensor, type, count);
}

/* ---- elements ----------------------------------------------------------------------------------------------- */

static bool read_memory(void *handle, void *to, size_t bytes)
{
    const uint8_t **at = handle;
    if (bytes == 0)
        return true;   /* an empty tensor has no data to point at */
    memcpy(to, *at, bytes);
    *at += bytes;
    return true;
}

/* The bits of a number of int32_data: does it lie in the range of the type? */
static bool int_bits(uint64_t *bits, enum element element, int32_t value)
{
    const int64_t limit = INT64_C(1) << 8 * element_facts(element)->size;
    const bool is_signed = element == ELEMENT_S8 || element == ELEMENT_S32;
    const int64_t least = is_signed ? -limit / 2 : 0, most = is_signed ? limit / 2 - 1 : limit - 1;
    *bits = (uint64_t)value & (uint64_t)(limit - 1);
    return value >= least && value <= most;
}

static enum conv_status take_ints(struct conv_tensor *made, const struct onnx_model *model,
                                  const ConvOnnx__Tensor *tensor, enum element element)
{
    uint64_t bits;
    for (size_t i = 0; i < tensor->n_int32_data; i++) {
        if (!int_bits(&bits, element, tensor->int32_data[i])) {
            conv_tensor_free(made);
            return bad(model, tensor, NULL, "a number of its int32_data is outside the range of its type");
        }
        conv_set(made->type, made->data, (int64_t)i, element_value(element, bits));
    }
    return CONV_OK;
}

static enum conv_status take_list(struct conv_tensor *made, const struct onnx_model *model,
                                  const ConvOnnx__Tensor *tensor, const struct onnx_shape *shape,
                                  const struct type *type)
{
    const enum conv_type widened = element_facts(type->element)->widened;
    const enum conv_status status = conv_tensor_create(made, widened, shape->rank, shape->dims, model->error);
    if (status != CONV_OK)
        return status;
    if (type->field == INTS32)
        return take_ints(made, model, tensor, type->element);
    for (size_t i = 0; i < tensor->n_float_data; i++)
        conv_set(widened, made->data, (int64_t)i, (double)tensor->float_data[i]);
    for (size_t i = 0; i < tensor->n_double_data; i++)
        conv_set(widened, made->data, (int64_t)i, tensor->double_data[i]);
    return CONV_OK;
}

/* What the format calls an element. */
static const char *name_of(enum element element)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].name && types[i].element == element)
            return types[i].name;
    return NULL;
}

enum conv_status onnx_take_tensor(struct conv_tensor *made, const struct onnx_model *model,
                                  const ConvOnnx__Tensor *tensor, unsigned accepted)
{
    const struct type *type = type_of(tensor);
    struct onnx_shape shape;
    char what[192], list[STORED_LIST];
    const enum conv_status status = onnx_check_tensor(&shape, model, tensor);
    if (status != CONV_OK)
        return status;
    if (!type || type->element == ELEMENTS || !(accepted & 1u << type->element)) {
        snprintf(what, sizeof what, "its type is %s (%d), none of %s", type ? type->name : "unknown",
                 tensor->data_type, stored_list(list, accepted, name_of));
        return bad(model, tensor, NULL, what);
    }
    if (model->seen)
        *model->seen = type->element;
    if (!tensor->has_raw_data)
        return take_list(made, model, tensor, &shape, type);
    const uint8_t *at = tensor->raw_data.data;
    struct source source = { model->name, (int64_t)tensor->raw_data.len, accepted, &at, read_memory };
    struct stored stored = { .element = type->element, .rank = shape.rank };
    memcpy(stored.dims, shape.dims, sizeof stored.dims);
    return stored_read(made, &stored, &source, model->error);
}

/* Element i of raw_data: `size` bytes, the lowest first. */
static uint64_t raw_bits(const ConvOnnx__Tensor *tensor, int64_t i, size_t size)
{
    uint64_t bits = 0;
    for (size_t b = size; b-- > 0; )
        bits = bits << 8 | tensor->raw_data.data[(size_t)i * size + b];
    return bits;
}

static int64_t signed_bits(uint64_t bits, int32_t type)
{
    switch (type) {
    case ONNX_INT64: return (int64_t)bits;
    case ONNX_INT32: return (int32_t)bits;
    case ONNX_INT8: return (int8_t)bits;
    default: return (int64_t)bits;
    }
}

int onnx_tensor_ints(int64_t *values, int most, const ConvOnnx__Tensor *tensor)
{
    const struct onnx_model nowhere = { .name = "" };
    struct onnx_shape shape;
    const int32_t type = tensor->data_type;
    int64_t count;
    if ((type != ONNX_INT64 && type != ONNX_INT32 && type != ONNX_BOOL && type != ONNX_INT8 && type != ONNX_UINT8)
        || onnx_check_tensor(&shape, &nowhere, tensor) != CONV_OK
        || check_dims(&shape, &nowhere, tensor, &count) != CONV_OK || count > most)
        return -1;
    for (int64_t i = 0; i < count; i++)
        values[i] = tensor->has_raw_data ? signed_bits(raw_bits(tensor, i, types[type].size), type)
                  : type == ONNX_INT64 ? tensor->int64_data[i] : tensor->int32_data[i];
    return (int)count;
}

int onnx_tensor_reals(double *values, int most, const ConvOnnx__Tensor *tensor)
{
    const struct onnx_model nowhere = { .name = "" };
    struct onnx_shape shape;
    struct conv_tensor made;
    int64_t count;
    if (check_dims(&shape, &nowhere, tensor, &count) != CONV_OK || count > most
        || onnx_take_tensor(&made, &nowhere, tensor, STORED_OPERANDS) != CONV_OK)
        return -1;
    for (int64_t i = 0; i < count; i++)
        values[i] = conv_get(made.type, made.data, i);
    conv_tensor_free(&made);
    return (int)count;
}

/* ---- readers of tensor_file.c ------------------------------------------------------------------------------- */

static enum conv_status parse_tensor(struct conv_tensor *tensor, enum element *seen, const struct onnx_bytes *bytes,
                                     unsigned accepted, struct conv_error *error)
{
    const struct onnx_model file = { .name = bytes->name, .error = error, .seen = seen };
    ConvOnnx__Tensor *message;
    enum conv_status status = onnx_unpack_tensor(&message, bytes, error);
    if (status == CONV_OK)
        status = onnx_take_tensor(tensor, &file, message, accepted);
    onnx_free_tensor(message);
    return status;
}

enum conv_status onnx_parse_tensor(struct conv_tensor *tensor, const struct onnx_bytes *bytes, unsigned accepted,
                                   struct conv_error *error)
{
    return parse_tensor(tensor, NULL, bytes, accepted, error);
}

enum conv_status pb_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error)
{
    struct onnx_bytes bytes;
    enum conv_status status = onnx_read_bytes(&bytes, from->path, error);
    if (status == CONV_OK)
        status = parse_tensor(tensor, from->seen, &bytes, from->accepted, error);
    free((void *)bytes.data);
    return status;
}

/* The tensors that a model has by name: its initializers, and then what its Constant nodes make. */
static size_t named_count(const struct onnx_model *model)
{
    return model->graph->n_initializer + model->graph->n_node;
}

/* Tensor number i and its name; false if that node is none, or its value is not a tensor. */
static bool named_tensor(const ConvOnnx__Tensor **tensor, const char **name, const struct onnx_model *model, size_t i)
{
    const ConvOnnx__Graph *graph = model->graph;
    *tensor = NULL;
    if (i < graph->n_initializer) {
        *tensor = graph->initializer[i];
        *name = onnx_text((*tensor)->name);
        return true;
    }
    const ConvOnnx__Node *node = graph->node[i - graph->n_initializer];
    for (size_t a = 0; onnx_is(node, "Constant") && a < node->n_attribute; a++)
        if (!strcmp(onnx_text(node->attribute[a]->name), "value"))
            *tensor = node->attribute[a]->t;
    *name = onnx_output(node, 0);
    return *tensor != NULL;
}

/* "conv1.weight, conv1.bias": as many names as fit.  Returns how many there are. */
static size_t list_names(char list[256], const struct onnx_model *model)
{
    const ConvOnnx__Tensor *tensor;
    const char *name;
    char plain[ONNX_NAME];
    size_t used = 0, count = 0;
    snprintf(list, 256, "none");
    for (size_t i = 0; i < named_count(model); i++) {
        if (!named_tensor(&tensor, &name, model, i))
            continue;
        if (used < 200)
            used += (size_t)snprintf(list + used, 256 - used, "%s%.40s", used ? ", " : "", onnx_plain(plain, name));
        count++;
    }
    return count;
}

static enum conv_status take_named(struct conv_tensor *tensor, const struct onnx_model *model,
                                   const struct tensor_name *from)
{
    const ConvOnnx__Tensor *found;
    const char *name;
    char list[256];
    const size_t count = list_names(list, model);
    for (size_t i = 0; i < named_count(model); i++)
        if (named_tensor(&found, &name, model, i) && (from->member ? !strcmp(name, from->member) : count == 1))
            return onnx_take_tensor(tensor, model, found, from->accepted);
    return from->member ? onnx_bad(model, NULL, "it has no initializer or Constant of that name; it has %s", list)
                        : onnx_bad(model, "FILE.onnx:NAME", "name one of its %zu tensors: %s", count, list);
}

enum conv_status initializer_read(struct conv_tensor *tensor, const struct tensor_name *from,
                                  struct conv_error *error)
{
    struct onnx_bytes bytes;
    struct onnx_model model = { .message = NULL };
    enum conv_status status = onnx_read_bytes(&bytes, from->path, error);
    bytes.name = from->name;
    if (status == CONV_OK)
        status = onnx_unpack_model(&model, &bytes, error);
    model.seen = from->seen;
    if (status == CONV_OK)
        status = take_named(tensor, &model, from);
    onnx_free_model(&model);
    free((void *)bytes.data);
    return status;
}
