/* chain.c - the convolutions of a network back to back.   Declared in chain.h, explained in docs/measuring.md.
 *
 * The parent forks a child, which makes the plans, verifies, and calls the whole chain; a layer that crashes or hangs
 * costs this chain and no other.   Not here: the integers (chain_data.c), what a chain is (chain.h).
 */
#include "verify/measure/chain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/clock.h"
#include "core/guest.h"
#include "verify/measure/busy.h"
#include "verify/measure/chain_data.h"
#include "verify/measure/exact.h"
#include "verify/measure/statistics.h"
#include "verify/sandbox/sandbox.h"

enum { MOST_CALLS = 1024, LINE = 64 };

/* What parent and child share. */
struct shared {
    enum conv_status status;
    struct conv_error error;
    int layer;                 /* that runs now; -1: none */
    double call_began;         /* conv_seconds() of it; 0 between layers */
    struct chain_timing timing;
};

/* The chain on its way. */
struct course {
    const struct chain *chain;
    struct chain_options options;
    struct shared *shared;
    struct conv_plan **plans;
    float **w, **bias;
    float *x, *halves[2], *expected[2];
    int filled;                /* calls whose data were drawn */
};

/* ---- words ----------------------------------------------------------------------------------------------------- */

static bool out(const struct course *course) { return course->shared->timing.why[0] != 0; }

__attribute__((format(printf, 2, 3)))
static void say_why(struct course *course, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(course->shared->timing.why, CONV_WHY, format, arguments);
    va_end(arguments);
    course->shared->timing.verified = false;
}

/* ---- memory, plans, weights ------------------------------------------------------------------------------------ */

static float *numbers(int64_t count)
{
    const size_t bytes = (size_t)count * sizeof(float);
    return aligned_alloc(LINE, bytes / LINE * LINE + LINE);
}

static enum conv_status open_arena(struct course *course, struct conv_error *error)
{
    const int64_t half = (chain_half(course->chain) + LINE / 4 - 1) / (LINE / 4) * (LINE / 4);
    course->x = numbers(conv_operand_count(&course->chain->problems[0], CONV_X));
    course->halves[0] = numbers(2 * half);   /* one arena */
    course->expected[0] = numbers(2 * half);
    if (!course->x || !course->halves[0] || !course->expected[0])
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the activations of a chain, %lld bytes",
                         (long long)(half * 16));
    course->halves[1] = course->halves[0] + half;
    course->expected[1] = course->expected[0] + half;
    course->shared->timing.arena_bytes = (size_t)half * 2 * sizeof(float);
    return CONV_OK;
}

/* Where layer i reads and writes. */
static struct conv_operands operands_of(const struct course *course, int i)
{
    return (struct conv_operands){ .x = i == 0 ? course->x : course->halves[(i + 1) % 2], .w = course->w[i],
                                   .bias = course->bias[i], .y = course->halves[i % 2] };
}

static void begin_layer(struct course *course, int i)
{
    course->shared->layer = i;
    course->shared->call_began = conv_seconds();
}

static void end_layers(struct course *course)
{
    course->shared->call_began = 0;
    course->shared->layer = -1;
}

/* Weights are drawn and packed, and the plan keeps where its operands are. */
static enum conv_status open_layer(struct course *course, int i, struct conv_error *error)
{
    const struct conv_problem *problem = &course->chain->problems[i];
    const struct conv_plan_options options = { .threads = course->chain->threads };
    struct chain_timing *timing = &course->shared->timing;
    course->w[i] = numbers(conv_operand_count(problem, CONV_WEIGHTS));
    course->bias[i] = problem->bias ? numbers(problem->k) : NULL;
    if (!course->w[i] || (problem->bias && !course->bias[i]))
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the weights of a chain");
    chain_weights(course->w[i], course->bias[i], course->chain, i);
    const struct conv_operands operands = operands_of(course, i);
    begin_layer(course, i);
    enum conv_status status = conv_plan_create(&course->plans[i], course->chain->kernels[i], problem, &options,
                                               error);
    if (status == CONV_OK)
        status = conv_plan_load(course->plans[i], &operands, error);
    end_layers(course);
    if (status != CONV_OK)
        return status;
    const size_t packed = conv_plan_packed_bytes(course->plans[i]);
    timing->weight_bytes += packed > 0 ? packed : conv_operand_bytes(problem, CONV_WEIGHTS);
    timing->scratch_bytes += conv_plan_scratch_bytes(course->plans[i]);
    return CONV_OK;
}

