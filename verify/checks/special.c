/* special.c - check "special": NaN, infinities and zeros of either sign appear where they must, and nowhere else.
 *
 * One input has a special value, all others are small integers; or zeros in one factor meet infinities in the other,
 * or infinities each other.  An output whose sum has it must be NaN or infinite, every other output is what it would
 * be without, bit for bit; relu passes NaN on, and makes 0 of minus infinity.
 *
 * What is 0 * infinity in the padding?  Frameworks differ: a kernel that writes zeros round the image and multiplies
 * them gets NaN, one that leaves the padding out doesn't.  Both are accepted, here and for the holes that a stride
 * leaves in a gradient.  (In the weight gradient of a transposed problem the zeros lie round dy, so that an infinite
 * x meets them; everywhere else only weights or dy do.)  Which one it is, and whether it is the same for all shapes,
 * is reported and is no verdict: libraries choose their algorithm by shape.  The sign of a zero isn't looked at.
 *
 * Sees: a NaN that relu swallows, special values that spread to other channels, rows or images, or that vanish.
 * Does not see: sums that overflow, for which the order of summation matters.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "verify/checks/checks.h"
#include "verify/engine/careful.h"
#include "verify/engine/ways.h"
#include "verify/maths/probe.h"

/* ---- the data -------------------------------------------------------------------------------------------------- */

static void integers(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                     enum conv_accuracy accuracy)
{
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, conv_accuracy_range(problem, accuracy), 0 };
    conv_fill(CONV_F64, values, conv_operand_count(problem, operand), conv_operand_name(problem, operand), &fill);
}

/* Put `value` somewhere into the operand of this factor, another place for each seed. */
static void put(double *values, const struct conv_problem *problem, enum conv_operand operand,
                enum probe_factor factor, int64_t place, double value)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (probe_factor(problem, operand) == factor && count > 0)
        values[place % count] = value;
}

#define ONE_VALUE(name, factor, ...) \
    static void name(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed, \
                     enum conv_accuracy accuracy) \
    { \
        static const double list[] = { __VA_ARGS__ }; \
        integers(values, problem, operand, seed, accuracy); \
        for (size_t i = 0; i < sizeof list / sizeof *list; i++) \
            put(values, problem, operand, factor, (int64_t)(seed % 1000 + 5) * 11 + 29 * (int64_t)i, list[i]); \
    }
ONE_VALUE(nan_in_first, PROBE_FIRST, NAN)
ONE_VALUE(infinities_in_first, PROBE_FIRST, INFINITY, -INFINITY)
ONE_VALUE(nan_in_second, PROBE_SECOND, NAN)
ONE_VALUE(infinity_in_third, PROBE_THIRD, -INFINITY)
ONE_VALUE(nan_in_bias, PROBE_BIAS, NAN)

/* All taps of one filter and channel (all pixels of one plane of dy) are infinite, and what they meet is positive, so
 * that every output with one of them is infinite; and NaN if it has padding and multiplies it. */
static void infinite_filter(double *values, const struct conv_problem *problem, enum conv_operand operand,
                            uint64_t seed, enum conv_accuracy accuracy)
{
    const int64_t count = conv_operand_count(problem, operand);
    const enum probe_factor factor = probe_factor(problem, operand);
    int64_t dims[CONV_MAX_RANK], slice = 1;
    struct conv_problem first = *problem;
    first.layout = CONV_CHANNELS_FIRST;
    integers(values, problem, operand, seed, accuracy);
    for (int d = conv_operand_shape(dims, &first, operand) - 1; d > 1; d--)
        slice *= dims[d];
    for (int64_t i = 0; factor == PROBE_FIRST && i < count; i++)
        values[i] = fabs(values[i]);
    for (int64_t i = 0; factor == PROBE_SECOND && i < slice && i < count; i++)
        values[i] = INFINITY;
}

