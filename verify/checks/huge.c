/* huge.c - check "huge": inputs, weights and outputs whose offsets don't fit in 32 bits.
 *
 * An offset is a product of sizes, and each product can be too large by itself: of rows and columns, of channels and
 * planes, of images and all of it; in elements beyond 2^31, or in bytes beyond 2^31, which is 2^29 elements.  So
 * there is an array for each of them.  It costs no memory: a few pieces of 3 MiB, which are seen many times
 * (engine/repeated.c).
 *
 * What takes time is the kernel.  Of a large input a long stride reads a few windows; but of large weights every one
 * is read, and every output is written.  How long that takes is measured on a 512th of the problem, in the
 * processor's time, so that a busy machine tries as much; what would take longer than is left isn't tried, and said.
 *
 * The data repeat with the piece, so that what one output should be is what all at the same place of a piece should
 * be.  A kernel that adds to its outputs adds at the same place many times; so what looks wrong in a repeated output
 * is tried again with one that isn't repeated, where there is memory for that.
 *
 * Sees: offsets in 32 bits, in elements or in bytes.
 * Does not see: outputs and weights beyond 2^31 elements; kernels that are slow, or on a device.
 * Read next: huge_memory.h, huge_run.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/calls.h"
#include "core/main_output.h"
#include "verify/checks/checks.h"
#include "verify/checks/huge_run.h"

/* ---- the problems ---------------------------------------------------------------------------------------------- */

/* More than 2^31 elements of x, of which few are read; the last window is at the end.  In both layouts. */
static const char *const large_inputs[] = {
    "c=1 in=46400x46400 k=2 filter=3x3 stride=9277 pad=1", "c=4 in=23200x23200 k=2 filter=3x3 stride=4638 bias=1",
    "c=4 in=23200x23200 k=3 filter=1x1 stride=4639", "c=2 in=32800x32800 k=2 filter=3x3 stride=6559 groups=2",
    "n=2 c=4 in=16500x16500 k=4 filter=3x3 stride=5499 groups=2", "n=3 c=1 in=720000000 k=1 filter=2 stride=119999999",
    "op=separable c=4 in=23200x23200 k=3 filter=3x3 stride=4639",
    "c=1 in=1300x1300x1300 k=2 filter=3x3x3 stride=433 pad=1", "c=3 in=900x900x900 k=2 filter=3x3x3 stride=299",
    "c=2 in=1030x1030x1030 k=2 filter=2x3x3 stride=514 groups=2",
    "c=1 in=46400x46400 k=2 filter=3x3 stride=9277 pad=1 pass=backward_weights",
    "c=4 in=23200x23200 k=2 filter=3x3 stride=4638 pass=backward_weights",
    "n=2 c=4 in=16500x16500 k=4 filter=3x3 stride=5499 groups=2 pass=backward_weights",
    "c=1 in=1300x1300x1300 k=2 filter=3x3x3 stride=433 pass=backward_weights",
};

/* Beyond 2^29 elements of y, dx, w or dw, and in this order, as far as there is time: sixteen planes of one image,
 * weights, sixteen images, one plane.  Large outputs are 16 regions of 48 pieces, and a plane of them is a whole
 * number of regions or a part of one: of 3072 columns, 256 rows are a piece. */
static const char *const large_others[] = {
    "c=1 in=12288x3072 k=16 filter=1x1", "c=1 in=12288x3072 k=16 filter=1x3 pad=0x1",
    "c=16 in=12288x3072 k=16 filter=1x1 groups=16", "c=4 in=12288x3072 k=16 filter=1x1 groups=2",
    "op=transposed c=1 in=12288x3072 k=16 filter=1x1", "op=separable c=1 in=12288x3072 k=16 filter=1x1",
    "c=16 in=12288x3072 k=1 filter=1x1 pass=backward_data", "c=16 in=12288x3072 k=1 filter=1x3 pad=0x1 pass=backward_data",
    "c=16 in=12288x3072 k=16 filter=1x1 groups=16 pass=backward_data",
    "c=23296 in=1x1 k=23296 filter=1x1", "c=8192 in=1x3 k=22016 filter=1x3",
    "c=786432 in=1x1 k=768 filter=1x1 pass=backward_weights", "c=262144 in=1x3 k=768 filter=1x3 pass=backward_weights",
    "c=768 in=256x3072 k=768 filter=256x3072 groups=768 pass=backward_weights",
    "n=16 c=1 in=12288x3072 k=1 filter=1x1", "n=16 c=1 in=12288x3072 k=1 filter=1x3 pad=0x1",
    "n=8 c=2 in=12288x3072 k=2 filter=1x1 groups=2", "n=4 c=2 in=12288x3072 k=4 filter=1x1 groups=2",
    "c=1 in=196608x3072 k=1 filter=1x1", "c=1 in=196608x3072 k=1 filter=1x3 pad=0x1",
    "c=2 in=98304x3072 k=2 filter=1x1 groups=2", "op=transposed c=1 in=196608x3072 k=1 filter=1x1",
    "op=separable c=1 in=196608x3072 k=1 filter=1x1", "c=1 in=196608x3072 k=1 filter=1x1 pass=backward_data",
    "c=1 in=603979778 k=1 filter=3", "c=1 in=64x3072x3072 k=1 filter=1x1x1", "c=1 in=4x3072x3072 k=16 filter=1x1x3 pad=0x0x1",
};

