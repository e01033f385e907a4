/* examine.c - a verdict for each problem of a list.   Declared in convref/examine.h.
 *
 * The child writes what came of each problem into memory that it shares with the parent.  When it dies, the problem
 * that it was at gets the post-mortem (forked.c), and a new child goes on behind it.  A child whose kernel has
 * written where it shouldn't is ended, too: what is wrong of one problem says nothing of the next.
 *
 * Not here: how a problem is judged (ways.c), how it is made smaller (shrink.c).
 */
#include <convref/examine.h>
#include <convref/machine.h>
#include <stdio.h>
#include <sys/mman.h>

#include "verify/engine/forked.h"
#include "verify/engine/ways.h"
#include "verify/findings/explain.h"

/* Of one problem, and what shrinking may take besides. */
static const double usual_seconds = 60, shrink_seconds = 40;

/* What parent and child share. */
struct board {
    int at;                            /* the problem that runs, or is next */
    bool judging;                      /* it runs */
    struct conv_examination all;
    struct conv_examined results[];
};

struct examiner {
    struct checker checker;            /* the first member: whoever has this has all */
    const struct conv_problem *problems;
    int count;
    struct board *board;
};

static struct examiner *examiner_of(struct checker *checker) { return (struct examiner *)checker; }

/* ---- one problem ----------------------------------------------------------------------------------------------- */

static void begin(struct checker *checker, const struct conv_problem *problem)
{
    struct verification *shared = checker->shared;
    struct conv_verification *result = &shared->result;
    result->verdict = CONV_ACCEPT;
    result->reason[0] = 0;
    result->evidence[0] = (struct conv_evidence){ .problems = 0 };
    shared->explaining = false;
    shared->touched = (struct touched){ .signal = 0 };
    shared->call_began = 0;
    shared->check[0] = 0;
    shared->problem_began = conv_seconds();
    checker->data = (struct check_data){ .fill = { .seed = checker->options.seed } };
    checker_begins(checker, problem, checker->options.seed, checker->options.threads);
}

static bool decline(struct checker *checker, const char *why)
{
    struct conv_verification *result = &checker->shared->result;
    result->verdict = CONV_SKIPPED;
    snprintf(result->reason, sizeof result->reason, "%s", why);
    return false;
}

static void name_check(struct checker *checker, const char *name)
{
    snprintf(checker->shared->check, sizeof checker->shared->check, "%s", name);
}

/* Does the kernel compute it, and is it one at all? */
static bool applies(struct checker *checker, const struct conv_problem *problem)
{
    struct conv_problem finished = *problem;
    struct conv_error error;
    if (conv_problem_finish(&finished, &error) != CONV_OK)
        return checker_impossible(checker, error.message);
    const char *why = conv_kernel_refuses(checker->kernel, &finished);
    return !why || decline(checker, why);
}

/* By the data of the checks that look at named problems, and under their names, so that a repro line finds it again. */
static void judge(struct checker *checker, const struct conv_problem *problem)
{
    const int threads = checker->options.threads;
    begin(checker, problem);
    if (!applies(checker, problem))
        return;
    name_check(checker, "layers");
    if (!check_on_integers(checker, problem, threads))
        return;
    name_check(checker, "real");
    if (check_on_numbers(checker, problem, threads) && checker_problems(&checker->shared->result) == 0)
        checker_impossible(checker,
                           "there are no data on which this problem of this class of accuracy can be judged");
}

/* ---- what came of it ------------------------------------------------------------------------------------------- */

static void note_fault(struct conv_examination *all, int at, const struct conv_finding *finding)
{
    if (all->faults[finding->fault]++ > 0)
        return;
    all->first[finding->fault] = at;
    all->finding[finding->fault] = *finding;
}

static void note(struct examiner *examiner)
{
    const struct verification *shared = examiner->checker.shared;
    const struct conv_verification *result = &shared->result;
    const struct conv_finding *finding = &result->finding;
    struct board *board = examiner->board;
    struct conv_examined *row = &board->results[board->at];
    const bool wrong = result->verdict == CONV_REJECT;
    *row = (struct conv_examined){ .verdict = result->verdict, .worst = result->evidence[0].worst };
    if (shared->problem_began > 0)
        row->seconds = conv_seconds() - shared->problem_began;
    snprintf(row->words, sizeof row->words, "%s", wrong ? finding->where : result->reason);
    if (wrong) {
        row->fault = finding->fault;
        row->operand = finding->operand;
        row->elements = finding->elements;
        row->wrong = finding->wrong;
        row->shown = finding->shown;
        for (int i = 0; i < finding->shown; i++)
            row->first[i] = finding->first[i];
        note_fault(&board->all, board->at, finding);
    }
    board->judging = false;
    board->at++;
}

/* ---- all problems ---------------------------------------------------------------------------------------------- */

/* Faults that leave nothing behind: the child may go on. */
static const bool is_harmless[CONV_FAULTS] = {
    [CONV_FAULT_VALUES] = true, [CONV_FAULT_UNWRITTEN] = true, [CONV_FAULT_REPORTED] = true, [CONV_FAULT_BORROWED] = true,
};

/* In the child: from where the last one ended. */
static void go_on(struct checker *checker)
{
    struct examiner *examiner = examiner_of(checker);
    const struct conv_verification *result = &checker->shared->result;
    bool sound = true;
    while (sound && examiner->board->at < examiner->count) {
        examiner->board->judging = true;
        judge(checker, &examiner->problems[examiner->board->at]);
        note(examiner);
        sound = result->verdict != CONV_REJECT || is_harmless[result->finding.fault];
    }
}

