/* turns.c - check "turns": two problems in turn, each with a plan of its own, give what each gives alone.
 *
 * Both plans are made and loaded before the first call, then A, B, A and B are run, on integers, bit for bit.  B is
 * another size, or the same size with other data: a network has many layers of one size.
 *
 * Sees: what is kept from one call to the next: static buffers, weights that were packed for somebody else, tables
 * that are found again by their size.
 * Does not see: calls from two threads at a time.
 */
#include <convref/machine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan.h"
#include "verify/checks/checks.h"
#include "verify/engine/careful.h"
#include "verify/engine/judge.h"

/* Two sizes of each kind, the larger one first. */
enum { PAIR = 2 };
static const char *const pairs[][PAIR] = {
    { "c=5 in=9x8 k=6 filter=3x3 pad=1 bias=1", "c=3 in=6x7 k=4 filter=3x3" },
    { "n=2 c=7 in=5x6 k=9 filter=1x1 bias=1", "c=4 in=3x4 k=5 filter=1x1" },
    { "c=6 in=8x9 k=12 filter=3x3 pad=1 groups=3 bias=1", "c=4 in=6x5 k=6 filter=3x3 groups=2" },
    { "n=2 c=9 in=10x9 k=9 filter=3x3 pad=1 groups=9 bias=1", "c=5 in=7x6 k=5 filter=3x3 groups=5" },
    { "c=4 in=40 k=6 filter=5 pad=2 bias=1", "c=3 in=17 k=5 filter=3" },
    { "c=3 in=5x6x7 k=4 filter=3x3x3 pad=1", "c=2 in=4x5x4 k=3 filter=2x3x2" },
    { "op=separable c=6 in=9x8 k=7 filter=3x3 pad=1 bias=1", "op=separable c=4 in=6x7 k=5 filter=3x3" },
    { "op=transposed c=5 in=6x7 k=4 filter=3x3 stride=2 pad=1 bias=1", "op=transposed c=3 in=4x5 k=2 filter=3x3" },
};

/* One of the two: its operands, what they should become, and its plan. */
struct side {
    struct conv_problem problem;
    struct conv_fill fill;
    struct conv_tensor tensors[CONV_OPERANDS];
    struct conv_operands operands;
    struct conv_truth truth[CONV_OPERANDS];
    struct conv_plan *plan;
};

static enum conv_status fill_operands(struct side *side, struct conv_error *error)
{
    const struct conv_problem *problem = &side->problem;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK];
        const int rank = conv_operand_shape(dims, problem, operand);
        if (conv_operand_role(problem, operand) == CONV_UNUSED)
            continue;
        enum conv_status status = conv_tensor_create(&side->tensors[operand], problem->type, rank, dims, error);
        if (status != CONV_OK)
            return status;
        conv_fill(problem->type, side->tensors[operand].data, conv_operand_count(problem, operand),
                  conv_operand_name(problem, operand), &side->fill);
        side->operands.at[operand] = side->tensors[operand].data;
    }
    return CONV_OK;
}

static enum conv_status open_side(struct side *side, const struct conv_kernel *kernel, int threads, uint64_t seed,
                                  struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = threads, .guarded = true };
    side->fill = (struct conv_fill){ CONV_FILL_INTEGERS, seed, conv_accuracy_range(&side->problem, kernel->accuracy), 0 };
    enum conv_status status = fill_operands(side, error);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++)
        if (conv_operand_role(&side->problem, operand) == CONV_OUTPUT)
            status = conv_truth_compute(&side->truth[operand], NULL, &side->problem, operand, &side->operands, error);
    if (status == CONV_OK)
        status = conv_plan_create(&side->plan, kernel, &side->problem, &options, error);
    if (status == CONV_OK)
        status = conv_plan_load(side->plan, &side->operands, error);
    return status;
}

static void close_side(struct side *side)
{
    conv_plan_free(side->plan);
    for (int operand = 0; operand < CONV_OPERANDS; operand++) {
        conv_truth_free(&side->truth[operand]);
        conv_tensor_free(&side->tensors[operand]);
    }
}

/* One output after a call.  False, and a finding, if it is wrong. */
static bool judge(struct checker *checker, const struct side *side, enum conv_operand output)
{
    struct conv_verification *result = &checker->shared->result;
    struct conv_evidence *evidence = &result->evidence[result->checks];
    const struct conv_truth *truth = &side->truth[output];
    double *got = malloc(((size_t)truth->count + 1) * sizeof *got);
    if (!got)
        return true;   /* nothing was seen */
    conv_operand_widen(got, &side->problem, output, side->operands.at[output]);
    const struct judging how = { true, checker->kernel->accuracy };
    judge_rounds(got, truth->count, how);
    const bool wrong = judge_output(&result->finding, &evidence->worst, &side->problem, output, truth, got, how);
    evidence->elements += truth->count;
    free(got);
    if (wrong) {
        result->verdict = CONV_REJECT;
        result->finding.fault = CONV_FAULT_UNSTABLE;
    }
    return !wrong;
}

