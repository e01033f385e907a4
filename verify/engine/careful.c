/* careful.c - one careful run: watched from all sides, then compared with the truth.   Declared in careful.h.
 *
 * Operands lie between guard pages (place.c).  Outputs and workspace are filled with NaN.  After the run the slack, the
 * inputs, every output element and the floating-point environment are looked at; then the kernel runs a second time,
 * into outputs filled with another pattern, and must give the same again.
 */
#include "verify/engine/careful.h"

#include <convref/machine.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan.h"
#include "verify/engine/guess.h"
#include "verify/engine/judge.h"
#include "verify/engine/judge_large.h"
#include "verify/engine/place.h"
#include "verify/sandbox/environment.h"

/* Bytes that outputs are filled with before the first and the second call: a NaN, and a small negative number. */
static const unsigned char poisons[] = { POISON_FIRST, 0xA5 };

/* Above this many multiply-adds one call has to do. */
static const int64_t large = INT64_C(50) * 1000 * 1000;

bool check_reported(struct checker *checker, const struct conv_plan *plan)
{
    const char *words = conv_plan_failure(plan);
    return words[0] && !checker_found(checker, CONV_FAULT_REPORTED, CONV_Y, words);
}

/* ---- comparing ---------------------------------------------------------------------------------------------- */

/* Is an element still what the output was filled with, bit for bit?  A NaN that the kernel made has other bits. */
static bool holds_poison(const struct conv_problem *problem, enum conv_operand output, const void *data,
                         unsigned char poison)
{
    const size_t size = conv_type_facts(problem->type)->size, bytes = conv_operand_bytes(problem, output);
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i += size) {
        size_t same = 0;
        while (same < size && at[i + same] == poison)
            same++;
        if (same == size)
            return true;
    }
    return false;
}

/* Is the first wrong element of the value that the output was filled with? */
static bool is_poison(const struct conv_problem *problem, double value, unsigned char poison)
{
    unsigned char bytes[sizeof(double)];
    memset(bytes, poison, sizeof bytes);
    const double filled = conv_get(problem->type, bytes, 0);
    return isnan(filled) ? isnan(value) : value == filled;
}

/* Where 0 * infinity in the padding may have made NaN, NaN is as right as the truth. */
static void accept_padding(struct checker *checker, const struct conv_problem *problem,
                           const struct conv_truth *truth, double *got)
{
    /* the reference counts one more for the middle of a separable layer */
    const int64_t full = conv_fan_in(problem) + (problem->op == CONV_OP_SEPARABLE);
    for (int64_t i = 0; i < truth->count; i++) {
        if (truth->taps[i] >= full)
            continue;
        checker->padding_skipped += isinf(truth->value[i]) && got[i] == truth->value[i];
        checker->padding_multiplied += isinf(truth->value[i]) && isnan(got[i]);
        if (isnan(got[i]))
            got[i] = truth->value[i];
    }
}

/* One output after one call. */
static bool judge(struct checker *checker, const struct conv_problem *problem,
                  const struct conv_operands *operands, enum conv_operand output,
                  const struct conv_truth *truth, int call)
{
    const struct judging how = { checker->data.exact, checker->kernel->accuracy };
    struct conv_verification *result = &checker->shared->result;
    struct conv_evidence *evidence = &result->evidence[result->checks];
    double *got = malloc(((size_t)truth->count + 1) * sizeof *got);
    struct conv_error error;
    if (!got) {
        conv_fail(&error, CONV_NO_MEMORY, "no memory to compare outputs");
        return checker_impossible(checker, error.message);
    }
    conv_operand_widen(got, problem, output, operands->at[output]);
    if (checker->data.padding_may_multiply)
        accept_padding(checker, problem, truth, got);
    judge_rounds(got, truth->count, how);
    const bool wrong = judge_output(&result->finding, &evidence->worst, problem, output, truth, got, how);
    evidence->elements += truth->count;
    if (checker->suspects)
        suspect_those_who_fit(checker->suspects, problem, output, operands, got, how.exact);
    if (wrong) {
        const double first = result->finding.first[0].got;
        const bool unwritten = is_poison(problem, first, poisons[call])
            && holds_poison(problem, output, operands->at[output], poisons[call]);
        result->verdict = CONV_REJECT;
        result->finding.fault = unwritten ? CONV_FAULT_UNWRITTEN : call > 0 ? CONV_FAULT_UNSTABLE
                                                                            : CONV_FAULT_VALUES;
    }
    free(got);
    return !wrong;
}

static void poison_outputs(const struct conv_problem *problem, const struct conv_operands *operands, int call)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (operands->at[operand] && conv_operand_role(problem, operand) == CONV_OUTPUT)
            memset(operands->at[operand], poisons[call], conv_operand_bytes(problem, operand));
}

