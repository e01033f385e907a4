/* routes.c - sets "routes" and "ordinary": the ways that fast kernels have for common layers.   Declared in sets.h.
 *
 * A fast kernel has a way of its own for 3x3 filters without dilation on channels in eights, and there a loop for the
 * tail of each row: five to seven settings must meet before a mistake in it shows, and by chance they don't.
 * "routes" has each common filter and stride with every tail of a row modulo 16, while channels are multiples of 4, 8
 * or 16 more often than not.
 *
 * "ordinary" has images of 10 to 60 rows and columns, every size of them, with strides, groups and paddings that
 * differ from side to side: what backward passes of real layers meet.
 */
#include "verify/problems/strata.h"

/* ---- routes ---------------------------------------------------------------------------------------------------- */

enum { TAILS = 16 };

/* Filters and strides of rows and columns; rank 1 has columns only, rank 3 as many planes as rows. */
struct route { int rank, rows, columns, stride, draws; };
static const struct route routes[] = {
    { 2, 3, 3, 1, 18 }, { 2, 3, 3, 2, 18 }, { 2, 1, 1, 1, 18 }, { 2, 5, 5, 1, 9 }, { 2, 5, 5, 2, 5 }, { 2, 1, 1, 2, 5 },
    { 2, 7, 7, 1, 3 }, { 2, 7, 7, 2, 3 }, { 2, 2, 2, 2, 3 }, { 2, 4, 4, 2, 3 }, { 2, 1, 3, 1, 3 }, { 2, 3, 1, 1, 3 },
    { 2, 1, 7, 1, 2 }, { 2, 7, 1, 1, 2 }, { 1, 1, 3, 1, 9 }, { 1, 1, 5, 2, 3 }, { 1, 1, 9, 1, 3 }, { 3, 3, 3, 1, 9 },
    { 3, 3, 3, 2, 3 }, { 3, 1, 1, 1, 3 },
};
enum { ROUTES = sizeof routes / sizeof *routes, MOST_DRAWS = 18, UNITS = 3 };

/* A multiple of 8, 16 or 4, at most 24 or one unit more. */
static int64_t round_channels(int64_t turn, struct dice *dice)
{
    static const int units[UNITS] = { 8, 16, 4 };
    const int64_t unit = units[turn % UNITS];
    return unit * from_to(dice, 1, unit == 16 ? 2 : unit == 8 ? 3 : 4);
}

/* Nine pairs of multiples, with one image and with several; in one of five draws a few channels or filters more. */
static void set_channels(struct conv_problem *p, enum conv_kind kind, int64_t turn, struct dice *dice)
{
    const int64_t more = below(dice, 5);
    p->n = turn / (UNITS * UNITS) % 2 ? ONE_OF(dice, 2, 2, 3) : 1;
    p->c = round_channels(turn, dice) + (more == 0 ? from_to(dice, 1, 3) : 0);
    p->k = round_channels(turn / UNITS, dice) + (more == 1 ? from_to(dice, 1, 3) : 0);
    if (kind == CONV_DEPTHWISE) {
        p->c *= ONE_OF(dice, 1, 1, 2, 4);
        p->groups = p->c;
        p->k = p->c * ONE_OF(dice, 1, 1, 1, 2);
    } else if (kind == CONV_GROUPED || (kind == CONV_TRANSPOSED && below(dice, 3) == 0)) {
        p->groups = ONE_OF(dice, 2, 2, 3, 4);
        p->c = (p->c > 16 ? 8 : p->c) * p->groups;
        p->k = (p->k > 16 ? 8 : p->k) * p->groups;
    } else if (has_stages(kind)) {
        p->mult = ONE_OF(dice, 1, 1, 2);
    }
}

static enum stratum put_route(struct conv_problem *p, enum conv_kind kind, int64_t number, int64_t draw,
                              struct dice *dice)
{
    const struct route *route = &routes[number / TAILS];
    const int64_t tail = number % TAILS, wide = tail + TAILS * below(dice, 2);
    const bool transposed = kind == CONV_TRANSPOSED;
    if (draw >= route->draws)
        return STRATUM_DONE;
    if (kind == CONV_POINTWISE && route->rows * route->columns > 1)
        return STRATUM_AGAIN;
    p->rank = route->rank;
    set_channels(p, kind, draw + number * 5, dice);   /* where there are few draws, other ones for each tail */
    for (int a = CONV_AXES - p->rank; a < CONV_W; a++)
        p->axis[a] = axis_of_outputs(1 + (number * 5 + draw * 3) % 7, route->rows, route->stride, 1, transposed, dice);
    p->axis[CONV_W] = axis_of_outputs(wide > 0 ? wide : TAILS, route->columns, route->stride, 1, transposed, dice);
    return STRATUM_DRAWN;
}

static bool begin_routes(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct strata *)state = strata_begin(filter, seed, put_route, ROUTES * TAILS, MOST_DRAWS, 1e6);
    return true;
}

static bool next(void *state, struct conv_problem *problem) { return strata_next(state, problem); }

const struct problem_set set_routes = {
    .name = "routes", .words = "common filters and strides with every tail of a row, channels mostly round",
    .state_bytes = sizeof(struct strata), .begin = begin_routes, .next = next,
};

/* ---- ordinary sizes -------------------------------------------------------------------------------------------- */

enum { LEAST_SIZE = 10, MOST_SIZE = 60, SIZES = MOST_SIZE - LEAST_SIZE + 1 };

static struct conv_axis ordinary_axis(int64_t size, bool transposed, struct dice *dice)
{
    struct conv_axis axis = { .in = size, .filter = ONE_OF(dice, 1, 2, 3, 3, 3, 4, 5, 7), .stride = ONE_OF(dice, 1, 2, 2, 2, 3),
                              .dilation = ONE_OF(dice, 1, 1, 1, 2), .pad_begin = below(dice, 4), .pad_end = below(dice, 4) };
    if (transposed)
        axis.output_pad = below(dice, axis.stride);
    return axis;
}

static enum stratum put_ordinary(struct conv_problem *p, enum conv_kind kind, int64_t number, int64_t draw,
                                 struct dice *dice)
{
    const int64_t size = LEAST_SIZE + number, other = LEAST_SIZE + (number * 7 + draw * 11) % SIZES;
    const bool transposed = kind == CONV_TRANSPOSED;
    p->n = ONE_OF(dice, 1, 1, 2);
    p->groups = kind == CONV_GROUPED ? ONE_OF(dice, 2, 3, 4) : transposed ? ONE_OF(dice, 1, 2) : 1;
    p->c = from_to(dice, 1, 6) * p->groups;
    p->k = from_to(dice, 1, 6) * p->groups;
    if (kind == CONV_DEPTHWISE) {
        p->c = p->groups = from_to(dice, 2, 12);
        p->k = p->c * ONE_OF(dice, 1, 1, 2);
    }
    p->axis[CONV_H] = ordinary_axis(draw % 2 ? size : other, transposed, dice);
    p->axis[CONV_W] = ordinary_axis(draw % 2 ? other : size, transposed, dice);
    if (kind == CONV_POINTWISE)
        p->axis[CONV_H].filter = p->axis[CONV_W].filter = 1;
    return STRATUM_DRAWN;
}

static bool begin_ordinary(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct strata *)state = strata_begin(filter, seed, put_ordinary, SIZES, 4, 2e6);
    return true;
}

const struct problem_set set_ordinary = {
    .name = "ordinary", .words = "images of 10 to 60 rows and columns, with strides, groups and paddings that differ",
    .state_bytes = sizeof(struct strata), .begin = begin_ordinary, .next = next,
};
