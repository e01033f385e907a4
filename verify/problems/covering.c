/* covering.c - set "covering": every combination of any three settings of a problem.   Declared in sets.h.
 *
 * A bug often needs two or three settings at once: a stride, and a padding, and a batch.  For each kind and rank a
 * covering array (maths/cover.c) holds every combination of any three of: pass and activation, layout, type, batch,
 * channels, filters, groups or multiplier, bias, and for each axis filter, stride, dilation, padding on either side,
 * outputs, the inputs left over behind the last window, output_pad.  A level such as "5 to 8" stands for all of its
 * numbers; each row takes another one.  Rows are made valid, never dropped: the input is as large as its outputs
 * need.
 */
#include "verify/maths/cover.h"
#include "verify/problems/sets.h"

/* ---- levels: ranges of numbers ------------------------------------------------------------------------------ */

enum factor { MODE, LAYOUT, TYPE, BATCH, CHANNELS, FILTERS, GROUPS, BIAS, MID_ACT, AXIS };
enum axis_factor { FILTER, STRIDE, DILATION, PAD_BEGIN, PAD_END, OUT, REST, OUTPUT_PAD, OF_AXIS };

struct range { int from, to; };
enum { MOST_RANGES = 6 };
struct ranges { struct range of[MOST_RANGES]; };   /* ends with an empty one, { 0, -1 } */

#define END { 0, -1 }
static const struct ranges batch = { { { 1, 1 }, { 2, 2 }, { 3, 5 }, END } };
static const struct ranges channels = { { { 1, 1 }, { 2, 4 }, { 5, 8 }, { 9, 17 }, { 18, 33 }, END } };
static const struct ranges fewer_channels = { { { 1, 1 }, { 2, 4 }, { 5, 9 }, END } };
static const struct ranges groups = { { { 2, 2 }, { 3, 3 }, { 4, 5 }, END } };
static const struct ranges lanes = { { { 2, 3 }, { 4, 8 }, { 9, 17 }, { 18, 26 }, END } };   /* of depthwise */
static const struct ranges multipliers = { { { 1, 1 }, { 2, 2 }, { 3, 4 }, END } };
static const struct ranges one = { { { 1, 1 }, END } };

/* Of an axis, by rank: the more axes, the smaller. */
static const struct ranges of_axis[CONV_AXES + 1][OF_AXIS] = {
    [1] = { { { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 7 }, END } }, { { { 1, 1 }, { 2, 2 }, { 3, 4 }, END } },
            { { { 1, 1 }, { 2, 2 }, { 3, 3 }, END } }, { { { 0, 0 }, { 1, 1 }, { 2, 4 }, END } },
            { { { 0, 0 }, { 1, 1 }, { 2, 4 }, END } }, { { { 1, 1 }, { 2, 6 }, { 7, 17 }, { 18, 70 }, END } },
            { { { 0, 0 }, { 1, 1 }, { 2, 3 }, END } }, { { { 0, 0 }, { 1, 1 }, { 2, 3 }, END } } },
    [2] = { { { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 5 }, END } }, { { { 1, 1 }, { 2, 2 }, { 3, 3 }, END } },
            { { { 1, 1 }, { 2, 2 }, { 3, 3 }, END } }, { { { 0, 0 }, { 1, 1 }, { 2, 3 }, END } },
            { { { 0, 0 }, { 1, 1 }, { 2, 3 }, END } }, { { { 1, 1 }, { 2, 4 }, { 5, 18 }, END } },
            { { { 0, 0 }, { 1, 1 }, { 2, 2 }, END } }, { { { 0, 0 }, { 1, 1 }, { 2, 2 }, END } } },
    [3] = { { { { 1, 1 }, { 2, 2 }, { 3, 3 }, END } }, { { { 1, 1 }, { 2, 2 }, { 3, 3 }, END } },
            { { { 1, 1 }, { 2, 2 }, END } }, { { { 0, 0 }, { 1, 1 }, { 2, 2 }, END } },
            { { { 0, 0 }, { 1, 1 }, { 2, 2 }, END } }, { { { 1, 1 }, { 2, 3 }, { 4, 7 }, END } },
            { { { 0, 0 }, { 1, 1 }, END } }, { { { 0, 0 }, { 1, 1 }, END } } },
};