static void close_course(struct course *course)
{
    for (int i = 0; i < course->chain->count; i++) {
        conv_plan_free(course->plans ? course->plans[i] : NULL);
        free(course->w ? course->w[i] : NULL);
        free(course->bias ? course->bias[i] : NULL);
    }
    free(course->plans);
    free(course->w);
    free(course->bias);
    free(course->x);
    free(course->halves[0]);
    free(course->expected[0]);
}

static enum conv_status open_course(struct course *course, struct conv_error *error)
{
    const size_t count = (size_t)course->chain->count;
    course->plans = calloc(count, sizeof *course->plans);
    course->w = calloc(count, sizeof *course->w);
    course->bias = calloc(count, sizeof *course->bias);
    if (!course->plans || !course->w || !course->bias)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for a chain of %zu layers", count);
    enum conv_status status = open_arena(course, error);
    for (int i = 0; i < course->chain->count && status == CONV_OK; i++)
        status = open_layer(course, i, error);
    return status;
}

/* ---- each layer by itself -------------------------------------------------------------------------------------- */

/* Run one image of a layer on dense integers. */
static enum conv_status run_alone(struct course *course, int i, struct exact *exact, struct conv_operands *operands,
                                  struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = course->chain->threads };
    struct conv_plan *plan = NULL;
    exact_fill(exact, operands, 1);
    memset(operands->y, 0xFF, conv_operand_bytes(exact->problem, CONV_Y));
    begin_layer(course, i);
    enum conv_status status = conv_plan_create(&plan, course->chain->kernels[i], exact->problem, &options, error);
    if (status == CONV_OK)
        status = conv_plan_load(plan, operands, error);
    if (status == CONV_OK && conv_plan_run(plan) < 0)
        say_why(course, "%s failed: %.200s", course->chain->kernels[i]->name, conv_plan_failure(plan));
    end_layers(course);
    conv_plan_free(plan);
    return status;
}

static enum conv_status verify_alone(struct course *course, int i, struct conv_error *error)
{
    struct conv_problem problem = course->chain->problems[i];
    const struct conv_kernel *kernel = course->chain->kernels[i];
    struct conv_operands operands = { .x = NULL };
    struct exact exact;
    char words[CONV_WHY / 2];
    bool enough = true;
    problem.n = problem.n > 1 ? 1 : problem.n;
    enum conv_status status = exact_create(&exact, &problem, kernel->accuracy, course->chain->seed, error);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(&problem, operand) != CONV_UNUSED)
            enough = (operands.at[operand] = numbers(conv_operand_count(&problem, operand))) && enough;
    if (status == CONV_OK && !enough)
        status = conv_fail(error, CONV_NO_MEMORY, "no memory to verify a layer of a chain");
    if (status == CONV_OK)
        status = run_alone(course, i, &exact, &operands, error);
    if (status == CONV_OK && !out(course)
        && !exact_is_right(words, sizeof words, &exact, CONV_Y, operands.y, kernel->accuracy))
        say_why(course, "%s is wrong in layer %d: %s", kernel->name, i + 1, words);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(operands.at[operand]);
    exact_free(&exact);
    return status;
}

/* A layer that stands several times in the chain is verified once. */
static bool seen_before(const struct chain *chain, int layer)
{
    for (int i = 0; i < layer; i++)
        if (chain->kernels[i] == chain->kernels[layer]
            && conv_problem_equal(&chain->problems[i], &chain->problems[layer]))
            return true;
    return false;
}

