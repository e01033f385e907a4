/* faults.c - planted faults: a provider whose every kernel is wrong in the way of a real bug.
 *
 * Each kernel is a naive convolution (naive.c) with one mistake, named after the report that it is modelled on; bz
 * and a number are those of docs/faults.md.  The mistake is our smallest reconstruction of it, not the code of that
 * project.
 * `convref verify --self` shows which check sees which fault; tests/test_faults demands that every one is rejected.
 *
 * Not for use: nothing here is right.  The walk without a mistake is in proof/accept, where it must be accepted.
 * Read next: naive.h, channels.c
 */
#include "verify/proof/faults/faults.h"

enum { MOST_FAULTS = 256 };

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel *const *const themes[] = {
        faults_of_channels, faults_of_geometry, faults_of_gradients, faults_of_stages, faults_of_memory,
        faults_of_precision, faults_of_threads, faults_of_state, faults_of_sizes, faults_of_meetings, faults_of_huge,
        faults_of_powers };
    static const struct conv_kernel *kernels[MOST_FAULTS + 1];
    static const struct conv_provider provider = {
        CONV_PROVIDER_ABI, sizeof(struct conv_kernel), "faults", "2", kernels
    };
    int count = 0;
    for (size_t theme = 0; theme < sizeof themes / sizeof *themes; theme++)
        for (int i = 0; themes[theme][i] && count < MOST_FAULTS; i++)
            kernels[count++] = themes[theme][i];
    kernels[count] = NULL;
    return &provider;
}
