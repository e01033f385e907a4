/* bench_chain.h - convref bench --chain.  Internal.   Read next: bench_chain.c */
#ifndef CONVREF_VERIFY_PROGRAM_BENCH_CHAIN_H
#define CONVREF_VERIFY_PROGRAM_BENCH_CHAIN_H

#include "verify/cli/options.h"

/* Time the convolutions of cli->network back to back, `batch` images at once, and print.  Returns the exit status. */
int bench_chain(struct conv_output *output, const struct cli *cli, const struct conv_kernel *const *kernels,
                int count, const struct conv_bench_options *options, int64_t batch);

#endif
