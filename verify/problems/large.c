/* large.c - sets "large_pairs" and "large_settings": sizes that are large two at a time, and settings far out.
 *
 * Declared in sets.h.  A block of 256 channels and a block of 128 filters have a seam each, and a third one where
 * both end; an image with many rows and many columns has more than one tile of each.  So any two sizes are large
 * together, and all others small, so that it costs little.  And each setting comes up to where real layers have it:
 * strides of 16 and their filters (patches of a vision transformer), dilations of 18 (atrous pyramids), filters of
 * 31, paddings of 15, batches of 70.
 */
#include "verify/problems/strata.h"

/* ---- two sizes at a time --------------------------------------------------------------------------------------- */

enum size { BATCH, CHANNELS, FILTERS, GROUPS, ROWS, COLUMNS, TAP_ROWS, TAP_COLUMNS, SIZES };
enum { PAIRS = SIZES * (SIZES - 1) / 2, LEVELS = 3 };

/* What is small, and what is large: three levels, which the draws of a pair combine. */
struct level { int from, to; };
static const struct level small[SIZES] = {
    [BATCH] = { 1, 2 }, [CHANNELS] = { 1, 3 }, [FILTERS] = { 1, 3 }, [GROUPS] = { 2, 3 }, [ROWS] = { 1, 3 }, [COLUMNS] = { 1, 3 },
    [TAP_ROWS] = { 1, 3 }, [TAP_COLUMNS] = { 1, 3 },
};
static const struct level large[SIZES][LEVELS] = {
    [BATCH] = { { 33, 48 }, { 49, 70 }, { 70, 130 } }, [CHANNELS] = { { 49, 130 }, { 131, 260 }, { 257, 520 } },
    [FILTERS] = { { 49, 130 }, { 131, 260 }, { 257, 520 } }, [GROUPS] = { { 9, 24 }, { 25, 70 }, { 71, 140 } },
    [ROWS] = { { 33, 70 }, { 65, 140 }, { 129, 280 } }, [COLUMNS] = { { 33, 70 }, { 65, 140 }, { 129, 280 } },
    [TAP_ROWS] = { { 6, 8 }, { 9, 12 }, { 13, 17 } }, [TAP_COLUMNS] = { { 6, 8 }, { 9, 12 }, { 13, 17 } },
};
/* Of channels in each of many groups. */
static const struct level of_groups[LEVELS] = { { 4, 9 }, { 10, 17 }, { 18, 33 } };

static int64_t from_level(struct level level, struct dice *dice) { return from_to(dice, level.from, level.to); }

/* Number `pair` of all pairs. */
static void pair_at(int64_t pair, enum size of[2])
{
    enum size first = BATCH;
    while (pair >= SIZES - 1 - first)
        pair -= SIZES - 1 - first++;
    of[0] = first;
    of[1] = first + 1 + (enum size)pair;
}

static bool fits_kind(enum conv_kind kind, const enum size of[2])
{
    for (int i = 0; i < 2; i++)
        if ((of[i] == GROUPS && kind != CONV_GROUPED && kind != CONV_TRANSPOSED && kind != CONV_DEPTHWISE)
            || (of[i] == FILTERS && kind == CONV_DEPTHWISE)
            || ((of[i] == TAP_ROWS || of[i] == TAP_COLUMNS) && kind == CONV_POINTWISE))
            return false;
    return true;
}

static void set_axes(struct conv_problem *p, enum conv_kind kind, const int64_t *size, struct dice *dice)
{
    for (int a = CONV_H; a < CONV_AXES; a++) {
        const int64_t out = size[a == CONV_H ? ROWS : COLUMNS], taps = size[a == CONV_H ? TAP_ROWS : TAP_COLUMNS];
        const int64_t filter = kind == CONV_POINTWISE ? 1 : taps, stride = out > 70 ? 1 : ONE_OF(dice, 1, 1, 2);
        const int64_t pad = below(dice, 2) ? filter / 2 : 0;
        p->axis[a] = (struct conv_axis){ .filter = filter, .stride = stride, .dilation = 1, .pad_begin = pad, .pad_end = pad,
                                         .in = kind == CONV_TRANSPOSED ? out : (out - 1) * stride + filter - 2 * pad };
        if (p->axis[a].in < 1)
            p->axis[a].in = 1;
    }
}

