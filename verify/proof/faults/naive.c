/* naive.c - the walk over all products, with the places where a mistake can be made.   Declared in naive.h. */
#include "verify/proof/faults/naive.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- numbers and places ------------------------------------------------------------------------------------- */

/* The slow way: it knows subnormal numbers. */
static double at_bits(double value, int bits, double (*whole)(double))
{
    int exponent;
    const double fraction = frexp(value, &exponent);   /* 0.5 .. 1 */
    return isfinite(value) ? ldexp(whole(ldexp(fraction, bits)), exponent - bits) : value;
}

/* The last bits of the fraction go, and what is rounded up carries into the exponent, as it should. */
static double without_last_bits(double value, int dropped, bool rounds)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    if (rounds)
        word += (UINT64_C(1) << (dropped - 1)) - 1 + (word >> dropped & 1);
    word &= ~((UINT64_C(1) << dropped) - 1);
    memcpy(&value, &word, sizeof value);
    return value;
}

static bool is_simple(double value, int bits) { return isnormal(value) && bits > 1 && bits < DBL_MANT_DIG; }

double naive_round_to(double value, int bits)
{
    return is_simple(value, bits) ? without_last_bits(value, DBL_MANT_DIG - bits, true) : at_bits(value, bits, rint);
}

double naive_cut_to(double value, int bits)
{
    return is_simple(value, bits) ? without_last_bits(value, DBL_MANT_DIG - bits, false) : at_bits(value, bits, trunc);
}

double naive_round(const struct conv_problem *conv, double value)
{
    return conv->type == CONV_F32 ? (double)(float)value : value;
}

