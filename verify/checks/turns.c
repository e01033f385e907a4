/* turns.c - check "turns": two problems in turn, each with a plan of its own, give what each gives alone.
 *
 * Both plans are made and loaded before the first call, then A and B are called in turn, on integers, bit for bit.  B
 * is another size, or the same size with other data: a network has many layers of one size.  From call to call one of
 * them has other weights, other images or another bias at the addresses of before, as in a loop that trains; its
 * scratch is poisoned or is as it was left; its weights are packed anew where others were packed.
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
#include "verify/engine/expected.h"
#include "verify/engine/judge.h"
#include "verify/engine/place.h"
#include "verify/engine/ways.h"
#include "verify/findings/circumstances.h"

/* Two sizes of each kind, small ones and such as fast kernels have a way for; then two kinds. */
enum { PAIR = 2 };
static const char *const pairs[][PAIR] = {
    { "c=5 in=9x8 k=6 filter=3x3 pad=1 bias=1", "c=3 in=6x7 k=4 filter=3x3" },
    { "n=2 c=7 in=5x6 k=9 filter=1x1 bias=1", "c=4 in=3x4 k=5 filter=1x1" },
    { "c=6 in=8x9 k=12 filter=3x3 pad=1 groups=3 bias=1", "c=4 in=6x5 k=6 filter=3x3 groups=2" },
    { "n=2 c=9 in=10x9 k=9 filter=3x3 pad=1 groups=9 bias=1", "c=5 in=7x6 k=5 filter=3x3 groups=5" },
    { "c=4 in=40 k=6 filter=5 pad=2 bias=1", "c=3 in=17 k=5 filter=3" },
    { "c=3 in=5x6x7 k=4 filter=3x3x3 pad=1", "c=2 in=4x5x4 k=3 filter=2x3x2" },
    { "op=separable c=6 in=9x8 k=7 filter=3x3 pad=1 bias=1", "op=separable c=4 in=6x7 k=5 filter=3x3" },
    { "op=separable c=5 in=9x8 k=5 filter=3x3 pad=1 bias=1 mid_act=relu expand=11 residual=1",
      "op=separable c=4 in=6x7 k=5 filter=3x3 stride=2 expand=9" },
    { "op=transposed c=5 in=6x7 k=4 filter=3x3 stride=2 pad=1 bias=1", "op=transposed c=3 in=4x5 k=2 filter=3x3" },
    { "c=16 in=12x20 k=32 filter=3x3 pad=1 bias=1 act=relu", "c=32 in=7x9 k=16 filter=3x3 pad=1 stride=2" },
    { "c=64 in=7x9 k=48 filter=1x1 bias=1 act=relu6", "c=48 in=8x8 k=64 filter=1x1" },
    { "c=32 in=14x14 k=32 filter=3x3 pad=1 groups=32 act=relu", "c=16 in=28x28 k=16 filter=3x3 pad=1 stride=2 groups=16" },
    { "c=32 in=12x13 k=32 filter=3x3 pad=1 groups=4", "c=16 in=9x18 k=32 filter=3x3 pad=1 groups=2 bias=1" },
    { "op=separable c=16 in=14x14 k=32 filter=3x3 pad=1 mid_act=relu act=relu", "op=separable c=32 in=7x9 k=16 filter=3x3 pad=1" },
    { "op=separable c=8 in=9x9 k=8 filter=3x3 pad=1 mid_act=relu6 expand=48 residual=1",
      "op=separable c=8 in=9x9 k=8 filter=3x3 pad=1 mid_act=relu6 expand=48" },
    { "c=8 in=9x9 k=8 filter=3x3 pad=1", "c=8 in=9x9 k=8 filter=1x1" },
    { "c=8 in=9x9 k=8 filter=3x3 pad=1", "c=8 in=9x9 k=8 filter=3x3 pad=1 groups=8" },
    { "c=8 in=9x9 k=8 filter=3x3 pad=1 groups=2", "c=8 in=9x9 k=8 filter=3x3 pad=1 groups=8 bias=1" },
    { "c=8 in=9x9 k=8 filter=3x3 pad=1", "op=transposed c=8 in=9x9 k=8 filter=3x3 pad=1" },
};

