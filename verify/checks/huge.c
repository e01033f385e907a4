/* huge.c - check "huge": inputs, weights and outputs whose offsets don't fit in 32 bits.
 *
 * An offset is a product of sizes, and each product can be too large by itself: of rows and columns, of channels and planes,
 * of images and all of it; in elements beyond 2^31, or in bytes beyond 2^31, which is 2^29 elements.  So there is an array for
 * each of them.  It costs no memory: a few pieces of 3 MiB, which are seen many times (engine/repeated.c).
 *
 * What takes time is the kernel.  Of a large input a long stride reads a few windows; but of large weights every one is read,
 * and every output is written.  How long that takes is measured on a 512th of the problem, in the processor's time, so that
 * a busy machine tries as much; what would take longer than is left isn't tried, and that is said.
 *
 * The data repeat with the piece, so that what one output should be is what all at the same place of a piece should be.  A
 * kernel that adds to its outputs adds at the same place many times; so what looks wrong in a repeated output is tried
 * again with one that isn't repeated, where there is memory for that.
 *
 * Sees: offsets in 32 bits, in elements or in bytes.
 * Does not see: outputs and weights beyond 2^31 elements; kernels that are slow, or on a device.
 */
#include <convref/machine.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/calls.h"
#include "core/random.h"
#include "verify/checks/checks.h"
#include "verify/engine/careful.h"
#include "verify/engine/judge.h"
#include "verify/engine/repeated.h"
#include "verify/maths/spots.h"
#include "verify/problems/sets.h"

/* ---- the problems ---------------------------------------------------------------------------------------------- */

/* More than 2^31 elements of x, of which few are read; the last window is at the end.  In both layouts. */
static const char *const large_inputs[] = {
    "c=1 in=46400x46400 k=2 filter=3x3 stride=9277 pad=1", "c=4 in=23200x23200 k=2 filter=3x3 stride=4638 bias=1",
    "c=4 in=23200x23200 k=3 filter=1x1 stride=4639", "c=2 in=32800x32800 k=2 filter=3x3 stride=6559 groups=2",
    "n=2 c=4 in=16500x16500 k=4 filter=3x3 stride=5499 groups=2", "n=3 c=1 in=720000000 k=1 filter=2 stride=119999999",
    "op=separable c=4 in=23200x23200 k=3 filter=3x3 stride=4639",
    "c=1 in=1300x1300x1300 k=2 filter=3x3x3 stride=433 pad=1", "c=3 in=900x900x900 k=2 filter=3x3x3 stride=299",
    "c=2 in=1030x1030x1030 k=2 filter=2x3x3 stride=514 groups=2",
    "c=1 in=46400x46400 k=2 filter=3x3 stride=9277 pad=1 pass=backward_weights",
    "c=4 in=23200x23200 k=2 filter=3x3 stride=4638 pass=backward_weights",
    "n=2 c=4 in=16500x16500 k=4 filter=3x3 stride=5499 groups=2 pass=backward_weights",
    "c=1 in=1300x1300x1300 k=2 filter=3x3x3 stride=433 pass=backward_weights",
};

/* Beyond 2^29 elements of y, dx, w or dw, and in this order, as far as there is time: sixteen planes of one image, weights,
 * sixteen images, one plane.  Large outputs are 16 regions of 48 pieces, and a plane of them is a whole number of regions or a
 * part of one: of 3072 columns, 256 rows are a piece. */
