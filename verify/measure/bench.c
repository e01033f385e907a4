/* bench.c - takes turns, takes times.   Declared in convref/bench.h, explained in docs/measuring.md.
 *
 * One problem, some kernels: first each is run on integers and compared with the truth, then all take turns on real
 * numbers.  A slow kernel has fewer turns than a fast one; ratios use the rounds in which both had one.
 */
#include <convref/bench.h>
#include <convref/reference.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 101, MOST_CALLS = 4096 };

/* One kernel on its way. */
struct runner {
    struct conv_plan *plan;
    double first_call;                  /* seconds, of the call that was verified */
    int rounds;                         /* turns that it gets */
    double turn[MOST_ROUNDS];           /* the median call of each turn */
    struct conv_timing *timing;
};

struct bench {
    const struct conv_problem *problem;
    struct conv_bench_options options;
    struct conv_tensor tensors[CONV_OPERANDS];
    struct conv_operands operands;
    unsigned char *sweep;               /* larger than every cache; NULL unless cold */
    size_t sweep_bytes;
};

/* ---- order statistics ---------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a part of the values lies; sorts them. */
static double quantile(double *values, int count, double part)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[(int)(part * (count - 1) + 0.5)];
}

/* ---- operands --------------------------------------------------------------------------------------------------- */

static void fill_inputs(struct bench *bench, enum conv_fill_kind kind)
{
    const int range = conv_exact_range(bench->problem);
    const struct conv_fill fill = { kind, bench->options.seed, kind == CONV_FILL_INTEGERS && range > 0 ? range : 1, 0 };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(bench->problem, operand) == CONV_INPUT)
            conv_fill(bench->problem->type, bench->operands.at[operand], conv_operand_count(bench->problem, operand),
                      conv_operand_name(bench->problem, operand), &fill);
}

static enum conv_status take_operands(struct bench *bench, struct conv_error *error)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK];
        const int rank = conv_operand_shape(dims, bench->problem, operand);
        if (rank == 0)
            continue;
        enum conv_status status = conv_tensor_create(&bench->tensors[operand], bench->problem->type, rank, dims, error);
        if (status != CONV_OK)
            return status;
        bench->operands.at[operand] = bench->tensors[operand].data;
    }
    return CONV_OK;
}

/* ---- cold caches --------------------------------------------------------------------------------------------------- */

static enum conv_status take_sweep(struct bench *bench, struct conv_error *error)
{
    struct conv_machine machine;
    if (!bench->options.cold)
        return CONV_OK;
    conv_machine_read(&machine);
    const size_t last = machine.bytes[CONV_L3] > 0 ? (size_t)machine.bytes[CONV_L3] : (size_t)8 << 20;
    bench->sweep_bytes = 3 * last;
    bench->sweep = calloc(bench->sweep_bytes, 1);
    return bench->sweep ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory to sweep the caches with");
}

/* Write something on every line of the sweep, so that nothing else is left in the caches. */
static void sweep(const struct bench *bench)
{
    for (size_t i = 0; bench->sweep && i < bench->sweep_bytes; i += 64)
        ((volatile unsigned char *)bench->sweep)[i]++;
}

/* ---- verifying -------------------------------------------------------------------------------------------------------- */

static enum conv_operand main_output(const struct conv_problem *problem)
{
    return problem->pass == CONV_FORWARD ? CONV_Y : problem->pass == CONV_BACKWARD_DATA ? CONV_X : CONV_WEIGHTS;
}

static bool is_right(const struct bench *bench, const struct conv_truth *truth, enum conv_operand output,
                     double *widened)
{
    conv_operand_widen(widened, bench->problem, output, bench->operands.at[output]);
    for (int64_t i = 0; i < truth->count; i++)
        if (!(widened[i] == truth->value[i]))
            return false;
    return true;
}

