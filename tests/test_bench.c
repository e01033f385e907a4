/* test_bench.c - the clock's bookkeeping: verified first, turns taken, ratios of turns.   No time is asserted.
 * Read next: verify/measure/bench.c
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

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

/* What the machine allows is the lesser of arithmetic and memory. */
static void the_ceiling_is_the_lesser(void)
{
    const struct conv_machine machine = { .cores = 1, .bytes = { 32 << 10, 512 << 10, 8 << 20, 1ll << 33 } };
    const struct conv_roof roof = { .threads = 1, .macs = { { 10e9, 10e9 }, { 40e9, 40e9 }, { 80e9, 80e9 } },
        .bandwidth = { { 200e9, 200e9 }, { 100e9, 100e9 }, { 50e9, 50e9 }, { 10e9, 10e9 } } };
    static const struct { const char *problem; bool cold, by_memory; enum conv_level level; } rows[] = {
        { "c=256 in=28x28 k=256 filter=3x3 pad=1", false, false, CONV_L3 },
        { "c=64 in=16x16 k=64 filter=1x1 groups=64", false, true, CONV_L2 },
        { "c=2 in=16x16 k=2 filter=1x1 groups=2", false, true, CONV_L1 },
        { "c=64 in=16x16 k=64 filter=3x3 groups=64 pad=1", true, true, CONV_DRAM },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].problem);
        struct conv_count count;
        conv_count_problem(&count, &problem);
        const struct conv_ceiling ceiling = conv_bench_ceiling(&roof, &machine, &problem, CONV_ISA_AVX512, 1, rows[i].cold);
        const double memory = roof.bandwidth[rows[i].level][0] * (double)count.macs_inside / (double)count.bytes;
        TEST_EQUAL_INT(ceiling.level, rows[i].level);
        TEST_EQUAL_INT(ceiling.by_memory, rows[i].by_memory);
        CU_ASSERT_DOUBLE_EQUAL(ceiling.macs, memory < 80e9 ? memory : 80e9, 1);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(kernels_take_turns), TEST_CASE(a_wrong_kernel_is_not_timed),
        TEST_CASE(a_kernel_that_does_not_apply_is_left_out), TEST_CASE(the_ceiling_is_the_lesser),
    };
    return test_main("test_bench", cases, (int)(sizeof cases / sizeof *cases));
}
