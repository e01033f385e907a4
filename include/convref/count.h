/* count.h - parameters, multiply-adds and bytes of one problem, as closed formulas.
 *
 * One place, one formula each; tests compare them with a reference that counts its own multiplications.
 * Whole networks are counted in network.h.   The formulas are derived in docs/counting.md.
 *
 * Threads: safe; nothing here is kept.   Read next: network.h
 */
#ifndef CONVREF_COUNT_H
#define CONVREF_COUNT_H

#include <convref/problem.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_count {
    int64_t weights;       /* parameters without biases */
    int64_t biases;
    int64_t macs;          /* multiply-adds, products with padding among them: the usual convention */
    int64_t macs_inside;   /* without products with padding: what must really be done */
    int64_t bias_adds;     /* additions of (or, backwards, to) a bias */
    int64_t bytes;         /* each operand of the pass, once */
    double intensity;      /* FLOPs of the pass for each of these bytes: 2 * macs_inside / bytes */
};

CONV_API void conv_count_problem(struct conv_count *count, const struct conv_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
