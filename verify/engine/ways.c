/* ways.c - ways to check a problem.   Declared in ways.h.
 *
 * On integers a checksum sees as much as the reference, in a fraction of its time: where it is cheaper it decides.
 * It is linear, and activations aren't.  So the kernel first computes the problem without its activation, which the
 * checksum decides; and then with it, which has to give the activated outputs of before, element by element.  A
 * kernel that refuses the problem without its activation is compared with the reference, however long that takes.
 */
#include "verify/engine/ways.h"

#include <stdlib.h>

#include "verify/engine/careful.h"
#include "verify/engine/place.h"

bool check_placements(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                      int threads)
{
    const int times = check_macs(problem) < 1e6 ? CHECK_VARIATIONS : FLIP_SORTS;
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

/* ---- integers ------------------------------------------------------------------------------------------------ */

/* With the activation: what the same kernel gave without it, activated. */
static bool check_activation(struct checker *checker, const struct conv_problem *problem,
                             const struct check_data *data, int threads)
{
    struct check_data activation = *data;
    const struct conv_truth sums = { .count = conv_operand_count(problem, CONV_Y), .value = checker->kept };
    activation.by_checksum = false;
    activation.given = &sums;
    const bool good = check_data(checker, problem, &activation, threads);
    checker->data.given = NULL;
    return good;
}

static bool check_by_checksum(struct checker *checker, const struct conv_problem *problem,
                              const struct conv_problem *linear, const struct check_data *data, int threads)
{
    checker->keep = problem->act != CONV_ACT_NONE;
    bool good = check_data(checker, linear, data, threads);
    checker->keep = false;
    if (good && problem->act != CONV_ACT_NONE)
        good = check_activation(checker, problem, data, threads);
    free(checker->kept);
    checker->kept = NULL;
    return good;
}

struct check_data check_integers(const struct checker *checker, const struct conv_problem *problem)
{
    return (struct check_data){ .exact = true, .fill = { CONV_FILL_INTEGERS, checker->options.seed,
                                                         conv_accuracy_range(problem, checker->kernel->accuracy), 0 } };
}

bool check_exact(struct checker *checker, const struct conv_problem *problem, int threads)
{
    struct conv_problem linear = *problem;
    struct check_data data = check_integers(checker, problem);
    linear.act = CONV_ACT_NONE;
    if (data.fill.range < 1)
        return true;
    const bool is_hidden = problem->residual && problem->act != CONV_ACT_NONE;   /* behind the x that is added */
    if (is_hidden || !check_prefers_checksum(problem) || conv_kernel_refuses(checker->kernel, &linear))
        return check_data(checker, problem, &data, threads);
    data.by_checksum = true;
    return check_by_checksum(checker, problem, &linear, &data, threads);
}

/* ---- problems that somebody named ----------------------------------------------------------------------------- */

static int times_for(const struct conv_problem *problem)
{
    return check_macs(problem) < 1e6 ? CHECK_VARIATIONS : check_macs(problem) < 20e6 ? FLIP_SORTS : 1;
}

bool check_on_integers(struct checker *checker, const struct conv_problem *problem, int threads)
{
    for (int time = times_for(problem); time > 0; time--)
        if (!check_exact(checker, problem, threads))
            return false;
    return true;
}

/* A third has no end in binary, so that f64 inputs use all of their 53 bits: uniform numbers are multiples of 2^-23,
 * and a kernel that reads them as f32 would be right.  In f32 the 24 bits are used anyway. */
bool check_on_numbers(struct checker *checker, const struct conv_problem *problem, int threads)
{
    const struct check_data data = {
        .fill = { CONV_FILL_UNIFORM, checker->options.seed, problem->type == CONV_F64 ? 1 / 3.0 : 1, 0 }, .spots = true };
    if (conv_accuracy_transforms(checker->kernel->accuracy) && check_macs(problem) > check_real_macs)
        return true;
    return check_data(checker, problem, &data, threads);
}

/* ---- sets of problems ----------------------------------------------------------------------------------------- */

static bool computes(const struct conv_problem *problem, const void *kernel)
{
    return !conv_kernel_refuses(kernel, problem);
}

struct conv_problem_filter check_filter(const struct conv_kernel *kernel)
{
    return (struct conv_problem_filter){
        .kinds = kernel->kinds, .passes = kernel->passes ? kernel->passes : 1u << CONV_FORWARD,
        .layouts = kernel->layouts ? kernel->layouts : 1u << CONV_CHANNELS_FIRST,
        .types = kernel->types ? kernel->types : 1u << CONV_F32, .wanted = computes, .context = kernel,
    };
}

static bool walk_set(struct checker *checker, const char *set, bool at_the_page)
{
    const struct conv_problem_filter filter = check_filter(checker->kernel);
    struct conv_problem_walk *walk;
    struct conv_problem problem;
    struct conv_error error;
    bool good = true;
    if (conv_problem_walk_open(&walk, set, checker->options.seed, &filter, &error) != CONV_OK)
        return checker_impossible(checker, error.message);
    while (good && conv_problem_walk_next(walk, &problem)) {
        if (at_the_page)   /* the first placement is flush with the page behind */
            checker->runs = (checker->runs + PLACEMENTS - 1) / PLACEMENTS * PLACEMENTS;
        good = check_exact(checker, &problem, 1);
    }
    if (good && conv_problem_walk_failed(walk))
        good = checker_impossible(checker, "no memory for more problems of the set");
    conv_problem_walk_close(walk);
    return good;
}

bool check_set(struct checker *checker, const char *set) { return walk_set(checker, set, false); }
bool check_set_at_the_page(struct checker *checker, const char *set) { return walk_set(checker, set, true); }
