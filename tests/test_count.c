/* test_count.c - counts: formulas against a reference that counts, networks against their published totals, and
 * conventions against what other people's tools printed. */
#include "core/main_output.h"
#include "tests/random_problem.h"
#include "tests/test.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#ifndef SRCDIR
#define SRCDIR "."
#endif

/* Every pair of a window and a tap, one by one, padding too: the nominal count. */
static int64_t nominal_by_enumeration(const struct conv_problem *problem)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    const int stage_count = conv_stages(stages, problem);
    int64_t count = 0;
    for (int i = 0; stage_count > 1 && i < stage_count; i++)
        count += nominal_by_enumeration(&stages[i]);
    if (stage_count > 1)
        return count;
    for (int64_t n = 0; n < problem->n; n++)
        for (int64_t k = 0; k < problem->k; k++)
            for (int64_t c = 0; c < problem->c / problem->groups; c++) {
                int64_t pairs = 1;
                for (int a = 0; a < CONV_AXES; a++) {
                    int64_t axis_pairs = 0;
                    const int64_t windows = problem->op == CONV_OP_TRANSPOSED ? problem->axis[a].in : problem->axis[a].out;
                    for (int64_t window = 0; window < windows; window++)
                        for (int64_t tap = 0; tap < problem->axis[a].filter; tap++)
                            axis_pairs++;
                    pairs *= axis_pairs;
                }
                count += pairs;
            }
    return count;
}

static void formulas_equal_counting(void)
{
    int compared = 0;
    for (int64_t seed = 0; compared < 3000; seed++) {
        struct conv_problem problem;
        struct test_operands set;
        struct conv_truth truth;
        struct conv_count count;
        int64_t products;
        if (!random_problem(&problem, seed))
            continue;
        compared++;
        test_operands_create(&set, &problem, 1);
        conv_count_problem(&count, &problem);
        CU_ASSERT_EQUAL_FATAL(conv_truth_compute(&truth, &products, &problem, main_output(&problem), &set.operands,
                                                 NULL),
                              CONV_OK);
        if (products != count.macs_inside) {
            char text[CONV_PROBLEM_TEXT];
            TEST_NOTE("%s", conv_problem_print(text, &problem));
        }
        TEST_EQUAL_INT(count.macs_inside, products);
        TEST_EQUAL_INT(count.macs, nominal_by_enumeration(&problem));
        int64_t bytes = 0;
        for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
            bytes += (int64_t)(set.tensors[operand].data ? conv_tensor_bytes(&set.tensors[operand]) : 0);
        TEST_EQUAL_INT(count.bytes, bytes);
        conv_truth_free(&truth);
        test_operands_free(&set);
    }
}

/* Published figures of single layers: Lei Mao's article on separable convolutions. */
static void known_layers(void)
{
    static const struct { const char *text; int64_t params, macs; } rows[] = {
        { "c=8 in=128x128 k=64 filter=3x3 bias=1", 4672, 73156608 },
        { "op=separable c=8 in=128x128 k=64 filter=3x3 bias=1", 656, 9271584 },
        { "c=3 in=227x227 k=96 filter=11x11 stride=4 bias=1", 34944, 105415200 },
        { "c=32 in=112x112 k=32 filter=3x3 groups=32 pad=1", 288, 3612672 },
        { "op=transposed c=64 in=14x14 k=32 filter=4x4 stride=2 pad=1", 32768, 6422528 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].text);
        struct conv_count count;
        conv_count_problem(&count, &problem);
        TEST_EQUAL_INT(count.weights + count.biases, rows[i].params);
        TEST_EQUAL_INT(count.macs, rows[i].macs);
    }
}

