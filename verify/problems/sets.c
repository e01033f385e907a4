/* sets.c - THE list of sets, and walks through them.   Declared in convref/problems.h and sets.h. */
#include "verify/problems/sets.h"

#include <stdlib.h>
#include <string.h>

#include "core/main_output.h"
#include "core/words.h"

static const struct problem_set *const sets[] = {
    &set_small, &set_covering, &set_lessons, &set_remainders, &set_seams, &set_rows, &set_routes, &set_ordinary,
    &set_large_pairs, &set_large_settings, &set_powers,
};
enum { SETS = sizeof sets / sizeof *sets };

int conv_problem_set_count(void) { return SETS; }

struct conv_problem_set conv_problem_set_at(int index)
{
    return (struct conv_problem_set){ sets[index]->name, sets[index]->words };
}

/* ---- the filter ------------------------------------------------------------------------------------------------ */

double problem_macs(const struct conv_problem *problem)
{
    return (double)conv_fan_in(problem) * (double)conv_operand_count(problem, main_output(problem));
}

static bool is_at_most(int64_t value, int64_t most) { return most == 0 || value <= most; }

bool conv_problem_passes(const struct conv_problem_filter *filter, const struct conv_problem *problem)
{
    if (!filter)
        return true;
    if (!filter_has(filter->kinds, conv_problem_kind(problem)) || !filter_has(filter->passes, problem->pass)
        || !filter_has(filter->layouts, problem->layout) || !filter_has(filter->types, problem->type)
        || !filter_has(filter->ranks, problem->rank)
            || (filter->most_macs > 0 && problem_macs(problem) > filter->most_macs))
        return false;
    for (int a = 0; a < CONV_AXES; a++) {
        const struct conv_axis *axis = &problem->axis[a];
        if (!is_at_most(axis->stride, filter->most_stride) || !is_at_most(axis->dilation, filter->most_dilation)
            || !is_at_most(axis->filter, filter->most_filter) || !is_at_most(axis->pad_begin, filter->most_pad)
            || !is_at_most(axis->pad_end, filter->most_pad))
            return false;
    }
    return !filter->wanted || filter->wanted(problem, filter->context);
}

/* ---- drawing by lot -------------------------------------------------------------------------------------------- */

int drawn_bit(struct dice *dice, unsigned set, int count)
{
    int bit;
    do
        bit = (int)below(dice, count);
    while (set & ((1u << count) - 1) && !(set & 1u << bit));
    return bit;
}

/* Whoever has no inverted residuals is drawn from the kinds before them: problems of one seed stay what they were
 * before there were any. */
enum conv_kind drawn_kind(struct dice *dice, const struct conv_problem_filter *filter)
{
    const bool all = filter_has(filter->kinds, CONV_INVERTED_RESIDUAL);
    return (enum conv_kind)drawn_bit(dice, filter->kinds, all ? CONV_KINDS : CONV_INVERTED_RESIDUAL);
}

void draw_modes(struct conv_problem *problem, enum conv_kind kind, const struct conv_problem_filter *filter,
                struct dice *dice)
{
    problem->op = op_of_kind(kind);
    problem->pass = has_stages(kind) ? CONV_FORWARD : (enum conv_pass)drawn_bit(dice, filter->passes, CONV_PASSES);
    problem->layout = (enum conv_layout)drawn_bit(dice, filter->layouts, CONV_LAYOUTS);
    problem->type = (enum conv_type)drawn_bit(dice, filter->types, CONV_TYPES);
    problem->bias = below(dice, 2);
    if (problem->pass == CONV_FORWARD)
        problem->act = (enum conv_activation)below(dice, CONV_ACTIVATIONS);
    if (has_stages(kind))
        problem->mid_act = (enum conv_activation)below(dice, CONV_ACTIVATIONS);
}

bool has_stages(enum conv_kind kind) { return kind == CONV_SEPARABLE || kind == CONV_INVERTED_RESIDUAL; }

enum conv_op op_of_kind(enum conv_kind kind)
{
    return has_stages(kind) ? CONV_OP_SEPARABLE : kind == CONV_TRANSPOSED ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
}

/* Like x: as many filters as channels, no stride, and as much padding as the window is long. */
static void shape_like_x(struct conv_problem *problem)
{
    problem->k = problem->c;
    for (int a = 0; a < CONV_AXES; a++) {
        struct conv_axis *axis = &problem->axis[a];
        const int64_t pads = (axis->filter - 1) * axis->dilation;
        axis->stride = 1;
        axis->pad_begin = axis->pad_begin < pads ? axis->pad_begin : pads;
        axis->pad_end = pads - axis->pad_begin;
    }
}

