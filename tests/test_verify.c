/* test_verify.c - the verifier accepts what is right, rejects what is wrong, and says why in words.
 * What it says of planted faults is in test_faults.c.   Read next: verify/README.md
 */
#include "tests/test.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/random_problem.h"

/* ---- outputs of somebody else ---------------------------------------------------------------------------------- */

static struct conv_verification verdict_on(const struct conv_problem *problem, const struct test_operands *set)
{
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_operands(&verification, problem, &set->operands, CONV_DIRECT, NULL), CONV_OK);
    return verification;
}

static void true_outputs_are_accepted(void)
{
    static const char *const problems[] = {
        "c=3 in=7x6 k=4 filter=3x3 pad=1 bias=1", "n=2 c=4 in=9 k=8 filter=3 groups=4 stride=2",
        "c=2 in=4x5x6 k=3 filter=2x3x2 dilation=2x1x1 type=f64", "op=separable c=4 in=8x8 k=5 filter=3x3 mid_act=relu",
        "op=transposed c=4 in=5x5 k=3 filter=4x4 stride=2 pad=1", "c=8 in=6x6 k=8 filter=1x1 layout=nhwc act=relu6",
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        for (int kind = CONV_FILL_INTEGERS; kind <= CONV_FILL_UNIFORM; kind++) {
            const struct conv_problem problem = test_problem(problems[i]);
            struct test_operands set = test_solved(&problem, (enum conv_fill_kind)kind);
            TEST_EQUAL_INT(verdict_on(&problem, &set).verdict, CONV_ACCEPT);
            test_operands_free(&set);
        }
}

/* One element that is off by one in an exact sum is seen, and its place is told. */
static void one_wrong_element_is_placed(void)
{
    const struct conv_problem problem = test_problem("n=2 c=3 in=7x6 k=4 filter=3x3 pad=1");
    struct test_operands set = test_solved(&problem, CONV_FILL_INTEGERS);
    float *y = set.operands.y;
    y[((1 * 4 + 2) * 7 + 5) * 6 + 3] += 1;
    const struct conv_verification verification = verdict_on(&problem, &set);
    const struct conv_finding *finding = &verification.finding;
    char index[128];
    TEST_EQUAL_INT(verification.verdict, CONV_REJECT);
    TEST_EQUAL_INT(finding->fault, CONV_FAULT_VALUES);
    TEST_EQUAL_INT(finding->wrong, 1);
    TEST_EQUAL_INT(finding->elements, 2 * 4 * 7 * 6);
    TEST_EQUAL_TEXT(conv_wrong_print(index, finding, &finding->first[0]), "n=1 k=2 p=5 q=3");
    CU_ASSERT_DOUBLE_EQUAL(finding->first[0].got - finding->first[0].expected, 1, 0);
    test_operands_free(&set);
}

/* NaN is never within a bound. */
static void nan_is_rejected(void)
{
    const struct conv_problem problem = test_problem("c=3 in=7x6 k=4 filter=3x3 pad=1");
    for (int kind = CONV_FILL_INTEGERS; kind <= CONV_FILL_UNIFORM; kind++) {
        struct test_operands set = test_solved(&problem, (enum conv_fill_kind)kind);
        ((float *)set.operands.y)[17] = NAN;
        TEST_EQUAL_INT(verdict_on(&problem, &set).verdict, CONV_REJECT);
        test_operands_free(&set);
    }
}

/* The bound: what rounding can do is accepted, ten times the bound is not. */
static void the_bound_divides_right_from_wrong(void)
{
    const struct conv_problem problem = test_problem("c=16 in=7x6 k=4 filter=3x3 pad=1");
    struct test_operands set = test_solved(&problem, CONV_FILL_UNIFORM);
    struct conv_truth truth;
    TEST_EQUAL_INT(conv_truth_compute(&truth, NULL, &problem, CONV_Y, &set.operands, NULL), CONV_OK);
    float *y = set.operands.y;
    const float kept = y[20];
    const double bound = conv_truth_bound(&truth, 20, CONV_F32);
    CU_ASSERT(bound > 0 && bound < 1e-3);
    y[20] = (float)(truth.value[20] + 0.5 * bound);
    TEST_EQUAL_INT(verdict_on(&problem, &set).verdict, CONV_ACCEPT);
    y[20] = (float)(truth.value[20] + 10 * bound);
    TEST_EQUAL_INT(verdict_on(&problem, &set).verdict, CONV_REJECT);
    y[20] = kept;
    TEST_EQUAL_INT(verdict_on(&problem, &set).verdict, CONV_ACCEPT);
    conv_truth_free(&truth);
    test_operands_free(&set);
}

/* ---- what one output can't tell -------------------------------------------------------------------------------- */

/* Two numbers that are told, by hand: x = 1 0 3 4, w = 1 2, and once a bias and relu that hide all but the last sum. */
static void products_that_nobody_misses(void)
{
    static const float x[] = { 1, 0, 3, 4 }, w[] = { 1, 2 }, bias[] = { -10 };
    static const struct { const char *problem; float y[3]; int zero, clipped; } rows[] = {
        { "c=1 in=4 k=1 filter=2", { 1, 6, 11 }, 2, 0 },
        { "c=1 in=4 k=1 filter=2 bias=1 act=relu", { 0, 0, 1 }, 2, 2 },   /* of 1, 6 and 11: 1 and 2*3 vanish */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].problem);
        struct test_operands set;
        struct conv_sensitivity told;
        test_operands_create(&set, &problem, 1);
        memcpy(set.operands.x, x, sizeof x);
        memcpy(set.operands.w, w, sizeof w);
        if (problem.bias)
            memcpy(set.operands.bias, bias, sizeof bias);
        memcpy(set.operands.y, rows[i].y, sizeof rows[i].y);
        const struct conv_verification verification = verdict_on(&problem, &set);
        TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
        TEST_EQUAL_INT(conv_sensitivity_measure(&told, &verification, &problem, &set.operands, NULL), CONV_OK);
        CU_ASSERT(told.exact);
        TEST_EQUAL_INT(told.products, 6);
        TEST_EQUAL_INT(told.zero, rows[i].zero);
        TEST_EQUAL_INT(told.clipped, rows[i].clipped);
        TEST_EQUAL_INT(told.hidden, 0);
        TEST_EQUAL_INT(told.unused >> CONV_NO_BIAS & 1, !problem.bias);
        TEST_EQUAL_INT(told.unused >> CONV_NO_STRIDE & 1, 1);
        test_operands_free(&set);
    }
}

