/* bench.c - takes turns, takes times: the parent.   Declared in convref/bench.h, explained in docs/measuring.md.
 *
 * All kernels run in one child, so that they are compared in one process.  When the child ends before its work is
 * done, the kernel that ran then is out, with words that say how it ended, and another child times the others.
 * Not here: what the child does (turns.c), statistics (statistics.c).
 */
#include <convref/bench.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/calls.h"
#include "core/guest.h"
#include "verify/measure/statistics.h"
#include "verify/measure/turns.h"
#include "verify/sandbox/sandbox.h"

/* ---- children -------------------------------------------------------------------------------------------------- */

static void body(void *bench) { bench_turns(bench); }

/* False, and the child is killed, when a call lasts too long. */
static bool watch(void *argument)
{
    const struct bench *bench = argument;
    const double began = bench->shared->call_began;
    return !(began > 0 && conv_seconds() - began > bench->options.time_limit);
}

/* What earlier children found out of kernels that are out stays; all else begins anew. */
static void reset(const struct bench *bench)
{
    for (int i = 0; i < bench->count; i++) {
        struct conv_timing fresh = { .allocations = bench->options.allocations ? 0 : -1 };
        if (bench->shared->timings[i].why[0])
            memcpy(fresh.why, bench->shared->timings[i].why, sizeof fresh.why);
        bench->shared->timings[i] = fresh;
    }
    bench->shared->current = -1;
    bench->shared->call_began = 0;
}

static void blame(const struct bench *bench, const struct sandbox_end *end)
{
    struct conv_timing *timing = &bench->shared->timings[bench->shared->current];
    char how[CONV_WHY - 64];
    sandbox_words(how, sizeof how, end, bench->options.time_limit);
    snprintf(timing->why, sizeof timing->why, "in %s it %s", bench->shared->doing ? bench->shared->doing : "a call",
             how);
}

static enum conv_status run_children(const struct bench *bench, struct conv_error *error)
{
    const struct sandbox_limits limits = { .seconds = 1e7, .memory = (size_t)bench->options.memory_limit };
    for (int children = 0; children <= bench->count; children++) {
        struct sandbox_end end;
        reset(bench);
        enum conv_status status = sandbox_run(&end, body, (void *)bench, &limits, watch, error);
        if (status != CONV_OK)
            return status;
        if (end.completed) {
            if (bench->shared->status != CONV_OK && error)
                *error = bench->shared->error;
            return bench->shared->status;
        }
        char how[256];
        if (bench->shared->current < 0)
            return conv_fail(error, CONV_NO_MEMORY, "the child that takes the times %s, when no kernel was running",
                             sandbox_words(how, sizeof how, &end, 0));
        blame(bench, &end);
    }
    return CONV_OK;
}

/* ---- options --------------------------------------------------------------------------------------------------- */

static struct conv_bench_options with_defaults(const struct conv_bench_options *wanted)
{
    struct conv_bench_options options = wanted ? *wanted : (struct conv_bench_options){ .seed = 1 };
    struct conv_machine machine;
    options.threads = options.threads > 0 ? options.threads : 1;
    options.rounds = options.rounds <= 0 ? 7 : options.rounds > MOST_ROUNDS ? MOST_ROUNDS : options.rounds;
    options.turn_seconds = options.turn_seconds > 0 ? options.turn_seconds : 0.02;
    options.patience = options.patience > 0 ? options.patience : 1;
    options.time_limit = options.time_limit > 0 ? options.time_limit : 60;
    if (options.memory_limit <= 0) {
        conv_machine_read(&machine);
        options.memory_limit = (double)machine.bytes[CONV_DRAM] * 3 / 4;
    }
    return options;
}

/* Kernels of a device whose times say nothing are out before anything runs. */
static void leave_out_untimed(const struct bench *bench)
{
    for (int i = 0; i < bench->count; i++) {
        const char *why = device_not_timed(bench->kernels[i]);
        if (why)
            snprintf(bench->shared->timings[i].why, CONV_WHY, "%s", why);
    }
}

/* A device's driver has needs of its own. */
static bool any_device(const struct conv_kernel *const *kernels, int count)
{
    for (int i = 0; i < count; i++)
        if (kernels[i]->device)
            return true;
    return false;
}

enum conv_status conv_bench_kernels(struct conv_timing *timings, const struct conv_kernel *const *kernels, int count,
                                    const struct conv_problem *problem, const struct conv_bench_options *options,
                                    struct conv_error *error)
{
    const size_t bytes = sizeof(struct bench_shared) + (size_t)count * sizeof(struct conv_timing);
    struct bench bench = { .kernels = kernels, .count = count, .problem = problem, .options = with_defaults(options) };
    if (guest_asks("conv_bench_kernels"))
        return conv_fail(error, CONV_NOT_APPLICABLE, "a kernel can't time kernels");
    if (any_device(kernels, count))
        bench.options.memory_limit = 0;
    bench.shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.shared == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory to time %d kernels", count);
    leave_out_untimed(&bench);
    const enum conv_status status = run_children(&bench, error);
    if (status == CONV_OK)
        memcpy(timings, bench.shared->timings, (size_t)count * sizeof *timings);
    munmap(bench.shared, bytes);
    return status;
}

/* ---- the roof -------------------------------------------------------------------------------------------------- */

enum conv_isa conv_bench_isa(const struct conv_kernel *kernel)
{
    return guest_is(kernel) ? conv_isa_best() : kernel->isa;
}

/* Multiplications of a direct 3x3 convolution over those of F(m x m, 3x3), ((m + 2) / 3m)^-2; an FFT's have no fixed
 * ratio. */
double conv_bench_fewer_macs(enum conv_accuracy accuracy)
{
    switch (accuracy) {
    case CONV_WINOGRAD_2: return 2.25;
    case CONV_WINOGRAD_4: return 4;
    case CONV_WINOGRAD_6: return 5.0625;
    case CONV_FFT: return INFINITY;
    default: return 1;
    }
}

/* Seconds to read the bytes once.  Warm: the fastest levels are full of them, and the rest lies in the next ones. */
static double memory_seconds(enum conv_level *slowest, const struct conv_roof *roof,
                             const struct conv_machine *machine,
                             double bytes, bool many, bool cold)
{
    double seconds = 0;
    for (enum conv_level level = cold ? CONV_DRAM : CONV_L1; level < CONV_LEVELS && bytes > 0; level++) {
        const double own = level < CONV_L3 && many ? roof->threads : 1;   /* each thread has a core's */
        const double room = level == CONV_DRAM ? bytes : own * (double)machine->bytes[level];
        const double here = bytes < room ? bytes : room;
        if (here <= 0 || !(roof->bandwidth[level][many] > 0))
            continue;
        seconds += here / roof->bandwidth[level][many];
        bytes -= here;
        *slowest = level;
    }
    return seconds;
}

struct conv_ceiling conv_bench_ceiling(const struct conv_roof *roof, const struct conv_machine *machine,
                                       const struct conv_problem *problem, enum conv_isa isa, double fewer, int threads,
                                       bool cold)
{
    struct conv_count count;
    struct conv_ceiling ceiling = { .level = CONV_L1 };
    conv_count_problem(&count, problem);
    const bool many = threads > 1;
    const double macs = (double)count.macs_inside, peak = roof->macs[isa][many];
    const double memory = memory_seconds(&ceiling.level, roof, machine, (double)count.bytes, many, cold);
    const double arithmetic = peak > 0 ? macs / fewer / peak : 0;
    ceiling.by_memory = memory > arithmetic;
    ceiling.macs = macs / (memory > arithmetic ? memory : arithmetic);
    return ceiling;
}
