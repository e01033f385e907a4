/* forked.c - the checks in a child, and the post-mortem when the child doesn't come back.   Declared in forked.h.
 *
 * The child writes into memory that it shares with the parent; what is there when it ends, and how it ended, is the
 * verdict.  A kernel that ends its process is wrong, however it does it; the words say how, as exactly as is known.
 * The smallest problem that still does so is then looked for, with a child for each attempt.
 * Not here: what a check looks at (careful.c), how a child is watched (sandbox/sandbox.c).
 */
#include "verify/engine/forked.h"

#include <convref/machine.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verify/engine/ways.h"
#include "verify/findings/circumstances.h"
#include "verify/sandbox/sandbox.h"

/* Seconds for one attempt to shrink, and for all of them. */
static const double attempt_seconds = 2, shrink_seconds = 40;

/* ---- in the child --------------------------------------------------------------------------------------------- */

static struct checker *watched;   /* for the signal handlers */
static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };

static void look_at(struct touched *touched, const struct guarded *block, const void *address, int which,
                    int operand)
{
    const int where = block ? guarded_where(block, address) : 0;
    if (!where)
        return;
    touched->where = where;
    touched->distance = (int64_t)((const unsigned char *)address - (block->block + block->bytes));
    touched->block = which;
    touched->operand = (enum conv_operand)operand;
}

/* A fault: whose memory was it?  Only plain stores from here on; the process ends. */
static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    struct touched *touched = &watched->shared->touched;
    (void)context;
    const bool has_address = info->si_code > 0 && (signal_number == SIGSEGV || signal_number == SIGBUS);
    *touched = (struct touched){ .signal = signal_number, .raised = !has_address, .operand = CONV_OPERANDS };
    if (!touched->raised) {
        touched->null = (uintptr_t)info->si_addr < 4096;
        for (int operand = 0; operand < CONV_OPERANDS; operand++)
            look_at(touched, &watched->places[operand], info->si_addr, IN_OPERAND, operand);
        look_at(touched, watched->scratch, info->si_addr, IN_SCRATCH, CONV_Y);
        look_at(touched, watched->packed, info->si_addr, IN_PACKED, CONV_WEIGHTS);
    }
    sandbox_note_memory();
    _exit(128 + signal_number);
}

/* abort(): C++ calls it when no memory is left and nobody caught the exception. */
static void on_abort(int signal_number)
{
    sandbox_note_memory();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void watch(struct checker *checker)
{
    const struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    const struct sigaction aborted = { .sa_handler = on_abort };
    watched = checker;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &fault, NULL);
    sigaction(SIGABRT, &aborted, NULL);
}

/* ---- the post-mortem ------------------------------------------------------------------------------------------- */

/* Time was up.  A kernel that hasn't returned for half of it hangs; many calls that each returned are merely slow,
 * and nothing is known of the problems that weren't reached. */
static bool hangs(const struct verification *shared, const struct sandbox_end *end, double seconds)
{
    return end->timed_out && shared->call_began > 0 && conv_seconds() - shared->call_began > seconds / 2;
}

static void inconclusive(struct verification *shared, const char *reason)
{
    shared->result.verdict = CONV_INCONCLUSIVE;
    snprintf(shared->result.reason, sizeof shared->result.reason, "%s", reason);
}

static void too_slow(struct verification *shared, double seconds)
{
    char reason[CONV_WORDS];
    snprintf(reason, sizeof reason, "%g seconds were over in check %s, after %" PRId64
             " problems without a fault; a longer --time-limit would decide", seconds, shared->check,
             checker_problems(&shared->result));
    inconclusive(shared, reason);
}

/* Without the handler's record: the stack, on which the handler would have run, was used up. */
static bool is_crash(int signal_number)
{
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (crashes[i] == signal_number)
            return true;
    return false;
}

/* Killed from outside: by the system, if the child was large, since it does that when memory runs out. */
static bool was_killed(const struct sandbox_end *end) { return end->signal == SIGKILL && !end->timed_out; }

static bool out_of_memory(const struct sandbox_end *end, double limit)
{
    return end->memory_short || (was_killed(end) && (double)end->memory > limit / 2);
}

static enum conv_fault fault_of(const struct verification *shared, const struct sandbox_end *end, double memory)
{
    const struct touched *touched = &shared->touched;
    if (end->timed_out || end->signal == SIGXCPU)
        return CONV_FAULT_HANG;
    if (touched->signal && touched->operand < CONV_OPERANDS && touched->where == 2
        && touched->block == IN_OPERAND && conv_operand_role(&shared->problem, touched->operand) == CONV_INPUT)
        return CONV_FAULT_INPUT_CHANGED;
    if (touched->signal && touched->where)
        return CONV_FAULT_CRASH;
    if (out_of_memory(end, memory))
        return CONV_FAULT_MEMORY;
    return touched->signal || is_crash(end->signal) ? CONV_FAULT_CRASH : CONV_FAULT_EXIT;
}