/* ---- the whole chain ------------------------------------------------------------------------------------------- */

/* One call: seconds; negative if a layer failed. */
static double call(struct course *course)
{
    const struct chain *chain = course->chain;
    const double began = clock_now();
    for (int i = 0; i < chain->count; i++) {
        begin_layer(course, i);
        if (conv_plan_run(course->plans[i]) < 0) {
            say_why(course, "layer %d, %s, failed: %.200s", i + 1, chain->kernels[i]->name,
                    conv_plan_failure(course->plans[i]));
            return -1;
        }
    }
    const double seconds = clock_now() - began;
    end_layers(course);
    const char *asked = guest_asked();
    if (asked)
        say_why(course, "a kernel has its work done by the library that times it: it called %s", asked);
    return asked ? -1 : seconds;
}

static double fresh_call(struct course *course, bool counted)
{
    int64_t (*const allocations)(void) = counted ? course->options.allocations : NULL;
    chain_fill(course->x, course->halves, course->chain, course->filled++);
    const int64_t before = allocations ? allocations() : 0;
    const double seconds = call(course);
    if (allocations)
        course->shared->timing.allocations += allocations() - before;
    return seconds;
}

/* Is what the last call left right? */
static bool judge(struct course *course)
{
    const struct chain *chain = course->chain;
    const int last = (chain->count - 1) % 2;
    float *x = course->x;
    char words[CONV_WHY / 2];
    chain_fill(x, course->expected, chain, course->filled - 1);   /* x becomes what it was */
    chain_expect(course->expected, x, course->w, course->bias, chain);
    if (!chain_is_right(words, sizeof words, chain, course->halves[last], course->expected[last]))
        say_why(course, "the chain is wrong in call %d: %s", course->filled, words);
    return !out(course);
}

/* Threads are started by the first kernel that wants some, even one, and stay; that belongs to no call. */
static void start_threads(struct course *course)
{
    for (int i = 0; i < course->chain->count; i++)
        if (course->chain->kernels[i]->threaded) {
            begin_layer(course, i);
            conv_plan_run(course->plans[i]);
            end_layers(course);
            return;
        }
}

/* A first call that is verified; if it is short, others until the turn is up, the last of them verified. */
static void take_calls(struct course *course)
{
    static double calls[MOST_CALLS];
    struct chain_timing *timing = &course->shared->timing;
    const double turn = course->options.turn_seconds;
    int count = 0;
    chain_fill(course->x, course->halves, course->chain, 0);
    start_threads(course);
    double spent = fresh_call(course, true);
    if (out(course) || !judge(course))
        return;
    if (spent >= 5 * turn)
        calls[count++] = spent;          /* long: nothing to warm up */
    else
        timing->allocations = course->options.allocations ? 0 : -1;
    for (spent = 0; (count == 0 || spent < turn) && count < MOST_CALLS && calls[0] < 5 * turn; count++) {
        calls[count] = fresh_call(course, true);
        if (out(course))
            return;
        spent += calls[count];
    }
    if (course->filled > 1 && !judge(course))
        return;
    timing->verified = true;
    timing->median = quantile(calls, count, 0.5);
    timing->calls = count;
}

static void body(void *argument)
{
    struct course *course = argument;
    struct conv_error *error = &course->shared->error;
    enum conv_status status = CONV_OK;
    for (int i = 0; i < course->chain->count && course->options.each_layer && status == CONV_OK && !out(course); i++)
        if (!seen_before(course->chain, i))
            status = verify_alone(course, i, error);
    if (status == CONV_OK && !out(course))
        status = open_course(course, error);
    const struct busy before = busy_read();
    const double began = conv_seconds();
    if (status == CONV_OK && !out(course))
        take_calls(course);
    course->shared->timing.others = busy_others(&before);
    course->shared->timing.watched = conv_seconds() - began;
    close_course(course);
    course->shared->status = status;
}

/* ---- the parent ------------------------------------------------------------------------------------------------ */