static const struct { enum conv_pass pass; enum conv_activation act; } modes[] = {
    { CONV_FORWARD, CONV_ACT_NONE }, { CONV_FORWARD, CONV_ACT_RELU }, { CONV_FORWARD, CONV_ACT_RELU6 },
    { CONV_BACKWARD_DATA, CONV_ACT_NONE }, { CONV_BACKWARD_WEIGHTS, CONV_ACT_NONE },
};

/* ---- one kind and rank as a model ------------------------------------------------------------------------------ */

struct subject {
    const struct conv_problem_filter *filter;
    enum conv_kind kind;
    int rank;
    int64_t rows;   /* made so far: each takes other numbers from the ranges */
};

static const struct ranges *ranges_of(const struct subject *subject, int factor)
{
    const bool is_small = subject->rank == 3;
    switch (factor) {
    case BATCH: return &batch;
    case CHANNELS: return subject->kind == CONV_DEPTHWISE ? &one : is_small ? &fewer_channels : &channels;
    case FILTERS: return subject->kind == CONV_DEPTHWISE ? &multipliers : is_small ? &fewer_channels : &channels;
    case GROUPS:
        return subject->kind == CONV_GROUPED ? &groups : subject->kind == CONV_DEPTHWISE ? &lanes
             : has_stages(subject->kind) || subject->kind == CONV_TRANSPOSED ? &multipliers : &one;
    default: return &of_axis[subject->rank][(factor - AXIS) % OF_AXIS];
    }
}

static int levels_of(const struct subject *subject, int factor)
{
    const int of_axis_factor = factor < AXIS ? -1 : (factor - AXIS) % OF_AXIS;
    if (factor == MODE)
        return has_stages(subject->kind) ? 3 : (int)(sizeof modes / sizeof *modes);
    if (factor == LAYOUT || factor == TYPE || factor == BIAS)
        return 2;
    if (factor == MID_ACT)
        return has_stages(subject->kind) ? CONV_ACTIVATIONS : 1;
    if ((subject->kind == CONV_POINTWISE && (of_axis_factor == FILTER || of_axis_factor == DILATION))
        || (subject->kind != CONV_TRANSPOSED && of_axis_factor == OUTPUT_PAD))
        return 1;
    const struct ranges *ranges = ranges_of(subject, factor);
    int levels = 0;
    while (ranges->of[levels].to >= ranges->of[levels].from)
        levels++;
    return levels;
}

/* A number of the range of this factor's level; which one changes from row to row. */
static int64_t number(const struct subject *subject, const int row[COVER_FACTORS], int factor)
{
    const struct range range = ranges_of(subject, factor)->of[row[factor]];
    return range.from + (subject->rows * 7 + factor * 3) % (range.to - range.from + 1);
}

static void set_channels(struct conv_problem *p, const struct subject *subject, const int row[COVER_FACTORS])
{
    const int64_t c = number(subject, row, CHANNELS), k = number(subject, row, FILTERS),
                  g = number(subject, row, GROUPS);
    const bool separable = has_stages(subject->kind);
    p->groups = separable ? 1 : g;
    p->mult = separable ? g : 1;
    p->c = c * p->groups;
    p->k = k * p->groups;
}

/* The input is as large as the outputs and the rest ask for; where padding alone would do, outputs are added. */
static void set_axis(struct conv_axis *axis, const struct subject *subject, const int row[COVER_FACTORS], int first)
{
    int64_t value[OF_AXIS];
    for (int f = 0; f < OF_AXIS; f++)
        value[f] = levels_of(subject, first + f) == 1 && f != OUT ? f <= DILATION : number(subject, row, first + f);
    *axis = (struct conv_axis){ .filter = value[FILTER], .stride = value[STRIDE], .dilation = value[DILATION],
                                .pad_begin = value[PAD_BEGIN], .pad_end = value[PAD_END], .in = value[OUT] };
    const int64_t pads = axis->pad_begin + axis->pad_end,
                  step = axis->stride > axis->dilation ? axis->stride : axis->dilation;
    if (subject->kind == CONV_TRANSPOSED) {
        axis->output_pad = value[OUTPUT_PAD] < step ? value[OUTPUT_PAD] : step - 1;
        while ((axis->in - 1) * axis->stride + conv_extent(axis) + axis->output_pad - pads < 1)
            axis->in++;
        return;
    }
    const int64_t rest = value[REST] < axis->stride ? value[REST] : axis->stride - 1;
    axis->in = (value[OUT] - 1) * axis->stride + conv_extent(axis) + rest - pads;
    while (axis->in < 1)
        axis->in += axis->stride;
}

