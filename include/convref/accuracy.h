/* accuracy.h - classes of arithmetic: what a kernel may claim, and what it is then held to.
 *
 * A kernel declares one (kernel.h); the verifier judges by it: the integers that it must get exactly, the bound of
 * every element otherwise, and whether infinities may spread.  Narrow classes round the inputs or the sums to fewer
 * bits than the problem's type has; transforms (Winograd, FFT) add and subtract inputs before they multiply, so that
 * an error depends on neighbours, too.   Not here: which arithmetic a kernel really uses (arithmetic.h).
 *
 * Threads: safe; nothing here is kept.   Read next: docs/exactness.md
 */
#ifndef CONVREF_ACCURACY_H
#define CONVREF_ACCURACY_H

#include <convref/problem.h>

#ifdef __cplusplus
extern "C" {
#endif

enum conv_accuracy {
    CONV_DIRECT,        /* each product once, any order of summation, in the problem's own type */
    CONV_TF32,          /* inputs rounded to, or cut off at, 11 bits; sums in f32 */
    CONV_BF16_INPUTS,   /* 8 bits */
    CONV_F16_INPUTS,    /* 11 bits, down to 2^-24 */
    CONV_F16_SUMS,      /* inputs, sums and outputs in f16 */
    CONV_WINOGRAD_2,    /* F(2x2, 3x3) and other tiles of two outputs in a row */
    CONV_WINOGRAD_4,
    CONV_WINOGRAD_6,
    CONV_FFT,
    CONV_ACCURACIES
};

struct conv_accuracy_facts {
    const char *name;     /* "winograd4": what a user types */
    const char *words;
    int input_bits;       /* significand of the factors; 0: the type's */
    int sum_bits;         /* significand of sums and outputs; 0: the type's */
    double smallest;      /* the smallest number beside the type's; 0: the type's */
    double growth;        /* of a transform: error / (u * the largest sum of |x||w| of a plane); 0: no transform */
    bool fourier;         /* growth is for each level, and the plane's sums are taken together */
};

CONV_API const struct conv_accuracy_facts *conv_accuracy_facts(enum conv_accuracy accuracy);

/* The class of that name; CONV_ACCURACIES if there is none. */
CONV_API enum conv_accuracy conv_accuracy_of_name(const char *name);

/* Is it a transform?  Then integers are compared after rounding to the nearest. */
CONV_API bool conv_accuracy_transforms(enum conv_accuracy accuracy);

/* Of a Fourier transform: log2 of the points of a plane of this problem, at least 1.  Else 1. */
CONV_API double conv_accuracy_levels(enum conv_accuracy accuracy, const struct conv_problem *problem);

/* Below this sum of |x||w| integers come out right, of a transform after rounding to the nearest. */
CONV_API double conv_accuracy_largest_sum(const struct conv_problem *problem, enum conv_accuracy accuracy);

/* As conv_exact_range(), for a class: the largest range, at most 8, of integer inputs with which every output is
 * exact, or after a transform surely rounds to the right integer.  0 if there is none. */
CONV_API int conv_accuracy_range(const struct conv_problem *problem, enum conv_accuracy accuracy);

#ifdef __cplusplus
}
#endif
#endif
