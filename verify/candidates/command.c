/* command.c - is a command that computes convolutions right?   Declared in convref/verify.h.
 *
 * For each problem a fresh folder gets problem.json and the inputs as .npy; the command is run in the sandbox; the
 * outputs that it left are read and judged.  The folder goes, whatever happens.  First all problems on integers, bit
 * for bit, then those on real numbers against the bound; the first failure ends it.
 * Not here: which problems (command_set.c), how an output is judged (outputs.c).
 */
#include <config.h>

#include <convref/machine.h>
#include <convref/npy.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/sandbox/folder.h"
#include "verify/sandbox/sandbox.h"
#include "verify/engine/checker.h"
#include "verify/candidates/command.h"

enum { STATUS_SKIP = 77, STATUS_CANT_RUN = 126, STATUS_NOT_FOUND = 127, MOST_COMMAND = 256 };
static const char place_of_folder[] = "{dir}";

struct command_run {
    struct conv_verification *result;
    const char *command;
    const struct conv_verify_options *options;
    struct sandbox_limits limits;
    struct conv_error *error;
    int64_t done, total, skipped;
    char folder[FOLDER_PATH];
    struct conv_tensor tensors[CONV_OPERANDS];
};

/* ---- an interrupt: the folder must go first -------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;   /* the signal's number */
static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP };
enum { WATCHED_SIGNALS = sizeof watched_signals / sizeof *watched_signals };

static void on_interrupt(int number) { interrupted = number; }
static bool go_on(void *argument) { (void)argument; return !interrupted; }

static void watch_signals(struct sigaction before[WATCHED_SIGNALS])
{
    const struct sigaction action = { .sa_handler = on_interrupt };
    interrupted = 0;
    for (int i = 0; i < WATCHED_SIGNALS; i++) {
        sigaction(watched_signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)   /* as under nohup */
            sigaction(watched_signals[i], &action, NULL);
    }
}

/* As it was; a signal that came meanwhile comes again. */
static void unwatch_signals(const struct sigaction before[WATCHED_SIGNALS])
{
    for (int i = 0; i < WATCHED_SIGNALS; i++)
        sigaction(watched_signals[i], &before[i], NULL);
    if (interrupted)
        raise(interrupted);
}

/* ---- findings -------------------------------------------------------------------------------------------------- */

static void reject(struct command_run *run, enum conv_fault fault, enum conv_operand operand, const char *words)
{
    struct conv_finding *finding = &run->result->finding;
    run->result->verdict = CONV_REJECT;
    finding->fault = fault;
    finding->operand = operand;
    snprintf(finding->where, sizeof finding->where, "%s", words);
}

static void reject_end(struct command_run *run, const struct sandbox_end *end)
{
    char words[CONV_WORDS], last[CONV_WORDS / 2];
    if (end->timed_out)
        snprintf(words, sizeof words, "the command hadn't ended after %g seconds", run->limits.seconds);
    else if (end->signal)
        snprintf(words, sizeof words, "the command was ended by signal %d (%s)", end->signal, strsignal(end->signal));
    else
        snprintf(words, sizeof words, "the command ended with status %d", end->status);
    sandbox_last_lines(last, sizeof last, end, 3);
    if (last[0])
        snprintf(words + strlen(words), sizeof words - strlen(words), "; it wrote: %s", last);
    reject(run, end->timed_out ? CONV_FAULT_HANG : CONV_FAULT_EXIT, CONV_Y, words);
    if (!end->timed_out && !end->signal)
        snprintf(run->result->finding.guess, sizeof run->result->finding.guess,
                 "if it doesn't compute such problems, let it end with status %d", STATUS_SKIP);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static char *path_of(char path[FOLDER_PATH + 32], const struct command_run *run, const char *name, const char *suffix)
{
    snprintf(path, FOLDER_PATH + 32, "%s/%s%s", run->folder, name, suffix);
    return path;
}

static enum conv_status write_text(const char *path, const char *text, struct conv_error *error)
{
    FILE *file = fopen(path, "we");
    const bool written = file && fputs(text, file) >= 0;
    if ((file && fclose(file) != 0) || !written)
        return conv_fail(error, CONV_BAD_FILE, "%s can't be written: %s", path, strerror(errno));
    return CONV_OK;
}

static enum conv_status write_problem(const struct command_run *run, const struct conv_problem *problem)
{
    char path[FOLDER_PATH + 32];
    char *json = conv_problem_to_json(problem);
    if (!json)
        return conv_fail(run->error, CONV_NO_MEMORY, "no memory for a problem as JSON");
    const enum conv_status status = write_text(path_of(path, run, "problem", ".json"), json, run->error);
    free(json);
    return status;
}

static enum conv_status write_inputs(struct command_run *run, const struct conv_problem *problem,
                                     const struct conv_fill *fill)
{
    enum conv_status status = write_problem(run, problem);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++) {
        struct conv_tensor *tensor = &run->tensors[operand];
        const char *name = conv_operand_name(problem, operand);
        char path[FOLDER_PATH + 32];
        int64_t dims[CONV_MAX_RANK];
        if (conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        const int rank = conv_operand_shape(dims, problem, operand);
        status = conv_tensor_create(tensor, problem->type, rank, dims, run->error);
        if (status != CONV_OK)
            continue;
        conv_fill(problem->type, tensor->data, conv_tensor_count(tensor), name, fill);
        status = conv_npy_write(path_of(path, run, name, ".npy"), tensor, run->error);
    }
    return status;
}

/* One output: false after a rejection in words that don't name the folder, which is gone when they are read. */
static bool read_output(struct command_run *run, const struct conv_problem *problem, enum conv_operand operand)
{
    struct conv_tensor *tensor = &run->tensors[operand];
    const char *name = conv_operand_name(problem, operand);
    char path[FOLDER_PATH + 32], words[CONV_WORDS], has[96], wants[96];
    int64_t dims[CONV_MAX_RANK];
    struct conv_error error;
    path_of(path, run, name, ".npy");
    if (conv_npy_read(tensor, path, &error) != CONV_OK) {
        const char *why = !strncmp(error.message, path, strlen(path)) ? error.message + strlen(path) : error.message;
        snprintf(words, sizeof words, "the command left no %s.npy that can be read%s%.400s", name,
                 why[0] == ':' ? "" : ": ", why);
        reject(run, CONV_FAULT_UNWRITTEN, operand, words);
        return false;
    }
    const int rank = conv_operand_shape(dims, problem, operand);
    if (tensor->type == problem->type && tensor->rank == rank &&
        !memcmp(tensor->dims, dims, sizeof *dims * (size_t)rank))
        return true;
    snprintf(words, sizeof words, "%s.npy is %s %s, expected %s %s", name, conv_type_facts(tensor->type)->name,
             conv_shape_print(has, tensor->rank, tensor->dims), conv_type_facts(problem->type)->name,
             conv_shape_print(wants, rank, dims));
    reject(run, CONV_FAULT_VALUES, operand, words);
    if (tensor->type != problem->type)
        snprintf(run->result->finding.guess, sizeof run->result->finding.guess, "%s is saved in another type: "
                 "%s.astype(np.%s)", name, name, problem->type == CONV_F32 ? "float32" : "float64");
    return false;
}

static bool read_outputs(struct command_run *run, const struct conv_problem *problem)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT && !read_output(run, problem, operand))
            return false;
    return true;
}

