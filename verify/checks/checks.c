/* checks.c - the verification of one kernel: all checks in turn, in a forked child.
 *
 * Declared in convref/verify.h.  The child writes into memory that it shares with the parent; what is there when it
 * ends, and how it ended, is the verdict.  A result counts only with the child's completion mark.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../sandbox/sandbox.h"
#include "check.h"

/* All checks, cheap ones first.  The only list of them. */
static const struct check *const checks[] = {
    &check_small, &check_seams, &check_threads, &check_real, &check_layers,
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
    enum { MOST_PROBLEMS = 400, EVERY = 193 };   /* a sample of all ranks and kinds */
    struct conv_verification *result = &checker->shared->result;
    const struct conv_problem failed = result->finding.problem;
    const uint64_t seed = result->finding.seed;
    const struct conv_fill fill = strcmp(result->finding.check, check_real.name)
        ? (struct conv_fill){ .kind = CONV_FILL_INTEGERS, .seed = seed, .range = 1 } : real_fill(&failed, seed);
    struct small_shapes walk;
    struct suspects suspects;
    struct conv_problem problem;
    shrink(checker, &fill);

    const struct conv_verification found = *result;
    suspect_all(&suspects);
    checker->suspects = &suspects;
    check_exact(checker, &failed, found.finding.threads);
    small_begin(&walk, checker->kernel);
    for (int i = 0; suspects.possible && i < MOST_PROBLEMS * EVERY && small_next(&walk, &problem); i++)
        if (i % EVERY == 0)
            check_exact(checker, &problem, 1);
    checker->suspects = NULL;
    *result = found;
    if (found.finding.fault == CONV_FAULT_VALUES || found.finding.fault == CONV_FAULT_UNSTABLE)
        suspect_name(&result->finding, &suspects);
}

static void run_checks(struct checker *checker)
{
    struct verification *shared = checker->shared;
    const char *only = checker->options.check;
    for (int i = 0; i < CHECKS && shared->result.verdict == CONV_ACCEPT; i++) {
        if (only && strcmp(only, checks[i]->name))
            continue;
        if (checker->options.only_problems && checks[i] != &check_layers && checks[i] != &check_real)
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
}

/* An ACCEPT without any problem compared is none. */
static void settle(struct conv_verification *result)
{
    int64_t problems = 0;
    for (int i = 0; i < result->checks; i++)
        problems += result->evidence[i].problems;
    if (result->verdict == CONV_ACCEPT && problems == 0) {
        result->verdict = CONV_SKIPPED;
        snprintf(result->reason, sizeof result->reason, "the kernel applies to none of the problems");
    }
}

static void free_places(struct checker *checker)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_guarded_free(&checker->places[operand]);
}

/* ---- in the child --------------------------------------------------------------------------------------------- */

static struct checker *watched;   /* for the signal handler */

/* A fault: whose memory was it?  Only plain stores from here on; the process ends. */
static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    struct conv_finding *finding = &watched->shared->result.finding;
    (void)context;
    finding->fault = CONV_FAULT_CRASH;
    finding->operand = CONV_OPERANDS;
    finding->wrong = 0;   /* where: -1 before, 1 behind, 2 in a block; 10 more for scratch, 20 for packed weights */
    for (int operand = 0; operand < CONV_OPERANDS; operand++) {
        const int where = conv_guarded_where(&watched->places[operand], info->si_addr);
        if (where) {
            finding->operand = (enum conv_operand)operand;
            finding->wrong = where;
        }
    }
    if (watched->scratch && conv_guarded_where(watched->scratch, info->si_addr))
        finding->wrong = 10 + conv_guarded_where(watched->scratch, info->si_addr);
    if (watched->packed && conv_guarded_where(watched->packed, info->si_addr))
        finding->wrong = 20 + conv_guarded_where(watched->packed, info->si_addr);
    _exit(128 + signal_number);
}

static void child(void *argument)
{
    watched = argument;
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    run_checks(watched);
    watched->shared->complete = true;
}

/* ---- in the parent ------------------------------------------------------------------------------------------------ */

