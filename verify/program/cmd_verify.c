/* cmd_verify.c - convref verify: is a kernel, or somebody else's output, right?
 *
 *   convref verify --kernel std_09_openmp                       all checks on one kernel
 *   convref verify --provider ./mine.so --kernel mine           somebody else's kernel
 *   convref verify "c=3 in=8x8 k=4 filter=3x3" --y y.npy        somebody else's output
 *   convref verify --exec 'python3 mine.py {dir}'               a program that reads and writes files
 *   convref verify --self                                       the verifier itself
 *
 * Not here: what can be verified, and which options go together (candidates/candidates.c).
 * Read next: docs/exactness.md, verify/README.md
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/candidates/candidates.h"
#include "verify/program/verbs.h"

enum {
    KEY_KERNEL = 'k', KEY_CHECK = CLI_KEYS, KEY_TIME, KEY_JUNIT, KEY_CHECKS, KEY_EXEC, KEY_GOLDEN, KEY_THEIRS,
    KEY_SELF, KEY_ACCURACY, KEY_TAP, KEY_JOBS = 'j'
};

struct arguments { struct request request; bool list_checks; };

static const struct argp_option options[] = {
    { "kernel", KEY_KERNEL, "NAMES", 0, "kernels: names or patterns with commas between, such as \"std_*,mine\" [all]", 0 },
    { "check", KEY_CHECK, "NAME", 0, "only this check", 0 },
    { "checks", KEY_CHECKS, NULL, 0, "list the checks: what each sees, and what it can't", 0 },
    { "self", KEY_SELF, NULL, 0, "every check on every planted fault and on correct kernels: which sees which", 0 },
    { "exec", KEY_EXEC, "COMMAND", 0, "verify a command: {dir} in it becomes a folder with problem.json and the inputs "
      "as .npy, where it must leave y.npy (or dx.npy; dw.npy and dbias.npy)", 0 },
    { "accuracy", KEY_ACCURACY, "CLASS", 0, "what files or a command claim: direct, tf32, bf16, f16, f16-sums, winograd2, "
      "winograd4, winograd6 or fft [direct]; a kernel says it itself", 0 },
    { "time-limit", KEY_TIME, "SECONDS", 0, "for one kernel [600], or one run of a command [60]", 0 },
    { "jobs", KEY_JOBS, "N", 0, "kernels at a time [one for each core]", 0 },
    { "junit", KEY_JUNIT, "FILE", 0, "write a JUnit file too", 0 },
    { "tap", KEY_TAP, "FILE", 0, "write the verdicts as TAP too; - takes the place of the text on the standard output", 0 },
    { "golden", KEY_GOLDEN, "FOLDER", 0, "judge outputs of the vectors that `convref golden FOLDER` wrote; or run the "
      "convolutions of the ONNX test cases in FOLDER", 0 },
    { "theirs", KEY_THEIRS, "DIR", 0, "where these outputs lie, named as in FOLDER [FOLDER]", 0 },
    { 0 }
};

static error_t parse_accuracy(struct request *request, const char *text)
{
    request->accuracy = conv_accuracy_of_name(text);
    if (request->accuracy < CONV_ACCURACIES)
        return 0;
    char what[160], names[256] = "";
    for (int i = 0; i < CONV_ACCURACIES; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i > 0 ? ", " : "expected one of ",
                 conv_accuracy_facts((enum conv_accuracy)i)->name);
    snprintf(what, sizeof what, "--accuracy: there is no class \"%.100s\"", text);
    exit(cli_usage(what, names));
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct request *request = &arguments->request;
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &request->cli;
        state->child_inputs[3] = &request->files;
        return 0;
    case KEY_KERNEL: request->kernels = text; return 0;
    case KEY_CHECK: request->check = text; return 0;
    case KEY_CHECKS: arguments->list_checks = true; return 0;
    case KEY_SELF: request->self = true; return 0;
    case KEY_ACCURACY: return parse_accuracy(request, text);
    case KEY_TIME: request->time_limit = (double)cli_number("--time-limit", text, 1, 1000000); return 0;
    case KEY_JUNIT: request->junit = text; return 0;
    case KEY_TAP: request->tap = text; return 0;
    case KEY_EXEC: request->command = text; return 0;
    case KEY_GOLDEN: request->golden = text; return 0;
    case KEY_THEIRS: request->theirs = text; return 0;
    case KEY_JOBS: request->jobs = (int)cli_number("--jobs", text, 1, 64); return 0;
    case ARGP_KEY_ARGS:
        request->problems = (const char **)state->argv + state->next;
        request->problem_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int list_checks(void)
{
    for (int i = 0; i < conv_check_count(); i++) {
        const struct conv_check_facts facts = conv_check_at(i);
        printf("%-8s sees       %s\n         does not  %s\n", facts.name, facts.sees, facts.blind);
    }
    return 0;
}

int cmd_verify(int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_output_argp, 0, NULL, 0 }, { &cli_kernel_argp, 0, NULL, 0 }, { &cli_network_argp, 0, NULL, 0 },
        { &operand_argp, 0, "Files, to verify an output that somebody else computed:", 1 }, { 0 } };
    static const struct argp argp = { options, parse, "[PROBLEM...]",
        "Verify kernels, or the output of another implementation.\v"
        "Without a problem all checks are run; --network adds the layers of a network to them; with problems only "
        "these are checked.  Exit status: 0 accepted, 1 rejected, 3 inconclusive, 77 skipped, 2 wrong usage, 4 a bad "
        "file.", children, NULL, NULL };
    struct arguments arguments = { .request = { .cli = cli_defaults() } };
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return arguments.list_checks ? list_checks() : candidates_verify(&arguments.request);
}
