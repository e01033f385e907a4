/* test_reference.c - the truth: does it agree with itself, with a second oracle, and with mathematics? */
#include "core/main_output.h"
#include "tests/random_problem.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Run a kernel of the table on operands of its own and return the output, widened. */
static double *run_kernel(const char *name, const struct conv_problem *problem, uint64_t seed, int64_t *count)
{
    const struct conv_kernel *kernel = conv_kernel_find(name);
    const enum conv_operand output = main_output(problem);
    struct test_operands set;
    struct conv_error error;
    if (!kernel || conv_kernel_refuses(kernel, problem))
        return NULL;
    test_operands_create(&set, problem, seed);
    *count = conv_operand_count(problem, output);
    double *widened = malloc(((size_t)*count + 1) * sizeof *widened);
    const enum conv_status status = conv_run(&set.operands, kernel, problem, NULL, &error);
    if (status != CONV_OK)
        TEST_NOTE("%s: %s", name, error.message);
    CU_ASSERT_EQUAL_FATAL(status, CONV_OK);
    conv_operand_widen(widened, problem, output, set.operands.at[output]);
    test_operands_free(&set);
    return widened;
}

/* Two kernels give the same bits on integers, wherever both apply.  Returns how many problems were compared. */
static int compare_kernels(const char *a, const char *b, int64_t seeds)
{
    int compared = 0;
    for (int64_t seed = 0; seed < seeds; seed++) {
        struct conv_problem problem;
        int64_t count = 0;
        if (!random_problem(&problem, seed))
            continue;
        double *ya = run_kernel(a, &problem, 1, &count), *yb = run_kernel(b, &problem, 1, &count);
        if (ya && yb) {
            compared++;
            for (int64_t i = 0; i < count; i++)
                if (!(ya[i] == yb[i])) {
                    char text[CONV_PROBLEM_TEXT];
                    TEST_NOTE("%s and %s differ on %s", a, b, conv_problem_print(text, &problem));
                    CU_FAIL("two pages of the reference differ");
                    break;
                }
        }
        free(ya);
        free(yb);
    }
    return compared;
}

static void special_pages_equal_the_general_one(void)
{
    CU_ASSERT(compare_kernels("ref_forward", "ref_standard", 6000) > 50);
    CU_ASSERT(compare_kernels("ref_forward", "ref_grouped", 6000) > 200);
    CU_ASSERT(compare_kernels("ref_forward", "ref_depthwise", 20000) > 100);
    CU_ASSERT(compare_kernels("ref_forward", "ref_pointwise", 20000) > 20);
}

static void second_oracle_agrees(void)
{
    CU_ASSERT(compare_kernels("ref_forward", "ref_scatter", 6000) > 200);
    CU_ASSERT(compare_kernels("ref_backward_data", "ref_scatter", 6000) > 200);
    CU_ASSERT(compare_kernels("ref_backward_weights", "ref_scatter", 6000) > 200);
    CU_ASSERT(compare_kernels("ref_transposed", "ref_scatter", 6000) > 200);
}

/* A separable problem is a depthwise problem and then a pointwise one. */
static void separable_is_composed(void)
{
    int compared = 0;
    for (int64_t seed = 0; seed < 4000; seed++) {
        struct conv_problem problem, depthwise, pointwise;
        struct test_operands set;
        struct conv_error error;
        if (!random_problem(&problem, seed) || conv_problem_kind(&problem) != CONV_SEPARABLE)
            continue;
        compared++;
        test_operands_create(&set, &problem, 1);
        CU_ASSERT_EQUAL_FATAL(conv_run(&set.operands, conv_kernel_find("ref_separable"), &problem, NULL, &error),
                              CONV_OK);
        conv_separable_stages(&depthwise, &pointwise, &problem);
        const size_t middle_bytes = conv_operand_bytes(&depthwise, CONV_Y);
        const size_t bytes = conv_operand_bytes(&problem, CONV_Y);
        void *middle = malloc(middle_bytes + 1), *y = malloc(bytes + 1);
        struct conv_operands first = { .x = set.operands.x, .w = set.operands.w, .bias = set.operands.bias,
                                       .y = middle };
        struct conv_operands second = { .x = middle, .w = set.operands.pw, .bias = set.operands.pw_bias, .y = y };
        CU_ASSERT_EQUAL_FATAL(conv_run(&first, conv_kernel_find("ref_forward"), &depthwise, NULL, &error), CONV_OK);
        CU_ASSERT_EQUAL_FATAL(conv_run(&second, conv_kernel_find("ref_forward"), &pointwise, NULL, &error), CONV_OK);
        for (int64_t i = 0; i < conv_operand_count(&problem, CONV_Y); i++)
            CU_ASSERT_EQUAL(conv_get(problem.type, y, i), conv_get(problem.type, set.operands.y, i));
        free(middle);
        free(y);
        test_operands_free(&set);
    }
    CU_ASSERT(compared > 300);
}

