/* test_training.c - the training stack: its gradients against the reference and against differences of the loss, that
 * the loss falls, that threads change no bit, and how many parameters the networks of the experiment have.
 *
 * Not here: the program ./train (test_experiments.sh), single kernels (test_kernels).
 */
#include "experiments/training/step.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Small stacks with everything that a chain can have: strides, dilation, groups, relu and relu6, 1-D and 3-D. */
static const char dense[] =
    "network dense\ninput c=3 in=12x12\nconv k=16 filter=3x3 pad=1 bias=1\nact fn=relu\n"
    "conv k=16 filter=3x3 pad=1 bias=1\nact fn=relu\nconv k=4 filter=3x3 pad=1 bias=1\n";
static const char separable[] =
    "network separable\ninput c=3 in=12x12\nconv k=16 filter=3x3 pad=1 bias=1\nact fn=relu\n"
    "separable k=16 filter=3x3 pad=1 bias=1\nact fn=relu\nconv k=4 filter=1x1 bias=1\n";
static const char mixed[] =
    "network mixed\ninput c=3 in=13x12\nconv k=8 filter=5x3 pad=2x1 stride=2x1\nact fn=relu6\n"
    "dw filter=3x3 mult=2 pad=1 bias=1\nconv k=12 filter=3x3 pad=2 dilation=2 groups=4 bias=1\nact fn=relu\n"
    "separable k=5 filter=3x3 pad=1 stride=1x2 bias=1\n";
static const char line[] =
    "network line\ninput c=2 in=31\nconv k=6 filter=5 pad=2 bias=1\nact fn=relu\nconv k=3 filter=1\n";
static const char volume[] =
    "network volume\ninput c=2 in=5x6x7\nconv k=4 filter=3x3x3 pad=1 bias=1\ndw filter=3x1x3 pad=1x0x1\n"
    "conv k=2 filter=1\n";
static const char *const all[] = { dense, separable, mixed, line, volume };
enum { ALL = sizeof all / sizeof *all };

static struct training_options options_of(const char *way, int threads, const char *loss, const char *method,
                                          double rate)
{
    return (struct training_options){ .stack = { .type = CONV_F32, .threads = threads, .batch = 2, .way = way },
                                      .loss = loss_find(loss), .method = method_find(method), .rate = rate,
                                      .seed = 1 };
}

static enum conv_status read_stack(struct stack *stack, const char *text, const struct stack_options *options,
                                   struct conv_error *error)
{
    struct conv_network network;
    enum conv_status status = conv_network_parse(&network, text, "test", error);
    if (status != CONV_OK)
        TEST_NOTE("%s", error ? error->message : text);
    CU_ASSERT_EQUAL_FATAL(status, CONV_OK);
    status = stack_read(stack, &network, options, error);
    conv_network_free(&network);
    return status;
}

static void begin(struct training *training, const char *text, const struct training_options *options)
{
    struct stack stack;
    struct conv_error error;
    enum conv_status status = read_stack(&stack, text, &options->stack, &error);
    if (status == CONV_OK)
        status = training_begin(training, &stack, options, &error);
    if (status != CONV_OK)
        TEST_NOTE("%s", error.message);
    CU_ASSERT_EQUAL_FATAL(status, CONV_OK);
}

/* ---- gradients ------------------------------------------------------------------------------------------------- */

static void judge(const struct layer *layer, enum conv_pass pass, const struct conv_operands *operands)
{
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_operands(&verification, &layer->problem[pass], operands, CONV_DIRECT, NULL), CONV_OK);
    if (verification.verdict != CONV_ACCEPT)
        TEST_NOTE("%s, %s of %s", layer->label, conv_pass_name(pass), layer->kernel[pass]->name);
    TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
}

