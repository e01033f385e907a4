/* powers.c - set "powers": channels and filters whose number is a large power of two, or three of one.
 *
 * Declared in sets.h.  With channels last such a number is the distance of two positions, and where it is 1, 2 or
 * 4 KiB all that a tile reads lies in a few sets of the first cache: fast kernels have other tiles for it, by the
 * number of channels, the stride and the dilation, which nothing else runs through.  Sums in blocks of 256 channels
 * have no tail there, and trees of sums no half.  So each common window meets each power, in images of few positions.
 */
#include "verify/problems/strata.h"

static const int powers[] = { 64, 128, 256, 512, 1024, 2048 };
enum { POWERS = sizeof powers / sizeof *powers, DRAWS = 2 };

/* Filters, strides and dilations of rows and columns; rank 1 has columns only, rank 3 as many planes as rows. */
struct window { int rank, rows, columns, stride, dilation; };
static const struct window windows[] = {
    { 2, 3, 3, 1, 1 }, { 2, 3, 3, 2, 1 }, { 2, 3, 3, 1, 2 }, { 2, 3, 3, 1, 4 }, { 2, 5, 5, 1, 1 }, { 2, 5, 5, 2, 1 },
    { 2, 5, 5, 1, 2 }, { 2, 7, 7, 1, 1 }, { 2, 1, 1, 1, 1 }, { 2, 1, 1, 2, 1 }, { 1, 1, 3, 1, 1 }, { 1, 1, 3, 1, 2 },
    { 3, 3, 3, 1, 1 }, { 3, 3, 3, 2, 1 },
};
enum { WINDOWS = sizeof windows / sizeof *windows };

/* Depthwise: the power; else it is the channels, the filters, or both of groups. */
static void set_channels(struct conv_problem *p, enum conv_kind kind, int64_t power, struct dice *dice)
{
    const int64_t few = ONE_OF(dice, 1, 3, 8, 16, 20), many = power <= 512 ? power * ONE_OF(dice, 1, 1, 3) : power;
    const int64_t where = below(dice, 2);
    p->c = where ? many : few;
    p->k = where ? few : many;
    if (kind == CONV_DEPTHWISE) {
        p->c = p->groups = many;
        p->k = p->c * ONE_OF(dice, 1, 1, 1, 2);
    } else if (kind == CONV_GROUPED) {
        p->groups = many / ONE_OF(dice, 2, 4, 8, 16, 32);
        p->c = p->k = many;
    }
}

static enum stratum put_power(struct conv_problem *p, enum conv_kind kind, int64_t number, int64_t draw,
                              struct dice *dice)
{
    const struct window *window = &windows[number / POWERS];
    const bool transposed = kind == CONV_TRANSPOSED;
    (void)draw;
    if (kind == CONV_POINTWISE && window->rows * window->columns > 1)
        return STRATUM_AGAIN;
    p->rank = window->rank;
    set_channels(p, kind, powers[number % POWERS], dice);
    for (int a = CONV_AXES - p->rank; a < CONV_W; a++)
        p->axis[a] = axis_of_outputs(from_to(dice, 1, p->rank == 3 ? 3 : 5), window->rows, window->stride,
                                     window->dilation, transposed, dice);
    p->axis[CONV_W] = axis_of_outputs(from_to(dice, 1, 17), window->columns, window->stride, window->dilation,
                                      transposed, dice);
    return STRATUM_DRAWN;
}

static bool begin(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct strata *)state = strata_begin(filter, seed, put_power, WINDOWS * POWERS, DRAWS, 2.5e6);
    return true;
}

static bool next(void *state, struct conv_problem *problem) { return strata_next(state, problem); }

const struct problem_set set_powers = {
    .name = "powers", .words = "channels and filters of a large power of two, with each common window",
    .state_bytes = sizeof(struct strata), .begin = begin, .next = next,
};