/* One of the two: its operands, what they should become, and its plan. */
struct side {
    struct conv_problem problem;
    struct conv_fill fill;
    struct conv_tensor tensors[CONV_OPERANDS];
    struct conv_operands operands;
    struct expected expected;
    struct conv_plan *plan;
};

/* A call of one of the two.  Before it some inputs may be negated where they lie (flips.h), the plan may be made
 * anew, which packs at the address of the packed weights of before, and the scratch may stay as the last call left
 * it. */
struct step { int side, data; bool new_plan, keep_scratch; };
enum { AS_FILLED = -1, WEIGHTS = 0, IMAGES = 1, BIAS_ALONE = 3 };
static const struct step steps[] = {
    { 0, AS_FILLED, false, false }, { 1, AS_FILLED, false, false }, { 0, AS_FILLED, false, false },
    { 1, AS_FILLED, false, true }, { 0, WEIGHTS, false, true }, { 1, IMAGES, false, true }, { 0, BIAS_ALONE, false, true },
    { 0, AS_FILLED, false, false }, { 1, WEIGHTS, true, false }, { 0, IMAGES, false, true }, { 0, WEIGHTS, true, false },
    { 1, AS_FILLED, true, true }, { 0, AS_FILLED, true, true },
};
enum { STEPS = sizeof steps / sizeof *steps };

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

static enum conv_status open_plan(struct side *side, const struct conv_kernel *kernel, int threads,
                                  struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = threads, .guarded = true };
    conv_plan_free(side->plan);
    side->plan = NULL;
    enum conv_status status = conv_plan_create(&side->plan, kernel, &side->problem, &options, error);
    return status == CONV_OK ? conv_plan_load(side->plan, &side->operands, error) : status;
}

static enum conv_status open_side(struct side *side, const struct conv_kernel *kernel, int threads, uint64_t seed,
                                  struct conv_error *error)
{
    bool wanted[CONV_OPERANDS];
    side->fill = (struct conv_fill){ CONV_FILL_INTEGERS, seed, conv_accuracy_range(&side->problem, kernel->accuracy), 0 };
    enum conv_status status = fill_operands(side, error);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        wanted[operand] = conv_operand_role(&side->problem, operand) == CONV_OUTPUT;
    if (status == CONV_OK)
        status = expected_create(&side->expected, &side->problem, &side->operands, wanted, NULL, error);
    return status == CONV_OK ? open_plan(side, kernel, threads, error) : status;
}

static void close_side(struct side *side)
{
    conv_plan_free(side->plan);
    expected_free(&side->expected);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&side->tensors[operand]);
}

/* One output after a call.  False, and a finding, if it is wrong. */
static bool judge(struct checker *checker, const struct side *side, enum conv_operand output)
{
    struct conv_verification *result = &checker->shared->result;
    const struct conv_truth *truth = &side->expected.now[output];
    double *got = malloc(((size_t)truth->count + 1) * sizeof *got);
    if (!got)
        return checker_impossible(checker, "no memory to compare outputs");
    conv_operand_widen(got, &side->problem, output, side->operands.at[output]);
    const struct judging how = { true, checker->kernel->accuracy };
    judge_rounds(got, truth->count, how);
    const bool wrong = judge_output(&result->finding, &checker_evidence(checker)->worst, &side->problem, output,
                                    truth, got,
                                    how) == JUDGED_WRONG;   /* exact: there are no bounds */
    checker_evidence(checker)->elements += truth->count;
    free(got);
    if (wrong) {
        result->verdict = CONV_REJECT;
        result->finding.fault = CONV_FAULT_UNSTABLE;
    }
    return !wrong;
}

static void begin(struct checker *checker, const struct side *side, int threads)
{
    checker->data = (struct check_data){ .fill = side->fill, .exact = true };
    checker_begins(checker, &side->problem, side->fill.seed, threads);
}

