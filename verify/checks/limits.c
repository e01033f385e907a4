/* limits.c - check "limits": sizes at which narrow integers end.
 *
 * 65535, 65536 and 65537 images, channels, filters, groups, rows and columns, one at a time, the rest small; no
 * images at all; and inputs of more than 2^31 elements, whose offsets don't fit in 32 bits.  Those are one piece of
 * memory of 3 MiB that appears many times in the address space, and the stride is so long that the windows are few:
 * it costs next to nothing.  The piece has 3 * 2^18 elements, so that an offset that is wrong by a multiple of 2^32
 * finds another value.
 *
 * Sees: offsets and counts in 16 or 32 bits.
 * Does not see: outputs and weights beyond 2^31 elements; 2^31 elements in backward passes and transposed problems.
 */
#include <config.h>

#include <convref/machine.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/calls.h"
#include "verify/checks/checks.h"
#include "verify/engine/careful.h"
#include "verify/engine/judge.h"
#include "verify/engine/ways.h"

/* ---- 16 bits --------------------------------------------------------------------------------------------------- */

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

/* ---- 32 bits --------------------------------------------------------------------------------------------------- */

/* More than 2^31 elements of x; the last window is at the end. */
static const char *const huge[] = {
    "c=1 in=46400x46400 k=2 filter=3x3 stride=9277 pad=1", "c=4 in=23200x23200 k=2 filter=3x3 stride=4638 bias=1",
    "c=4 in=23200x23200 k=3 filter=1x1 stride=4639", "c=2 in=32800x32800 k=2 filter=3x3 stride=6559 groups=2",
    "n=2 c=4 in=16500x16500 k=4 filter=3x3 stride=5499 groups=2",
    "op=separable c=4 in=23200x23200 k=3 filter=3x3 stride=4639",
    "n=3 c=1 in=720000000 k=1 filter=2 stride=119999999",
};

enum { PIECE = 3 << 18 };   /* elements */
static const int64_t most_elements = INT64_C(2200) * 1000 * 1000;   /* of them */

static double piece_value(int64_t i)
{
    return (double)((uint64_t)(i % PIECE) * UINT64_C(0x9e3779b97f4a7c15) >> 61) - 3.5;
}

struct repeated { float *data; size_t bytes; };

static void repeated_free(struct repeated *repeated)
{
    if (repeated->data)
        munmap(repeated->data, repeated->bytes);
    repeated->data = NULL;
}

