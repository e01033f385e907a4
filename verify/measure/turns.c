/* turns.c - kernels that take turns on one problem.   Declared in turns.h, explained in docs/measuring.md.
 *
 * A round is new data at new addresses; in each round every kernel whose turn it is packs its weights and is called
 * until the turn's time is up.  Before each call some elements of the first factor are negated where they lie, and
 * the outputs are poisoned: no call can use what an earlier one left.  Behind the last one the outputs are copied and
 * compared; a kernel that goes on writing after it has returned is found when the copy is compared with what is there
 * then.
 * Not here: the data (exact.c), what becomes of a kernel that doesn't return (bench.c).
 */
#include "verify/measure/turns.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "core/guest.h"
#include "core/random.h"
#include "verify/measure/busy.h"
#include "verify/measure/exact.h"
#include "verify/measure/statistics.h"

enum { MOST_CALLS = 4096, POISON = 0xFF, PLACES = 16, LINE = 64 };

/* One kernel on its way. */
struct runner {
    const struct conv_kernel *kernel;
    struct conv_plan *plan;
    struct conv_timing *timing;
    double first_call;                  /* seconds, of the call that was verified */
    bool has_turn[MOST_ROUNDS];
    double turn[MOST_ROUNDS];           /* the median call of each turn; NaN: it had none */
};

/* The problem's operands, which move from round to round, and a copy of an output. */
struct stage {
    const struct bench *bench;
    struct exact exact;
    char *blocks[CONV_OPERANDS];
    struct conv_operands operands;
    void *copy;
    uint64_t random;                    /* the state that masks are drawn from */
    unsigned char *sweep;               /* larger than every cache; NULL unless cold */
    size_t sweep_bytes;
};

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static void *lines(size_t bytes)
{
    return aligned_alloc(4096, (bytes + PLACES * LINE) / 4096 * 4096 + 4096);
}

static enum conv_status open_stage(struct stage *stage, const struct bench *bench, struct conv_error *error)
{
    size_t largest = 0;
    *stage = (struct stage){ .bench = bench, .random = bench->options.seed };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(bench->problem, operand);
        if (conv_operand_role(bench->problem, operand) == CONV_UNUSED)
            continue;
        stage->blocks[operand] = lines(bytes);
        if (!stage->blocks[operand])
            return conv_fail(error, CONV_NO_MEMORY, "no memory for the operands");
        largest = bytes > largest ? bytes : largest;
    }
    stage->copy = lines(largest);
    if (bench->options.cold) {
        struct conv_machine machine;
        conv_machine_read(&machine);
        stage->sweep_bytes = 3 * (size_t)(machine.bytes[CONV_L3] > 0 ? machine.bytes[CONV_L3] : INT64_C(8) << 20);
        stage->sweep = calloc(stage->sweep_bytes, 1);
    }
    if (!stage->copy || (bench->options.cold && !stage->sweep))
        return conv_fail(error, CONV_NO_MEMORY, "no memory to compare outputs, or to sweep the caches with");
    return CONV_OK;
}

static void close_stage(struct stage *stage)
{
    exact_free(&stage->exact);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(stage->blocks[operand]);
    free(stage->copy);
    free(stage->sweep);
}

/* Whole cache lines further on in each round, so that alignment stays what it was. */
static void place(struct stage *stage, int round)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        if (stage->blocks[operand])
            stage->operands.at[operand] = stage->blocks[operand] + (round * 5 + operand * 3) % PLACES * LINE;
}

/* Write something on every line of the sweep, so that nothing else is left in the caches. */
static void sweep(const struct stage *stage)
{
    for (size_t i = 0; stage->sweep && i < stage->sweep_bytes; i += LINE)
        ((volatile unsigned char *)stage->sweep)[i]++;
}

static void poison_outputs(const struct stage *stage)
{
    const struct conv_problem *problem = stage->bench->problem;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT)
            memset(stage->operands.at[operand], POISON, conv_operand_bytes(problem, operand));
}

