/* test_threads.c - kernels with several threads, in this process, so that the thread sanitizer sees them.
 *
 * Each threaded kernel runs problems whose rows, channels and blocks don't divide by the threads; the sums are exact,
 * so every number of threads must give the same bits.   Read next: verify/checks/threads.c
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/main_output.h"
#include "tests/random_problem.h"

static const char *const problems[] = {
    "n=2 c=5 in=13x11 k=19 filter=3x3 pad=1 bias=1", "c=40 in=9x9 k=33 filter=3x3 pad=1",
    "c=17 in=1x29 k=7 filter=1x1",
    "c=64 in=20x20 k=50 filter=1x1 bias=1 act=relu", "n=3 c=12 in=8x9 k=18 filter=3x3 groups=3 stride=2",
    "c=21 in=12x10 k=21 filter=3x3 groups=21 pad=1",
    "n=3 c=2 in=31x5 k=2 filter=5x3 groups=2 dilation=2x1",
    "op=separable c=9 in=14x13 k=21 filter=3x3 pad=1 mid_act=relu",
    "n=2 c=13 in=21x17 k=40 filter=3x3 stride=2 pad=1 pass=backward_data",
    "op=transposed c=9 in=11x12 k=14 filter=4x4 stride=2 bias=1",
    "n=2 c=13 in=21x17 k=40 filter=3x3 pad=1 bias=1 pass=backward_weights",
    "n=2 c=15 in=12x13 k=15 filter=3x3 groups=15 stride=2 pad=1 pass=backward_data",
    "n=3 c=15 in=12x13 k=30 filter=5x5 groups=15 pad=2 bias=1 pass=backward_weights",
};

/* Outputs with 1 thread and with others are the same bits. */
static void compare_thread_counts(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    struct test_operands set;
    const enum conv_operand output = main_output(problem);
    const size_t bytes = conv_operand_bytes(problem, output);
    void *alone = malloc(bytes);
    test_operands_create(&set, problem, 5);
    for (int threads = 1; threads <= 5; threads++) {
        const struct conv_plan_options options = { .threads = threads };
        memset(set.operands.at[output], 0xFF, bytes);
        TEST_EQUAL_INT(conv_run(&set.operands, kernel, problem, &options, NULL), CONV_OK);
        if (threads == 1)
            memcpy(alone, set.operands.at[output], bytes);
        if (memcmp(alone, set.operands.at[output], bytes))
            TEST_NOTE("%s with %d threads differs from 1 thread", kernel->name, threads);
        CU_ASSERT(memcmp(alone, set.operands.at[output], bytes) == 0);
    }
    test_operands_free(&set);
    free(alone);
}

/* What one thread computes is the truth, so what all compute is. */
static void judge_one_thread(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    struct test_operands set;
    struct conv_verification verification;
    test_operands_create(&set, problem, 5);
    TEST_EQUAL_INT(conv_run(&set.operands, kernel, problem, NULL, NULL), CONV_OK);
    TEST_EQUAL_INT(conv_verify_operands(&verification, problem, &set.operands, CONV_DIRECT, NULL), CONV_OK);
    TEST_EQUAL_INT(verification.verdict, CONV_ACCEPT);
    test_operands_free(&set);
}

/* Each threaded kernel on each problem that it computes, in both layouts. */
static void each(void (*test)(const struct conv_kernel *, const struct conv_problem *))
{
    int tested = 0;
    for (int i = 0; i < conv_kernel_count(); i++)
        for (size_t p = 0; p < CONV_LAYOUTS * sizeof problems / sizeof *problems; p++) {
            struct conv_problem problem = test_problem(problems[p / CONV_LAYOUTS]);
            const struct conv_kernel *kernel = conv_kernel_at(i);
            problem.layout = (enum conv_layout)(p % CONV_LAYOUTS);
            if (kernel->threaded && !conv_kernel_refuses(kernel, &problem)) {
                test(kernel, &problem);
                tested++;
            }
        }
    CU_ASSERT(tested >= 10);
}

static void thread_counts_agree(void) { each(compare_thread_counts); }
static void one_thread_is_right(void) { each(judge_one_thread); }

int main(void)
{
    static const struct test_case cases[] = { TEST_CASE(thread_counts_agree), TEST_CASE(one_thread_is_right) };
    return test_main("test_threads", cases, (int)(sizeof cases / sizeof *cases));
}