static enum conv_status verify_runner(struct runner *runner, const struct bench *bench,
                                      const struct conv_truth *truth, double *widened, struct conv_error *error)
{
    const enum conv_operand output = main_output(bench->problem);
    memset(bench->operands.at[output], 0xFF, conv_operand_bytes(bench->problem, output));
    double start = conv_seconds();
    enum conv_status status = conv_plan_load(runner->plan, &bench->operands, error);
    runner->timing->pack_seconds = conv_plan_packed_bytes(runner->plan) > 0 ? conv_seconds() - start : 0;
    if (status != CONV_OK)
        return status;
    runner->first_call = conv_plan_run(runner->plan);
    if (runner->first_call >= 0)
        status = conv_plan_store(runner->plan, error);
    runner->timing->verified = runner->first_call >= 0 && status == CONV_OK
        && is_right(bench, truth, output, widened);
    return status;
}

static enum conv_status verify_runners(struct runner *runners, int count, struct bench *bench,
                                       struct conv_error *error)
{
    struct conv_truth truth;
    fill_inputs(bench, CONV_FILL_INTEGERS);
    enum conv_status status = conv_truth_compute(&truth, NULL, bench->problem, main_output(bench->problem),
                                                 &bench->operands, error);
    if (status != CONV_OK)
        return status;
    double *widened = malloc(((size_t)truth.count + 1) * sizeof *widened);
    if (!widened)
        status = conv_fail(error, CONV_NO_MEMORY, "no memory to compare outputs");
    for (int i = 0; i < count && status == CONV_OK; i++)
        if (runners[i].plan)
            status = verify_runner(&runners[i], bench, &truth, widened, error);
    free(widened);
    conv_truth_free(&truth);
    return status;
}

/* ---- taking turns ---------------------------------------------------------------------------------------------------- */

/* As many rounds as patience allows, at least one. */
static int rounds_for(const struct bench *bench, double call)
{
    const double turn = call > bench->options.turn_seconds ? call : bench->options.turn_seconds;
    const double allowed = bench->options.patience / turn;
    return allowed < 1 ? 1 : allowed < bench->options.rounds ? (int)allowed : bench->options.rounds;
}

/* One turn: an unmeasured call to warm up (unless calls are long, or the caches are to be cold), then calls until
 * the time is up. */
static double turn(struct runner *runner, const struct bench *bench)
{
    static double calls[MOST_CALLS];
    const bool warm_up = !bench->options.cold && runner->first_call < bench->options.turn_seconds * 5;
    int count = 0;
    double spent = 0;
    if (warm_up)
        conv_plan_run(runner->plan);
    const int64_t before = bench->options.allocations ? bench->options.allocations() : 0;
    do {
        sweep(bench);
        calls[count] = conv_plan_run(runner->plan);
        spent += calls[count++];
    } while (spent < bench->options.turn_seconds && count < MOST_CALLS);
    if (bench->options.allocations)
        runner->timing->allocations += bench->options.allocations() - before;
    runner->timing->calls += count;
    return quantile(calls, count, 0.5);
}

static void take_turns(struct runner *runners, int count, struct bench *bench)
{
    for (int round = 0; round < bench->options.rounds; round++)
        for (int i = 0; i < count; i++)
            if (runners[i].timing->verified && round < runners[i].rounds)
                runners[i].turn[round] = turn(&runners[i], bench);
}

/* ---- summing up ------------------------------------------------------------------------------------------------------- */