/* y of an inverted residual from its stages, each computed by the general page; the caller frees it. */
static void *one_stage_after_the_other(const struct conv_problem *problem, const struct conv_operands *operands)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    void *const weights[] = { operands->ew, operands->w, operands->pw };
    void *const biases[] = { operands->ew_bias, operands->bias, operands->pw_bias };
    const int count = conv_stages(stages, problem), skipped = CONV_MOST_STAGES - count;
    void *x = operands->x, *y = NULL;
    for (int i = 0; i < count; i++) {
        y = malloc(conv_operand_bytes(&stages[i], CONV_Y) + 1);
        struct conv_operands own = { .x = x, .w = weights[skipped + i], .bias = biases[skipped + i], .y = y };
        CU_ASSERT_EQUAL_FATAL(conv_run(&own, conv_kernel_find("ref_forward"), &stages[i], NULL, NULL), CONV_OK);
        if (i > 0)
            free(x);
        x = y;
    }
    for (int64_t i = 0; problem->residual && i < conv_operand_count(problem, CONV_Y); i++)
        conv_set(problem->type, y, i, conv_get(problem->type, y, i) + conv_get(problem->type, operands->x, i));
    return y;
}

static void inverted_residual_is_composed(void)
{
    int compared = 0, added = 0, expanded = 0;
    for (int64_t seed = 0; seed < 8000; seed++) {
        struct conv_problem problem;
        struct test_operands set;
        if (!random_problem(&problem, seed) || conv_problem_kind(&problem) != CONV_INVERTED_RESIDUAL)
            continue;
        compared++;
        added += problem.residual;
        expanded += problem.expand > 0;
        test_operands_create(&set, &problem, 1);
        CU_ASSERT_EQUAL_FATAL(conv_run(&set.operands, conv_kernel_find("ref_inverted_residual"), &problem, NULL,
                                       NULL), CONV_OK);
        void *y = one_stage_after_the_other(&problem, &set.operands);
        for (int64_t i = 0; i < conv_operand_count(&problem, CONV_Y); i++)
            CU_ASSERT_EQUAL(conv_get(problem.type, y, i), conv_get(problem.type, set.operands.y, i));
        free(y);
        test_operands_free(&set);
    }
    CU_ASSERT(compared > 300 && added > 100 && expanded > 200);
}

/* One channel widened to two, by hand: x = 1 -2 3, ew = 2 -1, ew_bias = 1 1, relu6.
 * e[0] = 3 0 6 (7 is cut off), e[1] = 0 3 0;  m[0] = 1 e[q-1] + 10 e[q] + 100 e[q+1] = 30 603 60, of which relu6 makes
 * 6; m[1] = e[1][q-1] - e[1][q] + e[1][q+1] = 3 -3 3 -> 3 0 3;  y = relu(-1 + m[0] - 2 m[1]) + x = 0 5 0 + 1 -2 3. */
static void inverted_residual_by_hand(void)
{
    const struct conv_problem problem = test_problem("op=separable c=1 in=3 k=1 filter=3 pad=1 bias=1 act=relu "
                                                     "mid_act=relu6 expand=2 residual=1 type=f64");
    double x[] = { 1, -2, 3 }, ew[] = { 2, -1 }, ew_bias[] = { 1, 1 }, w[] = { 1, 10, 100, 1, -1, 1 };
    double bias[] = { 0, 0 };
    double pw[] = { 1, -2 }, pw_bias[] = { -1 }, y[3];
    static const double right[] = { 1, 3, 3 };
    struct conv_operands operands = { .x = x, .w = w, .bias = bias, .pw = pw, .pw_bias = pw_bias, .y = y, .ew = ew,
                                      .ew_bias = ew_bias };
    struct conv_truth truth;
    int64_t products;
    CU_ASSERT_EQUAL_FATAL(conv_run(&operands, conv_kernel_find("ref_inverted_residual"), &problem, NULL, NULL),
                          CONV_OK);
    CU_ASSERT_EQUAL_FATAL(conv_truth_compute(&truth, &products, &problem, CONV_Y, &operands, NULL), CONV_OK);
    TEST_EQUAL_INT(products, 6 + 14 + 6);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(y[i] == right[i] && truth.value[i] == right[i]);
    /* at q = 1: |e| are 3 5 7 and 2 3 4, so |m| are 3 + 50 + 700 and 9; 1 + 753 + 2 * 9 + |x| */
    CU_ASSERT_EQUAL(truth.magnitude[1], 1 + 753 + 18 + 2);
    TEST_EQUAL_INT(truth.taps[1], 1 + 1 + 3 + 1 + 2 + 1);
    conv_truth_free(&truth);
}

