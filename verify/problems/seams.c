/* seams.c - set "seams": sizes round the seams of vectors, tiles and blocks.   Declared in sets.h.
 *
 * A kernel that works in vectors of 4, 8 or 16, tiles of 6 or 12 and blocks of 256 goes wrong at their seams, and
 * small shapes have none.  Sizes are drawn around multiples of these; images are rarely square, paddings rarely
 * symmetric, and channels rarely round.
 */
#include "verify/problems/sets.h"

enum { WANTED = 1000, MOST_ATTEMPTS = 200000 };

static int64_t channels(struct dice *dice)
{
    return ONE_OF(dice, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 28, 29, 31, 32, 33, 48);
}

static int64_t width(struct dice *dice)
{
    return ONE_OF(dice, 1, 2, 5, 7, 8, 9, 14, 15, 16, 17, 18, 23, 24, 25, 31, 32, 33, 34, 47, 63, 64, 65, 130);
}

static void draw_axes(struct conv_problem *p, enum conv_kind kind, struct dice *dice)
{
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++) {
        const bool last = a == CONV_W;
        p->axis[a] = (struct conv_axis){
            .in = last ? width(dice) : ONE_OF(dice, 1, 2, 3, 4, 5, 7, 8, 9, 13, 17),
            .filter = ONE_OF(dice, 1, 1, 2, 3, 3, 3, 4, 5, 7), .stride = ONE_OF(dice, 1, 1, 1, 2, 2, 3, 4),
            .dilation = ONE_OF(dice, 1, 1, 1, 2, 3), .pad_begin = below(dice, 4), .pad_end = below(dice, 4),
            .output_pad = p->op == CONV_OP_TRANSPOSED ? below(dice, 2) : 0 };
        if (kind == CONV_POINTWISE)
            p->axis[a].filter = 1;
        if (p->axis[a].filter == 1 && below(dice, 4))   /* plain matrix products are wanted too */
            p->axis[a].stride = 1, p->axis[a].pad_begin = p->axis[a].pad_end = 0;
    }
}

static void draw_channels(struct conv_problem *p, enum conv_kind kind, struct dice *dice)
{
    p->c = channels(dice);
    p->k = channels(dice);
    if (kind == CONV_DEPTHWISE) {
        p->groups = p->c;
        p->k = p->c * ONE_OF(dice, 1, 1, 1, 2, 3);
    } else if (kind == CONV_GROUPED || (kind == CONV_TRANSPOSED && below(dice, 2))) {
        p->groups = ONE_OF(dice, 2, 2, 3, 4, 5, 8);
        p->c *= p->groups;
        p->k *= p->groups;
    } else if (has_stages(kind)) {
        p->mult = ONE_OF(dice, 1, 1, 2, 3);
    }
}

static bool draw(struct conv_problem *problem, const struct conv_problem_filter *filter, struct dice *dice)
{
    static const double most_macs = 1e6;
    const enum conv_kind kind = drawn_kind(dice, filter);
    *problem = conv_problem_default((int)ONE_OF(dice, 1, 2, 2, 2, 3));
    problem->n = ONE_OF(dice, 0, 1, 1, 1, 2, 3, 5, 27);
    draw_modes(problem, kind, filter, dice);
    draw_channels(problem, kind, dice);
    draw_axes(problem, kind, dice);
    return is_drawn(problem, kind, filter)
        && problem_macs(problem) <= most_macs;
}

struct seams { const struct conv_problem_filter *filter; struct dice dice; int64_t attempts, made; };

static bool begin(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct seams *)state = (struct seams){ .filter = filter, .dice = { seed } };
    return true;
}

static bool next(void *state, struct conv_problem *problem)
{
    struct seams *walk = state;
    while (walk->attempts++ < MOST_ATTEMPTS && walk->made < WANTED)
        if (draw(problem, walk->filter, &walk->dice)) {
            walk->made++;
            return true;
        }
    return false;
}

const struct problem_set set_seams = {
    .name = "seams", .words = "sizes round the seams of vectors, tiles and blocks",
    .state_bytes = sizeof(struct seams), .begin = begin, .next = next,
};
