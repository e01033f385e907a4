/* test_chain.c - convolutions back to back: what comes out of a chain, what is wrong is seen, nothing is allocated.
 *
 * The expected output, which is computed by taps, is compared with the reference layer by layer.  No time is asserted.
 * Read next: verify/measure/chain.h
 */
#include "tests/test.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "verify/measure/chain_data.h"

static const struct chain_options quick = { .turn_seconds = 0.0005, .each_layer = true };

enum { MOST = 8 };

/* Problems of a chain from their texts, NULL behind the last, and one kernel for all. */
struct made {
    struct conv_problem problems[MOST];
    const struct conv_kernel *kernels[MOST];
    struct chain chain;
};

static void make(struct made *made, const char *const *texts, const char *kernel)
{
    made->chain = (struct chain){ made->problems, made->kernels, 0, 1, 7 };
    for (; texts[made->chain.count]; made->chain.count++) {
        made->problems[made->chain.count] = test_problem(texts[made->chain.count]);
        made->kernels[made->chain.count] = conv_kernel_find(kernel);
    }
}

/* A stem, a depthwise layer with a stride, a grouped one with bias, a dilated one: then, as behind a pooling, a smaller
 * image, and as behind a concatenation, more channels than there were. */
static const char *const first[] = {
    "n=2 c=3 in=11x9 k=8 filter=3x3 pad=1 stride=2", "n=2 c=8 in=6x5 k=8 filter=3x3 pad=1 groups=8",
    "n=2 c=8 in=6x5 k=12 filter=3x3 groups=4 pad=0:1x1:0 bias=1", "n=2 c=12 in=5x4 k=6 filter=3x2 dilation=2 pad=1 act=relu",
    "n=2 c=6 in=2x2 k=5 filter=1x1", "n=2 c=40 in=6x6 k=10 filter=1x1 act=relu6", NULL
};
static const char *const last[] = {
    "n=2 c=3 in=11x9 k=8 filter=3x3 pad=1 stride=2 layout=nhwc", "n=2 c=8 in=6x5 k=8 filter=3x3 pad=1 groups=8 layout=nhwc",
    "n=2 c=8 in=6x5 k=12 filter=3x3 groups=4 pad=0:1x1:0 bias=1 layout=nhwc", NULL
};

static void contains(const char *text, const char *words)
{
    if (!strstr(text, words))
        TEST_NOTE("\"%s\" doesn't say \"%s\"", text, words);
    CU_ASSERT(strstr(text, words) != NULL);
}

/* ---- the integers ---------------------------------------------------------------------------------------------- */

static float *numbers(int64_t count) { return calloc((size_t)count + 1, sizeof(float)); }

/* What the reference makes of the same chain, bit for bit; and how large its numbers become. */
static void expected_is_the_references(const char *const *texts)
{
    struct made made;
    make(&made, texts, "ref_forward");
    const struct chain *chain = &made.chain;
    float *w[MOST], *bias[MOST], *x = numbers(conv_operand_count(&chain->problems[0], CONV_X));
    float *expected[2], *got[2];
    for (int i = 0; i < 2; i++) {
        expected[i] = numbers(chain_half(chain));
        got[i] = numbers(chain_half(chain));
    }
    for (int i = 0; i < chain->count; i++) {
        w[i] = numbers(conv_operand_count(&chain->problems[i], CONV_WEIGHTS));
        bias[i] = chain->problems[i].bias ? numbers(chain->problems[i].k) : NULL;
        chain_weights(w[i], bias[i], chain, i);
    }
    chain_fill(x, expected, chain, 3);
    chain_expect(expected, x, w, bias, chain);
    chain_fill(x, got, chain, 3);
    for (int i = 0; i < chain->count; i++) {
        const struct conv_operands operands = { .x = i == 0 ? x : got[(i + 1) % 2], .w = w[i], .bias = bias[i],
                                                .y = got[i % 2] };
        TEST_EQUAL_INT(conv_run(&operands, chain->kernels[i], &chain->problems[i], NULL, NULL), CONV_OK);
    }
    const int64_t count = conv_operand_count(&chain->problems[chain->count - 1], CONV_Y);
    float *y = got[(chain->count - 1) % 2], most = 0;
    char words[128] = "";
    CU_ASSERT(chain_is_right(words, sizeof words, chain, y, expected[(chain->count - 1) % 2]));
    for (int64_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(y[i]));
    CU_ASSERT(most >= 1 && most < 0x1p23f);
    y[count - 1] += 1;
    CU_ASSERT(!chain_is_right(words, sizeof words, chain, y, expected[(chain->count - 1) % 2]));
    CU_ASSERT(strstr(words, "of the last output is") != NULL);
    y[count - 1] = NAN;
    CU_ASSERT(!chain_is_right(words, sizeof words, chain, y, expected[(chain->count - 1) % 2]));
    for (int i = 0; i < 2; i++) {
        free(expected[i]);
        free(got[i]);
    }
    for (int i = 0; i < chain->count; i++) {
        free(w[i]);
        free(bias[i]);
    }
    free(x);
}

