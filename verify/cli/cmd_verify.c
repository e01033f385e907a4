/* cmd_verify.c - convref verify: is a kernel, or somebody else's output, right?
 *
 *   convref verify --kernel std_09_openmp                       all checks on one kernel
 *   convref verify --provider ./mine.so --kernel mine           somebody else's kernel
 *   convref verify "c=3 in=8x8 k=4 filter=3x3" --y y.npy        somebody else's output
 *   convref verify --exec 'python3 mine.py {dir}'               a program that reads and writes files
 *   convref verify --self                                       the verifier itself
 *
 * Read next: docs/exactness.md, verify/checks/
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "golden_verify.h"
#include "onnx_verify.h"
#include "operands.h"
#include "self.h"
#include "verbs.h"

enum {
    KEY_KERNEL = 'k', KEY_CHECK = CLI_KEYS, KEY_TIME, KEY_JUNIT, KEY_CHECKS, KEY_EXEC, KEY_GOLDEN, KEY_THEIRS, KEY_SELF,
    KEY_JOBS = 'j', MOST_KERNELS = 512
};

struct arguments {
    struct cli cli;
    const char *kernels, *check, *junit, *command, *golden, *theirs;
    const char **problems;
    int problem_count;
    double time_limit;
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
    { "time-limit", KEY_TIME, "SECONDS", 0, "for one kernel [600], or one run of a command [60]", 0 },
    { "jobs", KEY_JOBS, "N", 0, "kernels at a time [one for each core]", 0 },
    { "junit", KEY_JUNIT, "FILE", 0, "write a JUnit file too", 0 },
    { "golden", KEY_GOLDEN, "FOLDER", 0, "judge outputs of the vectors that `convref golden FOLDER` wrote; or run the "
      "convolutions of the ONNX test cases in FOLDER", 0 },
    { "theirs", KEY_THEIRS, "DIR", 0, "where these outputs lie, named as in FOLDER [FOLDER]", 0 },
    { 0 }
};

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
    case KEY_TIME: arguments->time_limit = (double)cli_number("--time-limit", text, 1, 1000000); return 0;
    case KEY_JUNIT: arguments->junit = text; return 0;
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

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void print_finding(FILE *file, const struct conv_verification *result)
{
    const struct conv_finding *finding = &result->finding;
    char problem[CONV_PROBLEM_TEXT], repro[CONV_REPRO_TEXT], index[128];
    fprintf(file, "    what     %s, found by check \"%s\"\n", conv_fault_name(finding->fault), finding->check);
    if (finding->wrong > 0)
        fprintf(file, "    how many %" PRId64 " of %" PRId64 " elements of %s\n", finding->wrong, finding->elements,
                conv_operand_name(&finding->problem, finding->operand));
    fprintf(file, "    where    %s\n", finding->where);
    for (int i = 0; i < finding->shown; i++) {
        const struct conv_wrong *wrong = &finding->first[i];
        fprintf(file, "    %s    %s: expected %.9g, got ", i == 0 ? "first" : "     ",
                conv_wrong_print(index, finding, wrong), wrong->expected);
        fprintf(file, isnan(wrong->got) ? "NaN" : "%.9g", wrong->got);
        if (wrong->bound > 0)
            fprintf(file, " (allowed: %.3g)", wrong->bound);
        fputc('\n', file);
    }
    if (finding->guess[0])
        fprintf(file, "    guess    %s\n", finding->guess);
    fprintf(file, "    problem  %s\n", conv_problem_print(problem, &finding->problem));
    if (result->kernel[0])
        fprintf(file, "    repro    %s\n", conv_repro_line(repro, finding, result->kernel));
}

static double seconds_of(const struct conv_verification *result)
{
    double seconds = 0;
    for (int i = 0; i < CONV_MOST_CHECKS; i++)
        seconds += result->evidence[i].seconds;
    return seconds;
}

static void print_result(FILE *file, const struct conv_verification *result)
{
    const enum cli_colour colour = result->verdict == CONV_ACCEPT ? CLI_GOOD : result->verdict == CONV_REJECT ? CLI_BAD
                                                                                                       : CLI_DIM;
    fprintf(file, "%s%-12s%s %-36s", file == stdout ? cli_colour(colour) : "", conv_verdict_name(result->verdict),
            file == stdout ? cli_colour(CLI_PLAIN) : "", result->kernel);
    double worst = 0;
    for (int i = 0; i < result->checks; i++) {
        if (result->evidence[i].problems > 0)
            fprintf(file, " %s %" PRId64, result->evidence[i].check, result->evidence[i].problems);
        worst = result->evidence[i].worst > worst ? result->evidence[i].worst : worst;
    }
    if (worst > 0)
        fprintf(file, "  worst error %.2f of the bound", worst);
    fprintf(file, "  %.1f s %s\n", seconds_of(result), result->reason);
    if (result->warning[0])
        fprintf(file, "    warning  %s\n", result->warning);
    for (int i = 0; i < result->checks; i++)
        if (result->evidence[i].note[0])
            fprintf(file, "    %-11s %s\n", result->evidence[i].check, result->evidence[i].note);
    if (result->accuracy != CONV_DIRECT)
        fprintf(file, "    claims      %s: %s\n", conv_accuracy_facts(result->accuracy)->name,
                conv_accuracy_facts(result->accuracy)->words);
    if (result->arithmetic.words[0])
        fprintf(file, "    arithmetic  %s (%s)\n", result->arithmetic.words, conv_sure_name(result->arithmetic.sure));
    if (result->verdict == CONV_REJECT)
        print_finding(file, result);
    fflush(file);
}

/* ---- other formats --------------------------------------------------------------------------------------------------- */

