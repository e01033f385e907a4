/* spots.c - the truth of a few outputs, each computed by itself.   Declared in spots.h.
 *
 * One output of any pass is a sum over a box of positions: of channels and taps for y and dx, of images and pixels
 * for dw. It is computed in long double with the sum of absolute values beside it, as the reference does; a test
 * compares the two.  A transposed problem is the convolution from y to x with the names exchanged.
 */
#include <math.h>
#include <stdlib.h>

#include "verify/maths/spots.h"

/* ---- which outputs --------------------------------------------------------------------------------------------- */

/* Coordinate number `choice` along a dimension: the ends, their neighbours, the seams of 8, 16 and 64, and then
 * anywhere. */
static int64_t coordinate(int64_t size, int64_t choice, int64_t anywhere)
{
    const int64_t half = size / 2, list[] = {
        0, size - 1, 1, size - 2, half / 8 * 8, half / 16 * 16 - 1, half / 64 * 64, size / 8 * 8, size / 16 * 16 - 1
    };
    const int64_t count = sizeof list / sizeof *list;
    if (choice < count && list[choice] >= 0 && list[choice] < size)
        return list[choice];
    return anywhere % size;
}

int spots_choose(int64_t element[MOST_SPOTS], const struct conv_problem *problem, enum conv_operand output,
                 uint64_t seed)
{
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, 0x1p40, 0 };
    struct conv_problem first = *problem;
    int64_t dims[CONV_MAX_RANK], throws = 0;
    first.layout = CONV_CHANNELS_FIRST;
    const int rank = conv_operand_shape(dims, &first, output);
    const int corners = 1 << rank;
    if (conv_operand_count(&first, output) == 0)
        return 0;
    for (int i = 0; i < MOST_SPOTS; i++) {
        element[i] = 0;
        for (int d = 0; d < rank; d++) {
            const int64_t roll = (int64_t)fabs(conv_fill_value(&fill, "spots", throws++));
            const int64_t at =
                i < corners ? (i >> d & 1 ? dims[d] - 1 : 0) : coordinate(dims[d], roll % 18, roll / 18);
            element[i] = element[i] * dims[d] + at;
        }
    }
    return MOST_SPOTS;
}

/* ---- one output ------------------------------------------------------------------------------------------------ */

struct spot { long double value, magnitude; int64_t taps; };

/* Who wants to see every product; NULL if nobody does. */
struct watcher { spots_visitor *visit; void *context; };

static void add(struct spot *spot, const struct watcher *watcher, double x, double w)
{
    if (watcher->visit)
        watcher->visit(watcher->context, x * w);
    spot->value += (long double)x * w;
    spot->magnitude += fabsl((long double)x * w);
    spot->taps++;
}

static void add_bias(struct spot *spot, double bias)
{
    spot->value += bias;
    spot->magnitude += fabs(bias);
}

/* The convolution from x to y, whatever the problem calls them. */
struct view {
    struct conv_axis axis[CONV_AXES];
    int64_t n, c, k, groups;
    enum conv_operand x, w, y;
    const struct spots_inputs *inputs;
    struct watcher watcher;
};

static struct view view_of(const struct conv_problem *problem, const struct spots_inputs *inputs)
{
    const bool mirrored = problem->op == CONV_OP_TRANSPOSED;
    struct view v = { .n = problem->n, .c = problem->c, .k = problem->k, .groups = problem->groups, .x = CONV_X,
                      .w = CONV_WEIGHTS, .y = CONV_Y, .inputs = inputs };
    for (int a = 0; a < CONV_AXES; a++)
        v.axis[a] = mirrored ? conv_mirror(problem->axis[a]) : problem->axis[a];
    if (mirrored) {
        v.c = problem->k, v.k = problem->c;
        v.x = CONV_Y, v.y = CONV_X;
    }
    return v;
}

static double read(const struct spots_inputs *inputs, enum conv_operand operand, int64_t element)
{
    return inputs->read(inputs->context, operand, element);
}

static double x_at(const struct view *v, int64_t n, int64_t c, const int64_t at[CONV_AXES])
{
    const struct conv_axis *a = v->axis;
    return read(v->inputs, v->x, (((n * v->c + c) * a[0].in + at[0]) * a[1].in + at[1]) * a[2].in + at[2]);
}

static double y_at(const struct view *v, int64_t n, int64_t k, const int64_t at[CONV_AXES])
{
    const struct conv_axis *a = v->axis;
    return read(v->inputs, v->y, (((n * v->k + k) * a[0].out + at[0]) * a[1].out + at[1]) * a[2].out + at[2]);
}

static double w_at(const struct view *v, int64_t k, int64_t c, const int64_t tap[CONV_AXES])
{
    const struct conv_axis *a = v->axis;
    const int64_t C = v->c / v->groups;
    return read(v->inputs, v->w,
                (((k * C + c) * a[0].filter + tap[0]) * a[1].filter + tap[1]) * a[2].filter + tap[2]);
}

