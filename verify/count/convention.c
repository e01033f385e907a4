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
    CONV_MACS, CONV_BIAS_ADDS, CONV_2D_MACS, CONV_2D_BIAS_ADDS, CONV_2D_SUMS_WITHOUT_BIAS,
    TRANSPOSED_MACS, TRANSPOSED_BIAS_ADDS, TRANSPOSED_2D_MACS, TRANSPOSED_OVERCOUNT, TRANSPOSED_LOST,
    TRANSPOSED_BY_OUTPUTS, TRANSPOSED_BIAS_AS_CONV, TRANSPOSED_BY_STRIDE,
    LINEAR_MACS, LINEAR_BIAS_ADDS, LINEAR_PARAMS, LINEAR_OUT, PRODUCT_MACS, RECURRENT_MACS,
    BN, BN_PARAMS, LN, LN_PARAMS, LN2D, LN2D_PARAMS,
    RELU, RELU_CALLED, RELU6, OTHER_RELU, SWISH, GELU, SIGMOID, HARD_SWISH, HARD_SIGMOID,
    MAX_POOL_IN, MAX_POOL_OUT, MAX_POOL_TAPS, AVG_POOL_IN, AVG_POOL_OUT, AVG_POOL_TAPS,
    GLOBAL_POOL_IN, GLOBAL_POOL_OUT, SAME_POOL, GLOBAL_POOL_CALLED_IN, GLOBAL_POOL_CALLED_OUT, MEAN_IN, MEAN_OUT,
    PRODUCTS, SUMS, TERMS
};
_Static_assert((int)TERMS <= (int)CONV_MOST_TERMS, "callers have room for CONV_MOST_TERMS");

static const char *const words[TERMS] = {
    [CONV_MACS] = "MACs of convolutions", [CONV_BIAS_ADDS] = "outputs of convolutions with a bias",
    [LINEAR_MACS] = "MACs of linear layers", [LINEAR_BIAS_ADDS] = "outputs of linear layers with a bias",
    [LINEAR_PARAMS] = "parameters of linear layers, instead of their MACs",
    [LINEAR_OUT] = "outputs of linear layers",
    [CONV_2D_MACS] = "MACs of convolutions of two axes",
    [CONV_2D_BIAS_ADDS] = "outputs of convolutions of two axes with a bias",
    [CONV_2D_SUMS_WITHOUT_BIAS] = "sums of convolutions of two axes without a bias",
    [TRANSPOSED_MACS] = "MACs of transposed convolutions",
    [TRANSPOSED_BIAS_ADDS] = "outputs of transposed convolutions with a bias",
    [TRANSPOSED_2D_MACS] = "MACs of transposed convolutions of two axes",
    [TRANSPOSED_LOST] = "MACs of transposed convolutions that are lost by dividing by the groups twice",
    [TRANSPOSED_BY_OUTPUTS] = "outputs of transposed convolutions, each with the taps of one input",
    [TRANSPOSED_BIAS_AS_CONV] = "outputs that transposed convolutions with a bias would have if they were none",
    [TRANSPOSED_BY_STRIDE] = "MACs of transposed convolutions if outputs met the taps, divided by the strides",
    [TRANSPOSED_OVERCOUNT] = "MACs that transposed convolutions would have if outputs met the taps",
    [PRODUCT_MACS] = "MACs of products of computed matrices",
    [RECURRENT_MACS] = "MACs of recurrent layers",
    [BN] = "elements of batch normalisations", [BN_PARAMS] = "parameters of batch normalisations",
    [LN] = "elements of layer normalisations", [LN_PARAMS] = "parameters of layer normalisations",
    [LN2D] = "elements of LayerNorm2d", [LN2D_PARAMS] = "parameters of LayerNorm2d",
    [RELU] = "elements of ReLU modules", [RELU_CALLED] = "elements of ReLU calls", [RELU6] = "elements of ReLU6",
    [OTHER_RELU] = "elements of leaky ReLU, ELU and PReLU",
    [SWISH] = "elements of swish", [GELU] = "elements of GELU", [SIGMOID] = "elements of sigmoid",
    [HARD_SWISH] = "elements of hard swish", [HARD_SIGMOID] = "elements of hard sigmoid",
    [MAX_POOL_IN] = "inputs of max pooling", [MAX_POOL_OUT] = "outputs of max pooling",
    [MAX_POOL_TAPS] = "outputs of max pooling, times the taps",
    [AVG_POOL_TAPS] = "outputs of average pooling, times the taps",
    [AVG_POOL_IN] = "inputs of average pooling", [AVG_POOL_OUT] = "outputs of average pooling",
    [GLOBAL_POOL_IN] = "inputs of global pooling", [GLOBAL_POOL_OUT] = "outputs of global pooling",
    [SAME_POOL] = "elements of adaptive pooling that changes nothing",
    [GLOBAL_POOL_CALLED_IN] = "inputs of global pooling calls",
    [GLOBAL_POOL_CALLED_OUT] = "outputs of global pooling calls", [MEAN_IN] = "inputs of means",
    [MEAN_OUT] = "outputs of means", [SUMS] = "elements of additions",
    [PRODUCTS] = "elements of products (squeeze-and-excite, layer scale)",
};

