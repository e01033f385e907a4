/* test_sandbox.c - kernels that misbehave: they end the process, eat memory, print, leave things changed.
 *
 * Each computes what it should, and does one thing that a kernel must not do.  What the verifier says must name that
 * thing, and the problem that it shows must be small.
 * Not here: wrong values (test_verify, test_faults).   Read next: verify/sandbox/, verify/engine/forked.c
 */
#include "tests/test.h"

#include <fenv.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* A kernel that computes every forward problem rightly, but for what `first` does before. */
static void compute(const struct conv_problem *conv, const struct conv_operands *operands,
                    const struct conv_workspace *workspace)
{
    conv_kernel_find("dw_01_direct")->run(conv, operands, workspace);
}

#define KERNEL(id, ...) \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        __VA_ARGS__; \
        compute(conv, operands, workspace); \
    } \
    static const struct conv_kernel id = { \
        .name = #id, .title = "misbehaves", .kinds = 1u << CONV_DEPTHWISE, .run = run_##id };

static struct conv_verification verify(const struct conv_kernel *kernel, double seconds, double memory)
{
    const struct conv_verify_options options = {
        .seed = 1, .time_limit = seconds, .memory_limit = memory, .check = "small" };
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_kernel(&verification, kernel, &options, NULL), CONV_OK);
    return verification;
}

/* Rejected for this fault, in these words, on a problem that can be done by hand. */
static void rejected(const struct conv_kernel *kernel, enum conv_fault fault, const char *words)
{
    const struct conv_verification verification = verify(kernel, 120, 0);
    const struct conv_finding *finding = &verification.finding;
    struct conv_count count;
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "REJECT");
    TEST_EQUAL_TEXT(conv_fault_name(finding->fault), conv_fault_name(fault));
    if (!strstr(finding->where, words))
        TEST_NOTE("%s: \"%s\" lacks \"%s\"", kernel->name, finding->where, words);
    CU_ASSERT(strstr(finding->where, words) != NULL);
    conv_count_problem(&count, &finding->problem);
    if (!(count.macs <= 200))
        TEST_NOTE("%s: the smallest problem has %lld MACs", kernel->name, (long long)count.macs);
    CU_ASSERT(count.macs <= 200);
}

/* ---- ending the process ---------------------------------------------------------------------------------------- */

KERNEL(calls_exit, exit(0))
KERNEL(calls_exit_3, exit(conv->k > 3 ? 3 : 0))
KERNEL(calls__exit, _exit(0))
KERNEL(aborts, if (conv->axis[CONV_W].stride > 1) { fputs("a stride of one, please\n", stdout); abort(); })
KERNEL(raises, raise(SIGTERM))
KERNEL(divides, raise(SIGFPE))
KERNEL(kills_itself, raise(SIGKILL))
/* Takes more than the 64 MiB that a kernel's stack has. */
static int dive(volatile int *deeper)
{
    volatile int here[1024] = { deeper ? deeper[0] : 0 };
    return here[0] < INT32_MAX ? dive(here) + here[1] : 0;
}
KERNEL(dives, if (conv->axis[CONV_W].stride > 1) dive(NULL))
static float *volatile nowhere;   /* volatile, or the compiler would see what is coming */
KERNEL(follows_null, if (conv->k % 4) *nowhere = 1)

static void an_exit_is_no_success(void)
{
    rejected(&calls_exit, CONV_FAULT_EXIT, "the kernel ended the process with exit(0)");
    rejected(&calls_exit_3, CONV_FAULT_EXIT, "the kernel ended the process with exit(");
    rejected(&calls__exit, CONV_FAULT_EXIT, "the kernel ended the process with _exit(0)");
}

static void signals_are_named(void)
{
    rejected(&aborts, CONV_FAULT_EXIT, "signal 6 (Aborted); it wrote: a stride of one, please");
    rejected(&raises, CONV_FAULT_EXIT, "signal 15 (Terminated)");
    rejected(&divides, CONV_FAULT_CRASH, "signal 8 (Floating point exception)");
    if (!WATCHED)   /* a sanitizer sees it first */
        rejected(&follows_null, CONV_FAULT_CRASH, "a null pointer was followed");
}

