/* sensitivity.h - what the comparison of one output could have missed.
 *
 * One output that was accepted proves little: a product that is zero isn't missed, nor one that vanishes in the
 * activation or below the bound; and of settings that the problem hasn't, nothing is known at all.
 *
 * Threads: safe.   Read next: verify.h (conv_verify_operands)
 */
#ifndef CONVREF_SENSITIVITY_H
#define CONVREF_SENSITIVITY_H

#include <convref/verify.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What it would have taken to see a mistake in one output: each product of its sums is left out in turn, and the rest
 * compared as the output was.  Of a gradient of weights these are the sums of dw; of a separable layer the products
 * of its second stage. */
struct conv_sensitivity {
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

/* As conv_verify_operands(), and then the question what the comparison could have missed: INCONCLUSIVE if no product
 * is missed, whichever is left out.  Without outputs (n=0) it is ACCEPT, and `reason` says that nothing was compared.
 * `seen` may be NULL; it is meant for an ACCEPT or INCONCLUSIVE alone. */
CONV_API enum conv_status conv_sensitivity_verify(struct conv_verification *result, struct conv_sensitivity *seen,
                                                  const struct conv_problem *problem,
                                                  const struct conv_operands *operands, enum conv_accuracy accuracy,
                                                  struct conv_error *error);

/* To be asked after an ACCEPT of conv_verify_operands().  Bounds of a transform are those of planes, and are taken
 * for 0 here: nothing is counted as hidden. */
CONV_API enum conv_status conv_sensitivity_measure(struct conv_sensitivity *sensitivity,
                                                   const struct conv_verification *accepted,
                                                   const struct conv_problem *problem,
                                                   const struct conv_operands *operands, struct conv_error *error);

/* "n=0 k=3 p=1 q=7": the output with the largest bound.  Returns `text`. */
CONV_API char *conv_sensitivity_print(char text[128], const struct conv_sensitivity *sensitivity,
                                      const struct conv_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
