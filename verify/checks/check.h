/* check.h - what the checks share: one careful run of a kernel, and how it is judged.  Internal.
 *
 * A check is a set of problems with data for them.  It calls check_problem() for each, which runs the kernel with
 * everything watched and compares every output; the first failure ends the verification.
 * Adding a check is one file and one line in checks.c.
 */
#ifndef CONVREF_VERIFY_CHECK_H
#define CONVREF_VERIFY_CHECK_H

#include <convref/guarded.h>
#include <convref/machine.h>
#include <convref/reference.h>
#include <convref/run.h>
#include <convref/verify.h>

/* A verification under way.  It lives in memory that the parent can read when the child has died. */
struct verification {
    struct conv_verification result;
    bool complete;                      /* the last thing that the child sets */

    /* what runs now, for the post-mortem */
    struct conv_problem problem;
    int threads;
    char check[24];
    int64_t done, total;                /* problems of the check, for progress */
    double call_began;                  /* conv_seconds() when the kernel was called; 0 between calls */
};

struct suspects;

struct checker {
    struct verification *shared;
    const struct conv_kernel *kernel;
    struct conv_verify_options options;
    struct conv_guarded places[CONV_OPERANDS];
    const struct conv_guarded *scratch, *packed;   /* of the plan that runs now */
    int64_t runs;                       /* alternates what is flush right and flush left */
    struct suspects *suspects;          /* not NULL while a failure is explained */
};

struct check {
    const char *name;
    const char *sees, *blind;           /* what it can see, and what it can't */
    void (*run)(struct checker *checker);
};

extern const struct check check_small, check_seams, check_layers, check_real, check_threads;

/* Run the kernel on one problem and judge it.  False when it failed: the check must return. */
bool check_problem(struct checker *checker, const struct conv_problem *problem,
                   const struct conv_fill *fill, int threads);

/* As above, with data on which every order of summation is exact; problems without such data are passed over. */
bool check_exact(struct checker *checker, const struct conv_problem *problem, int threads);

/* The data of check "real". */
struct conv_fill real_fill(const struct conv_problem *problem, uint64_t seed);

/* Find the wrong elements of one output and describe them.  False if there are none. */
bool judge_output(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                  enum conv_operand output, const struct conv_truth *truth, const double *got, bool exact);

/* The mistakes that are still possible: those with which the reference gives exactly what the kernel gave. */
struct suspects { unsigned possible; };
void suspect_all(struct suspects *suspects);
void suspect_those_who_fit(struct suspects *suspects, const struct conv_problem *problem,
                           enum conv_operand output, const struct conv_operands *operands, const double *got,
                           bool exact);

/* Put the first suspect into words, in finding->guess, or a constant factor, if there is one. */
void suspect_name(struct conv_finding *finding, const struct suspects *suspects);

/* Replace the finding by that of the smallest problem that still fails. */
void shrink(struct checker *checker, const struct conv_fill *fill);

/* The problems of check_small: every valid small shape that the kernel computes. */
enum { SMALL_AXES = 2000 };
struct small_shapes {
    const struct conv_kernel *kernel;
    int kind, rank, round;                 /* where the walk is */
    int64_t geometry, variant;
    int axes;                              /* of the current kind and rank */
    struct conv_axis axis[SMALL_AXES];
};
void small_begin(struct small_shapes *walk, const struct conv_kernel *kernel);
bool small_next(struct small_shapes *walk, struct conv_problem *problem);

#endif
