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

/* What a signal handler can say of a fault: plain stores only. */
struct touched {
    int signal;                         /* 0: there was none */
    bool raised;                        /* by the kernel itself or an instruction: there is no address of data */
    bool null;                          /* the first page */
    enum conv_operand operand;          /* whose memory; CONV_OPERANDS: none of theirs */
    enum { IN_OPERAND, IN_SCRATCH, IN_PACKED } block;
    int where;                          /* conv_guarded_where() */
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
    bool by_checksum;                   /* above check_exact_macs: the checksum of all outputs decides */
    bool spots;                         /* above check_real_macs: some outputs are compared */
    const struct conv_truth *given;     /* what the output should be; NULL: the reference computes it */
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
};

struct suspects;

struct checker {
    struct verification *shared;
    const struct conv_kernel *kernel;
    struct conv_verify_options options;
    struct conv_guarded places[CONV_OPERANDS];
    const struct conv_guarded *scratch, *packed;   /* of the plan that runs now */
    bool read_only[CONV_OPERANDS];      /* the pages of a place can't be written to now */
    struct check_data data;             /* of the last run */
    int64_t padding_multiplied, padding_skipped;   /* outputs that told, see special.c */
    bool keep;                          /* keep the output of the next run in `kept` ... */
    double *kept;                       /* ... as doubles, channels first */
    int64_t runs;                       /* where operands lie changes from run to run: PLACEMENTS ways */
    struct suspects *suspects;          /* not NULL while a failure is explained */
};

struct check {
    const char *name;
    const char *sees, *blind;           /* what it can see, and what it can't */
    bool on_problems;                   /* looks at the problems that the user named, too */
    void (*run)(struct checker *checker);
};

extern const struct check check_small, check_covering, check_seams, check_layers, check_real, check_threads, check_turns;
extern const struct check check_probes, check_special, check_limits;

/* Run the kernel on one problem and judge it.  False when it failed: the check must return. */
bool check_data(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                int threads);

/* Did the plan's last run end in a failure that the kernel told of?  Then that is the finding, and true is returned. */
bool check_reported(struct checker *checker, const struct conv_plan *plan);

/* A problem is about to be run: what a finding would say about it. */
void check_begins(struct checker *checker, const struct conv_problem *problem, uint64_t seed, int threads);

/* As check_data(), with integers (compared bit for bit) or other numbers (compared against the bound). */
bool check_problem(struct checker *checker, const struct conv_problem *problem,
                   const struct conv_fill *fill, int threads);

/* As above, with data on which every order of summation is exact; problems without such data are passed over. */
bool check_exact(struct checker *checker, const struct conv_problem *problem, int threads);

/* As check_data(), with operands placed in every way that there is; a large problem, in the next way only. */
enum { PLACEMENTS = 4 };
bool check_placements(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                      int threads);

/* One problem in all passes, layouts and types that the kernel computes, backward passes without activation: the first
 * for which `one` returns false ends it. */
typedef bool check_one(struct checker *checker, const struct conv_problem *problem);
bool check_all_modes(struct checker *checker, struct conv_problem problem, check_one *one);

/* The most multiply-adds that a problem can have, padding included. */
double check_macs(const struct conv_problem *problem);

/* Problems that all checks compared. */
int64_t check_problems(const struct conv_verification *result);

/* The verification can't be done: INCONCLUSIVE, with why.  Returns false. */
bool check_impossible(struct checker *checker, const char *why);

/* Above this many multiply-adds integers are compared by checksum, which sees no less, and of real numbers only some
 * outputs are looked at, which sees less.  The reference does 200 million in about a second. */
static const double check_exact_macs = 20e6, check_real_macs = 200e6;

/* As check_exact(), for such a problem: by checksum. */
bool large_check_exact(struct checker *checker, const struct conv_problem *problem, int threads);

/* Judge one output of such a problem.  False if it is wrong, or nothing could be found out. */
bool large_judge_integers(struct checker *checker, const struct conv_problem *problem,
                          const struct conv_operands *operands, enum conv_operand output);
bool large_judge_spots(struct checker *checker, const struct conv_problem *problem,
                       const struct conv_operands *operands, enum conv_operand output);

/* Find the wrong elements of one output and describe them.  False if there are none. */
struct judging { bool exact; enum conv_accuracy accuracy; };
bool judge_output(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                  enum conv_operand output, const struct conv_truth *truth, const double *got, struct judging how);

/* Where integers came out of a transform: round them first. */
void judge_rounds(double *got, int64_t count, struct judging how);

/* As above, for some elements: truth element i is that of output element[i]; `got` has all of them. */
bool judge_elements(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                    enum conv_operand output, const struct conv_truth *truth, const int64_t *element,
                    const double *got, enum conv_accuracy accuracy);

/* The index of an output element, as in conv_wrong. */
void judge_index(int64_t index[5], const struct conv_problem *problem, enum conv_operand operand, int64_t element);

/* The mistakes that are still possible: those with which the reference gives exactly what the kernel gave. */
struct suspects { unsigned possible; };
void suspect_all(struct suspects *suspects);
void suspect_those_who_fit(struct suspects *suspects, const struct conv_problem *problem,
                           enum conv_operand output, const struct conv_operands *operands, const double *got,
                           bool exact);

/* Put the first suspect into words, in finding->guess, or a constant factor, if there is one. */
void suspect_name(struct conv_finding *finding, const struct suspects *suspects);

/* Try one problem.  If the kernel fails on it the finding is in checker->shared->result, and true is returned. */
typedef bool problem_test(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                          int threads);

/* In this process: for failures that leave it alive. */
problem_test attempt_here;

/* In a child of its own. */
problem_test attempt_in_child;

/* The same data for another problem: integers may be larger where sums are shorter. */
struct check_data data_for(const struct check_data *data, const struct conv_problem *problem,
                           enum conv_accuracy accuracy);

/* Replace the finding by that of the smallest problem that still fails, in at most `seconds`. */
void shrink(struct checker *checker, const struct check_data *data, problem_test *fails, double seconds);

/* Run all checks in a forked child, and find out what became of it. */
enum conv_status run_forked(struct checker *checker, void (*run_checks)(struct checker *), struct conv_error *error);

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