struct truths { struct conv_truth of[CONV_OPERANDS]; };

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
static bool load(struct checker *checker, struct conv_plan *plan, const struct conv_operands *operands)
{
    const struct environment before = environment_read();
    struct conv_error error;
    checker->shared->call_began = conv_seconds();
    const enum conv_status status = conv_plan_load(plan, operands, &error);
    checker->shared->call_began = 0;
    return status == CONV_OK ? environment_kept(checker, &before, "pack") : checker_impossible(checker, error.message);
}

/* Large problems have ways of their own; the gradient of a bias is cheap in all of them. */
static bool is_cheap(const struct checker *checker, enum conv_operand output)
{
    return (!checker->data.by_checksum && !checker->data.spots) || output == CONV_BIAS;
}

static bool judge_one(struct checker *checker, const struct conv_problem *problem,
                      const struct conv_operands *operands, enum conv_operand output, const struct truths *truths,
                      int call)
{
    if (is_cheap(checker, output))
        return judge(checker, problem, operands, output, &truths->of[output], call);
    if (checker->data.spots)
        return judge_large_spots(checker, problem, operands, output);
    checker->shared->result.evidence[checker->shared->result.checks].elements += conv_operand_count(problem, output);
    return judge_large_integers(checker, problem, operands, output);
}

static bool call_and_judge(struct checker *checker, struct conv_plan *plan, const struct conv_problem *problem,
                           const struct conv_operands *operands, const uint64_t hashes[CONV_OPERANDS],
                           const struct truths *truths, int call)
{
    struct conv_error error;
    poison_outputs(problem, operands, call);
    plan_poison(plan, poisons[call]);
    enum conv_status status = CONV_OK;
    if (checker->kernel->device && !load(checker, plan, operands))
        return false;
    const struct environment before = environment_read();
    checker->shared->call_began = conv_seconds();
    const bool failed = conv_plan_run(plan) < 0;
    checker->shared->call_began = 0;
    if (!environment_kept(checker, &before, "run") || (failed && check_reported(checker, plan)))
        return false;
    if (failed)
        status = conv_fail(&error, CONV_NOT_APPLICABLE, "the kernel failed on its device");
    if (status == CONV_OK)
        status = conv_plan_store(plan, &error);
    if (status != CONV_OK)
        return checker_impossible(checker, error.message);
    if (!place_intact(checker, problem, operands, hashes))
        return false;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (operands->at[operand] && conv_operand_role(problem, operand) == CONV_OUTPUT
            && !judge_one(checker, problem, operands, operand, truths, call))
            return false;
    return true;
}

/* ---- one problem --------------------------------------------------------------------------------------------- */

static enum conv_status compute_truths(struct truths *truths, const struct checker *checker,
                                       const struct conv_problem *problem,
                                       const struct conv_operands *operands, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++) {
        truths->of[operand] = (struct conv_truth){ .count = 0 };
        if (!operands->at[operand] || conv_operand_role(problem, operand) != CONV_OUTPUT)
            continue;
        if (checker->data.given)
            truths->of[operand] = *checker->data.given;
        else if (is_cheap(checker, operand))
            status = conv_truth_compute(&truths->of[operand], NULL, problem, operand, operands, error);
    }
    return status;
}

bool check_data(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                int threads)
{
    const struct conv_plan_options options = { .threads = threads, .guarded = true };
    struct conv_plan *plan = NULL;
    struct conv_operands operands;
    struct conv_error error;
    struct truths truths = { { { .count = 0 } } };
    uint64_t hashes[CONV_OPERANDS];

    checker->data = *data;
    checker->data.by_checksum =
        data->by_checksum && check_macs(problem) > check_exact_macs; /* not when it has shrunk */
    checker->data.spots = data->spots && check_macs(problem) > check_real_macs;
    checker_begins(checker, problem, data->fill.seed, threads);
    enum conv_status status = place_operands(checker, &operands, hashes, problem, data, &error);
    if (status == CONV_OK)
        status = compute_truths(&truths, checker, problem, &operands, &error);
    if (status == CONV_OK)
        status = conv_plan_create(&plan, checker->kernel, problem, &options, &error);
    bool good = status == CONV_OK || checker_impossible(checker, error.message);
    if (good) {
        checker->scratch = plan_guard(plan, PLAN_SCRATCH);
        checker->packed = plan_guard(plan, PLAN_PACKED);
        poison_outputs(problem, &operands, 0);
        good = load(checker, plan, &operands);
    }
    for (int call = 0; good && call < (check_macs(problem) > (double)large ? 1 : 2); call++)
        good = call_and_judge(checker, plan, problem, &operands, hashes, &truths, call);
    checker->scratch = checker->packed = NULL;
    conv_plan_free(plan);
    for (int operand = 0; operand < CONV_OPERANDS && !checker->data.given; operand++)
        conv_truth_free(&truths.of[operand]);
    if (good)
        checker->shared->result.evidence[checker->shared->result.checks].problems++;
    checker->shared->done++;
    return good;
}
