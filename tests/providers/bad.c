/* bad.c - providers that must be refused, one for each way to be wrong; -DBAD=... picks it.   Used by tests/test_run.c. */
#include <convref/kernel.h>

enum { BAD_ABI, BAD_SIZE, BAD_NAME_TAKEN, BAD_NO_RUN, BAD_NO_PACK, BAD_NO_KERNELS };

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    (void)conv, (void)operands, (void)workspace;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    (void)conv;
    return 4;
}

static const struct conv_kernel kernel = {
    .name = BAD == BAD_NAME_TAKEN ? "std_01_direct" : "bad_kernel", .title = "a kernel that must be refused",
    .kinds = 1u << CONV_STANDARD, .run = BAD == BAD_NO_RUN ? NULL : run,
    .packed_bytes = BAD == BAD_NO_PACK ? packed_bytes : NULL,
};

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel *const kernels[] = { &kernel, NULL };
    static const struct conv_provider provider = {
        BAD == BAD_ABI ? 99 : CONV_PROVIDER_ABI, sizeof kernel + (BAD == BAD_SIZE ? 8 : 0), "bad", "1",
        BAD == BAD_NO_KERNELS ? NULL : kernels
    };
    return &provider;
}
