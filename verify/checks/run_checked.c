/* run_checked.c - one careful run: watched from all sides, then compared with the truth.
 *
 * Operands lie between guard pages: flush right, flush left, or a few elements behind the left one, inputs in pages
 * that can be written to or not, in turn.  Outputs and workspace are filled with NaN.  After the run the slack, the
 * inputs, every output element and the floating-point environment are looked at; then the kernel runs a second time,
 * into outputs filled with another pattern, and must give the same again.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sandbox/environment.h"
#include "check.h"

/* Bytes that outputs are filled with before the first and the second call: a NaN, and a small negative number. */
static const unsigned char poisons[] = { 0xFF, 0xA5 };

/* Above this many multiply-adds one call has to do. */
static const int64_t large = INT64_C(50) * 1000 * 1000;

double check_macs(const struct conv_problem *problem)
{
    const enum conv_operand output = problem->pass == CONV_FORWARD ? CONV_Y
                                   : problem->pass == CONV_BACKWARD_DATA ? CONV_X : CONV_WEIGHTS;
    return (double)conv_fan_in(problem) * (double)conv_operand_count(problem, output);
}

/* ---- findings -------------------------------------------------------------------------------------------- */

static bool found(struct checker *checker, enum conv_fault fault, enum conv_operand operand, const char *where)
{
    struct conv_finding *finding = &checker->shared->result.finding;
    finding->fault = fault;
    finding->operand = operand;
    snprintf(finding->where, sizeof finding->where, "%s", where);
    checker->shared->result.verdict = CONV_REJECT;
    return false;
}

bool check_impossible(struct checker *checker, const char *why)
{
    checker->shared->result.verdict = CONV_INCONCLUSIVE;
    snprintf(checker->shared->result.reason, sizeof checker->shared->result.reason, "%s", why);
    return false;
}

static bool cant(struct checker *checker, const struct conv_error *error)
{
    return check_impossible(checker, error->message);
}

bool check_reported(struct checker *checker, const struct conv_plan *plan)
{
    const char *words = conv_plan_failure(plan);
    return words[0] && !found(checker, CONV_FAULT_REPORTED, CONV_Y, words);
}

/* ---- operands in guarded places ---------------------------------------------------------------------------- */

static uint64_t hash(const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    for (; bytes > 0; bytes--)
        sum = (sum ^ *at++) * UINT64_C(0x100000001b3);
    return sum;
}

enum { MOST_OFFSET = 64 };   /* bytes: a cache line, and the widest vectors */

/* Where operands lie, in turn.  `apart`: behind the guard page by an odd number of elements, another one for each
 * operand, so that no two of them are aligned alike and none is aligned to more than an element. */
static const struct placement { enum conv_flush flush; bool apart, read_only; } placements[PLACEMENTS] = {
    { CONV_FLUSH_RIGHT, false, false }, { CONV_FLUSH_LEFT, false, false },
    { CONV_FLUSH_RIGHT, false, true }, { CONV_FLUSH_LEFT, true, true },
};

static size_t offset_of(int64_t run, enum conv_operand operand, size_t element)
{
    return (size_t)(2 * (run / PLACEMENTS + (int64_t)operand) + 1) * element % MOST_OFFSET;
}

static enum conv_status make_room(struct checker *checker, enum conv_operand operand, size_t bytes,
                                  struct conv_error *error)
{
    struct conv_guarded *place = &checker->places[operand];
    if (checker->read_only[operand])
        conv_guarded_read_only(place, false);
    checker->read_only[operand] = false;
    if (place->base && place->capacity >= bytes + MOST_OFFSET)
        return CONV_OK;
    conv_guarded_free(place);
    return conv_guarded_create(place, bytes + MOST_OFFSET, error);
}

static enum conv_status fill_input(void *at, const struct conv_problem *problem, enum conv_operand operand,
                                   const struct check_data *data, enum conv_accuracy accuracy,
                                   struct conv_error *error)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (!data->make) {
        conv_fill(problem->type, at, count, conv_operand_name(problem, operand), &data->fill);
        return CONV_OK;
    }
    double *values = malloc((size_t)count * sizeof *values);
    if (!values)
        return conv_fail(error, CONV_NO_MEMORY, "no memory to make %" PRId64 " inputs", count);
    data->make(values, problem, operand, data->fill.seed, accuracy);
    conv_operand_narrow(at, problem, operand, values);
    free(values);
    return CONV_OK;
}

static enum conv_status place_operands(struct checker *checker, struct conv_operands *operands,
                                       uint64_t hashes[CONV_OPERANDS], const struct conv_problem *problem,
                                       const struct check_data *data, struct conv_error *error)
{
    const int64_t run = checker->runs++;
    const struct placement *placement = &placements[run % PLACEMENTS];
    const size_t element = conv_type_facts(problem->type)->size;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(problem, operand);
        struct conv_guarded *place = &checker->places[operand];
        const bool input = conv_operand_role(problem, operand) == CONV_INPUT;
        operands->at[operand] = NULL;
        if (bytes == 0)
            continue;
        enum conv_status status = make_room(checker, operand, bytes, error);
        if (status != CONV_OK)
            return status;
        void *at = placement->apart
                       ? conv_guarded_place_at(place, bytes, offset_of(run, operand, element), poisons[0])
                       : conv_guarded_place(place, bytes, element, placement->flush, poisons[0]);
        if (input)
            status = fill_input(at, problem, operand, data, checker->kernel->accuracy, error);
        if (status != CONV_OK)
            return status;
        hashes[operand] = hash(at, bytes);
        operands->at[operand] = at;
        if (input && placement->read_only)
            checker->read_only[operand] = conv_guarded_read_only(place, true);
    }
    return CONV_OK;
}

