/* network_totals.c - what a network has and does in all, and where it is found.
 *
 * The totals are those of docs/networks.md.   Declared in convref/network.h.
 */
#include <config.h>
#include <convref/network.h>
#include <convref/tensor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/io/output.h"
#include "verify/count/network_totals.h"

static const char *const total_names[CONV_TOTALS] = {
    [CONV_TOTAL_PARAMS] = "params", [CONV_TOTAL_PARAMS_AUX] = "params_aux",
    [CONV_TOTAL_PARAMS_INCL_AUX] = "params_incl_aux", [CONV_TOTAL_CONV_PARAMS] = "conv_params",
    [CONV_TOTAL_FC_PARAMS] = "fc_params", [CONV_TOTAL_OTHER_PARAMS] = "other_params",
    [CONV_TOTAL_CONV_LAYERS] = "conv_layers", [CONV_TOTAL_FC_LAYERS] = "fc_layers",
    [CONV_TOTAL_MACS_CONV] = "macs_conv", [CONV_TOTAL_MACS_FC] = "macs_fc",
    [CONV_TOTAL_MACS_CONV_FC] = "macs_conv_fc",
    [CONV_TOTAL_MACS_INSIDE] = "macs_conv_excluding_padding",
    [CONV_TOTAL_MACS_DEPTHWISE] = "macs_depthwise", [CONV_TOTAL_MACS_GROUPED] = "macs_grouped",
    [CONV_TOTAL_MACS_POINTWISE] = "macs_pointwise", [CONV_TOTAL_BIAS_ADDS] = "bias_adds",
    [CONV_TOTAL_CONV_OUTPUTS] = "conv_output_elements", [CONV_TOTAL_CONNECTIONS] = "connections",
    [CONV_TOTAL_MACS_PRODUCTS] = "macs_products", [CONV_TOTAL_MACS_RECURRENT] = "macs_recurrent",
    [CONV_TOTAL_MACS] = "macs", [CONV_TOTAL_BUFFERS] = "buffers",
};

const char *conv_total_name(enum conv_total total) { return total_names[total]; }

bool conv_node_is_conv(const struct conv_node *node)
{
    return node->kind == CONV_NODE_CONV || node->kind == CONV_NODE_DW || node->kind == CONV_NODE_SEPARABLE
        || node->kind == CONV_NODE_TRANSPOSED;
}

bool conv_node_is_fc(const struct conv_node *node)
{
    return node->kind == CONV_NODE_LINEAR || node->kind == CONV_NODE_FC;
}

int64_t conv_node_params(const struct conv_node *node)
{
    struct conv_count count;
    if (node->fixed)
        return 0;
    if (node->by_tensor)
        return node->weights;
    switch (node->kind) {
    case CONV_NODE_BN:
    case CONV_NODE_LN:
        return 2 * node->out.c;
    case CONV_NODE_SCALE:
        return (1 + node->bias) * node->out.c;
    default:
        if (!conv_node_is_conv(node) && !conv_node_is_fc(node))
            return 0;
        conv_count_problem(&count, &node->problem);
        return count.weights + count.biases;
    }
}

int64_t conv_node_buffers(const struct conv_node *node)
{
    return node->by_tensor ? node->buffers : node->kind == CONV_NODE_BN ? 2 * node->out.c : 0;
}

int64_t conv_node_macs(const struct conv_node *node)
{
    struct conv_count count;
    if (!conv_node_is_conv(node) && !conv_node_is_fc(node))
        return node->macs;
    conv_count_problem(&count, &node->problem);
    return count.macs;
}

double conv_node_work(const struct conv_node *node)
{
    const double elements = (double)node->out.c * (double)node->out.size[0] * (double)node->out.size[1]
                          * (double)node->out.size[2];
    struct conv_count count = { 0 };
    if (conv_node_is_conv(node) || conv_node_is_fc(node))
        conv_count_problem(&count, &node->problem);
    return (double)count.macs + (double)count.weights + (double)node->weights + (double)node->buffers
         + (double)node->macs + elements * (double)(node->window + 4);
}

/* A filter of 1 on every axis, with groups or without. */
static bool is_one_by_one(const struct conv_problem *problem)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (problem->axis[a].filter != 1)
            return false;
    return true;
}

/* One convolution of a node: the parts of macs_conv, and its outputs. */
static void add_conv(int64_t totals[CONV_TOTALS], const struct conv_problem *problem)
{
    struct conv_count count;
    const enum conv_kind kind = conv_problem_kind(problem);
    conv_count_problem(&count, problem);
    totals[CONV_TOTAL_CONV_LAYERS]++;
    totals[CONV_TOTAL_MACS_CONV] += count.macs;
    totals[CONV_TOTAL_MACS_INSIDE] += count.macs_inside;
    totals[CONV_TOTAL_MACS_DEPTHWISE] += kind == CONV_DEPTHWISE ? count.macs : 0;
    totals[CONV_TOTAL_MACS_GROUPED] += problem->groups > 1 ? count.macs : 0;
    totals[CONV_TOTAL_MACS_POINTWISE] += is_one_by_one(problem) && kind != CONV_DEPTHWISE ? count.macs : 0;
    totals[CONV_TOTAL_BIAS_ADDS] += count.bias_adds;
    totals[CONV_TOTAL_CONV_OUTPUTS] += conv_operand_count(problem, CONV_Y);
}