/* What each layer computed, in all its passes, is what the reference computes, within the verifier's bound. */
static void layers_equal_the_reference(void)
{
    static const char *const ways[] = { "best", "left-behind" };
    for (int i = 0; i < 2 * ALL; i++) {
        const struct training_options options = options_of(ways[i / ALL], 2, "mse", "sgd", 0.1);
        struct training training;
        struct stack *stack = &training.stack;
        double loss;
        begin(&training, all[i % ALL], &options);
        TEST_EQUAL_INT(training_loss(&training, &loss, NULL), CONV_OK);
        for (int l = stack->count - 1; l >= 0; l--) {
            const struct layer *layer = &stack->layers[l];
            void *x = l > 0 ? stack->layers[l - 1].y.data : stack->x.data, *dy = stack->dy[l % 2].data;
            const struct conv_operands forward = { .x = x, .w = layer->w, .bias = layer->bias, .y = layer->y.data };
            const struct conv_operands weights = { .x = x, .w = layer->dw, .bias = layer->dbias, .y = dy };
            const struct conv_operands data = { .x = stack->dy[(l + 1) % 2].data, .w = layer->w, .bias = layer->bias,
                                                .y = dy };
            judge(layer, CONV_FORWARD, &forward);
            TEST_EQUAL_INT(stack_backward_layer(stack, l, NULL), CONV_OK);
            judge(layer, CONV_BACKWARD_WEIGHTS, &weights);
            if (l > 0)
                judge(layer, CONV_BACKWARD_DATA, &data);
        }
        training_end(&training);
    }
}

/* The best kernels are the tuned ones: what is measured isn't the reference. */
static void best_kernels_are_tuned(void)
{
    for (int i = 0; i < ALL; i++) {
        const struct training_options options = options_of("best", 1, "mse", "sgd", 0.1);
        struct stack stack;
        CU_ASSERT_EQUAL_FATAL(read_stack(&stack, all[i], &options.stack, NULL), CONV_OK);
        for (int l = 0; l < stack.count; l++)
            for (enum conv_pass pass = 0; pass < CONV_PASSES; pass++)
                CU_ASSERT(strncmp(stack.layers[l].kernel[pass]->name, "ref_", 4) != 0);
        stack_free(&stack);
    }
}

static double loss_at(struct training *training, int64_t parameter, double value)
{
    double loss = NAN;
    conv_set(CONV_F64, training->stack.parameters.data, parameter, value);
    TEST_EQUAL_INT(training_loss(training, &loss, NULL), CONV_OK);
    return loss;
}

/* (loss(w + h) - loss(w - h)) / 2h against the gradient, for parameters of the layer [begin, end): the root of the
 * sum of squared differences, over that of the gradients. */
static double difference(struct training *training, const double *gradients, int64_t begin, int64_t end)
{
    enum { MOST = 12 };   /* of each layer */
    const double h = 1e-5;
    const double *w = training->stack.parameters.data;
    const int64_t step = (end - begin - 1) / MOST + 1;
    double wrong = 0, whole = 0;
    for (int64_t i = begin; i < end; i += step) {
        const double before = w[i];
        const double slope = (loss_at(training, i, before + h) - loss_at(training, i, before - h)) / (2 * h);
        conv_set(CONV_F64, training->stack.parameters.data, i, before);
        wrong += (slope - gradients[i]) * (slope - gradients[i]);
        whole += gradients[i] * gradients[i];
    }
    return sqrt(wrong / whole);
}