static const struct table_column columns[] = {
    { "kernel", "kernel", false }, { "verdict", "verdict", false }, { "problems", "problems", true },
    { "elements", "outputs compared", true }, { "worst", "worst error / bound", true }, { "seconds", "seconds", true },
    { "fault", "what", false }, { "where", "where", false }, { "guess", "guess", false }, { "repro", "repro", false },
};

static void add_row(struct table *table, const struct conv_verification *result)
{
    char repro[CONV_REPRO_TEXT];
    int64_t problems = 0, elements = 0;
    double worst = 0;
    for (int i = 0; i < CONV_MOST_CHECKS; i++) {
        problems += result->evidence[i].problems;
        elements += result->evidence[i].elements;
        worst = result->evidence[i].worst > worst ? result->evidence[i].worst : worst;
    }
    const bool rejected = result->verdict == CONV_REJECT;
    table_text(table, result->kernel);
    table_text(table, conv_verdict_name(result->verdict));
    table_integer(table, problems);
    table_integer(table, elements);
    table_real(table, worst, "%.2f");
    table_real(table, seconds_of(result), "%.1f");
    table_text(table, rejected ? conv_fault_name(result->finding.fault) : "");
    table_text(table, rejected ? result->finding.where : result->reason);
    table_text(table, rejected ? result->finding.guess : "");
    table_text(table, rejected ? conv_repro_line(repro, &result->finding, result->kernel) : "");
}

static json_t *finding_json(const struct conv_verification *result)
{
    const struct conv_finding *finding = &result->finding;
    char text[CONV_REPRO_TEXT];
    json_t *wrong = json_array();
    for (int i = 0; i < finding->shown; i++) {
        json_t *got = isfinite(finding->first[i].got) ? json_real(finding->first[i].got) : json_null();
        json_array_append_new(wrong, json_pack("{s:s, s:f, s:o, s:f}", "at",
            conv_wrong_print(text, finding, &finding->first[i]), "expected", finding->first[i].expected, "got", got,
            "bound", finding->first[i].bound));
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}", "fault", conv_fault_name(finding->fault),
        "check", finding->check, "operand", conv_operand_name(&finding->problem, finding->operand),
        "elements", (json_int_t)finding->elements, "wrong", (json_int_t)finding->wrong, "where", finding->where,
        "guess", finding->guess, "first", wrong);
    json_object_set_new(json, "problem", json_string(conv_problem_print(text, &finding->problem)));
    json_object_set_new(json, "repro", json_string(conv_repro_line(text, finding, result->kernel)));
    return json;
}

