/* examine.h - a list of problems and one kernel: a verdict for each of them.
 *
 * conv_verify_kernel() ends with the first failure.  Here none ends it: a call that crashes, hangs or exits costs its
 * own problem, and the next child goes on behind it.  Each problem is judged as one that was named to the verifier:
 * on integers, bit for bit, with operands in every place and other data in the second call; and on real numbers,
 * against the bound.
 *
 *     struct conv_examined results[COUNT];
 *     struct conv_examination all;
 *     conv_examine(results, &all, kernel, problems, COUNT, &(struct conv_verify_options){ .seed = 1 }, &error);
 *     for (int i = 0; i < COUNT; i++)
 *         puts(conv_verdict_name(results[i].verdict));
 *
 * Not here: which problems (problems.h has sets of them), and the checks that need more than one (verify.h).
 *
 * Threads: as verify.h.   Read next: problems.h, verdict.h
 */
#ifndef CONVREF_EXAMINE_H
#define CONVREF_EXAMINE_H

#include <convref/verify.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What came of one problem. */
struct conv_examined {
    enum conv_verdict verdict;         /* SKIPPED: the kernel doesn't compute it */
    enum conv_fault fault;             /* of REJECT */
    enum conv_operand operand;         /* the output that is wrong, or the operand that was hit */
    int64_t elements, wrong;           /* of that output */
    int shown;
    struct conv_wrong first[CONV_WRONG_SHOWN];
    double worst;                      /* largest error / bound on real numbers */
    double seconds;
    char words[CONV_WORDS];            /* of REJECT, where; of INCONCLUSIVE and SKIPPED, why */
};

/* What came of all of them. */
struct conv_examination {
    int verdicts[4];                   /* how many, by enum conv_verdict */
    int faults[CONV_FAULTS];           /* rejected for this, by enum conv_fault */
    int first[CONV_FAULTS];            /* the index of the first of these; of use where there are some */
    struct conv_finding finding[CONV_FAULTS];   /* and the smallest problem that fails in the same way */
    char warning[CONV_WORDS];          /* what is odd but not wrong; or empty */
};

/* Examine `count` problems: results[i] is of problems[i].
 * Of options: seed, threads, memory_limit and in_process as in conv_verify_kernel(); time_limit is for one problem
 * [60 seconds], and a call that takes half of it hangs; brief: findings are those of the first failures, not shrunk.
 * Fails only if nothing can be examined any more: CONV_NO_MEMORY for a child.  What wasn't reached is INCONCLUSIVE
 * then. */
CONV_API enum conv_status conv_examine(struct conv_examined *results, struct conv_examination *all,
                                       const struct conv_kernel *kernel,
                                       const struct conv_problem *problems, int count,
                                       const struct conv_verify_options *options, struct conv_error *error);

#ifdef __cplusplus
}
#endif
#endif