static void gradients_equal_differences(void)
{
    double worst = 0;
    for (int i = 0; i < 2 * ALL; i++) {
        struct training_options options = options_of("best", 1, i < ALL ? "cross-entropy" : "mse", "sgd", 0.1);
        struct training training;
        double loss;
        options.stack.type = CONV_F64;
        options.stack.batch = 1;
        begin(&training, all[i % ALL], &options);
        TEST_EQUAL_INT(training_loss(&training, &loss, NULL), CONV_OK);
        TEST_EQUAL_INT(stack_backward(&training.stack, NULL), CONV_OK);
        double *gradients = malloc(conv_tensor_bytes(&training.stack.gradients));
        memcpy(gradients, training.stack.gradients.data, conv_tensor_bytes(&training.stack.gradients));
        int64_t at = 0;
        for (int l = 0; l < training.stack.count; l++) {
            const struct conv_problem *problem = training.stack.layers[l].problem;
            const int64_t end = at + conv_operand_count(problem, CONV_WEIGHTS)
                              + conv_operand_count(problem, CONV_BIAS);
            const double off = difference(&training, gradients, at, end);
            if (!(off <= 1e-6))
                TEST_NOTE("%s, %s: off by %.3g", training.stack.name, training.stack.layers[l].label, off);
            CU_ASSERT(off <= 1e-6);
            worst = fmax(worst, off);
            at = end;
        }
        TEST_EQUAL_INT(at, training.stack.parameter_count);
        free(gradients);
        training_end(&training);
    }
    printf("gradients are off by %.2g at most, relative to those of their layer\n", worst);
}

/* ---- learning -------------------------------------------------------------------------------------------------- */

/* Below a tenth: in 50 steps, but SGD on the squared error, which takes some more. */
static void loss_falls(void)
{
    static const struct { const char *text, *loss, *method; double rate; int steps; } runs[] = {
        { dense, "cross-entropy", "adam", 0.01, 50 }, { separable, "cross-entropy", "adam", 0.01, 50 },
        { dense, "mse", "adam", 0.01, 50 }, { separable, "mse", "adam", 0.01, 50 },
        { dense, "cross-entropy", "sgd", 0.5, 50 }, { separable, "cross-entropy", "sgd", 0.5, 50 },
        { dense, "mse", "sgd", 0.15, 150 }, { separable, "mse", "sgd", 0.15, 150 },
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        const struct training_options options = options_of("best", 1, runs[i].loss, runs[i].method, runs[i].rate);
        struct training training;
        double first = NAN, last = NAN;
        begin(&training, runs[i].text, &options);
        for (int step = 0; step < runs[i].steps; step++)
            TEST_EQUAL_INT(training_step(&training, step == 0 ? &first : &last, NULL), CONV_OK);
        TEST_EQUAL_INT(training_loss(&training, &last, NULL), CONV_OK);
        printf("%s, %s, %s: %.4g, after %d steps %.4g\n", training.stack.name, runs[i].loss, runs[i].method, first,
               runs[i].steps, last);
        CU_ASSERT(last < first / 10);
        training_end(&training);
    }
}

/* Parameters after three steps with 1 thread and with others are the same bits. */
static void threads_change_nothing(void)
{
    static const char *const methods[] = { "sgd", "adam" };
    for (int i = 0; i < 2 * ALL; i++) {
        void *alone = NULL;
        for (int threads = 1; threads <= 3; threads++) {
            const struct training_options options = options_of("best", threads, "cross-entropy", methods[i / ALL],
                                                               0.01);
            struct training training;
            double loss = NAN;
            begin(&training, all[i % ALL], &options);
            const size_t bytes = conv_tensor_bytes(&training.stack.parameters);
            for (int step = 0; step < 3; step++)
                TEST_EQUAL_INT(training_step(&training, &loss, NULL), CONV_OK);
            CU_ASSERT(isfinite(loss));
            if (threads == 1)
                memcpy(alone = malloc(bytes), training.stack.parameters.data, bytes);
            CU_ASSERT(memcmp(alone, training.stack.parameters.data, bytes) == 0);
            training_end(&training);
        }
        free(alone);
    }
}

