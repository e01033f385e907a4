/* candidates.c - THE table of what can be verified.   Declared in candidates.h. */
#include "verify/candidates/candidates.h"

#include <convref/machine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/layers.h"

/* ---- options that only some kinds take ------------------------------------------------------------------------- */

enum { KERNELS = 1, CHECK = 2, PROBLEMS = 4, NETWORK = 8, FILES = 16, ACCURACY = 32, JUNIT = 64, TAP = 128, THEIRS = 256,
       JOBS = 512 };

static bool has_files(const struct request *request)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        if (request->files.path[operand])
            return true;
    return false;
}

static unsigned given(const struct request *r)
{
    return (r->kernels ? KERNELS : 0u) | (r->check ? CHECK : 0u) | (r->problem_count > 0 ? PROBLEMS : 0u)
         | (r->cli.network ? NETWORK : 0u) | (has_files(r) ? FILES : 0u) | (r->accuracy != CONV_DIRECT ? ACCURACY : 0u)
         | (r->junit ? JUNIT : 0u) | (r->tap ? TAP : 0u) | (r->theirs ? THEIRS : 0u) | (r->jobs > 0 ? JOBS : 0u);
}

static const struct { unsigned bit; const char *name; } options[] = {
    { KERNELS, "--kernel" }, { CHECK, "--check" }, { PROBLEMS, "a problem" }, { NETWORK, "--network" },
    { FILES, "files of operands" }, { ACCURACY, "--accuracy" }, { JUNIT, "--junit" }, { TAP, "--tap" },
    { THEIRS, "--theirs" }, { JOBS, "--jobs" },
};
enum { OPTIONS = sizeof options / sizeof *options };

/* ---- the table: the first row that fits is meant --------------------------------------------------------------- */

static bool is_self(const struct request *request) { return request->self; }
static bool is_golden(const struct request *request) { return request->golden != NULL; }
static bool is_command(const struct request *request) { return request->command != NULL; }
static bool is_anything(const struct request *request) { return request != NULL; }

static const struct kind {
    const char *name;
    bool (*fits)(const struct request *request);
    unsigned takes;
    candidate_verify *verify;
} kinds[] = {
    { "--self", is_self, JOBS, candidate_self },
    { "--golden with ONNX test cases", candidate_is_onnx, KERNELS | THEIRS, candidate_onnx },
    { "--golden", is_golden, THEIRS | JUNIT | TAP, candidate_golden },
    { "--exec", is_command, PROBLEMS | NETWORK | ACCURACY | JUNIT | TAP, candidate_command },
    { "output files", has_files, PROBLEMS | NETWORK | FILES | ACCURACY | JUNIT | TAP, candidate_files },
    { "kernels", is_anything, KERNELS | CHECK | PROBLEMS | NETWORK | JUNIT | TAP | JOBS, candidate_kernels },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int goes_without(const struct kind *kind, int option)
{
    char what[128], hint[256] = "";
    snprintf(what, sizeof what, "%s: %s can't be combined with it", kind->name, options[option].name);
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].takes & options[option].bit)
            snprintf(hint + strlen(hint), sizeof hint - strlen(hint), "%s%s", hint[0] ? ", " : "it is for ",
                     kinds[i].name);
    if (options[option].bit == ACCURACY && kind->verify == candidate_kernels)
        snprintf(hint + strlen(hint), sizeof hint - strlen(hint), "; a kernel says its class itself");
    return cli_usage(what, hint);
}

int candidates_verify(const struct request *request)
{
    const struct kind *kind = kinds;
    while (!kind->fits(request))
        kind++;
    for (int i = 0; i < OPTIONS; i++)
        if (given(request) & options[i].bit & ~kind->takes)
            return goes_without(kind, i);
    return kind->verify(request);
}

/* ---- what they share ------------------------------------------------------------------------------------------ */

int request_jobs(const struct request *request)
{
    struct conv_machine machine;
    if (request->jobs > 0)
        return request->jobs;
    conv_machine_read(&machine);
    return machine.cores;
}

int request_layers(struct layers *layers, const struct request *request)
{
    struct conv_error error;
    *layers = (struct layers){ .count = 0 };
    if (request->cli.network)
        return layers_read(layers, request->cli.network, request->cli.in, request->cli.layer, true, &error) == CONV_OK
                   ? 0 : cli_error(&error, NULL);
    layers->problems = calloc((size_t)request->problem_count + 1, sizeof *layers->problems);
    if (!layers->problems) {
        conv_fail(&error, CONV_NO_MEMORY, "no memory for %d problems", request->problem_count);
        return cli_error(&error, NULL);
    }
    for (int i = 0; i < request->problem_count; i++, layers->count++)
        if (conv_problem_parse(&layers->problems[i], request->problems[i], &error) != CONV_OK) {
            const int status = cli_error(&error, request->problems[i]);
            layers_free(layers);
            return status;
        }
    return 0;
}