/* A separable problem becomes an inverted residual: with few channels more, or with many, or with none; and x is
 * added in half of them.  Which one follows from the sizes, so that a set needs no more draws for it. */
static void invert(struct conv_problem *problem)
{
    const struct conv_axis *W = &problem->axis[CONV_W], *H = &problem->axis[CONV_H];
    const int64_t sizes = ((((problem->c * 7 + problem->k) * 7 + W->in) * 7 + H->in) * 7 + W->filter) * 7 + H->filter;
    struct dice dice = { random_at((uint64_t)(sizes * 7 + problem->act * 3 + problem->mid_act), problem->n) };
    const int64_t wide = ONE_OF(&dice, 1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 24, 31, 33);
    const int64_t times = ONE_OF(&dice, 2, 3, 6);
    problem->residual = below(&dice, 2);
    problem->expand = problem->residual && below(&dice, 8) == 0 ? 0
                    : below(&dice, 3) == 0 ? problem->c * times : wide;
    if (problem->residual)
        shape_like_x(problem);
}

bool is_drawn(struct conv_problem *problem, enum conv_kind kind, const struct conv_problem_filter *filter)
{
    if (kind == CONV_INVERTED_RESIDUAL)
        invert(problem);
    return conv_problem_finish(problem, NULL) == CONV_OK && conv_problem_kind(problem) == kind
        && conv_problem_passes(filter, problem);
}

/* ---- walks ----------------------------------------------------------------------------------------------------- */

struct conv_problem_walk {
    const struct problem_set *set;
    struct conv_problem_filter filter;
    void *state;
};

static enum conv_status no_such_set(const char *name, struct conv_error *error)
{
    const char *names[SETS];
    for (int i = 0; i < SETS; i++)
        names[i] = sets[i]->name;
    const char *nearest = conv_nearest(name, names, SETS);
    conv_fail(error, CONV_BAD_INPUT, "there is no set of problems '%s'", name);
    if (nearest)
        conv_hint(error, "did you mean %s?", nearest);
    return CONV_BAD_INPUT;
}

enum conv_status conv_problem_walk_open(struct conv_problem_walk **walk, const char *set, uint64_t seed,
                                        const struct conv_problem_filter *filter, struct conv_error *error)
{
    int index = 0;
    while (index < SETS && strcmp(sets[index]->name, set))
        index++;
    if (index == SETS)
        return no_such_set(set, error);
    struct conv_problem_walk *made = calloc(1, sizeof *made);
    void *state = calloc(1, sets[index]->state_bytes);
    if (made) {
        *made = (struct conv_problem_walk){ .set = sets[index], .state = state };
        if (filter)
            made->filter = *filter;
    }
    if (!made || !state || !made->set->begin(state, &made->filter, seed)) {
        free(state);
        free(made);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the problems of set '%s'", set);
    }
    *walk = made;
    return CONV_OK;
}

bool conv_problem_walk_next(struct conv_problem_walk *walk, struct conv_problem *problem)
{
    return walk->set->next(walk->state, problem);
}

bool conv_problem_walk_failed(const struct conv_problem_walk *walk)
{
    return walk->set->failed && walk->set->failed(walk->state);
}

void conv_problem_walk_close(struct conv_problem_walk *walk)
{
    if (!walk)
        return;
    if (walk->set->end)
        walk->set->end(walk->state);
    free(walk->state);
    free(walk);
}

enum conv_status conv_problem_draw(struct conv_problem *problem, const char *set, uint64_t seed, int64_t index,
                                   const struct conv_problem_filter *filter, struct conv_error *error)
{
    struct conv_problem_walk *walk;
    enum conv_status status = conv_problem_walk_open(&walk, set, seed, filter, error);
    if (status != CONV_OK)
        return status;
    for (int64_t i = 0; i <= index && status == CONV_OK; i++)
        if (!conv_problem_walk_next(walk, problem))
            status = conv_fail(error, CONV_NOT_APPLICABLE, "set '%s' has %lld such problems", set, (long long)i);
    if (status != CONV_OK && conv_problem_walk_failed(walk))
        status = conv_fail(error, CONV_NO_MEMORY, "no memory for the problems of set '%s'", set);
    conv_problem_walk_close(walk);
    return status;
}
