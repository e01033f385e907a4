/* explain_by_hand.c - the window of an output, and its sum product by product, as text.
 *
 * Declared in explain_output.h.   Not here: which products an output has, and their numbers (explain_output.c).   Read next: explain_picture.c
 */
#include "verify/program/explain_output.h"

#include <inttypes.h>
#include <string.h>

#include <convref/define.h>

enum { MOST_LINES = 60, MOST_MIDDLES = 8, WIDEST = 60 };

/* ---- the window ------------------------------------------------------------------------------------------------ */

/* What stands at a position: '#' a term, '.' the image, '0' a tap in the padding, '-' padding. */
static char mark_at(const struct explained *e, int a, int64_t at)
{
    const struct conv_axis *axis = &e->axis[a];
    bool is_term = false;
    if (e->in == IN_LARGE) {
        const int64_t tap = e->index[2 + a] + axis->pad_begin - at * axis->stride;
        is_term = tap >= 0 && tap % axis->dilation == 0 && tap / axis->dilation < axis->filter;
        return is_term ? '#' : '.';
    }
    if (e->in == IN_SMALL) {
        const int64_t tap = at + axis->pad_begin - e->index[2 + a] * axis->stride;
        is_term = tap >= 0 && tap % axis->dilation == 0 && tap / axis->dilation < axis->filter;
    } else {
        is_term = explain_small_of(axis, at, e->index[2 + a]) >= 0;
    }
    return conv_inside(axis, at) ? is_term ? '#' : '.' : is_term ? '0' : '-';
}

static void print_window_along(const struct explained *e, int a)
{
    const struct conv_axis *axis = &e->axis[a];
    const bool on_small = e->in == IN_LARGE;
    const int64_t first = on_small ? 0 : -axis->pad_begin, last = on_small ? axis->out : axis->in + axis->pad_end;
    printf("  %c: ", (on_small ? e->small.letters : e->large.letters)[a]);
    if (last - first > WIDEST) {
        printf("%" PRId64 " of %" PRId64 " inside, of 0..%" PRId64 "\n", explain_terms_along(e, a, e->index[2 + a]),
               e->in == IN_WEIGHTS ? axis->out : axis->filter, (on_small ? axis->out : axis->in) - 1);
        return;
    }
    for (int64_t at = first; at < last; at++)
        putchar(mark_at(e, a, at));
    putchar('\n');
}

void explain_print_window(const struct explained *e)
{
    static const char *const heads[] = {
        [IN_SMALL] = "The window of that output   # tap   . image   0 tap in the padding   - padding",
        [IN_LARGE] = "What has that output in its window   # so   . not so",
        [IN_WEIGHTS] = "What that weight is multiplied with   # so   . not so   0 in the padding   - padding" };
    printf("\n%s\n", heads[e->in]);
    for (int a = CONV_AXES - e->problem.rank; a < CONV_AXES; a++)
        print_window_along(e, a);
}

/* ---- the sum by hand ------------------------------------------------------------------------------------------- */

/* "x[0][1][2][3]" without the axes that the problem lacks, and in the order of its layout */
static void print_element(const struct conv_problem *p, const char *name, int64_t n, int64_t channel,
                          const int64_t position[CONV_AXES])
{
    const bool last = p->layout == CONV_CHANNELS_LAST && strcmp(name, "w") && strcmp(name, "dw");
    printf("%s[%" PRId64 "]", name, n);
    if (!last)
        printf("[%" PRId64 "]", channel);
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++)
        printf("[%" PRId64 "]", position[a]);
    if (last)
        printf("[%" PRId64 "]", channel);
}

static void print_product(const struct explained *e, const struct explained_product *product)
{
    const struct conv_problem *p = &e->problem;
    const double small = explain_small_value(e, product), large = explain_large_value(e, product);
    const double weight = explain_weight(e, product), first = e->in == IN_SMALL ? large : small;
    const double second = e->in == IN_WEIGHTS ? large : weight;
    fputs("    + ", stdout);
    if (e->in == IN_SMALL)
        print_element(p, e->large.name, product->n, product->large_channel, product->large);
    else
        print_element(p, e->small.name, product->n, product->small_channel, product->small);
    fputs(" * ", stdout);
    if (e->in == IN_WEIGHTS)
        print_element(p, e->large.name, product->n, product->large_channel, product->large);
    else if (explain_is_separable(e))
        print_element(p, "w", product->small_channel, 0, product->tap);
    else
        print_element(p, "w", product->small_channel, product->in_group, product->tap);
    printf(" = %5g * %5g = %6g\n", first, second, first * second);
}

