/* probes.c - check "probes": data on which any narrower arithmetic shows in the last bit, and every correct order is
 * exact.
 *
 * The integers of the other checks are small, so that bf16 holds them; real data hide a lost bit under the bound of a
 * long sum.  Here inputs use all bits of the type (24 for f32, 53 for f64), or products do, or sums do, and the
 * outputs are compared bit for bit: probe.c says why no order of summation rounds.  Subnormal numbers are among them:
 * a kernel that flushes them to zero computes in another arithmetic than the type's.
 *
 * Sees: inputs, products, sums or outputs in TF32, bf16, f16 or anything else with fewer bits; flushed subnormals.
 * Does not see: what a kernel does at other sizes than these.   Read next: arithmetic.c, which gives it a name.
 */
#include "verify/checks/checks.h"
#include "verify/engine/careful.h"
#include "verify/engine/ways.h"
#include "verify/maths/probe.h"

/* ---- the data: bits of the factors as shares of the significand ------------------------------------------------ */

enum share { ONE, HALF, REST, FULL };

static int least(int a, int b) { return a < b ? a : b; }

/* Bits that the class leaves to sums, and to inputs. */
static int sum_bits(const struct conv_problem *problem, enum conv_accuracy accuracy)
{
    const int all = conv_type_facts(problem->type)->significand, claimed = conv_accuracy_facts(accuracy)->sum_bits;
    return claimed > 0 ? least(all, claimed) : all;
}

static int input_bits(const struct conv_problem *problem, enum conv_accuracy accuracy)
{
    const int sums = sum_bits(problem, accuracy), claimed = conv_accuracy_facts(accuracy)->input_bits;
    return claimed > 0 ? least(sums, claimed) : sums;
}

static void make_single(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                        enum conv_accuracy accuracy, const enum share share[PROBE_BIAS])
{
    const int most = input_bits(problem, accuracy);
    /* its middle is an input */
    const int all = problem->op == CONV_OP_SEPARABLE ? most : sum_bits(problem, accuracy);
    const int of_share[] = { [ONE] = 1, [HALF] = least(all / 2, most), [REST] = least(all - all / 2, most),
                             [FULL] = most };
    const int bits[PROBE_BIAS] = { of_share[share[0]], of_share[share[1]], of_share[share[2]], of_share[share[3]] };
    probe_single(values, problem, operand, seed, bits);
}

#define SINGLE(name, ...) \
    static void name(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed, \
                     enum conv_accuracy accuracy) \
    { \
        make_single(values, problem, operand, seed, accuracy, (const enum share[PROBE_BIAS]){ __VA_ARGS__ }); \
    }
SINGLE(wide_products, HALF, REST, ONE)
SINGLE(wide_first, FULL, ONE, ONE)
SINGLE(wide_second, ONE, FULL, ONE)
SINGLE(wide_third, ONE, ONE, FULL)
SINGLE(wide_second_stage, ONE, HALF, REST)
SINGLE(wide_fourth, ONE, ONE, ONE, FULL)
SINGLE(wide_outer_stages, ONE, ONE, REST, HALF)

/* The largest integer of the cancelling sums: all of its bits are in the inputs. */
static int64_t largest_for(const struct conv_problem *problem, enum conv_accuracy accuracy)
{
    const int64_t by_sums = probe_largest(problem, sum_bits(problem, accuracy));
    const int64_t by_inputs = INT64_C(1) << input_bits(problem, accuracy);
    return by_sums < by_inputs ? by_sums : by_inputs;
}

static void wide_sums(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                      enum conv_accuracy accuracy)
{
    probe_cancelling(values, problem, operand, seed, largest_for(problem, accuracy), 1);
}

static void subnormals(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                       enum conv_accuracy accuracy)
{
    probe_cancelling(values, problem, operand, seed, largest_for(problem, accuracy),
                     conv_type_facts(problem->type)->smallest);
}

/* `sums`: many products; `stages`: the least; `own_type`: for a class that has all bits of the type. */
static const struct { check_maker *make; bool sums; int stages; bool own_type; } probes[] = {
    { wide_products, false, 1, false }, { wide_first, false, 1, false }, { wide_second, false, 1, false },
    { wide_third, false, 2, false }, { wide_second_stage, false, 2, true }, { wide_fourth, false, 3, false },
    { wide_outer_stages, false, 3, true }, { wide_sums, true, 1, false }, { subnormals, true, 1, true },
};