/* <y, conv(x)> = <backward_data(y), x> = <backward_weights(x, y), w>, exactly, in integers. */
static void passes_are_adjoint(void)
{
    int compared = 0;
    for (int64_t seed = 0; seed < 3000; seed++) {
        struct conv_problem problem;
        struct test_operands set;
        struct conv_truth truth[3];
        if (!random_problem(&problem, seed) || problem.op == CONV_OP_SEPARABLE)
            continue;
        problem.bias = false;
        problem.act = CONV_ACT_NONE;
        problem.layout = CONV_CHANNELS_FIRST;
        problem.type = CONV_F64;
        compared++;
        test_operands_create(&set, &problem, 1);   /* and fill all three as inputs */
        const struct conv_fill fill = { CONV_FILL_INTEGERS, 9, 3, 0 };
        static const enum conv_operand parts[] = { CONV_Y, CONV_X, CONV_WEIGHTS };
        for (int i = 0; i < 3; i++)
            conv_fill(CONV_F64, set.operands.at[parts[i]], conv_operand_count(&problem, parts[i]), &"abc"[i], &fill);
        double inner[3] = { 0 };
        for (int pass = 0; pass < CONV_PASSES; pass++) {
            problem.pass = (enum conv_pass)pass;
            CU_ASSERT_EQUAL_FATAL(conv_truth_compute(&truth[pass], NULL, &problem, main_output(&problem),
                                                     &set.operands, NULL), CONV_OK);
            const double *with = set.operands.at[main_output(&problem)];
            for (int64_t i = 0; i < truth[pass].count; i++)
                inner[pass] += truth[pass].value[i] * with[i];
            conv_truth_free(&truth[pass]);
        }
        CU_ASSERT_EQUAL(inner[CONV_FORWARD], inner[CONV_BACKWARD_DATA]);
        CU_ASSERT_EQUAL(inner[CONV_FORWARD], inner[CONV_BACKWARD_WEIGHTS]);
        test_operands_free(&set);
    }
    CU_ASSERT(compared > 300);
}

/* An impulse in x gives the filter, turned by half a turn; an impulse in w gives the image, shifted. */
static void impulses(void)
{
    const struct conv_problem problem = test_problem("c=1 in=7x7 k=1 filter=3x3 pad=1 type=f64");
    double x[49] = { 0 }, w[9], y[49];
    struct conv_operands operands = { .x = x, .w = w, .y = y };
    for (int i = 0; i < 9; i++)
        w[i] = i + 1;
    x[3 * 7 + 3] = 1;
    CU_ASSERT_EQUAL_FATAL(conv_run(&operands, conv_kernel_find("ref_forward"), &problem, NULL, NULL), CONV_OK);
    for (int p = 0; p < 7; p++)
        for (int q = 0; q < 7; q++) {
            const int r = 4 - p, s = 4 - q;
            CU_ASSERT_EQUAL(y[p * 7 + q], r >= 0 && r < 3 && s >= 0 && s < 3 ? w[r * 3 + s] : 0);
        }
}