static const char *const large_others[] = {
    "c=1 in=12288x3072 k=16 filter=1x1", "c=1 in=12288x3072 k=16 filter=1x3 pad=0x1",
    "c=16 in=12288x3072 k=16 filter=1x1 groups=16", "c=4 in=12288x3072 k=16 filter=1x1 groups=2",
    "op=transposed c=1 in=12288x3072 k=16 filter=1x1", "op=separable c=1 in=12288x3072 k=16 filter=1x1",
    "c=16 in=12288x3072 k=1 filter=1x1 pass=backward_data", "c=16 in=12288x3072 k=1 filter=1x3 pad=0x1 pass=backward_data",
    "c=16 in=12288x3072 k=16 filter=1x1 groups=16 pass=backward_data",
    "c=23296 in=1x1 k=23296 filter=1x1", "c=8192 in=1x3 k=22016 filter=1x3",
    "c=786432 in=1x1 k=768 filter=1x1 pass=backward_weights", "c=262144 in=1x3 k=768 filter=1x3 pass=backward_weights",
    "c=768 in=256x3072 k=768 filter=256x3072 groups=768 pass=backward_weights",
    "n=16 c=1 in=12288x3072 k=1 filter=1x1", "n=16 c=1 in=12288x3072 k=1 filter=1x3 pad=0x1",
    "n=8 c=2 in=12288x3072 k=2 filter=1x1 groups=2", "n=4 c=2 in=12288x3072 k=4 filter=1x1 groups=2",
    "c=1 in=196608x3072 k=1 filter=1x1", "c=1 in=196608x3072 k=1 filter=1x3 pad=0x1",
    "c=2 in=98304x3072 k=2 filter=1x1 groups=2", "op=transposed c=1 in=196608x3072 k=1 filter=1x1",
    "op=separable c=1 in=196608x3072 k=1 filter=1x1", "c=1 in=196608x3072 k=1 filter=1x1 pass=backward_data",
    "c=1 in=603979778 k=1 filter=3", "c=1 in=64x3072x3072 k=1 filter=1x1x1", "c=1 in=4x3072x3072 k=16 filter=1x1x3 pad=0x0x1",
};

enum { LARGE = 1 << 28, FRACTION = 512 };   /* more elements than LARGE: repeated */
static const int64_t region = INT64_C(48) * REPEATED_PIECE, large_count = INT64_C(768) * REPEATED_PIECE + 2;
static const double most_seconds = 4;   /* of the processor, for all that takes time */

static bool is_repeated(const struct conv_problem *problem, enum conv_operand operand)
{
    return conv_operand_count(problem, operand) > LARGE;
}

static bool is_output(const struct conv_problem *problem, enum conv_operand operand)
{
    return conv_operand_role(problem, operand) == CONV_OUTPUT;
}

static enum conv_operand main_output(const struct conv_problem *problem)
{
    return problem->pass == CONV_FORWARD ? CONV_Y : problem->pass == CONV_BACKWARD_DATA ? CONV_X : CONV_WEIGHTS;
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

/* Number `i` of a repeated operand: halves from -3.5 to 3.5. */
static double piece_value(int64_t i) { return (double)(random_at(1, i % REPEATED_PIECE) >> 61) - 3.5; }

/* Of another one, an integer from -2 to 2; but dy of large weight gradients is the same in a region of dw. */
static double small_value(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    if (operand == CONV_Y && is_repeated(problem, CONV_WEIGHTS)) {
        const int64_t row = conv_operand_count(problem, CONV_WEIGHTS) / problem->k;
        return 1 + (double)(i % problem->k / (region / row));
    }
    return (double)(random_at(2 + (uint64_t)operand, i) % 5) - 2;
}

/* Where channels-first element `i` lies in the problem's layout. */
static int64_t place_of(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    if (problem->layout == CONV_CHANNELS_FIRST || (operand != CONV_X && operand != CONV_Y))
        return i;
    const int64_t channels = operand == CONV_X ? problem->c : problem->k;
    const int64_t plane = conv_operand_count(problem, operand) / (problem->n * channels);
    return (i / plane / channels * plane + i % plane) * channels + i / plane % channels;
}

static double value_of(const void *context, enum conv_operand operand, int64_t element)
{
    const struct conv_problem *problem = context;
    const int64_t place = place_of(problem, operand, element);
    return is_repeated(problem, operand) ? piece_value(place) : small_value(problem, operand, place);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* What all problems have in common, since it takes time to make: an input and an output with repetitions. */
struct common { struct repeated input, output; };

struct memory {
    struct repeated repeated[CONV_OPERANDS];   /* `common`, but for the largest inputs */
    float *own[CONV_OPERANDS];                 /* of operands that aren't repeated */
    struct conv_operands operands;
};

static void common_free(struct common *common)
{
    repeated_free(&common->input);
    repeated_free(&common->output);
}

static void memory_free(struct memory *memory, const struct common *common)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++) {
        if (memory->repeated[operand].data != common->input.data && memory->repeated[operand].data != common->output.data)
            repeated_free(&memory->repeated[operand]);
        free(memory->own[operand]);
    }
}

