/* checker.h - a verification under way: what parent and child share, and what the child alone knows.  Internal.
 *
 * Not here: how a problem is run (careful.h), how an output is judged (judge.h).   Read next: careful.h
 */
#ifndef CONVREF_VERIFY_ENGINE_CHECKER_H
#define CONVREF_VERIFY_ENGINE_CHECKER_H

#include <convref/reference.h>
#include <convref/run.h>
#include <convref/verify.h>

#include "core/guarded.h"

/* What a signal handler can say of a fault: plain stores only. */
struct touched {
    int signal;                         /* 0: there was none */
    bool raised;                        /* by the kernel itself or an instruction: there is no address of data */
    bool null;                          /* the first page */
    enum conv_operand operand;          /* whose memory; CONV_OPERANDS: none of theirs */
    enum { IN_OPERAND, IN_SCRATCH, IN_PACKED } block;
    int where;                          /* guarded_where() */
    int64_t distance;                   /* bytes from the end of the block; negative inside and before it */
};

/* Writes one input of a problem as doubles, channels first. */
typedef void check_maker(double *values, const struct conv_problem *problem, enum conv_operand operand,
                         uint64_t seed, enum conv_accuracy accuracy);

/* The data of one run.  All follow from the seed and the problem. */
struct check_data {
    struct conv_fill fill;
    check_maker *make;                  /* instead of `fill`, but for its seed; may be NULL */
    bool exact;                         /* outputs are compared bit for bit, else against the bound */

    bool padding_may_multiply;          /* NaN is right too where an output has padding: 0 * infinity */

    /* Of problems that are too large for the reference: */
    bool by_checksum;                   /* the checksum of all outputs decides, where that is cheaper */
    bool spots;                         /* above check_real_macs: some outputs are compared */
    const struct conv_truth *given;     /* the sums of y, without activation; NULL: the reference computes them */
};

/* A verification under way.  It lives in memory that the parent can read when the child has died. */
struct verification {
    struct conv_verification result;
    struct touched touched;
    bool explaining;                    /* a failure has been found, and `found` is it */
    struct conv_finding found;
    struct check_data found_with;

    /* what runs now, for the post-mortem */
    struct conv_problem problem;
    struct check_data data;
    int threads;
    char check[24];
    int64_t done, total;                /* problems of the check, for progress */
    double call_began;                  /* conv_seconds() when the kernel was called; 0 between calls */
    double problem_began;               /* and when a problem was begun that has a limit of its own; 0: it has none */
};

struct suspects;

struct checker {
    struct verification *shared;
    const struct conv_kernel *kernel;
    struct conv_verify_options options;
    struct guarded places[CONV_OPERANDS];
    const struct guarded *scratch, *packed;   /* of the plan that runs now */
    bool read_only[CONV_OPERANDS];      /* the pages of a place can't be written to now */
    struct check_data data;             /* of the last run */
    int64_t padding_multiplied, padding_skipped;   /* outputs that told, see checks/special.c */
    bool keep;                          /* keep the output of the next run in `kept` ... */
    double *kept;                       /* ... as doubles, channels first */
    int64_t runs;                       /* where operands lie changes from run to run: PLACEMENTS ways */
    struct suspects *suspects;          /* not NULL while a failure is explained */
    double problem_seconds;             /* the limit of one problem; 0: all together have one */
    bool hurried;                       /* the child was ended for its last problem when the next one had begun */
    enum conv_fault only_fault;         /* smaller problems must fail in this way; CONV_FAULT_NONE: in whatever way */
};

/* False, and nothing to free, if memory is short. */
bool checker_open(struct checker *checker, const struct conv_kernel *kernel,
                  const struct conv_verify_options *options);
void checker_close(struct checker *checker);

/* The evidence of the check that runs now. */
struct conv_evidence *checker_evidence(struct checker *checker);

/* A problem is about to be run: what a finding would say about it. */
void checker_begins(struct checker *checker, const struct conv_problem *problem, uint64_t seed, int threads);

/* A fault was found.  Returns false. */
bool checker_found(struct checker *checker, enum conv_fault fault, enum conv_operand operand, const char *where);

/* The verification can't be done: INCONCLUSIVE, with why.  Returns false. */
bool checker_impossible(struct checker *checker, const char *why);

/* The most multiply-adds that a problem can have, padding included. */
double check_macs(const struct conv_problem *problem);

/* Has no operand more than 1 GiB?  Check huge has larger ones, which aren't memory. */
bool check_fits_memory(const struct conv_problem *problem);

/* Is a checksum cheaper than the reference, which does 200 million multiply-adds in a second?  It sees no less. */
bool check_prefers_checksum(const struct conv_problem *problem);

/* Above this many, of real numbers only some outputs are looked at, which sees less. */
static const double check_real_macs = 200e6;

/* Problems that all checks compared. */
int64_t checker_problems(const struct conv_verification *result);

#endif
