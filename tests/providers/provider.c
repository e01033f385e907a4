/* provider.c - providers for the tests: one that is good, and others that are wrong in one way each.
 *
 * tests/tests.mk compiles this file once for each of them, with one of the names below defined.  What convref says to
 * the wrong ones is in tests/bad-input.tsv; what the verifier says to kernels that compute nonsense is in
 * tests/cli/test_verify.sh.   Not here: how to write a provider; that is docs/adding-a-kernel.md.
 */
#include <convref/kernel.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "direct.h"

/* What a variant doesn't use is not static, so that no compiler complains about it. */

void test_run(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *workspace);
void test_run(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *workspace)
{
#ifdef HANGS
    for (;;)
        pause();
#endif
#ifdef CRASHES
    raise(SIGSEGV);
#endif
    compute(p, o, workspace);
#ifdef LAST_COLUMN_ZERO
    const int64_t Q = p->axis[2].out, rows = p->n * p->k * p->axis[0].out * p->axis[1].out;
    for (int64_t row = 0; row < rows; row++)
        ((float *)o->y)[row * Q + Q - 1] = 0;
#endif
#ifdef WRITES_NAN
    ((float *)o->y)[0] = NAN;
#endif
#ifdef WRITES_OUTSIDE
    ((float *)o->y)[p->n * p->k * p->axis[0].out * p->axis[1].out * p->axis[2].out] = 0;
#endif
#ifdef CHANGES_INPUT
    ((float *)o->x)[0] += 1;
#endif
}

#ifdef WRONG_HALF_PACKED
static size_t packed_bytes(const struct conv_problem *problem) { (void)problem; return 64; }
#endif

extern const struct conv_kernel test_kernel;
const struct conv_kernel test_kernel = {
#if defined WRONG_NAME_TAKEN
    .name = "ref_forward",
#elif !defined WRONG_NO_NAME
    .name = "mine",
#endif
    .title = "a kernel of the tests",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE | 1u << CONV_POINTWISE,
#ifdef WRONG_HALF_PACKED
    .packed_bytes = packed_bytes,
#endif
#ifndef WRONG_NO_RUN
    .run = test_run,
#endif
};

extern const struct conv_kernel *const test_kernels[];
const struct conv_kernel *const test_kernels[] = { &test_kernel, NULL };

static const struct conv_provider provider = {
#ifdef WRONG_ABI
    .abi = CONV_PROVIDER_ABI + 1,
#else
    .abi = CONV_PROVIDER_ABI,
#endif
#ifdef WRONG_SIZE
    .kernel_size = sizeof(struct conv_kernel) - 8,
#else
    .kernel_size = sizeof(struct conv_kernel),
#endif
    .name = "provider of the tests", .version = "1",
#ifndef WRONG_NULL
    .kernels = test_kernels,
#endif
};

#ifdef WRONG_SYMBOL
#define convref_provider another_function
__attribute__((visibility("default"))) const struct conv_provider *another_function(void);
#endif

__attribute__((visibility("default"))) const struct conv_provider *convref_provider(void) { return &provider; }
