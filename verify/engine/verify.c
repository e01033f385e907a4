/* verify.c - the verification of one kernel: all checks in turn, in a forked child.   Declared in convref/verify.h.
 *
 * Not here: which checks there are (verify/checks/checks.c), what becomes of the child (forked.c).
 */
#include <convref/machine.h>
#include <stdio.h>
#include <string.h>

#include "verify/engine/check.h"
#include "verify/findings/explain.h"
#include "verify/engine/forked.h"
#include "verify/engine/ways.h"

int conv_check_count(void)
{
    int count = 0;
    while (all_checks[count])
        count++;
    return count;
}

struct conv_check_facts conv_check_at(int index)
{
    return (struct conv_check_facts){ all_checks[index]->name, all_checks[index]->sees, all_checks[index]->blind };
}

/* A check that has problems of its own, named for somebody else's: the data of all such checks, as findings were
 * shrunk. */
static void check_as_found(struct checker *checker)
{
    const struct conv_verify_options *options = &checker->options;
    for (int i = 0; i < options->problem_count; i++) {
        const struct conv_problem *problem = &options->problems[i];
        const struct check_data data = check_integers(checker, problem);
        if (conv_kernel_refuses(checker->kernel, problem) || data.fill.range < 1)
            continue;
        checker->runs = 0;
        if (!check_placements(checker, problem, &data, options->threads > 0 ? options->threads : 1))
            return;
    }
}

static void run_checks(struct checker *checker)
{
    struct verification *shared = checker->shared;
    const char *only = checker->options.check;
    for (int i = 0; all_checks[i] && shared->result.verdict == CONV_ACCEPT; i++) {
        if (only && strcmp(only, all_checks[i]->name))
            continue;
        if (checker->options.only_problems && !all_checks[i]->on_problems && !only)
            continue;
        struct conv_evidence *evidence = &shared->result.evidence[shared->result.checks];
        const double start = conv_seconds();
        snprintf(evidence->check, sizeof evidence->check, "%s", all_checks[i]->name);
        snprintf(shared->check, sizeof shared->check, "%s", all_checks[i]->name);
        shared->done = shared->total = 0;
        if (checker->options.only_problems && !all_checks[i]->on_problems)
            check_as_found(checker);
        else
            all_checks[i]->run(checker);
        evidence->seconds = conv_seconds() - start;
        if (shared->result.verdict == CONV_ACCEPT)
            shared->result.checks++;
        if (shared->result.verdict == CONV_REJECT && !checker->options.brief)
            explain(checker);
    }
    explain_arithmetic(checker);
}

/* An ACCEPT without any problem compared is none. */
static void settle(struct conv_verification *result)
{
    if (result->verdict == CONV_ACCEPT && checker_problems(result) == 0) {
        result->verdict = CONV_SKIPPED;
        snprintf(result->reason, sizeof result->reason, "the kernel applies to none of the problems");
    }
}

enum conv_status conv_verify_kernel(struct conv_verification *result, const struct conv_kernel *kernel,
                                    const struct conv_verify_options *options, struct conv_error *error)
{
    struct checker checker;
    enum conv_status status = CONV_OK;
    if (!checker_open(&checker, kernel, options))
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory for a verification");
    if (options->in_process)
        run_checks(&checker);
    else
        status = run_forked(&checker, run_checks, error);
    if (status == CONV_OK) {
        settle(&checker.shared->result);
        *result = checker.shared->result;
    }
    checker_close(&checker);
    return status;
}
