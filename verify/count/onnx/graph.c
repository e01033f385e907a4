/* graph.c - the values of a graph by name, and those that are there before its first node.
 *
 * Names are found in a balanced tree (tsearch of the C library), so that a file of a million names is read as fast as
 * its size promises, whatever they are.
 */
#include <config.h>   /* tdestroy */

#include <ctype.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/onnx/graph.h"

/* ---- trees -------------------------------------------------------------------------------------------------- */

/* Every node of a tree begins with its name. */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void *find(void *const *tree, const char *name)
{
    void *const *found = tfind(&name, tree, by_name);
    return found ? *found : NULL;
}

/* A new entry of a tree that has none of that name; NULL if memory is short. */
static void *insert(void **tree, const char *name, size_t size)
{
    char *entry = calloc(1, size);
    if (!entry)
        return NULL;
    memcpy(entry, &name, sizeof name);
    if (!tsearch(entry, tree, by_name)) {
        free(entry);
        return NULL;
    }
    return entry;
}

struct value *value_find(const struct walk *walk, const char *name) { return find(&walk->values, name); }

struct value *value_add(struct walk *walk, const char *name, const char *where)
{
    char plain[ONNX_NAME];
    if (!*onnx_text(name) || value_find(walk, name)) {
        onnx_bad(&walk->model, "every value of a graph has a name of its own", "%s '%s' %s", where,
                 onnx_plain(plain, name), *onnx_text(name) ? "has a name that is taken" : "has no name");
        return NULL;
    }
    struct value *value = insert(&walk->values, name, sizeof *value);
    if (!value) {
        conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the values of %s", walk->model.name);
        return NULL;
    }
    value->int_count = value->node = -1;
    return value;
}

void values_free(struct walk *walk)
{
    tdestroy(walk->values, free);
    tdestroy(walk->declared, free);
    walk->values = walk->declared = NULL;
}

/* ---- shapes ------------------------------------------------------------------------------------------------- */

int64_t shape_elements(const struct onnx_shape *shape)
{
    int64_t count = 1;
    for (int d = 0; d < shape->rank; d++)
        count *= shape->dims[d];
    return count;
}

bool shape_is_sane(const struct onnx_shape *shape)
{
    double count = 1;
    if (shape->rank < 0 || shape->rank > CONV_MAX_RANK)
        return false;
    for (int d = 0; d < shape->rank; d++) {
        if (shape->dims[d] < 0 || shape->dims[d] > INT64_C(1) << 40)
            return false;
        count *= (double)(shape->dims[d] ? shape->dims[d] : 1);
    }
    return count <= 0x1p56;
}

/* The dimensions of a value_info, open ones as -1; false if it has no shape, or too many. */
static bool read_dims(struct onnx_shape *shape, const ConvOnnx__ValueInfo *info)
{
    const ConvOnnx__Type *type = info->type;
    if (!type || !type->tensor_type || !type->tensor_type->shape
        || type->tensor_type->shape->n_dim > CONV_MAX_RANK)
        return false;
    shape->rank = (int)type->tensor_type->shape->n_dim;
    for (int d = 0; d < shape->rank; d++) {
        const ConvOnnx__Dimension *dim = type->tensor_type->shape->dim[d];
        shape->dims[d] = dim->has_value && dim->value > 0 ? dim->value : -1;
    }
    return true;
}

struct declared { const char *name; struct onnx_shape shape; };

const struct onnx_shape *declared_shape(const struct walk *walk, const char *name)
{
    const struct declared *declared = find(&walk->declared, name);
    return declared ? &declared->shape : NULL;
}

static enum conv_status declare(struct walk *walk, ConvOnnx__ValueInfo *const *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct onnx_shape shape = { .rank = 0 };
        const char *name = infos[i]->name;
        bool good = *onnx_text(name) && !declared_shape(walk, name) && read_dims(&shape, infos[i]);
        if (good && shape.rank > 0 && shape.dims[0] < 0)
            shape.dims[0] = 1;   /* the batch */
        if (!good || !shape_is_sane(&shape))
            continue;
        struct declared *declared = insert(&walk->declared, name, sizeof *declared);
        if (!declared)
            return conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the values of %s", walk->model.name);
        declared->shape = shape;
    }
    return CONV_OK;
}

