/* huge_run.c - runs one problem of check "huge", and judges it by some hundred outputs.
 *
 * Of a repeated output those places are looked at that come last in each region; of others, some that lie evenly.
 * Not here: which problems, and how long they may take (huge.c).
 */
#include <convref/machine.h>
#include <math.h>
#include <unistd.h>

#include "core/main_output.h"
#include "verify/checks/huge_run.h"
#include "verify/engine/careful.h"
#include "verify/engine/judge.h"
#include "verify/maths/spots.h"

/* ---- which outputs are looked at ------------------------------------------------------------------------------- */

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
                  const struct huge_memory *memory)
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

/* ---- one problem --------------------------------------------------------------------------------------------- */

static enum outcome judge(struct checker *checker, const struct conv_problem *problem,
                          const struct huge_memory *memory)
{
    const enum conv_operand output = main_output(problem);
    const struct spots_inputs inputs = { huge_value, problem };
    struct conv_verification *result = &checker->shared->result;
    struct conv_truth truth;
    int64_t element[MOST_LOOKED_AT];
    double got[MOST_LOOKED_AT], worst = 0;
    const int count = choose(element, problem, output, memory);
    if (!spots_truth_by(&truth, problem, output, &inputs, element, count))
        return NO_MEMORY;
    const float *y = memory->operands.at[output];
    for (int i = 0; i < count; i++)
        got[i] = y[huge_place(problem, output, element[i])];
    const struct judging how = { true, checker->kernel->accuracy };
    judge_rounds(got, count, how);
    bool wrong = judge_elements(&result->finding, &worst, problem, output, &truth, element, got, how) == JUDGED_WRONG;
    const int64_t missing = memory->repeated[output].data && !wrong ? unwritten(&memory->repeated[output]) : -1;
    conv_truth_free(&truth);
    checker_evidence(checker)->elements += count;
    if (wrong || missing >= 0)
        checker_found(checker, missing >= 0 ? CONV_FAULT_UNWRITTEN : CONV_FAULT_VALUES, output,
                      "outputs that lie beyond 2^31 bytes, or come from there, are not what they should be");
    return wrong || missing >= 0 ? WRONG : DONE;
}

static enum outcome run_once(struct checker *checker, struct huge_common *common, const struct conv_problem *problem,
                             bool repeat_output)
{
    const struct conv_plan_options options = { .threads = 1 };
    struct conv_plan *plan = NULL;
    struct huge_memory memory;
    enum outcome outcome = NO_MEMORY;
    if (!huge_memory_create(&memory, common, problem, repeat_output))
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
    huge_memory_free(&memory, common);
    return outcome;
}

/* Half of what is free may be taken. */
static bool has_memory(const struct conv_problem *problem)
{
    const double free_bytes = (double)sysconf(_SC_AVPHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return 2.0 * (double)conv_operand_bytes(problem, main_output(problem)) < free_bytes;
}

/* Wrong is what is wrong without repetition. */
enum outcome huge_run(struct checker *checker, struct huge_common *common, const struct conv_problem *problem,
                      bool *adds)
{
    enum outcome outcome = run_once(checker, common, problem, true);
    if (outcome != WRONG || !huge_is_repeated(problem, main_output(problem))
        || checker->shared->result.finding.fault == CONV_FAULT_REPORTED)
        return outcome;
    checker->shared->result.verdict = CONV_ACCEPT;
    *adds = true;
    outcome = has_memory(problem) ? run_once(checker, common, problem, false) : NO_MEMORY;
    *adds = outcome != WRONG;
    return outcome;
}
