/* strata.c - sets in which every case of a list has its draws.   Declared in strata.h. */
#include "verify/problems/strata.h"

static int wanted_passes(const struct conv_problem_filter *filter)
{
    int count = 0;
    for (int pass = 0; pass < CONV_PASSES; pass++)
        count += filter_has(filter->passes, pass);
    return count;
}

struct strata strata_begin(const struct conv_problem_filter *filter, uint64_t seed, stratum_function *put_together,
                           int64_t count, int64_t draws, double most_macs)
{
    return (struct strata){ .filter = filter, .put_together = put_together, .count = count,
                            .draws = draws * wanted_passes(filter), .most_macs = most_macs, .seed = seed };
}

/* The pass whose turn it is: all of them in turn, as far as they are wanted. */
static enum conv_pass pass_of(const struct strata *strata)
{
    int64_t skip = strata->draw % wanted_passes(strata->filter);
    int pass = 0;
    while (!filter_has(strata->filter->passes, pass) || skip-- > 0)
        pass++;
    return (enum conv_pass)pass;
}

/* Many elements cost as much as many multiply-adds. */
static bool is_affordable(const struct conv_problem *problem, double most_macs)
{
    static const double macs_per_element = 20;
    double elements = 0;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        elements += (double)conv_operand_count(problem, operand);
    return problem_macs(problem) <= most_macs && elements * macs_per_element <= most_macs;
}

static enum stratum draw(struct conv_problem *problem, const struct strata *strata, struct dice *dice)
{
    struct conv_problem_filter filter = *strata->filter;
    const enum conv_kind kind = drawn_kind(dice, &filter);
    filter.passes = 1u << pass_of(strata);
    *problem = conv_problem_default(2);
    draw_modes(problem, kind, &filter, dice);
    const enum stratum stratum = strata->put_together(problem, kind, strata->number,
                                                      strata->draw / wanted_passes(strata->filter), dice);
    if (stratum != STRATUM_DRAWN)
        return stratum;
    const bool good = is_drawn(problem, kind, strata->filter) && is_affordable(problem, strata->most_macs);
    return good ? STRATUM_DRAWN : STRATUM_AGAIN;
}

bool strata_next(struct strata *strata, struct conv_problem *problem)
{
    enum { MOST_ATTEMPTS = 30 };
    for (; strata->number < strata->count; strata->number++, strata->draw = 0)
        while (strata->draw < strata->draws) {
            struct dice dice = { random_at(strata->seed + (uint64_t)strata->number, strata->draw) };
            enum stratum stratum = STRATUM_AGAIN;
            for (int attempt = 0; stratum == STRATUM_AGAIN && attempt < MOST_ATTEMPTS; attempt++)
                stratum = draw(problem, strata, &dice);
            if (stratum == STRATUM_DONE)
                break;
            strata->draw++;
            if (stratum == STRATUM_DRAWN)
                return true;
        }
    return false;
}

struct conv_axis axis_of_outputs(int64_t out, int64_t filter, int64_t stride, int64_t dilation, bool transposed,
                                 struct dice *dice)
{
    const int64_t most = (filter - 1) * dilation, side = below(dice, 4);
    struct conv_axis axis = { .filter = filter, .stride = stride, .dilation = dilation,
                              .pad_begin = side == 0 ? 0 : side == 1 ? most : most / 2,
                              .pad_end = side == 0 ? 0 : side == 2 ? most : side == 1 ? 0 : most - most / 2 };
    if (transposed) {
        axis.in = out;   /* the side that is walked along */
        axis.output_pad = below(dice, 3) ? 0 : stride - 1;
        return axis;
    }
    axis.in = (out - 1) * stride + most + 1 - axis.pad_begin - axis.pad_end + below(dice, stride);
    return axis;
}
