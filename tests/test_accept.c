/* test_accept.c - the verifier's other half: no correct kernel is rejected, in any build of it.
 *
 * The last step of every ladder, in the best build that this machine has, through all small shapes; every step in
 * every build, and the references, through check `covering`, which has every remainder of vectors; and the accept-set,
 * correct kernels that were written to be unusual, through the checks that take seconds.  The tour has every kernel of
 * the table verified by every check, and is run before the tests.
 * Read next: tests/test_faults.c, verify/proof/accept/awkward.c
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

/* Bars of the project: problems per kernel. */
enum { LEAST_PROBLEMS = 10000, LEAST_AWKWARD = 30, MOST_KERNELS = 256 };

/* Some kernels, through one check.  In check `small` they must be exact on enough problems. */
static void accept(const struct conv_kernel *const *kernels, int count, const char *check)
{
    struct conv_verification *results = calloc((size_t)count, sizeof *results);
    struct conv_machine machine;
    const struct conv_verify_options options = { .seed = 2, .time_limit = 300, .check = check };
    conv_machine_read(&machine);
    TEST_EQUAL_INT(conv_verify_kernels(results, kernels, count, &options, machine.cores, NULL, NULL), CONV_OK);
    for (int i = 0; i < count; i++) {
        const struct conv_verification *v = &results[i];
        if (v->verdict == CONV_SKIPPED)   /* it has nothing to do in this check */
            continue;
        if (v->verdict != CONV_ACCEPT)
            TEST_NOTE("%s (%s): %s in check %s, %s", v->kernel, conv_isa_name(kernels[i]->isa),
                      conv_verdict_name(v->verdict), v->finding.check, conv_fault_name(v->finding.fault));
        TEST_EQUAL_TEXT(conv_verdict_name(v->verdict), "ACCEPT");
        if (!strcmp(v->evidence[0].check, "small")) {
            CU_ASSERT(v->evidence[0].problems >= LEAST_PROBLEMS);
            CU_ASSERT(v->evidence[0].worst == 0);
        }
    }
    free(results);
}

/* The kernels of the table from number `first` on. */
static int list(const struct conv_kernel *kernels[MOST_KERNELS], int first)
{
    const int count = conv_kernel_count() - first;
    CU_ASSERT_FATAL(count > 0 && count <= MOST_KERNELS);
    for (int i = 0; i < count; i++)
        kernels[i] = conv_kernel_at(first + i);
    return count;
}

static bool is_last_step(const struct conv_kernel *kernel)
{
    for (int i = 0; i < conv_kernel_count(); i++) {
        const char *from = conv_kernel_at(i)->from;
        if (from && !strcmp(from, kernel->name))
            return false;
    }
    return strncmp(kernel->name, "ref_", 4) != 0;
}

static void last_steps_are_accepted(void)
{
    const struct conv_kernel *kernels[MOST_KERNELS];
    const int count = list(kernels, 0);
    int last = 0;
    for (int i = 0; i < count; i++)
        if (is_last_step(kernels[i]))
            kernels[last++] = kernels[i];
    CU_ASSERT(last >= 10);
    accept(kernels, last, WATCHED ? "covering" : "small");
}

static void every_build_is_accepted(void)
{
    const enum conv_isa best = conv_isa_limit();
    for (int isa = 0; isa <= (int)best && !WATCHED; isa++) {
        const struct conv_kernel *kernels[MOST_KERNELS];
        conv_isa_set_limit((enum conv_isa)isa);
        accept(kernels, list(kernels, 0), "covering");
    }
    conv_isa_set_limit(best);
}

/* These kernels are slow; the checks of many problems are left to `convref verify --self`. */
static bool is_long(const char *check)
{
    static const char *const names[] = { "small", "covering", "limits", "routes", "large", "seams", "huge" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(check, names[i]))
            return true;
    return false;
}

static void awkward_kernels_are_accepted(void)
{
    const struct conv_kernel *kernels[MOST_KERNELS];
    const int before = conv_kernel_count();
    TEST_EQUAL_INT(conv_provider_load(BUILDDIR "/verify/awkward.so", NULL), CONV_OK);
    const int count = list(kernels, before);
    CU_ASSERT(count >= LEAST_AWKWARD);
    for (int i = 0; i < conv_check_count(); i++)
        if (WATCHED ? !strcmp(conv_check_at(i).name, "probes") : !is_long(conv_check_at(i).name))
            accept(kernels, count, conv_check_at(i).name);
}