/* False if the row is none of this kind, or isn't wanted. */
static bool problem_of(struct conv_problem *problem, const struct subject *subject, const int row[COVER_FACTORS])
{
    static const double most_macs = 1e6;
    struct conv_problem p = conv_problem_default(subject->rank);
    p.op = op_of_kind(subject->kind);
    p.pass = modes[row[MODE]].pass;
    p.act = modes[row[MODE]].act;
    p.layout = (enum conv_layout)row[LAYOUT];
    p.type = (enum conv_type)row[TYPE];
    p.n = number(subject, row, BATCH);
    p.bias = row[BIAS];
    p.mid_act = (enum conv_activation)row[MID_ACT];
    set_channels(&p, subject, row);
    for (int a = 0; a < subject->rank; a++)
        set_axis(&p.axis[CONV_W - a], subject, row, AXIS + a * OF_AXIS);
    if (subject->kind == CONV_STANDARD && conv_problem_kind(&p) == CONV_POINTWISE)
        p.axis[CONV_W].filter = 2, p.axis[CONV_W].in += p.axis[CONV_W].dilation;
    *problem = p;
    return is_drawn(problem, subject->kind, subject->filter)
        && problem_macs(problem) <= most_macs;
}

static bool is_possible(const void *context, const int row[COVER_FACTORS])
{
    struct conv_problem problem;
    return problem_of(&problem, context, row);
}

/* ---- the walk: kind by kind, rank by rank ---------------------------------------------------------------------- */

struct covering {
    struct subject subject;
    struct cover cover;
    bool open;                 /* is there an array of this kind and rank? */
    bool failed;               /* there was no memory for one */
    uint64_t seed;
};

static bool begin(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct covering *)state = (struct covering){ .subject = { .filter = filter, .rank = 1 }, .seed = seed };
    return true;
}

static bool open_array(struct covering *walk)
{
    struct subject *subject = &walk->subject;
    struct cover_model model = { .factors = AXIS + subject->rank * OF_AXIS, .possible = is_possible, .context = subject };
    subject->rows = 0;
    for (int f = 0; f < model.factors; f++)
        model.levels[f] = levels_of(subject, f);
    return walk->open = cover_begin(&walk->cover, &model, walk->seed);
}

static void close_array(struct covering *walk)
{
    if (walk->open)
        cover_end(&walk->cover);
    walk->open = false;
}

/* On to the next kind and rank.  False if that was the last. */
static bool step(struct covering *walk)
{
    close_array(walk);
    if (++walk->subject.rank > CONV_AXES) {
        walk->subject.rank = 1;
        walk->subject.kind++;
    }
    return walk->subject.kind < CONV_KINDS;
}

static bool is_wanted(const struct covering *walk)
{
    return filter_has(walk->subject.filter->kinds, walk->subject.kind)
        && filter_has(walk->subject.filter->ranks, walk->subject.rank);
}

static bool next(void *state, struct conv_problem *problem)
{
    struct covering *walk = state;
    int row[COVER_FACTORS];
    while (walk->subject.kind < CONV_KINDS) {
        if (is_wanted(walk) && !walk->open && !open_array(walk)) {
            walk->failed = true;
            return false;
        }
        while (walk->open && cover_next(&walk->cover, row)) {
            const bool good = problem_of(problem, &walk->subject, row);
            walk->subject.rows++;
            if (good)
                return true;
        }
        if (!step(walk))
            return false;
    }
    return false;
}

static void end(void *state) { close_array(state); }
static bool failed(const void *state) { return ((const struct covering *)state)->failed; }

const struct problem_set set_covering = {
    .name = "covering", .words = "every combination of any three settings, for each kind and rank",
    .state_bytes = sizeof(struct covering), .begin = begin, .next = next, .end = end, .failed = failed,
};
