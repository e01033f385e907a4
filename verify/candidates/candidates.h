/* candidates.h - what `convref verify` can be asked about, as THE table of kinds.  Internal.
 *
 *     --self             the verifier itself                          proof/self.c
 *     --golden FOLDER    outputs of golden vectors, or ONNX cases     golden.c, onnx.c
 *     --exec COMMAND     a program that reads and writes files        exec.c, command.c
 *     --y FILE ...       outputs that somebody computed               files.c
 *     otherwise          kernels of the table, a provider's too       kernels.c
 *
 * Adding a kind is one file and one row in candidates.c.   Not here: how a verdict is printed (report/verdicts.h).
 */
#ifndef CONVREF_VERIFY_CANDIDATES_CANDIDATES_H
#define CONVREF_VERIFY_CANDIDATES_CANDIDATES_H

#include "verify/cli/operands.h"
#include "verify/cli/options.h"

/* What the command line says.  A text that wasn't given is NULL. */
struct request {
    struct cli cli;
    bool self;
    const char *golden, *command;
    struct operand_files files;

    const char *kernels, *check, *theirs, *junit, *tap;
    const char **problems;             /* as texts */
    int problem_count;
    enum conv_accuracy accuracy;
    double time_limit;                 /* 0: not given */
    int jobs;                          /* 0: not given */
};

/* Verify what was asked for.  Returns the exit status. */
int candidates_verify(const struct request *request);

/* The rows. */
typedef int candidate_verify(const struct request *request);
candidate_verify candidate_self, candidate_golden, candidate_onnx, candidate_command, candidate_files, candidate_kernels;

/* The folder of --golden has ONNX test cases, and is not one of ours. */
bool candidate_is_onnx(const struct request *request);

/* ---- what they share ------------------------------------------------------------------------------------------ */

struct layers;

/* The problems of the command line, or the layers of --network.  Returns 0, or an exit status after a message. */
int request_layers(struct layers *layers, const struct request *request);

/* --jobs, or one for each core. */
int request_jobs(const struct request *request);

#endif
