/* awkward.c - the accept-set: a provider whose kernels are all right, each in an unusual way.
 *
 * A verifier that rejects everything catches every fault.  These kernels hold the other end: orders of summation,
 * numbers of accumulators, roundings, uses of memory and of threads that a correct kernel may have.  All must be
 * accepted, by default and with any seed (tests/test_accept, `convref verify --self`).  Each declares its class of
 * accuracy: direct, narrow inputs or sums, or a transform.   Read next: manners.c, docs/faults.md
 */
#include "verify/proof/accept/awkward.h"

enum { MOST_KERNELS = 128 };

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel *const *const files[] = {
        awkward_manners, awkward_shares, awkward_walks, awkward_transforms };
    static const struct conv_kernel *kernels[MOST_KERNELS + 1];
    static const struct conv_provider provider = {
        CONV_PROVIDER_ABI, sizeof(struct conv_kernel), "awkward", "1", kernels
    };
    int count = 0;
    for (size_t file = 0; file < sizeof files / sizeof *files; file++)
        for (int i = 0; files[file][i] && count < MOST_KERNELS; i++)
            kernels[count++] = files[file][i];
    kernels[count] = NULL;
    return &provider;
}
