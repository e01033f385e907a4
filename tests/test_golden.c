/* test_golden.c - the reference and every kernel against PyTorch's numbers.
 *
 * tests/golden/cases.json holds small convolutions and their gradients as PyTorch computed them (golden/make.py), so
 * a misreading of the formula that reference and kernels shared would show here.  Exact cases are compared bit for
 * bit, in both types and both layouts; real ones by the bound of docs/exactness.md, once for each of the two that are
 * compared.
 *
 * Not here: hard shapes; those are verify/checks.   Read next: tests/golden/make.py
 */
#include "tests/random_problem.h"
#include "tests/test.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *cases;

/* What a run of this test must have seen, so that an empty loop can't pass. */
static struct { int truths, kernels; } seen;

/* ---- the file -------------------------------------------------------------------------------------------- */

static void read_cases(void)
{
    json_error_t where;
    json_t *file = json_load_file(SRCDIR "/tests/golden/cases.json", JSON_REJECT_DUPLICATES, &where);
    if (!file)
        TEST_NOTE("cases.json, line %d: %s", where.line, where.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    cases = json_incref(json_object_get(file, "cases"));
    json_decref(file);
    CU_ASSERT(json_array_size(cases) >= 40);
}

static const char *text_of(const json_t *one, const char *key) { return json_string_value(json_object_get(one, key)); }

/* The numbers of an operand, in this pass's name for it; NULL if the case hasn't got it.  The caller frees them. */
static double *numbers_of(const json_t *one, const struct conv_problem *problem, enum conv_operand operand)
{
    const json_t *list = json_object_get(one, conv_operand_name(problem, operand));
    const size_t count = json_array_size(list);
    double *numbers = list ? malloc((count + 1) * sizeof *numbers) : NULL;
    if (numbers && (int64_t)count != conv_operand_count(problem, operand)) {
        TEST_NOTE("%s: %s has %zu numbers, not %lld", text_of(one, "name"), conv_operand_name(problem, operand),
                  count,
                  (long long)conv_operand_count(problem, operand));
        CU_FAIL_FATAL("the case and convref differ on a shape");
    }
    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = json_number_value(json_array_get(list, i));
    return numbers;
}

/* ---- comparing --------------------------------------------------------------------------------------------- */

/* One output of one pass: PyTorch's numbers, and how far from them each may be. */
struct golden { const json_t *one; struct conv_problem problem; enum conv_operand output; double *value, *allowed; };

static void compare(const struct golden *golden, const char *who, const double *got)
{
    const int64_t count = conv_operand_count(&golden->problem, golden->output);
    for (int64_t i = 0; i < count; i++) {
        if (fabs(got[i] - golden->value[i]) <= golden->allowed[i])
            continue;
        char text[CONV_PROBLEM_TEXT];
        TEST_NOTE("%s: %s, %s[%lld] is %.17g, PyTorch has %.17g: %s", text_of(golden->one, "name"), who,
                  conv_operand_name(&golden->problem, golden->output), (long long)i, got[i], golden->value[i],
                  conv_problem_print(text, &golden->problem));
        CU_FAIL("not what PyTorch computes");
        return;
    }
    CU_PASS("equal");
}

/* Exact: nothing.  Real: PyTorch's rounding in f64 and the kernel's in its own type. */
static void set_allowed(struct golden *golden, const struct conv_truth *truth, bool exact)
{
    for (int64_t i = 0; i < truth->count; i++)
        golden->allowed[i] = exact ? 0 : conv_truth_bound(truth, i, CONV_F64)
                                         + conv_truth_bound(truth, i, golden->problem.type);
}

static void compare_kernel(const struct golden *golden, const struct conv_kernel *kernel, struct test_operands *set,
                           int threads)
{
    const struct conv_plan_options options = { .threads = threads };
    struct conv_error error = { .message = "" };
    double *got = malloc(((size_t)conv_operand_count(&golden->problem, golden->output) + 1) * sizeof *got);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(&golden->problem, operand) == CONV_OUTPUT)
            memset(set->operands.at[operand], 0xFF, conv_operand_bytes(&golden->problem, operand));
    const enum conv_status status = conv_run(&set->operands, kernel, &golden->problem, &options, &error);
    if (status != CONV_OK)
        TEST_NOTE("%s: %s", kernel->name, error.message);
    CU_ASSERT_EQUAL_FATAL(status, CONV_OK);
    conv_operand_widen(got, &golden->problem, golden->output, set->operands.at[golden->output]);
    compare(golden, kernel->name, got);
    seen.kernels++;
    free(got);
}