static bool make_input(struct repeated *input, int64_t count)
{
    const int64_t pieces = (count + REPEATED_PIECE - 1) / REPEATED_PIECE;
    if (input->data)
        return true;
    if (!repeated_create(input, count, pieces * REPEATED_PIECE, false))
        return false;
    for (int64_t i = 0; i < REPEATED_PIECE; i++)
        repeated_piece(input, 0)[i] = (float)piece_value(i);
    return repeated_protect(input);
}

static bool make_output(struct repeated *output)
{
    if (!output->data)
        return repeated_create(output, REPEATED_REGIONS * region, region, true);
    repeated_clear(output);
    return true;
}

static bool make_repeated(struct memory *memory, struct common *common, const struct conv_problem *problem,
                          enum conv_operand operand)
{
    const int64_t count = conv_operand_count(problem, operand);
    struct repeated *repeated = &memory->repeated[operand];
    bool good;
    if (count > large_count) {
        good = make_input(repeated, count);
    } else if (is_output(problem, operand)) {
        good = make_output(&common->output);
        *repeated = common->output;
    } else {
        good = make_input(&common->input, large_count);
        *repeated = common->input;
    }
    memory->operands.at[operand] = repeated->data;
    return good;
}

static bool make_own(struct memory *memory, const struct conv_problem *problem, enum conv_operand operand)
{
    const int64_t count = conv_operand_count(problem, operand);
    float *at = malloc(((size_t)count + 1) * sizeof *at);
    memory->own[operand] = memory->operands.at[operand] = at;
    for (int64_t i = 0; at && i < count; i++)
        at[i] = is_output(problem, operand) ? NAN : (float)small_value(problem, operand, i);
    return at != NULL;
}

/* `repeat_output`: a large one; else it has memory of its own. */
static bool memory_create(struct memory *memory, struct common *common, const struct conv_problem *problem,
                          bool repeat_output)
{
    bool good = true;
    *memory = (struct memory){ .operands = { .x = NULL } };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && good; operand++) {
        if (conv_operand_role(problem, operand) == CONV_UNUSED)
            continue;
        if (is_repeated(problem, operand) && (repeat_output || !is_output(problem, operand)))
            good = make_repeated(memory, common, problem, operand);
        else
            good = make_own(memory, problem, operand);
    }
    if (!good)
        memory_free(memory, common);
    return good;
}

/* ---- which outputs are looked at ------------------------------------------------------------------------------------ */

enum { MOST_LOOKED_AT = 512, IN_A_REGION = 24 };

/* Of a large output, some places of each piece, where they come for the last time. */
static int choose_repeated(int64_t element[MOST_LOOKED_AT], const struct repeated *output)
{
    int count = 0;
    for (int r = 0; r < output->regions; r++)
        for (int i = 0; i < IN_A_REGION; i++) {
            const int64_t begin = r * output->region, slot = (REPEATED_PIECE - 1) * (int64_t)i / (IN_A_REGION - 1);
            const int64_t end = begin + output->region < output->count ? begin + output->region : output->count;
            element[count++] = begin + ((end - begin - 1 - slot) / REPEATED_PIECE) * REPEATED_PIECE + slot;
        }
    return count;
}

static int choose(int64_t element[MOST_LOOKED_AT], const struct conv_problem *problem, enum conv_operand output,
                  const struct memory *memory)
{
    const int64_t count = conv_operand_count(problem, output);
    if (memory->repeated[output].data)
        return choose_repeated(element, &memory->repeated[output]);
    const double cost = (double)conv_fan_in(problem);
    const int many = count <= 300 && cost < 1e5 ? (int)count : 100;
    for (int i = 0; i < many; i++)
        element[i] = many == 1 ? 0 : (count - 1) * i / (many - 1);
    return many;
}

/* An element of a piece that nobody has written; -1 if there is none. */
static int64_t unwritten(const struct repeated *output)
{
    for (int r = 0; r < output->regions; r++)
        for (int64_t i = 0; i < REPEATED_PIECE; i++)
            if (isnan(repeated_piece(output, r)[i]))
                return r * output->region + i;
    return -1;
}

/* ---- one problem ------------------------------------------------------------------------------------------------------ */

