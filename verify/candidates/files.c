/* files.c - the output of somebody's convolution, in a file.   Declared in candidates.h.
 *
 * Inputs that have no file are generated from the seed, as `convref run` does.   Not here: how files are read (io/)
 */
#include <convref/sensitivity.h>
#include <stdio.h>

#include "verify/candidates/candidates.h"
#include "verify/count/layers.h"
#include "verify/report/verdicts.h"

static int check_outputs(const struct request *request, const struct conv_problem *problem)
{
    static const char *const names[] = { "x", "w", "bias", "pw", "pw-bias", "y" };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT && !request->files.path[operand]) {
            char what[96];
            snprintf(what, sizeof what, "the output to verify is missing: --%s FILE.npy", names[operand]);
            return cli_usage(what, "inputs that are not given are generated from the seed, as `convref run` does");
        }
    return 0;
}

static int verify_one(struct reports *reports, const struct request *request, const struct conv_problem *problem)
{
    struct conv_verification result;
    struct conv_sensitivity sensitivity;
    struct conv_error error;
    struct operand_set set;
    enum conv_status status = operands_load(&set, problem, &request->files, CONV_OUTPUT, CONV_FILL_INTEGERS,
                                            request->cli.seed, &error);
    if (status == CONV_OK)
        status = conv_sensitivity_verify(&result, &sensitivity, &set.problem, &set.operands, request->accuracy,
                                         &error);
    const bool measured = status == CONV_OK && result.verdict != CONV_REJECT && sensitivity.outputs > 0
        && !conv_accuracy_transforms(request->accuracy);
    operands_free(&set);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    result.finding.problem = *problem;
    reports_print(reports, &result);
    const int written = reports_write(reports, &result, 1, measured ? &sensitivity : NULL);
    return written ? written : conv_verdict_exit(result.verdict);
}

int candidate_files(const struct request *request)
{
    struct layers layers;
    struct reports reports;
    int status = request_layers(&layers, request);
    if (status)
        return status;
    if (layers.count != 1)
        status = cli_usage("files need exactly one problem",
                           "convref verify \"c=3 in=8x8 k=4 filter=3x3\" --y y.npy");
    if (status == 0)
        status = check_outputs(request, &layers.problems[0]);
    if (status == 0)
        status = reports_open(&reports, &request->cli, request->junit, request->tap);
    if (status == 0)
        status = reports_close(&reports, verify_one(&reports, request, &layers.problems[0]));
    layers_free(&layers);
    return status;
}