static void describe_touch(char words[CONV_WORDS], const struct verification *shared)
{
    static const char *const blocks[] = { "", "the scratch", "the packed weights" };
    const struct touched *touched = &shared->touched;
    const char *whose = touched->block == IN_OPERAND && touched->operand < CONV_OPERANDS
                            ? conv_operand_name(&shared->problem, touched->operand) : blocks[touched->block];
    if (touched->raised)
        snprintf(words, CONV_WORDS, "the kernel raised signal %d (%s)", touched->signal, strsignal(touched->signal));
    else if (touched->null)
        snprintf(words, CONV_WORDS, "a null pointer was followed");
    else if (!touched->where)
        snprintf(words, CONV_WORDS, "memory that belongs to no operand and no workspace was touched");
    else
        snprintf(words, CONV_WORDS, "memory %s %s was touched", touched->where == 1 ? "behind the end of"
                 : touched->where == 2 ? "inside of" : "before the beginning of", whose);
}

/* "the kernel ended the process with exit(0)", and its last words, which are often an assertion's. */
static void describe_end(char words[CONV_WORDS], const struct sandbox_end *end)
{
    char how[64], last[CONV_WORDS / 2];
    if (end->signal)
        snprintf(how, sizeof how, "signal %d (%s)", end->signal, strsignal(end->signal));
    else
        snprintf(how, sizeof how, "%sexit(%d)", end->called_exit ? "" : "_", end->status);
    sandbox_last_lines(last, sizeof last, end, 1);
    snprintf(words, CONV_WORDS, "the kernel ended the process with %s%s%s", how, last[0] ? "; it wrote: " : "", last);
}

static void describe(struct conv_finding *finding, const struct verification *shared, const struct sandbox_end *end,
                     const struct sandbox_limits *limits)
{
    switch (finding->fault) {
    case CONV_FAULT_HANG:
        snprintf(finding->where, sizeof finding->where,
                 "a call hadn't returned when the time limit of %g seconds was reached", limits->seconds);
        return;
    case CONV_FAULT_MEMORY:
        snprintf(finding->where, sizeof finding->where,
                 "the kernel has used up the memory that it may take, %.3g GiB", (double)limits->memory / (1 << 30));
        return;
    case CONV_FAULT_INPUT_CHANGED:
        snprintf(finding->where, sizeof finding->where, "the input was written to");
        return;
    default:
        if (shared->touched.signal)
            describe_touch(finding->where, shared);
        else if (end->signal == SIGSEGV)
            snprintf(finding->where, sizeof finding->where,
                     "signal 11, and no word of where: most likely the stack was used up");
        else
            describe_end(finding->where, end);
    }
}

/* Just behind the end: not a wrong index, but a step too many. */
static void guess_from_touch(struct conv_finding *finding, const struct touched *touched)
{
    enum { VECTOR = 64 };
    if (touched->signal && touched->where == 1 && touched->distance >= 0 && touched->distance < VECTOR)
        snprintf(finding->guess, sizeof finding->guess,
                 "%d bytes behind the end: one element too many, or the last vector is "
                 "taken whole", (int)touched->distance);
}

/* The child died or was killed: what it was doing is in the shared memory. */
static void post_mortem(struct verification *shared, const struct sandbox_end *end,
                        const struct sandbox_limits *limits)
{
    const struct touched *touched = &shared->touched;
    struct conv_finding *finding = &shared->result.finding;
    if (end->timed_out && !hangs(shared, end, limits->seconds)) {
        too_slow(shared, limits->seconds);
        return;
    }
    if (was_killed(end) && !out_of_memory(end, (double)limits->memory)) {
        inconclusive(shared, "the process was killed from outside (signal 9), not by the time limit");
        return;
    }
    shared->result.verdict = CONV_REJECT;
    *finding = (struct conv_finding){
        .problem = shared->problem, .seed = shared->data.fill.seed, .threads = shared->threads,
        .operand = touched->signal && touched->operand < CONV_OPERANDS ? touched->operand : CONV_Y };
    snprintf(finding->check, sizeof finding->check, "%s", shared->check);
    finding->fault = fault_of(shared, end, (double)limits->memory);
    describe(finding, shared, end, limits);
    if (finding->fault == CONV_FAULT_CRASH)
        guess_from_touch(finding, touched);
}

/* ---- attempts, each in a child --------------------------------------------------------------------------------- */

struct trial {
    struct checker *checker;
    const struct conv_problem *problem;
    const struct check_data *data;
    int threads;
};

static void try(void *argument)
{
    const struct trial *trial = argument;
    watch(trial->checker);
    trial->checker->runs = 0;
    check_placements(trial->checker, trial->problem, trial->data, trial->threads);
}

