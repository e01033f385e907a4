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
#include "tap.h"
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
    bool list_checks, self, silent;   /* silent: TAP has the standard output */
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

/* Where verdicts go: a report for people or programs, and besides it JUnit and TAP.  A file that nobody asked for is
 * NULL. */
struct reports { struct conv_output main, junit, tap; };

/* Is the report text, and not given up for TAP? */
static bool is_text(const struct arguments *arguments)
{
    return arguments->cli.format == TABLE_TEXT && !arguments->silent;
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

/* The command that shows a rejection again; "" for files, which are judged by the command that was typed. */
static const char *repro_of(char text[CONV_REPRO_TEXT], const struct conv_verification *result)
{
    text[0] = 0;
    return result->kernel[0] ? conv_repro_line(text, &result->finding, result->kernel) : text;
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
    table_text(table, rejected ? repro_of(repro, result) : "");
}

/* JSON has no infinities and no NaN. */
static json_t *json_finite(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *finding_json(const struct conv_verification *result)
{
    const struct conv_finding *finding = &result->finding;
    char text[CONV_REPRO_TEXT];
    json_t *wrong = json_array();
    for (int i = 0; i < finding->shown; i++) {
        const struct conv_wrong *one = &finding->first[i];
        json_array_append_new(wrong, json_pack("{s:s, s:o, s:o, s:o}", "at", conv_wrong_print(text, finding, one),
            "expected", json_finite(one->expected), "got", json_finite(one->got), "bound", json_finite(one->bound)));
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}", "fault", conv_fault_name(finding->fault),
        "check", finding->check, "operand", conv_operand_name(&finding->problem, finding->operand),
        "elements", (json_int_t)finding->elements, "wrong", (json_int_t)finding->wrong, "where", finding->where,
        "guess", finding->guess, "first", wrong);
    json_object_set_new(json, "problem", json_string(conv_problem_print(text, &finding->problem)));
    json_object_set_new(json, "repro", json_string(repro_of(text, result)));
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

static int write_tap(struct conv_output *output, const struct conv_verification *results, int count)
{
    struct conv_error error;
    char repro[CONV_REPRO_TEXT];
    tap_begin(output->file, count);
    for (int i = 0; i < count; i++)
        tap_point(output->file, i + 1, &results[i], repro_of(repro, &results[i]));
    return conv_output_commit(output, &error) == CONV_OK ? 0 : cli_error(&error, NULL);
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

/* `told`: what one tensor tells, of a single result; or NULL.  It is given away. */
static void print_all(FILE *file, const struct arguments *arguments, const struct conv_verification *results, int count,
                      json_t *told)
{
    if (arguments->cli.format == TABLE_JSON) {
        json_t *json = json_pack("{s:s, s:I, s:o}", "convref", conv_version(), "seed",
                                 (json_int_t)arguments->cli.seed, "results", json_array());
        for (int i = 0; i < count; i++)
            json_array_append_new(json_object_get(json, "results"), result_json(&results[i]));
        if (told)
            json_object_set(json_array_get(json_object_get(json, "results"), 0), "one_tensor", told);
        json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        fputc('\n', file);
        json_decref(json);
    } else if (!is_text(arguments) && !arguments->silent) {
        struct table *table = table_create(columns, sizeof columns / sizeof *columns);
        for (int i = 0; i < count; i++)
            add_row(table, &results[i]);
        table_print(table, file, arguments->cli.format);
        table_free(table);
    } else if (count > 1 && !arguments->silent) {
        int verdicts[4] = { 0 };
        for (int i = 0; i < count; i++)
            verdicts[results[i].verdict]++;
        fprintf(file, "\n%d accepted, %d rejected, %d inconclusive, %d skipped; seed %" PRIu64 "\n", verdicts[CONV_ACCEPT],
                verdicts[CONV_REJECT], verdicts[CONV_INCONCLUSIVE], verdicts[CONV_SKIPPED], arguments->cli.seed);
    }
    json_decref(told);
}

/* The reports that were asked for besides the first. */
static int write_others(struct reports *reports, const struct conv_verification *results, int count)
{
    const int status = reports->junit.file ? write_junit(&reports->junit, results, count) : 0;
    return status == 0 && reports->tap.file ? write_tap(&reports->tap, results, count) : status;
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
    for (int i = 0; i < count && status == 0 && is_text(arguments); i++)
        print_result(reports->main.file, &results[i]);
    if (status == 0) {
        print_all(reports->main.file, arguments, results, count, NULL);
        status = write_others(reports, results, count);
    }
    if (status == 0)
        status = status_of(results, count);
    free(results);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static void print_what_one_tensor_tells(FILE *file, const struct conv_one_tensor *told, const struct conv_problem *problem)
{
    char at[128];
    if (told->exact)
        fputs("    integers whose sums are exact: every output was compared bit for bit\n", file);
    else
        fprintf(file, "    real data: every output lies within its bound; at %s an error of up to %.3g isn't noticed,\n"
                "    where the average product is %.3g.  For an exact comparison, save integers: convref run \"PROBLEM\" "
                "--save FOLDER\n", conv_one_tensor_print(at, told, problem), told->bound, told->average);
    fprintf(file, "    of %" PRId64 " products%s, each left out alone, %" PRId64 " would be missed; not missed: %" PRId64
            " that are zero,\n    %" PRId64 " that vanish in the activation, %" PRId64 " that are too small for the bound",
            told->products, problem->op == CONV_OP_SEPARABLE ? " of the second stage" : "",
            told->products - told->zero - told->clipped - told->hidden, told->zero, told->clipped, told->hidden);
    if (told->looked_at < told->outputs)
        fprintf(file, " (of %" PRId64 " outputs; there are %" PRId64 ")", told->looked_at, told->outputs);
    fputs("\n    not shown by one problem:", file);
    for (enum conv_setting setting = 0; setting < CONV_SETTINGS; setting++)
        if (told->unused & 1u << setting)
            fprintf(file, " %s,", conv_setting_name(setting));
    fputs("\n    other sizes, what is kept from call to call, memory beside the output\n", file);
}

static json_t *one_tensor_json(const struct conv_one_tensor *told, const struct conv_problem *problem)
{
    char at[128];
    json_t *unused = json_array();
    for (enum conv_setting setting = 0; setting < CONV_SETTINGS; setting++)
        if (told->unused & 1u << setting)
            json_array_append_new(unused, json_string(conv_setting_name(setting)));
    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o, s:o, s:o}", "operand",
        conv_operand_name(problem, told->operand), "exact", (int)told->exact, "outputs", (json_int_t)told->outputs,
        "looked_at", (json_int_t)told->looked_at, "products", (json_int_t)told->products, "zero",
        (json_int_t)told->zero, "clipped", (json_int_t)told->clipped, "hidden", (json_int_t)told->hidden,
        "at", conv_one_tensor_print(at, told, problem), "bound", json_finite(told->bound), "average",
        json_finite(told->average), "not_shown", unused);
}

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
    const bool accepted = result.verdict == CONV_ACCEPT && told_of;
    if (is_text(arguments))
        print_result(reports->main.file, &result);
    else
        print_all(reports->main.file, arguments, &result, 1, accepted ? one_tensor_json(&told, problem) : NULL);
    if (is_text(arguments) && accepted)
        print_what_one_tensor_tells(reports->main.file, &told, problem);
    const int written = write_others(reports, &result, 1);
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
    if (is_text(arguments))
        print_result(reports->main.file, &result);
    else
        print_all(reports->main.file, arguments, &result, 1, NULL);
    const int written = write_others(reports, &result, 1);
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

static void abandon_reports(struct reports *reports)
{
    conv_output_abandon(&reports->main);
    conv_output_abandon(&reports->junit);
    conv_output_abandon(&reports->tap);
}

/* Opened first: minutes of work must not end in a folder that isn't there. */
static int open_reports(struct reports *reports, struct arguments *arguments)
{
    struct conv_error error;
    const bool tap_first = arguments->tap && !strcmp(arguments->tap, "-") && !strcmp(arguments->cli.output, "-");
    *reports = (struct reports){ .main.file = NULL };
    if (tap_first && arguments->cli.format != TABLE_TEXT)
        return cli_usage("the standard output can't be TAP and another format", "--tap FILE or --output FILE");
    arguments->silent = tap_first;
    if (conv_output_open(&reports->main, arguments->cli.output, &error) == CONV_OK
        && (!arguments->junit || conv_output_open(&reports->junit, arguments->junit, &error) == CONV_OK)
        && (!arguments->tap || conv_output_open(&reports->tap, arguments->tap, &error) == CONV_OK))
        return 0;
    abandon_reports(reports);
    return cli_error(&error, NULL);
}

/* Put the report into its place, if there is one, and remove what was begun. */
static int close_reports(struct reports *reports, int status)
{
    struct conv_error error;
    if (status != EXIT_USAGE && status != EXIT_FILE && conv_output_commit(&reports->main, &error) != CONV_OK)
        status = cli_error(&error, NULL);
    abandon_reports(reports);
    return status;
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
    status = open_reports(&reports, &arguments);
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
    return close_reports(&reports, status);
}
