/* convention.c - what other people's tools print.   Declared in convref/convention.h.
 *
 * First a network is taken apart into terms (TERMS below), then a convention is a dot product.  Where the tools
 * differ by how torchvision's code calls an operation, the node says so with `via` (docs/networks.md).
 */
#include <convref/convention.h>
#include <convref/tensor.h>
#include <stdio.h>
#include <string.h>

/* Everything that some tool counts.  Elements are those of one image. */
enum term {
    CONV_MACS, CONV_BIAS_ADDS, LINEAR_MACS, LINEAR_BIAS_ADDS, LINEAR_PARAMS, TRANSPOSED_OVERCOUNT,
    PRODUCT_MACS, RECURRENT_MACS,
    BN, BN_PARAMS, LN, LN_PARAMS, LN2D, LN2D_PARAMS,
    RELU, RELU_CALLED, RELU6, SWISH, GELU,
    MAX_POOL_IN, AVG_POOL_IN, AVG_POOL_OUT, GLOBAL_POOL_IN, GLOBAL_POOL_OUT, SAME_POOL,
    GLOBAL_POOL_CALLED_IN, GLOBAL_POOL_CALLED_OUT, MEAN_OUT, PRODUCTS, TERMS
};
_Static_assert((int)TERMS <= (int)CONV_MOST_TERMS, "callers have room for CONV_MOST_TERMS");

static const char *const words[TERMS] = {
    [CONV_MACS] = "MACs of convolutions", [CONV_BIAS_ADDS] = "outputs of convolutions with a bias",
    [LINEAR_MACS] = "MACs of linear layers", [LINEAR_BIAS_ADDS] = "outputs of linear layers with a bias",
    [LINEAR_PARAMS] = "parameters of linear layers, instead of their MACs",
    [TRANSPOSED_OVERCOUNT] = "MACs that transposed convolutions would have if outputs met the taps",
    [PRODUCT_MACS] = "MACs of products of computed matrices",
    [RECURRENT_MACS] = "MACs of recurrent layers",
    [BN] = "elements of batch normalisations", [BN_PARAMS] = "parameters of batch normalisations",
    [LN] = "elements of layer normalisations", [LN_PARAMS] = "parameters of layer normalisations",
    [LN2D] = "elements of LayerNorm2d", [LN2D_PARAMS] = "parameters of LayerNorm2d",
    [RELU] = "elements of ReLU modules", [RELU_CALLED] = "elements of ReLU calls", [RELU6] = "elements of ReLU6",
    [SWISH] = "elements of swish", [GELU] = "elements of GELU", [MAX_POOL_IN] = "inputs of max pooling",
    [AVG_POOL_IN] = "inputs of average pooling", [AVG_POOL_OUT] = "outputs of average pooling",
    [GLOBAL_POOL_IN] = "inputs of global pooling", [GLOBAL_POOL_OUT] = "outputs of global pooling",
    [SAME_POOL] = "elements of adaptive pooling that changes nothing",
    [GLOBAL_POOL_CALLED_IN] = "inputs of global pooling calls",
    [GLOBAL_POOL_CALLED_OUT] = "outputs of global pooling calls", [MEAN_OUT] = "outputs of means",
    [PRODUCTS] = "elements of products (squeeze-and-excite, layer scale)",
};

