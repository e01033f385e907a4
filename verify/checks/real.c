/* real.c - check "real": real numbers, every element within its own bound.
 *
 * The bound is that of any correct order of summation in the declared arithmetic (docs/exactness.md); it grows
 * with the length of the sum, so a short sum is judged more sharply than a long one.
 *
 * Sees: narrowed inputs and accumulators (bf16, f16, TF32), sums that lose terms, wrong constants.
 * Does not see: structure below the noise - that is what the exact checks are for.
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

/* Sums from short to long; each is used as far as the kernel applies. */
static const char *const texts[] = {
    "c=2 in=64x64 k=3 filter=1x1 bias=1", "c=8 in=40x40 k=8 filter=3x3 pad=1 bias=1",
    "c=64 in=14x14 k=32 filter=3x3 pad=1 act=relu", "c=512 in=7x7 k=16 filter=3x3 pad=1",
    "c=256 in=14x14 k=24 filter=1x1", "c=1024 in=7x7 k=8 filter=1x1 bias=1 act=relu6",
    "c=32 in=28x28 k=32 filter=3x3 pad=1 groups=32 bias=1", "c=24 in=30x30 k=24 filter=5x5 pad=2 stride=2 groups=24",
    "c=16 in=20x20 k=48 filter=3x3 groups=16 pad=1", "c=64 in=14x14 k=64 filter=3x3 pad=1 groups=4",
    "op=separable c=32 in=28x28 k=24 filter=3x3 pad=1 bias=1 mid_act=relu act=relu",
    "op=separable c=256 in=7x7 k=16 filter=3x3 pad=1", "op=transposed c=16 in=14x14 k=8 filter=4x4 stride=2 pad=1 bias=1",
    "op=separable c=24 in=14x14 k=24 filter=3x3 pad=1 bias=1 mid_act=relu6 expand=144 residual=1",
    "c=16 in=500 k=16 filter=9 pad=4", "c=4 in=8x10x12 k=6 filter=3x3x3 pad=1",
};

static bool with_one_thread(struct checker *checker, const struct conv_problem *problem)
{
    return check_on_numbers(checker, problem, 1);
}

static void run(struct checker *checker)
{
    const int count = checker->options.only_problems ? 0 : sizeof texts / sizeof *texts;
    const int threads = checker->options.threads > 0 ? checker->options.threads : 1;
    checker->shared->total = count + checker->options.problem_count;
    for (int i = 0; i < count; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, texts[i], NULL) == CONV_OK
            && !check_all_modes(checker, problem, with_one_thread))
            return;
    }
    for (int i = 0; i < checker->options.problem_count; i++) {
        const struct conv_problem *problem = &checker->options.problems[i];
        if (!conv_kernel_refuses(checker->kernel, problem) && !check_on_numbers(checker, problem, threads))
            return;
    }
}

const struct check check_real = {
    .name = "real",
    .sees = "narrowed inputs and accumulators, sums that lose terms",
    .blind = "structure below the noise of a long sum",
    .on_problems = true,
    .run = run,
};
