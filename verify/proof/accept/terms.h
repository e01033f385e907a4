/* terms.h - one output after the other: gather its terms, then sum them in some manner.  Internal to the accept-set.
 *
 * Forward, one stage, both layouts.   Not here: the manners (manners.c).   Read next: terms.c
 */
#ifndef CONVREF_VERIFY_PROOF_ACCEPT_TERMS_H
#define CONVREF_VERIFY_PROOF_ACCEPT_TERMS_H

#include <convref/kernel.h>

/* x[i] * w[i], in the order c, t, r, s; `count` is at most conv_fan_in(). */
struct terms { float *x, *w; int64_t count; float bias; };

/* What is unusual. */
struct manner {
    float (*sum)(const struct terms *terms);
    bool zeros;            /* terms in the padding are there, and their x is 0 */
    bool packed;           /* weights are read from the packed copy, which is reversed */
    bool odd_bytes;        /* x is copied to an odd address first */
    bool columns_first;    /* outputs in the order q, p, z, k, n */
    bool written_twice;    /* with something else before */
};

/* All outputs.  `workspace` has terms_bytes() of scratch; with odd_bytes terms_and_copy_bytes(). */
void terms_compute(const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, const struct manner *manner);
size_t terms_bytes(const struct conv_problem *conv, int threads);
size_t terms_and_copy_bytes(const struct conv_problem *conv, int threads);

/* The plain sum, the first term first. */
float terms_sum(const struct terms *terms);

#endif
