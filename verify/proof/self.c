/* self.c - convref verify --self: the matrix of planted faults and checks.
 *
 * Every check runs on every fault by itself, not only the first that finds it, so that the matrix says what each is
 * worth.
 * Findings are neither shrunk nor explained here.  The faults and the accept-set are two providers, which lie beside
 * the program in the build folder and in the library's own folder when installed; nothing is compiled.
 * Read next: docs/faults.md, verify/proof/faults/faults.c, verify/proof/accept/awkward.c
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/candidates/candidates.h"

enum { MOST = 512, CHECKS = CONV_MOST_CHECKS };

/* The kernels of one provider, and what each check said of each; `all` is the verdict of all checks together. */
struct proof {
    int count, checks;
    const struct conv_kernel *kernels[MOST];
    enum conv_verdict verdicts[CHECKS][MOST];
};

/* ---- the providers --------------------------------------------------------------------------------------------- */

static char *place_of(const char *name)
{
    char beside[1024];
    const char *wanted = getenv("CONVREF_PROOF");
    const char *const folders[] = { wanted ? wanted : conv_folder_beside(beside, "verify"),
                                    wanted ? wanted : CONVREF_PROOF_DIR };
    return conv_file_find(folders, sizeof folders / sizeof *folders, name);
}

static int load(struct proof *proof, const char *name)
{
    struct conv_error error;
    const int before = conv_kernel_count();
    char *path = place_of(name);
    if (!path) {
        conv_fail(&error, CONV_BAD_FILE, "%s is missing: it lies in %s, or where CONVREF_PROOF says", name,
                  CONVREF_PROOF_DIR);
        return cli_error(&error, NULL);
    }
    const enum conv_status status = conv_provider_load(path, &error);
    free(path);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    proof->count = conv_kernel_count() - before;
    for (int i = 0; i < proof->count && i < MOST; i++)
        proof->kernels[i] = conv_kernel_at(before + i);
    return 0;
}

/* ---- every check on every kernel ------------------------------------------------------------------------------- */

static void show(const struct conv_verification *result, int done, int count) { cli_progress(result->kernel, done, count); }

static int run_checks(struct proof *proof, struct conv_verify_options options, int jobs)
{
    struct conv_error error;
    struct conv_verification *results = calloc((size_t)proof->count + 1, sizeof *results);
    enum conv_status status = results ? CONV_OK : conv_fail(&error, CONV_NO_MEMORY, "no memory for the matrix");
    proof->checks = conv_check_count();
    for (int check = 0; check < proof->checks && status == CONV_OK; check++) {
        options.check = conv_check_at(check).name;
        status = conv_verify_kernels(results, proof->kernels, proof->count, &options, jobs, show, &error);
        for (int i = 0; i < proof->count && status == CONV_OK; i++)
            proof->verdicts[check][i] = results[i].verdict;
    }
    cli_progress("", 0, 0);
    free(results);
    return status == CONV_OK ? 0 : cli_error(&error, NULL);
}

static bool has(const struct proof *proof, int kernel, enum conv_verdict verdict)
{
    for (int check = 0; check < proof->checks; check++)
        if (proof->verdicts[check][kernel] == verdict)
            return true;
    return false;
}

/* Kernels of which some check said `verdict`. */
static int count_of(const struct proof *proof, enum conv_verdict verdict)
{
    int count = 0;
    for (int i = 0; i < proof->count; i++)
        count += has(proof, i, verdict);
    return count;
}

static int accepted(const struct proof *proof)
{
    int count = 0;
    for (int i = 0; i < proof->count; i++)
        count += has(proof, i, CONV_ACCEPT) && !has(proof, i, CONV_REJECT) && !has(proof, i, CONV_INCONCLUSIVE);
    return count;
}

/* Did the check run on anything?  "layers" has nothing to do without problems. */
static bool took_part(const struct proof *proof, int check)
{
    for (int i = 0; i < proof->count; i++)
        if (proof->verdicts[check][i] != CONV_SKIPPED)
            return true;
    return false;
}

/* ---- printing -------------------------------------------------------------------------------------------------- */

static const char *const cells[] = {
    [CONV_ACCEPT] = "no", [CONV_REJECT] = "sees", [CONV_INCONCLUSIVE] = "?", [CONV_SKIPPED] = "-"
};