static json_t *result_json(const struct conv_verification *result)
{
    json_t *evidence = json_array();
    for (int i = 0; i < result->checks; i++)
        json_array_append_new(evidence, json_pack("{s:s, s:I, s:I, s:f, s:f, s:s}", "check", result->evidence[i].check,
            "problems", (json_int_t)result->evidence[i].problems, "elements", (json_int_t)result->evidence[i].elements,
            "worst", result->evidence[i].worst, "seconds", result->evidence[i].seconds,
            "note", result->evidence[i].note));
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o}", "kernel", result->kernel, "verdict",
                             conv_verdict_name(result->verdict), "reason", result->reason, "warning", result->warning,
                             "evidence", evidence);
    json_object_set_new(json, "accuracy", json_string(conv_accuracy_facts(result->accuracy)->name));
    if (result->arithmetic.words[0])
        json_object_set_new(json, "arithmetic", json_pack("{s:s, s:s, s:b}", "words", result->arithmetic.words,
            "sure", conv_sure_name(result->arithmetic.sure), "narrow", (int)result->arithmetic.narrow));
    if (result->verdict == CONV_REJECT)
        json_object_set_new(json, "finding", finding_json(result));
    return json;
}

static void put_xml(FILE *file, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", file); break;
        case '&': fputs("&amp;", file); break;
        case '"': fputs("&quot;", file); break;
        default: fputc(*text, file);
        }
}

static int write_junit(struct conv_output *output, const struct conv_verification *results, int count)
{
    struct conv_error error;
    fprintf(output->file, "<?xml version=\"1.0\"?>\n<testsuite name=\"convref verify\" tests=\"%d\">\n", count);
    for (int i = 0; i < count; i++) {
        const struct conv_verification *result = &results[i];
        fprintf(output->file, "  <testcase classname=\"convref.verify\" name=\"%s\" time=\"%.3f\">",
                result->kernel[0] ? result->kernel : "output files", seconds_of(result));
        if (result->verdict == CONV_SKIPPED)
            fputs("<skipped/>", output->file);
        else if (result->verdict != CONV_ACCEPT) {
            fprintf(output->file, "<failure type=\"%s\" message=\"", conv_verdict_name(result->verdict));
            put_xml(output->file, result->verdict == CONV_REJECT ? result->finding.where : result->reason);
            fputs("\"/>", output->file);
        }
        fputs("</testcase>\n", output->file);
    }
    fputs("</testsuite>\n", output->file);
    return conv_output_commit(output, &error) == CONV_OK ? 0 : cli_error(&error, NULL);
}