static void compare_kernels(const struct golden *golden, struct test_operands *set)
{
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        if (conv_kernel_refuses(kernel, &golden->problem))
            continue;
        compare_kernel(golden, kernel, set, 1);
        if (kernel->threaded)
            compare_kernel(golden, kernel, set, 3);
    }
}

/* ---- one case ------------------------------------------------------------------------------------------------- */

/* Inputs of the case in the problem's type and layout. */
static void load_inputs(struct test_operands *set, const json_t *one, const struct conv_problem *problem)
{
    test_operands_create(set, problem, 1);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        double *numbers = numbers_of(one, problem, operand);
        CU_ASSERT_PTR_NOT_NULL_FATAL(numbers);
        conv_operand_narrow(set->operands.at[operand], problem, operand, numbers);
        free(numbers);
    }
}

static void check_output(const json_t *one, const struct conv_problem *problem, enum conv_operand output,
                         struct test_operands *set)
{
    struct golden golden = { .one = one, .problem = *problem, .output = output };
    struct conv_truth truth;
    golden.value = numbers_of(one, problem, output);
    if (!golden.value)
        return;   /* a case with an activation has no gradients */
    CU_ASSERT_EQUAL_FATAL(conv_truth_compute(&truth, NULL, problem, output, &set->operands, NULL), CONV_OK);
    golden.allowed = malloc(((size_t)truth.count + 1) * sizeof *golden.allowed);
    set_allowed(&golden, &truth, json_is_true(json_object_get(one, "exact")));
    compare(&golden, "the reference", truth.value);
    seen.truths++;
    compare_kernels(&golden, set);
    conv_truth_free(&truth);
    free(golden.allowed);
    free(golden.value);
}

static void check_problem(const json_t *one, struct conv_problem problem)
{
    struct test_operands set;
    if (problem.pass != CONV_FORWARD && !json_object_get(one, "dy"))
        return;
    CU_ASSERT_EQUAL_FATAL(conv_problem_finish(&problem, NULL), CONV_OK);
    load_inputs(&set, one, &problem);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(&problem, operand) == CONV_OUTPUT)
            check_output(one, &problem, operand, &set);
    test_operands_free(&set);
}

/* ---- the cases ------------------------------------------------------------------------------------------------- */

static void all_cases_of(enum conv_pass pass)
{
    const json_t *one;
    size_t i;
    seen.truths = seen.kernels = 0;
    json_array_foreach(cases, i, one) {
        struct conv_problem problem = test_problem(text_of(one, "problem"));
        problem.pass = pass;
        for (problem.type = 0; problem.type < CONV_TYPES; problem.type++)
            for (problem.layout = 0; problem.layout < CONV_LAYOUTS; problem.layout++)
                check_problem(one, problem);
    }
    printf("  %s: %d outputs of the reference and %d of kernels compared with PyTorch's\n", conv_pass_name(pass),
           seen.truths, seen.kernels);
}

static void forward(void)
{
    all_cases_of(CONV_FORWARD);
    CU_ASSERT(seen.truths >= 40 * 4 && seen.kernels >= 1000);
}

static void gradient_of_x(void)
{
    all_cases_of(CONV_BACKWARD_DATA);
    CU_ASSERT(seen.truths >= 35 * 4 && seen.kernels >= 250);
}

static void gradients_of_weights_and_bias(void)
{
    all_cases_of(CONV_BACKWARD_WEIGHTS);
    CU_ASSERT(seen.truths >= 35 * 4 + 10 * 4 && seen.kernels >= 250);
}

int main(void)
{
    static const struct test_case all[] = {
        TEST_CASE(read_cases), TEST_CASE(forward), TEST_CASE(gradient_of_x), TEST_CASE(gradients_of_weights_and_bias),
    };
    const int status = test_main("test_golden", all, sizeof all / sizeof *all);
    json_decref(cases);
    return status;
}