double naive_get(const struct conv_problem *conv, const void *data, int64_t i)
{
    return conv->type == CONV_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

void naive_set(const struct conv_problem *conv, void *data, int64_t i, double value)
{
    if (conv->type == CONV_F32)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}

int64_t naive_image_at(const struct conv_problem *conv, int64_t channels, const int64_t size[CONV_AXES],
                       int64_t n, int64_t c, const int64_t at[CONV_AXES])
{
    const int64_t plane = size[0] * size[1] * size[2], position = (at[0] * size[1] + at[1]) * size[2] + at[2];
    return conv->layout == CONV_CHANNELS_LAST ? (n * plane + position) * channels + c
                                              : (n * channels + c) * plane + position;
}

/* ---- one walk -------------------------------------------------------------------------------------------------- */

struct walk {
    const struct conv_problem *conv;
    const struct conv_operands *operands;
    const struct conv_workspace *workspace;
    const struct mistake *mistake;
    struct stage stage;
    struct conv_axis axis[CONV_AXES];      /* as seen; of a transposed problem, mirrored: windows lie in y */
    int64_t in[CONV_AXES], out[CONV_AXES]; /* sizes of x and y in memory */
    double *sums, *bias_sums;
};

static bool transposed(const struct conv_problem *conv) { return conv->op == CONV_OP_TRANSPOSED; }

/* w is K x C/G x T x R x S; of a transposed problem C x K/G x T x R x S. */
static int64_t weight_at(const struct product *p)
{
    const struct conv_problem *conv = p->conv;
    const struct conv_axis *a = conv->axis;
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    const int64_t row = transposed(conv) ? p->c * filters + p->k % filters : p->k * channels + p->c % channels;
    return ((row * a[0].filter + p->tap[0]) * a[1].filter + p->tap[1]) * a[2].filter + p->tap[2];
}

static double read(const struct walk *walk, const void *data, int64_t i)
{
    const double value = naive_get(walk->conv, data, i);
    return walk->mistake->narrow ? walk->mistake->narrow(value) : value;
}

static void add(const struct walk *walk, const struct product *p, double *sum, double product)
{
    *sum = walk->mistake->add ? walk->mistake->add(p, *sum, product) : naive_round(walk->conv, *sum + product);
}

/* The product of two elements, to the sum of the third: the pass says which is which. */
static void add_at(const struct walk *walk, const struct product *p, int64_t x, int64_t w, int64_t y)
{
    const struct conv_operands *o = walk->operands;
    if (walk->conv->pass == CONV_FORWARD)
        add(walk, p, &walk->sums[y], read(walk, o->x, x) * read(walk, o->w, w));
    else if (walk->conv->pass == CONV_BACKWARD_DATA)
        add(walk, p, &walk->sums[x], read(walk, o->y, y) * read(walk, o->w, w));
    else
        add(walk, p, &walk->sums[w], read(walk, o->y, y) * read(walk, o->x, x));
}

static bool reads_outside(const struct mistake *mistake) { return mistake->outside != 0 || mistake->outside_at; }

static void add_outside(const struct walk *walk, const struct product *p, int64_t w, int64_t y)
{
    const struct mistake *mistake = walk->mistake;
    if (walk->conv->pass == CONV_FORWARD && reads_outside(mistake))
        add(walk, p, &walk->sums[y], (mistake->outside_at ? mistake->outside_at(p) : mistake->outside)
                                         * read(walk, walk->operands->w, w));
}

/* One product that a mistake may move or lose; `inside`: its tap reads an element of x, not the padding. */
static void add_product(const struct walk *walk, struct product *p, bool inside)
{
    const struct conv_problem *conv = walk->conv;
    const struct mistake *mistake = walk->mistake;
    if (mistake->product && !mistake->product(p))
        return;
    const int64_t w = mistake->weight_at ? mistake->weight_at(p) : weight_at(p);
    const int64_t y = naive_image_at(conv, conv->k, walk->out, p->n, p->k, p->out);
    if (!inside)
        add_outside(walk, p, w, y);
    else
        add_at(walk, p, mistake->input_at ? mistake->input_at(p)
                                          : naive_image_at(conv, conv->c, walk->in, p->n, p->c, p->in), w, y);
}

/* Where a window and a tap meet on one axis.  False: there is no such product. */
static bool meet(const struct walk *walk, struct product *p, int axis, int64_t window, int64_t tap, bool *inside)
{
    const struct conv_axis *a = &walk->axis[axis];
    const bool mirrored = transposed(walk->conv);
    const int64_t at = conv_input_at(a, window, tap);
    p->tap[axis] = tap;
    p->in[axis] = mirrored ? window : at;
    p->out[axis] = mirrored ? at : window;
    *inside = conv_inside(a, at) && at < (mirrored ? walk->out : walk->in)[axis];
    return (*inside || (reads_outside(walk->mistake) && !mirrored))
        && window < (mirrored ? walk->in : walk->out)[axis];
}

/* The products of one row of windows and one row of taps: each may be moved by the mistake ... */
static void walk_row(const struct walk *walk, struct product *p, bool all_inside)
{
    const struct conv_axis *a = &walk->axis[CONV_W];
    bool inside;
    for (int64_t window = 0; window < a->out; window++)
        for (int64_t tap = 0; tap < a->filter; tap++)
            if (meet(walk, p, CONV_W, window, tap, &inside)) {
                struct product moved = *p;
                add_product(walk, &moved, all_inside && inside);
            }
}

/* ... or none is, and their places follow from each other.  It is most of the walk's time. */
static void walk_plain_row(const struct walk *walk, struct product *p, bool all_inside)
{
    const struct conv_problem *conv = walk->conv;
    const struct conv_axis *a = &walk->axis[CONV_W];
    const bool last = conv->layout == CONV_CHANNELS_LAST;
    bool inside;
    p->in[CONV_W] = p->out[CONV_W] = p->tap[CONV_W] = 0;
    const int64_t x = naive_image_at(conv, conv->c, walk->in, p->n, p->c, p->in), w = weight_at(p);
    const int64_t y = naive_image_at(conv, conv->k, walk->out, p->n, p->k, p->out);
    for (int64_t window = 0; window < a->out; window++)
        for (int64_t tap = 0; tap < a->filter; tap++) {
            if (!meet(walk, p, CONV_W, window, tap, &inside))
                continue;
            const int64_t to = y + p->out[CONV_W] * (last ? conv->k : 1);
            if (all_inside && inside)
                add_at(walk, p, x + p->in[CONV_W] * (last ? conv->c : 1), w + tap, to);
            else
                add_outside(walk, p, w + tap, to);
        }
}

/* All windows and taps of one pair of channels: axis after axis, from `axis` on. */
static void walk_windows(const struct walk *walk, struct product *p, int axis, bool all_inside)
{
    const struct mistake *mistake = walk->mistake;
    const struct conv_axis *a = &walk->axis[axis];
    if (axis == CONV_W) {
        (mistake->product || mistake->weight_at || mistake->input_at ? walk_row : walk_plain_row)(walk, p,
                all_inside);
        return;
    }
    for (int64_t window = 0; window < a->out; window++)
        for (int64_t tap = 0; tap < a->filter; tap++) {
            bool inside;
            if (meet(walk, p, axis, window, tap, &inside))
                walk_windows(walk, p, axis + 1, all_inside && inside);
        }
}

static void walk_products(const struct walk *walk)
{
    const struct conv_problem *conv = walk->conv;
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    for (int64_t n = 0; n < conv->n; n++)
        for (int64_t k = 0; k < conv->k; k++)
            for (int64_t c = 0; c < channels; c++) {
                struct product pair = { .conv = conv, .workspace = walk->workspace, .stage = walk->stage, .n = n,
                                        .g = k / filters,
                                        .c = k / filters * channels + c, .k = k };
                walk_windows(walk, &pair, CONV_D, true);
            }
}

static void walk_bias_gradient(const struct walk *walk)
{
    const struct conv_problem *conv = walk->conv;
    const int64_t *out = walk->out;
    for (int64_t i = 0; i < conv->n * conv->k * out[0] * out[1] * out[2]; i++) {
        const int64_t plane = out[0] * out[1] * out[2], at = i % plane;
        const struct product p = { .conv = conv, .workspace = walk->workspace, .n = i / plane / conv->k,
                                   .k = i / plane % conv->k, .g = i / plane % conv->k / (conv->k / conv->groups),
                                   .out = { at / out[2] / out[1], at / out[2] % out[1], at % out[2] } };
        if (!walk->mistake->bias_gradient || walk->mistake->bias_gradient(&p))
            add(walk, &p, &walk->bias_sums[p.k],
                read(walk, walk->operands->y, naive_image_at(conv, conv->k, out, p.n, p.k, p.out)));
    }
}

/* ---- storing --------------------------------------------------------------------------------------------------- */

double naive_activate(enum conv_activation act, double value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* What a residual adds to this result. */
static double x_added(const struct walk *walk, const struct result *r)
{
    const bool adds = r->stage.which == NAIVE_LAST && r->stage.whole->residual && !walk->mistake->forgets_x;
    return adds ? naive_get(walk->conv, r->stage.operands->x, r->element) : 0;
}

static void store(const struct walk *walk, struct result *r, const int64_t *size, int64_t channels)
{
    const struct conv_problem *conv = walk->conv;
    void *to = walk->operands->at[r->operand];
    if (walk->mistake->result && !walk->mistake->result(r))
        return;
    double value = r->sum;
    if (r->bias >= 0)
        value = naive_round(conv, value + naive_get(conv, walk->operands->bias, r->bias));
    if (r->element < 0)
        r->element = naive_image_at(conv, channels, size, r->n, r->k, r->at);
    const double x = x_added(walk, r);
    if (walk->mistake->adds_x_early)
        value = naive_activate(r->act, naive_round(conv, value + x));
    else
        value = naive_round(conv, naive_activate(r->act, value) + x);
    if (walk->mistake->adds_to_output)
        value += naive_get(conv, to, r->element);
    naive_set(conv, to, r->element, value);
}

/* y of a forward pass or dx of backward_data, whose sums lie as they do. */
static void store_image(const struct walk *walk, enum conv_operand operand, int64_t channels, const int64_t *size)
{
    const struct conv_problem *conv = walk->conv;
    const int64_t plane = size[0] * size[1] * size[2];
    const bool forward = conv->pass == CONV_FORWARD;
    for (int64_t i = 0; i < conv->n * channels * plane; i++) {
        const int64_t at = i % plane, k = i / plane % channels;
        struct result r = { .conv = conv, .operands = walk->operands, .workspace = walk->workspace,
                            .stage = walk->stage, .operand = operand,
                            .n = i / plane / channels, .k = k, .element = -1,
                            .at = { at / size[2] / size[1], at / size[2] % size[1], at % size[2] },
                            .bias = forward && walk->operands->bias ? k : -1,
                            .act = forward ? conv->act : CONV_ACT_NONE };
        r.sum = walk->sums[naive_image_at(conv, channels, size, r.n, r.k, r.at)];
        store(walk, &r, size, channels);
    }
}

static void store_weights(const struct walk *walk)
{
    for (enum conv_operand operand = CONV_WEIGHTS; operand <= CONV_BIAS; operand++) {
        const double *sums = operand == CONV_BIAS ? walk->bias_sums : walk->sums;
        const int64_t count = walk->operands->at[operand] ? conv_operand_count(walk->conv, operand) : 0;
        for (int64_t i = 0; i < count; i++) {
            struct result r = { .conv = walk->conv, .operands = walk->operands, .workspace = walk->workspace,
                                .operand = operand, .element = i, .bias = -1, .act = CONV_ACT_NONE, .sum = sums[i] };
            store(walk, &r, walk->in, 1);
        }
    }
}

/* ---- a call ---------------------------------------------------------------------------------------------------- */

static int64_t largest(int64_t a, int64_t b) { return a > b ? a : b; }

/* Scratch: the sums, those of the bias, the images between the stages of a separable problem, and the spare part. */
static int64_t sums_of(const struct conv_problem *conv)
{
    static const enum conv_operand outputs[CONV_PASSES] = { CONV_Y, CONV_X, CONV_WEIGHTS };
    return conv_operand_count(conv, outputs[conv->pass]);
}

static int64_t sums_of_all(const struct conv_problem *conv, int64_t *between)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    const int count = conv_stages(stages, conv);
    int64_t most = 0;
    *between = 0;
    for (int i = 0; i < count; i++) {
        most = largest(most, sums_of(&stages[i]));
        *between += i > 0 ? conv_operand_count(&stages[i], CONV_X) : 0;
    }
    return most;
}

/* One for each channel of the stage that has the most. */
static int64_t bias_sums_of(const struct conv_problem *conv)
{
    return largest(conv->k, conv->op == CONV_OP_SEPARABLE ? conv_middle_channels(conv) : 0);
}

/* Bytes before the spare part. */
static size_t bytes_of_sums(const struct conv_problem *conv)
{
    int64_t between;
    const int64_t sums = sums_of_all(conv, &between);
    return (size_t)(sums + bias_sums_of(conv) + between) * sizeof(double);
}

size_t naive_scratch(const struct conv_problem *conv, const struct mistake *mistake)
{
    return bytes_of_sums(conv) + (mistake->spare_bytes ? mistake->spare_bytes(conv) : 0);
}

static void run_stage(const struct conv_problem *conv, const struct conv_operands *operands,
                      const struct conv_workspace *workspace, const struct mistake *mistake, struct stage stage)
{
    const int64_t sums = sums_of(conv);
    double *scratch = workspace->scratch;
    struct walk walk = { .conv = conv, .operands = operands, .workspace = workspace, .mistake = mistake,
                         .stage = stage, .sums = scratch, .bias_sums = scratch + sums };
    struct conv_problem seen = *conv;
    if (mistake->see)
        mistake->see(&seen);
    for (int a = 0; a < CONV_AXES; a++) {
        walk.axis[a] = transposed(conv) ? conv_mirror(seen.axis[a]) : seen.axis[a];
        walk.in[a] = conv->axis[a].in;
        walk.out[a] = conv->axis[a].out;
    }
    for (int64_t i = 0; i < sums + conv->k && !mistake->keeps_sums; i++)
        scratch[i] = 0;
    walk_products(&walk);
    if (conv->pass == CONV_BACKWARD_WEIGHTS && operands->bias)
        walk_bias_gradient(&walk);
    if (conv->pass == CONV_FORWARD)
        store_image(&walk, CONV_Y, conv->k, walk.out);
    else if (conv->pass == CONV_BACKWARD_DATA)
        store_image(&walk, CONV_X, conv->c, walk.in);
    else
        store_weights(&walk);
}

static void run_separable(const struct conv_problem *conv, const struct conv_operands *operands,
                          const struct conv_workspace *workspace, const struct mistake *mistake)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    struct stage stage = { NAIVE_ONLY, conv, operands };
    int64_t between;
    double *next = (double *)workspace->scratch + sums_of_all(conv, &between) + bias_sums_of(conv);
    void *const weights[] = { operands->ew, operands->w, operands->pw };
    void *const biases[] = { operands->ew_bias, operands->bias, operands->pw_bias };
    const int count = conv_stages(stages, conv), skipped = CONV_MOST_STAGES - count;
    void *x = operands->x;
    for (int i = 0; i < count; i++) {
        void *y = i < count - 1 ? next : operands->y;
        const struct conv_operands own = { .x = x, .w = weights[skipped + i], .bias = biases[skipped + i], .y = y };
        stage.which = NAIVE_IN_FRONT + skipped + i;
        run_stage(&stages[i], &own, workspace, mistake, stage);
        next += i < count - 1 ? conv_operand_count(&stages[i], CONV_Y) : 0;
        x = y;
    }
}

void naive_run(const struct conv_problem *conv, const struct conv_operands *operands,
               const struct conv_workspace *workspace, const struct mistake *mistake)
{
    const struct call call = { conv, operands, workspace, (char *)workspace->scratch + bytes_of_sums(conv) };
    if (mistake->before)
        mistake->before(&call);
    if (conv->op == CONV_OP_SEPARABLE)
        run_separable(conv, operands, workspace, mistake);
    else
        run_stage(conv, operands, workspace, mistake, (struct stage){ NAIVE_ONLY, conv, operands });
    if (mistake->after)
        mistake->after(&call);
}
