/* test_faults.c - the verifier, tested like a measuring instrument: every planted fault must be rejected.
 *
 * Each fault is modelled on a real bug (docs/faults.md).  For each it prints the check that found it, the smallest
 * problem that still shows it, and what the verifier says; a fault that is accepted, or merely inconclusive, fails.
 * Read next: verify/faults/faults.c
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct conv_verification *verifications;
static int faults;

static void verify_all_faults(void)
{
    const int before = conv_kernel_count();
    TEST_EQUAL_INT(conv_provider_load(BUILDDIR "/tests/modules/faults.so", NULL), CONV_OK);
    faults = conv_kernel_count() - before;
    const struct conv_kernel **kernels = calloc((size_t)faults, sizeof *kernels);
    verifications = calloc((size_t)faults, sizeof *verifications);
    for (int i = 0; i < faults; i++)
        kernels[i] = conv_kernel_at(before + i);
    const struct conv_verify_options options = { .seed = 1, .time_limit = 120 };
    TEST_EQUAL_INT(conv_verify_kernels(verifications, kernels, faults, &options, 2, NULL, NULL), CONV_OK);
    free(kernels);
}

static void there_are_at_least_sixteen(void)
{
    CU_ASSERT(faults >= 16);
}

static void every_fault_is_rejected_by_name(void)
{
    for (int i = 0; i < faults; i++) {
        const struct conv_verification *v = &verifications[i];
        const struct conv_finding *finding = &v->finding;
        char problem[CONV_PROBLEM_TEXT];
        printf("    %-32s %-7s %-10s %-14s %s\n", v->kernel, conv_verdict_name(v->verdict), finding->check,
               conv_fault_name(finding->fault),
               v->verdict == CONV_REJECT ? conv_problem_print(problem, &finding->problem) : v->reason);
        CU_ASSERT(strncmp(v->kernel, "fault_", 6) == 0);
        TEST_EQUAL_TEXT(conv_verdict_name(v->verdict), "REJECT");
        CU_ASSERT(finding->check[0] != 0);
    }
}

/* The problem of a finding is small enough to be done by hand, or nearly.  One may be large: a sum in half precision
 * goes wrong when it is long. */
static void findings_are_shrunk(void)
{
    int large = 0;
    for (int i = 0; i < faults; i++) {
        struct conv_count count;
        const struct conv_finding *finding = &verifications[i].finding;
        conv_count_problem(&count, &finding->problem);
        if (count.macs > 500) {
            TEST_NOTE("%s: the smallest problem still has %lld MACs", verifications[i].kernel, (long long)count.macs);
            large++;
        }
    }
    CU_ASSERT(large <= 1);
}

/* The line that repeats a finding names the kernel, the problem and the seed. */
static void findings_can_be_repeated(void)
{
    for (int i = 0; i < faults; i++) {
        char line[CONV_REPRO_TEXT], problem[CONV_PROBLEM_TEXT];
        const struct conv_finding *finding = &verifications[i].finding;
        conv_repro_line(line, finding, verifications[i].kernel);
        CU_ASSERT(strstr(line, verifications[i].kernel) != NULL);
        CU_ASSERT(strstr(line, conv_problem_print(problem, &finding->problem)) != NULL);
        CU_ASSERT(strstr(line, "--seed") != NULL);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(verify_all_faults), TEST_CASE(there_are_at_least_sixteen), TEST_CASE(every_fault_is_rejected_by_name),
        TEST_CASE(findings_are_shrunk), TEST_CASE(findings_can_be_repeated),
    };
    const int status = test_main("test_faults", cases, (int)(sizeof cases / sizeof *cases));
    free(verifications);
    return status;
}