/* A block of MobileNetV2 as one problem. */
static struct conv_problem block_of(const struct conv_problem *first, const struct conv_problem *depthwise,
                                    const struct conv_problem *last)
{
    struct conv_problem block = *depthwise;
    block.op = CONV_OP_SEPARABLE;
    block.groups = 1;
    block.c = first->c;
    block.expand = first->k;
    block.k = last->k;
    block.residual = first->c == last->k && depthwise->axis[CONV_W].stride == 1;
    CU_ASSERT_EQUAL_FATAL(conv_problem_finish(&block, NULL), CONV_OK);
    return block;
}

/* The 16 blocks of MobileNetV2 that expand, 10 of them with x added, as one problem and as three layers each. */
static void inverted_residuals(void)
{
    struct conv_network network;
    const struct conv_problem *layers[3] = { NULL };
    int blocks = 0, residuals = 0;
    int64_t macs = 0;
    CU_ASSERT_EQUAL_FATAL(conv_network_read(&network, SRCDIR "/networks/mobilenet_v2.net", NULL), CONV_OK);
    for (int i = 0; i < network.node_count; i++) {
        if (!conv_node_is_conv(&network.nodes[i]))
            continue;
        layers[0] = layers[1], layers[1] = layers[2], layers[2] = &network.nodes[i].problem;
        if (!layers[0] || conv_problem_kind(layers[0]) != CONV_POINTWISE
            || conv_problem_kind(layers[1]) != CONV_DEPTHWISE)
            continue;
        const struct conv_problem block = block_of(layers[0], layers[1], layers[2]);
        struct conv_count whole, each[3];
        conv_count_problem(&whole, &block);
        for (int layer = 0; layer < 3; layer++)
            conv_count_problem(&each[layer], layers[layer]);
        TEST_EQUAL_INT(whole.macs, each[0].macs + each[1].macs + each[2].macs);
        TEST_EQUAL_INT(whole.macs_inside, each[0].macs_inside + each[1].macs_inside + each[2].macs_inside);
        TEST_EQUAL_INT(whole.weights, each[0].weights + each[1].weights + each[2].weights);
        blocks++;
        residuals += block.residual;
        macs += whole.macs;
    }
    TEST_EQUAL_INT(blocks, 16);
    TEST_EQUAL_INT(residuals, 10);
    /* of all layers, without the first, the block that doesn't expand (two layers) and the last */
    TEST_EQUAL_INT(macs, network.totals[CONV_TOTAL_MACS_CONV]
                         - 112 * 112 * (27 * 32 + 9 * 32 + 32 * 16) - 49 * 320 * 1280);
    conv_network_free(&network);
}

static void published_totals(void)
{
    glob_t files;
    int checked = 0;
    CU_ASSERT_EQUAL_FATAL(glob(SRCDIR "/networks/*.net", 0, NULL, &files), 0);
    CU_ASSERT(files.gl_pathc >= 57);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct conv_network network;
        struct conv_error error;
        const enum conv_status status = conv_network_read(&network, files.gl_pathv[i], &error);
        if (status != CONV_OK)
            TEST_NOTE("%s", error.message);
        CU_ASSERT_EQUAL_FATAL(status, CONV_OK);
        CU_ASSERT(network.expectation_count > 0);
        CU_ASSERT_PTR_NOT_NULL(network.source);
        for (int j = 0; j < network.expectation_count; j++, checked++)
            TEST_EQUAL_INT(network.totals[network.expectations[j].total], network.expectations[j].value);
        conv_network_free(&network);
    }
    CU_ASSERT(checked >= 440);
    globfree(&files);
}