/* Zeros in one factor meet infinities in the other: NaN, so a kernel that leaves out products with 0 is wrong. */
static void meet(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                 enum probe_factor zeros, enum probe_factor infinities, uint64_t every)
{
    const enum probe_factor factor = probe_factor(problem, operand);
    for (int64_t i = 0; i < conv_operand_count(problem, operand); i++)
        if (factor == zeros && (uint64_t)i % 3 == seed % 3)
            values[i] = 0;
        else if (factor == infinities && (uint64_t)i % every == seed % every)
            values[i] = i % 2 ? INFINITY : -INFINITY;
}

static void zeros_and_infinities(double *values, const struct conv_problem *problem, enum conv_operand operand,
                                 uint64_t seed, enum conv_accuracy accuracy)
{
    integers(values, problem, operand, seed, accuracy);
    meet(values, problem, operand, seed, PROBE_FIRST, PROBE_SECOND, 7);
}

static void infinities_and_zeros(double *values, const struct conv_problem *problem, enum conv_operand operand,
                                 uint64_t seed, enum conv_accuracy accuracy)
{
    integers(values, problem, operand, seed, accuracy);
    meet(values, problem, operand, seed, PROBE_SECOND, PROBE_FIRST, 11);
}

/* Infinities on both sides: of the same sign they stay, of both signs in one sum they are NaN. */
static void infinities_in_both(double *values, const struct conv_problem *problem, enum conv_operand operand,
                               uint64_t seed, enum conv_accuracy accuracy)
{
    const enum probe_factor factor = probe_factor(problem, operand);
    integers(values, problem, operand, seed, accuracy);
    for (int64_t i = 0; i < conv_operand_count(problem, operand); i++)
        if ((factor == PROBE_FIRST && i % 13 == (int64_t)(seed % 13))
            || (factor == PROBE_SECOND && i % 5 == (int64_t)(seed % 5)))
            values[i] = values[i] < 0 ? -INFINITY : INFINITY;
}

static void negative_zeros(double *values, const struct conv_problem *problem, enum conv_operand operand,
                           uint64_t seed, enum conv_accuracy accuracy)
{
    integers(values, problem, operand, seed, accuracy);
    for (int64_t i = 0; probe_factor(problem, operand) == PROBE_FIRST && i < conv_operand_count(problem, operand);
         i++)
        values[i] = -0.0;
}

/* Whether 0 * infinity in the padding is NaN only infinite_filter can tell: there every padding meets an infinity. */
static const struct { check_maker *make; bool padding, tells; } specials[] = {
    { nan_in_first, false, false }, { infinities_in_first, false, false }, { nan_in_second, true, false },
    { infinity_in_third, false, false }, { nan_in_bias, false, false }, { infinite_filter, true, true },
    { negative_zeros, false, false }, { zeros_and_infinities, true, false }, { infinities_and_zeros, false, false },
    { infinities_in_both, true, false },
};

/* ---- the problems ---------------------------------------------------------------------------------------------- */

static const char *const texts[] = {
    "n=2 c=5 in=6x19 k=9 filter=3x3 pad=1 bias=1 act=relu", "c=16 in=7x16 k=16 filter=3x3 pad=1 act=relu6",
    "c=3 in=9x9 k=4 filter=3x3 stride=2 pad=1", "n=2 c=19 in=5x7 k=17 filter=1x1 bias=1 act=relu",
    "c=8 in=5x7 k=6 filter=1x1 pad=1 act=relu6", "n=2 c=17 in=9x18 k=17 filter=3x3 pad=1 groups=17 bias=1 act=relu",
    "c=16 in=9x16 k=16 filter=5x5 pad=2 stride=2 groups=16 act=relu6", "c=3 in=8x9 k=6 filter=3x3 pad=1 groups=3",
    "c=12 in=6x9 k=18 filter=3x3 pad=1 groups=3 bias=1 act=relu",
    "op=separable n=2 c=9 in=7x17 k=11 filter=3x3 pad=1 bias=1 mid_act=relu act=relu",
    "op=separable c=8 in=7x8 k=8 filter=3x3 pad=1 mid_act=relu6",
    "op=separable n=2 c=6 in=7x17 k=6 filter=3x3 pad=1 bias=1 mid_act=relu act=relu expand=19 residual=1",
    "op=separable c=5 in=9x8 k=9 filter=3x3 pad=1 stride=2 mid_act=relu6 expand=16",
    "op=transposed c=4 in=5x6 k=3 filter=4x4 stride=2 pad=1 bias=1 act=relu",
    "op=transposed c=4 in=5x6 k=6 filter=3x3 pad=1 groups=2", "c=5 in=37 k=8 filter=5 pad=2",
    "c=3 in=4x5x6 k=4 filter=3x3x3 pad=1",
    /* channels at which kernels change their ways */
    "c=64 in=4x5 k=18 filter=3x3 pad=1 bias=1 act=relu", "c=32 in=6x6 k=35 filter=3x3 stride=2 pad=1 act=relu6",
    "c=130 in=3x5 k=33 filter=1x1 act=relu", "c=24 in=3x20 k=66 filter=1x1 bias=1",
    "c=96 in=5x17 k=96 filter=3x3 pad=1 groups=96 act=relu", "c=33 in=9x12 k=33 filter=5x5 pad=2 groups=33",
    "c=24 in=5x8 k=32 filter=3x3 pad=1 groups=4 act=relu", "op=separable c=40 in=5x9 k=36 filter=3x3 pad=1 mid_act=relu act=relu6",
    "op=transposed c=20 in=5x6 k=8 filter=4x4 stride=2 pad=1 act=relu", "c=5 in=12x21 k=4 filter=5x5 pad=2 act=relu",
};

