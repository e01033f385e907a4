/* graph.c - the values of a graph by name, and those that are there before its first node.
 *
 * Names are found in a balanced tree (tsearch of the C library), so that a file of a million names is read as fast as
 * its size promises, whatever they are.
 */
#include <config.h>   /* tdestroy */

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/onnx/graph.h"

/* Numbers that are freed with the walk. */
struct block { struct block *next; union number numbers[]; };

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

/* An inner name takes the place of an outer one. */
static void hide(struct walk *walk, struct value *outer)
{
    if (outer)
        tdelete(&outer->name, &walk->values, by_name);
}

struct value *scope_enter(struct walk *walk)
{
    walk->scope++;
    return walk->scoped;
}

void scope_leave(struct walk *walk, struct value *mark)
{
    walk->scope--;
    while (walk->scoped != mark) {
        struct value *value = walk->scoped;
        walk->scoped = value->below;
        tdelete(&value->name, &walk->values, by_name);
        if (value->hides && !tsearch(value->hides, &walk->values, by_name) && value->hides->scope == 0) {
            value->hides->below = walk->retired;   /* no memory: the name is lost, not the block */
            walk->retired = value->hides;
        }
        value->below = walk->retired;
        walk->retired = value;
    }
}

struct value *value_add(struct walk *walk, const char *name, const char *where)
{
    char plain[ONNX_NAME];
    struct value *outer = *onnx_text(name) ? value_find(walk, name) : NULL;
    if (!*onnx_text(name) || (outer && outer->scope == walk->scope)) {
        onnx_bad(&walk->model, "every value of a graph has a name of its own", "%s '%s' %s", where,
                 onnx_plain(plain, name), *onnx_text(name) ? "has a name that is taken" : "has no name");
        return NULL;
    }
    hide(walk, outer);
    struct value *value = insert(&walk->values, name, sizeof *value);
    if (!value) {
        if (outer && outer->scope == 0) {   /* others are on the list of their scope */
            outer->below = walk->retired;
            walk->retired = outer;
        }
        conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the values of %s", walk->model.name);
        return NULL;
    }
    value->node = -1;
    value->scope = walk->scope;
    value->hides = outer;
    if (walk->scope > 0) {
        value->below = walk->scoped;
        walk->scoped = value;
    }
    return value;
}

/* ---- turns -------------------------------------------------------------------------------------------------- */

/* A small file could have a billion turns, or one turn of a million values. */
enum { MOST_TURN_NODES = 1 << 16, MOST_TURN_VALUES = 1 << 18 };

bool walk_spent(const struct walk *walk)
{
    return walk->turning > 0 && (walk->turn_nodes > MOST_TURN_NODES || walk->turn_values > MOST_TURN_VALUES);
}