/* tests/data/other_tools.tsv: what the tools printed when they were run. */
static void other_tools(void)
{
    FILE *file = fopen(SRCDIR "/tests/data/other_tools.tsv", "r");
    char line[512];
    int rows = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, file));   /* the names */
    while (fgets(line, sizeof line, file)) {
        char tool[64], network_name[64], path[256];
        long long figure;
        struct conv_network network;
        struct conv_term terms[CONV_MOST_TERMS];
        int count;
        CU_ASSERT_EQUAL_FATAL(sscanf(line, "%63[^\t]\t%*[^\t]\t%63[^\t]\t%lld", tool, network_name, &figure), 3);
        snprintf(path, sizeof path, SRCDIR "/networks/%s.net", network_name);
        CU_ASSERT_EQUAL_FATAL(conv_network_read(&network, path, NULL), CONV_OK);
        const int convention = conv_convention_find(tool);
        CU_ASSERT_FATAL(convention >= 0);
        const int64_t counted = conv_convention_network(terms, &count, convention, &network);
        if (counted != figure)
            TEST_NOTE("%s of %s", tool, network_name);
        TEST_EQUAL_INT(counted, figure);
        int64_t sum = 0;
        for (int i = 0; i < count; i++)
            sum += terms[i].count * terms[i].factor;
        TEST_EQUAL_INT(sum, counted);
        conv_network_free(&network);
        rows++;
    }
    fclose(file);
    CU_ASSERT(rows >= 84);
}

#define NET "network n\ninput c=3 in=8x8\n"

/* results/counting-tools.tsv: what five more tools printed for single layers and for networks. */
static void counting_tools(void)
{
    FILE *file = fopen(SRCDIR "/results/counting-tools.tsv", "r");
    char line[512];
    int rows = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fgets(line, sizeof line, file)) {
        char tool[64], what[128], verdict[32];
        long long figure;
        struct conv_term terms[CONV_MOST_TERMS];
        int count;
        if (sscanf(line, "%63[^\t]\t%*[^\t]\t%127[^\t]\t%lld\t%*[^\t]\t%31[^\n]", tool, what, &figure, verdict) != 4)
            continue;   /* a comment, or the names */
        const int convention = conv_convention_find(tool);
        CU_ASSERT_FATAL(convention >= 0);
        int64_t counted, missing = 0;
        if (strchr(what, '=')) {
            const struct conv_problem problem = test_problem(what);
            counted = conv_convention_problem(terms, &count, convention, &problem);
        } else {
            char path[256];
            struct conv_network network;
            snprintf(path, sizeof path, SRCDIR "/networks/%s.net", what);
            CU_ASSERT_EQUAL_FATAL(conv_network_read(&network, path, NULL), CONV_OK);
            counted = conv_convention_network(terms, &count, convention, &network);
            missing = conv_convention_missing(convention, &network);
            conv_network_free(&network);
        }
        /* torchstat keeps what a module's last call counted, and each of the 8 blocks calls its one ReLU twice */
        if (!strcmp(what, "resnet18") && !strncmp(tool, "torchstat", 9)) {
            CU_ASSERT_STRING_EQUAL(verdict, "DIFFERENT");
            counted -= 2 * (64 * 56 * 56 + 128 * 28 * 28 + 256 * 14 * 14 + 512 * 7 * 7);
            strcpy(verdict, "equal");
        }
        if (missing ? counted >= figure : counted != figure)
            TEST_NOTE("%s of %s", tool, what);
        CU_ASSERT(missing ? counted < figure : counted == figure);
        CU_ASSERT_STRING_EQUAL(verdict, missing ? "at least" : "equal");
        rows++;
    }
    fclose(file);
    CU_ASSERT(rows >= 110);
}