static void the_stack_is_named(void)
{
    if (!WATCHED)
        rejected(&dives, CONV_FAULT_CRASH, "the stack was used up");
}

/* Who sent the signal isn't known, so it is no verdict, and no pass either. */
static void killed_from_outside_is_inconclusive(void)
{
    const struct conv_verification verification = verify(&kills_itself, 60, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "INCONCLUSIVE");
    CU_ASSERT(strstr(verification.reason, "killed from outside") != NULL);
}

/* ---- time ------------------------------------------------------------------------------------------------------ */

KERNEL(hangs_on_stride, if (conv->axis[CONV_W].stride > 1) for (;;) pause())

static void hang_in_pack(void *packed, const struct conv_problem *problem, const struct conv_operands *weights)
{
    (void)packed, (void)problem, (void)weights;
    for (;;)
        pause();
}

static size_t some_bytes(const struct conv_problem *problem) { (void)problem; return 64; }

static void hangs_are_shrunk(void)
{
    const struct conv_verification verification = verify(&hangs_on_stride, 1, 0);
    const struct conv_problem smallest = test_problem("c=2 in=1 k=2 filter=1 groups=2 stride=2");
    TEST_EQUAL_INT(verification.finding.fault, CONV_FAULT_HANG);
    CU_ASSERT(conv_problem_equal(&verification.finding.problem, &smallest));
}

static void packing_that_hangs_is_a_hang(void)
{
    static const struct conv_kernel packs = {
        .name = "packs", .title = "hangs in pack", .kinds = 1u << CONV_DEPTHWISE, .packed_bytes = some_bytes,
        .pack = hang_in_pack, .run = compute };
    const struct conv_verification verification = verify(&packs, 1, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "REJECT");
    TEST_EQUAL_INT(verification.finding.fault, CONV_FAULT_HANG);
}

/* A process that a kernel started ends with it: the other end of the pipe is closed then, and read() returns. */
static int lingering[2];

static void start_a_process(void)
{
    if (lingering[0] > 0 && fork() == 0)
        for (;;)
            pause();
    close(lingering[0]);
    lingering[0] = 0;
}
KERNEL(starts_a_process, if (lingering[0] > 0) start_a_process())

static void the_whole_group_is_ended(void)
{
    TEST_EQUAL_INT(pipe(lingering), 0);
    const int mine = lingering[0];
    const struct conv_verification verification = verify(&starts_a_process, 60, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "ACCEPT");
    struct pollfd wait = { .fd = mine, .events = POLLIN };
    close(lingering[1]);
    TEST_EQUAL_INT(poll(&wait, 1, 10000), 1);
    CU_ASSERT(wait.revents & POLLHUP);
    close(mine);
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* Takes memory until there is none, then does what such programs do. */
static void eat(void)
{
    volatile char *block;
    while ((block = malloc(16 << 20)) != NULL)
        for (int i = 0; i < 16 << 20; i += 4096)
            block[i] = 1;
}

KERNEL(eats_and_follows, eat(); *nowhere = 0)
KERNEL(eats_and_aborts, eat(); abort())
KERNEL(eats_and_exits, eat(); exit(1))

/* Not with a sanitizer, whose shadow memory has no limit. */
static void memory_is_told_from_a_crash(void)
{
    static const struct conv_kernel *const kernels[] = { &eats_and_follows, &eats_and_aborts, &eats_and_exits };
    for (int i = 0; i < 3 && !WATCHED; i++) {
        const struct conv_verification verification = verify(kernels[i], 60, 512 << 20);
        TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "REJECT");
        TEST_EQUAL_TEXT(conv_fault_name(verification.finding.fault), "memory used up");
        CU_ASSERT(strstr(verification.finding.where, "0.5 GiB") != NULL);
    }
}

