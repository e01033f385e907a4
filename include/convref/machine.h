/* machine.h - what this machine is, and how fast it can possibly be.
 *
 * Facts come from hwloc and the system; the roof is measured by the program itself, because a percentage
 * of a figure from a data sheet means little on a shared or virtual machine.
 *
 * Threads: safe, but measure the roof with nothing else running; it reads the limit of isa.h.   Read next: bench.h
 */
#ifndef CONVREF_MACHINE_H
#define CONVREF_MACHINE_H

#include <convref/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Levels of the memory. */
enum conv_level { CONV_L1, CONV_L2, CONV_L3, CONV_DRAM, CONV_LEVELS };

struct conv_machine {
    char cpu[96];                     /* "AMD EPYC 7763", or "unknown" */
    char system[96];                  /* "Linux 6.1.0 x86_64" */
    char compiler[96];                /* that compiled the library */
    char flags[192];                  /* CFLAGS of the build */
    int cores;                        /* that this process may use */
    int64_t bytes[CONV_LEVELS];       /* sizes of the data caches (0: none) and of the memory */
    enum conv_isa isa;                /* the best that is used */
};

CONV_API void conv_machine_read(struct conv_machine *machine);

CONV_API const char *conv_level_name(enum conv_level level);   /* "L1", "L2", "L3", "DRAM" */

/* Seconds of a clock that never goes back; only differences mean something. */
CONV_API double conv_seconds(void);

/* Measured ceilings.  Index 0: one thread; index 1: `threads` threads together. */
struct conv_roof {
    int threads;
    double macs[CONV_ISAS][2];         /* fused multiply-adds of f32 a second; 0 if not available */
    double bandwidth[CONV_LEVELS][2];  /* bytes moved a second, read or two read for one written: the better; 0 where
                                        * there is no such level */
};

/* Measure, in at most about 3 seconds.  threads: 0 means all cores.  The best of several short runs
 * counts: a ceiling is what the machine can do, not what it did while others were using it.  With a value of
 * CONVREF_QUICK_ROOF in the environment it takes a tenth of a second, and the figures are not to be quoted. */
CONV_API void conv_roof_measure(struct conv_roof *roof, const struct conv_machine *machine, int threads);

/* Multiply-adds a second that nothing can exceed which does `macs` and moves `bytes` from `level`:
 * min(peak, bandwidth * macs / bytes).   many: use the ceilings of all threads. */
CONV_API double conv_roof_macs(const struct conv_roof *roof, enum conv_isa isa, enum conv_level level,
                               double macs, double bytes, bool many);

/* The fastest level that holds `bytes`. */
CONV_API enum conv_level conv_machine_level(const struct conv_machine *machine, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
