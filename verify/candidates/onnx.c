/* onnx.c - every convolution among the ONNX project's test cases, with every kernel that computes it.   Declared in
 * candidates.h.
 *
 * Three verdicts for a case: is the stored output right by our own truth; is each kernel right by it; and how far is
 * each kernel from what is stored.  Cases that are something else are counted, never run.
 * Read next: docs/onnx.md, onnx_case.c
 */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/candidates/candidates.h"
#include "verify/candidates/onnx_case.h"

enum { MOST_KERNELS = 512, PATH = 4096 };

/* What is run, and what came of it. */
struct session {
    const struct cli *cli;
    FILE *file;
    struct table *table;                         /* NULL: text is printed as it comes */
    const struct conv_kernel *kernels[MOST_KERNELS];
    int kernel_count;
    int cases, others, runs;                     /* convolutions; what isn't one; kernels that were run */
    int verdicts[4];                             /* of cases */
};

static const struct table_column columns[] = {
    { "case", "case", false }, { "problem", "problem", false }, { "kernel", "kernel", false },
    { "verdict", "verdict", false }, { "worst", "worst error / bound", true },
    { "from_stored", "from stored / both bounds", true }, { "elements", "outputs", true }, { "wrong", "wrong", true },
    { "where", "where", false }, { "guess", "guess", false },
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---- folders ------------------------------------------------------------------------------------------------ */

static bool is_case(const char *folder)
{
    char path[PATH + 16];
    struct stat facts;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    return stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode);
}

