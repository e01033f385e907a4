/* careful.c - one careful run: watched from all sides, then compared with the truth.   Declared in careful.h.
 *
 * Operands lie between guard pages (place.c).  Outputs and workspace are filled with NaN.  After the call the slack,
 * the inputs, every output element and the floating-point environment are looked at.  Then the kernel is called once
 * more, at the same addresses, on other data: from run to run in turn other weights, other images, or another bias
 * (flips.c), with the scratch as the first call left it or poisoned again, into outputs that are filled with another
 * pattern.
 */
#include "verify/engine/careful.h"

#include <convref/machine.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/guest.h"
#include "core/plan.h"
#include "verify/engine/expected.h"
#include "verify/findings/guess.h"
#include "verify/engine/judge.h"
#include "verify/engine/judge_large.h"
#include "verify/engine/place.h"
#include "verify/sandbox/environment.h"

/* Bytes that outputs are filled with before the first and the second call: a NaN, and a small negative number. */
static const unsigned char poisons[] = { POISON_FIRST, 0xA5 };

/* While a failure is explained, outputs are filled with a number instead, so that what is added to it can be told. */
static const double held_number = 0.5;

/* Above this many multiply-adds one call has to do. */
static const int64_t large = INT64_C(50) * 1000 * 1000;

bool check_reported(struct checker *checker, const struct conv_plan *plan)
{
    const char *words = conv_plan_failure(plan);
    return words[0] && !checker_found(checker, CONV_FAULT_REPORTED, CONV_Y, words);
}

/* ---- comparing ---------------------------------------------------------------------------------------------- */

/* What outputs are filled with before a call, as bytes of one element. */
struct filling { unsigned char bytes[sizeof(double)]; double value; };

static struct filling filling_of(const struct checker *checker, const struct conv_problem *problem, int call)
{
    struct filling filling;
    memset(filling.bytes, poisons[call], sizeof filling.bytes);
    if (checker->suspects)
        conv_set(problem->type, filling.bytes, 0, held_number);
    filling.value = conv_get(problem->type, filling.bytes, 0);
    return filling;
}

/* Is an element still what the output was filled with, bit for bit?  A NaN that the kernel made has other bits. */
static bool holds_filling(const struct conv_problem *problem, enum conv_operand output, const void *data,
                          const struct filling *filling)
{
    const size_t size = conv_type_facts(problem->type)->size, bytes = conv_operand_bytes(problem, output);
    for (size_t i = 0; i < bytes; i += size)
        if (!memcmp((const char *)data + i, filling->bytes, size))
            return true;
    return false;
}

/* Is the first wrong element of the value that the output was filled with? */
static bool is_filling(double value, const struct filling *filling)
{
    return isnan(filling->value) ? isnan(value) : value == filling->value;
}

/* Where 0 * infinity in the padding may have made NaN, NaN is as right as the truth. */
static void accept_padding(struct checker *checker, const struct conv_problem *problem,
                           const struct conv_truth *truth, double *got)
{
    /* the reference counts one more for each middle of a separable layer, and for an x that is added */
    struct conv_problem stages[CONV_MOST_STAGES];
    const int64_t full = conv_fan_in(problem) + conv_stages(stages, problem) - 1 + problem->residual;
    for (int64_t i = 0; i < truth->count; i++) {
        if (truth->taps[i] >= full)
            continue;
        checker->padding_skipped += isinf(truth->value[i]) && got[i] == truth->value[i];
        checker->padding_multiplied += isinf(truth->value[i]) && isnan(got[i]);
        if (isnan(got[i]))
            got[i] = truth->value[i];
    }
}

static void fill_outputs(const struct checker *checker, const struct conv_problem *problem,
                         const struct conv_operands *operands, int call)
{
    const size_t size = conv_type_facts(problem->type)->size;
    const struct filling filling = filling_of(checker, problem, call);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const bool output = operands->at[operand] && conv_operand_role(problem, operand) == CONV_OUTPUT;
        const size_t bytes = output ? conv_operand_bytes(problem, operand) : 0;
        for (size_t i = 0; i < bytes; i += size)
            memcpy((char *)operands->at[operand] + i, filling.bytes, size);
    }
}

/* ---- one problem on its way -------------------------------------------------------------------------------- */

struct run {
    struct checker *checker;
    const struct conv_problem *problem;
    struct conv_operands operands;
    uint64_t hashes[CONV_OPERANDS];
    struct expected expected;
    struct flips before;                 /* the data of the call before */
    struct conv_plan *plan;
    int64_t number;                      /* of this run: what varies follows from it */
};