/* One piece of memory, again and again, until there are `count` elements.  False if the system can't. */
static bool repeated_create(struct repeated *repeated, int64_t count)
{
    const size_t piece = PIECE * sizeof(float);
    repeated->data = NULL;
#ifdef MREMAP_FIXED
    repeated->bytes = (size_t)(count / PIECE + 1) * piece;
    char *base = mmap(NULL, repeated->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return false;
    repeated->data = (float *)(void *)base;
    if (mmap(base, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return false;
    for (int64_t i = 0; i < PIECE; i++)
        repeated->data[i] = (float)piece_value(i);
    for (size_t at = piece; at < repeated->bytes; at += piece) /* an old size of 0 means: the same pages once more */
        if (mremap(base, 0, piece, MREMAP_MAYMOVE | MREMAP_FIXED, base + at) == MAP_FAILED)
            return false;
    return mprotect(base, repeated->bytes, PROT_READ) == 0;
#else
    (void)count, (void)piece;
    return false;
#endif
}

/* Element [n][c][h][w] of x, in the problem's layout; rank 1 or 2. */
static double x_at(const struct conv_problem *p, int64_t n, int64_t c, int64_t h, int64_t w)
{
    const int64_t H = p->axis[CONV_H].in, W = p->axis[CONV_W].in;
    return piece_value(p->layout == CONV_CHANNELS_FIRST ? ((n * p->c + c) * H + h) * W + w
                                                        : ((n * H + h) * W + w) * p->c + c);
}

/* y = conv(x, w), channels first; w is that of the stage. */
static void convolve(double *y, const struct conv_problem *p, const double *w, const double *bias)
{
    const struct conv_axis *H = &p->axis[CONV_H], *W = &p->axis[CONV_W];
    const int64_t C = p->c / p->groups, K = p->k / p->groups;
    for (int64_t n = 0; n < p->n; n++)
    for (int64_t k = 0; k < p->k; k++)
    for (int64_t i = 0; i < H->out; i++)
    for (int64_t j = 0; j < W->out; j++) {
        double sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < C; c++)
        for (int64_t r = 0; r < H->filter; r++)
        for (int64_t s = 0; s < W->filter; s++) {
            const int64_t h = conv_input_at(H, i, r), v = conv_input_at(W, j, s);
            if (conv_inside(H, h) && conv_inside(W, v))
                sum += x_at(p, n, k / K * C + c, h, v) * w[((k * C + c) * H->filter + r) * W->filter + s];
        }
        *y++ = sum;
    }
}

/* What y should be; the caller frees it.  NULL if memory is short. */
static double *expected(const struct conv_problem *problem, const double *const in[CONV_OPERANDS])
{
    const int64_t count = conv_operand_count(problem, CONV_Y),
                  Q = problem->axis[CONV_H].out * problem->axis[CONV_W].out;
    struct conv_problem depthwise, pointwise;
    double *y = calloc((size_t)count, sizeof *y), *middle;
    if (!y || problem->op != CONV_OP_SEPARABLE) {
        if (y)
            convolve(y, problem, in[CONV_WEIGHTS], in[CONV_BIAS]);
        return y;
    }
    conv_separable_stages(&depthwise, &pointwise, problem);
    middle = calloc((size_t)(problem->n * depthwise.k * Q), sizeof *middle);
    if (middle)
        convolve(middle, &depthwise, in[CONV_WEIGHTS], NULL);
    for (int64_t i = 0; middle && i < count; i++)
        for (int64_t m = 0; m < depthwise.k; m++)
            y[i] += middle[(i / Q / problem->k * depthwise.k + m) * Q + i % Q]
                    * in[CONV_PW][i / Q % problem->k * depthwise.k + m];
    free(middle);
    return y;
}

/* The small operands of a huge problem. */
struct small { struct conv_operands operands; double *in[CONV_OPERANDS]; };

static void small_free(struct small *small)
{
    for (enum conv_operand operand = CONV_WEIGHTS; operand < CONV_OPERANDS; operand++) {
        free(small->operands.at[operand]);
        free(small->in[operand]);
    }
}

static bool small_create(struct small *small, const struct conv_problem *problem, uint64_t seed)
{
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, 4, 0 };
    *small = (struct small){ .operands = { .x = NULL } };
    for (enum conv_operand operand = CONV_WEIGHTS; operand < CONV_OPERANDS; operand++) {
        const int64_t count = conv_operand_count(problem, operand);
        if (count == 0)
            continue;
        small->operands.at[operand] = malloc(conv_operand_bytes(problem, operand));
        small->in[operand] = malloc((size_t)count * sizeof(double));
        if (!small->operands.at[operand] || !small->in[operand])
            return false;
        memset(small->operands.at[operand], 0xFF, conv_operand_bytes(problem, operand));
        if (operand != CONV_Y)
            conv_fill(problem->type, small->operands.at[operand], count, conv_operand_name(problem, operand), &fill);
        conv_operand_widen(small->in[operand], problem, operand, small->operands.at[operand]);
    }
    return true;
}

enum huge_outcome { HUGE_DONE, HUGE_WRONG, HUGE_IMPOSSIBLE };

static enum huge_outcome judge_huge(struct checker *checker, const struct conv_problem *problem, struct small *small)
{
    struct conv_verification *result = &checker->shared->result;
    const struct conv_truth truth = { .count = conv_operand_count(problem, CONV_Y),
                                      .value = expected(problem, (const double *const *)small->in) };
    double worst = 0;
    if (!truth.value)
        return HUGE_IMPOSSIBLE;
    conv_operand_widen(small->in[CONV_Y], problem, CONV_Y, small->operands.y);
    const struct judging how = { true, checker->kernel->accuracy };
    judge_rounds(small->in[CONV_Y], truth.count, how);
    const bool wrong = judge_output(&result->finding, &worst, problem, CONV_Y, &truth, small->in[CONV_Y], how);
    free(truth.value);
    result->evidence[result->checks].elements += truth.count;
    result->evidence[result->checks].problems += !wrong;
    if (wrong) {
        result->verdict = CONV_REJECT;
        result->finding.fault = CONV_FAULT_VALUES;
    }
    return wrong ? HUGE_WRONG : HUGE_DONE;
}

/* Run the kernel, and say what came of it.  A kernel that wants more than 1 GiB for itself isn't asked. */
static enum huge_outcome run_huge(struct checker *checker, const struct conv_problem *problem,
                                  const struct repeated *x)
{
    static const size_t most_bytes = (size_t)1 << 30;
    const struct conv_kernel *kernel = checker->kernel;
    const struct conv_plan_options options = { .threads = 1 };
    enum huge_outcome outcome = HUGE_IMPOSSIBLE;
    struct conv_plan *plan = NULL;
    struct small small;
    if (kernel->device || kernel_scratch_bytes(kernel, problem, 1) > most_bytes)
        return HUGE_IMPOSSIBLE;
    checker_begins(checker, problem, checker->options.seed, 1);
    if (small_create(&small, problem, checker->options.seed)) {
        small.operands.x = x->data;
        if (conv_plan_create(&plan, kernel, problem, &options, NULL) == CONV_OK
            && conv_plan_load(plan, &small.operands, NULL) == CONV_OK) {
            checker->shared->call_began = conv_seconds();
            if (conv_plan_run(plan) >= 0)
                outcome = HUGE_DONE;
            else if (check_reported(checker, plan))
                outcome = HUGE_WRONG;
            checker->shared->call_began = 0;
        }
        if (outcome == HUGE_DONE)
            outcome = judge_huge(checker, problem, &small);
    }
    conv_plan_free(plan);
    small.operands.x = NULL;
    small_free(&small);
    return outcome;
}

static void all_huge(struct checker *checker)
{
    struct conv_evidence *evidence = &checker->shared->result.evidence[checker->shared->result.checks];
    struct repeated x = { NULL, 0 };
    int done = 0, impossible = 0;
    const bool mapped = sizeof(size_t) > 4 && repeated_create(&x, most_elements);
    for (size_t i = 0; mapped && i < 2 * sizeof huge / sizeof *huge; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, huge[i / 2], NULL) != CONV_OK)
            continue;
        problem.layout = (enum conv_layout)(i % 2);
        if (conv_operand_count(&problem, CONV_X) > most_elements || conv_kernel_refuses(checker->kernel, &problem))
            continue;
        const enum huge_outcome outcome = run_huge(checker, &problem, &x);
        done += outcome == HUGE_DONE;
        impossible += outcome == HUGE_IMPOSSIBLE;
        if (outcome == HUGE_WRONG)
            break;
    }
    repeated_free(&x);
    if (!mapped || impossible > 0)
        snprintf(evidence->note, sizeof evidence->note, "more than 2^31 inputs: not tried%s, %s",
                 done > 0 ? " for all" : "",
                 mapped ? "the kernel wants too much memory" : "no address space for 8 GiB");
}

static void run(struct checker *checker)
{
    if (in_all_passes(checker, "n=0 c=3 in=70000 k=2 filter=3 bias=1") && all_edges(checker))
        all_huge(checker);
}

const struct check check_limits = {
    .name = "limits",
    .sees = "offsets and counts in 16 or 32 bits",
    .blind = "outputs or weights beyond 2^31 elements; such inputs in backward passes",
    .run = run,
};