/* ---- the problems ---------------------------------------------------------------------------------------------- */

/* Whole vectors and tails, channels round and not; sums from 1 to 1152 products. */
static const char *const texts[] = {
    "n=2 c=11 in=4x37 k=7 filter=3x3 pad=1 bias=1", "c=16 in=5x16 k=16 filter=3x3 pad=1",
    "c=128 in=5x7 k=8 filter=3x3 act=relu", "c=64 in=7x9 k=17 filter=1x1",
    "c=7 in=6x21 k=64 filter=1x1 stride=2 act=relu6", "c=8 in=12x12 k=9 filter=5x5 pad=2 stride=2",
    "c=35 in=11x33 k=35 filter=3x3 pad=1 groups=35 bias=1",
    "c=32 in=14x16 k=32 filter=5x5 pad=2 stride=2 groups=32", "c=6 in=9x10 k=12 filter=3x3 groups=6",
    "c=32 in=5x10 k=24 filter=3x3 pad=1 groups=4", "c=6 in=10x9 k=10 filter=3x3 groups=2",
    "op=separable c=13 in=9x18 k=17 filter=3x3 pad=1 mid_act=relu",
    "op=separable c=32 in=8x16 k=32 filter=3x3 pad=1 bias=1",
    "op=separable c=8 in=9x9 k=5 filter=3x3 stride=2 mult=2",
    "op=separable c=5 in=9x18 k=7 filter=3x3 pad=1 mid_act=relu expand=13",
    "op=separable c=4 in=7x9 k=9 filter=3x3 pad=1 stride=2 bias=1 expand=16",
    "op=separable c=8 in=6x9 k=8 filter=3x3 pad=1 mid_act=relu residual=1 expand=12",
    "op=transposed c=6 in=7x8 k=5 filter=4x4 stride=2 pad=1",
    "op=transposed c=8 in=5x6 k=8 filter=3x3 pad=1 groups=2", "c=9 in=61 k=16 filter=7 pad=3",
    "c=5 in=5x6x9 k=4 filter=3x3x3 pad=1",
};

/* All probes of one problem; a sum that leaves no room for integers above 1 is passed over, and so is a bias
 * gradient that adds many wide numbers. */
static bool all_probes(struct checker *checker, const struct conv_problem *problem)
{
    const enum conv_accuracy accuracy = checker->kernel->accuracy;
    struct conv_problem unused[CONV_MOST_STAGES];
    const int stages = conv_stages(unused, problem);
    const bool own_type = input_bits(problem, accuracy) == conv_type_facts(problem->type)->significand;
    if (conv_accuracy_transforms(accuracy))   /* the last bits are not its claim */
        return true;
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        const struct check_data data = { .fill = { .seed = checker->options.seed },
                                         .make = probes[i].make,
                                         .exact = true };
        const bool adds_wide =
            problem->op == CONV_OP_TRANSPOSED && problem->pass == CONV_BACKWARD_WEIGHTS && problem->bias;
        if (probes[i].stages > stages
            || (!probes[i].sums && problem->residual)   /* a product of all bits and an x of all bits are rounded */
            || (probes[i].own_type && !own_type)
            || (probes[i].sums && problem->op == CONV_OP_SEPARABLE && !own_type)
            || (probes[i].sums && largest_for(problem, accuracy) < 2)
                || (!probes[i].sums && (adds_wide || problem->n == 0)))
            continue;
        if (!check_data(checker, problem, &data, 1))
            return false;
    }
    return true;
}

static void run(struct checker *checker)
{
    static const int64_t most_macs = 20 * 1000 * 1000;   /* of a named problem: the reference has to keep up */
    const int count = checker->options.only_problems ? 0 : sizeof texts / sizeof *texts;
    checker->shared->total = 0;
    for (int i = 0; i < count; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, texts[i], NULL) == CONV_OK && !check_all_modes(checker, problem, all_probes))
            return;
    }
    for (int i = 0; i < checker->options.problem_count; i++) {
        const struct conv_problem *problem = &checker->options.problems[i];
        if (!conv_kernel_refuses(checker->kernel, problem) && check_macs(problem) <= (double)most_macs
            && !all_probes(checker, problem))
            return;
    }
}

const struct check check_probes = {
    .name = "probes",
    .sees = "inputs, products, sums or outputs with fewer bits than the type has; flushed subnormal numbers",
    .blind = "structure; precision at other sizes",
    .on_problems = true,
    .run = run,
};