static void integers(void)
{
    expected_is_the_references(first);
    expected_is_the_references(last);
}

/* A long chain has as many taps as 2^23 has room for, evenly. */
static void numbers_grow_evenly(void)
{
    enum { LAYERS = 60 };
    struct conv_problem problems[LAYERS];
    const struct conv_kernel *kernels[LAYERS];
    double most = 1;
    for (int i = 0; i < LAYERS; i++) {
        problems[i] = test_problem("c=8 in=4x4 k=8 filter=3x3 pad=1 bias=1");
        kernels[i] = conv_kernel_find("ref_forward");
    }
    const struct chain chain = { problems, kernels, LAYERS, 1, 1 };
    int many = 0;
    for (int i = 0; i < LAYERS; i++) {
        const int taps = chain_taps(&chain, i);
        CU_ASSERT(taps >= 1 && taps <= 3);
        most = most * taps + 1;
        many += taps > 1;
    }
    CU_ASSERT(most <= 0x1p23 && most > 0x1p20);
    CU_ASSERT(many >= 10);
}

/* ---- timing ---------------------------------------------------------------------------------------------------- */

static int64_t counted;
static int64_t count_nothing(void) { return counted; }

static void a_chain_is_timed(void)
{
    static const char *const names[] = { "ref_forward", "ref_scatter" };
    struct made made;
    struct chain_timing timing;
    struct chain_options options = quick;
    options.allocations = count_nothing;
    for (int i = 0; i < 2; i++) {
        make(&made, i ? last : first, names[i]);
        TEST_EQUAL_INT(chain_time(&timing, &made.chain, &options, NULL), CONV_OK);
        TEST_EQUAL_TEXT(timing.why, "");
        CU_ASSERT(timing.verified && timing.median > 0 && timing.calls >= 1);
        TEST_EQUAL_INT(timing.allocations, 0);
    }
    /* the last: y of 2 x 4 x 3 x 8, x of as much and of 12 more for the third layer; halves end with a cache line */
    make(&made, first, "ref_forward");
    TEST_EQUAL_INT(chain_half(&made.chain), 2 * 40 * 6 * 6);
    TEST_EQUAL_INT(chain_time(&timing, &made.chain, &quick, NULL), CONV_OK);
    TEST_EQUAL_INT(timing.arena_bytes, 2 * 4 * 2 * 40 * 6 * 6);
    TEST_EQUAL_INT(timing.allocations, -1);   /* nobody counts */
    TEST_EQUAL_INT(timing.weight_bytes, 4 * (3 * 8 * 9 + 8 * 9 + 12 * 2 * 9 + 12 * 6 * 6 + 30 + 400));
}

/* The first step of the ladder for the problem's kind, channels last. */
static void run_right(const struct conv_problem *problem, const struct conv_operands *operands,
                      const struct conv_workspace *workspace)
{
    const enum conv_kind kind = conv_problem_kind(problem);
    conv_kernel_find(kind == CONV_DEPTHWISE ? "dw_nhwc_01_direct" : kind == CONV_GROUPED ? "grp_nhwc_01_direct"
                                                                   : "std_nhwc_01_direct")
        ->run(problem, operands, workspace);
}

/* A clock that moves on by what kernels take. */
static double now;
static double false_clock(void) { return now; }

static void run_slowly(const struct conv_problem *problem, const struct conv_operands *operands,
                       const struct conv_workspace *workspace)
{
    run_right(problem, operands, workspace);
    now += 0.25;
}

static const struct conv_kernel slow = {
    .name = "slow", .title = "a quarter of a second", .kinds = 1u << CONV_STANDARD | 1u << CONV_GROUPED,
    .layouts = 1u << CONV_CHANNELS_LAST, .run = run_slowly
};

static void its_time_is_from_end_to_end(void)
{
    struct made made;
    struct chain_timing timing;
    make(&made, last, "ref_forward");
    made.kernels[0] = made.kernels[2] = &slow;
    clock_set(false_clock);
    TEST_EQUAL_INT(chain_time(&timing, &made.chain, &quick, NULL), CONV_OK);
    clock_set(NULL);
    CU_ASSERT(timing.verified);
    CU_ASSERT_DOUBLE_EQUAL(timing.median, 0.5, 1e-9);
    TEST_EQUAL_INT(timing.calls, 1);   /* long: once is enough */
}

/* ---- what is wrong --------------------------------------------------------------------------------------------- */

static void run_wrong(const struct conv_problem *problem, const struct conv_operands *operands,
                      const struct conv_workspace *workspace)
{
    run_right(problem, operands, workspace);
    ((float *)operands->y)[3] = 0.5f;
}