/* By hand, of rules that were read and not run: keras-flops 0.1.2 on TensorFlow's registry. */
static void rules_by_hand(void)
{
    static const struct { const char *tool, *text; int64_t figure; } rows[] = {
        /* 2 * outputs * taps * channels of a group, and one for each output with a bias */
        { "keras-flops", "c=8 in=20x24 k=16 filter=3x3 pad=1", 2 * 16 * 480 * 72 },
        { "keras-flops", "c=8 in=20x24 k=16 filter=3x3 pad=1 bias=1", 2 * 16 * 480 * 72 + 16 * 480 },
        { "keras-flops", "c=6 in=14x14 k=12 filter=3x3 groups=6", 2 * 12 * 144 * 9 },
        /* 2 * outputs * taps * inputs' channels / strides: 14 x 14 outputs of 7 x 7 inputs, as many as MACs */
        { "keras-flops", "op=transposed c=8 in=7x7 k=6 filter=4x4 stride=2 pad=1", 2 * 6 * 196 * 16 * 8 / 4 },
        { "keras-flops", "op=transposed c=8 in=7x7 k=6 filter=4x4 stride=2", 2 * 6 * 256 * 16 * 8 / 4 },
        /* divided by the groups twice: 3 outputs of a group / 4 is 0; of 16 outputs 1 is left of 4 */
        { "calflops-macs", "op=transposed c=8 in=7x9 k=12 filter=3x3 groups=4 stride=2 pad=1", 0 },
        { "calflops-macs", "op=transposed c=8 in=7x9 k=16 filter=3x3 groups=4 stride=2 pad=1", 8 * 1 * 9 * 63 },
        { "torchstat", "c=4 in=100 k=8 filter=5 pad=2 bias=1", 0 },
        { "torchstat-madd", "n=2 c=4 in=9x9 k=8 filter=3x3", 2 * (2 * 8 * 49 * 36 - 8 * 49) },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].text);
        struct conv_term terms[CONV_MOST_TERMS];
        int count;
        TEST_EQUAL_INT(conv_convention_problem(terms, &count, conv_convention_find(rows[i].tool), &problem),
                       rows[i].figure);
    }
    /* 3 x 8 x 8: each line the figure of the node alone */
    static const struct { const char *tool, *line; int64_t figure, missing; } nodes[] = {
        { "keras-flops", "bn", 2 * 192 + 6 * 3, 0 }, { "keras-flops", "pool kind=max filter=2 stride=2", 48 * 4, 0 },
        { "keras-flops", "gpool", 192, 0 }, { "keras-flops", "act fn=relu", 0, 0 },
        { "keras-flops", "act fn=swish", 0, 1 }, { "onnx-tool", "bn", 31 * 192, 0 },
        { "onnx-tool", "gpool", 192 + 4 * 3, 0 }, { "onnx-tool", "act fn=relu6", 384, 0 },
        { "onnx-tool", "act fn=hswish", 5 * 192, 0 }, { "onnx-tool", "act fn=gelu", 0, 1 },
        { "torchstat", "act fn=leaky_relu", 192, 0 }, { "torchstat", "bn", 384, 0 },
        { "torchstat", "linear k=5", 960, 1 },
        { "torchstat-madd", "pool kind=max filter=2 stride=2", 48 * 3, 0 },
        { "torchstat-madd", "pool kind=avg filter=2 stride=2", 48 * 4, 0 },
        { "torchstat-madd", "fc k=10", 2 * 1920 - 10, 0 }, { "torchstat-madd", "bn", 4 * 192, 0 },
        { "calflops", "ln", 5 * 192, 0 }, { "calflops", "act fn=relu6", 0, 0 },
        { "calflops", "fc k=10 bias=1", 3840, 0 },
        { "calflops", "upsample scale=2", 0, 1 }, { "mmengine", "bn", 384, 0 }, { "mmengine", "ln", 960, 0 },
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        struct conv_network network;
        struct conv_term terms[CONV_MOST_TERMS];
        char text[128];
        int count;
        const int convention = conv_convention_find(nodes[i].tool);
        snprintf(text, sizeof text, NET "%s\n", nodes[i].line);
        CU_ASSERT_EQUAL_FATAL(conv_network_parse(&network, text, "node.net", NULL), CONV_OK);
        const int64_t counted = conv_convention_network(terms, &count, convention, &network);
        if (counted != nodes[i].figure)
            TEST_NOTE("%s of %s", nodes[i].tool, nodes[i].line);
        TEST_EQUAL_INT(counted, nodes[i].missing ? counted : nodes[i].figure);
        TEST_EQUAL_INT(conv_convention_missing(convention, &network), nodes[i].missing);
        conv_network_free(&network);
    }
}

