/* read.c - the layers of a stack from the nodes of a network, each with a kernel for each of its passes.
 *
 * What isn't a chain of convolutions is refused with the node at fault.  Sizes follow from layer to layer, so that
 * the image can be smaller than the network's; padding stays what it is in the network.
 * Declared in stack.h.   Read next: stack.c
 */
#include "experiments/training/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which kernels -------------------------------------------------------------------------------------------- */

#define ONLY(kind) (1u << (kind))
enum { ANY = (1 << CONV_KINDS) - 1, MOST_ROWS = 6 };

/* Rows are tried in order: the first of these kinds whose kernel computes the problem.  All of them give the same
 * bits at any number of threads.  References compute everything, f64 too. */
static const struct way {
    const char *name;
    struct { unsigned kinds; const char *kernel[CONV_PASSES]; } rows[MOST_ROWS];
} ways[] = {
#define REFERENCE { ANY, { "ref_forward", "ref_backward_data", "ref_backward_weights" } }
#define TUNED_BUT_DEPTHWISE \
        { ONLY(CONV_POINTWISE), { "pw_04_openmp", "bwd_data_03_openmp", "bwd_weights_03_openmp" } }, \
        { ONLY(CONV_GROUPED), { "grp_05_openmp", "bwd_data_03_openmp", "bwd_weights_03_openmp" } }, \
        { ANY, { "std_09_openmp", "bwd_data_03_openmp", "bwd_weights_03_openmp" } }, REFERENCE
    { "best", { { ONLY(CONV_DEPTHWISE), { "dw_06_openmp", "dw_bwd_data_03_openmp", "dw_bwd_weights_03_openmp" } },
                TUNED_BUT_DEPTHWISE } },
    { "left-behind", { { ONLY(CONV_DEPTHWISE), { "dw_01_direct", "bwd_data_01_gather", "bwd_weights_01_direct" } },
                       TUNED_BUT_DEPTHWISE } },
    { "reference", { REFERENCE } },
};

const char *stack_ways(void)
{
    static char names[128];
    size_t at = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", ways[i].name);
    return names;
}

static const struct way *find_way(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(name, ways[i].name))
            return &ways[i];
    return NULL;
}

static const struct conv_kernel *choose(const struct way *way, const struct conv_problem *problem)
{
    for (int row = 0; row < MOST_ROWS && way->rows[row].kinds; row++) {
        const struct conv_kernel *kernel = conv_kernel_find(way->rows[row].kernel[problem->pass]);
        if (way->rows[row].kinds & ONLY(conv_problem_kind(problem)) && kernel
            && !conv_kernel_refuses(kernel, problem))
            return kernel;
    }
    return NULL;
}

/* ---- a layer -------------------------------------------------------------------------------------------------- */

/* The three passes of a layer, which begins where the one before ends. */
static enum conv_status add_layer(struct stack *stack, const char *label, const struct conv_problem *forward,
                                  const struct stack_options *options, struct conv_error *error)
{
    struct layer *layer = &stack->layers[stack->count];
    const struct conv_axis *before = stack->count > 0 ? stack_last(stack)->problem[CONV_FORWARD].axis : NULL;
    snprintf(layer->label, sizeof layer->label, "%s", label);
    for (enum conv_pass pass = 0; pass < CONV_PASSES; pass++) {
        struct conv_problem *problem = &layer->problem[pass];
        *problem = *forward;
        problem->pass = pass;
        problem->n = options->batch;
        problem->type = options->type;
        for (int a = 0; a < CONV_AXES; a++)
            problem->axis[a].in = before ? before[a].out : options->image[a] > 0 ? options->image[a]
                                                                                   : forward->axis[a].in;
        enum conv_status status = conv_problem_finish(problem, error);
        if (status != CONV_OK)
            return status;
        layer->kernel[pass] = choose(find_way(options->way), problem);
        if (!layer->kernel[pass])
            return conv_fail(error, CONV_NOT_APPLICABLE, "no kernel computes its pass %s", conv_pass_name(pass));
    }
    stack->parameter_count += conv_operand_count(layer->problem, CONV_WEIGHTS)
                            + conv_operand_count(layer->problem, CONV_BIAS);
    stack->count++;
    return CONV_OK;
}

/* A separable node is two layers, as it is in training anywhere. */
static enum conv_status add_node(struct stack *stack, const struct conv_node *node, bool last,
                                 const struct stack_options *options, struct conv_error *error)
{
    struct conv_problem whole = node->problem, depthwise, pointwise;
    char label[80];
    if (last && options->outputs > 0)
        whole.k = options->outputs;
    if (whole.op != CONV_OP_SEPARABLE)
        return add_layer(stack, node->label, &whole, options, error);
    conv_separable_stages(&depthwise, &pointwise, &whole);
    snprintf(label, sizeof label, "%s.dw", node->label);
    enum conv_status status = add_layer(stack, label, &depthwise, options, error);
    snprintf(label, sizeof label, "%s.pw", node->label);
    return status == CONV_OK ? add_layer(stack, label, &pointwise, options, error) : status;
}