enum conv_status declare_shapes(struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    const enum conv_status status = declare(walk, graph->value_info, graph->n_value_info);
    return status == CONV_OK ? declare(walk, graph->output, graph->n_output) : status;
}

/* ---- before the first node ---------------------------------------------------------------------------------- */

void value_set_tensor(struct value *value, const ConvOnnx__Tensor *tensor, const struct onnx_shape *shape)
{
    value->known = value->constant = true;
    value->shape = *shape;
    value->tensor = tensor;
    value->int_count = onnx_tensor_ints(value->ints, MOST_KNOWN_INTS, tensor);
    value->is_float = tensor->data_type == ONNX_FLOAT || tensor->data_type >= 10;
}

enum conv_status add_initializers(struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        struct onnx_shape shape;
        const enum conv_status status = onnx_check_tensor(&shape, &walk->model, graph->initializer[i]);
        if (status != CONV_OK)
            return status;
        struct value *value = value_add(walk, graph->initializer[i]->name, "initializer");
        if (!value)
            return CONV_BAD_FILE;
        value_set_tensor(value, graph->initializer[i], &shape);
    }
    return CONV_OK;
}

/* The sizes of --in, which stand for the last `count` dims; false if it is something else. */
static bool read_in(int64_t *sizes, int count, const char *in)
{
    for (int i = 0; i < count; i++) {
        char *end;
        sizes[i] = isdigit((unsigned char)*in) ? strtoll(in, &end, 10) : 0;
        if (sizes[i] < 1 || sizes[i] > INT64_C(1) << 40 || *end != (i + 1 < count ? 'x' : 0))
            return false;
        in = end + 1;
    }
    return true;
}

static enum conv_status close_dims(struct walk *walk, struct onnx_shape *shape, const char *name)
{
    char plain[ONNX_NAME];
    int64_t sizes[CONV_MAX_RANK] = { 0 };
    bool open = false;
    onnx_plain(plain, name);
    if (shape->rank > 0 && shape->dims[0] < 0)
        shape->dims[0] = 1;
    for (int d = 1; d < shape->rank; d++)
        open |= shape->dims[d] < 0;
    if (open && shape->dims[1] < 0)
        return onnx_bad(&walk->model, NULL, "input '%s' leaves its channels open", plain);
    if (open && !walk->in)
        return onnx_bad(&walk->model, "give them: --in 224x224", "input '%s' leaves sizes open", plain);
    if (open && !read_in(sizes, shape->rank - 2, walk->in))
        return onnx_bad(&walk->model, "numbers with x between them, such as 224x224",
                        "input '%s' has %d sizes, and --in says '%.40s'", plain, shape->rank - 2, walk->in);
    for (int d = 2; open && d < shape->rank; d++)
        shape->dims[d] = shape->dims[d] < 0 ? sizes[d - 2] : shape->dims[d];
    walk->used_in |= open;
    return shape_is_sane(shape) ? CONV_OK : onnx_bad(&walk->model, NULL, "input '%s' is too large", plain);
}

enum conv_status add_inputs(struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    for (size_t i = 0; i < graph->n_input; i++) {
        const char *name = graph->input[i]->name;
        const struct value *known = value_find(walk, onnx_text(name));
        if (known && known->tensor)
            continue;   /* before IR version 4 initializers had to be inputs too */
        struct value *value = value_add(walk, name, "input");
        if (!value)
            return CONV_BAD_FILE;
        value->known = read_dims(&value->shape, graph->input[i]);
        const enum conv_status status = value->known ? close_dims(walk, &value->shape, name) : CONV_OK;
        if (status != CONV_OK)
            return status;
    }
    if (walk->in && !walk->used_in)
        return onnx_bad(&walk->model, "leave --in out", "its inputs leave no sizes open");
    return CONV_OK;
}