static const struct { struct conv_convention facts; int factor[TERMS]; } conventions[] = {
    { { "papers", "", "multiply-adds" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [RECURRENT_MACS] = 1 } },
    { { "torchvision", "0.29, weights' _ops", "GFLOPS, meaning GMACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1 } },
    { { "ptflops", "0.7.5", "MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [CONV_BIAS_ADDS] = 1, [TRANSPOSED_BIAS_ADDS] = 1,
        [LINEAR_MACS] = 1, [LINEAR_BIAS_ADDS] = 1, [PRODUCT_MACS] = 1,
        [BN] = 2, [LN] = 1, [RELU] = 2, [RELU_CALLED] = 1, [RELU6] = 1, [SWISH] = 1, [GELU] = 2, [MAX_POOL_IN] = 2,
        [AVG_POOL_IN] = 2, [GLOBAL_POOL_IN] = 2, [SAME_POOL] = 2, [GLOBAL_POOL_CALLED_IN] = 1 } },
    { { "ptflops-aten", "0.7.5, backend aten", "MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [CONV_BIAS_ADDS] = 1, [TRANSPOSED_BIAS_ADDS] = 1,
        [LINEAR_MACS] = 1, [LINEAR_BIAS_ADDS] = 1, [PRODUCT_MACS] = 1 } },
    { { "thop", "0.1.1", "MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [TRANSPOSED_OVERCOUNT] = 1, [BN] = 4,
        [LN] = 4, [AVG_POOL_OUT] = 1,
        [GLOBAL_POOL_IN] = 1, [GLOBAL_POOL_OUT] = 1, [SAME_POOL] = 2 } },
    { { "fvcore", "0.1.5", "flops, meaning MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [BN] = 2, [LN] = 5,
        [LN2D] = 5, [GLOBAL_POOL_IN] = 1,
        [SAME_POOL] = 1, [GLOBAL_POOL_CALLED_IN] = 1 } },
    { { "torchinfo", "1.8.0", "mult-adds" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [CONV_BIAS_ADDS] = 1, [TRANSPOSED_BIAS_ADDS] = 1,
        [LINEAR_PARAMS] = 1, [TRANSPOSED_OVERCOUNT] = 1, [BN_PARAMS] = 1,
        [LN_PARAMS] = 1, [LN2D_PARAMS] = 1 } },
    { { "torchprofile", "0.1.0", "MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [BN] = 1, [LN] = 1,
        [LN2D] = 1, [AVG_POOL_OUT] = 1,
        [GLOBAL_POOL_OUT] = 1, [SAME_POOL] = 1, [GLOBAL_POOL_CALLED_OUT] = 1, [MEAN_OUT] = 1, [PRODUCTS] = 1 } },
    { { "flop_counter", "torch 2.15", "FLOPs, two for each MAC" },
      { [CONV_MACS] = 2, [TRANSPOSED_MACS] = 2, [LINEAR_MACS] = 2, [PRODUCT_MACS] = 2 } },
    { { "deepspeed", "0.19.8, its MACs", "MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1 } },
    { { "calflops", "0.3.2", "FLOPs, two for each MAC" },
      { [CONV_MACS] = 2, [CONV_BIAS_ADDS] = 1, [TRANSPOSED_MACS] = 2, [TRANSPOSED_LOST] = -2,
        [TRANSPOSED_BIAS_AS_CONV] = 1, [LINEAR_MACS] = 2, [BN] = 2, [LN] = 5, [LN2D] = 5, [RELU] = 1,
        [RELU_CALLED] = 1,
        [OTHER_RELU] = 1, [SWISH] = 1, [GELU] = 1, [MAX_POOL_IN] = 1, [AVG_POOL_IN] = 1, [GLOBAL_POOL_IN] = 1,
        [SAME_POOL] = 1, [GLOBAL_POOL_CALLED_IN] = 1 } },
    { { "calflops-macs", "0.3.2, its MACs", "MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [TRANSPOSED_LOST] = -1, [LINEAR_MACS] = 1 } },
    { { "torchstat", "0.0.7, its Flops", "Flops, meaning MACs" },
      { [CONV_2D_MACS] = 1, [CONV_2D_BIAS_ADDS] = 1, [LINEAR_MACS] = 1, [BN] = 2, [RELU] = 1, [RELU6] = 1,
        [OTHER_RELU] = 1, [MAX_POOL_IN] = 1, [AVG_POOL_IN] = 1 } },
    { { "torchstat-madd", "0.0.7, its MAdd", "MAdd, two for each MAC" },
      { [CONV_2D_MACS] = 2, [TRANSPOSED_2D_MACS] = 2, [CONV_2D_SUMS_WITHOUT_BIAS] = -1, [LINEAR_MACS] = 2,
        [LINEAR_OUT] = -1, [BN] = 4, [RELU] = 1, [RELU6] = 1, [MAX_POOL_TAPS] = 1, [MAX_POOL_OUT] = -1,
        [AVG_POOL_TAPS] = 1 } },
    { { "mmengine", "0.10.7", "FLOPs, meaning MACs" },
      { [CONV_MACS] = 1, [TRANSPOSED_MACS] = 1, [LINEAR_MACS] = 1, [PRODUCT_MACS] = 1, [BN] = 2, [LN] = 5,
        [LN2D] = 5,
        [GLOBAL_POOL_IN] = 1, [SAME_POOL] = 1, [GLOBAL_POOL_CALLED_IN] = 1 } },
    { { "keras-flops", "0.1.2", "FLOPs, two for each MAC" },
      { [CONV_MACS] = 2, [CONV_BIAS_ADDS] = 1, [TRANSPOSED_BY_STRIDE] = 2, [TRANSPOSED_BIAS_ADDS] = 1,
        [LINEAR_MACS] = 2, [LINEAR_BIAS_ADDS] = 1, [BN] = 2, [BN_PARAMS] = 3, [MAX_POOL_TAPS] = 1,
        [AVG_POOL_TAPS] = 1, [GLOBAL_POOL_IN] = 1, [GLOBAL_POOL_CALLED_IN] = 1, [MEAN_IN] = 1, [PRODUCTS] = 1,
        [SUMS] = 1 } },
    { { "onnx-tool", "1.0.1", "MACs" },
      { [CONV_MACS] = 1, [CONV_BIAS_ADDS] = 1, [TRANSPOSED_BY_OUTPUTS] = 1, [TRANSPOSED_BIAS_ADDS] = 1,
        [LINEAR_MACS] = 1, [LINEAR_BIAS_ADDS] = 1, [PRODUCT_MACS] = 1, [BN] = 31, [RELU] = 1, [RELU_CALLED] = 1,
        [RELU6] = 2, [SWISH] = 33, [SIGMOID] = 32, [HARD_SWISH] = 5, [HARD_SIGMOID] = 4, [MAX_POOL_TAPS] = 1,
        [AVG_POOL_TAPS] = 1, [SAME_POOL] = 1, [GLOBAL_POOL_IN] = 1, [GLOBAL_POOL_OUT] = 4,
        [GLOBAL_POOL_CALLED_IN] = 1,
        [GLOBAL_POOL_CALLED_OUT] = 4, [MEAN_IN] = 1, [PRODUCTS] = 1, [SUMS] = 1 } },
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

/* A product that no tool would print is cut at 2^56: nothing has checked those that no convolution really has. */
static int64_t times(int64_t a, int64_t b)
{
    const double about = (double)a * (double)b;
    return about > 0x1p56 ? INT64_C(1) << 56 : about < -0x1p56 ? -(INT64_C(1) << 56) : a * b;
}

static int64_t volume(const int64_t sizes[CONV_AXES]) { return times(times(sizes[0], sizes[1]), sizes[2]); }

/* What tools make of a transposed convolution, whose own MACs are inputs x taps. */
static void add_transposed(int64_t counts[TERMS], const struct conv_problem *p, const struct conv_count *count)
{
    int64_t in[CONV_AXES], out[CONV_AXES], taps[CONV_AXES], stride[CONV_AXES], as_conv[CONV_AXES];
    for (int i = 0; i < CONV_AXES; i++) {
        const struct conv_axis *a = &p->axis[i];
        const int64_t span = a->in + 2 * a->pad_begin - (a->dilation * (a->filter - 1) + 1);
        in[i] = a->in, out[i] = a->out, taps[i] = a->filter, stride[i] = a->stride;
        as_conv[i] = (span >= 0 ? span / a->stride : -((a->stride - 1 - span) / a->stride)) + 1;   /* rounded down */
    }
    const int64_t of_group = p->k / p->groups, by_outputs = times(count->macs / volume(in), volume(out));
    counts[TRANSPOSED_MACS] += count->macs;
    counts[TRANSPOSED_BIAS_ADDS] += count->bias_adds;
    counts[TRANSPOSED_OVERCOUNT] += by_outputs - count->macs;
    counts[TRANSPOSED_LOST] += count->macs - p->n * p->c * (of_group / p->groups) * volume(taps) * volume(in);
    counts[TRANSPOSED_BY_OUTPUTS] += times(p->n * p->k * volume(out), of_group * volume(taps));
    counts[TRANSPOSED_BY_STRIDE] += by_outputs / volume(stride);
    /* of a window that is larger than the image the formula may make less than nothing: cut off at 0 */
    const int64_t biases = p->bias ? times(p->n * of_group, volume(as_conv)) : 0;
    counts[TRANSPOSED_BIAS_AS_CONV] += biases > 0 ? biases : 0;
    counts[TRANSPOSED_2D_MACS] += p->rank == 2 ? count->macs : 0;
    counts[CONV_2D_SUMS_WITHOUT_BIAS] += p->rank == 2 && !p->bias ? p->n * p->k * volume(in) : 0;
}

static void add_conv(int64_t counts[TERMS], const struct conv_problem *problem)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    if (problem->op == CONV_OP_TRANSPOSED) {
        add_transposed(counts, problem, &count);
        return;
    }
    const struct conv_axis *a = problem->axis;
    counts[CONV_MACS] += count.macs;
    counts[CONV_BIAS_ADDS] += count.bias_adds;
    if (problem->rank != 2)
        return;
    counts[CONV_2D_MACS] += count.macs;
    counts[CONV_2D_BIAS_ADDS] += count.bias_adds;
    counts[CONV_2D_SUMS_WITHOUT_BIAS] += problem->bias ? 0 : problem->n * problem->k * a[1].out * a[2].out;
}

static void add_linear(int64_t counts[TERMS], const struct conv_node *node)
{
    struct conv_count count;
    conv_count_problem(&count, &node->problem);
    counts[LINEAR_MACS] += count.macs;
    counts[LINEAR_BIAS_ADDS] += count.bias_adds;
    counts[LINEAR_PARAMS] += conv_node_params(node);
    counts[LINEAR_OUT] += conv_shape_elements(&node->out);
}

static void add_pool(int64_t counts[TERMS], const struct conv_node *node)
{
    const int64_t in = conv_shape_elements(&node->in), out = conv_shape_elements(&node->out);
    if (!strcmp(node->via, "adaptive")) {
        counts[SAME_POOL] += in;
    } else if (!strcmp(node->fn, "max")) {
        counts[MAX_POOL_IN] += in;
        counts[MAX_POOL_OUT] += out;
        counts[MAX_POOL_TAPS] += out * node->window;
    } else {
        counts[AVG_POOL_IN] += in;
        counts[AVG_POOL_OUT] += out;
        counts[AVG_POOL_TAPS] += out * node->window;
    }
}

static void add_global_pool(int64_t counts[TERMS], const struct conv_node *node)
{
    const int64_t in = conv_shape_elements(&node->in), out = conv_shape_elements(&node->out);
    if (!strcmp(node->via, "mean")) {
        counts[MEAN_IN] += in;
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
        { "relu", RELU }, { "relu6", RELU6 }, { "leaky_relu", OTHER_RELU }, { "leakyrelu", OTHER_RELU },
        { "elu", OTHER_RELU }, { "prelu", OTHER_RELU }, { "swish", SWISH }, { "silu", SWISH }, { "gelu", GELU },
        { "sigmoid", SIGMOID }, { "hswish", HARD_SWISH }, { "hardswish", HARD_SWISH },
        { "hsigmoid", HARD_SIGMOID }, { "hardsigmoid", HARD_SIGMOID },
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
    struct conv_problem stages[CONV_MOST_STAGES];
    switch (node->kind) {
    case CONV_NODE_CONV:
    case CONV_NODE_DW:
    case CONV_NODE_TRANSPOSED:
        add_conv(counts, &node->problem);
        break;
    case CONV_NODE_SEPARABLE:
        for (int stage = conv_stages(stages, &node->problem) - 1; stage >= 0; stage--)
            add_conv(counts, &stages[stage]);
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
    case CONV_NODE_ADD: counts[SUMS] += elements; break;
    default:
        break;   /* concatenations, slices and shuffles: nobody counts them */
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

/* What some tools count by rules that aren't among the terms, or stop at. */
static const struct { enum conv_node_kind kind; const char *fn; const char *tools; } beyond_terms[] = {
    { CONV_NODE_UPSAMPLE, "", " ptflops thop fvcore mmengine calflops torchstat onnx-tool " },
    { CONV_NODE_ACT, "leaky_relu", " ptflops " },
    { CONV_NODE_ACT, "leakyrelu", " ptflops " },   /* of an ONNX model */
    { CONV_NODE_ACT, "elu", " ptflops " },
    { CONV_NODE_ACT, "prelu", " ptflops thop " },
    /* composed of others by Keras, each of which has its figure */
    { CONV_NODE_ACT, "swish", " keras-flops " }, { CONV_NODE_ACT, "silu", " keras-flops " },
    { CONV_NODE_ACT, "hswish", " keras-flops " }, { CONV_NODE_ACT, "hsigmoid", " keras-flops " },
    { CONV_NODE_ACT, "hardswish", " keras-flops " }, { CONV_NODE_ACT, "hardsigmoid", " keras-flops " },
    { CONV_NODE_ACT, "gelu", " keras-flops " }, { CONV_NODE_ACT, "mish", " keras-flops " },
    { CONV_NODE_ACT, "leaky_relu", " keras-flops " }, { CONV_NODE_ACT, "leakyrelu", " keras-flops " },
    { CONV_NODE_ACT, "prelu", " keras-flops " },
    { CONV_NODE_ACT, "softmax", " calflops torchstat-madd keras-flops " },
    { CONV_NODE_LN, "", " keras-flops onnx-tool " },
    { CONV_NODE_SCALE, "", " keras-flops onnx-tool " },
    { CONV_NODE_PRODUCT, "", " calflops calflops-macs keras-flops " },   /* by how the code calls them */
    { CONV_NODE_PRODUCT, "attention", " onnx-tool " },   /* with a softmax */
    { CONV_NODE_SHUFFLE, "", " onnx-tool " },   /* exported with arithmetic on shapes, of which it counts some */
    { CONV_NODE_GPOOL, "max", " keras-flops onnx-tool " }, { CONV_NODE_GPOOL, "lp", " keras-flops onnx-tool " },
    { CONV_NODE_LINEAR, "", " torchstat torchstat-madd " },   /* stop: a linear layer's input has two axes */
};

/* The activations that onnx-tool's terms have, and the operators that it gives nothing. */
static const struct { enum conv_node_kind kind; const char *names; } known_to_onnx_tool[] = {
    { CONV_NODE_ACT, " relu relu6 swish silu sigmoid hswish hardswish hsigmoid hardsigmoid " },
    { CONV_NODE_OTHER, " Cast Constant ConstantOfShape DepthToSpace Dropout Erf Expand Flatten Gather Identity Pad "
                       "Reshape Shape Squeeze Tile Transpose Unsqueeze " },
    { CONV_NODE_POOL, " max avg " },
};

static bool has_word(const char *words_with_spaces, const char *word)
{
    char spaced[32];
    snprintf(spaced, sizeof spaced, " %s ", word);
    return strstr(words_with_spaces, spaced);
}

static bool is_beyond_terms(const char *tool, const struct conv_node *node)
{
    if (!strcmp(tool, "onnx-tool") && node->kind == CONV_NODE_POOL && node->in.rank == 3)
        return true;   /* it leaves two of the three axes of the window out */
    for (size_t i = 0; i < sizeof known_to_onnx_tool / sizeof *known_to_onnx_tool; i++)
        if (!strcmp(tool, "onnx-tool") && node->kind == known_to_onnx_tool[i].kind
            && !has_word(known_to_onnx_tool[i].names, node->fn))
            return true;
    /* torchstat takes one image of two axes, and stops at any other */
    if (!strncmp(tool, "torchstat", 9) && conv_node_is_conv(node) && node->problem.rank != 2)
        return true;
    for (size_t i = 0; i < sizeof beyond_terms / sizeof *beyond_terms; i++)
        if (node->kind == beyond_terms[i].kind && has_word(beyond_terms[i].tools, tool)
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
            count += is_beyond_terms(conventions[convention].facts.name, node);
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
