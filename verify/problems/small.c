/* small.c - set "small": every valid small shape.   Declared in sets.h.
 *
 * Each axis is exhaustive: all sizes up to some number with all filters, strides, dilations and paddings, and so are
 * 1-D problems; in 2-D and 3-D every axis meets a part of the others.  What has no geometry (channels, groups, batch,
 * bias, activation, pass, layout, type) is a list of variants that the geometries walk through; where there are few
 * geometries, they walk through it many times.
 */
#include "verify/problems/sets.h"

enum { SMALL_AXES = 2000 };

/* Where the walk is. */
struct small_shapes {
    const struct conv_problem_filter *filter;
    int kind, rank, round;
    int64_t geometry, variant, made;
    int axes;                              /* of the current kind and rank */
    struct conv_axis axis[SMALL_AXES];
};

/* ---- geometry: every valid axis within the limits, and all combinations of them ------------------------- */

/* Ranges, all from the first number on: the more axes, the smaller. */
struct limits { int in, filter, stride, dilation, pad; bool symmetric; };
static const struct limits limits_of[CONV_AXES + 1] = {
    { 0, 0, 0, 0, 0, false }, { 9, 4, 3, 3, 2, false }, { 4, 3, 2, 2, 1, false }, { 3, 2, 2, 1, 1, true }
};

/* Candidate number `index`; false behind the last. */
static bool candidate_at(struct conv_axis *axis, const struct limits *limits, bool transposed, int64_t index)
{
    /* a transposed problem has one size more, so it gets by with smaller images */
    const int sizes[] = { limits->in - transposed, limits->filter, limits->stride, limits->dilation, limits->pad + 1,
                          limits->pad + 1, transposed ? 2 : 1 };
    int64_t digit[7];
    for (int i = 0; i < 7; i++) {
        digit[i] = index % sizes[i];
        index /= sizes[i];
    }
    *axis = (struct conv_axis){ .in = digit[0] + 1, .filter = digit[1] + 1, .stride = digit[2] + 1,
                                .dilation = digit[3] + 1, .pad_begin = digit[4], .pad_end = digit[5],
                                .output_pad = digit[6] };
    return index == 0;
}

/* Is it an axis that a problem of this kind can have, and not a second name for another one? */
static bool is_wanted(const struct conv_axis *axis, const struct limits *limits, enum conv_kind kind)
{
    struct conv_problem alone = conv_problem_default(1);
    if (axis->filter == 1 && axis->dilation > 1)
        return false;   /* a single tap has no dilation */
    if (limits->symmetric && axis->pad_begin != axis->pad_end)
        return false;
    if (kind == CONV_POINTWISE && axis->filter != 1)
        return false;
    alone.op = kind == CONV_TRANSPOSED ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
    alone.c = alone.k = 1;
    alone.axis[CONV_W] = *axis;
    return conv_problem_finish(&alone, NULL) == CONV_OK;
}

static bool wants_kind(const struct small_shapes *walk) { return filter_has(walk->filter->kinds, walk->kind); }
static bool wants_rank(const struct small_shapes *walk) { return filter_has(walk->filter->ranks, walk->rank); }

/* None where nothing is wanted: there may be hundreds of rounds. */
static void list_axes(struct small_shapes *walk)
{
    const enum conv_kind kind = (enum conv_kind)walk->kind;
    struct conv_axis axis;
    walk->axes = 0;
    if (!wants_kind(walk) || !wants_rank(walk))
        return;
    for (int64_t i = 0; candidate_at(&axis, &limits_of[walk->rank], kind == CONV_TRANSPOSED, i); i++)
        if (walk->axes < SMALL_AXES && is_wanted(&axis, &limits_of[walk->rank], kind))
            walk->axis[walk->axes++] = axis;
}

/* Geometries of the current kind and rank. */
static int64_t geometry_count(const struct small_shapes *walk)
{
    int64_t count = 1;
    for (int a = 0; a < walk->rank; a++)
        count *= walk->axes;
    return count;
}

static struct conv_problem geometry_at(const struct small_shapes *walk)
{
    struct conv_problem problem = conv_problem_default(walk->rank);
    int64_t index = walk->geometry;
    for (int a = CONV_AXES - walk->rank; a < CONV_AXES; a++) {
        problem.axis[a] = walk->axis[index % walk->axes];
        index /= walk->axes;
    }
    return problem;
}

/* ---- variants: channels and modes ---------------------------------------------------------------------------- */

struct channels { int groups, c, k, mult; };

static const struct channels dense[] = {
    { 1, 1, 1, 1 }, { 1, 1, 3, 1 }, { 1, 2, 1, 1 }, { 1, 3, 2, 1 }, { 1, 2, 5, 1 }, { 1, 4, 4, 1 }, { 1, 3, 7, 1 },
    { 1, 5, 13, 1 }, { 1, 8, 6, 1 }, { 1, 9, 17, 1 }, { 1, 16, 12, 1 }, { 1, 7, 25, 1 },
};
static const struct channels grouped[] = {
    { 2, 4, 2, 1 }, { 2, 2, 4, 1 }, { 2, 4, 6, 1 }, { 3, 6, 3, 1 }, { 3, 6, 6, 1 }, { 4, 12, 4, 1 }, { 2, 10, 14, 1 },
    { 4, 16, 16, 1 }, { 5, 10, 35, 1 }, { 2, 6, 26, 1 },
};
static const struct channels depthwise[] = {
    { 2, 2, 2, 1 }, { 3, 3, 3, 1 }, { 5, 5, 5, 1 }, { 2, 2, 4, 1 }, { 8, 8, 8, 1 }, { 9, 9, 9, 1 }, { 3, 3, 9, 1 },
    { 16, 16, 16, 1 }, { 17, 17, 17, 1 }, { 4, 4, 8, 1 }, { 24, 24, 24, 1 }, { 33, 33, 33, 1 },
};
static const struct channels separable[] = {
    { 1, 1, 1, 1 }, { 1, 2, 3, 1 }, { 1, 3, 1, 2 }, { 1, 4, 7, 1 }, { 1, 2, 5, 3 }, { 1, 8, 6, 1 }, { 1, 9, 13, 1 },
};
static const struct channels transposed[] = {
    { 1, 1, 1, 1 }, { 1, 2, 3, 1 }, { 1, 3, 2, 1 }, { 2, 4, 2, 1 }, { 2, 2, 6, 1 }, { 3, 3, 3, 1 }, { 1, 5, 7, 1 },
};