static void print_all(FILE *file, const struct arguments *arguments, const struct conv_verification *results, int count)
{
    if (arguments->cli.format == TABLE_JSON) {
        json_t *json = json_pack("{s:s, s:I, s:o}", "convref", conv_version(), "seed",
                                 (json_int_t)arguments->cli.seed, "results", json_array());
        for (int i = 0; i < count; i++)
            json_array_append_new(json_object_get(json, "results"), result_json(&results[i]));
        json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        fputc('\n', file);
        json_decref(json);
    } else if (arguments->cli.format != TABLE_TEXT) {
        struct table *table = table_create(columns, sizeof columns / sizeof *columns);
        for (int i = 0; i < count; i++)
            add_row(table, &results[i]);
        table_print(table, file, arguments->cli.format);
        table_free(table);
    } else if (count > 1) {
        int verdicts[4] = { 0 };
        for (int i = 0; i < count; i++)
            verdicts[results[i].verdict]++;
        fprintf(file, "\n%d accepted, %d rejected, %d inconclusive, %d skipped; seed %" PRIu64 "\n", verdicts[CONV_ACCEPT],
                verdicts[CONV_REJECT], verdicts[CONV_INCONCLUSIVE], verdicts[CONV_SKIPPED], arguments->cli.seed);
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

static int verify_kernels(struct conv_output *output, struct conv_output *junit, const struct arguments *arguments,
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
    for (int i = 0; i < count && status == 0 && arguments->cli.format == TABLE_TEXT; i++)
        print_result(output->file, &results[i]);
    if (status == 0) {
        print_all(output->file, arguments, results, count);
        status = arguments->junit ? write_junit(junit, results, count) : 0;
    }
    if (status == 0)
        status = status_of(results, count);
    free(results);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static void print_what_one_tensor_tells(FILE *file, const struct conv_verification *result)
{
    if (!strcmp(result->evidence[0].check, "integers"))
        fprintf(file, "    integers whose sums are exact: every output was compared bit for bit\n");
    else
        fprintf(file, "    real data: every output lies within its bound; a wrong tap smaller than the bound would not be\n"
                      "    noticed.  For an exact comparison, save integers: convref run \"PROBLEM\" --save FOLDER\n");
}

static int verify_files(struct conv_output *output, struct conv_output *junit, const struct arguments *arguments,
                        const struct conv_problem *problem)
{
    struct conv_verification result;
    struct conv_error error;
    struct operand_set set;
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
        status = conv_verify_operands(&result, problem, &set.operands, &error);
    operands_free(&set);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    if (arguments->cli.format == TABLE_TEXT) {
        print_result(output->file, &result);
        if (result.verdict == CONV_ACCEPT)
            print_what_one_tensor_tells(output->file, &result);
    } else {
        print_all(output->file, arguments, &result, 1);
    }
    const int written = arguments->junit ? write_junit(junit, &result, 1) : 0;
    return written ? written : conv_verdict_exit(result.verdict);
}

/* ---- a command --------------------------------------------------------------------------------------------------- */

static int verify_command(struct conv_output *output, struct conv_output *junit, const struct arguments *arguments,
                          struct conv_verify_options *wanted)
{
    struct conv_verification result;
    struct conv_error error;
    wanted->progress = show_check;
    const enum conv_status status = conv_verify_command(&result, arguments->command, wanted, &error);
    cli_progress("", 0, 0);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    if (arguments->cli.format == TABLE_TEXT)
        print_result(output->file, &result);
    else
        print_all(output->file, arguments, &result, 1);
    const int written = arguments->junit ? write_junit(junit, &result, 1) : 0;
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

/* The verifier itself: takes a few minutes, and no kernels or problems. */
static int prove(const struct arguments *arguments)
{
    struct conv_output output;
    struct conv_error error;
    if (arguments->kernels || arguments->check || arguments->problem_count > 0 || arguments->cli.network)
        return cli_usage("--self takes neither kernels nor problems", "convref verify --self --seed 1");
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
        return onnx_verify(&arguments->cli, arguments->golden, theirs, arguments->kernels);
    if (arguments->kernels)
        return cli_usage("--golden with --kernel needs a folder of ONNX test cases",
                         "such as `convref golden FOLDER --format onnx` writes");
    return golden_verify(&arguments->cli, arguments->golden, arguments->theirs);
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
    struct conv_output output, junit = { .file = NULL };
    struct conv_error error;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.list_checks)
        return list_checks();
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
    if (has_files(&arguments) && layers.count != 1) {
        cli_layers_free(&layers);
        return cli_usage("files need exactly one problem", "convref verify \"c=3 in=8x8 k=4 filter=3x3\" --y y.npy");
    }
    /* opened first: minutes of work must not end in a folder that isn't there */
    if (conv_output_open(&output, arguments.cli.output, &error) != CONV_OK
        || (arguments.junit && conv_output_open(&junit, arguments.junit, &error) != CONV_OK)) {
        conv_output_abandon(&output);
        cli_layers_free(&layers);
        return cli_error(&error, NULL);
    }
    struct conv_verify_options wanted = {
        .seed = arguments.cli.seed, .time_limit = arguments.time_limit, .problems = layers.problems,
        .problem_count = layers.count, .only_problems = arguments.problem_count > 0, .check = arguments.check,
        .threads = arguments.cli.threads };
    status = arguments.command ? verify_command(&output, &junit, &arguments, &wanted)
        : has_files(&arguments) ? verify_files(&output, &junit, &arguments, &layers.problems[0])
                                : verify_kernels(&output, &junit, &arguments, &wanted);
    conv_output_abandon(&junit);   /* if it was not written */
    cli_layers_free(&layers);
    if (status == EXIT_USAGE || status == EXIT_FILE) {
        conv_output_abandon(&output);
        return status;
    }
    return conv_output_commit(&output, &error) == CONV_OK ? status : cli_error(&error, NULL);
}
