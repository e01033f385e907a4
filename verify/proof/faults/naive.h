/* naive.h - a right convolution with places where a mistake can be made.  Internal to the planted faults.
 *
 * One walk over all products serves every operation and every pass: a product joins one element of x, one of w and
 * one of y, and the pass says which of the three is summed.  A mistake is a few functions that the walk calls; those
 * that are missing do nothing, so that a fault shows what is wrong and nothing else.
 *
 * Without a mistake it is right (kernel awkward_walk of proof/accept), and slow.   Read next: faults.h, channels.c
 */
#ifndef CONVREF_VERIFY_PROOF_FAULTS_NAIVE_H
#define CONVREF_VERIFY_PROOF_FAULTS_NAIVE_H

#include <convref/kernel.h>

/* Which stage of a separable problem or an inverted residual a product or a result belongs to, and of whose call. */
struct stage {
    enum { NAIVE_ONLY, NAIVE_IN_FRONT, NAIVE_AROUND, NAIVE_LAST } which;
    const struct conv_problem *whole;
    const struct conv_operands *operands;
};

/* One product.  A mistake moves it by changing c, k, n or the positions, which must stay inside their axes. */
struct product {
    const struct conv_problem *conv;   /* of a separable problem: the stage */
    const struct conv_workspace *workspace;
    struct stage stage;
    int64_t n, g, c, k;                /* c and k count through all groups */
    int64_t in[CONV_AXES], tap[CONV_AXES], out[CONV_AXES];   /* transposed: `in` still is the position in x */
};

/* One element that is about to be stored. */
struct result {
    const struct conv_problem *conv;
    const struct conv_operands *operands;
    const struct conv_workspace *workspace;
    struct stage stage;
    enum conv_operand operand;         /* y, or dx, dw, dbias */
    int64_t n, k, at[CONV_AXES];       /* of y and dx; k is c in dx */
    int64_t element;                   /* where it goes; -1: where n, k and `at` say */
    int64_t bias;                      /* the element of the bias that is added; -1: none */
    enum conv_activation act;
    double sum;
};

/* One call, before its first product and after its last. */
struct call {
    const struct conv_problem *conv;
    const struct conv_operands *operands;
    const struct conv_workspace *workspace;
    char *spare;                       /* the mistake's own part of the scratch */
};

struct mistake {
    void (*see)(struct conv_problem *seen);                  /* axes as the walk sees them; memory stays as it is */
    bool (*product)(struct product *p);                      /* false: it is lost */
    int64_t (*weight_at)(const struct product *p);           /* the element of w that is read */
    int64_t (*input_at)(const struct product *p);            /* the element of x that is read */
    bool (*bias_gradient)(const struct product *p);          /* false: dy isn't added to dbias */
    double (*narrow)(double input);                          /* inputs as they are read */
    double (*add)(const struct product *p, double sum, double product);
    bool (*result)(struct result *r);                        /* false: it isn't stored */
    void (*before)(const struct call *call);
    void (*after)(const struct call *call);
    size_t (*spare_bytes)(const struct conv_problem *conv);
    double outside;                                          /* what taps read in the padding */
    double (*outside_at)(const struct product *p);           /* the same, by place */
    bool adds_to_output, keeps_sums;                         /* y += sum; sums of the call before aren't cleared */
    bool forgets_x, adds_x_early;                            /* of a residual: never, or before the activation */
};

void naive_run(const struct conv_problem *conv, const struct conv_operands *operands,
               const struct conv_workspace *workspace, const struct mistake *mistake);
size_t naive_scratch(const struct conv_problem *conv, const struct mistake *mistake);

/* A mistake as a kernel's functions run_ID() and scratch_ID(); the arguments behind the name are its members. */
#define NAIVE_FUNCTIONS(id, ...) \
    static const struct mistake mistake_##id = { __VA_ARGS__ }; \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        naive_run(conv, operands, workspace, &mistake_##id); \
    } \
    static size_t scratch_##id(const struct conv_problem *conv, int threads) \
    { \
        (void)threads; \
        return naive_scratch(conv, &mistake_##id); \
    }

/* Round to nearest, ties to even, at `bits` significant bits; or cut off.  Exponents keep their range. */
double naive_round_to(double value, int bits);
double naive_cut_to(double value, int bits);

/* Numbers in the problem's own type. */
double naive_round(const struct conv_problem *conv, double value);
double naive_activate(enum conv_activation act, double value);
double naive_get(const struct conv_problem *conv, const void *data, int64_t i);
void naive_set(const struct conv_problem *conv, void *data, int64_t i, double value);

/* The element of a tensor of `channels` with the axes' sizes `in` or `out`, in the problem's layout. */
int64_t naive_image_at(const struct conv_problem *conv, int64_t channels, const int64_t size[CONV_AXES],
                       int64_t n, int64_t c, const int64_t at[CONV_AXES]);

#endif
