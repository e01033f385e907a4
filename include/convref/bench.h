/* bench.h - how long do kernels take, next to each other and next to the roof?
 *
 * Verify first, then time, and judge what is timed.  Kernels take turns (A B C A B C), and two are compared by the
 * median of the ratios of their turns, so that what disturbs one round disturbs both.  Times are of run() alone:
 * weights are packed before, and nothing is allocated within.
 *
 * Every call that is timed has other data than the call before, at other addresses from round to round; the data are
 * exact but don't look like integers; outputs are poisoned before every call and compared behind the last of each
 * turn.  A kernel that fails there is not timed.  All of it happens in a child: a kernel that crashes, hangs, exits
 * or takes all memory costs its own row and no other.
 *
 * Threads: one bench at a time in a process; the machine has one clock and one set of caches.
 * Read next: docs/measuring.md
 */
#ifndef CONVREF_BENCH_H
#define CONVREF_BENCH_H

#include <convref/count.h>
#include <convref/machine.h>
#include <convref/run.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_bench_options {
    int threads;                      /* 0 means 1 */
    bool cold;                        /* sweep the caches before every call */
    int rounds;                       /* turns of each kernel; 0 means 7 */
    double turn_seconds;              /* a turn is at least one call, and as many as fit; 0 means 0.02 */
    double patience;                  /* seconds that one kernel may take in all its turns; 0 means 1.  Three turns are
                                       * waited for even so, up to ten times as long */
    uint64_t seed;
    int64_t (*allocations)(void);     /* counts heap allocations of the process; NULL: not counted */
    double time_limit;                /* seconds of one call, or of packing; 0 means 60: longer is a hang */
    double memory_limit;              /* bytes; 0 means three quarters of the machine's */
};

enum { CONV_WHY = 320 };

struct conv_timing {
    /* right on this problem, in every call that was looked at; if not, nothing was timed */
    bool verified;
    double median, p10, p90;          /* seconds of one call, over the turns' medians */
    int turns, calls;
    double speedup;                   /* median over shared rounds of (first kernel's turn / this one's) */
    int64_t allocations;              /* in all timed calls; -1: not counted */
    size_t scratch_bytes, packed_bytes;
    double pack_seconds;              /* preparing the weights, once */
    int threads;                      /* that it was run with */

    int shared_rounds;                /* that the speed-up is over */
    double speedup_low, speedup_high; /* p10 and p90 of these ratios, and the ratio of the medians, if it lies outside */
    double others;                    /* cores that other programs used meanwhile; negative: not known */
    char why[CONV_WHY];               /* of a kernel that applies and wasn't timed: why not, in words */
};

/* Time `count` kernels on one problem.  timings[i] belongs to kernels[i]; speed-ups are over kernels[0].  A kernel
 * may come twice.  Kernels that don't apply have verified = false, turns = 0 and no words. */
CONV_API enum conv_status conv_bench_kernels(struct conv_timing *timings, const struct conv_kernel *const *kernels,
                                             int count, const struct conv_problem *problem,
                                             const struct conv_bench_options *options, struct conv_error *error);

/* What the machine allows for this problem.  `fewer`: how many times fewer multiplications than macs_inside the
 * method may do (conv_bench_fewer_macs). */
struct conv_ceiling {
    /* the slowest level from which operands must come: warm, the fastest are full first */
    enum conv_level level;
    double macs;                      /* multiply-adds a second, at most: macs_inside / max(arithmetic, memory) */
    bool by_memory;                   /* is it the bandwidth that limits? */
};
CONV_API struct conv_ceiling conv_bench_ceiling(const struct conv_roof *roof, const struct conv_machine *machine,
                                                const struct conv_problem *problem, enum conv_isa isa, double fewer,
                                                int threads, bool cold);

/* The instruction set that a kernel may use: that of its build; for a provider's, the best that the machine has,
 * since nobody knows its flags. */
CONV_API enum conv_isa conv_bench_isa(const struct conv_kernel *kernel);

/* How many times fewer multiplications than macs_inside a class of accuracy can do: 1, but for transforms. */
CONV_API double conv_bench_fewer_macs(enum conv_accuracy accuracy);

#ifdef __cplusplus
}
#endif
#endif
