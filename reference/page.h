/* page.h - what the pages of the reference share: how they add, and what they return.
 *
 * A page is one formula as one function, written to be read.  It gets its inputs as doubles with the
 * channels first, and fills a conv_truth: for each output its value, the sum of the absolute values of
 * its products, and how many products there are.  It returns how many multiplications it did.
 *
 * Each page is compiled twice, for problems of f32 and of f64: `wide` is the type in which it adds.
 * Read next: ref_forward.c
 */
#ifndef CONVREF_REFERENCE_PAGE_H
#define CONVREF_REFERENCE_PAGE_H

#include <convref/kernel.h>
#include <convref/reference.h>
#include <math.h>

#ifdef CONV_REFERENCE_F64
typedef long double wide;
enum { REFERENCE_TYPES = 1u << CONV_F64 };
#else
typedef double wide;   /* a product of two floats has 48 bits: exact in a double */
enum { REFERENCE_TYPES = 1u << CONV_F32 };
#endif

/* One output on its way. */
struct sum {
    wide value;         /* SUM x * w */
    double magnitude;   /* SUM |x| |w| */
    int64_t taps;       /* products so far */
};

/* The inputs of a pass: x, weights, biases, or the gradient in y's place.  NULL: not an input. */
struct doubles {
    const double *x, *w, *bias, *pw, *pw_bias, *y, *ew, *ew_bias;
    void *row;   /* separable: room for one struct sum for each middle channel; then, if it is one of an inverted
                  * residual, for each channel and position that the depthwise stage reads */
};

static inline void sum_add(struct sum *sum, double x, double w)
{
    const wide product = (wide)x * w;
    sum->value += product;
    sum->magnitude += fabs((double)product);
    sum->taps++;
}

static inline void sum_add_bias(struct sum *sum, double bias)
{
    sum->value += bias;
    sum->magnitude += fabs(bias);
}

/* The activation; NaN passes through. */
static inline wide activate(enum conv_activation act, wide value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* Output i is complete. */
static inline void truth_set(struct conv_truth *truth, int64_t i, const struct sum *sum,
                             enum conv_activation act)
{
    truth->value[i] = (double)activate(act, sum->value);
    truth->magnitude[i] = sum->magnitude;
    truth->taps[i] = sum->taps;
}

#define PAGE(name) CONV_SYMBOL(page_##name)

typedef int64_t page_function(struct conv_truth *out, const struct conv_problem *conv,
                              const struct doubles *in);

page_function page_forward__f32, page_backward_data__f32, page_backward_weights__f32, page_bias__f32,
    page_transposed__f32, page_separable__f32, page_inverted_residual__f32, page_scatter__f32;
page_function page_forward__f64, page_backward_data__f64, page_backward_weights__f64, page_bias__f64,
    page_transposed__f64, page_separable__f64, page_inverted_residual__f64, page_scatter__f64;

/* Run a page as a kernel: widen the operands into the scratch, compute, narrow the result. */
void reference_run(const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, page_function *page);
size_t reference_scratch(const struct conv_problem *conv, int threads);

/* The last lines of a page: put it into the table of kernels. */
#define CONV_REFERENCE(id, page, ...) \
    static void run(const struct conv_problem *conv, const struct conv_operands *operands, \
                    const struct conv_workspace *workspace) \
    { \
        reference_run(conv, operands, workspace, page); \
    } \
    CONV_KERNEL(id, .types = REFERENCE_TYPES, .run = run, .scratch_bytes = reference_scratch, \
                .layouts = 1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST, __VA_ARGS__)

#endif
