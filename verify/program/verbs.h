/* verbs.h - THE list of verbs: one line each.  Internal. */
#ifndef CONVREF_VERIFY_PROGRAM_VERBS_H
#define CONVREF_VERIFY_PROGRAM_VERBS_H

/* Every verb: its name and what it does, in one line. */
#define VERBS(V) \
    V(list, "the kernels and what they compute") \
    V(show, "all about one kernel") \
    V(explain, "a problem: its window, its formula, one output by hand; or what a kernel of CUDA moves") \
    V(count, "parameters, multiply-adds and bytes of a problem or a network") \
    V(run, "run a kernel on .npy files or generated data") \
    V(verify, "is a kernel, or somebody else's output, right?") \
    V(golden, "write test vectors for another implementation, with a manifest") \
    V(bench, "time kernels, against each other and against the machine's roof") \
    V(experiment, "a published claim, run again: counts, times, and what can be true") \
    V(plot, "draw results with gnuplot") \
    V(report, "verify, count, time and plot a network: one HTML page") \
    V(doctor, "what this machine has, and what is missing")

#define DECLARE(verb, summary) int cmd_##verb(int argc, char **argv);
VERBS(DECLARE)

#endif
