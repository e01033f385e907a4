/* test_bench.c - the clock's bookkeeping: verified first, turns taken, ratios of turns, kernels that end.
 *
 * No time of this machine is asserted: where figures matter, the clock is a false one, which kernels turn themselves.
 * Read next: verify/measure/turns.c, tests/test_cheats.sh
 */
#include "tests/test.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "verify/measure/statistics.h"

static const struct conv_bench_options quick = { .rounds = 3, .turn_seconds = 0.0005, .patience = 60, .seed = 1 };

/* A kernel that is wrong, and one that takes its time. */
static void run_wrong(const struct conv_problem *conv, const struct conv_operands *operands,
                      const struct conv_workspace *workspace)
{
    (void)workspace;
    memset(operands->y, 0, conv_operand_bytes(conv, CONV_Y));
}

static const struct conv_kernel wrong = {
    .name = "wrong", .title = "all zeros", .kinds = 1u << CONV_STANDARD, .run = run_wrong
};

static void kernels_take_turns(void)
{
    const struct conv_problem problem = test_problem("c=8 in=12x12 k=8 filter=3x3 pad=1");
    const struct conv_kernel *const kernels[] = { conv_kernel_find("std_01_direct"), conv_kernel_find("std_06_register_tile") };
    struct conv_timing timings[2];
    TEST_EQUAL_INT(conv_bench_kernels(timings, kernels, 2, &problem, &quick, NULL), CONV_OK);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(timings[i].verified);
        TEST_EQUAL_INT(timings[i].turns, 3);
        CU_ASSERT(timings[i].calls >= 3);
        CU_ASSERT(timings[i].p10 <= timings[i].median && timings[i].median <= timings[i].p90);
        CU_ASSERT(timings[i].median > 0);
        TEST_EQUAL_INT(timings[i].threads, 1);
        TEST_EQUAL_INT(timings[i].allocations, -1);   /* nobody counts here */
    }
    CU_ASSERT_DOUBLE_EQUAL(timings[0].speedup, 1, 0);
    CU_ASSERT(timings[1].speedup > 0);
    CU_ASSERT(timings[1].packed_bytes == 0 && timings[1].scratch_bytes > 0);
}

