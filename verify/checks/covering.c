/* covering.c - check "covering": every combination of any three settings of a problem, on integers, bit for bit.
 *
 * A bug often needs two or three settings at once: a stride, and a padding, and a batch.  For each kind and rank that
 * the kernel computes, a covering array (cover.c) holds every combination of any three of: pass and activation,
 * layout, type, batch, channels, filters, groups or multiplier, bias, and for each axis filter, stride, dilation,
 * padding on either side, outputs, the inputs left over behind the last window, output_pad.  A level such as "5 to 8"
 * stands for all of its numbers; each row takes another one.  Rows are made valid, never dropped: the input is as
 * large as its outputs need.   Then a list of shapes each of which was once somebody's bug.
 *
 * Sees: faults that need up to three settings at once; the shapes that bugs were reported for.
 * Does not see: faults that need four or more; large sizes; precision.
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"
#include "verify/maths/cover.h"

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
    const struct conv_kernel *kernel;
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
             : subject->kind == CONV_SEPARABLE || subject->kind == CONV_TRANSPOSED ? &multipliers : &one;
    default: return &of_axis[subject->rank][(factor - AXIS) % OF_AXIS];
    }
}

static int levels_of(const struct subject *subject, int factor)
{
    const int of_axis_factor = factor < AXIS ? -1 : (factor - AXIS) % OF_AXIS;
    if (factor == MODE)
        return subject->kind == CONV_SEPARABLE ? 3 : (int)(sizeof modes / sizeof *modes);
    if (factor == LAYOUT || factor == TYPE || factor == BIAS)
        return 2;
    if (factor == MID_ACT)
        return subject->kind == CONV_SEPARABLE ? CONV_ACTIVATIONS : 1;
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
    const bool separable = subject->kind == CONV_SEPARABLE;
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

/* False if the row is none of this kind, or the kernel doesn't compute it. */
static bool problem_of(struct conv_problem *problem, const struct subject *subject, const int row[COVER_FACTORS])
{
    static const int64_t most_macs = 1000 * 1000;
    struct conv_problem p = conv_problem_default(subject->rank);
    p.op = subject->kind == CONV_SEPARABLE ? CONV_OP_SEPARABLE
         : subject->kind == CONV_TRANSPOSED ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
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
    return conv_problem_finish(problem, NULL) == CONV_OK && conv_problem_kind(problem) == subject->kind
        && !conv_kernel_refuses(subject->kernel, problem)
        && conv_fan_in(problem) * conv_operand_count(problem, CONV_Y) <= most_macs;
}

static bool is_possible(const void *context, const int row[COVER_FACTORS])
{
    struct conv_problem problem;
    return problem_of(&problem, context, row);
}

/* All rows of one kind and rank.  False when one of them failed. */
static bool cover_kind(struct checker *checker, enum conv_kind kind, int rank)
{
    struct subject subject = { checker->kernel, kind, rank, 0 };
    struct cover_model model = { .factors = AXIS + rank * OF_AXIS, .possible = is_possible, .context = &subject };
    struct cover cover;
    int row[COVER_FACTORS];
    bool good = true;
    for (int f = 0; f < model.factors; f++)
        model.levels[f] = levels_of(&subject, f);
    if (!cover_begin(&cover, &model, checker->options.seed))
        return checker_impossible(checker, "no memory for a covering array");
    while (good && cover_next(&cover, row)) {
        struct conv_problem problem;
        if (problem_of(&problem, &subject, row))
            good = check_exact(checker, &problem, 1);
        subject.rows++;
    }
    cover_end(&cover);
    return good;
}

/* ---- shapes that were somebody's bug --------------------------------------------------------------------------- */

