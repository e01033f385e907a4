/* bench.h - how long do kernels take, next to each other and next to the roof?
 *
 * Verify first, then time: a kernel whose outputs are wrong on this very problem is not timed.  Kernels take turns
 * (A B C A B C), and two are compared by the median of the ratios of their turns, so that what disturbs one round
 * disturbs both.  Times are of run() alone: weights are packed before, and nothing is allocated within.
 *
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
    double patience;                  /* seconds that one kernel may take in all its turns; 0 means 1 */
    uint64_t seed;
    int64_t (*allocations)(void);     /* counts heap allocations of the process; NULL: not counted */
};

struct conv_timing {
    bool verified;                    /* right on this problem, bit for bit on integers; if not, nothing was timed */
    double median, p10, p90;          /* seconds of one call, over the turns' medians */
    int turns, calls;
    double speedup;                   /* median over rounds of (first kernel's turn / this one's) */
    int64_t allocations;              /* in all timed calls; -1: not counted */
    size_t scratch_bytes, packed_bytes;
    double pack_seconds;              /* preparing the weights, once */
    int threads;                      /* that it was run with */
};

/* Time `count` kernels on one problem.  timings[i] belongs to kernels[i]; speed-ups are over kernels[0].  Kernels that
 * don't apply have verified = false and turns = 0. */
CONV_API enum conv_status conv_bench_kernels(struct conv_timing *timings, const struct conv_kernel *const *kernels,
                                             int count, const struct conv_problem *problem,
                                             const struct conv_bench_options *options, struct conv_error *error);

/* What the machine allows for this problem. */
struct conv_ceiling {
    enum conv_level level;            /* where the operands lie: the fastest level that holds them; cold: DRAM */
    double macs;                      /* multiply-adds a second, at most: min(peak, bandwidth * macs_inside / bytes) */
    bool by_memory;                   /* is it the bandwidth that limits? */
};
CONV_API struct conv_ceiling conv_bench_ceiling(const struct conv_roof *roof, const struct conv_machine *machine,
                                                const struct conv_problem *problem, enum conv_isa isa, int threads,
                                                bool cold);

#ifdef __cplusplus
}
#endif
#endif