/* The child ended at a problem.  If the time was up just when the next one began, that one has all of its time still. */
static void note_end(struct examiner *examiner)
{
    struct checker *checker = &examiner->checker;
    struct verification *shared = checker->shared;
    examiner->board->judging = false;
    if (shared->result.verdict == CONV_ACCEPT)
        checker_impossible(checker, "the process ended, and it isn't known how");
    if (!checker->hurried)
        note(examiner);
}

/* Run one body in a child, or here. */
static enum conv_status run(struct examiner *examiner, void (*body)(struct checker *), struct conv_error *error)
{
    struct checker *checker = &examiner->checker;
    struct conv_examination *all = &examiner->board->all;
    enum conv_status status = CONV_OK;
    if (checker->options.in_process)
        body(checker);
    else
        status = run_forked(checker, body, error);
    if (!all->warning[0])
        snprintf(all->warning, sizeof all->warning, "%s", checker->shared->result.warning);
    return status;
}

static enum conv_status examine_all(struct examiner *examiner, struct conv_error *error)
{
    struct board *board = examiner->board;
    enum conv_status status = CONV_OK;
    while (status == CONV_OK && board->at < examiner->count) {
        const int before = board->at;
        begin(&examiner->checker, &examiner->problems[before]);   /* for a child that ends at once */
        examiner->checker.shared->problem_began = 0;              /* its time begins in the child */
        examiner->checker.hurried = false;
        status = run(examiner, go_on, error);
        if (status == CONV_OK && (board->judging || board->at == before))
            note_end(examiner);
    }
    return status;
}

/* ---- findings -------------------------------------------------------------------------------------------------- */

/* In the child: one problem alone, and what it looks like. */
static void explain_one(struct checker *checker)
{
    const struct examiner *examiner = examiner_of(checker);
    struct verification *shared = checker->shared;
    judge(checker, &examiner->problems[examiner->board->at]);
    if (shared->result.verdict != CONV_REJECT)
        return;
    shared->problem_began = conv_seconds();   /* the kernel may hang at others, which are called for comparison */
    explain(checker);
    shared->found = shared->result.finding;
    explain_arithmetic(checker);
}

/* The first failure of a kind, once more by itself, and made smaller.  One that doesn't come again stays as it was. */
static void shrink_one(struct examiner *examiner, enum conv_fault fault)
{
    struct checker *checker = &examiner->checker;
    struct conv_finding *kept = &examiner->board->all.finding[fault];
    const struct conv_verification *result = &checker->shared->result;
    checker->only_fault = fault;
    examiner->board->at = examiner->board->all.first[fault];
    begin(checker, &examiner->problems[examiner->board->at]);
    checker->shared->problem_began = 0;
    const bool again = run(examiner, explain_one, NULL) == CONV_OK && result->verdict == CONV_REJECT
                    && result->finding.fault == fault;
    if (again)
        *kept = result->finding;
    else if (!kept->guess[0])
        snprintf(kept->guess, sizeof kept->guess,
                 "alone this problem doesn't fail so: it depends on what was called before");
}

/* A hang has its problem's limit; what follows has time to become small. */
static void shrink_all(struct examiner *examiner)
{
    examiner->checker.options.brief = false;
    examiner->checker.options.time_limit = examiner->checker.problem_seconds + shrink_seconds;
    for (enum conv_fault fault = CONV_FAULT_NONE; fault < CONV_FAULTS; fault++)
        if (examiner->board->all.faults[fault] > 0)
            shrink_one(examiner, fault);
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static size_t board_bytes(int count) { return sizeof(struct board) + (size_t)count * sizeof(struct conv_examined); }

static bool open_examiner(struct examiner *examiner, const struct conv_kernel *kernel,
                          const struct conv_verify_options *options)
{
    struct conv_verify_options own = *options;
    const double seconds = options->time_limit > 0 ? options->time_limit : usual_seconds;
    own.brief = true;
    own.progress = NULL;
    own.threads = options->threads > 0 ? options->threads : 1;
    own.time_limit = seconds * (examiner->count + 1);   /* of one child, behind that of each problem */
    if (!checker_open(&examiner->checker, kernel, &own))
        return false;
    examiner->checker.problem_seconds = seconds;
    examiner->board = mmap(NULL, board_bytes(examiner->count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                           0);
    if (examiner->board != MAP_FAILED)
        return true;
    checker_close(&examiner->checker);
    return false;
}

static void report(struct conv_examined *results, struct conv_examination *all, const struct examiner *examiner,
                   int reached)
{
    *all = examiner->board->all;
    for (int i = 0; i < examiner->count; i++) {
        results[i] = examiner->board->results[i];
        if (i >= reached) {
            results[i] = (struct conv_examined){ .verdict = CONV_INCONCLUSIVE };
            snprintf(results[i].words, sizeof results[i].words, "it wasn't reached");
        }
        all->verdicts[results[i].verdict]++;
    }
}

enum conv_status conv_examine(struct conv_examined *results, struct conv_examination *all,
                              const struct conv_kernel *kernel, const struct conv_problem *problems, int count,
                              const struct conv_verify_options *options, struct conv_error *error)
{
    struct examiner examiner = { .problems = problems, .count = count };
    if (!open_examiner(&examiner, kernel, options))
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory to examine %d problems", count);
    const enum conv_status status = examine_all(&examiner, error);
    const int reached = examiner.board->at;
    if (status == CONV_OK && !options->brief)
        shrink_all(&examiner);
    report(results, all, &examiner, reached);
    munmap(examiner.board, board_bytes(count));
    checker_close(&examiner.checker);
    return status;
}
