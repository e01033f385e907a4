/* verify.h - is this kernel right?   A verdict, its evidence, and on rejection the smallest failing problem.
 *
 * The question is split in two, because one tolerance can't both accept every correct kernel and catch every
 * wrong one (docs/exactness.md).  Structure - the right taps, at the right place, once each - is decided on
 * integers small enough that every order of summation is exact: bit for bit.  Precision is decided on real
 * data, element by element, against a bound that the reference computes.
 *
 * A kernel is run in a forked child, between guard pages, with its outputs and its workspace filled with NaN; a
 * crash, a hang, an exit and a write outside are findings like any other.   Read next: verify/checks/
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
    CONV_FAULT_EXIT,            /* it ended the process: exit, abort, a signal that it raised */
    CONV_FAULT_MEMORY,          /* the memory that it may take was used up */
    CONV_FAULT_ENVIRONMENT,     /* it left the floating-point environment changed */
    CONV_FAULT_REPORTED,        /* it says itself that it failed (workspace->failure) */
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
    char note[96];                     /* what else it found out; empty if nothing */
};

/* The arithmetic that a kernel uses, named from its outputs on data made to tell. */
enum conv_sure {
    CONV_SURE_NOT,             /* it fits nothing that convref knows, or wasn't looked at */
    CONV_SURE_BY_EXCLUSION,    /* nothing else that convref knows fits */
    CONV_SURE_BIT_FOR_BIT      /* every output was predicted */
};

struct conv_arithmetic {
    enum conv_sure sure;
    bool narrow;               /* fewer bits than the problem's type somewhere */
    char words[160]; /* "f32, one product added after the other, fused", "inputs in TF32", ...; empty: not named */
};

CONV_API const char *conv_sure_name(enum conv_sure sure);

/* Name the arithmetic of a kernel.  CONV_NOT_APPLICABLE if it computes none of the problems that would tell. */
CONV_API enum conv_status conv_arithmetic_name(struct conv_arithmetic *named, const struct conv_kernel *kernel,
                                               uint64_t seed, struct conv_error *error);

enum { CONV_MOST_CHECKS = 16 };

struct conv_verification {
    enum conv_verdict verdict;
    char kernel[256];                  /* its name, or a command */
    char reason[CONV_WORDS];           /* of a verdict that is neither ACCEPT nor REJECT */
    char warning[CONV_WORDS];          /* what is odd but not wrong, such as output on the terminal; or empty */
    int checks;
    struct conv_evidence evidence[CONV_MOST_CHECKS];
    enum conv_accuracy accuracy;       /* the class that the kernel claims, and was judged by */
    struct conv_arithmetic arithmetic; /* of ACCEPT and REJECT; its words are empty if it wasn't named */
    struct conv_finding finding;       /* of REJECT */
};

struct conv_verify_options {
    uint64_t seed;
    double time_limit;                 /* seconds for one kernel; 0 means 600 */
    double memory_limit;               /* bytes for one kernel; 0 means three quarters of the machine's */
    const struct conv_problem *problems;   /* real layers, checked besides the small shapes; may be NULL */
    int problem_count;
    bool only_problems;                /* nothing but these */
    const char *check;                 /* only this check; NULL for all */
    int threads;                       /* only this number of threads; 0 for 1, 2, 3 and 5 */
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

/* What it would have taken to see a mistake in one output: each product of its sums is left out in turn, and the rest
 * compared as the output was.  Of a gradient of weights these are the sums of dw; of a separable layer the products of
 * its second stage. */
struct conv_one_tensor {
    enum conv_operand operand;
    enum conv_accuracy accuracy;       /* the class that it was judged by */
    bool exact;                        /* it was compared bit for bit */
    int64_t outputs, looked_at;        /* all, and those whose products were left out: fewer in large problems */
    int64_t products;                  /* of those that were looked at */
    int64_t zero;                      /* products that are 0, which nobody misses */
    int64_t clipped;                   /* others that don't change the output, because of the activation */
    int64_t hidden;                    /* others without which the output is still within its bound */
    int64_t at[5];                     /* the output with the largest bound, as in conv_wrong ... */
    double bound;                      /* ... the bound: an error up to here isn't noticed ... */
    double average;                    /* ... and its average |product| */
    unsigned unused;                   /* set of conv_setting: what the problem has none of */
};

/* What one problem can't show, because it has none of it. */
enum conv_setting {
    CONV_NO_BATCH, CONV_NO_CHANNELS, CONV_NO_FILTERS, CONV_NO_STRIDE, CONV_NO_PADDING, CONV_NO_DILATION, CONV_NO_GROUPS,
    CONV_NO_BIAS, CONV_NO_ACTIVATION, CONV_SAME_AXES, CONV_SAME_PADDING, CONV_SETTINGS
};
/* "batches", "channels", ...: what isn't shown. */
CONV_API const char *conv_setting_name(enum conv_setting setting);

/* To be asked after an ACCEPT of conv_verify_operands(); not of a transform, whose bounds are those of planes. */
CONV_API enum conv_status conv_one_tensor(struct conv_one_tensor *told, const struct conv_verification *accepted,
                                          const struct conv_problem *problem, const struct conv_operands *operands,
                                          struct conv_error *error);

/* Verify a command that computes convolutions, such as "python3 mine.py {dir}".  For each problem it is run by
 * `sh -c` with the name of a folder in the place of {dir}: the problem is there as problem.json, inputs as x.npy,
 * w.npy, ... (in backward passes dy.npy), and it must leave y.npy, dx.npy, or dw.npy and dbias.npy.  Status 77 says
 * that it doesn't compute such problems; any other but 0 is a failure.  The problems are options->problems, or a set of
 * small ones; time_limit is for one run [60].  SIGINT, SIGTERM and SIGHUP wait until its folder is removed. */
CONV_API enum conv_status conv_verify_command(struct conv_verification *result, const char *command,
                                              const struct conv_verify_options *options, struct conv_error *error);

/* The checks, in the order in which they run. */
struct conv_check_facts { const char *name, *sees, *blind; };
CONV_API int conv_check_count(void);
CONV_API struct conv_check_facts conv_check_at(int index);

/* The command that shows a finding again, for a kernel's name or a command with {dir}.  Returns `text`. */
enum { CONV_REPRO_TEXT = 2048 };
CONV_API char *conv_repro_line(char text[CONV_REPRO_TEXT], const struct conv_finding *finding, const char *kernel);

/* "n=0 k=3 p=1 q=7": the index of a wrong output in the letters of its operand.  Returns `text`. */
CONV_API char *conv_wrong_print(char text[128], const struct conv_finding *finding,
                                const struct conv_wrong *wrong);
/* The same, for the output with the largest bound. */
CONV_API char *conv_one_tensor_print(char text[128], const struct conv_one_tensor *told,
                                     const struct conv_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