enum outcome { DONE, WRONG, NO_MEMORY, TOO_SLOW };

static enum outcome judge(struct checker *checker, const struct conv_problem *problem, const struct memory *memory)
{
    const enum conv_operand output = main_output(problem);
    const struct spots_inputs inputs = { value_of, problem };
    struct conv_verification *result = &checker->shared->result;
    struct conv_truth truth;
    int64_t element[MOST_LOOKED_AT];
    double got[MOST_LOOKED_AT], worst = 0;
    const int count = choose(element, problem, output, memory);
    if (!spots_truth_by(&truth, problem, output, &inputs, element, count))
        return NO_MEMORY;
    const float *y = memory->operands.at[output];
    for (int i = 0; i < count; i++)
        got[i] = y[place_of(problem, output, element[i])];
    const struct judging how = { true, checker->kernel->accuracy };
    judge_rounds(got, count, how);
    bool wrong = judge_elements(&result->finding, &worst, problem, output, &truth, element, got, how);
    const int64_t missing = memory->repeated[output].data && !wrong ? unwritten(&memory->repeated[output]) : -1;
    conv_truth_free(&truth);
    checker_evidence(checker)->elements += count;
    if (wrong || missing >= 0)
        checker_found(checker, missing >= 0 ? CONV_FAULT_UNWRITTEN : CONV_FAULT_VALUES, output,
                      "outputs that lie beyond 2^31 bytes, or come from there, are not what they should be");
    return wrong || missing >= 0 ? WRONG : DONE;
}

static enum outcome run_once(struct checker *checker, struct common *common, const struct conv_problem *problem,
                             bool repeat_output)
{
    const struct conv_plan_options options = { .threads = 1 };
    struct conv_plan *plan = NULL;
    struct memory memory;
    enum outcome outcome = NO_MEMORY;
    if (!memory_create(&memory, common, problem, repeat_output))
        return NO_MEMORY;
    checker->data = (struct check_data){ .exact = true, .fill = { .seed = checker->options.seed } };
    checker_begins(checker, problem, checker->options.seed, 1);
    checker->shared->call_began = conv_seconds();
    if (conv_plan_create(&plan, checker->kernel, problem, &options, NULL) == CONV_OK
        && conv_plan_load(plan, &memory.operands, NULL) == CONV_OK)
        outcome = conv_plan_run(plan) >= 0 ? DONE : check_reported(checker, plan) ? WRONG : NO_MEMORY;
    checker->shared->call_began = 0;
    if (outcome == DONE)
        outcome = judge(checker, problem, &memory);
    conv_plan_free(plan);
    memory_free(&memory, common);
    return outcome;
}

/* Half of what is free may be taken. */
static bool has_memory(const struct conv_problem *problem)
{
    const double free_bytes = (double)sysconf(_SC_AVPHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return 2.0 * (double)conv_operand_bytes(problem, main_output(problem)) < free_bytes;
}

/* Wrong is what is wrong without repetition. */
static enum outcome run_problem(struct checker *checker, struct common *common, const struct conv_problem *problem,
                                bool *adds)
{
    enum outcome outcome = run_once(checker, common, problem, true);
    if (outcome != WRONG || !is_repeated(problem, main_output(problem))
        || checker->shared->result.finding.fault == CONV_FAULT_REPORTED)
        return outcome;
    checker->shared->result.verdict = CONV_ACCEPT;
    *adds = true;
    outcome = has_memory(problem) ? run_once(checker, common, problem, false) : NO_MEMORY;
    *adds = outcome != WRONG;
    return outcome;
}

/* ---- how long would it take? --------------------------------------------------------------------------------------------- */

/* A 512th of the largest size. */
static bool scale_down(struct conv_problem *small)
{
    int64_t *const sizes[] = { &small->n, &small->c, &small->k, &small->axis[CONV_D].in, &small->axis[CONV_H].in,
                               &small->axis[CONV_W].in };
    int64_t *largest = sizes[0];
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++)
        largest = *sizes[i] > *largest ? sizes[i] : largest;
    if (small->groups > 1 && (largest == &small->c || largest == &small->k))
        small->groups = small->c = small->k = *largest / FRACTION + 1;
    else
        *largest = *largest / FRACTION + small->axis[CONV_W].filter;
    return conv_problem_finish(small, NULL) == CONV_OK;
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Is one call predicted to take at most so long?  False if it can't be told. */
static bool takes_at_most(const struct conv_kernel *kernel, const struct conv_problem *problem, double most)
{
    struct conv_problem small = *problem;
    struct conv_operands operands = { .x = NULL };
    double seconds = -1;
    bool good = scale_down(&small) && !conv_kernel_refuses(kernel, &small);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && good; operand++)
        if (conv_operand_role(&small, operand) != CONV_UNUSED)
            good = (operands.at[operand] = calloc((size_t)conv_operand_count(&small, operand) + 1, sizeof(float))) != NULL;
    for (int i = 0; i < 2 && good; i++) {   /* the second call finds its pages */
        const double start = processor_seconds();
        good = conv_run(&operands, kernel, &small, NULL, NULL) == CONV_OK;
        seconds = processor_seconds() - start;
    }
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(operands.at[operand]);
    return good && seconds * FRACTION <= most;
}