/* ---- network files that are wrong ---- */

static void bad_networks(void)
{
    static const struct { const char *text, *message; } rows[] = {
        { "", "a network without nodes" },
        { "input c=3 in=8x8\n", "the first statement is not the name" },
        { "network\n", "a network without a name" },
        { "network a/b\n", "a network without a name" },
        { "network n\nconv k=4 filter=3\n", "a node before the input" },
        { NET, "a network without nodes" },
        { NET "input c=3 in=8x8\n", "a second input" },
        { "network n\ninput c=3 in=8xx8\nbn\n", "'' is not a value of in" },
        { "network n\ninput c=0 in=8x8\nbn\n", "c=0 is out of range" },
        { NET "convolution k=4 filter=3\n", "'convolution' is not a node" },
        { NET "conv k=4 filtre=3\n", "'filtre' is not a key of conv" },
        { NET "conv filter=3\n", "k is missing" },
        { NET "conv k=4 filter=9x9\n", "the window spans 9 elements" },
        { NET "conv k=4 filter=3 groups=2\n", "groups=2 does not divide c=3" },
        { NET "conv k=4 k=5 filter=3\n", "a key given twice" },
        { NET "conv k=4 filter=3 from=nowhere\n", "no node before this one is called 'nowhere'" },
        { NET "conv k=4 filter=3 stride\n", "a word without '='" },
        { NET "a: bn\na: bn\n", "a label that is taken" },
        { NET "a!: bn\n", "a label that is empty, too long or has odd characters" },
        { NET "a:\n", "a label without a node" },
        { NET "act fn=rely\n", "an unknown activation" },
        { NET "act\n", "an unknown activation" },
        { NET "pool kind=mean filter=2\n", "an unknown kind of pooling" },
        { NET "pool kind=max filter=2 ceil=2\n", "a flag that is neither 0 nor 1" },
        { NET "a: bn\nadd from=a\n", "two inputs are needed" },
        { NET "a: conv k=4 filter=3\nadd from=a,input\n", "the inputs differ" },
        { NET "a: pool kind=max filter=2 stride=2\nconcat from=a,input\n", "the inputs differ in size" },
        { NET "slice channels=0:4\n", "not channels of the input" },
        { NET "slice channels=2,5\n", "not channels of the input" },
        { NET "slice channels=1:1\n", "not channels of the input" },
        { NET "shuffle groups=2\n", "groups does not divide the channels" },
        { NET "fc\n", "k is missing or not a number" },
        { NET "fc k=-4\n", "k is missing or not a number" },
        { NET "fc k=4 bias=2\n", "a flag that is neither 0 nor 1" },
        { NET "dw filter=3 mult=0\n", "mult is missing or not a number" },
        { NET "bn\nexpect params\n", "an expectation that is not a total and a number" },
        { NET "bn\nexpect param 6\n", "an unknown total" },
        { NET "bn\nexpect params six\n", "an expectation that is not a total and a number" },
        { NET "bn\nsource nobody\n", "words without quotes" },
        { NET "bn\nnote \"a\"\nnote \"b\"\n", "a statement given twice" },
        { NET "gpool via=magic\n", "an unknown way to call a node" },
        { NET "upsample\n", "upsample has either a scale or a size" },
        { NET "upsample scale=2 size=4\n", "upsample has either a scale or a size" },
        { NET "upsample scale=0\n", "a size of 0" },
        { NET "upsample scale=2x2x2\n", "scale is missing or not a size for each axis" },
        { NET "upsample scale=2y\n", "scale is missing or not a size for each axis" },
        { NET "upsample scale=1048576\nupsample scale=1048576\n", "more than 2^40 positions" },
        { NET "pad\n", "size is missing or not a size for each axis" },
        { NET "pad size=1:\n", "size is missing or not a size for each axis" },
        { NET "crop size=4\n", "nothing is left" },
        { NET "reshape in=65\n", "in=65 has 65 positions, and the input 64" },
        { NET "reshape in=2x2x2x8\n", "in is missing or not a size for each axis" },
        { NET "merge block=3\n", "block does not divide the sizes" },
        { NET "slice positions=0:1\n", "positions are of a sequence, and alone" },
        { NET "reshape in=64\nslice positions=0:65\n", "not positions of the input" },
        { NET "learned\n", "count is missing or not a number" },
        { NET "attention\n", "three inputs are needed" },
        { NET "a: conv k=4 filter=1\nattention from=a,input,a\n", "the inputs don't fit together" },
        { NET "attention from=input,input,input heads=2\n", "heads does not divide the channels" },
        { NET "attention from=input,input,input window=3\n", "window does not divide the sizes" },
        { NET "lstm k=4\n", "its input is no sequence" },
        { NET "reshape in=64\nlstm\n", "k is missing or not a number" },
        { NET "reshape in=64\ngru k=4 bias=3\n", "bias is not 0, 1 or 2" },
        { NET "reshape in=64\ngru k=1099511627776\n", "more than 2^56 multiply-adds" },
        { NET "a: conv k=3 filter=1\nconv k=3 filter=3 share=a\n", "no node before this one has these weights" },
        { NET "conv k=3 filter=1 share=nobody\n", "no node before this one has these weights" },
        { NET "se k=2 groups=3\n", "not a key of se" },
        { NET "se\n", "'?' is not a value of k" },
        { NET "se k=2 from=a\n", "no node before this one is called so" },
        { NET "se k=2 act=magic\n", "an unknown activation" },
        { "network n\nse k=2\n", "a node before the input" },
        { NET "transposed k=4 filter=2 output_pad=2\n", "output_pad" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conv_network network;
        struct conv_error error = { .message = "" };
        const enum conv_status status = conv_network_parse(&network, rows[i].text, "bad.net", &error);
        if (status == CONV_OK || !strstr(error.message, rows[i].message))
            TEST_NOTE("%s\n    says \"%s\", expected \"%s\"", rows[i].text, error.message, rows[i].message);
        CU_ASSERT_EQUAL(status, CONV_BAD_FILE);
        CU_ASSERT(strstr(error.message, rows[i].message) != NULL);
        CU_ASSERT(!strncmp(error.message, "bad.net:", 8));
    }
}

/* Nodes that a U-Net, a ViT or a recogniser of speech needs, counted by hand. */
static void nodes_by_hand(void)
{
    static const struct { const char *lines; enum conv_total total; int64_t value; } rows[] = {
        /* 3 * 4 * 2*2 weights and 4 biases; each of 64 inputs meets 4 taps */
        { "transposed k=4 filter=2 stride=2 bias=1\n", CONV_TOTAL_PARAMS, 3 * 4 * 4 + 4 },
        { "transposed k=4 filter=2 stride=2 bias=1\n", CONV_TOTAL_MACS_CONV, 64 * 3 * 4 * 4 },
        { "upsample scale=2x3\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 3 * 16 * 24 },
        { "upsample size=5\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 3 * 25 },
        { "pad size=0:1x2\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 3 * 9 * 12 },
        { "crop size=0:3x1\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 3 * 5 * 6 },
        { "merge block=2\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 12 * 16 },
        { "reshape in=64\nslice positions=0:3\nlinear k=2 bias=0\n", CONV_TOTAL_MACS_FC, 3 * 3 * 2 },
        { "reshape in=64\nreshape in=4x16\nconv k=1 filter=4x16\n", CONV_TOTAL_MACS_CONV, 3 * 64 },
        { "learned count=77\n", CONV_TOTAL_PARAMS, 77 },
        { "learned count=77\n", CONV_TOTAL_OTHER_PARAMS, 77 },
        /* 64 positions meet 64, or the 16 of their window, in 3 channels, twice */
        { "attention from=input,input,input heads=3\n", CONV_TOTAL_MACS_PRODUCTS, 64 * 64 * 6 },
        { "attention from=input,input,input window=4\n", CONV_TOTAL_MACS_PRODUCTS, 64 * 16 * 6 },
        { "v: linear k=5\nattention from=input,input,v\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 64 * 5 },
        { "reshape in=64\nlstm k=5\n", CONV_TOTAL_PARAMS, 4 * (5 * (3 + 5) + 2 * 5) },
        { "reshape in=64\nlstm k=5\n", CONV_TOTAL_MACS_RECURRENT, 64 * 4 * 5 * (3 + 5) },
        { "reshape in=64\nlstm k=5 bias=1\n", CONV_TOTAL_PARAMS, 4 * (5 * (3 + 5) + 5) },
        { "reshape in=64\ngru k=5 bidirectional=1\n", CONV_TOTAL_PARAMS, 2 * 3 * (5 * (3 + 5) + 2 * 5) },
        { "reshape in=64\ngru k=5 bidirectional=1\nlinear k=1\n", CONV_TOTAL_MACS_FC, 64 * 10 },
        { "a: conv k=3 filter=3 pad=1 bias=1\nconv k=3 filter=3 pad=1 bias=1 share=a\n", CONV_TOTAL_PARAMS, 84 },
        { "a: conv k=3 filter=3 pad=1\nconv k=3 filter=3 pad=1 share=a\n", CONV_TOTAL_MACS_CONV, 2 * 81 * 64 },
        { "a: bn\nbn share=a\n", CONV_TOTAL_BUFFERS, 6 },
        /* 3 * 2 + 2 and 2 * 3 + 3 parameters, on one position */
        { "se k=2 act=silu\n", CONV_TOTAL_PARAMS, 8 + 9 },
        { "se k=2 gate=hsigmoid\nconv k=1 filter=1\n", CONV_TOTAL_MACS_CONV, 12 + 3 * 64 },
        { "x: conv k=4 filter=1\nact fn=hswish\nb: se k=2 from=x\nadd from=b,x\n", CONV_TOTAL_CONV_LAYERS, 3 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conv_network network;
        struct conv_error error = { .message = "" };
        char text[512];
        snprintf(text, sizeof text, NET "%s", rows[i].lines);
        const enum conv_status status = conv_network_parse(&network, text, "good.net", &error);
        if (status != CONV_OK)
            TEST_NOTE("%s\n    %s", rows[i].lines, error.message);
        CU_ASSERT_EQUAL_FATAL(status, CONV_OK);
        if (network.totals[rows[i].total] != rows[i].value)
            TEST_NOTE("%s    %s", rows[i].lines, conv_total_name(rows[i].total));
        TEST_EQUAL_INT(network.totals[rows[i].total], rows[i].value);
        conv_network_free(&network);
    }
}

/* A total that doesn't hold is found. */
static void wrong_expectation(void)
{
    struct conv_network network;
    CU_ASSERT_EQUAL_FATAL(conv_network_parse(&network, NET "bn\nexpect other_params 6\nexpect params 7\n", "n", NULL),
                          CONV_OK);
    const struct conv_expectation *wrong = conv_network_check(&network);
    CU_ASSERT_PTR_NOT_NULL_FATAL(wrong);
    TEST_EQUAL_INT(wrong->line, 5);
    TEST_EQUAL_INT(network.totals[CONV_TOTAL_PARAMS], 6);
    conv_network_free(&network);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(formulas_equal_counting), TEST_CASE(known_layers), TEST_CASE(published_totals), TEST_CASE(other_tools),
        TEST_CASE(inverted_residuals),
        TEST_CASE(counting_tools), TEST_CASE(rules_by_hand),
        TEST_CASE(bad_networks), TEST_CASE(nodes_by_hand), TEST_CASE(wrong_expectation),
    };
    return test_main("test_count", cases, sizeof cases / sizeof *cases);
}
