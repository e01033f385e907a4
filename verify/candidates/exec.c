/* exec.c - `convref verify --exec`: a program that reads and writes files.   Declared in candidates.h.
 *
 * Not here: how it is run and judged (command.c, in the library).
 */
#include "verify/candidates/candidates.h"
#include "verify/count/layers.h"
#include "verify/report/verdicts.h"

static int verify_command(struct reports *reports, const struct request *request, const struct layers *layers)
{
    struct conv_verification result;
    struct conv_error error;
    const struct conv_verify_options wanted = {
        .seed = request->cli.seed, .time_limit = request->time_limit, .problems = layers->problems,
        .problem_count = layers->count, .accuracy = request->accuracy, .progress = cli_progress };
    const enum conv_status status = conv_verify_command(&result, request->command, &wanted, &error);
    cli_progress("", 0, 0);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    reports_print(reports, &result);
    const int written = reports_write(reports, &result, 1, NULL);
    return written ? written : conv_verdict_exit(result.verdict);
}

int candidate_command(const struct request *request)
{
    struct layers layers;
    struct reports reports;
    int status = request_layers(&layers, request);
    if (status)
        return status;
    status = reports_open(&reports, &request->cli, request->junit, request->tap);
    if (status == 0)
        status = reports_close(&reports, verify_command(&reports, request, &layers));
    layers_free(&layers);
    return status;
}
