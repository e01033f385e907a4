/* test_faults.c - the verifier, tested like a measuring instrument: every planted fault must be rejected.
 *
 * Each fault is modelled on a real bug (docs/faults.md).  For each it prints the check that found it, the smallest
 * problem that still shows it, and what the verifier says; a fault that is accepted, or merely inconclusive, fails.
 * Read next: verify/proof/faults/faults.c
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

/* Bars of the project. */
enum { LEAST_FAULTS = 60, MOST_MACS = 200 };

/* Findings that can't be small, and why. */
static const struct { const char *fault, *why; } large[] = {
    { "fault_bz060_partial_tile", "only sums of 256 terms and more are wrong" },
    { "fault_bz083_half_sums", "integers are right in f16 up to 2048" },
    { "fault_bz081_sixteen_bits", "only sizes above 65535 are wrong" },
    { "fault_bz102_index_in_32_bits", "only x of more than 2^31 elements is read wrongly" },
    { "fault_onednn522_one_of_many", "only sums over 512 channels and more are wrong" },
    { "fault_onednn1583_long_sums_are_nan", "only sums over 512 channels and more are NaN" },
    { "fault_pt24172_small_terms", "a term must be small beside its sum" },
    { "fault_pt68048_bias_in_8_bits", "the sum must exceed 256" },
    { "fault_rocm5859_bf16_images", "the sum over an image must exceed 256" },
    { "fault_tt34952_bf16_sums", "integers are right in bf16 up to 256" },
};

/* Under a sanitizer every fourth fault is tried: they are slow there, and it is the verifier that is watched. */
enum { STEP = WATCHED ? 4 : 1 };

static struct conv_verification *verifications;
static int planted, faults;   /* of these so many are tried */

static void verify_all_faults(void)
{
    const int before = conv_kernel_count();
    TEST_EQUAL_INT(conv_provider_load(BUILDDIR "/verify/faults.so", NULL), CONV_OK);
    planted = conv_kernel_count() - before;
    faults = (planted + STEP - 1) / STEP;
    const struct conv_kernel **kernels = calloc((size_t)faults, sizeof *kernels);
    verifications = calloc((size_t)faults, sizeof *verifications);
    for (int i = 0; i < faults; i++)
        kernels[i] = conv_kernel_at(before + i * STEP);
    const struct conv_verify_options options = { .seed = 1, .time_limit = 300 };
    TEST_EQUAL_INT(conv_verify_kernels(verifications, kernels, faults, &options, 2, NULL, NULL), CONV_OK);
    free(kernels);
}

static void there_are_enough(void)
{
    CU_ASSERT(planted >= LEAST_FAULTS);
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

static const char *why_large(const struct conv_verification *v)
{
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        if (!strcmp(large[i].fault, v->kernel))
            return large[i].why;
    return v->finding.fault == CONV_FAULT_CRASH ? "crashes are not shrunk" : NULL;
}

/* The problem of a finding is small enough to be done by hand, or there is a reason why it isn't. */
static void findings_are_shrunk(void)
{
    for (int i = 0; i < faults; i++) {
        struct conv_count count;
        const struct conv_verification *v = &verifications[i];
        if (v->verdict != CONV_REJECT)
            continue;
        conv_count_problem(&count, &v->finding.problem);
        if (count.macs > MOST_MACS)
            TEST_NOTE("%s: the smallest problem has %lld MACs: %s", v->kernel, (long long)count.macs,
                      why_large(v) ? why_large(v) : "no reason is known");
        CU_ASSERT(count.macs <= MOST_MACS || why_large(v));
    }
}

/* The line that repeats a finding names the kernel, the problem and the seed. */
static void findings_can_be_repeated(void)
{
    for (int i = 0; i < faults; i++) {
        char line[CONV_REPRO_TEXT], problem[CONV_PROBLEM_TEXT];
        const struct conv_finding *finding = &verifications[i].finding;
        if (verifications[i].verdict != CONV_REJECT)
            continue;
        conv_repro_line(line, finding, verifications[i].kernel);
        CU_ASSERT(strstr(line, verifications[i].kernel) != NULL);
        CU_ASSERT(strstr(line, conv_problem_print(problem, &finding->problem)) != NULL);
        CU_ASSERT(strstr(line, "--seed") != NULL);
    }
}

/* How docs/faults.md names what a fault is modelled on.  Its title is "words [owner/project #number, stated]", or
 * "words [blind spot, CHECK]". */
static void model_of(char model[128], const char *title)
{
    static const char blind[] = "[blind spot, ";
    const char *bracket = strrchr(title, '[');
    CU_ASSERT_FATAL(bracket != NULL);
    if (!strncmp(bracket, blind, sizeof blind - 1))
        snprintf(model, 128, "blind spot: `%.*s`", (int)strcspn(bracket + sizeof blind - 1, "]"),
                 bracket + sizeof blind - 1);
    else
        snprintf(model, 128, "[%.*s](https://", (int)strcspn(bracket + 1, ","), bracket + 1);
}

/* docs/faults.md has every fault, with its report or as a blind spot. */
static void faults_are_documented(void)
{
    static char document[1 << 17];
    FILE *file = fopen(SRCDIR "/docs/faults.md", "r");
    CU_ASSERT_FATAL(file != NULL);
    document[fread(document, 1, sizeof document - 1, file)] = 0;
    fclose(file);
    for (int i = 0; i < faults; i++) {
        char name[96], model[128];
        const struct conv_kernel *kernel = conv_kernel_find(verifications[i].kernel);
        model_of(model, kernel->title);
        snprintf(name, sizeof name, "| `%s` |", kernel->name + strlen("fault_"));
        const char *row = strstr(document, name), *found = row ? strstr(row, model) : NULL;
        if (!found || strcspn(row, "\n") < (size_t)(found - row))
            TEST_NOTE("docs/faults.md: there is no row %s with %s: run tools/faults-table", name, model);
        CU_ASSERT(found && (size_t)(found - row) < strcspn(row, "\n"));
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(verify_all_faults), TEST_CASE(there_are_enough), TEST_CASE(every_fault_is_rejected_by_name),
        TEST_CASE(findings_are_shrunk), TEST_CASE(findings_can_be_repeated), TEST_CASE(faults_are_documented),
    };
    const int status = test_main("test_faults", cases, (int)(sizeof cases / sizeof *cases));
    free(verifications);
    return status;
}