/* Which elements of the first factor are negated in the next call. */
static uint64_t next_mask(struct stage *stage) { return random_next(&stage->random); }

/* ---- a kernel is out ------------------------------------------------------------------------------------------- */

static bool out(const struct runner *runner) { return runner->timing->why[0] != 0; }

__attribute__((format(printf, 2, 3)))
static void say_why(struct runner *runner, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(runner->timing->why, sizeof runner->timing->why, format, arguments);
    va_end(arguments);
    runner->timing->verified = false;
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

static void begin_call(const struct bench *bench, const struct runner *runner, const char *doing)
{
    struct bench_shared *shared = bench->shared;
    shared->current = (int)(runner->timing - shared->timings);
    shared->doing = doing;
    shared->call_began = conv_seconds();
}

static void end_call(const struct bench *bench)
{
    bench->shared->call_began = 0;
    bench->shared->current = -1;
}

/* Weights are packed anew with every load.  False if the kernel is out. */
static bool load(const struct stage *stage, struct runner *runner)
{
    struct conv_error error;
    begin_call(stage->bench, runner, "packing its weights");
    const double start = clock_now();
    const enum conv_status status = conv_plan_load(runner->plan, &stage->operands, &error);
    const double seconds = clock_now() - start;
    end_call(stage->bench);
    runner->timing->pack_seconds = conv_plan_packed_bytes(runner->plan) > 0 ? seconds : 0;
    if (status != CONV_OK)
        say_why(runner, "%s", error.message);
    return status == CONV_OK;
}

/* One call; negative, and the kernel is out, if it failed. */
static double call(const struct stage *stage, struct runner *runner)
{
    begin_call(stage->bench, runner, "run()");
    const double seconds = conv_plan_run(runner->plan);
    end_call(stage->bench);
    const char *asked = guest_asked(), *words = conv_plan_failure(runner->plan);
    if (asked)
        say_why(runner, "it has its work done by the library that times it: it called %s", asked);
    else if (seconds < 0)
        say_why(runner, "it failed%s%s", words[0] ? ": " : " on its device", words);
    return asked ? -1 : seconds;
}

/* Outputs as they are right after the call, and once more when they have been compared. */
static bool judge(const struct stage *stage, struct runner *runner, const char *when)
{
    const struct conv_problem *problem = stage->bench->problem;
    char words[CONV_WHY / 2];
    struct conv_error error;
    if (conv_plan_store(runner->plan, &error) != CONV_OK) {
        say_why(runner, "%s", error.message);
        return false;
    }
    for (enum conv_operand output = 0; output < CONV_OPERANDS; output++) {
        const size_t bytes = conv_operand_bytes(problem, output);
        if (conv_operand_role(problem, output) != CONV_OUTPUT)
            continue;
        memcpy(stage->copy, stage->operands.at[output], bytes);
        if (!exact_is_right(words, sizeof words, &stage->exact, output, stage->copy, runner->kernel->accuracy)) {
            say_why(runner, "its outputs are wrong %s: %s", when, words);
            return false;
        }
        if (memcmp(stage->copy, stage->operands.at[output], bytes) != 0) {
            say_why(runner, "it goes on writing after it has returned");
            return false;
        }
    }
    return true;
}

/* Other data, by the signs of the first factor, and outputs that nobody has written.  A device has copies of its own. */
static bool change_data(struct stage *stage, struct runner *runner, uint64_t mask)
{
    exact_set_mask(&stage->exact, &stage->operands, mask);
    poison_outputs(stage);
    return !runner->kernel->device || load(stage, runner);
}

/* ---- verifying ------------------------------------------------------------------------------------------------- */

/* Two calls before any clock counts: each with other data, each right. */
static void verify(struct stage *stage, struct runner *runner)
{
    runner->timing->verified = true;
    exact_fill(&stage->exact, &stage->operands, 0);
    if (!load(stage, runner))
        return;
    for (int i = 0; i < 2 && !out(runner); i++) {
        if (!change_data(stage, runner, i == 0 ? EXACT_AS_DRAWN : EXACT_NEGATED))
            return;
        runner->first_call = call(stage, runner);
        if (!out(runner))
            judge(stage, runner, "on this problem");
    }
}

/* ---- taking turns ---------------------------------------------------------------------------------------------- */

/* As many rounds as patience allows, three if that takes no more than ten times as long, at least one. */
static int rounds_for(const struct bench *bench, double first_call)
{
    const struct conv_bench_options *o = &bench->options;
    const double turn = first_call > o->turn_seconds ? first_call : o->turn_seconds;
    const int allowed = o->patience / turn < o->rounds ? (int)(o->patience / turn) : o->rounds;
    const int least = 3 * turn <= 10 * o->patience ? 3 : 1;
    return allowed >= least ? allowed : least < o->rounds ? least : o->rounds;
}

static void choose_rounds(struct runner *runner, const struct bench *bench)
{
    int order[MOST_ROUNDS];
    const int rounds = rounds_for(bench, runner->first_call);
    statistics_order(order, bench->options.rounds);
    for (int i = 0; i < rounds; i++)
        runner->has_turn[order[i]] = true;
}

/* A call with other data; negative if the kernel is out. */
static double fresh_call(struct stage *stage, struct runner *runner, uint64_t mask)
{
    if (!change_data(stage, runner, mask))
        return -1;
    sweep(stage);
    return call(stage, runner);
}

/* A call whose time counts, and whose allocations are counted. */
static double counted_call(struct stage *stage, struct runner *runner, uint64_t mask)
{
    int64_t (*const allocations)(void) = runner->kernel->device ? NULL : stage->bench->options.allocations;
    const int64_t before = allocations ? allocations() : 0;
    const double seconds = fresh_call(stage, runner, mask);
    if (allocations)
        runner->timing->allocations += allocations() - before;
    return seconds;
}

/* A call that is judged as well: what the judge allocates is not the kernel's. */
static double judged_call(struct stage *stage, struct runner *runner)
{
    const double seconds = counted_call(stage, runner, next_mask(stage) & 1 ? EXACT_AS_DRAWN : EXACT_NEGATED);
    return out(runner) || !judge(stage, runner, "in a call that was timed") ? -1 : seconds;
}

/* One turn: an unmeasured call to warm up (unless calls are long, or the caches are to be cold), then calls until the
 * time is up, and a last one that is judged. */
static double take_turn(struct stage *stage, struct runner *runner)
{
    static double calls[MOST_CALLS];
    const struct conv_bench_options *options = &stage->bench->options;
    const bool warm_up = !options->cold && runner->first_call < options->turn_seconds * 5;
    int count = 0;
    const double began = clock_now();
    double spent = runner->first_call;
    if (!load(stage, runner) || (warm_up && fresh_call(stage, runner, next_mask(stage)) < 0))
        return NAN;
    while (spent < options->turn_seconds && count < MOST_CALLS - 1) {
        calls[count] = counted_call(stage, runner, next_mask(stage));
        if (out(runner))
            return NAN;
        spent += calls[count++];
        if (runner->kernel->device)             /* what it takes to carry data there is much more than a call */
            spent = clock_now() - began;
    }
    calls[count] = judged_call(stage, runner);
    if (out(runner))
        return NAN;
    count++;
    runner->timing->calls += count;
    return quantile(calls, count, 0.5);
}

static void take_turns(struct stage *stage, struct runner *runners)
{
    const struct bench *bench = stage->bench;
    for (int round = 0; round < bench->options.rounds; round++) {
        place(stage, round + 1);
        for (int i = 0; i < bench->count; i++)
            if (runners[i].plan && !out(&runners[i]) && runners[i].has_turn[round]) {
                exact_fill(&stage->exact, &stage->operands, round + 1);
                runners[i].turn[round] = take_turn(stage, &runners[i]);
            }
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static enum conv_status make_plans(struct runner *runners, const struct bench *bench, struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = bench->options.threads };
    for (int i = 0; i < bench->count; i++) {
        struct conv_timing *timing = runners[i].timing;
        if (out(&runners[i]))
            continue;
        begin_call(bench, &runners[i], "applies() or scratch_bytes()");
        const char *refuses = conv_kernel_refuses(bench->kernels[i], bench->problem);
        const enum conv_status status = refuses ? CONV_OK : conv_plan_create(&runners[i].plan, bench->kernels[i],
                                                                             bench->problem, &options, error);
        end_call(bench);
        if (status == CONV_NO_MEMORY) {
            say_why(&runners[i], "%s", error->message);
            continue;
        }
        if (status != CONV_OK)
            return status;
        if (refuses)
            continue;
        timing->threads = bench->kernels[i]->threaded && options.threads > 1 ? options.threads : 1;
        timing->scratch_bytes = conv_plan_scratch_bytes(runners[i].plan);
        timing->packed_bytes = conv_plan_packed_bytes(runners[i].plan);
    }
    return CONV_OK;
}

/* The narrowest class of all kernels: integers that are exact for it are exact for all. */
static enum conv_accuracy narrowest(const struct bench *bench)
{
    enum conv_accuracy least = CONV_DIRECT;
    for (int i = 0; i < bench->count; i++)
        if (conv_accuracy_range(bench->problem, bench->kernels[i]->accuracy) < conv_accuracy_range(bench->problem,
                least))
            least = bench->kernels[i]->accuracy;
    return least;
}

static void sum_up(struct runner *runners, const struct bench *bench, double others)
{
    for (int i = 0; i < bench->count; i++) {
        struct conv_timing *timing = runners[i].timing;
        timing->others = others;
        if (runners[i].plan && !out(&runners[i]))
            statistics_of(timing, runners[i].turn, runners[0].turn, bench->options.rounds);
        else
            timing->calls = 0;
    }
}

static enum conv_status run(struct stage *stage, struct runner *runners, struct conv_error *error)
{
    const struct bench *bench = stage->bench;
    enum conv_status status = make_plans(runners, bench, error);
    if (status == CONV_OK)
        status = exact_create(&stage->exact, bench->problem, narrowest(bench), bench->options.seed, error);
    if (status != CONV_OK)
        return status;
    place(stage, 0);
    for (int i = 0; i < bench->count; i++)
        if (runners[i].plan)
            verify(stage, &runners[i]);
    for (int i = 0; i < bench->count; i++)
        if (runners[i].plan && !out(&runners[i]))
            choose_rounds(&runners[i], bench);
    const struct busy before = busy_read();
    take_turns(stage, runners);
    for (int i = 0; i < bench->count; i++)
        if (out(&runners[i]))   /* its early turns count for nobody */
            for (int round = 0; round < MOST_ROUNDS; round++)
                runners[i].turn[round] = NAN;
    sum_up(runners, bench, busy_others(&before));
    return CONV_OK;
}

void bench_turns(const struct bench *bench)
{
    struct stage stage;
    struct conv_error *error = &bench->shared->error;
    struct runner *runners = calloc((size_t)bench->count + 1, sizeof *runners);
    enum conv_status status = open_stage(&stage, bench, error);
    if (!runners)
        status = conv_fail(error, CONV_NO_MEMORY, "no memory to time %d kernels", bench->count);
    for (int i = 0; runners && i < bench->count; i++) {
        runners[i].kernel = bench->kernels[i];
        runners[i].timing = &bench->shared->timings[i];
        for (int round = 0; round < MOST_ROUNDS; round++)
            runners[i].turn[round] = NAN;
    }
    if (status == CONV_OK)
        status = run(&stage, runners, error);
    for (int i = 0; runners && i < bench->count; i++)
        conv_plan_free(runners[i].plan);
    close_stage(&stage);
    free(runners);
    bench->shared->status = status;
}