static struct sandbox_limits limits_of(const struct checker *checker, double seconds)
{
    const double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    const double memory = checker->options.memory_limit > 0 ? checker->options.memory_limit : machine * 3 / 4;
    return (struct sandbox_limits){
        .seconds = checker->options.time_limit < seconds ? checker->options.time_limit : seconds,
        .memory = checker->kernel->device ? 0 : (size_t)memory   /* its driver's needs are its own */
    };
}

static bool fails_within(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                         int threads, double seconds)
{
    const struct sandbox_limits limits = limits_of(checker, seconds);
    struct trial trial = { checker, problem, data, threads };
    struct verification *shared = checker->shared;
    struct sandbox_end end;
    shared->touched = (struct touched){ .signal = 0 };
    shared->call_began = 0;
    if (sandbox_run(&end, try, &trial, &limits, NULL, NULL) != CONV_OK)
        return false;
    if (!end.completed)
        post_mortem(shared, &end, &limits);
    return shared->result.verdict == CONV_REJECT;
}

static bool attempt_in_child(struct checker *checker, const struct conv_problem *problem,
                             const struct check_data *data, int threads)
{
    return fails_within(checker, problem, data, threads, attempt_seconds);
}

/* Shrink what ended the child.  A busy machine can make a good call last longer than an attempt may, so a hang is
 * believed only if the smallest problem hangs for longer too. */
static void shrink_in_children(struct checker *checker, const struct check_data *data)
{
    struct conv_verification *result = &checker->shared->result;
    const struct conv_verification first = *result;
    shrink(checker, data, attempt_in_child, shrink_seconds);
    const struct conv_verification smallest = *result;
    if (first.finding.fault != CONV_FAULT_HANG
        || conv_problem_equal(&first.finding.problem, &smallest.finding.problem))
        return;
    const struct check_data smaller = data_for(data, &smallest.finding.problem, checker->kernel->accuracy);
    result->verdict = CONV_ACCEPT;
    const bool sure =
        fails_within(checker, &smallest.finding.problem, &smaller, smallest.finding.threads, 5 * attempt_seconds);
    *result = sure ? smallest : first;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

struct checks_run { struct checker *checker; void (*run_checks)(struct checker *); };

static void run_all(void *argument)
{
    const struct checks_run *run = argument;
    watch(run->checker);
    run->run_checks(run->checker);
}

/* Has the problem that runs now used up a limit of its own? */
static bool is_overdue(const struct checker *checker)
{
    const double began = checker->shared->problem_began;
    return checker->problem_seconds > 0 && began > 0 && conv_seconds() - began > checker->problem_seconds;
}

/* False ends the child. */
static bool goes_on(void *argument)
{
    const struct checker *checker = ((const struct checks_run *)argument)->checker;
    if (checker->options.progress)
        checker->options.progress(checker->shared->check, checker->shared->done, checker->shared->total);
    return !is_overdue(checker);
}

/* Printing isn't wrong, but it is not a kernel's business, and says that somebody was looking for something. */
static void warn_of_output(struct conv_verification *result, const struct sandbox_end *end)
{
    char last[CONV_WORDS / 2];
    if (end->output > 0)
        snprintf(result->warning, sizeof result->warning,
                 "it wrote %" PRId64 " bytes to its standard output or error: %s", end->output,
                 sandbox_last_lines(last, sizeof last, end, 1));
}

enum conv_status run_forked(struct checker *checker, void (*run_checks)(struct checker *), struct conv_error *error)
{
    struct checks_run run = { checker, run_checks };
    struct verification *shared = checker->shared;
    struct sandbox_limits limits = limits_of(checker, checker->options.time_limit);
    struct sandbox_end end;
    enum conv_status status = sandbox_run(&end, run_all, &run, &limits, goes_on, error);
    if (status != CONV_OK)
        return status;
    if (end.stopped) {   /* by the limit of one problem */
        end.timed_out = true;
        checker->hurried = !is_overdue(checker);
        limits.seconds = checker->problem_seconds;
    }
    if (!end.completed && !shared->explaining) {
        post_mortem(shared, &end, &limits);
    } else if (!end.completed) {   /* a failure was found, and the child died of a smaller problem */
        shared->result.verdict = CONV_REJECT;
        shared->result.finding = shared->found;
    }
    if (shared->result.verdict == CONV_REJECT && !checker->options.brief) {
        const struct check_data data = shared->explaining ? shared->found_with : shared->data;
        if (!end.completed && check_fits_memory(&shared->result.finding.problem))
            shrink_in_children(checker, &data);
        if (!shared->result.finding.needs_others)
            blame_others(checker, &data, attempt_in_child);
    }
    warn_of_output(&shared->result, &end);
    return CONV_OK;
}