static void add_rows(struct table *table, const struct proof *proof, const bool *shown)
{
    for (int i = 0; i < proof->count; i++) {
        table_text(table, proof->kernels[i]->name);
        table_text(table,
                   has(proof, i, CONV_REJECT) ? "REJECT" : has(proof, i,
                                                               CONV_INCONCLUSIVE) ? "INCONCLUSIVE" : "ACCEPT");
        for (int check = 0; check < proof->checks; check++)
            if (shown[check])
                table_text(table, cells[proof->verdicts[check][i]]);
        table_text(table, proof->kernels[i]->title);
    }
}

static struct table *matrix(const struct proof *faults, const struct proof *right)
{
    static struct table_column columns[CHECKS + 3] = { { "kernel", "kernel", false }, { "verdict", "verdict", false } };
    bool shown[CHECKS] = { false };
    int count = 2;
    for (int check = 0; check < faults->checks; check++) {
        shown[check] = took_part(faults, check) || took_part(right, check);
        if (shown[check])
            columns[count++] = (struct table_column){ conv_check_at(check).name, conv_check_at(check).name, false };
    }
    columns[count++] = (struct table_column){ "what", "what it is", false };
    struct table *table = table_create(columns, count);
    add_rows(table, faults, shown);
    add_rows(table, right, shown);
    return table;
}

static void print_json(FILE *file, struct table *table, const struct proof *faults, const struct proof *right,
                       const char *command, uint64_t seed)
{
    json_t *json = json_pack("{s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:o}", "convref", conv_version(), "command", command,
        "seed", (json_int_t)seed, "faults", faults->count, "rejected", count_of(faults, CONV_REJECT), "correct",
        right->count, "accepted", accepted(right), "matrix", table_json(table));
    json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', file);
    json_decref(json);
}

static void print_totals(FILE *file, const struct proof *faults, const struct proof *right, const char *command)
{
    fprintf(file, "\n%d of %d faults rejected, %d of %d correct kernels accepted; %s\n",
            count_of(faults, CONV_REJECT),
            faults->count, accepted(right), right->count, command);
    for (int check = 0; check < faults->checks; check++) {
        int sees = 0, alone = 0;
        for (int i = 0; i < faults->count; i++) {
            int others = 0;
            for (int other = 0; other < faults->checks; other++)
                others += other != check && faults->verdicts[other][i] == CONV_REJECT;
            sees += faults->verdicts[check][i] == CONV_REJECT;
            alone += faults->verdicts[check][i] == CONV_REJECT && others == 0;
        }
        if (took_part(faults, check))
            fprintf(file, "%-8s sees %d, and %d that no other check sees\n", conv_check_at(check).name, sees, alone);
    }
}

static void print(FILE *file, const struct proof *faults, const struct proof *right, const struct cli *cli)
{
    struct table *table = matrix(faults, right);
    char command[80];
    snprintf(command, sizeof command, "convref verify --self --seed %" PRIu64, cli->seed);
    if (cli->format == TABLE_JSON)
        print_json(file, table, faults, right, command, cli->seed);
    else
        table_print(table, file, cli->format);
    if (cli->format == TABLE_TEXT || cli->format == TABLE_MARKDOWN)
        print_totals(file, faults, right, command);
    table_free(table);
}

static int prove(FILE *file, const struct request *request)
{
    static struct proof faults, right;
    const struct conv_verify_options options = { .seed = request->cli.seed, .time_limit = request->time_limit,
                                                 .brief = true };
    int status = load(&faults, "faults.so");
    if (status == 0)
        status = load(&right, "awkward.so");
    if (status == 0)
        status = run_checks(&faults, options, request_jobs(request));
    if (status == 0)
        status = run_checks(&right, options, request_jobs(request));
    if (status)
        return status;
    print(file, &faults, &right, &request->cli);
    if (count_of(&faults, CONV_REJECT) < faults.count || count_of(&right, CONV_REJECT) > 0)
        return conv_verdict_exit(CONV_REJECT);
    return conv_verdict_exit(accepted(&right) < right.count ? CONV_INCONCLUSIVE : CONV_ACCEPT);
}

/* 0 if all faults are rejected and all correct kernels accepted, 1 if not, 3 if a verification couldn't be done, 4 if
 * a provider isn't there. */
int candidate_self(const struct request *request)
{
    struct conv_output output;
    struct conv_error error;
    if (conv_output_open(&output, request->cli.output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    const int status = prove(output.file, request);
    if (status == EXIT_FILE || status == EXIT_USAGE) {
        conv_output_abandon(&output);
        return status;
    }
    return conv_output_commit(&output, &error) == CONV_OK ? status : cli_error(&error, NULL);
}
