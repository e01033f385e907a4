/* cmd_verify.c - convref verify: is a kernel, or somebody else's output, right?
 *
 *   convref verify --kernel std_09_openmp                       all checks on one kernel
 *   convref verify --provider ./mine.so --kernel mine           somebody else's kernel
 *   convref verify "c=3 in=8x8 k=4 filter=3x3" --y y.npy        somebody else's output
 *   convref verify --exec 'python3 mine.py {dir}'               a program that reads and writes files
 *   convref verify --self                                       the verifier itself
 *
 * Not here: how verdicts are printed (reports.c).   Read next: docs/exactness.md, verify/checks/
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "golden_verify.h"
#include "onnx_verify.h"
#include "operands.h"
#include "reports.h"
#include "self.h"
#include "verbs.h"

enum {
    KEY_KERNEL = 'k', KEY_CHECK = CLI_KEYS, KEY_TIME, KEY_JUNIT, KEY_CHECKS, KEY_EXEC, KEY_GOLDEN, KEY_THEIRS,
    KEY_SELF, KEY_ACCURACY, KEY_TAP, KEY_JOBS = 'j', MOST_KERNELS = 512
};

struct arguments {
    struct cli cli;
    const char *kernels, *check, *junit, *tap, *command, *golden, *theirs;
    const char **problems;
    int problem_count;
    double time_limit;
    enum conv_accuracy accuracy;
    bool list_checks, self;
    int jobs;
    struct operand_files files;
};

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

static error_t parse_accuracy(struct arguments *arguments, const char *text)
{
    arguments->accuracy = conv_accuracy_of_name(text);
    if (arguments->accuracy < CONV_ACCURACIES)
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
    switch (key) {
    case ARGP_KEY_INIT:
        for (int i = 0; i < 3; i++)
            state->child_inputs[i] = &arguments->cli;
        state->child_inputs[3] = &arguments->files;
        return 0;
    case KEY_KERNEL: arguments->kernels = text; return 0;
    case KEY_CHECK: arguments->check = text; return 0;
    case KEY_CHECKS: arguments->list_checks = true; return 0;
    case KEY_SELF: arguments->self = true; return 0;
    case KEY_ACCURACY: return parse_accuracy(arguments, text);
    case KEY_TIME: arguments->time_limit = (double)cli_number("--time-limit", text, 1, 1000000); return 0;
    case KEY_JUNIT: arguments->junit = text; return 0;
    case KEY_TAP: arguments->tap = text; return 0;
    case KEY_EXEC: arguments->command = text; return 0;
    case KEY_GOLDEN: arguments->golden = text; return 0;
    case KEY_THEIRS: arguments->theirs = text; return 0;
    case KEY_JOBS: arguments->jobs = (int)cli_number("--jobs", text, 1, 64); return 0;
    case ARGP_KEY_ARGS:
        arguments->problems = (const char **)state->argv + state->next;
        arguments->problem_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One status for all: a rejection outweighs all else, and skipped counts only if nothing else happened. */
