/* explain_output.c - chooses an output, lists its products and adds them.   Declared in explain_output.h.
 *
 * Not here: how they are shown (explain_by_hand.c, explain_picture.c).
 */
#include "verify/program/explain_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <convref/define.h>

enum { MOST_PRODUCTS = 1 << 24 };   /* a sum that a person waits for */

bool explain_is_separable(const struct explained *e) { return e->problem.op == CONV_OP_SEPARABLE; }

/* ---- which output ---------------------------------------------------------------------------------------------- */

static struct explained_image image_of(const struct conv_problem *p, bool output)
{
    struct explained_image image = { .operand = output ? CONV_Y : CONV_X, .letters = output ? "ZPQ" : "DHW",
                                     .channels = output ? p->k : conv_wide_channels(p) };
    image.name = !output && p->expand > 0 ? "e" : conv_operand_name(p, image.operand);
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
    if (explain_is_separable(e))
        sizes[1] = e->problem.k;
    for (int a = 0; a < CONV_AXES; a++)
        sizes[2 + a] = e->in == IN_WEIGHTS ? e->axis[a].filter : image->size[a];
}

/* The small position whose tap `tap` is the large position `at`, or -1. */
int64_t explain_small_of(const struct conv_axis *axis, int64_t at, int64_t tap)
{
    const int64_t steps = at + axis->pad_begin - tap * axis->dilation;
    return steps >= 0 && steps % axis->stride == 0 && steps / axis->stride < axis->out ? steps / axis->stride : -1;
}

int64_t explain_terms_along(const struct explained *e, int a, int64_t at)
{
    const struct conv_axis *axis = &e->axis[a];
    int64_t count = 0;
    const struct conv_range taps = conv_taps_inside(axis, at), outputs = conv_outputs_inside(axis, at);
    if (e->in != IN_LARGE)
        return e->in == IN_SMALL ? taps.end - taps.begin : outputs.end - outputs.begin;
    for (int64_t tap = 0; tap < axis->filter; tap++)
        count += explain_small_of(axis, at, tap) >= 0;
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
        return first < size && explain_terms_along(e, a, first) == axis->filter ? first : 0;
    }
    for (int64_t at = 1; at < size && at < LOOK && axis->filter <= LONGEST; at++)
        best = explain_terms_along(e, a, at) > explain_terms_along(e, a, best) ? at : best;
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

/* a * b, or more than anybody waits for. */
static int64_t times(int64_t a, int64_t b)
{
    return b > 0 && a > 2 * (int64_t)MOST_PRODUCTS / b ? 2 * MOST_PRODUCTS : a * b;
}

const char *explain_refuses(const struct explained *e)
{
    int64_t sizes[5];
    sizes_of(sizes, e);
    if (e->problem.n == 0)
        return "n=0, there are no images";
    return conv_fan_in(&e->problem) > MOST_PRODUCTS
        || times(explain_candidates(e), e->problem.expand > 0 ? e->problem.c : 1) > MOST_PRODUCTS
        ? "one output has more than 2^24 products" : NULL;
}

/* ---- its products ---------------------------------------------------------------------------------------------- */

/* Channels of one group.  The depthwise stage of a separable problem has a group for each channel. */
static int64_t small_group(const struct explained *e)
{
    return explain_is_separable(e) ? e->problem.mult : e->small.channels / e->problem.groups;
}

static int64_t large_group(const struct explained *e)
{
    return explain_is_separable(e) ? 1 : e->large.channels / e->problem.groups;
}

