/* params.c - which tensors of a model are parameters, and who has them.
 *
 * A parameter is a tensor, and not a place where one is read: a weight that two nodes share is counted once, with the
 * first that reads it.  Between a tensor and the layer that reads it there may be nodes that compute from constants
 * alone (a transposition, the product of a weight norm, DequantizeLinear); they are followed back to the tensors.
 *
 *   weights of a layer      every tensor in the places of `places`, whatever its type and its name
 *   of any other operator   constants of a real type and more than one number, unless an exporter's name says that it
 *                           computed them itself; those are buffers, as are means and variances
 *
 * What an exporter folded can be told by its name alone, so the names are in a table.   Read next: docs/onnx.md
 */
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/onnx/graph.h"

/* Inputs of an operator that are weights or buffers, as sets of bits; an operator that isn't here may read learned
 * numbers anywhere.  `given`: inputs of the graph are weights there, if they aren't its first and have so many dims
 * at most; -1: they always are.  `learned`: constants are weights only if they are learned (`is_learned`). */
static const struct place { const char *op_type; unsigned weights, buffers; int given; bool learned; } places[] = {
    { "Conv", 0x6, 0, -1 }, { "ConvTranspose", 0x6, 0, -1 }, { "ConvInteger", 0x2, 0, -1 },
    { "QLinearConv", 0x108, 0, -1 }, { "DeformConv", 0xa, 0, -1 }, { "CausalConvWithState", 0x6, 0, -1 },
    { "Gemm", 0x7, 0, 2 }, { "MatMul", 0x3, 0, 2 }, { "MatMulInteger", 0x3, 0, 2 }, { "QLinearMatMul", 0x9, 0, 2 },
    { "Einsum", 0x3, 0, 0 }, { "BatchNormalization", 0x6, 0x18, -1 }, { "InstanceNormalization", 0x6, 0, -1 },
    { "GroupNormalization", 0x6, 0, -1 }, { "LayerNormalization", 0x6, 0, -1 }, { "RMSNormalization", 0x2, 0, -1 },
    { "PRelu", 0x2, 0, -1 }, { "LSTM", 0x8e, 0, -1 }, { "GRU", 0xe, 0, -1 }, { "RNN", 0xe, 0, -1 },
    { "DynamicQuantizeLSTM", 0x8e, 0, -1 },
    { "Gather", 0x1, 0, 2, true }, { "Add", 0x3, 0, 1, true }, { "Mul", 0x3, 0, 1, true },
    /* numbers that say what to do */
    { "If", 0, 0, 0 }, { "Loop", 0, 0, 0 },
    { "Resize", 0, 0, 0 }, { "Upsample", 0, 0, 0 }, { "QuantizeLinear", 0, 0, 0 }, { "DequantizeLinear", 0, 0, 0 },
    { "DynamicQuantizeLinear", 0, 0, 0 }, { "NonMaxSuppression", 0, 0, 0 }, { "OneHot", 0, 0, 0 },
    { "AffineGrid", 0, 0, 0 }, { "STFT", 0, 0x4, 0 }, { "Clip", 0, 0, 0 }, { "Pad", 0, 0, 0 },
    { "Constant", 0, 0, 0 }, { "ConstantOfShape", 0, 0, 0 }, { "Shape", 0, 0, 0 }, { "Size", 0, 0, 0 },
};

static const struct place *place_of(const ConvOnnx__Node *node)
{
    const struct rule *rule = rule_of(node);   /* in whose table an operator is with its domain */
    for (size_t i = 0; i < sizeof places / sizeof *places && rule; i++)
        if (!strcmp(rule->op_type, places[i].op_type))
            return &places[i];
    return NULL;
}

/* ---- names -------------------------------------------------------------------------------------------------- */

/* How exporters call a constant that they computed: PyTorch's two, tf2onnx's. */
static bool is_folded(const char *name)
{
    static const char *const beginnings[] = { "onnx::", "/", "val_", "_val_", "const_fold_opt", "lifted_tensor",
                                              "_lifted_tensor" };
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (!strncmp(name, beginnings[i], strlen(beginnings[i])))
            return true;
    return false;
}

static bool is_learned(const struct value *value)
{
    return is_real_type(value->type) && shape_elements(&value->shape) > 1 && !is_folded(value->name);
}

/* ---- from a constant back to the tensors that it was made of -------------------------------------------------- */

/* It is a tensor of the file, or comes with the inputs. */
static bool is_stored(const struct value *value) { return value->tensor || !value->maker; }

/* A tensor of the file, an input of the graph, or numbers that a node makes of a shape. */
static bool is_root(const struct value *value)
{
    static const char *const makers[] = { "Constant", "ConstantOfShape", "Range", "EyeLike", "RandomNormal",
                                          "RandomUniform" };
    if (is_stored(value))
        return true;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (onnx_is(value->maker, makers[i]))
            return true;
    return false;
}

