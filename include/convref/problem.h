/* problem.h - one convolution: its sizes as a plain struct, and as one line of text.
 *
 * The letters, everywhere in convref (formulas, code, figures, JSON):
 *
 *     input  N C D H W       filter  K T R S       output  Z P Q       groups  G
 *
 * 1-D problems use W, S, Q; 2-D ones add H, R, P; 3-D ones add D, T, Z.  The operation is
 * cross-correlation, as in every framework: the filter is not flipped.
 *
 *   y[n][k][z][p][q] = bias[k] +  SUM   x[n][c][z*stride - pad + t*dilation][...][...] * w[k][c'][t][r][s]
 *                              c,t,r,s
 *
 * where c runs over the C/G channels of k's group, c' counts them from 0, and x is 0 outside.
 *
 * The text has the same names as the struct:
 *
 *     c=32 in=112x112 k=64 filter=3x3                      n=1 groups=1 stride=1 pad=0 dilation=1 ...
 *     n=8 c=256 in=56x56 k=256 filter=3x3 groups=256 stride=2 pad=1 bias=1 act=relu layout=nhwc
 *     op=separable c=8 in=128x128 k=64 filter=3x3 bias=1   a depthwise stage, then a pointwise one
 *     op=separable c=24 in=56x56 k=24 filter=3x3 pad=1 expand=144 residual=1      an inverted residual
 *     op=transposed c=64 in=14x14 k=32 filter=4x4 stride=2 pad=1 output_pad=0
 *
 * docs/problem.md explains every key.  oneDNN's benchdnn strings are read as well.
 * Not here: data (tensor.h), code that computes (kernel.h), counts (count.h).
 *
 * Threads: safe; nothing here is kept.   Read next: tensor.h
 */
#ifndef CONVREF_PROBLEM_H
#define CONVREF_PROBLEM_H

#include <convref/base.h>
#include <convref/dtype.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CONV_D, CONV_H, CONV_W, CONV_AXES };   /* depth, height, width */
enum { CONV_PROBLEM_TEXT = 512 };             /* bytes that hold any problem as text, with its 0 */

enum conv_op { CONV_OP_CONV, CONV_OP_SEPARABLE, CONV_OP_TRANSPOSED, CONV_OPS };
enum conv_pass { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS, CONV_PASSES };
enum conv_layout { CONV_CHANNELS_FIRST, CONV_CHANNELS_LAST, CONV_LAYOUTS };
enum conv_activation { CONV_ACT_NONE, CONV_ACT_RELU, CONV_ACT_RELU6, CONV_ACTIVATIONS };

/* What a problem is called.  Derived from the sizes by conv_problem_kind(), never stored. */
enum conv_kind {
    CONV_STANDARD,    /* every output channel sees every input channel */
    CONV_POINTWISE,   /* standard with a filter of 1 on every axis */
    CONV_GROUPED,     /* 1 < groups, and not depthwise */
    CONV_DEPTHWISE,   /* groups = C > 1: K = multiplier * C */
    CONV_SEPARABLE,   /* depthwise, then pointwise */
    CONV_TRANSPOSED,  /* the gradient of a convolution as an operation of its own */
    CONV_INVERTED_RESIDUAL,   /* separable with a pointwise stage in front, with x added to y, or with both */
    CONV_KINDS
};

/* One spatial axis of a problem, in elements. */
struct conv_axis {
    int64_t in;          /* D, H or W: elements of the input */
    int64_t filter;      /* T, R or S: taps of the filter */
    int64_t stride;      /* input elements between two windows (transposed: output elements) */
    int64_t dilation;    /* input elements between two taps; 1 is a dense filter */
    int64_t pad_begin;   /* zeros before the first element (transposed: outputs cut off there) */
    int64_t pad_end;     /* zeros behind the last one */
    int64_t output_pad;  /* transposed only: outputs added at the end */
    int64_t out;         /* Z, P or Q: elements of the output; derived by conv_problem_finish() */
};

struct conv_problem {
    enum conv_op op;
    enum conv_pass pass;
    enum conv_layout layout;         /* of x and y; weights are K x C/G x T x R x S in both */
    enum conv_type type;
    enum conv_activation act;        /* applied to y, after the bias */
    enum conv_activation mid_act;    /* separable: applied between the stages */
    bool bias;                       /* separable: every stage has one */
    int rank;                        /* spatial axes in use: 1, 2 or 3 */
    int64_t n, c, k, groups;
    int64_t mult;                    /* separable: outputs per channel of the depthwise stage; else 1 */
    struct conv_axis axis[CONV_AXES];/* axes not in use have size, filter and stride 1 */
    int64_t expand;                  /* separable: channels that a pointwise stage in front makes of C; 0: none */
    bool residual;                   /* separable: x is added to y, after act */
};

/* ---- text and JSON ---------------------------------------------------------------------------- */

/* Read one line of text, convref's or benchdnn's.  On failure `error` points at the token. */
CONV_API enum conv_status conv_problem_parse(struct conv_problem *problem, const char *text,
                                             struct conv_error *error);

/* Write the canonical text: defaults left out, `same` written as numbers.  Parsing it gives the
 * same problem again.  Returns `text`. */
CONV_API char *conv_problem_print(char text[CONV_PROBLEM_TEXT], const struct conv_problem *problem);

