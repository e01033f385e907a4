/* kernels.c - kernels of the table and of providers, by all checks or on named problems.   Declared in candidates.h. */
#include <stdlib.h>
#include <string.h>

#include "verify/candidates/candidates.h"
#include "verify/count/layers.h"
#include "verify/report/verdicts.h"

enum { MOST_KERNELS = 512 };

/* One status for all: a rejection outweighs all else, and skipped counts only if nothing else happened. */
static int status_of(const struct conv_verification *results, int count)
{
    bool seen[4] = { false };
    for (int i = 0; i < count; i++)
        seen[results[i].verdict] = true;
    return conv_verdict_exit(seen[CONV_REJECT] ? CONV_REJECT : seen[CONV_INCONCLUSIVE] ? CONV_INCONCLUSIVE
                             : seen[CONV_ACCEPT] ? CONV_ACCEPT : CONV_SKIPPED);
}

static void show_kernel(const struct conv_verification *result, int done, int count)
{
    cli_progress(result->kernel, done, count);
}

static int verify_listed(struct reports *reports, const struct request *request,
                         const struct conv_kernel *const *kernels, int count, struct conv_verify_options *wanted)
{
    struct conv_error error;
    struct conv_verification *results = calloc((size_t)count, sizeof *results);
    if (!results) {
        conv_fail(&error, CONV_NO_MEMORY, "no memory for the verdicts of %d kernels", count);
        return cli_error(&error, NULL);
    }
    wanted->progress = count == 1 ? cli_progress : NULL;
    const enum conv_status verified = conv_verify_kernels(results, kernels, count, wanted, request_jobs(request),
                                                          count > 1 ? show_kernel : NULL, &error);
    cli_progress("", 0, 0);
    int status = verified == CONV_OK ? 0 : cli_error(&error, NULL);
    for (int i = 0; i < count && status == 0; i++)
        reports_print(reports, &results[i]);
    if (status == 0)
        status = reports_write(reports, results, count, NULL);
    if (status == 0)
        status = status_of(results, count);
    free(results);
    return status;
}

static int check_exists(const char *name)
{
    for (int i = 0; name && i < conv_check_count(); i++)
        if (!strcmp(conv_check_at(i).name, name))
            return 0;
    return !name ? 0 : cli_unknown(name, "a check", "`convref verify --checks` lists them");
}

int candidate_kernels(const struct request *request)
{
    const struct conv_kernel *kernels[MOST_KERNELS];
    struct layers layers;
    struct reports reports;
    int status = check_exists(request->check);
    if (status == 0)
        status = request_layers(&layers, request);
    if (status)
        return status;
    status = reports_open(&reports, &request->cli, request->junit, request->tap);
    if (status) {
        layers_free(&layers);
        return status;
    }
    struct conv_verify_options wanted = {
        .seed = request->cli.seed, .time_limit = request->time_limit, .problems = layers.problems,
        .problem_count = layers.count, .only_problems = request->problem_count > 0, .check = request->check,
        .threads = request->cli.threads };
    const int count = cli_kernels(kernels, MOST_KERNELS, request->kernels ? request->kernels : "*");
    status = count > 0 ? verify_listed(&reports, request, kernels, count, &wanted) : EXIT_USAGE;
    layers_free(&layers);
    return reports_close(&reports, status);
}
