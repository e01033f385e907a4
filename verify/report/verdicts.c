/* verdicts.c - verdicts as text, TSV, Markdown, JSON, JUnit and TAP.   Declared in verdicts.h. */
#include "verify/report/verdicts.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "verify/report/tap.h"

/* ---- text ------------------------------------------------------------------------------------------------------ */

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
    if (finding->has_roomier)
        fprintf(file, "    pattern  of %s: %" PRId64 " of %" PRId64 ", %s\n",
                conv_problem_print(problem, &finding->roomier),
                finding->roomier_wrong, finding->roomier_elements, finding->pattern);
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

/* ---- other formats --------------------------------------------------------------------------------------------- */

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

static json_t *roomier_json(const struct conv_finding *finding)
{
    char text[CONV_PROBLEM_TEXT];
    if (!finding->has_roomier)
        return json_null();
    return json_pack("{s:s, s:I, s:I, s:s}", "problem", conv_problem_print(text, &finding->roomier), "elements",
                     (json_int_t)finding->roomier_elements, "wrong", (json_int_t)finding->roomier_wrong, "where",
                     finding->pattern);
}

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
    json_object_set_new(json, "roomier", roomier_json(finding));
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
        default: fputc((unsigned char)*text < ' ' ? ' ' : *text, file);   /* XML has no other control characters */
        }
}

/* Behind the place, which is the message: the first wrong output, and the guess. */
static void put_details(FILE *file, const struct conv_verification *result)
{
    const struct conv_finding *finding = &result->finding;
    char index[128], text[256];
    if (result->verdict != CONV_REJECT)
        return;
    if (finding->shown > 0) {
        snprintf(text, sizeof text, isnan(finding->first[0].got) ? "%s: expected %.9g, got NaN"
                                                                 : "%s: expected %.9g, got %.9g",
                 conv_wrong_print(index, finding, &finding->first[0]), finding->first[0].expected,
                 finding->first[0].got);
        put_xml(file, text);
    }
    if (finding->guess[0]) {
        fputs(finding->shown > 0 ? "; guess: " : "guess: ", file);
        put_xml(file, finding->guess);
    }
}

static int count_verdicts(const struct conv_verification *results, int count, bool skipped)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += skipped ? results[i].verdict == CONV_SKIPPED
                         : results[i].verdict == CONV_REJECT || results[i].verdict == CONV_INCONCLUSIVE;
    return found;
}

static enum conv_status put_tap(struct conv_output *output, const struct conv_verification *results, int count,
                                struct conv_error *error)
{
    char repro[CONV_REPRO_TEXT];
    tap_begin(output->file, count);
    for (int i = 0; i < count; i++)
        tap_point(output->file, i + 1, &results[i], repro_of(repro, &results[i]));
    return conv_output_commit(output, error);
}

static enum conv_status put_junit(struct conv_output *output, const struct conv_verification *results, int count,
                                  struct conv_error *error)
{
    fprintf(output->file, "<?xml version=\"1.0\"?>\n<testsuite name=\"convref verify\" tests=\"%d\" "
            "failures=\"%d\" skipped=\"%d\">\n", count, count_verdicts(results, count, false),
            count_verdicts(results, count, true));
    for (int i = 0; i < count; i++) {
        const struct conv_verification *result = &results[i];
        fputs("  <testcase classname=\"convref.verify\" name=\"", output->file);
        put_xml(output->file, result->kernel[0] ? result->kernel : "output files");
        fprintf(output->file, "\" time=\"%.3f\">", seconds_of(result));
        if (result->verdict == CONV_SKIPPED)
            fputs("<skipped/>", output->file);
        else if (result->verdict != CONV_ACCEPT) {
            fprintf(output->file, "<failure type=\"%s\" message=\"", conv_verdict_name(result->verdict));
            put_xml(output->file, result->verdict == CONV_REJECT ? result->finding.where : result->reason);
            fputs("\">", output->file);
            put_details(output->file, result);
            fputs("</failure>", output->file);
        }
        fputs("</testcase>\n", output->file);
    }
    fputs("</testsuite>\n", output->file);
    return conv_output_commit(output, error);
}

enum conv_status verdicts_write_tap(const char *path, const struct conv_verification *results, int count,
                                    struct conv_error *error)
{
    struct conv_output output;
    const enum conv_status status = conv_output_open(&output, path, error);
    return status == CONV_OK ? put_tap(&output, results, count, error) : status;
}

enum conv_status verdicts_write_junit(const char *path, const struct conv_verification *results, int count,
                                      struct conv_error *error)
{
    struct conv_output output;
    const enum conv_status status = conv_output_open(&output, path, error);
    return status == CONV_OK ? put_junit(&output, results, count, error) : status;
}

/* ---- what one tensor tells ------------------------------------------------------------------------------------- */