/* What the truth says beside the value: magnitude and taps, against a hand-made case. */
static void magnitudes_and_taps(void)
{
    const struct conv_problem problem = test_problem("c=1 in=3 k=1 filter=3 pad=1 bias=1 act=relu");
    float x[] = { 1, -2, 3 }, w[] = { -1, 2, -3 }, bias[] = { -4 };
    const struct conv_operands operands = { .x = x, .w = w, .bias = bias };
    static const double value[] = { 4, 0, 4 }, magnitude[] = { 12, 18, 12 };
    static const int64_t taps[] = { 2, 3, 2 };
    struct conv_truth truth;
    int64_t products;
    CU_ASSERT_EQUAL_FATAL(conv_truth_compute(&truth, &products, &problem, CONV_Y, &operands, NULL), CONV_OK);
    TEST_EQUAL_INT(truth.count, 3);
    TEST_EQUAL_INT(products, 7);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(truth.value[i], value[i]);
        CU_ASSERT_EQUAL(truth.magnitude[i], magnitude[i]);
        TEST_EQUAL_INT(truth.taps[i], taps[i]);
        const double n = (double)taps[i] + 1, u = 0x1p-24;
        CU_ASSERT_DOUBLE_EQUAL(conv_truth_bound(&truth, i, CONV_F32),
                               n * u / (1 - n * u) * magnitude[i] + u * value[i] + n * 0x1p-149, 1e-20);
    }
    conv_truth_free(&truth);
}

/* Bounds by class: of narrow inputs and of a plane by hand, and none for sums longer than 1/u, where the formula
 * would be negative. */
static void bounds_of_classes(void)
{
    const struct conv_problem problem = test_problem("c=1 in=2 k=1 filter=1");
    double value[] = { 2, 0 }, magnitude[] = { 2, 6 }, bounds[2];
    int64_t taps[] = { 1, 1 };
    const struct conv_truth truth = { 2, value, magnitude, taps };
    const double u = 0x1p-24, gamma = 2 * u / (1 - 2 * u), cut = 2 * 0x1p-23 / (1 - 2 * 0x1p-23);
    conv_truth_bounds(bounds, &truth, &problem, CONV_Y, CONV_DIRECT);
    CU_ASSERT_EQUAL(bounds[0], conv_truth_bound(&truth, 0, CONV_F32));
    conv_truth_bounds(bounds, &truth, &problem, CONV_Y, CONV_TF32);
    CU_ASSERT_DOUBLE_EQUAL(bounds[1], (1.0009765625 * 1.0009765625 * (1 + cut) - 1) * 6, 1e-12);
    conv_truth_bounds(bounds, &truth, &problem, CONV_Y, CONV_WINOGRAD_2);
    CU_ASSERT_DOUBLE_EQUAL(bounds[0], (20.4 * u + gamma) * 6 + 2 * u, 1e-12);
    taps[0] = INT64_C(1) << 25;
    CU_ASSERT(isinf(conv_truth_bound(&truth, 0, CONV_F32)));
    magnitude[0] = 0;
    CU_ASSERT(isfinite(conv_truth_bound(&truth, 0, CONV_F32)));
}

/* f64 problems are summed wider: a sum that double can't hold comes out right. */
static void f64_is_summed_wider(void)
{
    const struct conv_problem problem = test_problem("c=3 in=1 k=1 filter=1 type=f64");
    double x[] = { 0x1p53, 1, -0x1p53 }, w[] = { 1, 1, 1 }, y[1];
    struct conv_operands operands = { .x = x, .w = w, .y = y };
    CU_ASSERT_EQUAL_FATAL(conv_run(&operands, conv_kernel_find("ref_forward"), &problem, NULL, NULL), CONV_OK);
    if (sizeof(long double) > sizeof(double))
        CU_ASSERT_EQUAL(y[0], 1);
}

/* NaN goes through the activations; infinities add up as they should. */
static void special_values(void)
{
    const struct conv_problem problem = test_problem("c=1 in=4 k=1 filter=1 act=relu6");
    float x[] = { NAN, INFINITY, -INFINITY, -0.0f }, w[] = { 1 }, y[4];
    struct conv_operands operands = { .x = x, .w = w, .y = y };
    CU_ASSERT_EQUAL_FATAL(conv_run(&operands, conv_kernel_find("ref_forward"), &problem, NULL, NULL), CONV_OK);
    CU_ASSERT(isnan(y[0]));
    CU_ASSERT_EQUAL(y[1], 6);
    CU_ASSERT_EQUAL(y[2], 0);
    CU_ASSERT_EQUAL(y[3], 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(special_pages_equal_the_general_one), TEST_CASE(second_oracle_agrees),
        TEST_CASE(separable_is_composed), TEST_CASE(inverted_residual_is_composed),
        TEST_CASE(inverted_residual_by_hand), TEST_CASE(passes_are_adjoint), TEST_CASE(impulses),
        TEST_CASE(magnitudes_and_taps), TEST_CASE(bounds_of_classes), TEST_CASE(f64_is_summed_wider), TEST_CASE(special_values),
    };
    return test_main("test_reference", cases, sizeof cases / sizeof *cases);
}
