/* unsynchronised.c - how a time that can't be true is measured: the clock is read when the work was handed over,
 * not when it is done.
 *
 *     cc examples/unsynchronised.c $(pkg-config --cflags --libs convref) -lpthread -o early && ./early
 *
 * A call to a GPU returns as soon as the work is in a queue.  Here a thread stands for the GPU: hand_over() gives it
 * a convolution and returns, synchronise() is what the reports of docs/claims.md left out.
 * Read next: docs/claims.md
 */
#include <convref.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_t device;

static void *work(void *plan)
{
    conv_plan_run(plan);
    return NULL;
}

static bool hand_over(struct conv_plan *plan) { return pthread_create(&device, NULL, work, plan) == 0; }

static void synchronise(void) { pthread_join(device, NULL); }

static int fail(const char *message)
{
    fprintf(stderr, "unsynchronised: %s\n", message);
    return 1;
}

int main(void)
{
    enum { C = 64, K = 64, SIZE = 56, WEIGHTS = C * K * 9, ELEMENTS = C * SIZE * SIZE };
    static float x[ELEMENTS], w[WEIGHTS], y[ELEMENTS], want[ELEMENTS];
    struct conv_problem problem;
    struct conv_count count;
    struct conv_error error;
    struct conv_plan *plan;
    if (conv_problem_parse(&problem, "c=64 in=56x56 k=64 filter=3x3 pad=1", &error) != CONV_OK)
        return fail(error.message);
    conv_count_problem(&count, &problem);
    const struct conv_fill integers = { CONV_FILL_INTEGERS, 1, 8, 0 };
    conv_fill(CONV_F32, x, ELEMENTS, "x", &integers);
    conv_fill(CONV_F32, w, WEIGHTS, "w", &integers);

    struct conv_operands operands = { .x = x, .w = w, .y = want };
    const struct conv_kernel *kernel = conv_kernel_find("std_03_loop_order");
    if (conv_run(&operands, kernel, &problem, NULL, &error) != CONV_OK)
        return fail(error.message);
    operands.y = y;
    if (conv_plan_create(&plan, kernel, &problem, NULL, &error) != CONV_OK
        || conv_plan_load(plan, &operands, &error) != CONV_OK)
        return fail(error.message);

    const double began = conv_seconds();
    if (!hand_over(plan))
        return fail("no thread can be started");
    const double early = conv_seconds() - began;   /* what the reports took for the time */
    synchronise();
    const double late = conv_seconds() - began;
    conv_plan_free(plan);

    const double gmacs = (double)count.macs_inside / 1e9;
    printf("clock read when the work was handed over  %9.3f ms  %10.1f GMAC/s\n", early * 1e3, gmacs / early);
    printf("clock read when the work was done         %9.3f ms  %10.1f GMAC/s\n", late * 1e3, gmacs / late);
    printf("outputs, looked at when it was done: %s\n", memcmp(y, want, sizeof y) ? "WRONG" : "right");
    return memcmp(y, want, sizeof y) != 0 || !(early < late);
}