/* Every tap in turn: false behind the last.  Start with { 0, 0, -1 }. */
static bool next(int64_t at[CONV_AXES], const int64_t size[CONV_AXES])
{
    for (int a = CONV_AXES - 1; a >= 0; a--) {
        if (++at[a] < size[a])
            return true;
        at[a] = 0;
    }
    return false;
}

/* The input that the tap of an output reads; false in the padding. */
static bool read_by(int64_t in[CONV_AXES], const struct view *v, const int64_t out[CONV_AXES],
                    const int64_t tap[CONV_AXES])
{
    bool inside = true;
    for (int a = 0; a < CONV_AXES; a++) {
        in[a] = conv_input_at(&v->axis[a], out[a], tap[a]);
        inside = inside && conv_inside(&v->axis[a], in[a]);
    }
    return inside;
}

/* The output whose tap reads the input; false if there is none. */
static bool reader_of(int64_t out[CONV_AXES], const struct view *v, const int64_t in[CONV_AXES],
                      const int64_t tap[CONV_AXES])
{
    bool exists = true;
    for (int a = 0; a < CONV_AXES; a++) {
        const int64_t from = in[a] + v->axis[a].pad_begin - tap[a] * v->axis[a].dilation;
        out[a] = from / v->axis[a].stride;
        exists = exists && from >= 0 && from % v->axis[a].stride == 0 && out[a] < v->axis[a].out;
    }
    return exists;
}

/* Split an element into its channels first index: n, channel, and three positions. */
static void split(int64_t index[5], int64_t element, int64_t channels, const int64_t size[CONV_AXES])
{
    for (int a = CONV_AXES - 1; a >= 0; a--) {
        index[2 + a] = element % size[a];
        element /= size[a];
    }
    index[1] = element % channels;
    index[0] = element / channels;
}

#define SIZES(v, field) { (v)->axis[0].field, (v)->axis[1].field, (v)->axis[2].field }

static struct spot spot_of_y(const struct view *v, int64_t element)
{
    const int64_t outs[] = SIZES(v, out), taps[] = SIZES(v, filter), C = v->c / v->groups;
    int64_t at[5], tap[CONV_AXES] = { 0, 0, -1 }, in[CONV_AXES];
    struct spot spot = { 0 };
    split(at, element, v->k, outs);
    while (next(tap, taps))
        if (read_by(in, v, at + 2, tap))
            for (int64_t c = 0; c < C; c++)
                add(&spot, &v->watcher, x_at(v, at[0], at[1] / (v->k / v->groups) * C + c, in),
                    w_at(v, at[1], c, tap));
    return spot;
}

static struct spot spot_of_x(const struct view *v, int64_t element)
{
    const int64_t ins[] = SIZES(v, in), taps[] = SIZES(v, filter), C = v->c / v->groups, K = v->k / v->groups;
    int64_t at[5], tap[CONV_AXES] = { 0, 0, -1 }, out[CONV_AXES];
    struct spot spot = { 0 };
    split(at, element, v->c, ins);
    while (next(tap, taps))
        if (reader_of(out, v, at + 2, tap))
            for (int64_t k = at[1] / C * K; k < (at[1] / C + 1) * K; k++)
                add(&spot, &v->watcher, y_at(v, at[0], k, out), w_at(v, k, at[1] % C, tap));
    return spot;
}

static struct spot spot_of_w(const struct view *v, int64_t element)
{
    const int64_t outs[] = SIZES(v, out), taps[] = SIZES(v, filter), C = v->c / v->groups, K = v->k / v->groups;
    int64_t at[5], out[CONV_AXES], in[CONV_AXES];
    struct spot spot = { 0 };
    split(at, element, C, taps);
    for (int64_t n = 0; n < v->n; n++) {
        out[0] = out[1] = 0, out[2] = -1;
        while (next(out, outs))
            if (read_by(in, v, out, at + 2))
                add(&spot, &v->watcher, x_at(v, n, at[0] / K * C + at[1], in), y_at(v, n, at[0], out));
    }
    return spot;
}

long double spots_activated(enum conv_activation act, long double value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* Element `channel` of what the depthwise stage makes, where the stage in front made what it reads, which is computed
 * again for each tap.  S is carried through both. */
static struct spot spot_of_expanded(const struct conv_problem *problem, const struct spots_inputs *inputs,
                                    const struct view *depthwise, const int64_t at[5], int64_t channel)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    conv_stages(stages, problem);
    struct view v = view_of(&stages[0], inputs);
    const int64_t ins[] = SIZES(depthwise, in), taps[] = SIZES(depthwise, filter), from = channel / problem->mult;
    int64_t tap[CONV_AXES] = { 0, 0, -1 }, in[CONV_AXES], longest = 0;
    struct spot spot = { 0 };
    v.w = CONV_EW;
    while (next(tap, taps)) {
        if (!read_by(in, depthwise, at + 2, tap))
            continue;
        struct spot made = spot_of_y(&v, (((at[0] * v.k + from) * ins[0] + in[0]) * ins[1] + in[1]) * ins[2] + in[2]);
        if (problem->bias)
            add_bias(&made, read(inputs, CONV_EW_BIAS, from));
        const double w = w_at(depthwise, channel, 0, tap);
        spot.value += spots_activated(problem->mid_act, made.value) * w;
        spot.magnitude += made.magnitude * fabs(w);
        spot.taps++;
        longest = made.taps + 1;   /* of every one: the stage has no padding */
    }
    spot.taps += longest;
    return spot;
}