/* Read a JSON object whose keys are those of the text, and lists where the text has 3x3. */
CONV_API enum conv_status conv_problem_from_json(struct conv_problem *problem, const char *json,
                                                 struct conv_error *error);

/* The problem as a JSON object on one line.  The caller frees it; NULL if memory is short. */
CONV_API char *conv_problem_to_json(const struct conv_problem *problem);

/* Check a problem that was filled in by hand, and derive its output sizes.  Every product of sizes
 * that convref will ever form is checked for overflow here, before anything is allocated. */
CONV_API enum conv_status conv_problem_finish(struct conv_problem *problem, struct conv_error *error);

/* A problem with every default set and no sizes: where filling in by hand starts. */
CONV_API struct conv_problem conv_problem_default(int rank);

CONV_API bool conv_problem_equal(const struct conv_problem *a, const struct conv_problem *b);

/* The bytes of a struct conv_problem, for callers that only pass it on (Python's ctypes). */
CONV_API size_t conv_problem_size(void);

/* ---- what follows from the sizes ---------------------------------------------------------------- */

CONV_API enum conv_kind conv_problem_kind(const struct conv_problem *problem);
CONV_API const char *conv_kind_name(enum conv_kind kind);     /* "standard", "pointwise", ... */
CONV_API const char *conv_op_name(enum conv_op op);           /* "conv", "separable", "transposed" */
CONV_API const char *conv_pass_name(enum conv_pass pass);     /* "forward", "backward_data", ... */
CONV_API const char *conv_activation_name(enum conv_activation act);
CONV_API const char *conv_layout_name(enum conv_layout layout, int rank);  /* "nchw", "nwc", ... */

/* The last two stages of a separable problem, as problems of their own. */
CONV_API void conv_separable_stages(struct conv_problem *depthwise, struct conv_problem *pointwise,
                                    const struct conv_problem *separable);

enum { CONV_MOST_STAGES = 3 };

/* All stages of a problem as convolutions of their own, in the order in which they are computed: three of an inverted
 * residual that expands (pointwise, depthwise, pointwise), two of a separable problem, otherwise the problem itself.
 * Returns how many.  That x is added at the end is in none of them. */
CONV_API int conv_stages(struct conv_problem stages[CONV_MOST_STAGES], const struct conv_problem *problem);

/* Separable: channels that the depthwise stage reads (C, or those of expand), and those that it makes. */
static inline int64_t conv_wide_channels(const struct conv_problem *separable)
{
    return separable->expand > 0 ? separable->expand : separable->c;
}

static inline int64_t conv_middle_channels(const struct conv_problem *separable)
{
    return conv_wide_channels(separable) * separable->mult;
}

/* The most products that any one output of the pass can have: C/G * T*R*S in the forward pass. */
CONV_API int64_t conv_fan_in(const struct conv_problem *problem);

/* ---- one axis: which tap of which output reads which input --------------------------------------- */

struct conv_range { int64_t begin, end; };   /* begin <= i < end; empty when begin == end */

/* The input position that tap `tap` of output `out` reads.  It may lie outside, in the padding. */
static inline int64_t conv_input_at(const struct conv_axis *axis, int64_t out, int64_t tap)
{
    return out * axis->stride - axis->pad_begin + tap * axis->dilation;
}

static inline bool conv_inside(const struct conv_axis *axis, int64_t position)
{
    return position >= 0 && position < axis->in;
}

/* ceil(a / b) for b > 0 */
static inline int64_t conv_ceil_div(int64_t a, int64_t b)
{
    return a > 0 ? (a - 1) / b + 1 : -(-a / b);
}

/* The greatest common divisor of a > 0 and b >= 0. */
static inline int64_t conv_gcd(int64_t a, int64_t b)
{
    return b ? conv_gcd(b, a % b) : a;
}

static inline struct conv_range conv_clip(int64_t begin, int64_t end, int64_t limit)
{
    struct conv_range r;
    r.begin = begin < 0 ? 0 : begin > limit ? limit : begin;
    r.end = end < r.begin ? r.begin : end > limit ? limit : end;
    return r;
}

/* The taps of output `out` that read inside the input. */
static inline struct conv_range conv_taps_inside(const struct conv_axis *axis, int64_t out)
{
    const int64_t start = axis->pad_begin - out * axis->stride;
    return conv_clip(conv_ceil_div(start, axis->dilation),
                     conv_ceil_div(start + axis->in, axis->dilation), axis->filter);
}

/* The outputs whose tap `tap` reads inside the input. */
static inline struct conv_range conv_outputs_inside(const struct conv_axis *axis, int64_t tap)
{
    const int64_t start = axis->pad_begin - tap * axis->dilation;
    return conv_clip(conv_ceil_div(start, axis->stride),
                     conv_ceil_div(start + axis->in, axis->stride), axis->out);
}

/* From the first to the last input of one window: (filter - 1) * dilation + 1. */
static inline int64_t conv_extent(const struct conv_axis *axis)
{
    return (axis->filter - 1) * axis->dilation + 1;
}

/* The axis seen from the other side: outputs become inputs.  A transposed convolution writes where
 * the mirrored convolution reads, so everything above serves it too. */
static inline struct conv_axis conv_mirror(struct conv_axis axis)
{
    const int64_t in = axis.in;
    axis.in = axis.out;
    axis.out = in;
    return axis;
}

#ifdef __cplusplus
}
#endif
#endif
