/* golden.c - one verdict for each case of a golden folder, and one for all.   Declared in candidates.h.
 *
 * Every case is made again from the manifest's words and compared with its hashes, so that neither a changed folder
 * nor a changed generator can pass for the truth.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/candidates/candidates.h"
#include "verify/candidates/golden_case.h"
#include "verify/report/verdicts.h"

struct judged {
    struct conv_verification result;
    char compared[GOLDEN_LIST], missing[GOLDEN_LIST];
};

/* ---- one case --------------------------------------------------------------------------------------------- */

static enum conv_status made_by_another(const char *folder, const struct golden_case *made, struct conv_error *error)
{
    conv_fail(error, CONV_BAD_FILE, "%s: convref %s makes other bytes for case %s than its manifest has", folder,
              conv_version(), made->plan.name);
    conv_hint(error, "make the folder again, with the command in its manifest.json");
    return CONV_BAD_FILE;
}

static enum conv_status judge_case(struct judged *judged, const struct golden_manifest *manifest, int index,
                                   const char *folder, const char *theirs, struct conv_error *error)
{
    struct golden_case made;
    struct golden_files files;
    enum conv_status status = golden_make(&made, &manifest->plans[index], &manifest->settings, error);
    if (status != CONV_OK)
        return status;
    status = golden_render(&files, &made, error);
    if (status == CONV_OK) {
        if (!golden_manifest_has(manifest, &files))
            status = made_by_another(folder, &made, error);
        golden_files_free(&files);
    }
    if (status == CONV_OK)
        status = golden_judge(&judged->result, judged->compared, judged->missing, &made, theirs, error);
    golden_free(&made);
    return status;
}

/* ---- words ------------------------------------------------------------------------------------------------ */

static void first_wrong(char text[256], const struct conv_finding *finding)
{
    const struct conv_wrong *wrong = &finding->first[0];
    char index[128];
    snprintf(text, 256, isnan(wrong->got) ? "%s: expected %.9g, got NaN" : "%s: expected %.9g, got %.9g",
             conv_wrong_print(index, finding, wrong), wrong->expected, wrong->got);
}

static void print_finding(FILE *file, const struct conv_finding *finding)
{
    char first[256], problem[CONV_PROBLEM_TEXT];
    first_wrong(first, finding);
    fprintf(file, "    how many %" PRId64 " of %" PRId64 "\n    where    %s\n    first    %s", finding->wrong,
            finding->elements, finding->where, first);
    if (finding->first[0].bound > 0)
        fprintf(file, " (allowed: %.3g)", finding->first[0].bound);
    fputc('\n', file);
    if (finding->guess[0])
        fprintf(file, "    guess    %s\n", finding->guess);
    fprintf(file, "    problem  %s\n", conv_problem_print(problem, &finding->problem));
}

/* The output that was judged last is the one that is wrong. */
static const char *last_word(const char *list)
{
    const char *space = strrchr(list, ' ');
    return space ? space + 1 : list;
}

static void print_text(FILE *file, const struct judged *judged)
{
    const struct conv_verification *result = &judged->result;
    static const enum cli_colour colours[] = {
        [CONV_ACCEPT] = CLI_GOOD, [CONV_REJECT] = CLI_BAD, [CONV_INCONCLUSIVE] = CLI_DIM, [CONV_SKIPPED] = CLI_DIM };
    const enum cli_colour colour = colours[result->verdict];
    fprintf(file, "%s%-12s%s %-20s", file == stdout ? cli_colour(colour) : "", conv_verdict_name(result->verdict),
            file == stdout ? cli_colour(CLI_PLAIN) : "", result->kernel);
    if (result->verdict == CONV_REJECT)
        fprintf(file, " %s is wrong\n", last_word(judged->compared));
    else if (result->verdict == CONV_SKIPPED)
        fprintf(file, " %s\n", result->reason);
    else
        fprintf(file, " %s%s%s\n", judged->compared, judged->missing[0] ? "; not given: " : "", judged->missing);
    if (result->verdict == CONV_REJECT)
        print_finding(file, &result->finding);
}

static const struct table_column columns[] = {
    { "case", "case", false }, { "verdict", "verdict", false }, { "compared", "compared", false },
    { "missing", "not given", false }, { "elements", "outputs compared", true },
    { "worst", "worst error / bound", true }, { "wrong", "wrong", true }, { "first", "first wrong", false },
    { "where", "where", false }, { "guess", "guess", false },
};