/* ---- one problem ----------------------------------------------------------------------------------------------- */

/* The command with the folder in the place of each {dir}.  The caller frees it. */
static char *command_line(const struct command_run *run)
{
    const size_t room =
        strlen(run->command) / (sizeof place_of_folder - 1) * sizeof run->folder + strlen(run->command) + 1;
    char *line = calloc(1, room);
    size_t used = 0;
    for (const char *at = run->command; line && *at;)
        if (!strncmp(at, place_of_folder, sizeof place_of_folder - 1)) {
            used += (size_t)snprintf(line + used, room - used, "%s", run->folder);
            at += sizeof place_of_folder - 1;
        } else {
            line[used++] = *at++;
        }
    return line;
}

static void judge(struct command_run *run, const struct conv_problem *problem, const char *check,
                  enum conv_status *status)
{
    struct conv_verification one;
    struct conv_operands operands;
    struct conv_evidence *evidence = &run->result->evidence[run->result->checks];
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        operands.at[operand] = run->tensors[operand].data;
    *status = conv_verify_operands(&one, problem, &operands, run->options->accuracy, run->error);
    if (*status != CONV_OK)
        return;
    evidence->problems++;
    evidence->elements += one.evidence[0].elements;
    if (one.evidence[0].worst > evidence->worst)
        evidence->worst = one.evidence[0].worst;
    if (one.verdict == CONV_ACCEPT)
        return;
    one.finding.seed = run->options->seed;
    one.finding.threads = 1;
    run->result->verdict = one.verdict;
    run->result->finding = one.finding;
    snprintf(run->result->finding.check, sizeof run->result->finding.check, "%s", check);
}

static enum conv_status run_command(struct command_run *run, struct sandbox_end *end)
{
    char *line = command_line(run), last[CONV_WORDS / 2];
    if (!line)
        return conv_fail(run->error, CONV_NO_MEMORY, "no memory for a command line");
    enum conv_status status = sandbox_command(end, line, &run->limits, go_on, NULL, run->error);
    free(line);
    if (status == CONV_OK && (end->status == STATUS_CANT_RUN || end->status == STATUS_NOT_FOUND))
        status = conv_fail(run->error, CONV_BAD_INPUT, "the command can't be run: %s",
                           sandbox_last_lines(last, sizeof last, end, 1));
    return status;
}

static enum conv_status in_folder(struct command_run *run, const struct conv_problem *problem,
                                  const struct conv_fill *fill, const char *check)
{
    struct sandbox_end end;
    enum conv_status status = write_inputs(run, problem, fill);
    if (status == CONV_OK)
        status = run_command(run, &end);
    if (status != CONV_OK || end.stopped)
        return status;
    run->result->finding = (struct conv_finding){ .problem = *problem, .seed = fill->seed, .threads = 1 };
    snprintf(run->result->finding.check, sizeof run->result->finding.check, "%s", check);
    if (end.status == STATUS_SKIP)
        run->skipped++;
    else if (!end.completed)
        reject_end(run, &end);
    else if (read_outputs(run, problem))
        judge(run, problem, check, &status);
    return status;
}