/* Other data, and a new plan if one is wanted. */
static enum conv_status prepare(struct checker *checker, struct side *side, const struct step *step, int threads,
                                struct conv_error *error)
{
    const struct flips none = { .of = { false } };
    const struct flips wanted = step->data == AS_FILLED ? none : flips_choose(&side->problem, step->data, false);
    const bool packs = wanted.of[CONV_WEIGHTS] != side->expected.flips.of[CONV_WEIGHTS]
                    || wanted.of[CONV_PW] != side->expected.flips.of[CONV_PW]
                    || wanted.of[CONV_EW] != side->expected.flips.of[CONV_EW];
    enum conv_status status = expected_flip(&side->expected, &side->operands, wanted, error);
    if (status == CONV_OK && step->new_plan)
        status = open_plan(side, checker->kernel, threads, error);
    else if (status == CONV_OK && (packs || checker->kernel->device))
        status = conv_plan_load(side->plan, &side->operands, error);
    return status;
}

static bool call(struct checker *checker, struct side *side, const struct step *step, int threads)
{
    struct conv_error error;
    begin(checker, side, threads);
    checker->shared->call_began = conv_seconds();
    enum conv_status status = prepare(checker, side, step, threads, &error);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(&side->problem, operand) == CONV_OUTPUT && side->operands.at[operand])
            memset(side->operands.at[operand], POISON_FIRST, conv_operand_bytes(&side->problem, operand));
    if (status == CONV_OK && !step->keep_scratch)
        plan_poison(side->plan, POISON_FIRST);
    if (status == CONV_OK && conv_plan_run(side->plan) < 0) {
        if (check_reported(checker, side->plan))
            return false;
        status = conv_fail(&error, CONV_NOT_APPLICABLE, "the kernel failed on its device");
    }
    if (status == CONV_OK)
        status = conv_plan_store(side->plan, &error);
    checker->shared->call_began = 0;
    if (status != CONV_OK)
        return checker_impossible(checker, error.message);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(&side->problem, operand) == CONV_OUTPUT && !judge(checker, side, operand))
            return false;
    return true;
}

/* The finding is that of one problem; what came before it belongs to it. */
static void say_in_turn(struct checker *checker, const struct side *other, int step, int threads)
{
    struct conv_finding *finding = &checker->shared->result.finding;
    char text[CONV_PROBLEM_TEXT];
    finding->needs_others = true;   /* unless it shrinks */
    static const char *const data[] = { "", ", with other weights than before", ", on other data than before", "",
                                        ", with another bias than before" };
    if (step == 0) {   /* nothing was called before, but the other plan has packed its weights since */
        const struct check_data alone = check_integers(checker, &finding->problem);
        if (is_right(checker, &finding->problem, &alone, threads, attempt_here))
            snprintf(finding->guess, sizeof finding->guess,
                     "something is kept from one call to the next: a plan for \"%.250s\" was "
                     "made before the call", conv_problem_print(text, &other->problem));
        return;
    }
    snprintf(finding->guess, sizeof finding->guess,
             "something is kept from one call to the next: in call %d it was called "
             "in turn with \"%.250s\"%s%s", step + 1, conv_problem_print(text, &other->problem),
             conv_problem_equal(&finding->problem, &other->problem) ? " on other data" : "",
             data[steps[step].data + 1]);
}

static bool take_turns(struct checker *checker, struct side sides[PAIR], int threads)
{
    for (int i = 0; i < STEPS; i++)
        if (!call(checker, &sides[steps[i].side], &steps[i], threads)) {
            if (checker->shared->result.verdict == CONV_REJECT
                && checker->shared->result.finding.fault != CONV_FAULT_REPORTED)
                say_in_turn(checker, &sides[1 - steps[i].side], i, threads);
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
    for (int i = 0; i < PAIR && status == CONV_OK; i++) {
        begin(checker, &sides[i], threads);
        shared->call_began = conv_seconds();   /* it may pack */
        status = open_side(&sides[i], checker->kernel, threads, checker->options.seed + (uint64_t)i, &error);
        shared->call_began = 0;
    }
    const bool good = status == CONV_OK ? take_turns(checker, sides, threads)
        : checker_impossible(checker, error.message);
    for (int i = 0; i < PAIR; i++)
        close_side(&sides[i]);
    checker_evidence(checker)->problems += good;
    shared->done++;
    return good;
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