static const struct { struct conv_convention facts; int factor[TERMS]; } conventions[] = {
    { { "papers", "", "multiply-adds" },
      { [CONV_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [RECURRENT_MACS] = 1 } },
    { { "torchvision", "0.29, weights' _ops", "GFLOPS, meaning GMACs" },
      { [CONV_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1 } },
    { { "ptflops", "0.7.5", "MACs" },
      { [CONV_MACS] = 1, [CONV_BIAS_ADDS] = 1, [LINEAR_MACS] = 1, [LINEAR_BIAS_ADDS] = 1, [PRODUCT_MACS] = 1,
        [BN] = 2, [LN] = 1, [RELU] = 2, [RELU_CALLED] = 1, [RELU6] = 1, [SWISH] = 1, [GELU] = 2, [MAX_POOL_IN] = 2,
        [AVG_POOL_IN] = 2, [GLOBAL_POOL_IN] = 2, [SAME_POOL] = 2, [GLOBAL_POOL_CALLED_IN] = 1 } },
    { { "ptflops-aten", "0.7.5, backend aten", "MACs" },
      { [CONV_MACS] = 1, [CONV_BIAS_ADDS] = 1, [LINEAR_MACS] = 1, [LINEAR_BIAS_ADDS] = 1, [PRODUCT_MACS] = 1 } },
    { { "thop", "0.1.1", "MACs" },
      { [CONV_MACS] = 1, [LINEAR_MACS] = 1, [TRANSPOSED_OVERCOUNT] = 1, [BN] = 4, [LN] = 4, [AVG_POOL_OUT] = 1,
        [GLOBAL_POOL_IN] = 1, [GLOBAL_POOL_OUT] = 1, [SAME_POOL] = 2 } },
    { { "fvcore", "0.1.5", "flops, meaning MACs" },
      { [CONV_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [BN] = 2, [LN] = 5, [LN2D] = 5, [GLOBAL_POOL_IN] = 1,
        [SAME_POOL] = 1, [GLOBAL_POOL_CALLED_IN] = 1 } },
    { { "torchinfo", "1.8.0", "mult-adds" },
      { [CONV_MACS] = 1, [CONV_BIAS_ADDS] = 1, [LINEAR_PARAMS] = 1, [TRANSPOSED_OVERCOUNT] = 1, [BN_PARAMS] = 1,
        [LN_PARAMS] = 1, [LN2D_PARAMS] = 1 } },
    { { "torchprofile", "0.1.0", "MACs" },
      { [CONV_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [BN] = 1, [LN] = 1, [LN2D] = 1, [AVG_POOL_OUT] = 1,
        [GLOBAL_POOL_OUT] = 1, [SAME_POOL] = 1, [GLOBAL_POOL_CALLED_OUT] = 1, [MEAN_OUT] = 1, [PRODUCTS] = 1 } },
    { { "flop_counter", "torch 2.15", "FLOPs, two for each MAC" },
      { [CONV_MACS] = 2, [LINEAR_MACS] = 2, [PRODUCT_MACS] = 2 } },
    { { "deepspeed", "0.19.8, its MACs", "MACs" },
      { [CONV_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1 } },
};
enum { CONVENTIONS = sizeof conventions / sizeof *conventions };

int conv_convention_count(void) { return CONVENTIONS; }

struct conv_convention conv_convention_at(int index) { return conventions[index].facts; }

int conv_convention_find(const char *name)
{
    for (int i = 0; i < CONVENTIONS; i++)
        if (!strcmp(name, conventions[i].facts.name))
            return i;
    return -1;
}

/* ---- taking apart ---------------------------------------------------------------------------------------------- */

static void add_conv(int64_t counts[TERMS], const struct conv_problem *problem)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    counts[CONV_MACS] += count.macs;
    counts[CONV_BIAS_ADDS] += count.bias_adds;
    if (problem->op == CONV_OP_TRANSPOSED) {
        const struct conv_axis *a = problem->axis;
        const int64_t inputs = a[0].in * a[1].in * a[2].in, outputs = a[0].out * a[1].out * a[2].out;
        counts[TRANSPOSED_OVERCOUNT] += count.macs / inputs * outputs - count.macs;
    }
}

static void add_linear(int64_t counts[TERMS], const struct conv_node *node)
{
    struct conv_count count;
    conv_count_problem(&count, &node->problem);
    counts[LINEAR_MACS] += count.macs;
    counts[LINEAR_BIAS_ADDS] += count.bias_adds;
    counts[LINEAR_PARAMS] += conv_node_params(node);
}

static void add_pool(int64_t counts[TERMS], const struct conv_node *node)
{
    const int64_t in = conv_shape_elements(&node->in), out = conv_shape_elements(&node->out);
    if (!strcmp(node->via, "adaptive")) {
        counts[SAME_POOL] += in;
    } else if (!strcmp(node->fn, "max")) {
        counts[MAX_POOL_IN] += in;
    } else {
        counts[AVG_POOL_IN] += in;
        counts[AVG_POOL_OUT] += out;
    }
}

static void add_global_pool(int64_t counts[TERMS], const struct conv_node *node)
{
    const int64_t in = conv_shape_elements(&node->in), out = conv_shape_elements(&node->out);
    if (!strcmp(node->via, "mean")) {
        counts[MEAN_OUT] += out;
        return;
    }
    const bool called = !strcmp(node->via, "call");
    counts[called ? GLOBAL_POOL_CALLED_IN : GLOBAL_POOL_IN] += in;
    counts[called ? GLOBAL_POOL_CALLED_OUT : GLOBAL_POOL_OUT] += out;
}

static void add_activation(int64_t counts[TERMS], const struct conv_node *node)
{
    static const struct { const char *fn; enum term term; } functions[] = {
        { "relu", RELU }, { "relu6", RELU6 }, { "swish", SWISH }, { "silu", SWISH }, { "gelu", GELU },
    };
    const bool called_relu = !strcmp(node->fn, "relu") && !strcmp(node->via, "call");
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(node->fn, functions[i].fn))
            counts[called_relu ? RELU_CALLED : functions[i].term] += conv_shape_elements(&node->out);
}

static void add_node(int64_t counts[TERMS], const struct conv_node *node)
{
    const int64_t elements = conv_shape_elements(&node->out), params = conv_node_params(node);
    const bool is_2d = !strcmp(node->via, "2d");
    struct conv_problem depthwise, pointwise;
    switch (node->kind) {
    case CONV_NODE_CONV:
    case CONV_NODE_DW:
    case CONV_NODE_TRANSPOSED:
        add_conv(counts, &node->problem);
        break;
    case CONV_NODE_SEPARABLE:
        conv_separable_stages(&depthwise, &pointwise, &node->problem);
        add_conv(counts, &depthwise);
        add_conv(counts, &pointwise);
        break;
    case CONV_NODE_LINEAR:
    case CONV_NODE_FC:
        add_linear(counts, node);
        break;
    case CONV_NODE_PRODUCT: counts[PRODUCT_MACS] += node->macs; break;
    case CONV_NODE_RECURRENT: counts[RECURRENT_MACS] += node->macs; break;
    case CONV_NODE_BN:
        counts[BN] += elements;
        counts[BN_PARAMS] += params;
        break;
    case CONV_NODE_LN:
        counts[is_2d ? LN2D : LN] += elements;
        counts[is_2d ? LN2D_PARAMS : LN_PARAMS] += params;
        break;
    case CONV_NODE_ACT: add_activation(counts, node); break;
    case CONV_NODE_POOL: add_pool(counts, node); break;
    case CONV_NODE_GPOOL: add_global_pool(counts, node); break;
    case CONV_NODE_MUL:
    case CONV_NODE_SCALE:
        counts[PRODUCTS] += elements;
        break;
    default:
        break;   /* additions, concatenations, slices and shuffles: nobody counts them */
    }
}

/* ---- the figures ----------------------------------------------------------------------------------------------- */

static int64_t sum(struct conv_term terms[CONV_MOST_TERMS], int *count, int convention, const int64_t counts[TERMS])
{
    int64_t total = 0;
    *count = 0;
    for (int i = 0; i < TERMS; i++) {
        const int factor = conventions[convention].factor[i];
        if (!factor || !counts[i])
            continue;
        terms[(*count)++] = (struct conv_term){ words[i], counts[i], factor };
        total += factor * counts[i];
    }
    return total;
}

int64_t conv_convention_network(struct conv_term terms[CONV_MOST_TERMS], int *count, int convention,
                                const struct conv_network *network)
{
    int64_t counts[TERMS] = { 0 };
    for (int i = 0; i < network->node_count; i++)
        if (!network->nodes[i].aux && !network->nodes[i].fixed)
            add_node(counts, &network->nodes[i]);
    return sum(terms, count, convention, counts);
}

/* Terms beyond layers, whose sizes alone matter: a convention that has one misses a node of no known size. */
static bool counts_elements(int convention)
{
    for (int term = BN; term < TERMS; term++)
        if (conventions[convention].factor[term])
            return true;
    return false;
}

/* What some tools count, by rules that aren't among the terms. */
static const struct { enum conv_node_kind kind; const char *fn; const char *tools; } beyond_terms[] = {
    { CONV_NODE_UPSAMPLE, "", " ptflops thop fvcore " },
    { CONV_NODE_ACT, "leaky_relu", " ptflops " },
    { CONV_NODE_ACT, "leakyrelu", " ptflops " },   /* of an ONNX model */
    { CONV_NODE_ACT, "elu", " ptflops " },
    { CONV_NODE_ACT, "prelu", " ptflops thop " },
};

static bool is_beyond_terms(int convention, const struct conv_node *node)
{
    char spaced[32];
    snprintf(spaced, sizeof spaced, " %s ", conventions[convention].facts.name);
    for (size_t i = 0; i < sizeof beyond_terms / sizeof *beyond_terms; i++)
        if (node->kind == beyond_terms[i].kind && strstr(beyond_terms[i].tools, spaced)
            && (!*beyond_terms[i].fn || !strcmp(node->fn, beyond_terms[i].fn)))
            return true;
    return false;
}

int conv_convention_missing(int convention, const struct conv_network *network)
{
    int count = conv_network_unknowns(network);
    for (int i = 0; i < network->node_count; i++) {
        const struct conv_node *node = &network->nodes[i];
        if (node->kind == CONV_NODE_RECURRENT)
            count += !conventions[convention].factor[RECURRENT_MACS];
        else if (!node->aux && !node->fixed)
            count += is_beyond_terms(convention, node);
    }
    return count + (counts_elements(convention) ? conv_network_open_nodes(network) : 0);
}

int64_t conv_convention_problem(struct conv_term terms[CONV_MOST_TERMS], int *count, int convention,
                                const struct conv_problem *problem)
{
    struct conv_node node = { .kind = problem->op == CONV_OP_SEPARABLE ? CONV_NODE_SEPARABLE : CONV_NODE_CONV,
                              .problem = *problem };
    int64_t counts[TERMS] = { 0 };
    add_node(counts, &node);
    return sum(terms, count, convention, counts);
}
