/* explain_output.c - chooses an output, lists its products, prints its window and its sum.   Declared in
 * explain_output.h.   Read next: explain_formula.c, explain_picture.c
 */
#include "verify/program/explain_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <convref/define.h>

enum { MOST_LINES = 60, MOST_MIDDLES = 8, WIDEST = 60 };
enum { MOST_PRODUCTS = 1 << 24 };   /* a sum that a person waits for */

static bool is_separable(const struct explained *e) { return e->problem.op == CONV_OP_SEPARABLE; }

/* ---- which output ------------------------------------------------------------------------------------------------ */

static struct explained_image image_of(const struct conv_problem *p, bool output)
{
    struct explained_image image = { .operand = output ? CONV_Y : CONV_X, .letters = output ? "ZPQ" : "DHW",
                                     .channels = output ? p->k : p->c };
    image.name = conv_operand_name(p, image.operand);
    for (int a = 0; a < CONV_AXES; a++)
        image.size[a] = output ? p->axis[a].out : p->axis[a].in;
    return image;
}

/* The sizes that the five numbers of --at are below: of the output, or of dw. */
static void sizes_of(int64_t sizes[5], const struct explained *e)
{
    const struct explained_image *image = e->in == IN_LARGE ? &e->large : &e->small;
    sizes[0] = e->in == IN_WEIGHTS ? e->small.channels : e->problem.n;
    sizes[1] = e->in == IN_WEIGHTS ? e->large.channels / e->problem.groups : image->channels;
    if (is_separable(e))
        sizes[1] = e->problem.k;
    for (int a = 0; a < CONV_AXES; a++)
        sizes[2 + a] = e->in == IN_WEIGHTS ? e->axis[a].filter : image->size[a];
}

/* The small position whose tap `tap` is the large position `at`, or -1. */
static int64_t small_of(const struct conv_axis *axis, int64_t at, int64_t tap)
{
    const int64_t steps = at + axis->pad_begin - tap * axis->dilation;
    return steps >= 0 && steps % axis->stride == 0 && steps / axis->stride < axis->out ? steps / axis->stride : -1;
}

/* How many terms an index along one axis has: taps of a window, positions that have it in theirs, positions of a tap. */
static int64_t terms_along(const struct explained *e, int a, int64_t at)
{
    const struct conv_axis *axis = &e->axis[a];
    int64_t count = 0;
    const struct conv_range taps = conv_taps_inside(axis, at), outputs = conv_outputs_inside(axis, at);
    if (e->in != IN_LARGE)
        return e->in == IN_SMALL ? taps.end - taps.begin : outputs.end - outputs.begin;
    for (int64_t tap = 0; tap < axis->filter; tap++)
        count += small_of(axis, at, tap) >= 0;
    return count;
}

/* The first index with the most terms, among those that are soon looked at. */
static int64_t fullest(const struct explained *e, int a, int64_t size)
{
    enum { LOOK = 256, LONGEST = 4096 };
    const struct conv_axis *axis = &e->axis[a];
    int64_t best = 0;
    if (e->in == IN_SMALL) {
        /* the first window that begins inside the image; if that one has padding, all have */
        const int64_t first = conv_ceil_div(axis->pad_begin, axis->stride);
        return first < size && terms_along(e, a, first) == axis->filter ? first : 0;
    }
    for (int64_t at = 1; at < size && at < LOOK && axis->filter <= LONGEST; at++)
        best = terms_along(e, a, at) > terms_along(e, a, best) ? at : best;
    return best;
}

const char *explain_axes(const struct conv_problem *p)
{
    return p->pass == CONV_BACKWARD_WEIGHTS
        ? "--at is, of dw, a filter, a channel and one number for each axis, below the sizes of dw"
        : p->pass == CONV_BACKWARD_DATA ? "--at is n,c and one number for each axis, below the sizes of dx"
        : "--at is n,k and one number for each axis, below the sizes of y";
}

static bool read_at(struct explained *e, const char *at)
{
    int64_t sizes[5];
    sizes_of(sizes, e);
    for (int i = 0; i < 5; i++) {
        char *end;
        if (i == 2)
            i += CONV_AXES - e->problem.rank;
        e->index[i] = strtoll(at, &end, 10);
        if (end == at || e->index[i] < 0 || e->index[i] >= sizes[i] || *end != (i < 4 ? ',' : 0))
            return false;
        at = end + 1;
    }
    return true;
}

bool explain_choose(struct explained *e, const struct conv_problem *p, uint64_t seed, const char *at)
{
    const bool transposed = p->op == CONV_OP_TRANSPOSED;
    int64_t sizes[5];
    *e = (struct explained){ .problem = *p, .small = image_of(p, !transposed), .large = image_of(p, transposed) };
    e->in = p->pass == CONV_BACKWARD_WEIGHTS ? IN_WEIGHTS
        : (p->pass == CONV_FORWARD) == transposed ? IN_LARGE : IN_SMALL;
    for (int a = 0; a < CONV_AXES; a++)
        e->axis[a] = transposed ? conv_mirror(p->axis[a]) : p->axis[a];
    const int range = conv_exact_range(p);
    e->fill = (struct conv_fill){ CONV_FILL_INTEGERS, seed, range > 0 ? range : 1, 0 };
    sizes_of(sizes, e);
    for (int a = 0; a < CONV_AXES && !at; a++)
        e->index[2 + a] = fullest(e, a, sizes[2 + a]);
    return !at || read_at(e, at);
}