static int status_of(const struct conv_verification *results, int count)
{
    bool seen[4] = { false };
    for (int i = 0; i < count; i++)
        seen[results[i].verdict] = true;
    return conv_verdict_exit(seen[CONV_REJECT] ? CONV_REJECT : seen[CONV_INCONCLUSIVE] ? CONV_INCONCLUSIVE
                             : seen[CONV_ACCEPT] ? CONV_ACCEPT : CONV_SKIPPED);
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

static void show_check(const char *check, int64_t done, int64_t total) { cli_progress(check, done, total); }

static void show_kernel(const struct conv_verification *result, int done, int count)
{
    cli_progress(result->kernel, done, count);
}

static int cores(void)
{
    struct conv_machine machine;
    conv_machine_read(&machine);
    return machine.cores;
}

static int verify_kernels(struct reports *reports, const struct arguments *arguments,
                          struct conv_verify_options *wanted)
{
    const struct conv_kernel *kernels[MOST_KERNELS];
    struct conv_error error;
    const int count = cli_kernels(kernels, MOST_KERNELS, arguments->kernels ? arguments->kernels : "*");
    if (count == 0)
        return EXIT_USAGE;
    struct conv_verification *results = calloc((size_t)count, sizeof *results);
    if (!results)
        return conv_verdict_exit(CONV_INCONCLUSIVE);
    wanted->progress = count == 1 ? show_check : NULL;
    const enum conv_status verified = conv_verify_kernels(results, kernels, count, wanted,
        arguments->jobs > 0 ? arguments->jobs : cores(), count > 1 ? show_kernel : NULL, &error);
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

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static int verify_files(struct reports *reports, const struct arguments *arguments,
                        const struct conv_problem *problem)
{
    struct conv_verification result;
    struct conv_error error;
    struct operand_set set;
    struct conv_one_tensor told;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT && !arguments->files.path[operand]) {
            char what[96];
            static const char *const names[] = { "x", "w", "bias", "pw", "pw-bias", "y" };
            snprintf(what, sizeof what, "the output to verify is missing: --%s FILE.npy", names[operand]);
            return cli_usage(what, "inputs that are not given are generated from the seed, as `convref run` does");
        }
    enum conv_status status = operands_load(&set, problem, &arguments->files, CONV_OUTPUT, CONV_FILL_INTEGERS,
                                            arguments->cli.seed, &error);
    if (status == CONV_OK)
        status = conv_verify_operands(&result, problem, &set.operands, arguments->accuracy, &error);
    const bool told_of = !conv_accuracy_transforms(arguments->accuracy);
    if (status == CONV_OK && result.verdict == CONV_ACCEPT && told_of)
        status = conv_one_tensor(&told, &result, problem, &set.operands, &error);
    operands_free(&set);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    reports_print(reports, &result);
    const int written = reports_write(reports, &result, 1, result.verdict == CONV_ACCEPT && told_of ? &told : NULL);
    return written ? written : conv_verdict_exit(result.verdict);
}

/* ---- a command --------------------------------------------------------------------------------------------------- */

static int verify_command(struct reports *reports, const struct arguments *arguments,
                          struct conv_verify_options *wanted)
{
    struct conv_verification result;
    struct conv_error error;
    wanted->progress = show_check;
    wanted->accuracy = arguments->accuracy;
    const enum conv_status status = conv_verify_command(&result, arguments->command, wanted, &error);
    cli_progress("", 0, 0);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    reports_print(reports, &result);
    const int written = reports_write(reports, &result, 1, NULL);
    return written ? written : conv_verdict_exit(result.verdict);
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------ */

static int list_checks(void)
{
    for (int i = 0; i < conv_check_count(); i++) {
        const struct conv_check_facts facts = conv_check_at(i);
        printf("%-8s sees       %s\n         does not  %s\n", facts.name, facts.sees, facts.blind);
    }
    return 0;
}

/* The verifier itself, which takes no kernels or problems. */
static int prove(const struct arguments *arguments)
{
    struct conv_output output;
    struct conv_error error;
    if (arguments->kernels || arguments->check || arguments->problem_count > 0 || arguments->cli.network)
        return cli_usage("--self takes neither kernels nor problems", "convref verify --self --seed 1");
    if (arguments->tap)
        return cli_usage("--self has a matrix, not verdicts that could be TAP", "convref verify --self --format json");
    if (conv_output_open(&output, arguments->cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    const int status = self_prove(output.file, &arguments->cli, arguments->time_limit,
                                  arguments->jobs > 0 ? arguments->jobs : cores());
    if (status == EXIT_FILE || status == EXIT_USAGE) {
        conv_output_abandon(&output);
        return status;
    }
    return conv_output_commit(&output, &error) == CONV_OK ? status : cli_error(&error, NULL);
}

static int check_exists(const char *name)
{
    for (int i = 0; name && i < conv_check_count(); i++)
        if (!strcmp(conv_check_at(i).name, name))
            return 0;
    return !name ? 0 : cli_unknown(name, "a check", "`convref verify --checks` lists them");
}

/* A folder with a manifest is one of ours, and has no need of kernels; others may have ONNX test cases. */
static int verify_golden(const struct arguments *arguments)
{
    const char *theirs = arguments->theirs ? arguments->theirs : arguments->golden;
    char manifest[4096];
    snprintf(manifest, sizeof manifest, "%s/manifest.json", arguments->golden);
    if ((arguments->kernels || access(manifest, F_OK) != 0) && onnx_verify_fits(arguments->golden))
        return arguments->tap ? cli_usage("ONNX test cases have no TAP", "--format json or tsv")
                              : onnx_verify(&arguments->cli, arguments->golden, theirs, arguments->kernels);
    if (arguments->kernels)
        return cli_usage("--golden with --kernel needs a folder of ONNX test cases",
                         "such as `convref golden FOLDER --format onnx` writes");
    return golden_verify(&arguments->cli, arguments->golden, arguments->theirs, arguments->tap);
}

static bool has_files(const struct arguments *arguments)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        if (arguments->files.path[operand])
            return true;
    return false;
}

/* The problems of the command line, or the layers of --network. */
static int collect_layers(struct cli_layers *layers, const struct arguments *arguments)
{
    struct conv_error error;
    *layers = (struct cli_layers){ .count = 0 };
    if (arguments->cli.network)
        return cli_layers(layers, arguments->cli.network, arguments->cli.layer, true, &error) == CONV_OK
                   ? 0 : cli_error(&error, NULL);
    layers->problems = calloc((size_t)arguments->problem_count + 1, sizeof *layers->problems);
    for (int i = 0; i < arguments->problem_count && layers->problems; i++, layers->count++)
        if (conv_problem_parse(&layers->problems[i], arguments->problems[i], &error) != CONV_OK) {
            const int status = cli_error(&error, arguments->problems[i]);
            cli_layers_free(layers);
            return status;
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
    struct arguments arguments = { .cli = cli_defaults() };
    struct cli_layers layers;
    struct reports reports;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.list_checks)
        return list_checks();
    if ((arguments.golden || arguments.self) && (arguments.junit || arguments.accuracy != CONV_DIRECT))
        return cli_usage("--golden and --self go with neither --junit nor --accuracy", "--format json has all verdicts");
    if (arguments.golden)
        return verify_golden(&arguments);
    if (arguments.self)
        return prove(&arguments);
    int status = check_exists(arguments.check);
    if (status == 0)
        status = collect_layers(&layers, &arguments);
    if (status)
        return status;
    if (arguments.command && (arguments.kernels || arguments.check || has_files(&arguments))) {
        cli_layers_free(&layers);
        return cli_usage("--exec verifies a command, and goes with neither kernels, checks nor files", NULL);
    }
    if (arguments.accuracy != CONV_DIRECT && !arguments.command && !has_files(&arguments)) {
        cli_layers_free(&layers);
        return cli_usage("--accuracy is for files and commands: a kernel says its class itself",
                         ".accuracy in convref/kernel.h");
    }
    if (has_files(&arguments) && layers.count != 1) {
        cli_layers_free(&layers);
        return cli_usage("files need exactly one problem", "convref verify \"c=3 in=8x8 k=4 filter=3x3\" --y y.npy");
    }
    status = reports_open(&reports, &arguments.cli, arguments.junit, arguments.tap);
    if (status) {
        cli_layers_free(&layers);
        return status;
    }
    struct conv_verify_options wanted = {
        .seed = arguments.cli.seed, .time_limit = arguments.time_limit, .problems = layers.problems,
        .problem_count = layers.count, .only_problems = arguments.problem_count > 0, .check = arguments.check,
        .threads = arguments.cli.threads };
    status = arguments.command ? verify_command(&reports, &arguments, &wanted)
        : has_files(&arguments) ? verify_files(&reports, &arguments, &layers.problems[0])
                                : verify_kernels(&reports, &arguments, &wanted);
    cli_layers_free(&layers);
    return reports_close(&reports, status);
}