static const char *const lessons[] = {
    /* sides, filters and paddings that differ; one channel, one row, one column */
    "c=3 in=5x9 k=7 filter=3x2 pad=1x0", "c=7 in=9x5 k=3 filter=2x3 pad=0x1 bias=1",
    "c=1 in=8x8 k=5 filter=3x3 pad=1", "c=5 in=1x9 k=1 filter=1x3 pad=0x1", "c=5 in=9x1 k=4 filter=3x1 pad=1x0",
    "c=4 in=1x1 k=6 filter=3x3 pad=1", "c=2 in=1 k=3 filter=1", "c=2 in=1x1x1 k=3 filter=1x1x1",
    "c=3 in=1x4x5 k=2 filter=1x3x3 pad=0x1x1",
    /* a filter of one with padding, with a stride, with a batch */
    "c=6 in=5x4 k=5 filter=1x1 pad=1", "c=6 in=5x4 k=5 filter=1x1 pad=2:1x0:1 bias=1 act=relu",
    "n=3 c=6 in=9x7 k=5 filter=1x1 stride=2", "n=2 c=6 in=8x8 k=4 filter=1x1 stride=3 pad=1",
    /* strides longer than the filter; inputs that no window reaches; windows in the padding alone */
    "c=3 in=11x13 k=4 filter=2x2 stride=3", "c=3 in=10x10 k=4 filter=3x3 stride=4 pad=1",
    "c=2 in=2x2 k=3 filter=2x2 pad=4", "c=2 in=3x3 k=3 filter=1x1 pad=3 bias=1",
    "c=2 in=10x11 k=3 filter=3x3 stride=2", "c=2 in=5x5 k=3 filter=2x2 dilation=5 pad=3",
    /* odd paddings of `same`, even filters */
    "c=3 in=8x9 k=4 filter=4x4 pad=same", "c=3 in=8x9 k=4 filter=4x2 pad=same_lower",
    "c=3 in=9x8 k=4 filter=3x3 stride=2 pad=same", "c=3 in=7x6 k=4 filter=2x2 stride=2 pad=same bias=1",
    "c=3 in=16 k=4 filter=6 pad=same_lower",
    /* groups between one and the channels; as many filters as groups; multipliers */
    "n=2 c=8 in=7x6 k=8 filter=3x3 pad=1 groups=4 bias=1", "c=16 in=6x7 k=4 filter=3x3 pad=1 groups=4",
    "c=16 in=9x9 k=16 filter=3x3 pad=1 stride=2 groups=16", "n=2 c=8 in=9x8 k=8 filter=3x3 pad=1 stride=2 groups=8",
    "n=2 c=3 in=9x8 k=6 filter=3x3 pad=1 groups=3 bias=1", "c=5 in=9x8 k=15 filter=3x3 stride=2 groups=5",
    "c=23 in=7x9 k=23 filter=3x3 pad=1 groups=23", "c=24 in=7x9 k=24 filter=5x5 pad=2 groups=24",
    "c=25 in=7x9 k=25 filter=3x3 pad=1 stride=2 groups=25", "c=12 in=8x8 k=6 filter=1x1 groups=3",
    "c=9 in=17 k=9 filter=3 dilation=2 pad=2 groups=9", "c=4 in=4x5x6 k=8 filter=2x3x3 groups=4 bias=1",
    /* outputs added at the end, and cut off; strides that leave holes */
    "op=transposed c=3 in=5x4 k=4 filter=3x3 stride=2 pad=1 output_pad=1",
    "op=transposed c=4 in=4x5 k=2 filter=2x2 stride=3 output_pad=2x1",
    "op=transposed c=4 in=4x5 k=6 filter=3x3 stride=2 pad=1 output_pad=1 groups=2 bias=1",
    "op=transposed c=3 in=3x4 k=3 filter=3x3 dilation=2 stride=2 pad=2 groups=3",
    "op=transposed c=2 in=6x5 k=3 filter=4x4 stride=2 pad=1",
    "op=separable n=2 c=3 in=9x8 k=5 filter=3x3 stride=2 pad=1 bias=1 mid_act=relu6 act=relu",
    "op=separable c=5 in=6x7 k=3 filter=2x3 mult=2 mid_act=relu", "op=separable c=1 in=5x5 k=1 filter=3x3 mult=3",
    /* no images at all */
    "n=0 c=3 in=5x5 k=4 filter=3x3 bias=1", "n=0 c=4 in=5x5 k=4 filter=3x3 groups=4",
    "n=0 op=transposed c=3 in=5x5 k=4 filter=3x3 bias=1", "n=0 c=4 in=5x5 k=4 filter=1x1",
    "n=0 op=separable c=3 in=5x5 k=4 filter=3x3",
};

static bool one_exactly(struct checker *checker, const struct conv_problem *problem)
{
    return check_exact(checker, problem, 1);
}

/* Channels and filters with every remainder of 4, 8, 16 and 32. */
static bool all_remainders(struct checker *checker)
{
    for (int64_t c = 1; c <= 33; c++)
        for (enum conv_kind kind = 0; kind < CONV_KINDS; kind++) {
            struct conv_problem p = conv_problem_default(2);
            p.op = kind == CONV_SEPARABLE ? CONV_OP_SEPARABLE
                 : kind == CONV_TRANSPOSED ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
            p.groups = kind == CONV_GROUPED ? 2 : kind == CONV_DEPTHWISE ? c : 1;
            p.c = kind == CONV_GROUPED ? 2 * c : c;
            p.k = kind == CONV_DEPTHWISE ? c : (34 - c) * p.groups;
            for (int a = CONV_H; a < CONV_AXES; a++)
                p.axis[a] = (struct conv_axis){ .in = a == CONV_H ? 3 : 5 + c % 4,
                                                .filter = kind == CONV_POINTWISE ? 1 : 3,
                                                .stride = 1,
                                                .dilation = 1,
                                                .pad_begin = kind != CONV_POINTWISE,
                                                .pad_end = kind != CONV_POINTWISE };
            if (checker->kernel->kinds & 1u << kind && !check_all_modes(checker, p, one_exactly))
                return false;
        }
    return true;
}

static void run(struct checker *checker)
{
    for (enum conv_kind kind = 0; kind < CONV_KINDS; kind++)
        for (int rank = 1; rank <= CONV_AXES; rank++)
            if (checker->kernel->kinds & 1u << kind && !cover_kind(checker, kind, rank))
                return;
    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, lessons[i], NULL) == CONV_OK && !check_all_modes(checker, problem, one_exactly))
            return;
    }
    all_remainders(checker);
}

const struct check check_covering = {
    .name = "covering",
    .sees = "faults that need up to three settings at once; shapes that bugs were reported for",
    .blind = "faults that need four or more settings at once; large sizes; precision",
    .run = run,
};