static void a_wrong_kernel_is_not_timed(void)
{
    const struct conv_problem problem = test_problem("c=8 in=12x12 k=8 filter=3x3 pad=1");
    const struct conv_kernel *const kernels[] = { conv_kernel_find("std_01_direct"), &wrong };
    struct conv_timing timings[2];
    TEST_EQUAL_INT(conv_bench_kernels(timings, kernels, 2, &problem, &quick, NULL), CONV_OK);
    CU_ASSERT(timings[0].verified && !timings[1].verified);
    TEST_EQUAL_INT(timings[1].turns, 0);
    CU_ASSERT_DOUBLE_EQUAL(timings[1].median, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(timings[1].speedup, 0, 0);
}

static void a_kernel_that_does_not_apply_is_left_out(void)
{
    const struct conv_problem problem = test_problem("c=8 in=12x12 k=8 filter=3x3 pad=1");
    const struct conv_kernel *const kernels[] = { conv_kernel_find("std_01_direct"), conv_kernel_find("dw_01_direct") };
    struct conv_timing timings[2];
    TEST_EQUAL_INT(conv_bench_kernels(timings, kernels, 2, &problem, &quick, NULL), CONV_OK);
    CU_ASSERT(timings[0].verified && !timings[1].verified);
    TEST_EQUAL_INT(timings[1].turns, 0);
}

/* ---- kernels that end, or don't -------------------------------------------------------------------------------- */

static void run_crash(const struct conv_problem *conv, const struct conv_operands *operands,
                      const struct conv_workspace *workspace)
{
    (void)conv, (void)operands, (void)workspace;
    raise(SIGSEGV);
}

static void run_hang(const struct conv_problem *conv, const struct conv_operands *operands,
                     const struct conv_workspace *workspace)
{
    (void)conv, (void)operands, (void)workspace;
    for (volatile unsigned i = 0; ; i++)   /* which may wrap around */
        continue;
}

static void run_hungry(const struct conv_problem *conv, const struct conv_operands *operands,
                       const struct conv_workspace *workspace)
{
    (void)conv, (void)operands, (void)workspace;
    char *all = malloc((size_t)1 << 30);
    if (!all)
        abort();
    memset(all, 1, (size_t)1 << 30);
}

static void one_end_costs_one_row(void)
{
    static const struct conv_kernel ends[] = {
        { .name = "crash", .title = "crashes", .kinds = 1u << CONV_STANDARD, .run = run_crash },
        { .name = "hang", .title = "hangs", .kinds = 1u << CONV_STANDARD, .run = run_hang },
        { .name = "hungry", .title = "takes a gigabyte", .kinds = 1u << CONV_STANDARD, .run = run_hungry },
    };
    static const char *const words[] = { WATCHED ? "in run() it " : "in run() it crashed: signal 11",
                                         "in run() it hadn't returned after 1 second", "in run() it " };
    const struct conv_kernel *const honest = conv_kernel_find("std_01_direct");
    const struct conv_kernel *const kernels[] = { honest, &ends[0], &ends[1], honest, &ends[2] };
    const int count = WATCHED ? 4 : 5;   /* a sanitizer has limits of its own */
    const struct conv_problem problem = test_problem("c=8 in=12x12 k=8 filter=3x3 pad=1");
    struct conv_bench_options options = quick;
    struct conv_timing timings[5];
    options.time_limit = 1;
    options.memory_limit = 256 << 20;
    TEST_EQUAL_INT(conv_bench_kernels(timings, kernels, count, &problem, &options, NULL), CONV_OK);
    CU_ASSERT(timings[0].verified && timings[3].verified);
    TEST_EQUAL_INT(timings[0].turns, 3);
    TEST_EQUAL_INT(timings[3].turns, 3);
    TEST_EQUAL_TEXT(timings[0].why, "");
    for (int i = 0; i < count - 2; i++) {
        const struct conv_timing *timing = &timings[(const int[]){ 1, 2, 4 }[i]];
        CU_ASSERT(!timing->verified && timing->turns == 0);
        CU_ASSERT(!strncmp(timing->why, words[i], strlen(words[i])));
    }
}

/* ---- a false clock --------------------------------------------------------------------------------------------- */

/* The clock stands still but when a kernel runs: a call takes as long as the kernel says, times what the machine is
 * up to. */
static double false_time, machine_load;
static double false_clock(void) { return false_time; }

static void take(double seconds)
{
    machine_load += 0.01;   /* it gets slower and slower */
    false_time += seconds * machine_load;
}

static void compute(const struct conv_problem *conv, const struct conv_operands *operands,
                    const struct conv_workspace *workspace)
{
    (void)workspace;
    const double before = false_time;
    TEST_EQUAL_INT(conv_run(operands, conv_kernel_find("ref_forward"), conv, NULL, NULL), CONV_OK);
    false_time = before;
}

#define TAKES(name, seconds) \
    static void name(const struct conv_problem *conv, const struct conv_operands *operands, \
                     const struct conv_workspace *workspace) { compute(conv, operands, workspace); take(seconds); }
TAKES(run_quick, 0.001)
TAKES(run_thrice, 0.003)
TAKES(run_slow, 100)

static const struct conv_kernel quick_kernel = { .name = "quick", .kinds = 1u << CONV_STANDARD, .run = run_quick },
    thrice_kernel = { .name = "thrice", .kinds = 1u << CONV_STANDARD, .run = run_thrice },
    slow_kernel = { .name = "slow", .kinds = 1u << CONV_STANDARD, .run = run_slow };

static void bench_falsely(struct conv_timing timings[2], const struct conv_kernel *first,
                          const struct conv_kernel *second)
{
    const struct conv_problem problem = test_problem("c=2 in=4x4 k=2 filter=3x3 pad=1");
    const struct conv_bench_options options = { .rounds = 7, .turn_seconds = 0.02, .patience = 1, .seed = 1 };
    const struct conv_kernel *const kernels[] = { first, second };
    false_time = 0;
    machine_load = 1;
    clock_set(false_clock);
    TEST_EQUAL_INT(conv_bench_kernels(timings, kernels, 2, &problem, &options, NULL), CONV_OK);
    clock_set(NULL);
}

/* On a machine that gets slower all the time: the ratio of turns is nearly right, and agrees with the printed
 * medians. */
static void ratios_agree_with_medians(void)
{
    struct conv_timing timings[2];
    bench_falsely(timings, &thrice_kernel, &quick_kernel);
    const double of_medians = timings[0].median / timings[1].median;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(timings[i].verified);
        TEST_EQUAL_INT(timings[i].turns, 7);
        TEST_EQUAL_INT(timings[i].shared_rounds, 7);
    }
    CU_ASSERT(timings[1].p90 > 1.5 * timings[1].p10);   /* the machine did get slower */
    CU_ASSERT(timings[1].speedup > 2.4 && timings[1].speedup < 3);   /* the quick one is always second */
    CU_ASSERT(timings[1].speedup_low <= timings[1].speedup && timings[1].speedup <= timings[1].speedup_high);
    CU_ASSERT(timings[1].speedup_low <= of_medians && of_medians <= timings[1].speedup_high);
}

