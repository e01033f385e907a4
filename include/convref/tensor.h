/* tensor.h - arrays with a shape, the operands of a problem, and seeded data for them.
 *
 * A problem has up to eight operands.  Forward passes read x and the weights and write y; backward
 * passes read and write gradients of the same shapes, so the same names serve all passes:
 *
 *     operand   shape (channels first)            forward   backward_data   backward_weights
 *     x         N x C x [D x H x] W               in        out (dx)        in
 *     w         K x C/G x [T x R x] S             in        in              out (dw)
 *     bias      K                                 in        -               out (dbias)
 *     y         N x K x [Z x P x] Q               out       in (dy)         in (dy)
 *
 * Channels last moves C and K of x and y to the end and leaves the weights as they are.
 * Transposed: w is C x K/G x ..., the weights of the convolution whose gradient it is, which is how
 * PyTorch and ONNX store them.  Separable: w is C*mult x 1 x ... with a bias of C*mult, and two more
 * operands, pw (K x C*mult x 1 ...) and pw_bias (K), belong to the pointwise stage.  An inverted residual with
 * expand=E has E in the place of C there, and ew (E x C x 1 ...) and ew_bias (E) of the stage in front.
 *
 * Threads: safe for different tensors, and for different parts of one; nothing here is kept.   Read next: kernel.h
 */
#ifndef CONVREF_TENSOR_H
#define CONVREF_TENSOR_H

#include <convref/problem.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CONV_MAX_RANK = 8, CONV_ALIGNMENT = 64 };

/* An array in row-major order.  `data` of a created tensor is CONV_ALIGNMENT-byte aligned; kernels
 * must not rely on more than the alignment of one element, because users' arrays have no more. */
struct conv_tensor {
    enum conv_type type;
    int rank;
    int64_t dims[CONV_MAX_RANK];
    void *data;
};

/* Allocate a tensor; its elements are not initialised.  Free it with conv_tensor_free(). */
CONV_API enum conv_status conv_tensor_create(struct conv_tensor *tensor, enum conv_type type,
                                             int rank, const int64_t *dims,
                                             struct conv_error *error);
CONV_API void conv_tensor_free(struct conv_tensor *tensor);

CONV_API int64_t conv_tensor_count(const struct conv_tensor *tensor);   /* elements */
CONV_API size_t conv_tensor_bytes(const struct conv_tensor *tensor);

/* "1x32x112x112"; returns `text`. */
CONV_API char *conv_shape_print(char text[96], int rank, const int64_t *dims);

/* ---- the operands of a problem ------------------------------------------------------------------ */

enum conv_operand {
    CONV_X, CONV_WEIGHTS, CONV_BIAS, CONV_PW, CONV_PW_BIAS, CONV_Y, CONV_EW, CONV_EW_BIAS, CONV_OPERANDS
};

enum conv_role { CONV_UNUSED, CONV_INPUT, CONV_OUTPUT };

/* Where the operands lie; NULL for those that the problem has not. */
struct conv_operands {
    CONV_ANONYMOUS union {
        CONV_ANONYMOUS struct { void *x, *w, *bias, *pw, *pw_bias, *y, *ew, *ew_bias; };
        void *at[CONV_OPERANDS];   /* the same, by enum conv_operand */
    };
};

/* What this pass does with an operand. */
CONV_API enum conv_role conv_operand_role(const struct conv_problem *problem,
                                          enum conv_operand operand);

/* The shape of an operand.  Returns its rank, 0 if the problem has no such operand. */
CONV_API int conv_operand_shape(int64_t dims[CONV_MAX_RANK], const struct conv_problem *problem,
                                enum conv_operand operand);

/* Elements and bytes; 0 if the problem has no such operand. */
CONV_API int64_t conv_operand_count(const struct conv_problem *problem, enum conv_operand operand);
CONV_API size_t conv_operand_bytes(const struct conv_problem *problem, enum conv_operand operand);

/* "x", "w", ..., or "dx", "dw", ... where this pass has the gradient. */
CONV_API const char *conv_operand_name(const struct conv_problem *problem,
                                       enum conv_operand operand);

/* ---- data ------------------------------------------------------------------------------------------ */

enum conv_fill_kind {
    CONV_FILL_INTEGERS,   /* -range .. range without 0, so that no product can vanish */
    CONV_FILL_UNIFORM,    /* [-range, range), multiples of range / 2^23 */
    CONV_FILL_CONSTANT,   /* range */
    CONV_FILL_IMPULSE     /* range at element `impulse`, 0 elsewhere */
};

struct conv_fill {
    enum conv_fill_kind kind;
    uint64_t seed;
    double range;
    int64_t impulse;
};

/* Element `index` of the tensor called `name`.  It depends on these three and the seed alone, so
 * that threads, GPUs and other languages see the same data:
 *   z = splitmix64(seed ^ fnv1a64(name), index) */
CONV_API double conv_fill_value(const struct conv_fill *fill, const char *name, int64_t index);

/* Fill `count` elements of `data`. */
CONV_API void conv_fill(enum conv_type type, void *data, int64_t count, const char *name,
                        const struct conv_fill *fill);

/* The largest range, at most 8, for which CONV_FILL_INTEGERS in every input of the problem keeps
 * every partial sum below 2^significand of the problem's type: on such data every order of summation
 * gives the same bits.  0 if the sums are too long even for ones. */
CONV_API int conv_exact_range(const struct conv_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