int64_t explain_candidates(const struct explained *e)
{
    int64_t count = e->in == IN_SMALL ? large_group(e) : e->in == IN_LARGE ? small_group(e) : e->problem.n;
    for (int a = 0; a < CONV_AXES; a++)
        count = times(count, e->in == IN_WEIGHTS ? e->small.size[a] : e->axis[a].filter);
    return explain_is_separable(e) ? times(count, conv_middle_channels(&e->problem)) : count;
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
            product->small[a] = explain_small_of(axis, index[2 + a], product->tap[a]);
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

/* ---- their numbers --------------------------------------------------------------------------------------------- */

double explain_value(const struct explained *e, enum conv_operand operand, int64_t i)
{
    return conv_fill_value(&e->fill, conv_operand_name(&e->problem, operand), i);
}

static double element_of(const struct explained *e, const struct explained_image *image, int64_t channels, int64_t n,
                         int64_t channel, const int64_t at[CONV_AXES])
{
    const int64_t *size = image->size, positions = size[0] * size[1] * size[2];
    const int64_t position = (at[0] * size[1] + at[1]) * size[2] + at[2];
    return explain_value(e, image->operand, e->problem.layout == CONV_CHANNELS_LAST
                    ? (n * positions + position) * channels + channel
                    : (n * channels + channel) * positions + position);
}

static double element(const struct explained *e, const struct explained_image *image, int64_t n, int64_t channel,
                      const int64_t at[CONV_AXES])
{
    return element_of(e, image, image->channels, n, channel, at);
}

double explain_expanded(const struct explained *e, const struct explained_product *product)
{
    const struct conv_problem *p = &e->problem;
    double sum = p->bias ? explain_value(e, CONV_EW_BIAS, product->large_channel) : 0;
    for (int64_t i = 0; i < p->c; i++)
        sum += element_of(e, &e->large, p->c, product->n, i, product->large)
             * explain_value(e, CONV_EW, product->large_channel * p->c + i);
    return explain_activated(p->mid_act, sum);
}

double explain_added(const struct explained *e)
{
    return e->problem.residual ? element_of(e, &e->large, e->problem.c, e->index[0], e->index[1], e->index + 2) : 0;
}

double explain_small_value(const struct explained *e, const struct explained_product *product)
{
    return element(e, &e->small, product->n, product->small_channel, product->small);
}

double explain_large_value(const struct explained *e, const struct explained_product *product)
{
    return e->problem.expand > 0 ? explain_expanded(e, product)
                                 : element(e, &e->large, product->n, product->large_channel, product->large);
}

double explain_weight(const struct explained *e, const struct explained_product *product)
{
    int64_t i = product->small_channel * large_group(e) + product->in_group;
    for (int a = 0; a < CONV_AXES; a++)
        i = i * e->axis[a].filter + product->tap[a];
    return explain_value(e, CONV_WEIGHTS, i);
}

double explain_activated(enum conv_activation act, double sum) { return (double)conv_activate(act, (float)sum); }

static double product_value(const struct explained *e, const struct explained_product *product)
{
    return e->in == IN_SMALL ? explain_large_value(e, product) * explain_weight(e, product)
        : e->in == IN_LARGE ? explain_small_value(e, product) * explain_weight(e, product)
        : explain_small_value(e, product) * explain_large_value(e, product);
}

/* A middle channel of a separable problem, as an output of its depthwise stage. */
struct explained explain_middle(const struct explained *e, int64_t channel)
{
    struct explained middle = *e;
    middle.index[1] = channel;
    return middle;
}

double explain_plain_sum(const struct explained *e, int64_t *products)
{
    const int64_t count = explain_is_separable(e) ? explain_candidates(e) / conv_middle_channels(&e->problem)
        : explain_candidates(e);
    double sum = e->problem.bias && e->problem.pass == CONV_FORWARD ? explain_value(e, CONV_BIAS, e->index[1]) : 0;
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

double explain_middle_value(const struct explained *e, int64_t channel)
{
    const struct explained middle = explain_middle(e, channel);
    int64_t products;
    return explain_activated(e->problem.mid_act, explain_plain_sum(&middle, &products));
}

double explain_pointwise_weight(const struct explained *e, int64_t channel)
{
    return explain_value(e, CONV_PW, e->index[1] * conv_middle_channels(&e->problem) + channel);
}

double explain_sum(const struct explained *e)
{
    int64_t products;
    if (!explain_is_separable(e)) {
        const double sum = explain_plain_sum(e, &products);
        return e->problem.pass == CONV_FORWARD ? explain_activated(e->problem.act, sum) : sum;
    }
    double sum = e->problem.bias ? explain_value(e, CONV_PW_BIAS, e->index[1]) : 0;
    for (int64_t c = 0; c < conv_middle_channels(&e->problem); c++)
        sum += explain_middle_value(e, c) * explain_pointwise_weight(e, c);
    return explain_activated(e->problem.act, sum) + explain_added(e);
}
