/* test_faults.c - the verifier, tested like a measuring instrument: every planted fault must be rejected.
 *
 * Each fault is modelled on a real bug (docs/faults.md).  For each it prints the check that found it, the smallest
 * problem that still shows it, and what the verifier says; a fault that is accepted, or merely inconclusive, fails.
 * Read next: verify/proof/faults/faults.c
 */
#include "tests/guesses.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

/* Bars of the project. */
enum { LEAST_FAULTS = 150, MOST_MACS = 200, LEAST_GUESSES = 60 /* % */ };

/* Findings that can't be small, and why: by the beginning of their names. */
static const struct { const char *fault, *why; } large[] = {
    { "bz060_partial_tile", "only sums of 256 terms and more are wrong" },
    { "bz083_half_sums", "integers are right in f16 up to 2048" },
    { "bz081_sixteen_bits", "only sizes above 65535 are wrong" },
    { "bz102_index_in_32_bits", "only x of more than 2^31 elements is read wrongly" },
    { "onednn522_one_of_many", "only sums over 512 channels and more are wrong" },
    { "onednn1583_long_sums_are_nan", "only sums over 512 channels and more are NaN" },
    { "pt24172_small_terms", "a term must be small beside its sum" },
    { "pt68048_bias_in_8_bits", "the sum must exceed 256" },
    { "rocm5859_bf16_images", "the sum over an image must exceed 256" },
    { "tt34952_bf16_sums", "integers are right in bf16 up to 256" },
    { "huge_", "an array must have more than 2^29 elements" },
    { "pair_", "two sizes must be large together" },
    { "power_", "channels or filters must be a large power of two" },
    { "meet_", "five settings and more must meet" },
    { "state_geometry", "alone it is right, so it can't be shrunk" },
};

/* All are tried; every third finding is shrunk and explained, since that takes minutes; with CONVREF_EVERY_FAULT,
 * each.
 * Under a sanitizer every fourth fault is tried: they are slow there, and it is the verifier that is watched. */
enum { STEP = WATCHED ? 4 : 1, EXPLAINED = 3 };

static struct conv_verification *verifications;
static const struct conv_kernel **tried;
static int planted, faults;   /* of these so many are tried */

static bool is_explained(int i) { return i % EXPLAINED == 0 || getenv("CONVREF_EVERY_FAULT"); }

static const struct guess *guess_of(const char *kernel)
{
    static const struct guess none = { "", "small", { NULL } };
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (!strcmp(guesses[i].fault, kernel + strlen("fault_")))
            return &guesses[i];
    return &none;
}

/* Those that one check is meant to see, by that check alone, one of those that `convref verify` runs. */
static void verify_by(const char *check, bool explained)
{
    const struct conv_kernel **kernels = calloc((size_t)faults, sizeof *kernels);
    int *place = calloc((size_t)faults, sizeof *place), count = 0;
    for (int i = 0; i < faults; i++) {
        if (strcmp(guess_of(tried[i]->name)->check, check) || is_explained(i) != explained)
            continue;
        place[count] = i;
        kernels[count++] = tried[i];
    }
    struct conv_verification *results = calloc((size_t)count + 1, sizeof *results);
    const struct conv_verify_options options = { .seed = 1, .time_limit = 300, .check = check, .brief = !explained };
    TEST_EQUAL_INT(conv_verify_kernels(results, kernels, count, &options, 2, NULL, NULL), CONV_OK);
    for (int i = 0; i < count; i++)
        verifications[place[i]] = results[i];
    free(results);
    free(place);
    free(kernels);
}

static void verify_all_faults(void)
{
    const int before = conv_kernel_count();
    TEST_EQUAL_INT(conv_provider_load(BUILDDIR "/verify/faults.so", NULL), CONV_OK);
    planted = conv_kernel_count() - before;
    tried = calloc((size_t)planted, sizeof *tried);
    for (int i = 0; i < planted; i += STEP) {
        const struct conv_kernel *kernel = conv_kernel_at(before + i);
        if (!WATCHED || strcmp(guess_of(kernel->name)->check, "huge"))   /* too slow for that check's budget */
            tried[faults++] = kernel;
    }
    verifications = calloc((size_t)faults, sizeof *verifications);
    for (int i = 0; i < 2 * conv_check_count(); i++)
        verify_by(conv_check_at(i / 2).name, i % 2);
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
        if (!strncmp(large[i].fault, v->kernel + strlen("fault_"), strlen(large[i].fault)))
            return large[i].why;
    return v->finding.fault == CONV_FAULT_CRASH ? "crashes are not shrunk" : NULL;
}

