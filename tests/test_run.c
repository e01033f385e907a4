/* test_run.c - the checked way in: plans, operands, devices, and providers that are refused.
 * The values that kernels compute are the business of test_verify.c.   Read next: core/run.c
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/plan.h"
#include "tests/random_problem.h"

#define PROVIDER(name) BUILDDIR "/tests/modules/" name ".so"

/* ---- plans ----------------------------------------------------------------------------------------------------- */

static void a_plan_runs_as_often_as_you_like(void)
{
    const struct conv_problem problem = test_problem("n=2 c=8 in=9x7 k=6 filter=3x3 pad=1 bias=1");
    const struct conv_kernel *kernel = conv_kernel_find("std_07_packed_weights");
    struct test_operands set;
    struct conv_plan *plan = NULL;
    test_operands_create(&set, &problem, 1);
    TEST_EQUAL_INT(conv_plan_create(&plan, kernel, &problem, NULL, NULL), CONV_OK);
    TEST_EQUAL_INT(conv_plan_load(plan, &set.operands, NULL), CONV_OK);
    CU_ASSERT(conv_plan_packed_bytes(plan) > 0);

    const size_t bytes = conv_operand_bytes(&problem, CONV_Y);
    void *first = malloc(bytes);
    CU_ASSERT(conv_plan_run(plan) >= 0);
    memcpy(first, set.operands.y, bytes);
    for (int i = 0; i < 3; i++) {
        memset(set.operands.y, 0xFF, bytes);
        plan_poison(plan, 0xFF);
        CU_ASSERT(conv_plan_run(plan) >= 0);
        TEST_EQUAL_INT(memcmp(first, set.operands.y, bytes), 0);
    }
    free(first);
    conv_plan_free(plan);
    test_operands_free(&set);
}

static void a_missing_operand_is_named(void)
{
    static const struct { const char *problem; enum conv_operand operand; const char *name; } rows[] = {
        { "c=2 in=4x4 k=2 filter=3x3", CONV_X, "x" },
        { "c=2 in=4x4 k=2 filter=3x3", CONV_WEIGHTS, "w" },
        { "c=2 in=4x4 k=2 filter=3x3 bias=1", CONV_BIAS, "bias" },
        { "c=2 in=4x4 k=2 filter=3x3", CONV_Y, "y" },
        { "op=separable c=2 in=4x4 k=2 filter=3x3", CONV_PW, "pw" },
        { "c=2 in=4x4 k=2 filter=3x3 pass=backward_data", CONV_X, "dx" },
        { "c=2 in=4x4 k=2 filter=3x3 pass=backward_weights", CONV_WEIGHTS, "dw" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].problem);
        struct test_operands set;
        struct conv_error error = { 0 };
        char words[64];
        test_operands_create(&set, &problem, 1);
        set.operands.at[rows[i].operand] = NULL;
        for (int k = 0; k < conv_kernel_count(); k++)
            if (!conv_kernel_refuses(conv_kernel_at(k), &problem))
                TEST_EQUAL_INT(conv_run(&set.operands, conv_kernel_at(k), &problem, NULL, &error), CONV_BAD_INPUT);
        snprintf(words, sizeof words, "the operand %s is missing", rows[i].name);
        TEST_EQUAL_TEXT(error.message, words);
        test_operands_free(&set);
    }
}

static void a_kernel_that_does_not_apply_is_not_run(void)
{
    const struct conv_problem problem = test_problem("c=4 in=6x6 k=4 filter=3x3 groups=4");
    struct test_operands set;
    struct conv_error error = { 0 };
    test_operands_create(&set, &problem, 1);
    TEST_EQUAL_INT(conv_run(&set.operands, conv_kernel_find("std_01_direct"), &problem, NULL, &error),
                   CONV_NOT_APPLICABLE);
    CU_ASSERT(strstr(error.message, "depthwise") != NULL);
    test_operands_free(&set);
}

/* A struct that was changed by hand after it was parsed is checked again. */
static void an_impossible_problem_is_refused(void)
{
    struct conv_problem problem = test_problem("c=4 in=6x6 k=4 filter=3x3");
    struct conv_plan *plan = NULL;
    struct conv_error error = { 0 };
    problem.groups = 3;
    TEST_EQUAL_INT(conv_plan_create(&plan, conv_kernel_find("ref_forward"), &problem, NULL, &error), CONV_BAD_INPUT);
    CU_ASSERT_PTR_NULL(plan);
    CU_ASSERT(strstr(error.message, "groups") != NULL);
}

static void an_empty_batch_runs(void)
{
    const struct conv_problem problem = test_problem("n=0 c=4 in=6x6 k=4 filter=3x3");
    struct test_operands set;
    test_operands_create(&set, &problem, 1);
    for (int k = 0; k < conv_kernel_count(); k++)
        if (!conv_kernel_refuses(conv_kernel_at(k), &problem))
            TEST_EQUAL_INT(conv_run(&set.operands, conv_kernel_at(k), &problem, NULL, NULL), CONV_OK);
    test_operands_free(&set);
}

/* ---- devices --------------------------------------------------------------------------------------------------- */

static void load_device(void)
{
    if (!conv_kernel_find("device_pointwise"))
        TEST_EQUAL_INT(conv_provider_load(PROVIDER("device"), NULL), CONV_OK);
}

