/* verify.h - is this kernel right?   A verdict, its evidence, and on rejection the smallest failing problem.
 *
 * The question is split in two, because one tolerance can't both accept every correct kernel and catch every
 * wrong one (docs/exactness.md).  Structure - the right taps, at the right place, once each - is decided on
 * integers small enough that every order of summation is exact: bit for bit.  Precision is decided on real
 * data, element by element, against a bound that the reference computes.
 *
 * A kernel is run in a forked child, between guard pages, with its outputs and its workspace filled with NaN; a
 * crash, a hang, an exit and a write outside are findings like any other.
 *
 * Threads: safe, from several threads too, for kernels whose own functions are; conv_verify_command() sets signal
 * handlers and is for one thread at a time.   Read next: verdict.h, verify/README.md
 */
#ifndef CONVREF_VERIFY_H
#define CONVREF_VERIFY_H

#include <convref/arithmetic.h>
#include <convref/kernel.h>
#include <convref/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_verify_options {
    uint64_t seed;
    double time_limit;                 /* seconds for one kernel; 0 means 600 */
    double memory_limit;               /* bytes for one kernel; 0 means three quarters of the machine's */
    const struct conv_problem *problems;   /* real layers, checked besides the small shapes; may be NULL */
    int problem_count;
    bool only_problems;                /* nothing but these */
    const char *check;                 /* only this check; NULL for all */
    int threads;                       /* only this number of threads; 0: check "threads" has 1 to 16 */
    enum conv_accuracy accuracy;       /* of a command; a kernel says its own */
    bool brief;                        /* a verdict only: findings are neither shrunk nor explained */
    bool in_process;                   /* don't fork: for sanitizers that can't follow; a crash is then fatal */
    void (*progress)(const char *check, int64_t done, int64_t total);   /* may be NULL */
};

/* Verify a kernel.  Fails only if the verification itself can't be done. */
CONV_API enum conv_status conv_verify_kernel(struct conv_verification *result,
                                             const struct conv_kernel *kernel,
                                             const struct conv_verify_options *options,
                                             struct conv_error *error);

/* Verify several kernels, `jobs` at a time.  `finished` (may be NULL) is called after each, one call at a time.
 * results[i] belongs to kernels[i]. */
CONV_API enum conv_status conv_verify_kernels(struct conv_verification *results,
                                              const struct conv_kernel *const *kernels, int count,
                                              const struct conv_verify_options *options, int jobs,
                                              void (*finished)(const struct conv_verification *, int done, int count),
                                              struct conv_error *error);

/* Verify outputs that somebody else computed from `operands`, in this class of accuracy; the outputs are among them.
 * Integer inputs whose sums are exact are compared bit for bit, others against the bound. */
CONV_API enum conv_status conv_verify_operands(struct conv_verification *result,
                                               const struct conv_problem *problem,
                                               const struct conv_operands *operands,
                                               enum conv_accuracy accuracy, struct conv_error *error);

/* Verify a command that computes convolutions, such as "python3 mine.py {dir}".  For each problem it is run by
 * `sh -c` with the name of a folder in the place of {dir}: the problem is there as problem.json, inputs as x.npy, w.npy,
 * ... (in backward passes dy.npy), and it must leave y.npy, dx.npy, or dw.npy and dbias.npy.  Status 77 says that it
 * doesn't compute such problems; any other but 0 is a failure.  The problems are options->problems, or a set of small
 * ones; time_limit is for one run [60].  SIGINT, SIGTERM and SIGHUP wait until its folder is removed. */
CONV_API enum conv_status conv_verify_command(struct conv_verification *result, const char *command,
                                              const struct conv_verify_options *options, struct conv_error *error);

/* The checks, in the order in which they run. */
struct conv_check_facts { const char *name, *sees, *blind; };
CONV_API int conv_check_count(void);
CONV_API struct conv_check_facts conv_check_at(int index);

#ifdef __cplusplus
}
#endif
#endif
