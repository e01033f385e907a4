/* test_accept.c - the verifier's other half: no correct kernel is rejected, in any build of it.
 *
 * All kernels of the table, in the best build that this machine has, through every check; the builds for lesser
 * instruction sets through the check of the seams, where their vectors end; and the accept-set, correct kernels that were
 * written to be unusual, through every check but the longest.   Read next: tests/test_faults.c, verify/accept/awkward.c
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* Bars of the project: problems per kernel. */
enum { LEAST_PROBLEMS = 10000, LEAST_AWKWARD = 12 };

/* The kernels of the table from number `first` on. */
static void accept_from(int first, const char *check, bool full)
{
    const int count = conv_kernel_count() - first;
    const struct conv_kernel **kernels = calloc((size_t)count, sizeof *kernels);
    struct conv_verification *results = calloc((size_t)count, sizeof *results);
    struct conv_machine machine;
    const struct conv_verify_options options = { .seed = 2, .time_limit = 300, .check = check };
    conv_machine_read(&machine);
    for (int i = 0; i < count; i++)
        kernels[i] = conv_kernel_at(first + i);
    TEST_EQUAL_INT(conv_verify_kernels(results, kernels, count, &options, machine.cores, NULL, NULL), CONV_OK);
    for (int i = 0; i < count; i++) {
        const struct conv_verification *v = &results[i];
        if (v->verdict != CONV_ACCEPT)
            TEST_NOTE("%s (%s): %s in check %s, %s", v->kernel, conv_isa_name(kernels[i]->isa),
                      conv_verdict_name(v->verdict), v->finding.check, conv_fault_name(v->finding.fault));
        if (v->verdict != CONV_SKIPPED || !check)   /* a kernel of one thread has nothing to do in check threads */
            TEST_EQUAL_TEXT(conv_verdict_name(v->verdict), "ACCEPT");
        if (full) {
            TEST_EQUAL_TEXT(v->evidence[0].check, "small");
            CU_ASSERT(v->evidence[0].problems >= LEAST_PROBLEMS);
            CU_ASSERT(v->evidence[0].worst == 0);
        }
    }
    free(results);
    free(kernels);
}

static void all_kernels_are_accepted(void)
{
    accept_from(0, WATCHED ? "seams" : NULL, !WATCHED);
}

static void lesser_builds_are_accepted(void)
{
    const enum conv_isa best = conv_isa_limit();
    for (int isa = 0; isa < (int)best && !WATCHED; isa++) {
        conv_isa_set_limit((enum conv_isa)isa);
        accept_from(0, "seams", false);
    }
    conv_isa_set_limit(best);
}

/* The two checks that take longest are left to `convref verify --self`. */
static bool is_long(const char *check) { return !strcmp(check, "small") || !strcmp(check, "seams"); }

static void awkward_kernels_are_accepted(void)
{
    const int before = conv_kernel_count();
    TEST_EQUAL_INT(conv_provider_load(BUILDDIR "/verify/awkward.so", NULL), CONV_OK);
    CU_ASSERT(conv_kernel_count() - before >= LEAST_AWKWARD);
    for (int i = 0; i < conv_check_count(); i++)
        if (WATCHED ? !strcmp(conv_check_at(i).name, "probes") : !is_long(conv_check_at(i).name))
            accept_from(before, conv_check_at(i).name, false);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(all_kernels_are_accepted), TEST_CASE(lesser_builds_are_accepted), TEST_CASE(awkward_kernels_are_accepted),
    };
    return test_main("test_accept", cases, (int)(sizeof cases / sizeof *cases));
}
