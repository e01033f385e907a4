/* verdict.h - what came of a verification: the verdict, its evidence, and on rejection the finding.
 *
 * Plain data and words for them.   Not here: how a verdict is found (verify.h).
 *
 * Threads: safe; nothing here is kept.   Read next: verify.h
 */
#ifndef CONVREF_VERDICT_H
#define CONVREF_VERDICT_H

#include <convref/accuracy.h>
#include <convref/tensor.h>

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
    CONV_FAULT_UNSTABLE,        /* a call isn't what it would be alone: something is kept from one to the next */
    CONV_FAULT_CRASH,           /* a signal; in a guard page, the words say whose */
    CONV_FAULT_HANG,            /* the time was up */
    CONV_FAULT_EXIT,            /* it ended the process: exit, abort, a signal that it raised */
    CONV_FAULT_MEMORY,          /* the memory that it may take was used up */
    CONV_FAULT_ENVIRONMENT,     /* it left the floating-point environment changed */
    CONV_FAULT_REPORTED,        /* it says itself that it failed (workspace->failure) */
    CONV_FAULT_BORROWED,        /* it had its work done by the library that judges it */
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
    /* alone, `problem` is computed rightly: it takes those that the check has before it */
    bool needs_others;

    /* `problem` is the smallest that fails, where a pattern can't be seen.  One with more room that fails, too: */
    bool has_roomier;
    struct conv_problem roomier;
    int64_t roomier_elements, roomier_wrong;
    char pattern[CONV_WORDS];          /* which rows, columns, channels of it */
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

enum { CONV_MOST_CHECKS = 16 };

struct conv_verification {
    enum conv_verdict verdict;
    char kernel[256];                  /* its name, or a command */
    char reason[CONV_WORDS];           /* of one that is neither ACCEPT nor REJECT, or says little */
    char warning[CONV_WORDS];          /* what is odd but not wrong, such as output on the terminal; or empty */
    int checks;
    struct conv_evidence evidence[CONV_MOST_CHECKS];
    enum conv_accuracy accuracy;       /* the class that the kernel claims, and was judged by */
    struct conv_arithmetic arithmetic; /* of ACCEPT and REJECT; its words are empty if it wasn't named */
    struct conv_finding finding;       /* of REJECT */
};

/* The command that shows a finding again, for a kernel's name or a command with {dir}.  Returns `text`. */
enum { CONV_REPRO_TEXT = 2048 };
CONV_API char *conv_repro_line(char text[CONV_REPRO_TEXT], const struct conv_finding *finding, const char *kernel);

/* "n=0 k=3 p=1 q=7": the index of a wrong output in the letters of its operand.  Returns `text`. */
CONV_API char *conv_wrong_print(char text[128], const struct conv_finding *finding,
                                const struct conv_wrong *wrong);

#ifdef __cplusplus
}
#endif
#endif