static enum conv_status try_problem(struct command_run *run, const struct conv_problem *problem, bool integers)
{
    const int range = integers ? conv_accuracy_range(problem, run->options->accuracy) : 1;
    const struct conv_fill fill = { integers ? CONV_FILL_INTEGERS : CONV_FILL_UNIFORM, run->options->seed, range, 0 };
    const char *check = integers ? "integers" : "real";
    enum conv_status status = CONV_OK;
    if (run->options->progress)
        run->options->progress(check, run->done, run->total);
    run->done++;
    if (range < 1)   /* no integers whose sums are exact */
        return CONV_OK;
    status = folder_make(run->folder, run->error);
    if (status != CONV_OK)
        return status;
    memset(run->tensors, 0, sizeof run->tensors);
    status = in_folder(run, problem, &fill, check);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&run->tensors[operand]);
    folder_remove(run->folder);
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

static enum conv_status try_texts(struct command_run *run, const char *const *texts, bool integers)
{
    enum conv_status status = CONV_OK;
    for (; *texts && status == CONV_OK && run->result->verdict == CONV_ACCEPT && !interrupted; texts++) {
        struct conv_problem problem;
        status = conv_problem_parse(&problem, *texts, run->error);
        if (status == CONV_OK)
            status = try_problem(run, &problem, integers);
    }
    return status;
}

static enum conv_status try_named(struct command_run *run, bool integers)
{
    enum conv_status status = CONV_OK;
    for (int i = 0; i < run->options->problem_count && status == CONV_OK && run->result->verdict == CONV_ACCEPT
                    && !interrupted; i++)
        status = try_problem(run, &run->options->problems[i], integers);
    return status;
}

static enum conv_status try_all(struct command_run *run)
{
    static const char *const names[] = { "integers", "real" };
    const char *const *texts[] = { command_integers, command_reals };
    enum conv_status status = CONV_OK;
    for (int i = 0; i < 2 && status == CONV_OK && run->result->verdict == CONV_ACCEPT && !interrupted; i++) {
        struct conv_evidence *evidence = &run->result->evidence[run->result->checks];
        const double start = conv_seconds();
        snprintf(evidence->check, sizeof evidence->check, "%s", names[i]);
        status = run->options->problem_count > 0 ? try_named(run, i == 0) : try_texts(run, texts[i], i == 0);
        evidence->seconds = conv_seconds() - start;
        run->result->checks += run->result->verdict == CONV_ACCEPT;
    }
    return status;
}

static int64_t count_texts(const char *const *texts)
{
    int64_t count = 0;
    while (texts[count])
        count++;
    return count;
}

static void settle(struct command_run *run)
{
    struct conv_verification *result = run->result;
    if (result->verdict == CONV_ACCEPT && checker_problems(result) == 0) {
        result->verdict = CONV_SKIPPED;
        snprintf(result->reason, sizeof result->reason, "the command computes none of the problems");
    } else if (result->verdict == CONV_ACCEPT && run->skipped > 0) {
        snprintf(result->reason, sizeof result->reason, "(not computed, by its own account: %" PRId64 ")",
                 run->skipped);
    }
}

static enum conv_status check_command(const char *command, struct conv_error *error)
{
    if (strlen(command) >= MOST_COMMAND)
        return conv_fail(error, CONV_BAD_INPUT, "the command is longer than %d bytes; put it into a script",
                         MOST_COMMAND - 1);
    if (!strstr(command, place_of_folder)) {
        conv_fail(error, CONV_BAD_INPUT, "the command doesn't say where the folder's name goes");
        conv_hint(error, "write %s there: --exec 'python3 mine.py %s'", place_of_folder, place_of_folder);
        return CONV_BAD_INPUT;
    }
    return CONV_OK;
}

enum conv_status conv_verify_command(struct conv_verification *result, const char *command,
                                     const struct conv_verify_options *options, struct conv_error *error)
{
    struct command_run run = { .result = result, .command = command, .options = options, .error = error,
        .limits = { .seconds = options->time_limit > 0 ? options->time_limit : 60 },
        .total = options->problem_count > 0 ? 2 * options->problem_count
                                            : count_texts(command_integers) + count_texts(command_reals) };
    struct sigaction before[WATCHED_SIGNALS];
    enum conv_status status = check_command(command, error);
    if (status != CONV_OK)
        return status;
    *result = (struct conv_verification){ .verdict = CONV_ACCEPT, .accuracy = options->accuracy };
    snprintf(result->kernel, sizeof result->kernel, "%s", command);
    watch_signals(before);
    status = try_all(&run);
    if (status == CONV_OK && interrupted)
        status = conv_fail(error, CONV_NO_MEMORY, "interrupted");
    unwatch_signals(before);
    if (status == CONV_OK)
        settle(&run);
    return status;
}
