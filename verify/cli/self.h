/* self.h - convref verify --self: the verifier, judged by the planted faults and by the accept-set. */
#ifndef CONVREF_VERIFY_CLI_SELF_H
#define CONVREF_VERIFY_CLI_SELF_H

#include "cli.h"

/* Run every check on every planted fault and every kernel of the accept-set, and print which sees which.  Returns the exit
 * status: 0 if all faults are rejected and all correct kernels accepted, 1 if not, 3 if a verification couldn't be done,
 * 4 if a provider isn't there. */
int self_prove(FILE *file, const struct cli *cli, double time_limit, int jobs);

#endif