/* An input that is changed and put back: no hash can see that, but its pages can. */
static void change_and_restore(float *x)
{
    const volatile float kept = *x;
    *(volatile float *)x = 0;
    *x = kept;
}
KERNEL(restores_input, change_and_restore(operands->w))

/* Instructions that want aligned memory end like this one; users' arrays aren't aligned. */
KERNEL(wants_alignment, if ((uintptr_t)operands->y % 16) raise(SIGSEGV))
KERNEL(wants_input_alignment, if ((uintptr_t)operands->x % 8) raise(SIGSEGV))

static void inputs_are_not_written_to(void)
{
    rejected(&restores_input, CONV_FAULT_INPUT_CHANGED, "the input was written to");
}

static void operands_are_not_aligned(void)
{
    rejected(&wants_alignment, CONV_FAULT_CRASH, "raised signal 11 (Segmentation fault)");
    rejected(&wants_input_alignment, CONV_FAULT_CRASH, "raised signal 11 (Segmentation fault)");
}

/* ---- from one call to the next --------------------------------------------------------------------------------- */

/* Weights that are packed into one place for all plans: right for every problem alone. */
static float packed_by_all[4096];

static void pack_for_all(void *packed, const struct conv_problem *problem, const struct conv_operands *weights)
{
    (void)packed;
    const size_t bytes = conv_operand_bytes(problem, CONV_WEIGHTS);
    memcpy(packed_by_all, weights->w, bytes < sizeof packed_by_all ? bytes : sizeof packed_by_all);
}

static void run_with_packed(const struct conv_problem *conv, const struct conv_operands *operands,
                            const struct conv_workspace *workspace)
{
    struct conv_operands own = *operands;
    own.w = packed_by_all;
    compute(conv, &own, workspace);
}

static const char *too_many_weights(const struct conv_problem *problem)
{
    return conv_operand_bytes(problem, CONV_WEIGHTS) > sizeof packed_by_all ? "it has room for few weights" : NULL;
}

static void what_is_kept_between_calls_is_seen(void)
{
    static const struct conv_kernel shares = {
        .name = "shares", .title = "one place for all weights", .kinds = 1u << CONV_DEPTHWISE, .run = run_with_packed,
        .applies = too_many_weights, .packed_bytes = some_bytes, .pack = pack_for_all };
    struct conv_verification verification = verify(&shares, 60, 0);
    char repro[CONV_REPRO_TEXT];
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "ACCEPT");   /* each problem alone */
    const struct conv_verify_options options = { .seed = 1, .time_limit = 60, .check = "turns" };
    TEST_EQUAL_INT(conv_verify_kernel(&verification, &shares, &options, NULL), CONV_OK);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "REJECT");
    TEST_EQUAL_TEXT(conv_fault_name(verification.finding.fault), "two calls differ");
    CU_ASSERT(strstr(verification.finding.guess, "kept from one call to the next: a plan for") != NULL);
    TEST_EQUAL_TEXT(conv_repro_line(repro, &verification.finding, "shares"),
                    "convref verify --kernel shares --seed 1 --check turns");
}

/* ---- the terminal ---------------------------------------------------------------------------------------------- */

static int calls;
KERNEL(prints, if (calls++ == 0) fputs("hello", stdout))
KERNEL(prints_much, if (calls++ < 1000) printf("%01024d", 0))
KERNEL(reads, char byte; if (read(STDIN_FILENO, &byte, 1) != 0) abort())

static void output_is_a_warning(void)
{
    struct conv_verification verification = verify(&prints, 60, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "ACCEPT");
    TEST_EQUAL_TEXT(verification.warning, "it wrote 5 bytes to its standard output or error: hello");
    verification = verify(&prints_much, 60, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "ACCEPT");
    CU_ASSERT(strstr(verification.warning, "it wrote 1024000 bytes") != NULL);
    CU_ASSERT(strlen(verification.warning) < CONV_WORDS);
}

static void there_is_nothing_to_read(void)
{
    const struct conv_verification verification = verify(&reads, 60, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "ACCEPT");
    TEST_EQUAL_TEXT(verification.warning, "");
}

