/* lessons.c - sets "lessons" and "remainders": shapes that were somebody's bug, and every tail of channels.
 *
 * Declared in sets.h.  Each shape comes in all passes, layouts and types that are wanted.
 */
#include "verify/problems/sets.h"

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
    /* taps so far apart that there is more padding than a tile is long */
    "c=3 in=100 k=2 filter=3 dilation=80 pad=80 bias=1", "c=4 in=300 k=4 groups=2 filter=3 dilation=200 pad=200",
    "c=2 in=300 k=2 groups=2 filter=3 dilation=200 pad=200", "c=2 in=4 k=2 groups=2 filter=3 dilation=6000 pad=6000",
    "c=2 in=3x290 k=4 groups=2 filter=3x3 dilation=2x200 pad=2x200 bias=1",
    "c=2 in=2x3x150 k=2 groups=2 filter=2x3x3 dilation=1x1x140 pad=1x1x140",
    "c=2 in=301 k=2 groups=2 filter=3 stride=2 dilation=300 pad=300",
    "op=separable c=2 in=3x150 k=3 filter=3x3 dilation=1x140 pad=1x140",
    "op=transposed c=2 in=150 k=2 groups=2 filter=3 dilation=140 pad=140",
    /* strides far beyond the filter: most phases are never read */
    "c=2 in=2003 k=2 groups=2 filter=2 stride=2000", "c=2 in=9x130 k=4 groups=2 filter=1x2 stride=7x64 pad=0x1",
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
    /* three stages: x added and not, a stride, an expansion that isn't one, a batch; no expansion at all */
    "op=separable n=2 c=3 in=9x8 k=5 filter=3x3 stride=2 pad=1 bias=1 mid_act=relu6 expand=18",
    "op=separable n=2 c=5 in=7x6 k=5 filter=3x3 pad=1 bias=1 mid_act=relu act=relu6 expand=7 residual=1",
    "op=separable c=4 in=6x7 k=4 filter=2x3 pad=1:0x1 mid_act=relu residual=1 bias=1",
    "op=separable c=6 in=5x5 k=3 filter=5x5 pad=4 bias=1 mid_act=relu expand=2",
    "op=separable c=1 in=1x9 k=1 filter=1x3 pad=0x1 mult=2 expand=3 residual=1",
    /* no images at all */
    "n=0 c=3 in=5x5 k=4 filter=3x3 bias=1", "n=0 c=4 in=5x5 k=4 filter=3x3 groups=4",
    "n=0 op=transposed c=3 in=5x5 k=4 filter=3x3 bias=1", "n=0 c=4 in=5x5 k=4 filter=1x1",
    "n=0 op=separable c=3 in=5x5 k=4 filter=3x3",
    "n=0 op=separable c=3 in=5x5 k=3 filter=3x3 pad=1 expand=4 residual=1",
};

enum { LESSONS = sizeof lessons / sizeof *lessons, MODES = CONV_PASSES * CONV_LAYOUTS * CONV_TYPES };

/* Where a walk through shapes in all their modes is. */
struct modes { const struct conv_problem_filter *filter; int64_t shape, mode; };

static bool begin(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    (void)seed;
    *(struct modes *)state = (struct modes){ .filter = filter };
    return true;
}

/* Shape number `shape`; false if there is none of that number. */
typedef bool shape_function(struct conv_problem *problem, int64_t shape);

static bool step(struct modes *walk, struct conv_problem *problem, shape_function *shape_at)
{
    struct conv_problem shape;
    for (; shape_at(&shape, walk->shape); walk->shape++, walk->mode = 0)
        while (walk->mode < MODES) {
            const int64_t mode = walk->mode++;
            *problem = shape;
            problem->pass = (enum conv_pass)(mode % CONV_PASSES);
            problem->layout = (enum conv_layout)(mode / CONV_PASSES % CONV_LAYOUTS);
            problem->type = (enum conv_type)(mode / CONV_PASSES / CONV_LAYOUTS);
            if (problem->pass != CONV_FORWARD)
                problem->act = CONV_ACT_NONE;
            if (conv_problem_finish(problem, NULL) == CONV_OK && conv_problem_passes(walk->filter, problem))
                return true;
        }
    return false;
}

static bool lesson_at(struct conv_problem *problem, int64_t shape)
{
    return shape < LESSONS && conv_problem_parse(problem, lessons[shape], NULL) == CONV_OK;
}

static bool next_lesson(void *state, struct conv_problem *problem) { return step(state, problem, lesson_at); }

const struct problem_set set_lessons = {
    .name = "lessons", .words = "shapes that were somebody's bug, in all modes",
    .state_bytes = sizeof(struct modes), .begin = begin, .next = next_lesson,
};

/* ---- every tail of channels ------------------------------------------------------------------------------------ */

/* 1 to 33 channels, with as many filters as are left to 34: every remainder of 4, 8, 16 and 32. */
static bool remainder_at(struct conv_problem *problem, int64_t shape)
{
    const enum conv_kind kind = (enum conv_kind)(shape % CONV_KINDS);
    const int64_t c = shape / CONV_KINDS + 1;
    struct conv_problem p = conv_problem_default(2);
    p.op = op_of_kind(kind);
    p.expand = kind == CONV_INVERTED_RESIDUAL ? c % 2 ? c : 34 - c : 0;
    p.groups = kind == CONV_GROUPED ? 2 : kind == CONV_DEPTHWISE ? c : 1;
    p.c = kind == CONV_GROUPED ? 2 * c : c;
    p.k = kind == CONV_DEPTHWISE ? c : (34 - c) * p.groups;
    for (int a = CONV_H; a < CONV_AXES; a++)
        p.axis[a] = (struct conv_axis){ .in = a == CONV_H ? 3 : 5 + c % 4, .filter = kind == CONV_POINTWISE ? 1 : 3,
                                        .stride = 1, .dilation = 1, .pad_begin = kind != CONV_POINTWISE,
                                        .pad_end = kind != CONV_POINTWISE };
    *problem = p;
    return c <= 33;
}

static bool next_remainder(void *state, struct conv_problem *problem) { return step(state, problem, remainder_at); }

const struct problem_set set_remainders = {
    .name = "remainders", .words = "1 to 33 channels and filters, in all modes",
    .state_bytes = sizeof(struct modes), .begin = begin, .next = next_remainder,
};