/* An activation joins the layer before it. */
static enum conv_status add_activation(struct stack *stack, const struct conv_node *node,
                                       const struct stack_options *options, struct conv_error *error)
{
    struct layer *layer = stack_last(stack);
    layer->act = !strcmp(node->fn, "relu6") ? CONV_ACT_RELU6 : CONV_ACT_RELU;
    layer->problem[CONV_FORWARD].act = layer->act;
    layer->kernel[CONV_FORWARD] = choose(find_way(options->way), &layer->problem[CONV_FORWARD]);
    return layer->kernel[CONV_FORWARD] ? CONV_OK
                                       : conv_fail(error, CONV_NOT_APPLICABLE, "no kernel computes it with %s",
                                                   node->fn);
}

/* ---- a chain of them ------------------------------------------------------------------------------------------- */

static bool is_layer(const struct conv_node *node)
{
    return node->kind == CONV_NODE_CONV || node->kind == CONV_NODE_DW || node->kind == CONV_NODE_SEPARABLE;
}

/* Why a node can't be part of a stack; NULL if it can. */
static const char *refuses(const struct stack *stack, const struct conv_node *node)
{
    const bool relu = node->kind == CONV_NODE_ACT && (!strcmp(node->fn, "relu") || !strcmp(node->fn, "relu6"));
    if (node->kind == CONV_NODE_ACT && !relu)
        return "of the activations there are relu and relu6 here";
    if (!relu && !is_layer(node))
        return "it is no convolution";
    if (node->back != 1)
        return "it reads another node than the one before it, or several, or one that isn't known";
    if (relu && (stack->count == 0 || stack_last(stack)->act != CONV_ACT_NONE))
        return "there is no convolution right before this activation";
    if (node->aux || node->fixed)
        return "it is an auxiliary head, or its weights aren't trained";
    return node->by_tensor ? "it shares the weights of another node" : NULL;
}

static enum conv_status refuse(const struct stack *stack, const struct conv_node *node, const char *why,
                               struct conv_error *error)
{
    conv_fail(error, CONV_NOT_APPLICABLE, "%s, line %d: %s (%s) can't be trained here: %s", stack->name, node->line,
              node->label, conv_node_kind_name(node->kind), why);
    conv_hint(error, "a stack is conv, dw and separable in a row, each perhaps with act fn=relu or relu6 behind it");
    return CONV_NOT_APPLICABLE;
}

/* An error of a layer gets its place. */
static enum conv_status place_error(enum conv_status status, const struct stack *stack, const struct conv_node *node,
                                    struct conv_error *error)
{
    if (error) {
        const struct conv_error inner = *error;
        conv_fail(error, status, "%s, line %d: %s: %.300s", stack->name, node->line, node->label, inner.message);
        conv_hint(error, "%s", inner.hint);
    }
    return status;
}

static int last_layer(const struct conv_network *network)
{
    int last = network->node_count - 1;
    while (last > 0 && !is_layer(&network->nodes[last]))
        last--;
    return last;
}

static enum conv_status check_image(const struct stack *stack, const struct conv_network *network,
                                    const struct stack_options *options, struct conv_error *error)
{
    const int rank = network->node_count > 0 ? network->nodes[0].out.rank : 0;
    int given = 0;
    for (int a = 0; a < CONV_AXES; a++)
        given += options->image[a] > 0;
    for (int a = 0; a < CONV_AXES && given > 0; a++)
        if ((options->image[a] > 0) != (a >= CONV_AXES - rank))
            return conv_fail(error, CONV_BAD_INPUT, "the input of %s has %d spatial sizes, not %d", stack->name, rank,
                             given);
    return CONV_OK;
}

static enum conv_status read_nodes(struct stack *stack, const struct conv_network *network,
                                   const struct stack_options *options, struct conv_error *error)
{
    const int last = last_layer(network);
    for (int i = 1; i < network->node_count; i++) {
        const struct conv_node *node = &network->nodes[i];
        const char *why = refuses(stack, node);
        if (why)
            return refuse(stack, node, why, error);
        const enum conv_status status = is_layer(node) ? add_node(stack, node, i == last, options, error)
                                                       : add_activation(stack, node, options, error);
        if (status != CONV_OK)
            return place_error(status, stack, node, error);
    }
    return stack->count > 0 ? CONV_OK
                            : conv_fail(error, CONV_NOT_APPLICABLE, "%s has no convolution", stack->name);
}

enum conv_status stack_read(struct stack *stack, const struct conv_network *network,
                            const struct stack_options *options, struct conv_error *error)
{
    struct stack made = { .type = options->type };
    snprintf(made.name, sizeof made.name, "%s", network->name);
    if (!find_way(options->way)) {
        conv_fail(error, CONV_BAD_INPUT, "'%s' is not a way to choose kernels", options->way);
        conv_hint(error, "they are %s", stack_ways());
        return CONV_BAD_INPUT;
    }
    enum conv_status status = check_image(&made, network, options, error);
    if (status == CONV_OK && !(made.layers = calloc(2 * (size_t)network->node_count, sizeof *made.layers)))
        status = conv_fail(error, CONV_NO_MEMORY, "no memory for the layers of %s", made.name);
    if (status == CONV_OK)
        status = read_nodes(&made, network, options, error);
    if (status == CONV_OK)
        *stack = made;
    else
        stack_free(&made);
    return status;
}
