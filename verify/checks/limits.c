/* limits.c - check "limits": sizes at which integers of 16 bits end.
 *
 * 65535, 65536 and 65537 images, channels, filters, groups, rows and columns, one at a time, the rest small; and no
 * images at all.
 *
 * Sees: offsets and counts in 16 bits.
 * Does not see: those in 32 bits (check "huge").
 */
#include <stdio.h>

#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

/* L is each of the numbers in turn. */
static const int64_t edges[] = { 65535, 65536, 65537 };
static const char *const texts[] = {
    "n=L c=1 in=2x2 k=1 filter=2x2", "c=L in=2x2 k=1 filter=2x2", "c=1 in=2x2 k=L filter=2x2 bias=1",
    "c=1 in=Lx1 k=2 filter=3x1 pad=1x0", "c=1 in=1xL k=2 filter=1x3 pad=0x1", "n=L c=1 in=1x1 k=2 filter=1x1",
    "c=L in=1x1 k=2 filter=1x1", "c=2 in=1x1 k=L filter=1x1", "c=2 in=1xL k=1 filter=1x1",
    "c=L in=2x2 k=L filter=2x2 groups=L", "n=L c=2 in=1x2 k=2 filter=1x2 groups=2",
    "c=2 in=1xL k=2 filter=1x2 groups=2", "n=L c=4 in=1x1 k=2 filter=1x1 groups=2",
    "op=separable n=L c=1 in=1x2 k=1 filter=1x2", "op=separable c=L in=1x2 k=1 filter=1x2",
    "op=separable c=1 in=1x2 k=L filter=1x2", "op=separable c=1 in=1xL k=2 filter=1x2",
    "op=separable c=1 in=1x2 k=1 filter=1x2 expand=L", "op=separable c=2 in=1xL k=2 filter=1x1 expand=1 residual=1",
    "op=transposed n=L c=1 in=1x1 k=1 filter=2x2", "op=transposed c=1 in=1xL k=1 filter=1x2 stride=2",
    "c=1 in=L k=2 filter=2", "c=1 in=Lx1x1 k=1 filter=2x1x1",
};

/* In all passes and layouts. */
static bool in_all_passes(struct checker *checker, const char *text)
{
    for (int mode = 0; mode < CONV_PASSES * CONV_LAYOUTS; mode++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, text, NULL) != CONV_OK)
            return true;
        problem.pass = (enum conv_pass)(mode % CONV_PASSES);
        problem.layout = (enum conv_layout)(mode / CONV_PASSES);
        if (conv_problem_finish(&problem, NULL) == CONV_OK && !conv_kernel_refuses(checker->kernel, &problem)
            && !check_exact(checker, &problem, 1))
            return false;
    }
    return true;
}

static bool all_edges(struct checker *checker)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t edge = 0; edge < sizeof edges / sizeof *edges; edge++) {
            char text[256] = "";
            size_t used = 0;
            for (const char *at = texts[i]; *at && used < sizeof text - 8; at++)
                used += (size_t)(*at == 'L' ? snprintf(text + used, 8, "%d", (int)edges[edge])
                                            : snprintf(text + used, 8, "%c", *at));
            if (!in_all_passes(checker, text))
                return false;
        }
    return true;
}

static void run(struct checker *checker)
{
    (void)(in_all_passes(checker, "n=0 c=3 in=70000 k=2 filter=3 bias=1") && all_edges(checker));
}

const struct check check_limits = {
    .name = "limits",
    .sees = "offsets and counts in 16 bits",
    .blind = "those in 32 bits (huge)",
    .run = run,
};