/* Right in the first call, wrong in the next one. */
static void run_once(const struct conv_problem *problem, const struct conv_operands *operands,
                     const struct conv_workspace *workspace)
{
    static int calls;
    (calls++ < 1 ? run_right : run_wrong)(problem, operands, workspace);
}

static void run_into_a_wall(const struct conv_problem *problem, const struct conv_operands *operands,
                            const struct conv_workspace *workspace)
{
    (void)problem, (void)operands, (void)workspace;
    raise(SIGKILL);
}

static void what_is_wrong_is_not_timed(void)
{
    static const struct { void (*run)(const struct conv_problem *, const struct conv_operands *,
                                      const struct conv_workspace *);
                          bool each_layer; const char *words; } rows[] = {
        { run_wrong, true, "broken is wrong in layer 2: " },
        { run_wrong, false, "the chain is wrong in call 1: element " },
        { run_once, false, "the chain is wrong in call " },
        { run_into_a_wall, false, "layer 2, broken, " },
    };
    struct made made;
    struct chain_timing timing;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_kernel broken = { .name = "broken", .title = "not right", .kinds = 1u << CONV_DEPTHWISE,
            .layouts = 1u << CONV_CHANNELS_LAST, .run = rows[i].run };
        const struct chain_options options = { .turn_seconds = 0.002, .each_layer = rows[i].each_layer };
        make(&made, last, "ref_forward");
        made.chain.count = 2;
        made.kernels[1] = &broken;
        TEST_EQUAL_INT(chain_time(&timing, &made.chain, &options, NULL), CONV_OK);
        CU_ASSERT(!timing.verified);
        CU_ASSERT_DOUBLE_EQUAL(timing.median, 0, 0);
        contains(timing.why, rows[i].words);
    }
}

static void what_is_no_chain_is_refused(void)
{
    static const struct { const char *text, *words; } rows[] = {
        { "op=transposed c=8 in=4x4 k=8 filter=2x2 stride=2", "it is no forward convolution" },
        { "c=8 in=4x4 k=8 filter=2x2 type=f64", "it isn't of f32" },
        { "c=8 in=4x4 k=8 filter=2x2 layout=nhwc", "its layout isn't the first layer's" },
        { "n=0 c=8 in=4x4 k=8 filter=2x2", "it is empty" },
    };
    struct made made;
    struct chain_timing timing;
    struct conv_error error;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const texts[] = { "c=8 in=4x4 k=8 filter=1x1", rows[i].text, NULL };
        make(&made, texts, "ref_forward");
        TEST_EQUAL_INT(chain_time(&timing, &made.chain, &quick, &error), CONV_NOT_APPLICABLE);
        contains(error.message, "layer 2 of a chain");
        contains(error.message, rows[i].words);
    }
    make(&made, first, "dw_nhwc_01_direct");
    TEST_EQUAL_INT(chain_time(&timing, &made.chain, &quick, &error), CONV_NOT_APPLICABLE);
    made.chain.count = 0;
    TEST_EQUAL_INT(chain_time(&timing, &made.chain, &quick, &error), CONV_BAD_INPUT);
}

/* 2 layers of 1,000,000 MACs and hardly a byte, at 1 GMAC/s: 2 ms; with bytes at 1 MB/s they are what takes long. */
static void the_floor(void)
{
    static const char *const texts[] = { "c=10 in=10x10 k=1000 filter=1x1", "c=10 in=10x10 k=1000 filter=1x1", NULL };
    struct conv_roof roof = { .threads = 1 };
    struct conv_machine machine = { .bytes = { 1 << 20, 0, 0, 1 << 30 } };
    struct made made;
    double arithmetic;
    make(&made, texts, "ref_forward");
    for (int isa = 0; isa < CONV_ISAS; isa++)
        roof.macs[isa][0] = 1e9;
    roof.bandwidth[CONV_L1][0] = roof.bandwidth[CONV_DRAM][0] = 1e15;
    CU_ASSERT_DOUBLE_EQUAL(chain_floor(&arithmetic, &made.chain, &roof, &machine), 2e-3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(arithmetic, 2e-3, 1e-9);
    roof.bandwidth[CONV_L1][0] = 1e6;   /* 4 (1,000 + 10,000 + 100,000) bytes a layer */
    CU_ASSERT_DOUBLE_EQUAL(chain_floor(&arithmetic, &made.chain, &roof, &machine), 2 * 0.444, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(arithmetic, 2e-3, 1e-9);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(integers), TEST_CASE(numbers_grow_evenly), TEST_CASE(a_chain_is_timed),
        TEST_CASE(its_time_is_from_end_to_end), TEST_CASE(what_is_wrong_is_not_timed),
        TEST_CASE(what_is_no_chain_is_refused), TEST_CASE(the_floor),
    };
    return test_main("test_chain", cases, (int)(sizeof cases / sizeof *cases));
}