/* Two steps of Adam by hand, from the paper's algorithm as it stands there. */
static void adam_is_the_papers(void)
{
    struct optimizer optimizer;
    float w[3] = { 1, -2, 0.5f };
    const float g[2][3] = { { 0.1f, -3, 0 }, { -0.2f, 1, 1e-3f } };
    double want[3] = { 1, -2, 0.5 }, m[3] = { 0 }, v[3] = { 0 };
    CU_ASSERT_EQUAL_FATAL(optimizer_create(&optimizer, method_find("adam"), 0.01, 3, 1, NULL), CONV_OK);
    for (int step = 0; step < 2; step++) {
        optimizer_step(&optimizer, w, g[step]);
        for (int i = 0; i < 3; i++) {
            m[i] = 0.9 * m[i] + 0.1 * (double)g[step][i];
            v[i] = 0.999 * v[i] + 0.001 * (double)g[step][i] * (double)g[step][i];
            want[i] -= 0.01 * (m[i] / (1 - pow(0.9, step + 1))) / (sqrt(v[i] / (1 - pow(0.999, step + 1))) + 1e-8);
            CU_ASSERT_DOUBLE_EQUAL((double)w[i], want[i], 1e-6);
        }
    }
    optimizer_free(&optimizer);
}

/* ---- networks -------------------------------------------------------------------------------------------------- */

static void parameters_of_the_experiment(void)
{
    static const struct { const char *name; int64_t outputs, parameters; int layers; } rows[] = {
        { "stack50", 0, 28354058, 50 }, { "stack50_separable", 0, 3311114, 98 },
        { "stack50", 3, 28337923, 50 }, { "stack50_separable", 3, 3294979, 98 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct stack_options options = { .type = CONV_F32, .batch = 1, .outputs = rows[i].outputs,
                                               .way = "best" };
        struct conv_network network;
        struct stack stack;
        char path[4096];
        snprintf(path, sizeof path, "%s/networks/%s.net", SRCDIR, rows[i].name);
        CU_ASSERT_EQUAL_FATAL(conv_network_read(&network, path, NULL), CONV_OK);
        CU_ASSERT_EQUAL_FATAL(stack_read(&stack, &network, &options, NULL), CONV_OK);
        TEST_EQUAL_INT(stack.parameter_count, rows[i].parameters);
        TEST_EQUAL_INT(stack.count, rows[i].layers);
        if (rows[i].outputs == 0)
            TEST_EQUAL_INT(stack.parameter_count, network.totals[CONV_TOTAL_PARAMS]);
        stack_free(&stack);
        conv_network_free(&network);
    }
}

#define BEFORE "network n\ninput c=4 in=8x8\n"
static void others_are_refused(void)
{
    static const struct { const char *text, *why; } rows[] = {
        { BEFORE "conv k=4 filter=3x3\nbn\n", "n, line 4: bn@4 (bn) can't be trained here: it is no convolution" },
        { BEFORE "conv k=4 filter=1\nact fn=gelu\n",
          "n, line 4: act@4 (act) can't be trained here: of the activations there are relu and relu6 here" },
        { BEFORE "act fn=relu\nconv k=4 filter=1\n",
          "n, line 3: act@3 (act) can't be trained here: there is no convolution right before this activation" },
        { BEFORE "a: conv k=4 filter=1\nb: conv k=4 filter=1 from=input\n",
          "n, line 4: b (conv) can't be trained here: it reads another node than the one before it, or several, or "
          "one that isn't known" },
        { BEFORE "a: conv k=4 filter=1\nb: conv k=4 filter=1 share=a\n",
          "n, line 4: b (conv) can't be trained here: it shares the weights of another node" },
        { BEFORE "conv k=4 filter=1 fixed=1\n",
          "n, line 3: conv@3 (conv) can't be trained here: it is an auxiliary head, or its weights aren't trained" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct stack_options options = { .type = CONV_F32, .batch = 1, .way = "best" };
        struct stack stack;
        struct conv_error error;
        TEST_EQUAL_INT(read_stack(&stack, rows[i].text, &options, &error), CONV_NOT_APPLICABLE);
        TEST_EQUAL_TEXT(error.message, rows[i].why);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(layers_equal_the_reference), TEST_CASE(best_kernels_are_tuned),
        TEST_CASE(gradients_equal_differences), TEST_CASE(loss_falls), TEST_CASE(threads_change_nothing),
        TEST_CASE(adam_is_the_papers), TEST_CASE(parameters_of_the_experiment), TEST_CASE(others_are_refused),
    };
    return test_main("test_training", cases, sizeof cases / sizeof *cases);
}