/* A kernel that is too slow for three turns has one, and it is known that the ratio is over one. */
static void one_turn_is_known_as_one(void)
{
    struct conv_timing timings[2];
    bench_falsely(timings, &slow_kernel, &quick_kernel);
    TEST_EQUAL_INT(timings[0].turns, 1);
    TEST_EQUAL_INT(timings[1].turns, 7);
    TEST_EQUAL_INT(timings[1].shared_rounds, 1);
    const double of_medians = timings[0].median / timings[1].median;
    CU_ASSERT(timings[1].speedup_low <= of_medians && of_medians <= timings[1].speedup_high);
}

static void statistics_by_hand(void)
{
    static const double turns[] = { 2, 4, 1, NAN, 2 }, first[] = { 10, 10, 10, 10, NAN };
    struct conv_timing timing = { .turns = 0 };
    statistics_of(&timing, turns, first, 5);
    TEST_EQUAL_INT(timing.turns, 4);
    TEST_EQUAL_INT(timing.shared_rounds, 3);
    CU_ASSERT_DOUBLE_EQUAL(timing.median, 2, 0);
    CU_ASSERT_DOUBLE_EQUAL(timing.p90, 4, 0);
    CU_ASSERT_DOUBLE_EQUAL(timing.speedup, 5, 0);        /* of 2.5, 5 and 10 */
    CU_ASSERT_DOUBLE_EQUAL(timing.speedup_low, 2.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(timing.speedup_high, 10, 0);
}

/* The rounds of a slower kernel are among those of a faster one, and spread out. */
static void rounds_are_spread(void)
{
    static const int by_hand[] = { 0, 6, 3, 1, 4, 2, 5 };
    int order[MOST_ROUNDS];
    statistics_order(order, 7);
    for (int i = 0; i < 7; i++)
        TEST_EQUAL_INT(order[i], by_hand[i]);
}

/* ---- the roof -------------------------------------------------------------------------------------------------- */

/* What the machine allows is the lesser of arithmetic and memory; of operands, the fastest levels are full first. */
static void the_ceiling_is_the_lesser(void)
{
    const struct conv_machine machine = { .cores = 1, .bytes = { 32 << 10, 512 << 10, 8 << 20, 1ll << 33 } };
    const struct conv_roof roof = { .threads = 1, .macs = { { 10e9, 10e9 }, { 40e9, 40e9 }, { 80e9, 80e9 } },
        .bandwidth = { { 200e9, 200e9 }, { 100e9, 100e9 }, { 50e9, 50e9 }, { 10e9, 10e9 } } };
    static const struct { const char *problem; bool cold, by_memory; enum conv_level level; double l1, l2, l3, dram; } rows[] = {
        /* 802816 + 2359296 + 802816 bytes */
        { "c=256 in=28x28 k=256 filter=3x3 pad=1", false, false, CONV_L3, 32 << 10, 512 << 10, 3407872, 0 },
        /* 65536 + 256 + 65536 */
        { "c=64 in=16x16 k=64 filter=1x1 groups=64", false, true, CONV_L2, 32 << 10, 98560, 0, 0 },
        { "c=2 in=16x16 k=2 filter=1x1 groups=2", false, true, CONV_L1, 4104, 0, 0, 0 },
        { "c=64 in=16x16 k=64 filter=3x3 groups=64 pad=1", true, true, CONV_DRAM, 0, 0, 0, 133376 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].problem);
        struct conv_count count;
        conv_count_problem(&count, &problem);
        const struct conv_ceiling ceiling = conv_bench_ceiling(&roof, &machine, &problem, CONV_ISA_AVX512, 1, 1,
                                                               rows[i].cold);
        const double memory = rows[i].l1 / 200e9 + rows[i].l2 / 100e9 + rows[i].l3 / 50e9 + rows[i].dram / 10e9;
        const double arithmetic = (double)count.macs_inside / 80e9;
        TEST_EQUAL_INT(ceiling.level, rows[i].level);
        TEST_EQUAL_INT(ceiling.by_memory, rows[i].by_memory);
        CU_ASSERT_DOUBLE_EQUAL((double)count.macs_inside / ceiling.macs, fmax(memory, arithmetic), 1e-12);
    }
}