/* The zeros are those of dy, and both factors may meet them. */
static bool pads_second(const struct conv_problem *problem)
{
    return problem->op == CONV_OP_TRANSPOSED && problem->pass == CONV_BACKWARD_WEIGHTS;
}

static bool all_specials(struct checker *checker, const struct conv_problem *problem)
{
    static const double most_f64_macs = 60e3;   /* the reference's long double is slow where it meets NaN */
    if (conv_accuracy_transforms(checker->kernel->accuracy))   /* NaN and infinities spread in a tile or a plane */
        return true;
    if (problem->type == CONV_F64 && check_macs(problem) > most_f64_macs && checker->kernel->types != 1u << CONV_F64)
        return true;   /* f32 sees it */
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        const int64_t multiplied = checker->padding_multiplied, skipped = checker->padding_skipped;
        const struct check_data data = { .fill = { .seed = checker->options.seed },
                                         .make = specials[i].make,
                                         .exact = true,
                                         .padding_may_multiply = specials[i].padding || pads_second(problem) };
        if (conv_accuracy_range(problem, checker->kernel->accuracy) > 0 && !check_data(checker, problem, &data, 1))
            return false;
        if (!specials[i].tells) {
            checker->padding_multiplied = multiplied;
            checker->padding_skipped = skipped;
        }
    }
    return true;
}

/* Infinite weights met padding: what became of it? */
static void note(struct checker *checker)
{
    struct conv_evidence *evidence = &checker->shared->result.evidence[checker->shared->result.checks];
    const bool multiplied = checker->padding_multiplied > 0, skipped = checker->padding_skipped > 0;
    if (multiplied || skipped)
        snprintf(evidence->note, sizeof evidence->note, "infinity times padding: %s",
                 multiplied && skipped ? "NaN or left out, by shape" : multiplied ? "NaN" : "left out");
}

static void run(struct checker *checker)
{
    static const double most_macs = 20e6;   /* of a named problem: the reference has to keep up */
    const int count = checker->options.only_problems ? 0 : sizeof texts / sizeof *texts;
    checker->padding_multiplied = checker->padding_skipped = 0;
    for (int i = 0; i < count; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, texts[i], NULL) == CONV_OK
            && !check_all_modes(checker, problem, all_specials))
            return;
    }
    for (int i = 0; i < checker->options.problem_count; i++) {
        const struct conv_problem *problem = &checker->options.problems[i];
        if (!conv_kernel_refuses(checker->kernel, problem) && check_macs(problem) <= most_macs
            && !all_specials(checker, problem))
            return;
    }
    note(checker);
}

const struct check check_special = {
    .name = "special",
    .sees = "NaN and infinities that are lost, made up, or spread to other outputs",
    .blind = "sums that overflow; the sign of zero",
    .on_problems = true,
    .run = run,
};
