/* network.c - an ONNX model as a network: one node for each of its nodes, then the totals.
 *
 * The graph is walked once, in its own order, which is the order of computation: a node that reads what nothing
 * before it computes, as in a cycle, is an error.  Where a size isn't known, the file's own value_info is asked.
 * If that doesn't help, a layer or a product becomes a node of the kind unknown, which the network's note names and
 * whose weights are counted; of all others nothing is missing but a size (`open`).  What follows from constants alone
 * is no work: a runtime has done it before it begins.
 * Not here: what operators do (operators.c), what is a parameter (params.c), inputs (inputs.c), the graphs of If and
 * Loop (subgraph.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/network_totals.h"
#include "verify/count/onnx/graph.h"

enum { MOST_NAMED = 20 };   /* unknown nodes in the note */

static enum conv_status no_memory(const struct walk *walk)
{
    return conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the network of %s", walk->model.name);
}

/* ---- nodes -------------------------------------------------------------------------------------------------- */

static struct conv_node *add_node(struct walk *walk, enum conv_node_kind kind, const char *name, size_t index)
{
    struct conv_network *network = walk->network;
    if (network->node_count == walk->room) {
        const int room = walk->room ? 2 * walk->room : 64;
        struct conv_node *nodes = realloc(network->nodes, sizeof *nodes * (size_t)room);
        if (!nodes)
            return NULL;
        network->nodes = nodes;
        walk->room = room;
    }
    struct conv_node *node = &network->nodes[network->node_count++];
    *node = (struct conv_node){ .kind = kind, .line = (int)index };
    onnx_plain(node->label, name);
    return node;
}

/* What a network has of a shape: one image, channels, and three sizes, the last of which takes what is over. */
static struct conv_shape network_shape(const struct onnx_shape *shape)
{
    struct conv_shape made = { .rank = 1, .c = 1, .size = { 1, 1, 1 } };
    if (shape->rank > 0)
        made.c = shape->dims[shape->rank > 1];
    if (shape->rank > 3)
        made.rank = shape->rank > 4 ? 3 : shape->rank - 2;
    for (int d = 2; d < shape->rank; d++) {
        const int axis = CONV_AXES - made.rank + d - 2;
        made.size[axis < CONV_AXES ? axis : CONV_AXES - 1] *= shape->dims[d];
    }
    return made;
}

static enum conv_status check_work(struct walk *walk, const struct conv_node *node)
{
    walk->work += conv_node_work(node);
    return walk->work <= CONV_MOST_WORK ? CONV_OK
        : onnx_bad(&walk->model, NULL, "node '%s': more than 2^56 multiply-adds and elements up to here",
                   node->label);
}

/* Nodes without which the multiply-adds are too few. */
static bool does_work(const struct rule *rule)
{
    static const enum conv_node_kind kinds[] = { CONV_NODE_CONV, CONV_NODE_FC, CONV_NODE_PRODUCT, CONV_NODE_RECURRENT,
                                                 CONV_NODE_UNKNOWN };
    for (size_t i = 0; rule && i < sizeof kinds / sizeof *kinds; i++)
        if (rule->kind == kinds[i])
            return true;
    return !rule;
}

/* The node isn't understood, or its size isn't known. */
static void forget(struct step *step, const struct rule *rule, const char *why)
{
    struct walk *walk = step->walk;
    char op[ONNX_NAME];
    step->made->problem = (struct conv_problem){ .n = 0 };
    step->made->macs = 0;
    if (!does_work(rule)) {
        step->made->open = true;
        return;
    }
    const int before = walk->unknown_count++;
    step->made->kind = CONV_NODE_UNKNOWN;
    if (before < MOST_NAMED)
        fprintf(walk->unknowns, "%s%s'%s' (%s): %s", ftell(walk->unknowns) > 0 ? "; " : "",
                before == 0 ? "not understood: " : "", step->made->label, onnx_plain(op, step->at.node->op_type),
                why);
    else if (before == MOST_NAMED)
        fputs("; and more", walk->unknowns);
}

/* ---- one node of the graph ---------------------------------------------------------------------------------- */

