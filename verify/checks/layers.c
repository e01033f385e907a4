/* layers.c - check "layers": the problems that the user named, such as all layers of a network, on integers.
 *
 * Sees: everything that structure can get wrong at real sizes.
 * Does not see: precision (check "real").
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static void run(struct checker *checker)
{
    const int threads = checker->options.threads > 0 ? checker->options.threads : 1;
    checker->shared->total = checker->options.problem_count;
    for (int i = 0; i < checker->options.problem_count; i++) {
        const struct conv_problem *problem = &checker->options.problems[i];
        if (!conv_kernel_refuses(checker->kernel, problem) && !check_on_integers(checker, problem, threads))
            return;
    }
}

const struct check check_layers = {
    .name = "layers",
    .sees = "wrong structure at the sizes that matter to you",
    .blind = "precision; other sizes",
    .on_problems = true,
    .run = run,
};