/* All stages: the middle at one position, all channels of it.  S is carried through them. */
static struct spot spot_of_separable(const struct conv_problem *problem, const struct spots_inputs *inputs,
                                     int64_t element, const struct watcher *watcher)
{
    struct conv_problem depthwise, pointwise;
    conv_separable_stages(&depthwise, &pointwise, problem);
    const struct view v = view_of(&depthwise, inputs);
    const int64_t outs[] = SIZES(&v, out), many = depthwise.k;
    int64_t at[5];
    struct spot spot = { 0 };
    split(at, element, problem->k, outs);
    for (int64_t m = 0; m < many; m++) {
        struct spot middle = problem->expand > 0 ? spot_of_expanded(problem, inputs, &v, at, m)
            : spot_of_y(&v, (((at[0] * many + m) * outs[0] + at[2]) * outs[1] + at[3]) * outs[2] + at[4]);
        if (problem->bias)
            add_bias(&middle, read(inputs, CONV_BIAS, m));
        const double w = read(inputs, CONV_PW, at[1] * many + m);
        const long double product = spots_activated(problem->mid_act, middle.value) * w;
        if (watcher->visit)
            watcher->visit(watcher->context, (double)product);
        spot.value += product;
        spot.magnitude += middle.magnitude * fabs(w);
        spot.taps = spot.taps > middle.taps ? spot.taps : middle.taps;
    }
    spot.taps += many + 1;
    return spot;
}

static struct spot spot_of(const struct conv_problem *problem, enum conv_operand output,
                           const struct spots_inputs *inputs, int64_t element, struct watcher watcher)
{
    struct view v = view_of(problem, inputs);
    const enum conv_operand bias = problem->op == CONV_OP_SEPARABLE ? CONV_PW_BIAS : CONV_BIAS;
    const int64_t pixels = problem->axis[0].out * problem->axis[1].out * problem->axis[2].out;
    struct spot spot;
    v.watcher = watcher;
    if (output == CONV_WEIGHTS)
        spot = spot_of_w(&v, element);
    else if (problem->op == CONV_OP_SEPARABLE)
        spot = spot_of_separable(problem, inputs, element, &watcher);
    else if ((output == CONV_Y) == (problem->op != CONV_OP_TRANSPOSED))
        spot = spot_of_y(&v, element);
    else
        spot = spot_of_x(&v, element);
    if (problem->pass == CONV_FORWARD && problem->bias)
        add_bias(&spot, read(inputs, bias, element / pixels % problem->k));
    return spot;
}

/* ---- inputs ---------------------------------------------------------------------------------------------------- */

static double read_array(const void *context, enum conv_operand operand, int64_t element)
{
    const double *const *in = context;
    return in[operand][element];
}

long double spots_products(const struct conv_problem *problem, enum conv_operand output,
                           const double *const in[CONV_OPERANDS], int64_t element, spots_visitor *visit, void *context)
{
    const struct spots_inputs inputs = { read_array, in };
    return spot_of(problem, output, &inputs, element, (struct watcher){ visit, context }).value;
}

bool spots_truth_by(struct conv_truth *truth, const struct conv_problem *problem, enum conv_operand output,
                    const struct spots_inputs *inputs, const int64_t *element, int count)
{
    const size_t many = (size_t)count + 1;
    struct conv_truth made = { count, malloc(many * sizeof(double)), malloc(many * sizeof(double)),
                               malloc(many * sizeof(int64_t)) };
    if (!made.value || !made.magnitude || !made.taps) {
        conv_truth_free(&made);
        return false;
    }
    for (int i = 0; i < count; i++) {
        const struct spot spot = spot_of(problem, output, inputs, element[i], (struct watcher){ NULL, NULL });
        const double added = problem->residual ? read(inputs, CONV_X, element[i]) : 0;
        made.value[i] = (double)(spots_activated(problem->act, spot.value) + added);
        made.magnitude[i] = (double)(spot.magnitude + fabs(added));
        made.taps[i] = spot.taps + problem->residual;
    }
    *truth = made;
    return true;
}

bool spots_truth(struct conv_truth *truth, const struct conv_problem *problem, enum conv_operand output,
                 const double *const in[CONV_OPERANDS], const int64_t *element, int count)
{
    const struct spots_inputs inputs = { read_array, in };
    return spots_truth_by(truth, problem, output, &inputs, element, count);
}