static void print_one_tensor(FILE *file, const struct conv_sensitivity *told, const struct conv_problem *problem)
{
    char at[128];
    if (told->exact)
        fputs("    integers whose sums are exact: every output was compared bit for bit\n", file);
    else
        fprintf(file,
                "    real data: every output lies within its bound; at %s an error of up to %.3g isn't noticed,\n"
                "    where the average product is %.3g.  For an exact comparison, save integers: convref run \"PROBLEM\" "
                "--save FOLDER\n", conv_sensitivity_print(at, told, problem), told->bound, told->average);
    fprintf(file,
            "    of %" PRId64 " products%s, each left out alone, %" PRId64 " would be missed; not missed: %" PRId64
            " that are zero,\n    %" PRId64 " that vanish in the activation, %" PRId64 " that are too small for the bound",
            told->products, problem->expand > 0 ? " of the last stage"
            : problem->op == CONV_OP_SEPARABLE ? " of the second stage" : "",
            told->products - told->zero - told->clipped - told->hidden, told->zero, told->clipped, told->hidden);
    if (told->looked_at < told->outputs)
        fprintf(file, " (of %" PRId64 " outputs; there are %" PRId64 ")", told->looked_at, told->outputs);
    fputs("\n    not shown by one problem:", file);
    for (enum conv_setting setting = 0; setting < CONV_SETTINGS; setting++)
        if (told->unused & 1u << setting)
            fprintf(file, " %s,", conv_setting_name(setting));
    fputs("\n    other sizes, what is kept from call to call, memory beside the output\n", file);
}

static json_t *one_tensor_json(const struct conv_sensitivity *told, const struct conv_problem *problem)
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
        "at", conv_sensitivity_print(at, told, problem), "bound", json_finite(told->bound), "average",
        json_finite(told->average), "not_shown", unused);
}

/* ---- all that were asked for ----------------------------------------------------------------------------------- */

static bool is_text(const struct reports *reports)
{
    return reports->cli->format == TABLE_TEXT && !reports->silent;
}

static void abandon(struct reports *reports)
{
    conv_output_abandon(&reports->main);
    conv_output_abandon(&reports->junit);
    conv_output_abandon(&reports->tap);
}

int reports_open(struct reports *reports, const struct cli *cli, const char *junit, const char *tap)
{
    struct conv_error error;
    const bool tap_first = tap && !strcmp(tap, "-") && !strcmp(cli->output, "-");
    *reports = (struct reports){ .cli = cli, .silent = tap_first };
    if (tap_first && cli->format != TABLE_TEXT)
        return cli_usage("the standard output can't be TAP and another format", "--tap FILE or --output FILE");
    if (conv_output_open(&reports->main, cli->output, &error) == CONV_OK
        && (!junit || conv_output_open(&reports->junit, junit, &error) == CONV_OK)
        && (!tap || conv_output_open(&reports->tap, tap, &error) == CONV_OK))
        return 0;
    abandon(reports);
    return cli_error(&error, NULL);
}

void reports_print(const struct reports *reports, const struct conv_verification *result)
{
    if (is_text(reports))
        print_result(reports->main.file, result);
}

static void print_json(const struct reports *reports, const struct conv_verification *results, int count,
                       json_t *told)
{
    json_t *json = json_pack("{s:s, s:I, s:o}", "convref", conv_version(), "seed", (json_int_t)reports->cli->seed,
                             "results", json_array());
    for (int i = 0; i < count; i++)
        json_array_append_new(json_object_get(json, "results"), result_json(&results[i]));
    if (told)
        json_object_set_new(json_array_get(json_object_get(json, "results"), 0), "one_tensor", told);
    json_dumpf(json, reports->main.file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', reports->main.file);
    json_decref(json);
}

static void print_table(const struct reports *reports, const struct conv_verification *results, int count)
{
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < count; i++)
        add_row(table, &results[i]);
    table_print(table, reports->main.file, reports->cli->format);
    table_free(table);
}

static void print_totals(const struct reports *reports, const struct conv_verification *results, int count)
{
    int verdicts[4] = { 0 };
    for (int i = 0; i < count; i++)
        verdicts[results[i].verdict]++;
    fprintf(reports->main.file, "\n%d accepted, %d rejected, %d inconclusive, %d skipped; seed %" PRIu64 "\n",
            verdicts[CONV_ACCEPT], verdicts[CONV_REJECT], verdicts[CONV_INCONCLUSIVE], verdicts[CONV_SKIPPED],
            reports->cli->seed);
}

int reports_write(struct reports *reports, const struct conv_verification *results, int count,
                  const struct conv_sensitivity *told)
{
    const struct conv_problem *problem = &results[0].finding.problem;
    struct conv_error error;
    if (reports->cli->format == TABLE_JSON)
        print_json(reports, results, count, told ? one_tensor_json(told, problem) : NULL);
    else if (!reports->silent && reports->cli->format != TABLE_TEXT)
        print_table(reports, results, count);
    else if (is_text(reports) && told)
        print_one_tensor(reports->main.file, told, problem);
    else if (is_text(reports) && count > 1)
        print_totals(reports, results, count);
    enum conv_status status = reports->junit.file ? put_junit(&reports->junit, results, count, &error) : CONV_OK;
    if (status == CONV_OK && reports->tap.file)
        status = put_tap(&reports->tap, results, count, &error);
    reports->complete = status == CONV_OK;
    return reports->complete ? 0 : cli_error(&error, NULL);
}

int reports_close(struct reports *reports, int status)
{
    struct conv_error error;
    if (reports->complete && conv_output_commit(&reports->main, &error) != CONV_OK)
        status = cli_error(&error, NULL);
    abandon(reports);
    return status;
}