/* What is to be said of a wrong output. */
static enum conv_fault fault_of(const struct run *run, enum conv_operand output, const double *got, int call)
{
    struct conv_finding *finding = &run->checker->shared->result.finding;
    const void *data = run->operands.at[output];
    const struct filling filling = filling_of(run->checker, run->problem, call);
    if (is_filling(finding->first[0].got, &filling) && holds_filling(run->problem, output, data, &filling))
        return CONV_FAULT_UNWRITTEN;
    if (call > 0 && expected_kept(finding->guess, &run->expected, output, got, &run->before))
        return CONV_FAULT_UNSTABLE;
    return CONV_FAULT_VALUES;
}

static void tell_suspects(const struct run *run, enum conv_operand output, const double *got, int call)
{
    const struct checker *checker = run->checker;
    const struct testimony said = {
        .problem = run->problem, .output = output, .operands = &run->operands, .truth = &run->expected.now[output],
        .got = got, .how = { checker->data.exact, checker->kernel->accuracy },
        .held = filling_of(checker, run->problem, call).value };
    suspects_hear(checker->suspects, &said);
}

/* One output after one call. */
static bool judge(struct run *run, enum conv_operand output, int call)
{
    struct checker *checker = run->checker;
    const struct judging how = { checker->data.exact, checker->kernel->accuracy };
    const struct conv_truth *truth = &run->expected.now[output];
    struct conv_verification *result = &checker->shared->result;
    struct conv_evidence *evidence = &result->evidence[result->checks];
    double *got = malloc(((size_t)truth->count + 1) * sizeof *got);
    if (!got)
        return checker_impossible(checker, "no memory to compare outputs");
    conv_operand_widen(got, run->problem, output, run->operands.at[output]);
    if (checker->data.padding_may_multiply)
        accept_padding(checker, run->problem, truth, got);
    judge_rounds(got, truth->count, how);
    const enum judged judged =
        judge_output(&result->finding, &evidence->worst, run->problem, output, truth, got, how);
    if (judged == JUDGED_NOT) {
        free(got);
        return checker_impossible(checker, "no memory for the bounds of outputs");
    }
    evidence->elements += truth->count;
    if (checker->suspects)
        tell_suspects(run, output, got, call);
    if (judged == JUDGED_WRONG) {
        result->verdict = CONV_REJECT;
        result->finding.fault = fault_of(run, output, got, call);
    }
    free(got);
    return judged == JUDGED_RIGHT;
}

/* Whatever the kernel's function did to the environment is undone: the verifier computes in it too. */
static bool environment_kept(struct checker *checker, const struct environment *before, const char *function)
{
    const struct environment after = environment_read();
    char words[CONV_WORDS / 2], where[CONV_WORDS];
    if (!environment_changed(words, sizeof words, before, &after))
        return true;
    environment_restore(before);
    snprintf(where, sizeof where, "after %s(): %s", function, words);
    return checker_found(checker, CONV_FAULT_ENVIRONMENT, CONV_Y, where);
}

/* Bind the operands, and let the kernel pack its weights. */
static bool load(struct run *run)
{
    struct checker *checker = run->checker;
    const struct environment before = environment_read();
    struct conv_error error;
    checker->shared->call_began = conv_seconds();
    const enum conv_status status = conv_plan_load(run->plan, &run->operands, &error);
    checker->shared->call_began = 0;
    return status == CONV_OK ? environment_kept(checker, &before, "pack")
        : checker_impossible(checker, error.message);
}

/* Large problems have ways of their own; the gradient of a bias is cheap in all of them. */
static bool is_cheap(const struct checker *checker, enum conv_operand output)
{
    return (!checker->data.by_checksum && !checker->data.spots) || output == CONV_BIAS;
}

static bool judge_one(struct run *run, enum conv_operand output, int call)
{
    struct checker *checker = run->checker;
    if (is_cheap(checker, output))
        return judge(run, output, call);
    if (checker->data.spots)
        return judge_large_spots(checker, run->problem, &run->operands, output);
    checker_evidence(checker)->elements += conv_operand_count(run->problem, output);
    return judge_large_integers(checker, run->problem, &run->operands, output);
}

static bool judge_all(struct run *run, int call)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (run->operands.at[operand] && conv_operand_role(run->problem, operand) == CONV_OUTPUT
            && !judge_one(run, operand, call))
            return false;
    return true;
}

static bool asked_us(struct checker *checker)
{
    char words[CONV_WORDS];
    const char *function = guest_asked();
    if (function)
        snprintf(words, sizeof words, "it called %s() of the library that judges it", function);
    return function && !checker_found(checker, CONV_FAULT_BORROWED, CONV_Y, words);
}