static bool operands_intact(struct checker *checker, const struct conv_problem *problem,
                            const struct conv_operands *operands, const uint64_t hashes[CONV_OPERANDS])
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (!operands->at[operand])
            continue;
        if (!conv_guarded_intact(&checker->places[operand]))
            return found(checker, CONV_FAULT_OUTSIDE, operand, "bytes beside the operand were written");
        if (conv_operand_role(problem, operand) == CONV_INPUT
            && hash(operands->at[operand], conv_operand_bytes(problem, operand)) != hashes[operand])
            return found(checker, CONV_FAULT_INPUT_CHANGED, operand, "the input was written to");
    }
    if (checker->scratch && !conv_guarded_intact(checker->scratch))
        return found(checker, CONV_FAULT_OUTSIDE, CONV_Y, "bytes beside the scratch were written");
    if (checker->packed && !conv_guarded_intact(checker->packed))
        return found(checker, CONV_FAULT_OUTSIDE, CONV_Y, "bytes beside the packed weights were written");
    return true;
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
        return cant(checker, &error);
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
    return found(checker, CONV_FAULT_ENVIRONMENT, CONV_Y, where);
}

/* Bind the operands, and let the kernel pack its weights. */
static bool load(struct checker *checker, struct conv_plan *plan, const struct conv_operands *operands)
{
    const struct environment before = environment_read();
    struct conv_error error;
    checker->shared->call_began = conv_seconds();
    const enum conv_status status = conv_plan_load(plan, operands, &error);
    checker->shared->call_began = 0;
    return status == CONV_OK ? environment_kept(checker, &before, "pack") : cant(checker, &error);
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
        return large_judge_spots(checker, problem, operands, output);
    checker->shared->result.evidence[checker->shared->result.checks].elements += conv_operand_count(problem, output);
    return large_judge_integers(checker, problem, operands, output);
}

static bool call_and_judge(struct checker *checker, struct conv_plan *plan, const struct conv_problem *problem,
                           const struct conv_operands *operands, const uint64_t hashes[CONV_OPERANDS],
                           const struct truths *truths, int call)
{
    struct conv_error error;
    poison_outputs(problem, operands, call);
    conv_plan_poison(plan, poisons[call]);
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
        return cant(checker, &error);
    if (!operands_intact(checker, problem, operands, hashes))
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

void check_begins(struct checker *checker, const struct conv_problem *problem, uint64_t seed, int threads)
{
    struct verification *shared = checker->shared;
    struct conv_finding *finding = &shared->result.finding;
    *finding = (struct conv_finding){ .problem = *problem, .seed = seed, .threads = threads };
    snprintf(finding->check, sizeof finding->check, "%s", shared->check);
    shared->problem = *problem;
    shared->data = checker->data;
    shared->threads = threads;
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
    check_begins(checker, problem, data->fill.seed, threads);
    enum conv_status status = place_operands(checker, &operands, hashes, problem, data, &error);
    if (status == CONV_OK)
        status = compute_truths(&truths, checker, problem, &operands, &error);
    if (status == CONV_OK)
        status = conv_plan_create(&plan, checker->kernel, problem, &options, &error);
    bool good = status == CONV_OK || cant(checker, &error);
    if (good) {
        checker->scratch = conv_plan_guard(plan, CONV_PLAN_SCRATCH);
        checker->packed = conv_plan_guard(plan, CONV_PLAN_PACKED);
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

bool check_problem(struct checker *checker, const struct conv_problem *problem, const struct conv_fill *fill,
                   int threads)
{
    const struct check_data data = { .fill = *fill, .exact = fill->kind == CONV_FILL_INTEGERS };
    return check_data(checker, problem, &data, threads);
}

bool check_exact(struct checker *checker, const struct conv_problem *problem, int threads)
{
    const struct conv_fill fill = { .kind = CONV_FILL_INTEGERS, .seed = checker->options.seed,
                                    .range = conv_accuracy_range(problem, checker->kernel->accuracy) };
    return fill.range < 1 || check_problem(checker, problem, &fill, threads);
}

bool check_placements(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                      int threads)
{
    const int times = check_macs(problem) < 1e6 ? PLACEMENTS : 1;   /* four runs in the place of one are nothing there */
    for (int i = 0; i < times; i++)
        if (!check_data(checker, problem, data, threads))
            return false;
    return true;
}

bool check_all_modes(struct checker *checker, struct conv_problem problem, check_one *one)
{
    const enum conv_activation act = problem.act;
    for (int mode = 0; mode < CONV_PASSES * CONV_LAYOUTS * CONV_TYPES; mode++) {
        problem.pass = (enum conv_pass)(mode % CONV_PASSES);
        problem.layout = (enum conv_layout)(mode / CONV_PASSES % CONV_LAYOUTS);
        problem.type = (enum conv_type)(mode / CONV_PASSES / CONV_LAYOUTS);
        problem.act = problem.pass == CONV_FORWARD ? act : CONV_ACT_NONE;
        if (conv_problem_finish(&problem, NULL) == CONV_OK && !conv_kernel_refuses(checker->kernel, &problem)
            && !one(checker, &problem))
            return false;
    }
    return true;
}