static enum conv_status take_inputs(struct step *step)
{
    char plain[ONNX_NAME];
    for (size_t i = 0; i < step->at.node->n_input; i++) {
        const char *name = onnx_input(step->at.node, i);
        struct value *value = *name ? value_find(step->walk, name) : NULL;
        if (*name && !value)
            return onnx_bad_node(&step->at, "nodes stand in the order of computation, without cycles",
                                 "nothing before it computes '%s'", onnx_plain(plain, name));
        if (i < sizeof step->in / sizeof *step->in)
            step->in[i] = value;
    }
    return CONV_OK;
}

/* Does everything that the node reads follow from constants? */
static bool reads_constants(const struct step *step)
{
    bool constant = step->at.node->n_input > 0;
    for (size_t i = 0; i < step->at.node->n_input && constant; i++) {
        const struct value *value = value_find(step->walk, onnx_input(step->at.node, i));
        constant = !value || value->constant;
    }
    return constant;
}

static enum conv_status add_outputs(struct step *step)
{
    char where[ONNX_NAME + 16], plain[ONNX_NAME];
    const bool constant = reads_constants(step);
    snprintf(where, sizeof where, "node %zu (%.40s): its output", step->at.index,
             onnx_plain(plain, step->at.node->op_type));
    for (size_t i = 0; i < step->at.node->n_output; i++) {
        if (!*onnx_output(step->at.node, i))
            continue;
        struct value *value = value_add(step->walk, onnx_output(step->at.node, i), where);
        if (!value)
            return CONV_BAD_FILE;
        value->constant = constant;
        value->type = step->in[0] ? step->in[0]->type : 0;
        value->maker = step->at.node;
        value->node = step->walk->network->node_count;
        step->out = step->out ? step->out : value;
    }
    return step->out ? CONV_OK : onnx_bad_node(&step->at, NULL, "it has no output");
}

/* The second output of Dropout and of MaxPool has the shape of the first. */
static void share_shape(const struct step *step)
{
    struct value *value = value_find(step->walk, onnx_output(step->at.node, 1));
    if (!value || value->known || !step->out->known
        || !(onnx_is(step->at.node, "Dropout") || onnx_is(step->at.node, "MaxPool")))
        return;
    value->known = true;
    value->shape = step->out->shape;
}

/* Outputs whose size no rule gave have that of the file, or are lost with whoever lost it first. */
static void settle_outputs(const struct step *step)
{
    const ConvOnnx__Node *lost = step->at.node;
    for (size_t i = 0; i < sizeof step->in / sizeof *step->in; i++)
        if (step->in[i] && !step->in[i]->known && step->in[i]->lost) {
            lost = step->in[i]->lost;
            break;
        }
    for (size_t i = 0; i < step->at.node->n_output; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, i));
        if (!value || value->known)
            continue;
        value->known = declared_shape(&value->shape, step->walk, value->name);
        value->lost = value->known ? NULL : lost;
    }
}

static enum conv_status infer(struct step *step)
{
    const struct rule *rule = rule_of(step->at.node);
    if (!rule) {
        forget(step, NULL, "convref doesn't know the operator");
        return CONV_OK;
    }
    step->made->kind = rule->kind;
    step->fn = rule->fn;
    /* the operator itself, where the kind says nothing: some tools count it */
    snprintf(step->made->fn, sizeof step->made->fn, "%s",
             rule->fn ? rule->fn : rule->kind == CONV_NODE_OTHER ? rule->op_type : "");
    const enum conv_status status = rule->infer(step);
    if (status == CONV_BAD_FILE && !onnx_is(step->at.node, "If") && !onnx_is(step->at.node, "Loop"))
        step->walk->misfit = true;
    if (status != CONV_NOT_APPLICABLE || walk_spent(step->walk))   /* the loop around it isn't understood */
        return status;
    char why[200];
    snprintf(why, sizeof why, "%.190s", step->at.model->error->message);
    forget(step, rule, why);
    return CONV_OK;
}

/* What a runtime computes before it begins, or in no run. */
void fold_node(struct conv_node *made)
{
    if (made->kind == CONV_NODE_UNKNOWN)
        return;
    made->kind = CONV_NODE_OTHER;
    made->problem = (struct conv_problem){ .n = 0 };
    made->macs = made->window = 0;
    made->by_tensor = true;
}

