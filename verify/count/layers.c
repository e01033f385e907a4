/* layers.c - the layers of a network as problems.   Declared in layers.h. */
#include "verify/count/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/onnx/onnx.h"

/* Add a problem, or count it again if `distinct` and it is there already. */
static enum conv_status add_layer(struct layers *layers, const struct conv_problem *problem, const char *label,
                                  const char *suffix, bool distinct, struct conv_error *error)
{
    for (int i = 0; distinct && i < layers->count; i++)
        if (conv_problem_equal(&layers->problems[i], problem)) {
            layers->repeats[i]++;
            return CONV_OK;
        }
    const size_t room = (size_t)layers->count + 1;
    struct conv_problem *problems = realloc(layers->problems, room * sizeof *problems);
    layers->problems = problems ? problems : layers->problems;
    char (*labels)[64] = realloc(layers->labels, room * sizeof *labels);
    layers->labels = labels ? labels : layers->labels;
    int *repeats = realloc(layers->repeats, room * sizeof *repeats);
    layers->repeats = repeats ? repeats : layers->repeats;
    if (!problems || !labels || !repeats)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the layers of a network");
    problems[layers->count] = *problem;
    repeats[layers->count] = 1;
    snprintf(labels[layers->count], sizeof *labels, "%.50s%s", label, suffix);
    layers->count++;
    return CONV_OK;
}

static enum conv_status add_node(struct layers *layers, const struct conv_node *node, bool distinct,
                                 struct conv_error *error)
{
    struct conv_problem depthwise, pointwise;
    if (node->kind != CONV_NODE_SEPARABLE)
        return add_layer(layers, &node->problem, node->label, "", distinct, error);
    conv_separable_stages(&depthwise, &pointwise, &node->problem);
    enum conv_status status = add_layer(layers, &depthwise, node->label, ".dw", distinct, error);
    return status == CONV_OK ? add_layer(layers, &pointwise, node->label, ".pw", distinct, error) : status;
}

/* A network file says all of its sizes. */
static enum conv_status read_with_sizes(struct conv_network *network, const char *path, const char *in,
                                        struct conv_error *error)
{
    const char *ending = strrchr(path, '.');
    if (!in)
        return conv_network_read(network, path, error);
    if (ending && !strcmp(ending, ".onnx"))
        return onnx_network_read(network, path, in, error);
    conv_fail(error, CONV_BAD_INPUT, "%s leaves no sizes open", path);
    conv_hint(error, "--in is for ONNX models");
    return CONV_BAD_INPUT;
}

enum conv_status layers_network(struct conv_network *network, const char *name, const char *in,
                                struct conv_error *error)
{
    char *path = conv_network_find(name);
    if (!path) {
        conv_fail(error, CONV_BAD_FILE, "there is no network '%s'", name);
        conv_hint(error, "a network is a file, or the name of one in networks/, such as mobilenet_v1");
        return CONV_BAD_FILE;
    }
    const enum conv_status status = read_with_sizes(network, path, in, error);
    free(path);
    return status;
}

/* Which nodes of a network. */
struct wanted { const char *layer; bool fc, distinct; };

static bool wants(const struct wanted *wanted, const struct conv_node *node)
{
    return (conv_node_is_conv(node) || (wanted->fc && conv_node_is_fc(node))) && !node->aux
        && (!wanted->layer || !strncmp(node->label, wanted->layer, strlen(wanted->layer)));
}

static enum conv_status read_wanted(struct layers *layers, const char *name, const char *in,
                                    const struct wanted *wanted, struct conv_error *error)
{
    struct conv_network network;
    *layers = (struct layers){ .count = 0 };
    enum conv_status status = layers_network(&network, name, in, error);
    if (status != CONV_OK)
        return status;
    for (int i = 0; i < network.node_count && status == CONV_OK; i++)
        if (wants(wanted, &network.nodes[i]))
            status = add_node(layers, &network.nodes[i], wanted->distinct, error);
    if (status == CONV_OK && layers->count == 0) {
        status = conv_fail(error, CONV_BAD_INPUT, "%s has no layer whose label begins with '%s'", network.name,
                           wanted->layer ? wanted->layer : "");
        conv_hint(error, "`convref count %s` shows the labels", network.name);
    }
    conv_network_free(&network);
    if (status != CONV_OK)
        layers_free(layers);
    return status;
}

enum conv_status layers_read(struct layers *layers, const char *name, const char *in, const char *layer,
                             bool distinct, struct conv_error *error)
{
    return read_wanted(layers, name, in, &(struct wanted){ layer, true, distinct }, error);
}

enum conv_status layers_convolutions(struct layers *layers, const char *name, const char *in, struct conv_error *error)
{
    return read_wanted(layers, name, in, &(struct wanted){ NULL, false, false }, error);
}

void layers_free(struct layers *layers)
{
    free(layers->problems);
    free(layers->labels);
    free(layers->repeats);
    *layers = (struct layers){ .count = 0 };
}