/* What a root is made of stays the same when a loop makes it again in every turn: its tensor, or its node. */
static const void *source_of(const struct value *root)
{
    return root->tensor ? (const void *)root->tensor : root->maker ? (const void *)root->maker : root;
}

static int by_address(const void *a, const void *b)
{
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

/* Is it the first time?  (Without memory for the answer it is.) */
static bool take_once(struct walk *walk, const struct value *root)
{
    const void *source = source_of(root);
    if (tfind(source, &walk->taken, by_address))
        return false;
    tsearch(source, &walk->taken, by_address);
    return true;
}

/* Put a value on the list if nobody has taken it. */
static void push(struct value **list, struct value *value)
{
    if (!value || !value->constant || value->taken)
        return;
    value->taken = true;
    value->next = *list;
    *list = value;
}

/* What it was made of: the first input, and others that are real numbers, as far as these aren't scales. */
static void push_inputs(struct value **list, const struct walk *walk, const struct value *value)
{
    const ConvOnnx__Node *maker = value->maker;
    const bool scaled = onnx_is(maker, "DequantizeLinear") || onnx_is(maker, "QuantizeLinear");
    for (size_t i = 0; i < maker->n_input && (i == 0 || !scaled); i++) {
        struct value *input = value_find(walk, onnx_input(maker, i));
        if (input && (i == 0 || is_real_type(input->type)))
            push(list, input);
    }
}

static bool counts(const struct value *root, const struct value *from, bool anything)
{
    if (!root->known)
        return false;
    if (!anything)
        return is_stored(root) && is_learned(root);
    if (root == from)
        return true;
    return root->type != ONNX_BOOL && root->type != ONNX_INT64 && shape_elements(&root->shape) > 1;
}

/* Elements of the tensors behind a constant that nobody has taken.  anything: it is a weight, whatever its name is;
 * `others` are the elements of those that aren't counted. */
static int64_t take(struct walk *walk, struct value *from, bool anything, int64_t *others)
{
    struct value *list = NULL;
    int64_t count = 0;
    push(&list, from);
    while (list) {
        struct value *value = list;
        list = value->next;
        if (!is_root(value)) {
            push_inputs(&list, walk, value);
            continue;
        }
        if (!take_once(walk, value))
            continue;
        const int64_t elements = value->known ? shape_elements(&value->shape) : 0;
        if (counts(value, from, anything))
            count += elements;
        else if (elements > 1 && is_real_type(value->type) && is_stored(value))
            *others += elements;
    }
    return count;
}

static bool is_product(const ConvOnnx__Node *node)
{
    return onnx_is(node, "MatMul") || onnx_is(node, "Gemm") || onnx_is(node, "Einsum")
        || onnx_is(node, "MatMulInteger") || onnx_is(node, "QLinearMatMul");
}

void take_params(struct walk *walk, struct conv_node *made, const ConvOnnx__Node *node)
{
    const struct place *place = place_of(node);
    const bool anything = place && !place->learned;
    int64_t others = 0;
    made->by_tensor = true;
    for (size_t i = 0; i < node->n_input; i++) {
        struct value *value = value_find(walk, onnx_input(node, i));
        const unsigned bit = i < 32 ? 1u << i : 0;
        if (!value || !value->constant)
            continue;
        if (!place || place->weights & bit)
            made->weights += take(walk, value, anything, &others);
        else if (place->buffers & bit)
            made->buffers += take(walk, value, true, &others);
    }
    made->buffers += is_product(node) ? 0 : others;
}

int64_t take_bias(struct walk *walk, struct value *value)
{
    int64_t others = 0;
    return take(walk, value, true, &others);
}

/* ---- inputs of the graph ------------------------------------------------------------------------------------ */

/* The sizes are in the file; --in has none of a weight. */
static bool is_fixed(const ConvOnnx__ValueInfo *info, int most)
{
    struct onnx_shape shape;
    if (!info_dims(&shape, info) || (most >= 0 && shape.rank > most))
        return false;
    for (int d = 0; d < shape.rank; d++)
        if (shape.dims[d] < 0)
            return false;
    return true;
}

/* The first input of the graph that isn't an initializer: data. */
static const char *first_input(const struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    for (size_t i = 0; i < graph->n_input; i++) {
        const struct value *value = value_find(walk, onnx_text(graph->input[i]->name));
        if (value && !value->tensor)
            return value->name;
    }
    return "";
}

void find_given_weights(struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    const char *first = first_input(walk);
    for (size_t n = 0; n < graph->n_node; n++) {
        const struct place *place = place_of(graph->node[n]);
        for (size_t i = 0; place && place->given && i < graph->node[n]->n_input && i < 32; i++) {
            struct value *value = value_find(walk, onnx_input(graph->node[n], i));
            if (!((place->weights | place->buffers) & 1u << i) || !value || value->constant
                || (place->given > 0 && (!is_real_type(value->type) || !strcmp(value->name, first)
                                         || (i == 0 && is_product(graph->node[n])))))
                continue;
            value->constant = is_fixed(value->info, place->given);
        }
    }
}