static void begin(struct checker *checker, const struct side *side, int threads)
{
    struct verification *shared = checker->shared;
    shared->result.finding = (struct conv_finding){
        .problem = side->problem, .seed = side->fill.seed, .threads = threads };
    snprintf(shared->result.finding.check, sizeof shared->result.finding.check, "%s", shared->check);
    shared->problem = side->problem;
    shared->data = (struct check_data){ .fill = side->fill, .exact = true };
    shared->threads = threads;
}

static bool call(struct checker *checker, struct side *side, int threads)
{
    bool good = true;
    begin(checker, side, threads);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(&side->problem, operand) == CONV_OUTPUT && side->operands.at[operand])
            memset(side->operands.at[operand], 0xFF, conv_operand_bytes(&side->problem, operand));
    plan_poison(side->plan, 0xFF);
    checker->shared->call_began = conv_seconds();
    const bool ran = conv_plan_run(side->plan) >= 0 && conv_plan_store(side->plan, NULL) == CONV_OK;
    checker->shared->call_began = 0;
    if (!ran && check_reported(checker, side->plan))
        return false;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && good && ran; operand++)
        if (conv_operand_role(&side->problem, operand) == CONV_OUTPUT)
            good = judge(checker, side, operand);
    return good;
}

/* The finding is that of one problem; what came before it belongs to it. */
static void say_in_turn(struct conv_finding *finding, const struct side *other)
{
    char text[CONV_PROBLEM_TEXT];
    snprintf(finding->guess, sizeof finding->guess, "something is kept from one call to the next: it was called in "
             "turn with \"%.300s\"%s", conv_problem_print(text, &other->problem),
             conv_problem_equal(&finding->problem, &other->problem) ? " on other data" : "");
}

static bool take_turns(struct checker *checker, struct side sides[PAIR], int threads)
{
    for (int turn = 0; turn < 2 * PAIR; turn++)
        if (!call(checker, &sides[turn % PAIR], threads)) {
            say_in_turn(&checker->shared->result.finding, &sides[(turn + 1) % PAIR]);
            return false;
        }
    return true;
}

static bool try_pair(struct checker *checker, const struct conv_problem *a, const struct conv_problem *b, int threads)
{
    struct verification *shared = checker->shared;
    struct side sides[PAIR] = { { .problem = *a }, { .problem = *b } };
    struct conv_error error;
    enum conv_status status = CONV_OK;
    bool good = true;
    for (int i = 0; i < PAIR && status == CONV_OK; i++) {
        begin(checker, &sides[i], threads);
        shared->call_began = conv_seconds();   /* it may pack */
        status = open_side(&sides[i], checker->kernel, threads, checker->options.seed + (uint64_t)i, &error);
        shared->call_began = 0;
    }
    if (status == CONV_OK) {
        good = take_turns(checker, sides, threads);
    } else {
        shared->result.verdict = CONV_INCONCLUSIVE;
        snprintf(shared->result.reason, sizeof shared->result.reason, "%s", error.message);
    }
    for (int i = 0; i < PAIR; i++)
        close_side(&sides[i]);
    shared->result.evidence[shared->result.checks].problems += status == CONV_OK && good;
    shared->done++;
    return status == CONV_OK && good;
}

/* In this pass and layout, if the kernel computes it. */
static bool change_mode(struct conv_problem *problem, const struct conv_kernel *kernel, int pass, int layout)
{
    problem->pass = (enum conv_pass)pass;
    problem->layout = (enum conv_layout)layout;
    return conv_problem_finish(problem, NULL) == CONV_OK && !conv_kernel_refuses(kernel, problem)
        && conv_accuracy_range(problem, kernel->accuracy) > 0;
}

static bool all_modes(struct checker *checker, const char *const texts[PAIR], int threads)
{
    for (int pass = 0; pass < CONV_PASSES; pass++)
        for (int layout = 0; layout < CONV_LAYOUTS; layout++) {
            struct conv_problem p[PAIR];
            bool fits[PAIR];
            for (int i = 0; i < PAIR; i++)
                fits[i] = conv_problem_parse(&p[i], texts[i], NULL) == CONV_OK
                       && change_mode(&p[i], checker->kernel, pass, layout);
            if ((fits[0] && !try_pair(checker, &p[0], &p[0], threads))
                || (fits[0] && fits[1] && !try_pair(checker, &p[0], &p[1], threads))
                || (fits[0] && fits[1] && !try_pair(checker, &p[1], &p[0], threads)))
                return false;
        }
    return true;
}

static void run(struct checker *checker)
{
    const int count = sizeof pairs / sizeof *pairs, wanted = checker->options.threads;
    for (int i = 0; i < count; i++)
        if (!all_modes(checker, pairs[i], wanted > 0 ? wanted : checker->kernel->threaded ? 2 : 1))
            return;
}

const struct check check_turns = {
    .name = "turns",
    .sees = "what is kept from one call to the next, when problems take turns",
    .blind = "calls from two threads at a time",
    .run = run,
};