static void print_bias(const char *name, int64_t channel, double value)
{
    char text[48];
    snprintf(text, sizeof text, "%s[%" PRId64 "]", name, channel);
    printf("      %-43s = %5g\n", text, value);
}

/* The bias and the products, `room` lines of them at most. */
static void print_products(const struct explained *e, int64_t room)
{
    const int64_t count = explain_is_separable(e) ? explain_candidates(e) / conv_middle_channels(&e->problem)
        : explain_candidates(e);
    int64_t lines = 0;
    if (e->problem.bias && e->problem.pass == CONV_FORWARD)
        print_bias("bias", e->index[1], explain_value(e, CONV_BIAS, e->index[1]));
    for (int64_t i = 0; i < count; i++) {
        struct explained_product product;
        if (explain_product(&product, e, i) && lines++ < room)
            print_product(e, &product);
    }
    if (lines > room)
        printf("    + ... %" PRId64 " more products\n", lines - room);
}

/* The middle channels, the first with all its products, and then what is made of them. */
static int64_t print_middles(const struct explained *e)
{
    const struct conv_problem *p = &e->problem;
    const int64_t channels = conv_middle_channels(p);
    for (int64_t c = 0; c < channels && c < MOST_MIDDLES; c++) {
        const struct explained middle = explain_middle(e, c);
        int64_t products;
        const double sum = explain_plain_sum(&middle, &products);
        if (c == 0)
            print_products(&middle, MOST_LINES);
        printf("    m[%" PRId64 "] = %g   (%" PRId64 " products)", c, sum, products);
        if (p->mid_act != CONV_ACT_NONE)
            printf(", %s -> %g", conv_activation_name(p->mid_act), explain_activated(p->mid_act, sum));
        puts("");
    }
    if (channels > MOST_MIDDLES)
        printf("    ... %" PRId64 " more middle channels\n", channels - MOST_MIDDLES);
    puts("");
    if (p->bias)
        print_bias("pw_bias", e->index[1], explain_value(e, CONV_PW_BIAS, e->index[1]));
    for (int64_t c = 0; c < channels && c < MOST_LINES; c++)
        printf("    + m[%" PRId64 "] * pw[%" PRId64 "][%" PRId64 "] = %5g * %5g = %6g\n", c, e->index[1], c,
               explain_middle_value(e, c), explain_pointwise_weight(e, c),
               explain_middle_value(e, c) * explain_pointwise_weight(e, c));
    if (channels > MOST_LINES)
        printf("    + ... %" PRId64 " more products\n", channels - MOST_LINES);
    return channels;
}

static double linear_sum(const struct explained *e)
{
    struct explained linear = *e;
    linear.problem.act = CONV_ACT_NONE;
    linear.problem.residual = false;
    return explain_sum(&linear);
}

void explain_print_sum(const struct explained *e)
{
    const struct conv_problem *p = &e->problem;
    const enum conv_operand output = e->in == IN_WEIGHTS ? CONV_WEIGHTS : e->in == IN_SMALL ? e->small.operand
        : e->large.operand;
    int64_t products = 0;
    printf("\nBy hand, with integers of seed %" PRIu64 " (as `convref run` fills them)\n  ", e->fill.seed);
    print_element(p, conv_operand_name(p, output), e->index[0], e->index[1], e->index + 2);
    puts("");
    if (explain_is_separable(e)) {
        products = print_middles(e);
    } else {
        explain_plain_sum(e, &products);
        print_products(e, MOST_LINES);
    }
    const double sum = linear_sum(e);
    printf("    = %g   (%" PRId64 " products)\n", sum, products);
    if (p->pass == CONV_FORWARD && p->act != CONV_ACT_NONE)
        printf("    %s -> %g\n", conv_activation_name(p->act), explain_activated(p->act, sum));
    if (p->residual) {
        fputs("    + ", stdout);
        print_element(p, "x", e->index[0], e->index[1], e->index + 2);
        printf(" = %g -> %g\n", explain_added(e), explain_sum(e));
    }
}