static void describe_crash(struct conv_finding *finding, const struct sandbox_end *end)
{
    static const char *const blocks[] = { "", "the scratch", "the packed weights" };
    const int where = (int)finding->wrong % 10, block = (int)finding->wrong / 10;
    const bool known = finding->operand < CONV_OPERANDS || block > 0;
    finding->wrong = 0;
    if (!known)
        snprintf(finding->where, sizeof finding->where, "the kernel ended the process with %s %d",
                 end->signal ? "signal" : "status", end->signal ? end->signal : end->status);
    else
        snprintf(finding->where, sizeof finding->where, "memory %s %s was touched",
                 where == 1 ? "behind the end of" : where == 2 ? "inside of" : "before the beginning of",
                 block ? blocks[block] : conv_operand_name(&finding->problem, finding->operand));
}

/* Time was up.  A kernel that hasn't returned for half of it hangs; many calls that each returned are merely slow, and
 * nothing is known of the problems that weren't reached. */
static bool hangs(const struct verification *shared, const struct sandbox_end *end, double time_limit)
{
    return end->timed_out && shared->call_began > 0 && conv_seconds() - shared->call_began > time_limit / 2;
}

static void give_up(struct verification *shared, double time_limit)
{
    struct conv_verification *result = &shared->result;
    int64_t problems = 0;
    if (result->verdict == CONV_REJECT)   /* it was about to shrink what it had found */
        return;
    for (int i = 0; i <= result->checks && i < CHECKS; i++)
        problems += result->evidence[i].problems;
    result->verdict = CONV_INCONCLUSIVE;
    snprintf(result->reason, sizeof result->reason, "%g seconds were over in check %s, after %" PRId64
             " problems without a fault; a longer --time-limit would decide", time_limit, shared->check, problems);
}

/* The child died or was killed: what it was doing is in the shared memory. */
static void post_mortem(struct verification *shared, const struct sandbox_end *end, const struct checker *checker)
{
    struct conv_finding *finding = &shared->result.finding;
    const bool crashed = finding->fault == CONV_FAULT_CRASH;
    if (end->timed_out && !hangs(shared, end, checker->options.time_limit)) {
        give_up(shared, checker->options.time_limit);
        return;
    }
    if (!crashed) {
        finding->operand = CONV_OPERANDS;
        finding->wrong = 0;
    }
    shared->result.verdict = CONV_REJECT;
    finding->problem = shared->problem;
    finding->threads = shared->threads;
    finding->seed = checker->options.seed;
    snprintf(finding->check, sizeof finding->check, "%s", shared->check);
    finding->fault = end->timed_out ? CONV_FAULT_HANG : CONV_FAULT_CRASH;
    if (end->timed_out)
        snprintf(finding->where, sizeof finding->where, "a call hadn't returned when the time limit of %g seconds was reached",
                 checker->options.time_limit);
    else
        describe_crash(finding, end);
    if (finding->operand == CONV_OPERANDS)
        finding->operand = CONV_Y;
}

static void report_progress(void *argument)
{
    const struct checker *checker = argument;
    if (checker->options.progress)
        checker->options.progress(checker->shared->check, checker->shared->done, checker->shared->total);
}

enum conv_status conv_verify_kernel(struct conv_verification *result, const struct conv_kernel *kernel,
                                    const struct conv_verify_options *options, struct conv_error *error)
{
    struct checker checker = { .kernel = kernel, .options = *options };
    struct sandbox_end end = { .completed = true };
    if (checker.options.time_limit <= 0)
        checker.options.time_limit = 600;
    checker.shared = mmap(NULL, sizeof *checker.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (checker.shared == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory for a verification");
    snprintf(checker.shared->result.kernel, sizeof checker.shared->result.kernel, "%s", kernel->name);

    enum conv_status status = CONV_OK;
    if (options->in_process) {
        run_checks(&checker);
        checker.shared->complete = true;
    } else {
        status = sandbox_run(&end, child, &checker, checker.options.time_limit, report_progress, error);
    }
    if (status == CONV_OK) {
        if (!end.completed || !checker.shared->complete)
            post_mortem(checker.shared, &end, &checker);
        settle(&checker.shared->result);
        *result = checker.shared->result;
    }
    free_places(&checker);
    munmap(checker.shared, sizeof *checker.shared);
    return status;
}