/* Channels of many groups are the groups' own: large ones are smaller there. */
static void set_channels(struct conv_problem *p, enum conv_kind kind, int64_t *size, const bool *is_large,
                         const int64_t *level, struct dice *dice)
{
    if (kind == CONV_DEPTHWISE) {
        p->groups = p->c = is_large[CHANNELS] ? size[CHANNELS] : is_large[GROUPS] ? size[GROUPS] : from_to(dice, 2,
                3);
        p->k = p->c * ONE_OF(dice, 1, 1, 2);
        return;
    }
    p->groups = kind == CONV_GROUPED || is_large[GROUPS] ? size[GROUPS] : 1;
    for (enum size s = CHANNELS; s <= FILTERS; s++)
        if (is_large[GROUPS] && is_large[s])
            size[s] = from_level(of_groups[level[s]], dice);
    p->c = size[CHANNELS] * p->groups;
    p->k = size[FILTERS] * p->groups;
}

static enum stratum put_pair(struct conv_problem *p, enum conv_kind kind, int64_t number, int64_t draw,
                             struct dice *dice)
{
    enum size of[2];
    int64_t size[SIZES], level[SIZES] = { 0 };
    bool is_large[SIZES] = { false };
    pair_at(number, of);
    if (!fits_kind(kind, of))
        return STRATUM_AGAIN;
    is_large[of[0]] = is_large[of[1]] = true;
    level[of[0]] = draw % LEVELS;
    level[of[1]] = (draw + draw / LEVELS + number) % LEVELS;
    for (enum size s = 0; s < SIZES; s++)
        size[s] = from_level(is_large[s] ? large[s][level[s]] : small[s], dice);
    p->n = size[BATCH];
    set_axes(p, kind, size, dice);
    set_channels(p, kind, size, is_large, level, dice);
    return STRATUM_DRAWN;
}

static bool begin_pairs(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct strata *)state = strata_begin(filter, seed, put_pair, PAIRS, 2 * LEVELS, 6e6);
    return true;
}

static bool next(void *state, struct conv_problem *problem) { return strata_next(state, problem); }

const struct problem_set set_large_pairs = {
    .name = "large_pairs", .words = "any two sizes large together, and all others small",
    .state_bytes = sizeof(struct strata), .begin = begin_pairs, .next = next,
};

/* ---- settings far out ------------------------------------------------------------------------------------------ */

/* A stratum is a setting and its value; on rows, on columns or on both. */
enum setting { STRIDE, PATCH, DILATION, FILTER, PAD, OUTPUT_PAD, LARGE_BATCH, MULTIPLIER, SETTINGS };
static const struct level values[SETTINGS] = {
    [STRIDE] = { 4, 16 }, [PATCH] = { 2, 16 }, [DILATION] = { 4, 18 }, [FILTER] = { 6, 31 }, [PAD] = { 4, 15 },
    [OUTPUT_PAD] = { 2, 7 }, [LARGE_BATCH] = { 33, 70 }, [MULTIPLIER] = { 3, 12 },
};

/* Which setting, and which value, stratum `number` is; false behind the last. */
static bool setting_at(enum setting *setting, int64_t *value, int64_t number)
{
    for (*setting = 0; *setting < SETTINGS; ++*setting) {
        const int64_t count = values[*setting].to - values[*setting].from + 1;
        *value = values[*setting].from + number;
        if (number < count)
            return true;
        number -= count;
    }
    return false;
}

static int64_t strata_of_settings(void)
{
    enum setting setting;
    int64_t value, number = 0;
    while (setting_at(&setting, &value, number))
        number++;
    return number;
}

static void set_one(struct conv_axis *axis, enum setting setting, int64_t value, struct dice *dice)
{
    switch (setting) {
    case STRIDE: axis->stride = value; break;
    case PATCH: axis->stride = axis->filter = value; break;
    case DILATION:
        axis->dilation = value;
        axis->filter = ONE_OF(dice, 2, 3, 3);
        axis->pad_begin = below(dice, 2) ? value : 0;
        axis->pad_end = axis->pad_begin;
        break;
    case FILTER:
        axis->filter = value;
        axis->pad_begin = below(dice, 2) ? value / 2 : 0;
        axis->pad_end = below(dice, 2) ? value / 2 : 0;
        break;
    case PAD: axis->pad_begin = value; axis->pad_end = below(dice, value + 1); break;
    case OUTPUT_PAD:   /* with a filter and a padding that leave something there to compute */
        axis->output_pad = value;
        axis->stride = value + from_to(dice, 1, 2);
        axis->filter = axis->stride + below(dice, 3);
        axis->pad_end = below(dice, axis->filter);
        break;
    default: break;
    }
}

