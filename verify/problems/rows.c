/* rows.c - set "rows": inputs that end exactly where the last window ends.   Declared in sets.h.
 *
 * A loop that loads whole vectors reads behind the end of the last row, of the last channel, of the last filter;
 * whether that is a fault depends on what lies behind.  These problems are small and have every number of outputs
 * modulo 16 with every stride, and every number of channels and filters modulo 16; the check places them where a page
 * ends.
 */
#include "verify/problems/strata.h"

static const int strides[] = { 1, 2, 3, 4, 5, 8, 16 };
enum { STRIDES = sizeof strides / sizeof *strides, WIDTHS = 34, CHANNELS = 34 };

/* The last window ends with the row. */
static struct conv_axis tight(int64_t out, int64_t filter, int64_t stride)
{
    return (struct conv_axis){ .in = (out - 1) * stride + filter, .filter = filter, .stride = stride, .dilation = 1 };
}

static void set_groups(struct conv_problem *p, enum conv_kind kind, struct dice *dice)
{
    if (kind == CONV_DEPTHWISE) {
        p->c = p->c > 1 ? p->c : 2;
        p->groups = p->k = p->c;
    } else if (kind == CONV_GROUPED) {
        p->groups = 2;
        p->c *= 2;
        p->k *= 2;
    } else if (has_stages(kind)) {
        p->mult = ONE_OF(dice, 1, 1, 2);
    }
}

static enum stratum put_row(struct conv_problem *p, enum conv_kind kind, int64_t number, struct dice *dice)
{
    const int64_t out = number % WIDTHS + 1, stride = strides[number / WIDTHS];
    p->rank = (int)ONE_OF(dice, 1, 2, 2, 2, 3);
    p->c = from_to(dice, 1, 3);
    p->k = from_to(dice, 1, 3);
    for (int a = CONV_AXES - p->rank; a < CONV_W; a++)
        p->axis[a] = tight(from_to(dice, 1, 2), ONE_OF(dice, 1, 2, 3), ONE_OF(dice, 1, 2));
    p->axis[CONV_W] = tight(out, ONE_OF(dice, 1, 2, 3, 3, 5), stride);
    for (int a = CONV_AXES - p->rank; kind == CONV_POINTWISE && a < CONV_AXES; a++)
        p->axis[a] = tight(p->axis[a].filter, 1, p->axis[a].stride);
    return STRATUM_DRAWN;
}

/* All numbers of channels with few filters, then the other way round, then both. */
static enum stratum put_channels(struct conv_problem *p, enum conv_kind kind, int64_t number, struct dice *dice)
{
    const int64_t many = number % CHANNELS + 1, which = number / CHANNELS;
    p->c = which == 1 ? from_to(dice, 1, 3) : many;
    p->k = which == 0 ? from_to(dice, 1, 3) : which == 1 ? many : CHANNELS + 1 - many;
    for (int a = CONV_H; a < CONV_AXES; a++)
        p->axis[a] = tight(from_to(dice, 1, 3), kind == CONV_POINTWISE ? 1 : ONE_OF(dice, 1, 2, 3),
                           ONE_OF(dice, 1, 1, 2));
    return STRATUM_DRAWN;
}

static enum stratum put_together(struct conv_problem *p, enum conv_kind kind, int64_t number, int64_t draw,
                                 struct dice *dice)
{
    enum { ROWS = STRIDES * WIDTHS };
    (void)draw;
    const enum stratum stratum = number < ROWS ? put_row(p, kind, number, dice) : put_channels(p, kind, number - ROWS,
            dice);
    set_groups(p, kind, dice);
    return stratum;
}

static bool begin(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct strata *)state = strata_begin(filter, seed, put_together, STRIDES * WIDTHS + 3 * CHANNELS, 1, 1e6);
    return true;
}

static bool next(void *state, struct conv_problem *problem) { return strata_next(state, problem); }

const struct problem_set set_rows = {
    .name = "rows", .words = "inputs that end with the last window: every width with every stride, every number of channels",
    .state_bytes = sizeof(struct strata), .begin = begin, .next = next,
};
