/* verify.h - is this kernel right?   A verdict, its evidence, and on rejection the smallest failing problem.
 *
 * The question is split in two, because one tolerance can't both accept every correct kernel and catch every
 * wrong one (docs/exactness.md).  Structure - the right taps, at the right place, once each - is decided on
 * integers small enough that every order of summation is exact: bit for bit.  Precision is decided on real
 * data, element by element, against a bound that the reference computes.
 *
 * A kernel is run in a forked child, between guard pages, with its outputs and its workspace filled with NaN; a
 * crash, a hang and a write outside are findings like any other.   Read next: verify/checks/
 */
#ifndef CONVREF_VERIFY_H
#define CONVREF_VERIFY_H

#include <convref/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

enum conv_verdict { CONV_ACCEPT, CONV_REJECT, CONV_INCONCLUSIVE, CONV_SKIPPED };

/* "ACCEPT", ... */
CONV_API const char *conv_verdict_name(enum conv_verdict verdict);

/* The program's exit status for a verdict: 0, 1, 3, 77; and for an error: 2 for bad input, 4 for a bad file. */
CONV_API int conv_verdict_exit(enum conv_verdict verdict);
CONV_API int conv_exit_status(enum conv_status status);

/* What can be wrong. */
enum conv_fault {
    CONV_FAULT_NONE,
    CONV_FAULT_VALUES,          /* an output differs from the truth by more than allowed */
    CONV_FAULT_UNWRITTEN,       /* an output still has the NaN that it was filled with */
    CONV_FAULT_OUTSIDE,         /* bytes beside an operand or a workspace were written */
    CONV_FAULT_INPUT_CHANGED,   /* an input was written to */
    CONV_FAULT_UNSTABLE,        /* two calls differ, though they should be exact */
    CONV_FAULT_CRASH,           /* a signal; in a guard page, the words say whose */
    CONV_FAULT_HANG,            /* the time was up */
    CONV_FAULTS
};

CONV_API const char *conv_fault_name(enum conv_fault fault);

enum { CONV_WRONG_SHOWN = 5, CONV_WORDS = 512 };

/* One wrong output. */
struct conv_wrong {
    int64_t index[5];    /* n, k, z, p, q; for gradients n c d h w, k c t r s, or k */
    double expected, got, bound;
};

/* The first failure of a kernel. */
struct conv_finding {
    enum conv_fault fault;
    char check[24];                    /* the check that found it */
    struct conv_problem problem;
    uint64_t seed;
    int threads;
    enum conv_operand operand;         /* the output that is wrong, or the operand that was hit */
    int64_t elements, wrong;           /* of that output */
    int shown;
    struct conv_wrong first[CONV_WRONG_SHOWN];
    char where[CONV_WORDS];            /* which rows, columns, channels */
    char guess[CONV_WORDS];            /* what it looks like; empty if nothing fits */
};

/* What a check did. */
struct conv_evidence {
    char check[24];
    int64_t problems, elements;        /* compared */
    double worst;                      /* largest error / bound; 0 on exact data */
    double seconds;
};

enum { CONV_MOST_CHECKS = 8 };

struct conv_verification {
    enum conv_verdict verdict;
    char kernel[64];
    char reason[CONV_WORDS];           /* of a verdict that is neither ACCEPT nor REJECT */
    int checks;
    struct conv_evidence evidence[CONV_MOST_CHECKS];
    struct conv_finding finding;       /* of REJECT */
};

struct conv_verify_options {
    uint64_t seed;
    double time_limit;                 /* seconds for one kernel; 0 means 600 */
    const struct conv_problem *problems;   /* real layers, checked besides the small shapes; may be NULL */
    int problem_count;
    bool only_problems;                /* nothing but these */
    const char *check;                 /* only this check; NULL for all */
    int threads;                       /* only this number of threads; 0 for 1, 2, 3 and 5 */
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

/* Verify outputs that somebody else computed from `operands`; the outputs are among them.  Integer inputs whose
 * sums are exact are compared bit for bit, others against the bound. */
CONV_API enum conv_status conv_verify_operands(struct conv_verification *result,
                                               const struct conv_problem *problem,
                                               const struct conv_operands *operands,
                                               struct conv_error *error);

/* The checks, in the order in which they run. */
struct conv_check_facts { const char *name, *sees, *blind; };
CONV_API int conv_check_count(void);
CONV_API struct conv_check_facts conv_check_at(int index);

/* The command that shows a finding again.  Returns `text`. */
CONV_API char *conv_repro_line(char text[CONV_PROBLEM_TEXT + 256], const struct conv_finding *finding,
                               const char *kernel);

/* "n=0 k=3 p=1 q=7": the index of a wrong output in the letters of its operand.  Returns `text`. */
CONV_API char *conv_wrong_print(char text[128], const struct conv_finding *finding,
                                const struct conv_wrong *wrong);

#ifdef __cplusplus
}
#endif
#endif