static bool call_kernel(struct run *run)
{
    struct checker *checker = run->checker;
    const struct environment before = environment_read();
    struct conv_error error;
    checker->shared->call_began = conv_seconds();
    const bool failed = conv_plan_run(run->plan) < 0;
    checker->shared->call_began = 0;
    if (asked_us(checker) || !environment_kept(checker, &before, "run")
        || (failed && check_reported(checker, run->plan)))
        return false;
    if (failed)
        return checker_impossible(checker, "the kernel failed on its device");
    return conv_plan_store(run->plan, &error) == CONV_OK || checker_impossible(checker, error.message);
}

/* ---- the calls ---------------------------------------------------------------------------------------------- */

/* In 16 runs in a row every placement (the number's remainder) meets every sort of other data. */
static int64_t sort_of_data(int64_t number) { return (number + number / PLACEMENTS) % FLIP_SORTS; }
static bool keeps_scratch(int64_t number) { return (number / PLACEMENTS + number / CHECK_VARIATIONS) % 2; }

/* Other data for the second call.  Weights that are packed are packed anew. */
static bool change_data(struct run *run)
{
    struct checker *checker = run->checker;
    const bool integers = checker->data.exact && !checker->data.make;
    const struct flips wanted = flips_choose(run->problem, sort_of_data(run->number), !integers);
    struct conv_error error;
    run->before = run->expected.flips;
    if (!place_open(checker))
        return checker_impossible(checker, "pages of an input can't be made writable again");
    if (expected_flip(&run->expected, &run->operands, wanted, &error) != CONV_OK)
        return checker_impossible(checker, error.message);
    if (!place_close(checker, run->problem, &run->operands, run->hashes))
        return checker_impossible(checker, "pages of an input can't be made read-only");
    return !(wanted.of[CONV_WEIGHTS] || wanted.of[CONV_PW] || wanted.of[CONV_EW]) || checker->kernel->device
        || load(run);
}

static bool call_and_judge(struct run *run, int call)
{
    struct checker *checker = run->checker;
    fill_outputs(checker, run->problem, &run->operands, call);
    if (call == 0 || !keeps_scratch(run->number))
        plan_poison(run->plan, poisons[call]);
    if (checker->kernel->device && !load(run))
        return false;
    return call_kernel(run) && place_intact(checker, run->problem, &run->operands, run->hashes)
        && judge_all(run, call);
}

static bool make_calls(struct run *run)
{
    const int calls = check_macs(run->problem) > (double)large ? 1 : 2;
    for (int call = 0; call < calls; call++)
        if ((call > 0 && !change_data(run)) || !call_and_judge(run, call))
            return false;
    return true;
}

static enum conv_status prepare(struct run *run, const struct check_data *data, int threads, struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = threads, .guarded = true };
    struct checker *checker = run->checker;
    bool wanted[CONV_OPERANDS] = { false };
    enum conv_status status = place_operands(checker, &run->operands, run->hashes, run->problem, data, error);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        wanted[operand] = run->operands.at[operand] && conv_operand_role(run->problem, operand) == CONV_OUTPUT
                       && (checker->data.given || is_cheap(checker, operand));
    if (status == CONV_OK)
        status = expected_create(&run->expected, run->problem, &run->operands, wanted, checker->data.given, error);
    if (status == CONV_OK)
        status = conv_plan_create(&run->plan, checker->kernel, run->problem, &options, error);
    return status;
}

bool check_data(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                int threads)
{
    struct run run = { .checker = checker, .problem = problem, .number = checker->runs };
    struct conv_error error;
    checker->data = *data;
    checker->data.by_checksum = data->by_checksum && check_prefers_checksum(problem);  /* not when it has shrunk */
    checker->data.spots = data->spots && check_macs(problem) > check_real_macs;
    checker_begins(checker, problem, data->fill.seed, threads);
    bool good = prepare(&run, data, threads, &error) == CONV_OK || checker_impossible(checker, error.message);
    if (good) {
        checker->scratch = plan_guard(run.plan, PLAN_SCRATCH);
        checker->packed = plan_guard(run.plan, PLAN_PACKED);
        fill_outputs(checker, problem, &run.operands, 0);
        good = load(&run) && make_calls(&run);
    }
    checker->scratch = checker->packed = NULL;
    conv_plan_free(run.plan);
    expected_free(&run.expected);
    if (good)
        checker_evidence(checker)->problems++;
    checker->shared->done++;
    return good;
}