/* ---- how long would it take? ----------------------------------------------------------------------------------- */

enum { FRACTION = 512 };
static const double most_seconds = 4;   /* of the processor, for all that takes time */

/* A 512th of what the problem has most of: images, channels, filters, or places for a filter along an axis. */
static bool scale_down(struct conv_problem *small)
{
    const struct { int64_t *size, covered; } sizes[] = {
        { &small->n, 0 }, { &small->c, 0 }, { &small->k, 0 },
        { &small->axis[CONV_D].in, small->axis[CONV_D].filter - 1 },
        { &small->axis[CONV_H].in, small->axis[CONV_H].filter - 1 },
        { &small->axis[CONV_W].in, small->axis[CONV_W].filter - 1 },
    };
    size_t most = 0;
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++)
        if (*sizes[i].size - sizes[i].covered > *sizes[most].size - sizes[most].covered)
            most = i;
    int64_t *size = sizes[most].size;
    *size = (*size - sizes[most].covered) / FRACTION + 1 + sizes[most].covered;
    if (small->groups > 1 && (size == &small->c || size == &small->k))
        small->groups = small->c = small->k = *size;
    return conv_problem_finish(small, NULL) == CONV_OK;
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Is one call predicted to take at most so long?  False if it can't be told. */
static bool takes_at_most(const struct conv_kernel *kernel, const struct conv_problem *problem, double most)
{
    struct conv_problem small = *problem;
    struct conv_operands operands = { .x = NULL };
    double seconds = -1;
    bool good = scale_down(&small) && !conv_kernel_refuses(kernel, &small);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && good; operand++)
        if (conv_operand_role(&small, operand) != CONV_UNUSED)
            good = (operands.at[operand] = calloc((size_t)conv_operand_count(&small, operand) + 1,
                                                  sizeof(float))) != NULL;
    for (int i = 0; i < 2 && good; i++) {   /* the second call finds its pages */
        const double start = processor_seconds();
        good = conv_run(&operands, kernel, &small, NULL, NULL) == CONV_OK;
        seconds = processor_seconds() - start;
    }
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(operands.at[operand]);
    return good && seconds * FRACTION <= most;
}

/* A kernel that wants more than 1 GiB for itself isn't asked. */
static bool wants_much(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    static const size_t most_bytes = (size_t)1 << 30;
    return kernel_scratch_bytes(kernel, problem, 1) > most_bytes || kernel_packed_bytes(kernel, problem) > most_bytes;
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

struct tally {
    struct huge_common common;
    int of[4];           /* by outcome */
    double begin;        /* processor_seconds() */
    bool adds;           /* it adds to its outputs: they can't be repeated */
};

/* False when the kernel is wrong. */
static bool try(struct checker *checker, struct tally *tally, const char *text, enum conv_layout layout,
                bool takes_time)
{
    struct conv_problem problem;
    enum outcome outcome = DONE;
    if (conv_problem_parse(&problem, text, NULL) != CONV_OK)
        return true;
    problem.layout = layout;
    if (conv_problem_finish(&problem, NULL) != CONV_OK || conv_kernel_refuses(checker->kernel, &problem))
        return true;
    if (wants_much(checker->kernel, &problem) || (tally->adds && huge_is_repeated(&problem, main_output(&problem)))) {
        outcome = NO_MEMORY;
    } else if (takes_time) {
        const double left = most_seconds - (processor_seconds() - tally->begin);
        checker_begins(checker, &problem, checker->options.seed, 1);
        if (left < 0 || !takes_at_most(checker->kernel, &problem, left))
            outcome = TOO_SLOW;
    }
    if (outcome == DONE)
        outcome = huge_run(checker, &tally->common, &problem, &tally->adds);
    tally->of[outcome]++;
    checker_evidence(checker)->problems += outcome == DONE;
    return outcome != WRONG;
}

static bool try_all(struct checker *checker, struct tally *tally)
{
    for (size_t i = 0; i < 2 * sizeof large_inputs / sizeof *large_inputs; i++)
        if (!try(checker, tally, large_inputs[i / 2], (enum conv_layout)(i % 2), false))
            return false;
    for (size_t i = 0; i < sizeof large_others / sizeof *large_others; i++)
        if (!try(checker, tally, large_others[i], CONV_CHANNELS_FIRST, true))
            return false;
    return true;
}

static void run(struct checker *checker)
{
    struct conv_evidence *evidence = checker_evidence(checker);
    struct tally tally = { .begin = processor_seconds() };
    if (checker->kernel->device)
        snprintf(evidence->note, sizeof evidence->note, "not tried: the memory of a device can't be repeated");
    else if (try_all(checker, &tally) && tally.of[NO_MEMORY] + tally.of[TOO_SLOW] > 0)
        snprintf(evidence->note, sizeof evidence->note,
                 "%d of %d not tried: %d would take too long, %d too much memory",
                 tally.of[NO_MEMORY] + tally.of[TOO_SLOW], tally.of[DONE] + tally.of[NO_MEMORY] + tally.of[TOO_SLOW],
                 tally.of[TOO_SLOW], tally.of[NO_MEMORY]);
    huge_common_free(&tally.common);
}

const struct check check_huge = {
    .name = "huge",
    .sees = "offsets in 32 bits, in elements or in bytes",
    .blind = "outputs or weights beyond 2^31 elements; what would take too long",
    .run = run,
};