/* A transform may do fewer multiplications; a stranger's kernel may use all that the machine has. */
static void the_ceiling_is_for_the_method(void)
{
    const struct conv_machine machine = { .cores = 1, .bytes = { 32 << 10, 512 << 10, 8 << 20, 1ll << 33 } };
    const struct conv_roof roof = { .threads = 1, .macs = { { 10e9, 10e9 }, { 40e9, 40e9 }, { 80e9, 80e9 } },
        .bandwidth = { { 1e15, 1e15 }, { 1e15, 1e15 }, { 1e15, 1e15 }, { 1e15, 1e15 } } };
    const struct conv_problem problem = test_problem("c=256 in=28x28 k=256 filter=3x3 pad=1");
    const double fewer = conv_bench_fewer_macs(CONV_WINOGRAD_4);
    CU_ASSERT_DOUBLE_EQUAL(fewer, 4, 0);
    CU_ASSERT_DOUBLE_EQUAL(conv_bench_ceiling(&roof, &machine, &problem, CONV_ISA_AVX2, 1, 1, false).macs, 40e9, 1);
    CU_ASSERT_DOUBLE_EQUAL(conv_bench_ceiling(&roof, &machine, &problem, CONV_ISA_AVX2, fewer, 1, false).macs, 160e9,
                           1);
    TEST_EQUAL_INT(conv_bench_isa(conv_kernel_find("std_01_direct")), conv_kernel_find("std_01_direct")->isa);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(kernels_take_turns), TEST_CASE(a_wrong_kernel_is_not_timed),
        TEST_CASE(a_kernel_that_does_not_apply_is_left_out), TEST_CASE(one_end_costs_one_row),
        TEST_CASE(ratios_agree_with_medians), TEST_CASE(one_turn_is_known_as_one), TEST_CASE(statistics_by_hand),
        TEST_CASE(rounds_are_spread), TEST_CASE(the_ceiling_is_the_lesser), TEST_CASE(the_ceiling_is_for_the_method),
    };
    return test_main("test_bench", cases, (int)(sizeof cases / sizeof *cases));
}
