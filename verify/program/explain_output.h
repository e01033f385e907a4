/* explain_output.h - one output of any problem: its formula, its window, its sum by hand, its picture.  Internal.
 *
 * A convolution and a transposed one are the same relation between two images: a tap of a position of the small image
 * reads, or writes, one position of the large one.  The small image is y of a convolution and x of a transposed one.
 * What an output is made of follows from where it lies: in the small image (its window in the large one), in the
 * large one (the positions that have it in their windows), or in the weights (all positions).
 * Read next: explain_output.c, explain_by_hand.c, explain_picture.c
 */
#ifndef CONVREF_VERIFY_PROGRAM_EXPLAIN_OUTPUT_H
#define CONVREF_VERIFY_PROGRAM_EXPLAIN_OUTPUT_H

#include <convref/tensor.h>
#include <stdio.h>

enum explained_in { IN_SMALL, IN_LARGE, IN_WEIGHTS };

/* An image: which operand it is, its channels, its sizes and the letters of its axes. */
struct explained_image { enum conv_operand operand; const char *name, *letters; int64_t channels, size[CONV_AXES]; };

struct explained {
    struct conv_problem problem;
    enum explained_in in;
    struct conv_axis axis[CONV_AXES];   /* from the small image to the large one: in is large, out is small */
    struct explained_image small, large;
    int64_t index[5];                   /* n, channel, position; of weights: small channel, in its group, tap */
    struct conv_fill fill;
};

/* One product: an element of each image, and the weight. */
struct explained_product {
    int64_t n, small_channel, large_channel, in_group;
    int64_t small[CONV_AXES], large[CONV_AXES], tap[CONV_AXES];
};

/* Choose the output that `at` names, or one with a full window.  False if `at` names none. */
bool explain_choose(struct explained *explained, const struct conv_problem *problem, uint64_t seed, const char *at);
const char *explain_axes(const struct conv_problem *problem);        /* what --at must be */

/* Why no output can be shown, or NULL. */
const char *explain_refuses(const struct explained *explained);

/* How many products the output can have, and product i; false if that lies in the padding. */
int64_t explain_candidates(const struct explained *explained);
bool explain_product(struct explained_product *product, const struct explained *explained, int64_t i);

/* The numbers of a product, and the sum of all with the bias and, forward, the activation.  Of a separable problem:
 * those of the depthwise stage. */
double explain_small_value(const struct explained *explained, const struct explained_product *product);
double explain_large_value(const struct explained *explained, const struct explained_product *product);
double explain_weight(const struct explained *explained, const struct explained_product *product);
double explain_sum(const struct explained *explained);

/* Parts of these: an element of an operand, a sum without its activation and how many products it has, an
 * activation. */
double explain_value(const struct explained *explained, enum conv_operand operand, int64_t i);
double explain_plain_sum(const struct explained *explained, int64_t *products);
double explain_activated(enum conv_activation act, double sum);

/* Of a separable problem: a middle channel as an output of the depthwise stage, its value, and what it is multiplied
 * with. */
bool explain_is_separable(const struct explained *explained);
struct explained explain_middle(const struct explained *explained, int64_t channel);
double explain_middle_value(const struct explained *explained, int64_t channel);
double explain_pointwise_weight(const struct explained *explained, int64_t channel);

/* Of an inverted residual: e at the place of a product, and the x that is added to the output, 0 if none is. */
double explain_expanded(const struct explained *explained, const struct explained_product *product);
double explain_added(const struct explained *explained);

/* Along one axis: how many terms an index has (taps of a window, positions that have it in theirs, positions of a tap);
 * and the small position whose tap `tap` is the large one `at`, or -1. */
int64_t explain_terms_along(const struct explained *explained, int a, int64_t at);
int64_t explain_small_of(const struct conv_axis *axis, int64_t at, int64_t tap);

void explain_print_formula(const struct conv_problem *problem);      /* (explain_formula.c) */
void explain_print_window(const struct explained *explained);        /* (explain_by_hand.c) */
void explain_print_sum(const struct explained *explained);
void explain_draw(FILE *svg, const struct explained *explained);     /* (explain_picture.c) */

#endif
