/* ways.c - ways to check a problem.   Declared in ways.h.
 *
 * A checksum is linear, and activations aren't.  So of a large problem the kernel first computes the problem without its
 * activation, which the checksum decides; and then with it, which has to give the activated outputs of before, element by
 * element.  A kernel that refuses the problem without its activation is compared with the reference, however long that
 * takes.
 */
#include "verify/engine/ways.h"

#include <stdlib.h>

#include "verify/engine/careful.h"
#include "verify/engine/place.h"

bool check_problem(struct checker *checker, const struct conv_problem *problem, const struct conv_fill *fill,
                   int threads)
{
    const struct check_data data = { .fill = *fill, .exact = fill->kind == CONV_FILL_INTEGERS };
    return check_data(checker, problem, &data, threads);
}

bool check_exact(struct checker *checker, const struct conv_problem *problem, int threads)
{
    const struct conv_fill fill = { .kind = CONV_FILL_INTEGERS, .seed = checker->options.seed,
                                    .range = conv_accuracy_range(problem, checker->kernel->accuracy) };
    return fill.range < 1 || check_problem(checker, problem, &fill, threads);
}

bool check_placements(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                      int threads)
{
    const int times = check_macs(problem) < 1e6 ? PLACEMENTS : 1;   /* four runs in the place of one are nothing there */
    for (int i = 0; i < times; i++)
        if (!check_data(checker, problem, data, threads))
            return false;
    return true;
}

bool check_all_modes(struct checker *checker, struct conv_problem problem, check_one *one)
{
    const enum conv_activation act = problem.act;
    for (int mode = 0; mode < CONV_PASSES * CONV_LAYOUTS * CONV_TYPES; mode++) {
        problem.pass = (enum conv_pass)(mode % CONV_PASSES);
        problem.layout = (enum conv_layout)(mode / CONV_PASSES % CONV_LAYOUTS);
        problem.type = (enum conv_type)(mode / CONV_PASSES / CONV_LAYOUTS);
        problem.act = problem.pass == CONV_FORWARD ? act : CONV_ACT_NONE;
        if (conv_problem_finish(&problem, NULL) == CONV_OK && !conv_kernel_refuses(checker->kernel, &problem)
            && !one(checker, &problem))
            return false;
    }
    return true;
}

/* ---- large problems ------------------------------------------------------------------------------------------ */

static double activated(enum conv_activation act, double value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* With the activation: what the same kernel gave without it, activated. */
static bool check_activation(struct checker *checker, const struct conv_problem *problem,
                             const struct check_data *data, int threads)
{
    struct check_data activation = *data;
    const struct conv_truth truth = { .count = conv_operand_count(problem, CONV_Y), .value = checker->kept };
    for (int64_t i = 0; i < truth.count; i++)
        truth.value[i] = activated(problem->act, truth.value[i]);
    activation.by_checksum = false;
    activation.given = &truth;
    const bool good = check_data(checker, problem, &activation, threads);
    checker->data.given = NULL;
    return good;
}

bool check_exact_large(struct checker *checker, const struct conv_problem *problem, int threads)
{
    struct conv_problem linear = *problem;
    const struct check_data data = { .fill = { CONV_FILL_INTEGERS, checker->options.seed,
                                               conv_accuracy_range(problem, checker->kernel->accuracy), 0 },
                                     .exact = true,
                                     .by_checksum = true };
    linear.act = CONV_ACT_NONE;
    if (data.fill.range < 1)
        return true;
    if (conv_kernel_refuses(checker->kernel, &linear))
        return check_exact(checker, problem, threads);
    checker->keep = problem->act != CONV_ACT_NONE;
    bool good = check_data(checker, &linear, &data, threads);
    checker->keep = false;
    if (good && problem->act != CONV_ACT_NONE)
        good = check_activation(checker, problem, &data, threads);
    free(checker->kept);
    checker->kept = NULL;
    return good;
}