static void sum_up(struct runner *runner, const struct runner *first)
{
    struct conv_timing *timing = runner->timing;
    double values[MOST_ROUNDS];
    timing->turns = runner->rounds;
    memcpy(values, runner->turn, sizeof *values * (size_t)runner->rounds);
    timing->median = quantile(values, runner->rounds, 0.5);
    timing->p10 = quantile(values, runner->rounds, 0.1);
    timing->p90 = quantile(values, runner->rounds, 0.9);
    const int shared = runner->rounds < first->rounds ? runner->rounds : first->rounds;
    for (int round = 0; round < shared; round++)
        values[round] = first->turn[round] / runner->turn[round];
    timing->speedup = first->timing->verified && shared > 0 ? quantile(values, shared, 0.5) : NAN;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static enum conv_status make_plans(struct runner *runners, const struct conv_kernel *const *kernels, int count,
                                   const struct bench *bench, struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = bench->options.threads };
    for (int i = 0; i < count; i++) {
        struct conv_timing *timing = runners[i].timing;
        *timing = (struct conv_timing){ .allocations = bench->options.allocations ? 0 : -1 };
        if (conv_kernel_refuses(kernels[i], bench->problem))
            continue;
        enum conv_status status = conv_plan_create(&runners[i].plan, kernels[i], bench->problem, &options, error);
        if (status != CONV_OK)
            return status;
        timing->threads = kernels[i]->threaded && options.threads > 1 ? options.threads : 1;
        timing->scratch_bytes = conv_plan_scratch_bytes(runners[i].plan);
        timing->packed_bytes = conv_plan_packed_bytes(runners[i].plan);
    }
    return CONV_OK;
}

static enum conv_status reload(struct runner *runners, int count, struct bench *bench, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    fill_inputs(bench, CONV_FILL_UNIFORM);
    for (int i = 0; i < count && status == CONV_OK; i++)
        if (runners[i].timing->verified) {
            status = conv_plan_load(runners[i].plan, &bench->operands, error);
            runners[i].rounds = rounds_for(bench, runners[i].first_call);
        }
    return status;
}

static struct conv_bench_options with_defaults(const struct conv_bench_options *wanted)
{
    struct conv_bench_options options = wanted ? *wanted : (struct conv_bench_options){ .seed = 1 };
    options.threads = options.threads > 0 ? options.threads : 1;
    options.rounds = options.rounds <= 0 ? 7 : options.rounds > MOST_ROUNDS ? MOST_ROUNDS : options.rounds;
    options.turn_seconds = options.turn_seconds > 0 ? options.turn_seconds : 0.02;
    options.patience = options.patience > 0 ? options.patience : 1;
    return options;
}

enum conv_status conv_bench_kernels(struct conv_timing *timings, const struct conv_kernel *const *kernels, int count,
                                    const struct conv_problem *problem, const struct conv_bench_options *options,
                                    struct conv_error *error)
{
    struct bench bench = { .problem = problem, .options = with_defaults(options) };
    struct runner *runners = calloc((size_t)count + 1, sizeof *runners);
    if (!runners)
        return conv_fail(error, CONV_NO_MEMORY, "no memory to time %d kernels", count);
    for (int i = 0; i < count; i++)
        runners[i].timing = &timings[i];
    enum conv_status status = make_plans(runners, kernels, count, &bench, error);
    if (status == CONV_OK)
        status = take_operands(&bench, error);
    if (status == CONV_OK)
        status = take_sweep(&bench, error);
    if (status == CONV_OK)
        status = verify_runners(runners, count, &bench, error);
    if (status == CONV_OK)
        status = reload(runners, count, &bench, error);
    if (status == CONV_OK) {
        take_turns(runners, count, &bench);
        for (int i = 0; i < count; i++)
            if (timings[i].verified)
                sum_up(&runners[i], &runners[0]);
    }
    for (int i = 0; i < count; i++)
        conv_plan_free(runners[i].plan);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&bench.tensors[operand]);
    free(bench.sweep);
    free(runners);
    return status;
}

struct conv_ceiling conv_bench_ceiling(const struct conv_roof *roof, const struct conv_machine *machine,
                                       const struct conv_problem *problem, enum conv_isa isa, int threads, bool cold)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    const bool many = threads > 1;
    const enum conv_level level = cold ? CONV_DRAM : conv_machine_level(machine, count.bytes);
    const double macs = conv_roof_macs(roof, isa, level, (double)count.macs_inside, (double)count.bytes, many);
    return (struct conv_ceiling){ level, macs, macs < roof->macs[isa][many] };
}