/* Of ordinary settings, and an input that leaves a few outputs. */
static struct conv_axis plain_axis(enum conv_kind kind, struct dice *dice)
{
    return (struct conv_axis){ .filter = kind == CONV_POINTWISE ? 1 : ONE_OF(dice, 1, 2, 3, 3, 5), .stride = ONE_OF(dice, 1, 1, 2),
                               .dilation = 1, .pad_begin = below(dice, 2), .pad_end = below(dice, 2) };
}

static void choose_size(struct conv_axis *axis, bool transposed, struct dice *dice)
{
    const int64_t out = from_to(dice, 1, 5), pads = axis->pad_begin + axis->pad_end;
    axis->in = transposed ? out : (out - 1) * axis->stride + conv_extent(axis) - pads + below(dice, axis->stride);
    if (transposed)
        while ((axis->in - 1) * axis->stride + conv_extent(axis) + axis->output_pad - pads < 1)
            axis->in++;
    if (axis->in < 1)
        axis->in = 1 + below(dice, 4);
}

static bool setting_fits(enum conv_kind kind, enum setting setting)
{
    if (setting == OUTPUT_PAD)
        return kind == CONV_TRANSPOSED;
    if (setting == MULTIPLIER)
        return kind == CONV_DEPTHWISE || has_stages(kind);
    return kind != CONV_POINTWISE || setting == STRIDE || setting == PAD || setting == LARGE_BATCH;
}

static void set_small_channels(struct conv_problem *p, enum conv_kind kind, enum setting setting, int64_t value,
                               struct dice *dice)
{
    const int64_t mult = setting == MULTIPLIER ? value : 1;
    p->n = setting == LARGE_BATCH ? value : ONE_OF(dice, 1, 1, 2);
    p->groups = kind == CONV_GROUPED ? ONE_OF(dice, 2, 3, 4) : kind == CONV_TRANSPOSED ? ONE_OF(dice, 1, 1, 2) : 1;
    p->c = from_to(dice, 1, 5) * p->groups;
    p->k = ONE_OF(dice, 1, 3, 4, 8) * p->groups;
    if (kind == CONV_DEPTHWISE) {
        p->c = p->groups = from_to(dice, 2, 17);
        p->k = p->c * mult;
    } else if (has_stages(kind)) {
        p->mult = mult;
    }
}

static enum stratum put_setting(struct conv_problem *p, enum conv_kind kind, int64_t number, int64_t draw,
                                struct dice *dice)
{
    enum setting setting;
    int64_t value;
    if (!setting_at(&setting, &value, number) || !setting_fits(kind, setting))
        return STRATUM_AGAIN;
    p->rank = (int)ONE_OF(dice, 1, 2, 2, 2, 3);
    set_small_channels(p, kind, setting, value, dice);
    const int64_t where = draw % (p->rank < 3 ? 3 : 2);   /* the last axis, the one before it, both */
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++) {
        p->axis[a] = plain_axis(kind, dice);
        if (where == 2 || p->rank == 1 || a == CONV_W - (int)where)
            set_one(&p->axis[a], setting, value, dice);
        choose_size(&p->axis[a], kind == CONV_TRANSPOSED, dice);
    }
    return STRATUM_DRAWN;
}

static bool begin_settings(void *state, const struct conv_problem_filter *filter, uint64_t seed)
{
    *(struct strata *)state = strata_begin(filter, seed, put_setting, strata_of_settings(), 3, 3e6);
    return true;
}

const struct problem_set set_large_settings = {
    .name = "large_settings", .words = "strides to 16, dilations to 18, filters to 31, paddings to 15, batches to 70",
    .state_bytes = sizeof(struct strata), .begin = begin_settings, .next = next,
};