enum conv_status walk_spend(struct walk *walk, size_t nodes, size_t values)
{
    walk->turn_nodes += walk->turning > 0 ? nodes : 0;
    walk->turn_values += walk->turning > 0 ? values : 0;
    return !walk_spent(walk) ? CONV_OK
        : conv_fail(walk->model.error, CONV_NOT_APPLICABLE, "it turns too often to be followed");
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void free_list(struct value *list)
{
    while (list) {
        struct value *below = list->below;
        free(list);
        list = below;
    }
}

static void keep(void *tensor) { (void)tensor; }   /* the model's */

void values_free(struct walk *walk)
{
    if (walk->scope > 0)   /* the walk ended within */
        scope_leave(walk, NULL);
    free_list(walk->retired);
    tdestroy(walk->values, free);
    tdestroy(walk->declared, free);
    tdestroy(walk->symbols, free);
    tdestroy(walk->taken, keep);
    walk->values = walk->declared = walk->symbols = walk->taken = NULL;
    while (walk->blocks) {
        struct block *next = walk->blocks->next;
        free(walk->blocks);
        walk->blocks = next;
    }
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

/* A hostile graph could follow 1024 numbers in each of a hundred thousand nodes. */
enum { MOST_NUMBERS_IN_ALL = 1 << 20 };

union number *numbers_create(struct walk *walk, int64_t count)
{
    if (count < 0 || count > MOST_NUMBERS || walk->numbers + (size_t)count > MOST_NUMBERS_IN_ALL)
        return NULL;
    struct block *block = calloc(1, sizeof *block + sizeof *block->numbers * (size_t)count);
    if (!block)
        return NULL;
    walk->numbers += (size_t)count + 1;
    block->next = walk->blocks;
    walk->blocks = block;
    return block->numbers;
}

bool is_real_type(int32_t type)
{
    return type == ONNX_FLOAT || type == ONNX_FLOAT16 || type == ONNX_DOUBLE || (type >= ONNX_BFLOAT16 && type < 21)
        || type > 22;   /* 21 and 22 are integers of four bits */
}

bool value_is_list(const struct value *value)
{
    return value && value->known && value->numbers && !is_real_type(value->type);
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

bool info_dims(struct onnx_shape *shape, const ConvOnnx__ValueInfo *info)
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

/* Words of exporters that aren't names: two sizes that are called so have nothing in common. */
static bool is_placeholder(const char *symbol)
{
    static const char *const words[] = { "?", "None", "none", "unk", "unknown", "-1", "*" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(symbol, words[i]))
            return true;
    return false;
}

const char *info_symbol(const ConvOnnx__ValueInfo *info, int dim)
{
    const char *symbol = onnx_text(info->type->tensor_type->shape->dim[dim]->param);
    return is_placeholder(symbol) ? "" : symbol;
}

struct symbol { const char *name; int64_t size; };

int64_t symbol_size(const struct walk *walk, const char *name)
{
    const struct symbol *symbol = *name ? find(&walk->symbols, name) : NULL;
    return symbol ? symbol->size : -1;
}

bool symbol_set(struct walk *walk, const char *name, int64_t size)
{
    const int64_t known = symbol_size(walk, name);
    if (!*name || known >= 0)
        return !*name || known == size;
    struct symbol *symbol = insert(&walk->symbols, name, sizeof *symbol);
    if (symbol)
        symbol->size = size;
    return symbol != NULL;
}

struct declared { const char *name; const ConvOnnx__ValueInfo *info; };

bool declared_shape(struct onnx_shape *shape, const struct walk *walk, const char *name)
{
    const struct declared *declared = find(&walk->declared, name);
    if (!declared || !info_dims(shape, declared->info))
        return false;
    for (int d = 0; d < shape->rank; d++)
        if (shape->dims[d] < 0 && (shape->dims[d] = symbol_size(walk, info_symbol(declared->info, d))) < 0)
            return false;
    return shape_is_sane(shape);
}

static enum conv_status declare(struct walk *walk, ConvOnnx__ValueInfo *const *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = infos[i]->name;
        if (!*onnx_text(name) || find(&walk->declared, name))
            continue;
        struct declared *declared = insert(&walk->declared, name, sizeof *declared);
        if (!declared)
            return conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the values of %s", walk->model.name);
        declared->info = infos[i];
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

void value_set_tensor(struct walk *walk, struct value *value, const ConvOnnx__Tensor *tensor,
                      const struct onnx_shape *shape)
{
    const int64_t count = shape_elements(shape);
    value->known = value->constant = true;
    value->shape = *shape;
    value->tensor = tensor;
    value->type = tensor->data_type;
    union number *numbers = numbers_create(walk, count);
    if (numbers && (is_real_type(value->type) ? onnx_tensor_reals(&numbers->real, (int)count, tensor)
                                              : onnx_tensor_ints(&numbers->whole, (int)count, tensor)) == count)
        value->numbers = numbers;
}

enum conv_status add_initializers(struct walk *walk, const ConvOnnx__Graph *graph)
{
    enum conv_status status = walk_spend(walk, 0, graph->n_initializer);
    for (size_t i = 0; i < graph->n_initializer && status == CONV_OK; i++) {
        struct onnx_shape shape;
        status = onnx_check_tensor(&shape, &walk->model, graph->initializer[i]);
        if (status != CONV_OK)
            return status;
        struct value *value = value_add(walk, graph->initializer[i]->name, "initializer");
        if (!value)
            return CONV_BAD_FILE;
        value_set_tensor(walk, value, graph->initializer[i], &shape);
    }
    return status;
}