static bool watch(void *argument)
{
    const struct course *course = argument;
    const double began = course->shared->call_began;
    return !(began > 0 && conv_seconds() - began > course->options.time_limit);
}

static enum conv_status check(const struct chain *chain, struct conv_error *error)
{
    char text[CONV_PROBLEM_TEXT];
    for (int i = 0; i < chain->count; i++) {
        const struct conv_problem *problem = &chain->problems[i];
        const char *why =
            problem->op != CONV_OP_CONV || problem->pass != CONV_FORWARD ? "it is no forward convolution"
            : problem->type != CONV_F32 ? "it isn't of f32"
            : problem->layout != chain->problems[0].layout ? "its layout isn't the first layer's"
            : chain->kernels[i]->device ? "its kernel runs on a device"
            : conv_operand_count(problem, CONV_Y) == 0 || conv_operand_count(problem, CONV_X) == 0 ? "it is empty"
            : conv_kernel_refuses(chain->kernels[i], problem);
        if (why)
            return conv_fail(error, CONV_NOT_APPLICABLE, "layer %d of a chain, %.300s, can't be in it: %s", i + 1,
                             conv_problem_print(text, problem), why);
    }
    return chain->count > 0 ? CONV_OK : conv_fail(error, CONV_BAD_INPUT, "a chain without layers");
}

/* How the child ended, if it didn't come to its end. */
static void blame(struct course *course, const struct sandbox_end *end)
{
    const int layer = course->shared->layer;
    char how[CONV_WHY - 96];
    sandbox_words(how, sizeof how, end, course->options.time_limit);
    if (layer >= 0)
        say_why(course, "layer %d, %s, %s", layer + 1, course->chain->kernels[layer]->name, how);
    else
        say_why(course, "between two layers it %s", how);
}

enum conv_status chain_time(struct chain_timing *timing, const struct chain *chain,
                            const struct chain_options *options, struct conv_error *error)
{
    struct course course = { .chain = chain, .options = *options };
    struct conv_machine machine;
    struct sandbox_end end;
    enum conv_status status = check(chain, error);
    if (status != CONV_OK)
        return status;
    conv_machine_read(&machine);
    const struct sandbox_limits limits = { .seconds = 1e7, .memory = (size_t)machine.bytes[CONV_DRAM] / 4 * 3 };
    course.options.turn_seconds = options->turn_seconds > 0 ? options->turn_seconds : 0.02;
    course.options.time_limit = options->time_limit > 0 ? options->time_limit : 60;
    course.shared = mmap(NULL, sizeof *course.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (course.shared == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory to time a chain");
    course.shared->layer = -1;
    course.shared->timing.allocations = options->allocations ? 0 : -1;
    status = sandbox_run(&end, body, &course, &limits, watch, error);
    if (status == CONV_OK && !end.completed)
        blame(&course, &end);
    else if (status == CONV_OK && course.shared->status != CONV_OK) {
        status = course.shared->status;
        if (error)
            *error = course.shared->error;
    }
    *timing = course.shared->timing;
    munmap(course.shared, sizeof *course.shared);
    return status;
}

double chain_floor(double *arithmetic, const struct chain *chain, const struct conv_roof *roof,
                   const struct conv_machine *machine)
{
    double seconds = 0, at_peak = 0;
    for (int i = 0; i < chain->count; i++) {
        const struct conv_kernel *kernel = chain->kernels[i];
        const int threads = kernel->threaded ? chain->threads : 1;
        const enum conv_isa isa = conv_bench_isa(kernel);
        const double fewer = conv_bench_fewer_macs(kernel->accuracy);
        struct conv_count count;
        conv_count_problem(&count, &chain->problems[i]);
        at_peak += (double)count.macs_inside / fewer / roof->macs[isa][threads > 1];
        seconds += (double)count.macs_inside
                 / conv_bench_ceiling(roof, machine, &chain->problems[i], isa, fewer, threads, false).macs;
    }
    if (arithmetic)
        *arithmetic = at_peak;
    return seconds;
}