/* ---- failures that the kernel tells of ------------------------------------------------------------------------- */

static void report_at(const struct conv_problem *conv, const struct conv_operands *operands,
                      const struct conv_workspace *workspace)
{
    compute(conv, operands, workspace);
    if (conv->axis[CONV_W].stride > 1)
        snprintf(workspace->failure, CONV_FAILURE, "the library says 42 for stride %d",
                 (int)conv->axis[CONV_W].stride);
}

/* The words are the finding, of the smallest problem; a call that ends well leaves none behind. */
static void told_failures_are_findings(void)
{
    static const struct conv_kernel reports = { .name = "reports", .title = "tells of a failure", .run = report_at,
                                                .kinds = 1u << CONV_DEPTHWISE };
    rejected(&reports, CONV_FAULT_REPORTED, "the library says 42 for stride 2");
}

/* ---- the floating-point environment ---------------------------------------------------------------------------- */

KERNEL(rounds_up, fesetround(FE_UPWARD))

static void pack_down(void *packed, const struct conv_problem *problem, const struct conv_operands *weights)
{
    (void)packed, (void)problem, (void)weights;
    fesetround(FE_DOWNWARD);
}

static void rounding_is_put_back(void)
{
    static const struct conv_kernel packs = { .name = "packs_down", .title = "rounds down in pack", .run = compute,
        .kinds = 1u << CONV_DEPTHWISE, .packed_bytes = some_bytes, .pack = pack_down };
    rejected(&rounds_up, CONV_FAULT_ENVIRONMENT, "after run(): the rounding mode is upward, it was to nearest");
    rejected(&packs, CONV_FAULT_ENVIRONMENT, "after pack(): the rounding mode is downward, it was to nearest");
    TEST_EQUAL_INT(fegetround(), FE_TONEAREST);
}

#if defined(__SSE__)
KERNEL(flushes, _mm_setcsr(_mm_getcsr() | 0x8040))
KERNEL(flushes_on_stride, if (conv->axis[CONV_W].stride > 1) _mm_setcsr(_mm_getcsr() | 0x8000))
KERNEL(sets_flags, _mm_setcsr(_mm_getcsr() | 0x3F))

static void flush_to_zero_is_put_back(void)
{
    rejected(&flushes, CONV_FAULT_ENVIRONMENT, "flush to zero was switched on; denormals are zero was switched on");
    rejected(&flushes_on_stride, CONV_FAULT_ENVIRONMENT, "flush to zero was switched on");
}

/* Every sum that isn't exact sets one. */
static void flags_may_be_set(void)
{
    const struct conv_verification verification = verify(&sets_flags, 60, 0);
    TEST_EQUAL_TEXT(conv_verdict_name(verification.verdict), "ACCEPT");
}
#else
static void flush_to_zero_is_put_back(void) { TEST_NOTE("not on this processor"); }
static void flags_may_be_set(void) { TEST_NOTE("not on this processor"); }
#endif

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(an_exit_is_no_success), TEST_CASE(signals_are_named), TEST_CASE(the_stack_is_named),
        TEST_CASE(killed_from_outside_is_inconclusive), TEST_CASE(hangs_are_shrunk),
        TEST_CASE(packing_that_hangs_is_a_hang), TEST_CASE(the_whole_group_is_ended),
        TEST_CASE(memory_is_told_from_a_crash), TEST_CASE(inputs_are_not_written_to),
        TEST_CASE(operands_are_not_aligned), TEST_CASE(what_is_kept_between_calls_is_seen),
        TEST_CASE(output_is_a_warning), TEST_CASE(there_is_nothing_to_read),
        TEST_CASE(told_failures_are_findings), TEST_CASE(rounding_is_put_back),
        TEST_CASE(flush_to_zero_is_put_back), TEST_CASE(flags_may_be_set),
    };
    return test_main("test_sandbox", cases, (int)(sizeof cases / sizeof *cases));
}