/* The kernel sees the device's memory, the result is the truth, and the time is the device's. */
static void a_device_brings_memory_and_clock(void)
{
    load_device();
    const struct conv_problem problem = test_problem("n=2 c=5 in=6x7 k=3 filter=1x1 bias=1 act=relu");
    const struct conv_kernel *kernel = conv_kernel_find("device_pointwise");
    struct test_operands set;
    struct conv_plan *plan = NULL;
    test_operands_create(&set, &problem, 7);
    TEST_EQUAL_INT(conv_plan_create(&plan, kernel, &problem, NULL, NULL), CONV_OK);
    TEST_EQUAL_INT(conv_plan_load(plan, &set.operands, NULL), CONV_OK);
    CU_ASSERT_DOUBLE_EQUAL(conv_plan_run(plan), 0.125, 0);
    TEST_EQUAL_INT(conv_plan_store(plan, NULL), CONV_OK);
    conv_plan_free(plan);

    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_operands(&verification, &problem, &set.operands, CONV_DIRECT, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
    test_operands_free(&set);
}

static void a_device_that_fails_is_an_error(void)
{
    load_device();
    const struct conv_problem problem = test_problem("c=2 in=3x3 k=2 filter=1x1");
    struct test_operands set;
    struct conv_error error = { 0 };
    test_operands_create(&set, &problem, 7);
    CU_ASSERT(conv_run(&set.operands, conv_kernel_find("device_broken"), &problem, NULL, &error) != CONV_OK);
    CU_ASSERT(strstr(error.message, "device_broken failed on its device") != NULL);
    test_operands_free(&set);
}

/* The verifier takes the device's way too. */
static void a_device_kernel_is_verified(void)
{
    load_device();
    const struct conv_verify_options options = { .seed = 1, .time_limit = 600 };
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_kernel(&verification, conv_kernel_find("device_pointwise"), &options, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
}

/* What a check couldn't do is no verdict: not when a device fails at once, and not when it fails at last. */
static void a_device_that_fails_is_no_verdict(void)
{
    static const char *const kernels[] = { "device_no_allocate", "device_late_allocate", "device_no_copy_in",
                                           "device_late_copy_in", "device_no_copy_out", "device_late_copy_out",
                                           "device_broken" };
    const struct conv_problem problem = test_problem("n=2 c=5 in=6x7 k=3 filter=1x1 bias=1 act=relu");
    load_device();
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        struct conv_examined row;
        struct conv_examination all;
        int inconclusive = 0;
        for (int check = 0; check < conv_check_count(); check++) {
            const char *name = conv_check_at(check).name;
            const struct conv_verify_options options = { .seed = 1, .problems = &problem, .problem_count = 1, .check = name };
            struct conv_verification v;
            TEST_EQUAL_INT(conv_verify_kernel(&v, conv_kernel_find(kernels[i]), &options, NULL), CONV_OK);
            const bool looks = strcmp(name, "threads") && strcmp(name, "huge");   /* at devices */
            if (v.verdict != (looks ? CONV_INCONCLUSIVE : CONV_SKIPPED))
                TEST_NOTE("%s, check %s: %s %s", kernels[i], name, conv_verdict_name(v.verdict), v.reason);
            CU_ASSERT(v.verdict == (looks ? CONV_INCONCLUSIVE : CONV_SKIPPED));
            inconclusive += v.verdict == CONV_INCONCLUSIVE;
        }
        TEST_EQUAL_INT(inconclusive, conv_check_count() - 2);
        TEST_EQUAL_INT(conv_examine(&row, &all, conv_kernel_find(kernels[i]), &problem, 1,
                                    &(struct conv_verify_options){ .seed = 1 }, NULL), CONV_OK);
        TEST_EQUAL_INT(row.verdict, CONV_INCONCLUSIVE);
    }
}

/* ---- providers ------------------------------------------------------------------------------------------------- */

static void bad_providers_are_refused(void)
{
    static const struct { const char *path, *words; } rows[] = {
        { PROVIDER("wrong_abi"), "another version of convref (ABI 5" },
        { PROVIDER("wrong_size"), "another version of convref" },
        { PROVIDER("wrong_name_taken"), "the name ref_forward is taken" },
        { PROVIDER("wrong_no_name"), "no name" },
        { PROVIDER("wrong_no_run"), "has no run function" },
        { PROVIDER("wrong_half_packed"), "has one of packed_bytes and pack" },
        { PROVIDER("wrong_null"), "convref_provider() has no kernels" },
        { PROVIDER("wrong_symbol"), "has no function convref_provider" },
        { PROVIDER("missing"), "can't be loaded" },
    };
    const int before = conv_kernel_count();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conv_error error = { 0 };
        TEST_EQUAL_INT(conv_provider_load(rows[i].path, &error), CONV_BAD_FILE);
        if (!strstr(error.message, rows[i].words))
            TEST_NOTE("%s: \"%s\" doesn't say \"%s\"", rows[i].path, error.message, rows[i].words);
        CU_ASSERT(strstr(error.message, rows[i].words) != NULL);
    }
    TEST_EQUAL_INT(conv_kernel_count(), before);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(a_plan_runs_as_often_as_you_like), TEST_CASE(a_missing_operand_is_named),
        TEST_CASE(a_kernel_that_does_not_apply_is_not_run), TEST_CASE(an_impossible_problem_is_refused),
        TEST_CASE(an_empty_batch_runs), TEST_CASE(a_device_brings_memory_and_clock),
        TEST_CASE(a_device_that_fails_is_an_error), TEST_CASE(a_device_kernel_is_verified),
        TEST_CASE(a_device_that_fails_is_no_verdict),
        TEST_CASE(bad_providers_are_refused),
    };
    return test_main("test_run", cases, (int)(sizeof cases / sizeof *cases));
}