enum { IN = 7, TAPS = 4, OUT = 5, CHANNELS = 3 };   /* pad=1:0 below */

/* The output of c=3 in=7 k=1 filter=4 pad=1:0 with one product left out, -1 for none: added up in double. */
static double sum_without(const float *x, const float *w, int q, int left_out, double *magnitude, int *count)
{
    double sum = 0;
    *magnitude = *count = 0;
    for (int c = 0; c < CHANNELS; c++)
        for (int s = 0; s < TAPS; s++) {
            if (q - 1 + s < 0)
                continue;
            const double product = (double)x[c * IN + q - 1 + s] * w[c * TAPS + s];
            *magnitude += fabs(product);
            sum += (*count)++ == left_out ? 0 : product;
        }
    return sum;
}

/* Real data with taps of very different sizes, counted again with a bound that is written out here. */
static void small_products_hide_in_the_bound(void)
{
    const struct conv_problem problem = test_problem("c=3 in=7 k=1 filter=4 pad=1:0");
    static float x[CHANNELS * IN], w[CHANNELS * TAPS], y[OUT];
    struct conv_operands operands = { .x = x, .w = w, .y = y };
    struct conv_sensitivity told;
    struct conv_verification verification;
    int products = 0, hidden = 0;
    double largest = 0;
    for (int i = 0; i < CHANNELS * IN; i++)
        x[i] = (float)(i * 7 % 11 + 1) / 3;
    for (int i = 0; i < CHANNELS * TAPS; i++)
        w[i] = i % 3 == 0 ? 1e-8f : (float)(i * 5 % 7 + 1) / 7;
    for (int q = 0; q < OUT; q++) {
        double magnitude;
        int n;
        y[q] = (float)sum_without(x, w, q, -1, &magnitude, &n);
        const double u = 0x1p-24, truth = sum_without(x, w, q, -1, &magnitude, &n);
        const double bound = (n + 1) * u / (1 - (n + 1) * u) * magnitude + u * fabs(truth) + (n + 1) * 0x1p-149;
        largest = bound > largest ? bound : largest;
        products += n;
        for (int i = 0, unused; i < n; i++)
            hidden += fabs(y[q] + (sum_without(x, w, q, i, &magnitude, &unused) - truth) - truth) <= bound;
    }
    TEST_EQUAL_INT(conv_verify_operands(&verification, &problem, &operands, CONV_DIRECT, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
    TEST_EQUAL_INT(conv_sensitivity_measure(&told, &verification, &problem, &operands, NULL), CONV_OK);
    CU_ASSERT(!told.exact);
    TEST_EQUAL_INT(told.looked_at, OUT);
    TEST_EQUAL_INT(told.products, products);
    TEST_EQUAL_INT(told.hidden, hidden);
    CU_ASSERT(hidden >= OUT * 3 && hidden < products);   /* a third of the taps is 1e-8 */
    CU_ASSERT_DOUBLE_EQUAL(told.bound, largest, 1e-12 * largest);
}

/* Every pass and operation is looked at: as many products as there are multiply-adds inside the image. */
static void all_products_are_looked_at(void)
{
    static const char *const problems[] = {
        "n=2 c=4 in=7x6 k=6 filter=3x2 stride=2x1 groups=2 pad=1:0x0:1", "c=3 in=9 k=4 filter=4 dilation=2 pad=2",
        "op=transposed c=4 in=5x4 k=3 filter=4x3 stride=2 pad=1", "c=2 in=4x5x6 k=3 filter=2x3x2 layout=ndhwc",
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        for (enum conv_pass pass = CONV_FORWARD; pass <= CONV_BACKWARD_WEIGHTS; pass++) {
            struct conv_problem problem = test_problem(problems[i]);
            struct conv_sensitivity told;
            struct conv_count count;
            problem.pass = pass;
            struct test_operands set = test_solved(&problem, CONV_FILL_INTEGERS);
            const struct conv_verification verification = verdict_on(&problem, &set);
            TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
            TEST_EQUAL_INT(conv_sensitivity_measure(&told, &verification, &problem, &set.operands, NULL), CONV_OK);
            conv_count_problem(&count, &problem);
            TEST_EQUAL_INT(told.products, count.macs_inside);
            TEST_EQUAL_INT(told.zero + told.clipped + told.hidden, 0);
            test_operands_free(&set);
        }
}

/* ---- what programs are told ------------------------------------------------------------------------------------ */

static const char *fault_at(int i) { return conv_fault_name((enum conv_fault)(i + 1)); }
static const char *verdict_at(int i) { return conv_verdict_name((enum conv_verdict)i); }
static const char *sure_at(int i) { return conv_sure_name((enum conv_sure)i); }
static const char *accuracy_at(int i) { return conv_accuracy_facts((enum conv_accuracy)i)->name; }
static const char *setting_at(int i) { return conv_setting_name((enum conv_setting)i); }

static const char *check_at(int i)
{
    static const char *const others[] = { "integers", "bound" };   /* of files and commands, which have "real" too */
    return i < conv_check_count() ? conv_check_at(i).name : others[i - conv_check_count()];
}

/* The words of docs/verify.schema.json are those of the library, all of them, in its order. */
static void the_schema_has_our_words(void)
{
    const struct { const char *name; int count; const char *(*at)(int); } lists[] = {
        { "verdict", 4, verdict_at }, { "fault", CONV_FAULTS - 1, fault_at }, { "sure", 3, sure_at }, { "accuracy", CONV_ACCURACIES, accuracy_at },
        { "setting", CONV_SETTINGS, setting_at }, { "check", conv_check_count() + 2, check_at },
    };
    json_t *schema = json_load_file(SRCDIR "/docs/verify.schema.json", 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        const json_t *words = json_object_get(json_object_get(json_object_get(schema, "$defs"), lists[l].name),
                                              "enum");
        TEST_EQUAL_INT(json_array_size(words), lists[l].count);
        for (int i = 0; i < lists[l].count && i < (int)json_array_size(words); i++)
            TEST_EQUAL_TEXT(json_string_value(json_array_get(words, (size_t)i)), lists[l].at(i));
    }
    json_decref(schema);
}

/* Mistakes that people make are named. */
static void mistakes_are_named(void)
{
    static const struct { const char *right, *made, *words; } rows[] = {
        { "c=3 in=9x8 k=4 filter=3x3 pad=1 bias=1", "c=3 in=9x8 k=4 filter=3x3 pad=1", "bias" },
        { "c=3 in=9x8 k=4 filter=3x3 pad=0:1x0:1", "c=3 in=9x8 k=4 filter=3x3 pad=1:0x1:0", "pad" },
        { "c=3 in=9x8 k=4 filter=3x3 act=relu", "c=3 in=9x8 k=4 filter=3x3", "activation" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem right = test_problem(rows[i].right), made = test_problem(rows[i].made);
        struct test_operands set = test_solved(&right, CONV_FILL_INTEGERS);
        struct conv_operands mistaken = set.operands;
        if (!made.bias)
            mistaken.bias = NULL;
        TEST_EQUAL_INT(conv_run(&mistaken, conv_kernel_find("ref_forward"), &made, NULL, NULL), CONV_OK);
        const struct conv_verification verification = verdict_on(&right, &set);
        TEST_EQUAL_INT(verification.verdict, CONV_REJECT);
        if (!strstr(verification.finding.guess, rows[i].words))
            TEST_NOTE("%s: guess \"%s\" doesn't say %s", rows[i].right, verification.finding.guess, rows[i].words);
        CU_ASSERT(strstr(verification.finding.guess, rows[i].words) != NULL);
        test_operands_free(&set);
    }
}

static void a_constant_factor_is_named(void)
{
    const struct conv_problem problem = test_problem("c=3 in=9x8 k=4 filter=3x3 pad=1");
    struct test_operands set = test_solved(&problem, CONV_FILL_INTEGERS);
    for (int64_t i = 0; i < conv_operand_count(&problem, CONV_Y); i++)
        ((float *)set.operands.y)[i] *= 2;
    const struct conv_verification verification = verdict_on(&problem, &set);
    TEST_EQUAL_INT(verification.verdict, CONV_REJECT);
    CU_ASSERT(strstr(verification.finding.guess, "2") != NULL);
    test_operands_free(&set);
}

/* ---- kernels --------------------------------------------------------------------------------------------------- */

/* At least 10,000 problems and every thread count; the verdict carries its evidence.  One with threads by all checks; a
 * reference, which is slow and computes the most, and one with much scratch by those that have the most problems: the
 * tour verifies every kernel by all.  Under a sanitizer the walk is cut: it is the same code ten times slower. */
static void kernels_are_accepted_with_evidence(void)
{
    static const struct { const char *name, *check; } rows[] = {
        { "ref_scatter", "small" }, { "std_08_unfold_by_block", "small" }, { "dw_nhwc_10_openmp", NULL } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_verify_options options = { .seed = 1, .time_limit = 300,
                                                     .check = WATCHED ? "seams" : rows[i].check };
        struct conv_verification verification;
        TEST_EQUAL_INT(conv_verify_kernel(&verification, conv_kernel_find(rows[i].name), &options, NULL), CONV_OK);
        TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
        TEST_EQUAL_INT(verification.checks, options.check ? 1 : conv_check_count());
        int64_t problems = 0;
        for (int check = 0; check < verification.checks; check++)
            problems += verification.evidence[check].problems;
        CU_ASSERT(problems > (WATCHED ? 10 : 10000));
    }
}

/* Kernels verified several at a time have the verdicts that they have alone, in their order. */
static void jobs_do_not_change_verdicts(void)
{
    enum { COUNT = 3 };
    static const char *const names[COUNT] = { "pw_03_register_tile", "ref_grouped", "dw_01_direct" };
    const struct conv_verify_options options = { .seed = 1, .time_limit = 60, .check = "seams" };
    const struct conv_kernel *kernels[COUNT];
    struct conv_verification together[COUNT], alone;
    for (int i = 0; i < COUNT; i++)
        kernels[i] = conv_kernel_find(names[i]);
    TEST_EQUAL_INT(conv_verify_kernels(together, kernels, COUNT, &options, 2, NULL, NULL), CONV_OK);
    for (int i = 0; i < COUNT; i++) {
        TEST_EQUAL_INT(conv_verify_kernel(&alone, kernels[i], &options, NULL), CONV_OK);
        TEST_EQUAL_TEXT(together[i].kernel, names[i]);
        TEST_EQUAL_INT(together[i].verdict, alone.verdict);
        TEST_EQUAL_INT(together[i].evidence[0].problems, alone.evidence[0].problems);
    }
}

static void verdicts_have_exit_statuses(void)
{
    TEST_EQUAL_INT(conv_verdict_exit(CONV_ACCEPT), 0);
    TEST_EQUAL_INT(conv_verdict_exit(CONV_REJECT), 1);
    TEST_EQUAL_INT(conv_verdict_exit(CONV_INCONCLUSIVE), 3);
    TEST_EQUAL_INT(conv_verdict_exit(CONV_SKIPPED), 77);
    TEST_EQUAL_INT(conv_exit_status(CONV_BAD_INPUT), 2);
    TEST_EQUAL_INT(conv_exit_status(CONV_BAD_FILE), 4);
}

static void a_kernel_without_problems_is_skipped(void)
{
    const struct conv_problem problem = test_problem("c=4 in=6x6 k=4 filter=3x3");
    const struct conv_verify_options options = { .seed = 1, .problems = &problem, .problem_count = 1, .only_problems = true };
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_kernel(&verification, conv_kernel_find("dw_01_direct"), &options, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_SKIPPED);
    CU_ASSERT(strlen(verification.reason) > 0);
}

/* A kernel that never returns, and one that returns late: the first is wrong, of the second nothing is known. */
static void run_forever(const struct conv_problem *conv, const struct conv_operands *operands,
                        const struct conv_workspace *workspace)
{
    (void)conv, (void)operands, (void)workspace;
    for (;;)
        pause();
}

static void run_late(const struct conv_problem *conv, const struct conv_operands *operands,
                     const struct conv_workspace *workspace)
{
    usleep(20000);
    conv_kernel_find("dw_01_direct")->run(conv, operands, workspace);
}

static void hanging_and_slow_are_not_the_same(void)
{
    static const struct conv_kernel hangs = { .name = "hangs", .title = "never returns", .kinds = 1u << CONV_DEPTHWISE,
                                              .run = run_forever };
    static const struct conv_kernel late = { .name = "late", .title = "returns late", .kinds = 1u << CONV_DEPTHWISE,
                                             .run = run_late };
    const struct conv_verify_options options = { .seed = 1, .time_limit = 0.5 };
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_kernel(&verification, &hangs, &options, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_REJECT);
    TEST_EQUAL_INT(verification.finding.fault, CONV_FAULT_HANG);
    TEST_EQUAL_INT(conv_verify_kernel(&verification, &late, &options, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_INCONCLUSIVE);
    CU_ASSERT(strstr(verification.reason, "without a fault") != NULL);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(true_outputs_are_accepted), TEST_CASE(one_wrong_element_is_placed), TEST_CASE(nan_is_rejected),
        TEST_CASE(the_bound_divides_right_from_wrong), TEST_CASE(mistakes_are_named),
        TEST_CASE(a_constant_factor_is_named), TEST_CASE(kernels_are_accepted_with_evidence),
        TEST_CASE(jobs_do_not_change_verdicts), TEST_CASE(verdicts_have_exit_statuses),
        TEST_CASE(a_kernel_without_problems_is_skipped), TEST_CASE(hanging_and_slow_are_not_the_same),
        TEST_CASE(products_that_nobody_misses), TEST_CASE(small_products_hide_in_the_bound),
        TEST_CASE(all_products_are_looked_at), TEST_CASE(the_schema_has_our_words),
    };
    return test_main("test_verify", cases, (int)(sizeof cases / sizeof *cases));
}