const char *explain_refuses(const struct explained *e)
{
    int64_t sizes[5];
    sizes_of(sizes, e);
    if (e->problem.n == 0)
        return "n=0: there are no images, and no output whose window or sum could be shown";
    return conv_fan_in(&e->problem) > MOST_PRODUCTS || explain_candidates(e) > MOST_PRODUCTS
        ? "one output has more than 2^24 products" : NULL;
}

/* ---- its products ------------------------------------------------------------------------------------------------- */

/* Channels of one group.  The depthwise stage of a separable problem has a group for each channel. */
static int64_t small_group(const struct explained *e)
{
    return is_separable(e) ? e->problem.mult : e->small.channels / e->problem.groups;
}

static int64_t large_group(const struct explained *e) { return is_separable(e) ? 1 : e->large.channels / e->problem.groups; }

/* a * b, or more than anybody waits for. */
static int64_t times(int64_t a, int64_t b) { return b > 0 && a > 2 * (int64_t)MOST_PRODUCTS / b ? 2 * MOST_PRODUCTS : a * b; }

int64_t explain_candidates(const struct explained *e)
{
    int64_t count = e->in == IN_SMALL ? large_group(e) : e->in == IN_LARGE ? small_group(e) : e->problem.n;
    for (int a = 0; a < CONV_AXES; a++)
        count = times(count, e->in == IN_WEIGHTS ? e->small.size[a] : e->axis[a].filter);
    return is_separable(e) ? times(count, e->problem.c * e->problem.mult) : count;
}

/* Cut i into the numbers of three axes; what is left over is returned. */
static int64_t cut(int64_t at[CONV_AXES], int64_t i, const struct explained *e)
{
    for (int a = CONV_AXES - 1; a >= 0; a--) {
        const int64_t size = e->in == IN_WEIGHTS ? e->small.size[a] : e->axis[a].filter;
        at[a] = i % size;
        i /= size;
    }
    return i;
}

bool explain_product(struct explained_product *product, const struct explained *e, int64_t i)
{
    const int64_t *index = e->index;
    bool inside = true;
    int64_t rest = cut(e->in == IN_WEIGHTS ? product->small : product->tap, i, e);
    product->n = e->in == IN_WEIGHTS ? rest : index[0];
    for (int a = 0; a < CONV_AXES && inside; a++) {
        const struct conv_axis *axis = &e->axis[a];
        if (e->in == IN_LARGE) {
            product->large[a] = index[2 + a];
            product->small[a] = small_of(axis, index[2 + a], product->tap[a]);
            inside = product->small[a] >= 0;
            continue;
        }
        *(e->in == IN_SMALL ? &product->small[a] : &product->tap[a]) = index[2 + a];
        product->large[a] = conv_input_at(axis, product->small[a], product->tap[a]);
        inside = conv_inside(axis, product->large[a]);
    }
    const int64_t small = small_group(e), large = large_group(e);
    if (e->in == IN_LARGE) {
        product->large_channel = index[1];
        product->small_channel = index[1] / large * small + rest;
        product->in_group = index[1] % large;
    } else {
        product->small_channel = index[e->in == IN_WEIGHTS ? 0 : 1];
        product->in_group = e->in == IN_WEIGHTS ? index[1] : rest;
        product->large_channel = product->small_channel / small * large + product->in_group;
    }
    return inside;
}

/* ---- their numbers ------------------------------------------------------------------------------------------------ */

static double value_of(const struct explained *e, enum conv_operand operand, int64_t i)
{
    return conv_fill_value(&e->fill, conv_operand_name(&e->problem, operand), i);
}

static double element(const struct explained *e, const struct explained_image *image, int64_t n, int64_t channel,
                      const int64_t at[CONV_AXES])
{
    const int64_t *size = image->size, positions = size[0] * size[1] * size[2];
    const int64_t position = (at[0] * size[1] + at[1]) * size[2] + at[2];
    return value_of(e, image->operand, e->problem.layout == CONV_CHANNELS_LAST
                    ? (n * positions + position) * image->channels + channel
                    : (n * image->channels + channel) * positions + position);
}

double explain_small_value(const struct explained *e, const struct explained_product *product)
{
    return element(e, &e->small, product->n, product->small_channel, product->small);
}

double explain_large_value(const struct explained *e, const struct explained_product *product)
{
    return element(e, &e->large, product->n, product->large_channel, product->large);
}

double explain_weight(const struct explained *e, const struct explained_product *product)
{
    int64_t i = product->small_channel * large_group(e) + product->in_group;
    for (int a = 0; a < CONV_AXES; a++)
        i = i * e->axis[a].filter + product->tap[a];
    return value_of(e, CONV_WEIGHTS, i);
}