static enum conv_status walk_node(struct walk *walk, const ConvOnnx__Graph *graph, size_t index)
{
    const ConvOnnx__Node *node = graph->node[index];
    struct step step = { .walk = walk, .at = { &walk->model, node, index } };
    enum conv_status status = walk_spend(walk, 1, node->n_input + node->n_output);
    if (status == CONV_OK)
        status = take_inputs(&step);
    if (status == CONV_OK)
        status = add_outputs(&step);
    if (status != CONV_OK)
        return status;
    step.made = add_node(walk, CONV_NODE_UNKNOWN, *onnx_text(node->name) ? node->name : step.out->name, index);
    if (!step.made)
        return no_memory(walk);
    if (step.in[0] && step.in[0]->known)
        step.made->in = network_shape(&step.in[0]->shape);
    status = infer(&step);
    if (status != CONV_OK)
        return status;
    share_shape(&step);
    settle_outputs(&step);
    if (step.out->known)
        step.made->out = network_shape(&step.out->shape);
    if (reads_constants(&step))
        fold_node(step.made);
    else
        take_params(walk, step.made, node);
    return check_work(walk, step.made);
}

enum conv_status walk_nodes(struct walk *walk, const ConvOnnx__Graph *graph)
{
    enum conv_status status = CONV_OK;
    for (size_t i = 0; i < graph->n_node && status == CONV_OK; i++)
        status = walk_node(walk, graph, i);
    return status;
}

/* ---- the model ---------------------------------------------------------------------------------------------- */

/* The first input that isn't an initializer is the network's. */
static enum conv_status add_input_node(struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    for (size_t i = 0; i < graph->n_input; i++) {
        const struct value *value = value_find(walk, onnx_text(graph->input[i]->name));
        if (!value || value->constant)
            continue;
        struct conv_node *node = add_node(walk, CONV_NODE_INPUT, value->name, 0);
        if (!node)
            return no_memory(walk);
        if (value->known)
            node->in = node->out = network_shape(&value->shape);
        return check_work(walk, node);
    }
    return CONV_OK;
}

static void name_network(struct conv_network *network, const char *path)
{
    const char *slash = strrchr(path, '/');
    char plain[ONNX_NAME];
    onnx_plain(plain, slash ? slash + 1 : path);
    char *ending = strstr(plain, ".onnx");
    if (ending && ending != plain)
        *ending = 0;
    memcpy(network->name, plain, sizeof plain);
}

static enum conv_status walk_graph(struct walk *walk)
{
    enum conv_status status = onnx_check_model(&walk->model);
    if (status == CONV_OK)
        status = declare_shapes(walk);
    if (status == CONV_OK)
        status = add_initializers(walk, walk->model.graph);
    if (status == CONV_OK)
        status = add_inputs(walk);
    if (status == CONV_OK) {
        find_given_weights(walk);
        status = add_input_node(walk);
    }
    return status == CONV_OK ? walk_nodes(walk, walk->model.graph) : status;
}

static void free_subgraphs(struct walk *walk)
{
    while (walk->subgraphs) {
        struct subgraph *next = walk->subgraphs->next;
        onnx_free_graph(walk->subgraphs->graph);
        free(walk->subgraphs);
        walk->subgraphs = next;
    }
}

enum conv_status onnx_network_parse(struct conv_network *network, const struct onnx_bytes *bytes, const char *in,
                                    struct conv_error *error)
{
    struct conv_network made = { .node_count = 0 };
    struct conv_error own;
    struct walk walk = { .network = &made, .in = in };
    walk.unknowns = open_memstream(&walk.unknown, &walk.unknown_size);
    if (!walk.unknowns)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the network of %s", bytes->name);
    enum conv_status status = onnx_unpack_model(&walk.model, bytes, error ? error : &own);
    if (status == CONV_OK) {
        name_network(&made, bytes->name);
        status = walk_graph(&walk);
    }
    values_free(&walk);
    free_subgraphs(&walk);
    onnx_free_model(&walk.model);
    fclose(walk.unknowns);
    if (status == CONV_OK && walk.unknown_size > 0)
        made.note = walk.unknown;
    else
        free(walk.unknown);
    if (status != CONV_OK) {
        conv_network_free(&made);
        return status;
    }
    conv_network_total(&made);
    *network = made;
    return CONV_OK;
}

enum conv_status onnx_network_read(struct conv_network *network, const char *path, const char *in,
                                   struct conv_error *error)
{
    struct onnx_bytes bytes;
    enum conv_status status = onnx_read_bytes(&bytes, path, error);
    if (status == CONV_OK)
        status = onnx_network_parse(network, &bytes, in, error);
    free((void *)bytes.data);
    return status;
}
