/* threads.c - check "threads": 1 to 16 threads give the same, on integers, bit for bit: also more than there are
 * cores, and more than any loop has turns.
 *
 * Sees: work that is divided wrongly, shared scratch, races that show (a race that doesn't is for TSan).
 * Does not see: kernels that start threads of their own without asking workspace.threads.
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static const int counts[] = { 1, 2, 3, 4, 5, 7, 8, 16 };

/* Sizes that don't divide by any of them, fewer rows than threads, one channel, several images. */
static const char *const texts[] = {
    "c=7 in=13x17 k=11 filter=3x3 pad=1 bias=1", "n=3 c=5 in=1x9 k=7 filter=1x3 pad=0x1", "c=1 in=2x40 k=3 filter=1x1",
    "n=2 c=19 in=30x31 k=13 filter=1x1 act=relu", "c=17 in=300 k=29 filter=3", "c=70 in=20x20 k=40 filter=3x3 pad=1",
    "c=7 in=13x17 k=7 filter=3x3 pad=1 groups=7 bias=1", "n=3 c=5 in=4x33 k=10 filter=3x3 groups=5 stride=2 pad=1",
    "n=2 c=12 in=9x11 k=18 filter=3x3 pad=1 groups=3", "c=10 in=5x5 k=10 filter=5x5 pad=2 groups=2",
    "op=separable n=2 c=9 in=11x13 k=7 filter=3x3 pad=1 mid_act=relu", "op=separable c=3 in=2x7 k=4 filter=2x2 mult=2 bias=1",
    "op=transposed n=2 c=6 in=5x7 k=4 filter=3x3 stride=2 pad=1", "c=4 in=5x6x7 k=5 filter=3x3x3 pad=1",
    "c=6 in=5x6x7 k=6 filter=3x3x3 pad=1 groups=6",
    /* fewer outputs than threads */
    "c=3 in=1x1 k=1 filter=1x1 bias=1", "c=2 in=3 k=1 filter=2", "c=2 in=1x2 k=2 filter=1x1 groups=2",
    "op=transposed c=2 in=1x1 k=1 filter=1x2", "op=separable c=2 in=2x2 k=1 filter=2x2",
    "n=2 c=3 in=4x4 k=3 filter=3x3 groups=3", "c=4 in=2x2x2 k=2 filter=2x2x2", "c=4 in=3x3 k=2 filter=1x1",
    /* enough work for all of them, whichever loop is divided */
    "n=17 c=3 in=5x6 k=4 filter=3x3 pad=1", "c=33 in=6x7 k=35 filter=3x3 pad=1", "c=3 in=37x9 k=2 filter=3x3 pad=1",
    "n=17 c=5 in=6x7 k=5 filter=3x3 pad=1 groups=5", "c=37 in=9x9 k=37 filter=3x3 pad=1 groups=37", "c=33 in=17x17 k=35 filter=1x1",
    "c=36 in=7x7 k=72 filter=3x3 groups=18", "op=separable c=19 in=35x9 k=18 filter=3x3 pad=1",
    "op=transposed c=17 in=19x6 k=18 filter=3x3 stride=2",
    /* three stages */
    "op=separable n=2 c=7 in=11x13 k=7 filter=3x3 pad=1 bias=1 mid_act=relu expand=19 residual=1",
    "op=separable c=5 in=37x9 k=18 filter=3x3 stride=2 pad=1 mid_act=relu6 expand=17",
    "op=separable c=2 in=2x2 k=1 filter=2x2 expand=3", "op=separable n=17 c=3 in=4x5 k=3 filter=1x1 residual=1",
};

static bool all_counts(struct checker *checker, struct conv_problem problem)
{
    for (int pass = 0; pass < CONV_PASSES; pass++)
        for (int layout = 0; layout < CONV_LAYOUTS; layout++) {
            problem.pass = (enum conv_pass)pass;
            problem.layout = (enum conv_layout)layout;
            problem.act = pass == CONV_FORWARD ? problem.act : CONV_ACT_NONE;
            if (conv_problem_finish(&problem, NULL) != CONV_OK || conv_kernel_refuses(checker->kernel, &problem))
                continue;
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
                if ((checker->options.threads == 0 || checker->options.threads == counts[i])
                    && !check_exact(checker, &problem, counts[i]))
                    return false;
        }
    return true;
}

static void run(struct checker *checker)
{
    const int count = sizeof texts / sizeof *texts;
    checker->shared->total = count;
    for (int i = 0; checker->kernel->threaded && i < count; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, texts[i], NULL) == CONV_OK && !all_counts(checker, problem))
            return;
    }
}

const struct check check_threads = {
    .name = "threads",
    .sees = "work divided wrongly, shared scratch, races that show",
    .blind = "races that don't show; kernels that take no number of threads",
    .run = run,
};