static void add_layer(int64_t totals[CONV_TOTALS], const struct conv_node *node)
{
    struct conv_problem depthwise, pointwise;
    struct conv_count count;
    if (node->kind == CONV_NODE_SEPARABLE) {
        conv_separable_stages(&depthwise, &pointwise, &node->problem);
        add_conv(totals, &depthwise);
        add_conv(totals, &pointwise);
    } else if (conv_node_is_conv(node)) {
        add_conv(totals, &node->problem);
    } else {
        conv_count_problem(&count, &node->problem);
        totals[CONV_TOTAL_FC_LAYERS]++;
        totals[CONV_TOTAL_MACS_FC] += count.macs;
        totals[CONV_TOTAL_BIAS_ADDS] += count.bias_adds;
    }
}

/* LeCun's connections, of fixed layers too. */
static int64_t connections(const struct conv_node *node)
{
    struct conv_count count;
    if (conv_node_is_conv(node) || conv_node_is_fc(node)) {
        conv_count_problem(&count, &node->problem);
        return count.macs + count.bias_adds;
    }
    if (node->kind == CONV_NODE_POOL)
        return conv_shape_elements(&node->out) * node->window;
    return node->kind == CONV_NODE_SCALE && node->bias ? conv_shape_elements(&node->out) : 0;
}

static void add_node(int64_t totals[CONV_TOTALS], const struct conv_node *node)
{
    const int64_t params = conv_node_params(node);
    if (node->aux) {
        totals[CONV_TOTAL_PARAMS_AUX] += params;
        return;
    }
    totals[CONV_TOTAL_CONNECTIONS] += connections(node);
    if (node->fixed)
        return;
    totals[CONV_TOTAL_PARAMS] += params;
    totals[CONV_TOTAL_BUFFERS] += conv_node_buffers(node);
    totals[CONV_TOTAL_MACS_PRODUCTS] += node->kind == CONV_NODE_PRODUCT ? node->macs : 0;
    totals[CONV_TOTAL_MACS_RECURRENT] += node->kind == CONV_NODE_RECURRENT ? node->macs : 0;
    totals[conv_node_is_conv(node) ? CONV_TOTAL_CONV_PARAMS
           : conv_node_is_fc(node) ? CONV_TOTAL_FC_PARAMS : CONV_TOTAL_OTHER_PARAMS] += params;
    if (conv_node_is_conv(node) || conv_node_is_fc(node))
        add_layer(totals, node);
}

void conv_network_total(struct conv_network *network)
{
    int64_t *totals = network->totals;
    memset(totals, 0, sizeof network->totals);
    for (int i = 0; i < network->node_count; i++)
        add_node(totals, &network->nodes[i]);
    totals[CONV_TOTAL_PARAMS_INCL_AUX] = totals[CONV_TOTAL_PARAMS] + totals[CONV_TOTAL_PARAMS_AUX];
    totals[CONV_TOTAL_MACS_CONV_FC] = totals[CONV_TOTAL_MACS_CONV] + totals[CONV_TOTAL_MACS_FC];
    totals[CONV_TOTAL_MACS] = totals[CONV_TOTAL_MACS_CONV_FC] + totals[CONV_TOTAL_MACS_PRODUCTS]
                            + totals[CONV_TOTAL_MACS_RECURRENT];
}

const struct conv_expectation *conv_network_check(const struct conv_network *network)
{
    for (int i = 0; i < network->expectation_count; i++)
        if (network->totals[network->expectations[i].total] != network->expectations[i].value)
            return &network->expectations[i];
    return NULL;
}

int conv_network_unknowns(const struct conv_network *network)
{
    int count = 0;
    for (int i = 0; i < network->node_count; i++)
        count += network->nodes[i].kind == CONV_NODE_UNKNOWN;
    return count;
}

/* Additions, slices and the like have no part in any convention. */
static bool is_counted_by_size(enum conv_node_kind kind)
{
    return (kind >= CONV_NODE_BN && kind <= CONV_NODE_GPOOL) || kind == CONV_NODE_MUL;
}

int conv_network_open_nodes(const struct conv_network *network)
{
    int count = 0;
    for (int i = 0; i < network->node_count; i++)
        count += network->nodes[i].open && is_counted_by_size(network->nodes[i].kind);
    return count;
}

enum { FOLDERS = 4 };

/* Where networks are looked for; `beside` has room for one of the names. */
static void network_folders(const char *folders[FOLDERS], char beside[1024])
{
    folders[0] = getenv("CONVREF_NETWORKS");
    folders[1] = "networks";
    folders[2] = conv_folder_beside(beside, "../networks");
    folders[3] = CONVREF_NETWORKS_DIR;
}

char *conv_network_find(const char *name)
{
    char beside[1024], file[256];
    const char *folders[FOLDERS];
    network_folders(folders, beside);
    if ((strchr(name, '/') || strstr(name, ".net") || strstr(name, ".onnx")) && access(name, R_OK) == 0)
        return strdup(name);
    if (snprintf(file, sizeof file, "%s.net", name) >= (int)sizeof file)
        return NULL;
    return conv_file_find(folders, FOLDERS, file);
}

char **conv_network_list(void)
{
    char beside[1024];
    const char *folders[FOLDERS];
    network_folders(folders, beside);
    return conv_files_find(folders, FOLDERS, ".net");
}