static void add_row(struct table *table, const struct judged *judged)
{
    const struct conv_verification *result = &judged->result;
    const bool rejected = result->verdict == CONV_REJECT;
    char first[256] = "";
    if (rejected)
        first_wrong(first, &result->finding);
    table_text(table, result->kernel);
    table_text(table, conv_verdict_name(result->verdict));
    table_text(table, judged->compared);
    table_text(table, judged->missing);
    table_integer(table, result->evidence[0].elements);
    table_real(table, result->evidence[0].worst, "%.2f");
    table_integer(table, rejected ? result->finding.wrong : 0);
    table_text(table, first);
    table_text(table, rejected ? result->finding.where : result->reason);
    table_text(table, rejected ? result->finding.guess : "");
}

static void print_all(FILE *file, const struct cli *cli, const struct judged *judged, int count)
{
    int verdicts[4] = { 0 };
    struct table *table = cli->format == TABLE_TEXT ? NULL : table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < count; i++) {
        verdicts[judged[i].result.verdict]++;
        if (cli->format == TABLE_TEXT)
            print_text(file, &judged[i]);
        else
            add_row(table, &judged[i]);
    }
    if (cli->format == TABLE_TEXT)
        fprintf(file, "\n%d accepted, %d rejected, %d skipped\n", verdicts[CONV_ACCEPT], verdicts[CONV_REJECT],
                verdicts[CONV_SKIPPED]);
    else
        table_print(table, file, cli->format);
    table_free(table);
}

/* ---- all of them ------------------------------------------------------------------------------------------ */

static int status_of(const struct judged *judged, int count)
{
    enum conv_verdict verdict = CONV_SKIPPED;
    for (int i = 0; i < count; i++)
        if (judged[i].result.verdict == CONV_REJECT || verdict == CONV_SKIPPED)
            verdict = judged[i].result.verdict;
    return conv_verdict_exit(verdict);
}

static enum conv_status print_report(const struct cli *cli, const struct judged *judged, int count,
                                     struct conv_error *error)
{
    struct conv_output output;
    enum conv_status status = conv_output_open(&output, cli->output, error);
    if (status != CONV_OK)
        return status;
    print_all(output.file, cli, judged, count);
    return conv_output_commit(&output, error);
}

/* The report, and JUnit and TAP besides; TAP on the standard output takes the place of the report. */
static enum conv_status print_everything(const struct request *request, const struct judged *judged, int count,
                                         struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    struct conv_verification *results = calloc(count > 0 ? (size_t)count : 1, sizeof *results);
    if (!results)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the verdicts");
    for (int i = 0; i < count; i++)
        results[i] = judged[i].result;
    if (!(request->tap && !strcmp(request->tap, "-")))
        status = print_report(&request->cli, judged, count, error);
    if (status == CONV_OK && request->tap)
        status = verdicts_write_tap(request->tap, results, count, error);
    if (status == CONV_OK && request->junit)
        status = verdicts_write_junit(request->junit, results, count, error);
    free(results);
    return status;
}

static int judge_all(const struct request *request, const struct golden_manifest *manifest)
{
    const char *theirs = request->theirs ? request->theirs : request->golden;
    struct judged *judged = calloc((size_t)manifest->count, sizeof *judged);
    struct conv_error error;
    enum conv_status status = judged ? CONV_OK : conv_fail(&error, CONV_NO_MEMORY, "no memory for the verdicts");
    for (int i = 0; i < manifest->count && status == CONV_OK; i++)
        status = judge_case(&judged[i], manifest, i, request->golden, theirs, &error);
    if (status == CONV_OK)
        status = print_everything(request, judged, manifest->count, &error);
    const int result = status == CONV_OK ? status_of(judged, manifest->count) : cli_error(&error, NULL);
    free(judged);
    return result;
}

int candidate_golden(const struct request *request)
{
    struct golden_manifest manifest;
    struct conv_error error;
    if (!golden_can_hash()) {
        cli_usage("this build can't hash files, because nettle was missing",
                  "install nettle-dev and configure again");
        return EXIT_SKIPPED;
    }
    if (golden_manifest_read(&manifest, request->golden, &error) != CONV_OK)
        return cli_error(&error, NULL);
    const int status = judge_all(request, &manifest);
    golden_manifest_free(&manifest);
    return status;
}
