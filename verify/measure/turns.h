/* turns.h - kernels that take turns on one problem, in a child.  Internal.   Read next: turns.c, bench.c (the parent) */
#ifndef CONVREF_VERIFY_MEASURE_TURNS_H
#define CONVREF_VERIFY_MEASURE_TURNS_H

#include <convref/bench.h>

/* What parent and child share: it outlives the child. */
struct bench_shared {
    enum conv_status status;            /* of the bench itself */
    struct conv_error error;
    int current;                        /* the kernel that runs now; -1: none */
    double call_began;                  /* conv_seconds() of its call; 0 between calls */
    const char *doing;                  /* "packing" or "run()", of the current kernel */
    struct conv_timing timings[];       /* one for each kernel; words in `why` mean that it is out */
};

struct bench {
    struct bench_shared *shared;
    const struct conv_kernel *const *kernels;
    int count;
    const struct conv_problem *problem;
    struct conv_bench_options options;  /* with defaults filled in */
};

/* Time all kernels that aren't out, and fill in their timings. */
void bench_turns(const struct bench *bench);

#endif