/* The problem of a finding is small enough to be done by hand, or there is a reason why it isn't. */
static void findings_are_shrunk(void)
{
    for (int i = 0; i < faults; i++) {
        struct conv_count count;
        const struct conv_verification *v = &verifications[i];
        if (v->verdict != CONV_REJECT || !is_explained(i))
            continue;
        conv_count_problem(&count, &v->finding.problem);
        if (count.macs > MOST_MACS)
            TEST_NOTE("%s: the smallest problem has %lld MACs: %s", v->kernel, (long long)count.macs,
                      why_large(v) ? why_large(v) : "no reason is known");
        CU_ASSERT(count.macs <= MOST_MACS || why_large(v));
    }
}

/* A right guess for most of them, a wrong one for none. */
static void guesses_are_right(void)
{
    int right = 0, wrong = 0, explained = 0;
    for (int i = 0; !WATCHED && i < faults; i++) {   /* under a sanitizer there is no time for all that they need */
        if (!is_explained(i))
            continue;
        const struct guess *expected = guess_of(verifications[i].kernel);
        const char *guess = verifications[i].finding.guess;
        bool fits = expected->words[0] != NULL;
        for (int word = 0; word < 2 && expected->words[word]; word++)
            fits = fits && strstr(guess, expected->words[word]) != NULL;
        printf("    %-32s %s\n", verifications[i].kernel, guess[0] ? guess : "-");
        explained++;
        right += fits;
        wrong += !fits && guess[0];
        if (!fits && (guess[0] || expected->words[0]))
            TEST_NOTE("%s: \"%s\" doesn't say %s", verifications[i].kernel, guess,
                      expected->words[0] ? expected->words[0] : "that it isn't known");
    }
    printf("    %d of %d have a right guess, %d a wrong one\n", right, explained, wrong);
    CU_ASSERT(WATCHED || 100 * right >= LEAST_GUESSES * explained);
    TEST_EQUAL_INT(wrong, 0);
}

/* The line that repeats a finding names the kernel, the check and the seed, and the problem, where it is enough. */
static void findings_are_printed_as_commands(void)
{
    for (int i = 0; i < faults; i++) {
        char line[CONV_REPRO_TEXT], problem[CONV_PROBLEM_TEXT], check[64];
        const struct conv_finding *finding = &verifications[i].finding;
        if (verifications[i].verdict != CONV_REJECT || !is_explained(i))
            continue;
        conv_repro_line(line, finding, verifications[i].kernel);
        snprintf(check, sizeof check, "--check %s", finding->check);
        CU_ASSERT(strstr(line, verifications[i].kernel) != NULL);
        CU_ASSERT(strstr(line, check) != NULL);
        CU_ASSERT(strstr(line, "--seed") != NULL);
        if (!finding->needs_others)
            CU_ASSERT(strstr(line, conv_problem_print(problem, &finding->problem)) != NULL);
    }
}

/* What the line says, done: the same fault, and the same first wrong number.  Races are chance; "huge" has arrays of
 * its own; checks of real and special numbers try several data for one problem, and may fail on others first. */
static void findings_come_again(void)
{
    static const char *const others[] = { "turns", "huge", "threads", "real", "special", "probes" };
    int again = 0;
    for (int i = 0; i < faults; i++) {
        const struct conv_finding *finding = &verifications[i].finding;
        const struct conv_verify_options options = {
            .seed = finding->seed, .time_limit = 60, .problems = &finding->problem, .problem_count = 1,
            .only_problems = true, .check = finding->check, .brief = true };
        struct conv_verification v;
        bool skip = finding->needs_others || !is_explained(i);
        for (size_t o = 0; o < sizeof others / sizeof *others; o++)
            skip = skip || !strcmp(finding->check, others[o]);
        if (skip)
            continue;
        TEST_EQUAL_INT(conv_verify_kernel(&v, conv_kernel_find(verifications[i].kernel), &options, NULL), CONV_OK);
        const bool same = v.verdict == CONV_REJECT && v.finding.fault == finding->fault
            && v.finding.wrong == finding->wrong
            && !memcmp(&v.finding.first[0].got, &finding->first[0].got, sizeof(double));
        if (!same)
            TEST_NOTE("%s: %s, %s, %lld wrong, first %g; it was %s, %lld, %g", verifications[i].kernel,
                      conv_verdict_name(v.verdict), conv_fault_name(v.finding.fault), (long long)v.finding.wrong,
                      v.finding.first[0].got, conv_fault_name(finding->fault), (long long)finding->wrong,
                      finding->first[0].got);
        CU_ASSERT(same);
        again += same;
    }
    printf("    %d findings came again\n", again);
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
        TEST_CASE(findings_are_shrunk), TEST_CASE(guesses_are_right), TEST_CASE(findings_are_printed_as_commands),
        TEST_CASE(findings_come_again), TEST_CASE(faults_are_documented),
    };
    const int status = test_main("test_faults", cases, (int)(sizeof cases / sizeof *cases));
    free(verifications);
    free(tried);
    return status;
}
