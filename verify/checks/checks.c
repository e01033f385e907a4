/* checks.c - the verification of one kernel: all checks in turn, in a forked child.
 *
 * Declared in convref/verify.h.  What becomes of the child is in forked.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"

/* All checks, in the order in which they run: `small` first, because what it finds is small already; then cheap ones
 * before dear ones.  The only list of them. */
static const struct check *const checks[] = {
    &check_small, &check_threads, &check_turns, &check_probes, &check_real, &check_special, &check_covering, &check_limits,
    &check_seams, &check_layers,
};
enum { CHECKS = sizeof checks / sizeof *checks };
_Static_assert((int)CHECKS <= (int)CONV_MOST_CHECKS, "struct conv_verification must have room for all checks");

int conv_check_count(void) { return CHECKS; }

struct conv_check_facts conv_check_at(int index)
{
    return (struct conv_check_facts){ checks[index]->name, checks[index]->sees, checks[index]->blind };
}

/* After a rejection: shrink the problem, then ask which mistake explains the failing problem and the small shapes,
 * right and wrong ones.  The verdict and the evidence stay as they are. */
static void explain(struct checker *checker)
{
    static const size_t most_bytes = (size_t)1 << 31; /* of x: check limits has larger ones, which are only mapped */
    if (conv_operand_bytes(&checker->shared->result.finding.problem, CONV_X) > most_bytes)
        return;

    enum { MOST_PROBLEMS = 400, EVERY = 193 };   /* a sample of all ranks and kinds */
    struct conv_verification *result = &checker->shared->result;
    const struct conv_problem failed = result->finding.problem;
    const struct check_data data = checker->shared->data;
    struct small_shapes walk;
    struct suspects suspects;
    struct conv_problem problem;
    checker->shared->found = result->finding;
    checker->shared->found_with = data;
    checker->shared->explaining = true;
    shrink(checker, &data, attempt_here, checker->options.time_limit);

    const struct conv_verification found = *result;
    suspect_all(&suspects);
    checker->suspects = &suspects;
    if (check_macs(&failed) <= check_exact_macs)
        check_exact(checker, &failed, found.finding.threads);
    small_begin(&walk, checker->kernel);
    for (int i = 0; suspects.possible && i < MOST_PROBLEMS * EVERY && small_next(&walk, &problem); i++)
        if (i % EVERY == 0)
            check_exact(checker, &problem, 1);
    checker->suspects = NULL;
    *result = found;
    if (!found.finding.guess[0]
        && (found.finding.fault == CONV_FAULT_VALUES || found.finding.fault == CONV_FAULT_UNSTABLE))
        suspect_name(&result->finding, &suspects);
}

/* The arithmetic is named when all checks run, or the one that it belongs to; and where it explains a rejection, it
 * is the guess. */
static void name_arithmetic(struct checker *checker)
{
    struct conv_verification *result = &checker->shared->result;
    const char *only = checker->options.check;
    const bool wrong_values = result->verdict == CONV_REJECT && result->finding.fault == CONV_FAULT_VALUES;
    if (!(result->verdict == CONV_ACCEPT && check_problems(result) > 0) && !wrong_values)
        return;
    if (!only || !strcmp(only, check_probes.name) || wrong_values)
        conv_arithmetic_name(&result->arithmetic, checker->kernel, checker->options.seed, NULL);
    if (wrong_values && !result->finding.guess[0] && result->arithmetic.narrow)
        snprintf(result->finding.guess, sizeof result->finding.guess, "the kernel computes with %s",
                 result->arithmetic.words);
}

static void run_checks(struct checker *checker)
{
    struct verification *shared = checker->shared;
    const char *only = checker->options.check;
    for (int i = 0; i < CHECKS && shared->result.verdict == CONV_ACCEPT; i++) {
        if (only && strcmp(only, checks[i]->name))
            continue;
        if (checker->options.only_problems && !checks[i]->on_problems)
            continue;
        struct conv_evidence *evidence = &shared->result.evidence[shared->result.checks];
        const double start = conv_seconds();
        snprintf(evidence->check, sizeof evidence->check, "%s", checks[i]->name);
        snprintf(shared->check, sizeof shared->check, "%s", checks[i]->name);
        shared->done = shared->total = 0;
        checks[i]->run(checker);
        evidence->seconds = conv_seconds() - start;
        if (shared->result.verdict == CONV_ACCEPT)
            shared->result.checks++;
        if (shared->result.verdict == CONV_REJECT && !checker->options.brief)
            explain(checker);
    }
    name_arithmetic(checker);
}

/* An ACCEPT without any problem compared is none. */
static void settle(struct conv_verification *result)
{
    if (result->verdict == CONV_ACCEPT && check_problems(result) == 0) {
        result->verdict = CONV_SKIPPED;
        snprintf(result->reason, sizeof result->reason, "the kernel applies to none of the problems");
    }
}

static void free_places(struct checker *checker)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_guarded_free(&checker->places[operand]);
}

enum conv_status conv_verify_kernel(struct conv_verification *result, const struct conv_kernel *kernel,
                                    const struct conv_verify_options *options, struct conv_error *error)
{
    struct checker checker = { .kernel = kernel, .options = *options };
    if (checker.options.time_limit <= 0)
        checker.options.time_limit = 600;
    checker.shared = mmap(NULL, sizeof *checker.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (checker.shared == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory for a verification");
    snprintf(checker.shared->result.kernel, sizeof checker.shared->result.kernel, "%s", kernel->name);
    checker.shared->result.accuracy = kernel->accuracy;

    enum conv_status status = CONV_OK;
    if (options->in_process)
        run_checks(&checker);
    else
        status = run_forked(&checker, run_checks, error);
    if (status == CONV_OK) {
        settle(&checker.shared->result);
        *result = checker.shared->result;
    }
    free_places(&checker);
    munmap(checker.shared, sizeof *checker.shared);
    return status;
}