#define LIST(array) { array, sizeof array / sizeof *array }
static const struct { const struct channels *list; int count; } channels_of[CONV_KINDS] = {
    [CONV_STANDARD] = LIST(dense), [CONV_POINTWISE] = LIST(dense), [CONV_GROUPED] = LIST(grouped),
    [CONV_DEPTHWISE] = LIST(depthwise), [CONV_SEPARABLE] = LIST(separable), [CONV_TRANSPOSED] = LIST(transposed),
    [CONV_INVERTED_RESIDUAL] = LIST(separable),
};

/* The next digit of a number written with changing bases. */
static int digit(int64_t *number, int base)
{
    const int value = (int)(*number % base);
    *number /= base;
    return value;
}

/* Variant number `number`: every mode changes at its own pace, so that all combinations come in turn. */
static void apply_variant(struct conv_problem *problem, enum conv_kind kind, int64_t number)
{
    problem->op = op_of_kind(kind);
    problem->pass = (enum conv_pass)digit(&number, CONV_PASSES);
    problem->layout = (enum conv_layout)digit(&number, CONV_LAYOUTS);
    problem->type = (enum conv_type)digit(&number, CONV_TYPES);
    const struct channels *ch = &channels_of[kind].list[digit(&number, channels_of[kind].count)];
    problem->groups = ch->groups;
    problem->c = ch->c;
    problem->k = ch->k;
    problem->mult = ch->mult;
    problem->bias = digit(&number, 2);
    problem->act = (enum conv_activation)digit(&number, CONV_ACTIVATIONS);
    problem->n = 1 + digit(&number, 2);
    problem->mid_act = has_stages(kind) ? (enum conv_activation)digit(&number, CONV_ACTIVATIONS) : CONV_ACT_NONE;
    if (problem->pass != CONV_FORWARD)
        problem->act = CONV_ACT_NONE;
}

static int64_t variant_count(enum conv_kind kind)
{
    return (int64_t)CONV_PASSES * CONV_LAYOUTS * CONV_TYPES * channels_of[kind].count * 2 * CONV_ACTIVATIONS * 2
         * (has_stages(kind) ? CONV_ACTIVATIONS : 1);
}

/* ---- the walk ----------------------------------------------------------------------------------------------- */

static bool begin(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    struct small_shapes *walk = state;
    (void)seed;   /* all of them, whatever it is */
    walk->filter = filter;
    walk->rank = 1;
    list_axes(walk);
    return true;
}

/* Every axis there is, together with every second other one, or in 3-D with every third pair of others: what only all
 * of them would show is a fault that needs five settings of two axes, and none was ever found here first. */
static bool is_met(const struct small_shapes *walk)
{
    int64_t index = walk->geometry, sum = 0;
    for (int a = 0; a < walk->rank; a++) {
        sum += index % walk->axes;
        index /= walk->axes;
    }
    return sum % walk->rank == 0;
}

/* One step of the walk: geometry, then rank, then kind; then another round with other variants. */
static void step(struct small_shapes *walk)
{
    if (wants_kind(walk) && ++walk->geometry < geometry_count(walk))
        return;
    walk->geometry = 0;
    if (wants_kind(walk) && ++walk->rank <= CONV_AXES) {
        list_axes(walk);
        return;
    }
    walk->rank = 1;
    if (++walk->kind == CONV_KINDS) {
        walk->kind = 0;
        walk->round++;
    }
    list_axes(walk);
}

/* The next variant that is wanted on this geometry, if there is one. */
static bool try_variants(struct small_shapes *walk, struct conv_problem *problem)
{
    const enum conv_kind kind = (enum conv_kind)walk->kind;
    const struct conv_problem geometry = geometry_at(walk);
    for (int attempt = 0; attempt < CONV_PASSES * CONV_LAYOUTS * CONV_TYPES; attempt++) {
        *problem = geometry;
        apply_variant(problem, kind, walk->variant++ % variant_count(kind));
        if (!filter_has(walk->filter->passes, problem->pass) || !filter_has(walk->filter->layouts, problem->layout))
            continue;   /* soon known */
        if (is_drawn(problem, kind, walk->filter))
            return true;
    }
    return false;
}

static bool next(void *state, struct conv_problem *problem)
{
    enum { MOST_ROUNDS = 1000, WANTED = 10000 };   /* at least 10,000; one round holds every geometry */
    struct small_shapes *walk = state;
    while (walk->round < MOST_ROUNDS && (walk->round == 0 || walk->made < WANTED)) {
        const bool good = wants_kind(walk) && wants_rank(walk) && is_met(walk)
                       && try_variants(walk, problem);
        step(walk);
        walk->made += good;
        if (good)
            return true;
    }
    return false;
}

const struct problem_set set_small = {
    .name = "small", .words = "every small shape, with channels, modes and types that change from one to the next",
    .state_bytes = sizeof(struct small_shapes), .begin = begin, .next = next,
};