static double activated(enum conv_activation act, double sum) { return (double)conv_activate(act, (float)sum); }

static double product_value(const struct explained *e, const struct explained_product *product)
{
    return e->in == IN_SMALL ? explain_large_value(e, product) * explain_weight(e, product)
        : e->in == IN_LARGE ? explain_small_value(e, product) * explain_weight(e, product)
        : explain_small_value(e, product) * explain_large_value(e, product);
}

/* A middle channel of a separable problem, as an output of its depthwise stage. */
static struct explained middle_of(const struct explained *e, int64_t channel)
{
    struct explained middle = *e;
    middle.index[1] = channel;
    return middle;
}

static double sum_of(const struct explained *e, int64_t *products)
{
    const int64_t count = is_separable(e) ? explain_candidates(e) / (e->problem.c * e->problem.mult)
        : explain_candidates(e);
    double sum = e->problem.bias && e->problem.pass == CONV_FORWARD ? value_of(e, CONV_BIAS, e->index[1]) : 0;
    *products = 0;
    for (int64_t i = 0; i < count; i++) {
        struct explained_product product;
        if (!explain_product(&product, e, i))
            continue;
        sum += product_value(e, &product);
        ++*products;
    }
    return sum;
}

static double middle_value(const struct explained *e, int64_t channel)
{
    const struct explained middle = middle_of(e, channel);
    int64_t products;
    return activated(e->problem.mid_act, sum_of(&middle, &products));
}

static double pointwise_weight(const struct explained *e, int64_t channel)
{
    return value_of(e, CONV_PW, e->index[1] * e->problem.c * e->problem.mult + channel);
}

double explain_sum(const struct explained *e)
{
    int64_t products;
    if (!is_separable(e)) {
        const double sum = sum_of(e, &products);
        return e->problem.pass == CONV_FORWARD ? activated(e->problem.act, sum) : sum;
    }
    double sum = e->problem.bias ? value_of(e, CONV_PW_BIAS, e->index[1]) : 0;
    for (int64_t c = 0; c < e->problem.c * e->problem.mult; c++)
        sum += middle_value(e, c) * pointwise_weight(e, c);
    return activated(e->problem.act, sum);
}

/* ---- the window ---------------------------------------------------------------------------------------------------- */

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
        is_term = small_of(axis, at, e->index[2 + a]) >= 0;
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
        printf("%" PRId64 " of %" PRId64 " inside, of 0..%" PRId64 "\n", terms_along(e, a, e->index[2 + a]),
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

/* ---- the sum by hand ----------------------------------------------------------------------------------------------- */

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
    else if (is_separable(e))
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
    const int64_t count = is_separable(e) ? explain_candidates(e) / (e->problem.c * e->problem.mult)
        : explain_candidates(e);
    int64_t lines = 0;
    if (e->problem.bias && e->problem.pass == CONV_FORWARD)
        print_bias("bias", e->index[1], value_of(e, CONV_BIAS, e->index[1]));
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
    const int64_t channels = p->c * p->mult;
    for (int64_t c = 0; c < channels && c < MOST_MIDDLES; c++) {
        const struct explained middle = middle_of(e, c);
        int64_t products;
        const double sum = sum_of(&middle, &products);
        if (c == 0)
            print_products(&middle, MOST_LINES);
        printf("    m[%" PRId64 "] = %g   (%" PRId64 " products)", c, sum, products);
        if (p->mid_act != CONV_ACT_NONE)
            printf(", %s -> %g", conv_activation_name(p->mid_act), activated(p->mid_act, sum));
        puts("");
    }
    if (channels > MOST_MIDDLES)
        printf("    ... %" PRId64 " more middle channels\n", channels - MOST_MIDDLES);
    puts("");
    if (p->bias)
        print_bias("pw_bias", e->index[1], value_of(e, CONV_PW_BIAS, e->index[1]));
    for (int64_t c = 0; c < channels && c < MOST_LINES; c++)
        printf("    + m[%" PRId64 "] * pw[%" PRId64 "][%" PRId64 "] = %5g * %5g = %6g\n", c, e->index[1], c, middle_value(e, c),
               pointwise_weight(e, c), middle_value(e, c) * pointwise_weight(e, c));
    if (channels > MOST_LINES)
        printf("    + ... %" PRId64 " more products\n", channels - MOST_LINES);
    return channels;
}

static double plain_sum(const struct explained *e)
{
    struct explained linear = *e;
    linear.problem.act = CONV_ACT_NONE;
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
    if (is_separable(e)) {
        products = print_middles(e);
    } else {
        sum_of(e, &products);
        print_products(e, MOST_LINES);
    }
    const double sum = plain_sum(e);
    printf("    = %g   (%" PRId64 " products)\n", sum, products);
    if (p->pass == CONV_FORWARD && p->act != CONV_ACT_NONE)
        printf("    %s -> %g\n", conv_activation_name(p->act), activated(p->act, sum));
}