/* Kernels of the accept-set under other claims, and a check that decides.  Who claims too much is rejected; who
 * claims less than it does is not. */
static const struct { const char *kernel; enum conv_accuracy claim; const char *check, *verdict; } claims[] = {
    { "awkward_tf32_cut", CONV_DIRECT, "probes", "REJECT" },
    { "awkward_bf16_inputs", CONV_TF32, "probes", "REJECT" },
    { "awkward_bf16_inputs", CONV_F16_INPUTS, "probes", "REJECT" },
    { "awkward_f16_sums", CONV_F16_INPUTS, "probes", "REJECT" },
    { "awkward_f16_sums", CONV_TF32, "probes", "REJECT" },
    { "awkward_fft", CONV_TF32, "probes", "REJECT" },
    { "awkward_winograd_2", CONV_DIRECT, "special", "REJECT" },
    { "awkward_winograd_4", CONV_DIRECT, "real", "REJECT" },
    { "awkward_winograd_4", CONV_WINOGRAD_2, "real", "REJECT" },
    { "awkward_fft", CONV_DIRECT, "real", "REJECT" },
    { "awkward_tf32_rounded", CONV_BF16_INPUTS, "probes", "ACCEPT" },
    { "awkward_pairwise", CONV_TF32, "probes", "ACCEPT" },
    { "awkward_winograd_2", CONV_WINOGRAD_4, "real", "ACCEPT" },
};

static void claims_are_judged(void)
{
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        const struct conv_kernel *kernel = conv_kernel_find(claims[i].kernel);
        const struct conv_verify_options options = { .seed = 4, .time_limit = 300, .brief = true,
                                                     .check = claims[i].check };
        struct conv_verification result;
        CU_ASSERT_FATAL(kernel != NULL);
        struct conv_kernel claiming = *kernel;
        claiming.accuracy = claims[i].claim;
        TEST_EQUAL_INT(conv_verify_kernel(&result, &claiming, &options, NULL), CONV_OK);
        if (strcmp(conv_verdict_name(result.verdict), claims[i].verdict))
            TEST_NOTE("%s as %s", kernel->name, conv_accuracy_facts(claiming.accuracy)->name);
        TEST_EQUAL_TEXT(conv_verdict_name(result.verdict), claims[i].verdict);
    }
}

/* What kernels are called that are known to compute so. */
static const struct { const char *kernel, *words; } arithmetics[] = {
    { "awkward_reversed", "f32, one product added after the other" },
    { "awkward_pairwise", "f32, in several partial sums" },
    { "awkward_eight_lanes", "f32, in several partial sums" },
    { "awkward_double_inside", "sums in more than f32" },
    { "awkward_tf32_cut", "inputs in TF32, cut off" }, { "awkward_tf32_rounded", "inputs in TF32" },
    { "awkward_bf16_inputs", "inputs in bf16" }, { "awkward_f16_inputs", "inputs in f16" },
    { "awkward_f16_sums", "sums in f16" }, { "awkward_winograd_2", "Winograd, tiles of 2 outputs" },
    { "awkward_winograd_4", "Winograd, tiles of 4 outputs" },
    { "awkward_winograd_6", "Winograd, tiles of 6 outputs" },
    { "awkward_fft", "a transform of whole planes" }, { "awkward_walk", "f32, one product added after the other" },
};

static void arithmetic_is_named(void)
{
    for (size_t i = 0; i < sizeof arithmetics / sizeof *arithmetics; i++) {
        struct conv_arithmetic named;
        CU_ASSERT(conv_arithmetic_name(&named, conv_kernel_find(arithmetics[i].kernel), 3, NULL) == CONV_OK);
        if (!strstr(named.words, arithmetics[i].words))
            TEST_NOTE("%s: %s", arithmetics[i].kernel, named.words);
        CU_ASSERT(strstr(named.words, arithmetics[i].words) == named.words);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(last_steps_are_accepted), TEST_CASE(every_build_is_accepted),
        TEST_CASE(awkward_kernels_are_accepted),
        TEST_CASE(claims_are_judged), TEST_CASE(arithmetic_is_named),
    };
    return test_main("test_accept", cases, (int)(sizeof cases / sizeof *cases));
}