static int not_hidden(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

/* The cases in a folder, in order; how many, negative if it can't be read.  Free all of them. */
static int list_cases(char ***names, const char *folder)
{
    struct dirent **entries;
    char path[PATH];
    int count = 0;
    const int found = scandir(folder, &entries, not_hidden, by_name);
    *names = found < 0 ? NULL : calloc((size_t)found + 1, sizeof **names);
    for (int i = 0; i < found; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (*names && is_case(path))
            (*names)[count++] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return found < 0 || !*names ? -1 : count;
}

static void free_cases(char **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static bool has_cases(const char *folder)
{
    char **names;
    if (is_case(folder))
        return true;
    const int count = list_cases(&names, folder);
    free_cases(names, count);
    return count > 0;
}

/* A folder with a manifest is one of ours, and has no need of kernels. */
bool candidate_is_onnx(const struct request *request)
{
    char manifest[PATH];
    if (!request->golden)
        return false;
    snprintf(manifest, sizeof manifest, "%s/manifest.json", request->golden);
    return (request->kernels || access(manifest, F_OK) != 0) && has_cases(request->golden);
}

/* ---- words -------------------------------------------------------------------------------------------------- */

static void print_verdict(FILE *file, enum conv_verdict verdict, const char *name)
{
    static const enum cli_colour colours[] = {
        [CONV_ACCEPT] = CLI_GOOD, [CONV_REJECT] = CLI_BAD, [CONV_INCONCLUSIVE] = CLI_DIM, [CONV_SKIPPED] = CLI_DIM };
    fprintf(file, "%s%-12s%s %-46s", file == stdout ? cli_colour(colours[verdict]) : "", conv_verdict_name(verdict),
            file == stdout ? cli_colour(CLI_PLAIN) : "", name);
}

/* What is wrong with one of them: the stored output, or a kernel. */
static void print_finding(FILE *file, const struct conv_verification *result, const char *who)
{
    const struct conv_finding *finding = &result->finding;
    char index[128], problem[CONV_PROBLEM_TEXT];
    fprintf(file, "    %s: %s", who,
            result->verdict == CONV_REJECT ? conv_fault_name(finding->fault) : result->reason);
    if (result->verdict == CONV_REJECT)
        fprintf(file, ", %s", finding->where);
    if (finding->wrong > 0) {
        fprintf(file, "; %" PRId64 " of %" PRId64 "\n        first    %s: expected %.9g, got ", finding->wrong,
                finding->elements, conv_wrong_print(index, finding, &finding->first[0]), finding->first[0].expected);
        fprintf(file, isnan(finding->first[0].got) ? "NaN" : "%.9g", finding->first[0].got);
        if (finding->first[0].bound > 0)
            fprintf(file, " (allowed: %.3g)", finding->first[0].bound);
    }
    if (finding->guess[0])
        fprintf(file, "\n        guess    %s", finding->guess);
    if (result->verdict == CONV_REJECT)
        fprintf(file, "\n        problem  %s", conv_problem_print(problem, &finding->problem));
    fputc('\n', file);
}

static void add_row(struct table *table, const struct onnx_case *made, const struct conv_verification *result,
                    const char *who)
{
    const bool rejected = result->verdict == CONV_REJECT;
    char problem[CONV_PROBLEM_TEXT] = "";
    if (made->sort == ONNX_CASE_CONV)
        conv_problem_print(problem, &made->problem);
    table_text(table, made->name);
    table_text(table, problem);
    table_text(table, who);
    table_text(table, conv_verdict_name(result->verdict));
    table_real(table, result->evidence[0].worst, "%.2f");
    if (result->checks > 1)
        table_real(table, result->evidence[1].worst, "%.2f");
    else
        table_missing(table);
    table_integer(table, result->evidence[0].elements);
    table_integer(table, rejected ? result->finding.wrong : 0);
    table_text(table, rejected ? result->finding.where : result->reason);
    table_text(table, rejected ? result->finding.guess : "");
}

/* ---- one case ----------------------------------------------------------------------------------------------- */

/* What is printed of a case in text, when all of it is known. */
struct summary {
    enum conv_verdict verdict;
    struct conv_verification stored;
    int agree, wrong;                   /* kernels */
    double worst, from_stored;
    char *details;
    size_t size;
};

static void add_kernel(struct session *session, struct summary *summary, FILE *details,
                       const struct conv_verification *result)
{
    session->runs++;
    if (result->verdict == CONV_ACCEPT) {
        summary->agree++;
        summary->worst = fmax(summary->worst, result->evidence[0].worst);
        summary->from_stored = fmax(summary->from_stored, result->evidence[1].worst);
        return;
    }
    summary->wrong++;
    if (summary->verdict != CONV_REJECT)
        summary->verdict = result->verdict;
    print_finding(details, result, result->kernel);
}

static enum conv_status run_kernels(struct session *session, struct summary *summary, FILE *details,
                                    const struct onnx_case *made, struct conv_error *error)
{
    const struct conv_verify_options options = { .seed = session->cli->seed };
    struct conv_verification result;
    enum conv_status status = CONV_OK;
    for (int i = 0; i < session->kernel_count && status == CONV_OK; i++) {
        if (conv_kernel_refuses(session->kernels[i], &made->problem))
            continue;
        cli_progress(made->name, i, session->kernel_count);
        status = onnx_case_run(&result, made, session->kernels[i], &options, error);
        if (status != CONV_OK)
            break;
        add_kernel(session, summary, details, &result);
        if (session->table)
            add_row(session->table, made, &result, result.kernel);
    }
    cli_progress("", 0, 0);
    return status;
}

static void print_summary(const struct session *session, const struct onnx_case *made, const struct summary *summary)
{
    print_verdict(session->file, summary->verdict, made->name);
    fprintf(session->file, " stored output %s", summary->stored.verdict == CONV_ACCEPT ? "right" : "wrong");
    if (summary->stored.evidence[0].worst > 0)
        fprintf(session->file, " (%.2f of its bound)", summary->stored.evidence[0].worst);
    fprintf(session->file, ", %d kernel%s agree%s", summary->agree, summary->agree == 1 ? "" : "s",
            summary->agree == 1 ? "s" : "");
    if (summary->worst > 0)
        fprintf(session->file, " (%.2f; from stored %.2f)", summary->worst, summary->from_stored);
    if (summary->wrong > 0)
        fprintf(session->file, ", %d not", summary->wrong);
    fputc('\n', session->file);
    fputs(summary->details ? summary->details : "", session->file);
}

static enum conv_status judge_conv(struct session *session, struct onnx_case *made, struct conv_error *error)
{
    struct summary summary = { .details = NULL };
    FILE *details = open_memstream(&summary.details, &summary.size);
    if (!details)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the verdict of %s", made->name);
    enum conv_status status = onnx_case_judge(&summary.stored, made, error);
    summary.verdict = summary.stored.verdict;
    if (status == CONV_OK && summary.verdict == CONV_REJECT)
        print_finding(details, &summary.stored, "stored output");
    if (status == CONV_OK && session->table)
        add_row(session->table, made, &summary.stored, "(stored output)");
    if (status == CONV_OK)
        status = run_kernels(session, &summary, details, made, error);
    fclose(details);
    if (status == CONV_OK) {
        session->verdicts[summary.verdict]++;
        if (!session->table)
            print_summary(session, made, &summary);
    }
    free(summary.details);
    return status;
}

static void report_unsaid(struct session *session, const struct onnx_case *made)
{
    struct conv_verification result = { .verdict = CONV_SKIPPED };
    snprintf(result.reason, sizeof result.reason, "%s", made->reason);
    session->verdicts[CONV_SKIPPED]++;
    if (session->table) {
        add_row(session->table, made, &result, "");
        return;
    }
    print_verdict(session->file, CONV_SKIPPED, made->name);
    fprintf(session->file, " %s\n", made->reason);
}

static enum conv_status judge_case(struct session *session, const char *folder, const char *theirs, int data_set,
                                   struct conv_error *error)
{
    struct onnx_case made;
    enum conv_status status = onnx_case_read(&made, folder, theirs, data_set, error);
    if (status != CONV_OK)
        return status;
    session->cases += made.sort != ONNX_CASE_OTHER;
    session->others += made.sort == ONNX_CASE_OTHER;
    if (made.sort == ONNX_CASE_UNSAID)
        report_unsaid(session, &made);
    if (made.sort == ONNX_CASE_CONV)
        status = judge_conv(session, &made, error);
    onnx_case_free(&made);
    return status;
}

static enum conv_status judge_folder(struct session *session, const char *folder, const char *theirs,
                                     struct conv_error *error)
{
    const int count = onnx_case_data_sets(folder);
    enum conv_status status = CONV_OK;
    for (int i = 0; i < (count > 0 ? count : 1) && status == CONV_OK; i++)
        status = judge_case(session, folder, theirs, i, error);
    return status;
}

/* ---- all of them -------------------------------------------------------------------------------------------- */

static enum conv_status judge_all(struct session *session, const char *folder, const char *theirs,
                                  struct conv_error *error)
{
    char **names, path[PATH], their_path[PATH];
    enum conv_status status = CONV_OK;
    if (is_case(folder))
        return judge_folder(session, folder, theirs, error);
    const int count = list_cases(&names, folder);
    for (int i = 0; i < count && status == CONV_OK; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        snprintf(their_path, sizeof their_path, "%s/%s", theirs, names[i]);
        status = judge_folder(session, path, their_path, error);
    }
    free_cases(names, count);
    return status;
}

static void print_end(const struct session *session)
{
    if (session->table)
        table_print(session->table, session->file, session->cli->format);
    else
        fprintf(session->file, "\n%d accepted, %d rejected, %d inconclusive, %d skipped; %d kernels run; "
                "%d other cases, without a convolution of their own\n", session->verdicts[CONV_ACCEPT],
                session->verdicts[CONV_REJECT], session->verdicts[CONV_INCONCLUSIVE], session->verdicts[CONV_SKIPPED],
                session->runs, session->others);
}

static int status_of(const struct session *session)
{
    static const enum conv_verdict order[] = { CONV_REJECT, CONV_INCONCLUSIVE, CONV_ACCEPT };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (session->verdicts[order[i]] > 0)
            return conv_verdict_exit(order[i]);
    return conv_verdict_exit(CONV_SKIPPED);
}

int candidate_onnx(const struct request *request)
{
    struct session session = { .cli = &request->cli };
    struct conv_output output;
    struct conv_error error;
    if (!onnx_is_there(&error, request->golden))
        return cli_error(&error, NULL);
    session.kernel_count = cli_kernels(session.kernels, MOST_KERNELS, request->kernels ? request->kernels : "*");
    if (session.kernel_count == 0)
        return EXIT_USAGE;
    if (conv_output_open(&output, request->cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    session.file = output.file;
    session.table = request->cli.format == TABLE_TEXT ? NULL : table_create(columns, COLUMNS);
    enum conv_status status = judge_all(&session, request->golden,
                                        request->theirs ? request->theirs : request->golden,
                                        &error);
    if (status == CONV_OK)
        print_end(&session);
    table_free(session.table);
    if (status == CONV_OK)
        status = conv_output_commit(&output, &error);
    else
        conv_output_abandon(&output);
    return status == CONV_OK ? status_of(&session) : cli_error(&error, NULL);
}
