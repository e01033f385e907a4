/* roof.c - measures the roof: peak multiply-adds and the bandwidth of each level of the memory.
 *
 * Every figure is the best of several short runs.  With several threads, each has its own array, all of
 * them start together, and the slowest counts.  With CONVREF_QUICK_ROOF in the environment the runs are fewer and
 * shorter, for tests, where nobody reads the figures.   Declared in convref/machine.h.
 */
#include <config.h>
#include <convref/machine.h>
#include <stdlib.h>
#include <string.h>

#include "core/roof.h"

#ifdef _OPENMP
#include <omp.h>
#endif

/* A run is long against the clock, and short against the scheduler.  DRAM: an array well beyond the last cache. */
static const struct effort { int repeats; double seconds; int64_t most_bytes; }
    whole = { 7, 0.008, INT64_C(512) << 20 }, quick = { 3, 0.001, INT64_C(4) << 20 };

static const struct effort *effort(void)
{
    const char *wanted = getenv("CONVREF_QUICK_ROOF");
    return wanted && wanted[0] ? &quick : &whole;
}

static const struct conv_roof_loops *loops_of(enum conv_isa isa)
{
#ifdef HAVE_AVX512_BUILD
    if (isa == CONV_ISA_AVX512)
        return &conv_roof_loops__avx512;
#endif
#ifdef HAVE_AVX2_BUILD
    if (isa == CONV_ISA_AVX2)
        return &conv_roof_loops__avx2;
#endif
    return isa == CONV_ISA_BASELINE ? &conv_roof_loops__baseline : NULL;
}

static double max(double a, double b) { return a > b ? a : b; }

/* ---- multiply-adds ----------------------------------------------------------------------------------- */

/* Multiply-adds a second of all threads together, once. */
static double macs_once(const struct conv_roof_loops *loops, int64_t rounds, int threads)
{
    double done = 0;
    const double start = conv_seconds();
#pragma omp parallel for num_threads(threads) reduction(+ : done) schedule(static)
    for (int thread = 0; thread < threads; thread++)
        done += loops->multiply_add(rounds);
    return done / (conv_seconds() - start);
}

static double peak_macs(const struct conv_roof_loops *loops, int threads)
{
    int64_t rounds = 1000;
    double best = 0, start;
    do {
        rounds *= 2;
        start = conv_seconds();
        loops->multiply_add(rounds);
    } while (conv_seconds() - start < effort()->seconds);
    for (int repeat = 0; repeat < effort()->repeats; repeat++)
        best = max(best, macs_once(loops, rounds, threads));
    return best;
}

/* ---- bandwidth --------------------------------------------------------------------------------------- */

/* Bytes a second of all threads together, once: each reads its own `count` floats, `passes` times, or reads two
 * thirds of them and writes the rest. */
static double bytes_once(const struct conv_roof_loops *loops, float *data, int64_t count, int64_t passes, int threads,
                         bool writes)
{
    double slowest = 0;
    volatile float sink = 0;
#pragma omp parallel for num_threads(threads) reduction(max : slowest) schedule(static)
    for (int thread = 0; thread < threads; thread++) {
        float *own = data + thread * count;
        const double start = conv_seconds();
        if (writes)
            loops->add(own, count, passes);
        else if (loops->read(own, count, passes) > 1e30f)
            sink = 1;   /* never, but the compiler can't know */
        slowest = max(slowest, conv_seconds() - start);
    }
    (void)sink;
    return (double)threads * (double)count * sizeof(float) * (double)passes / slowest;
}

/* Half of a cache is sure to stay in it.  DRAM: well beyond the last cache, within reason. */
static int64_t array_bytes(const struct conv_machine *machine, enum conv_level level)
{
    const int64_t least = INT64_C(64) << 20, most = effort()->most_bytes;
    int64_t wanted = machine->bytes[level] / 2;
    if (level == CONV_DRAM)
        wanted = 4 * machine->bytes[CONV_L3] < least ? least : 4 * machine->bytes[CONV_L3];
    return wanted > most ? most : wanted;
}

static double bandwidth(const struct conv_roof_loops *loops, const struct conv_machine *machine,
                        enum conv_level level, int threads)
{
    const bool shared = level >= CONV_L3;
    const int64_t bytes = array_bytes(machine, level) / (shared ? threads : 1);
    const int64_t count = bytes / (int64_t)sizeof(float) / 256 * 256;
    if (count == 0)
        return 0;
    float *data = aligned_alloc(CONV_ALIGNMENT, (size_t)(count * threads) * sizeof *data);
    if (!data)
        return 0;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int thread = 0; thread < threads; thread++)   /* each thread touches its own part first */
        memset(data + thread * count, 0, (size_t)count * sizeof *data);
    bytes_once(loops, data, count, 1, threads, false);   /* bring it in */
    int64_t passes = 1;
    for (; passes < INT64_C(1) << 30; passes *= 2)
        if ((double)bytes * (double)passes / bytes_once(loops, data, count, passes, 1, false) > effort()->seconds)
            break;
    double best = 0;
    for (int repeat = 0; repeat < 2 * effort()->repeats; repeat++)
        best = max(best, bytes_once(loops, data, count, passes, threads, repeat % 2));
    free(data);
    return best;
}

/* ---- the roof ------------------------------------------------------------------------------------------- */

void conv_roof_measure(struct conv_roof *roof, const struct conv_machine *machine, int threads)
{
    *roof = (struct conv_roof){ .threads = threads > 0 ? threads : machine->cores };
#ifndef _OPENMP
    roof->threads = 1;
#endif
    const struct conv_roof_loops *best = &conv_roof_loops__baseline;
    for (enum conv_isa isa = 0; isa < CONV_ISAS; isa++) {   /* above the limit too: a provider's kernel may use it */
        const struct conv_roof_loops *loops = loops_of(isa);
        if (!loops || !conv_isa_available(isa))
            continue;
        best = isa <= machine->isa ? loops : best;
        roof->macs[isa][0] = peak_macs(loops, 1);
        roof->macs[isa][1] = max(peak_macs(loops, roof->threads), roof->macs[isa][0]);
    }
    for (enum conv_level level = 0; level < CONV_LEVELS; level++) {
        roof->bandwidth[level][0] = bandwidth(best, machine, level, 1);
        roof->bandwidth[level][1] = max(bandwidth(best, machine, level, roof->threads),
                                        roof->bandwidth[level][0]);
    }
}

double conv_roof_macs(const struct conv_roof *roof, enum conv_isa isa, enum conv_level level,
                      double macs, double bytes, bool many)
{
    const double peak = roof->macs[isa][many];
    const double fed = bytes > 0 ? roof->bandwidth[level][many] * macs / bytes : peak;
    return fed < peak ? fed : peak;
}