/* A kernel that wants more than 1 GiB for itself isn't asked. */
static bool wants_much(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    static const size_t most_bytes = (size_t)1 << 30;
    return kernel_scratch_bytes(kernel, problem, 1) > most_bytes || kernel_packed_bytes(kernel, problem) > most_bytes;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------- */

struct tally {
    struct common common;
    int of[4];           /* by outcome */
    double begin;        /* processor_seconds() */
    bool adds;           /* it adds to its outputs: they can't be repeated */
};

/* False when the kernel is wrong. */
static bool try(struct checker *checker, struct tally *tally, const char *text, enum conv_layout layout, bool takes_time)
{
    struct conv_problem problem;
    enum outcome outcome = DONE;
    if (conv_problem_parse(&problem, text, NULL) != CONV_OK)
        return true;
    problem.layout = layout;
    if (conv_problem_finish(&problem, NULL) != CONV_OK || conv_kernel_refuses(checker->kernel, &problem))
        return true;
    if (wants_much(checker->kernel, &problem) || (tally->adds && is_repeated(&problem, main_output(&problem)))) {
        outcome = NO_MEMORY;
    } else if (takes_time) {
        const double left = most_seconds - (processor_seconds() - tally->begin);
        checker_begins(checker, &problem, checker->options.seed, 1);
        if (left < 0 || !takes_at_most(checker->kernel, &problem, left))
            outcome = TOO_SLOW;
    }
    if (outcome == DONE)
        outcome = run_problem(checker, &tally->common, &problem, &tally->adds);
    tally->of[outcome]++;
    checker_evidence(checker)->problems += outcome == DONE;
    return outcome != WRONG;
}

static bool try_all(struct checker *checker, struct tally *tally)
{
    for (size_t i = 0; i < 2 * sizeof large_inputs / sizeof *large_inputs; i++)
        if (!try(checker, tally, large_inputs[i / 2], (enum conv_layout)(i % 2), false))
            return false;
    for (size_t i = 0; i < sizeof large_others / sizeof *large_others; i++)
        if (!try(checker, tally, large_others[i], CONV_CHANNELS_FIRST, true))
            return false;
    return true;
}

static void run(struct checker *checker)
{
    struct conv_evidence *evidence = checker_evidence(checker);
    struct tally tally = { .begin = processor_seconds() };
    if (checker->kernel->device)
        snprintf(evidence->note, sizeof evidence->note, "not tried: the memory of a device can't be repeated");
    else if (try_all(checker, &tally) && tally.of[NO_MEMORY] + tally.of[TOO_SLOW] > 0)
        snprintf(evidence->note, sizeof evidence->note, "%d of %d not tried: %d would take too long, %d too much memory",
                 tally.of[NO_MEMORY] + tally.of[TOO_SLOW], tally.of[DONE] + tally.of[NO_MEMORY] + tally.of[TOO_SLOW],
                 tally.of[TOO_SLOW], tally.of[NO_MEMORY]);
    common_free(&tally.common);
}

const struct check check_huge = {
    .name = "huge",
    .sees = "offsets in 32 bits, in elements or in bytes",
    .blind = "outputs or weights beyond 2^31 elements; what would take too long",
    .run = run,
};
