/* peers.c - the same cases by other people's libraries: `convref experiment --peers`.
 *
 * `python3 -m convref.peers --bench` times each problem by every peer that is installed, in turns with the best of our
 * kernels in one process, and verifies both first (docs/peers.md).  Here its table is read, and added up by case.  A
 * layer whose row it drops, because the machine was busy, is asked for again, twice at most.
 * Not here: any peer; networks as chains, which the peers don't have: theirs and ours are sums of single layers.
 * Declared in experiment.h.   Read next: python/convref/peers/_speed.py, rows.c
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verify/experiment/experiment.h"
#include "verify/io/tsv.h"

enum { MOST_PROBLEMS = 512, ATTEMPTS = 3, OWN_WORDS = 14 };

struct asked { struct conv_problem problems[MOST_PROBLEMS]; int count; };

/* ---- what is asked for ----------------------------------------------------------------------------------------- */

/* Everybody takes the layout that he likes best. */
static struct conv_problem plain(const struct conv_problem *problem)
{
    struct conv_problem first = *problem;
    first.layout = CONV_CHANNELS_FIRST;
    return first;
}

static void ask(struct asked *asked, const struct conv_problem *problem)
{
    const struct conv_problem one = plain(problem);
    for (int i = 0; i < asked->count; i++)
        if (conv_problem_equal(&asked->problems[i], &one))
            return;
    if (asked->count < MOST_PROBLEMS)
        asked->problems[asked->count++] = one;
}

bool peers_take(const struct exp_run *run, int which)
{
    const struct exp_case *one = &run->experiment->cases[which];
    bool timed = false;
    for (int w = 0; w < one->way_count; w++)
        timed = timed || !run_leaves_out(run, &one->ways[w]);
    for (int i = 0; i < one->layer_count; i++)
        timed = timed && (one->layers[i].fc || one->layers[i].problem.pass == CONV_FORWARD);
    return timed && run_shows(run, which);
}

static void collect(struct asked *asked, const struct exp_run *run)
{
    for (int c = 0; c < run->experiment->case_count; c++)
        for (int i = 0; i < run->experiment->cases[c].layer_count && peers_take(run, c); i++)
            if (!run->experiment->cases[c].layers[i].fc)
                ask(asked, &run->experiment->cases[c].layers[i].problem);
}

/* ---- the module of Python -------------------------------------------------------------------------------------- */

static enum conv_status start(char *const *words, int *status, struct conv_error *error)
{
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0)
        return conv_fail(error, CONV_NO_MEMORY, "%s can't be started: %s", words[0], strerror(errno));
    if (child == 0) {
        execvp(words[0], words);
        fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
        _exit(127);
    }
    while (waitpid(child, status, 0) < 0)
        if (errno != EINTR)
            return conv_fail(error, CONV_NO_MEMORY, "waiting for %s: %s", words[0], strerror(errno));
    return CONV_OK;
}

static enum conv_status no_module(const char *python, int status, struct conv_error *error)
{
    conv_fail(error, CONV_NOT_APPLICABLE, "`%s -m convref.peers --bench` ended with status %d; its own words stand "
              "above", python, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    conv_hint(error, "it needs NumPy, a peer (`%s -m convref.peers --list` says how to install them), PYTHONPATH with "
              "the folder python/ of convref, and CONVREF_LIBRARY where libconvref.so isn't installed; CONVREF_PYTHON "
              "names another interpreter", python);
    return CONV_NOT_APPLICABLE;
}

/* The command line; the words are those of `texts` and of the caller. */
static void fill_words(const char **words, const char *path, const struct exp_run *run, const struct asked *asked,
                       char (*texts)[CONV_PROBLEM_TEXT], const char *python, const char *threads)
{
    const bool full = run->options->full;
    const char *const own[] = { python, "-m", "convref.peers", "--bench", "--output", path, "--threads", threads,
        "--rounds", full ? "7" : "5", "--turn", full ? "20" : "5", "--peers", run->options->peer_names };
    size_t count = sizeof own / sizeof *own - (run->options->peer_names ? 0 : 2);
    memcpy(words, own, count * sizeof *own);
    for (int i = 0; i < asked->count; i++)
        words[count++] = conv_problem_print(texts[i], &asked->problems[i]);
    words[count] = NULL;
}

/* Run it on these problems; its table goes to `path`. */
static enum conv_status run_module(const char *path, const struct exp_run *run, const struct asked *asked,
                                   struct conv_error *error)
{
    const char *python = getenv("CONVREF_PYTHON");
    char threads[16];
    int status = 0;
    python = python && *python ? python : "python3";
    char (*texts)[CONV_PROBLEM_TEXT] = calloc((size_t)asked->count, sizeof *texts);
    const char **words = calloc((size_t)asked->count + OWN_WORDS + 1, sizeof *words);
    enum conv_status result = texts && words ? CONV_OK
        : conv_fail(error, CONV_NO_MEMORY, "no memory for %d problems", asked->count);
    snprintf(threads, sizeof threads, "%d", run->options->bench.threads > 0 ? run->options->bench.threads : 1);
    if (result == CONV_OK) {
        fill_words(words, path, run, asked, texts, python, threads);
        result = start((char *const *)words, &status, error);
    }
    if (result == CONV_OK && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        result = no_module(python, status, error);
    free(texts);
    free(words);
    return result;
}

/* ---- its table ------------------------------------------------------------------------------------------------- */

static int peer_of(struct exp_peers *peers, const char *name, const char *version)
{
    for (int i = 0; i < peers->count; i++)
        if (!strcmp(peers->names[i], name))
            return i;
    if (peers->count == EXP_MOST_PEERS)
        return -1;
    snprintf(peers->names[peers->count], EXP_NAME, "%s", name);
    snprintf(peers->versions[peers->count], EXP_NAME, "%s", version);
    return peers->count++;
}

const struct exp_peer_time *peers_time(const struct exp_peers *peers, int peer, const struct conv_problem *problem)
{
    const struct conv_problem one = plain(problem);
    for (int i = 0; i < peers->time_count; i++)
        if (peers->times[i].peer == peer && conv_problem_equal(&peers->times[i].problem, &one))
            return &peers->times[i];
    return NULL;
}

static enum conv_status add_time(struct exp_peers *peers, const struct tsv *tsv, int row, struct conv_error *error)
{
    struct exp_peer_time time = { .ours = 1e-3 * tsv_number(tsv, row, tsv_column(tsv, "net_ms")),
                                  .theirs = 1e-3 * tsv_number(tsv, row, tsv_column(tsv, "peer_net_ms")) };
    if (strcmp(tsv_text(tsv, row, tsv_column(tsv, "accuracy")), "direct"))
        return CONV_OK;   /* a transform does less work */
    const enum conv_status status = conv_problem_parse(&time.problem, tsv_text(tsv, row, tsv_column(tsv, "problem")),
                                                       error);
    time.peer = peer_of(peers, tsv_text(tsv, row, tsv_column(tsv, "peer")),
                        tsv_text(tsv, row, tsv_column(tsv, "version")));
    if (status != CONV_OK || time.peer < 0 || peers_time(peers, time.peer, &time.problem))
        return status;
    if (!(time.ours > 0 && time.theirs > 0))
        return conv_fail(error, CONV_BAD_FILE, "row %d of the peers' table has no times", row + 1);
    struct exp_peer_time *times = realloc(peers->times, sizeof *times * ((size_t)peers->time_count + 1));
    if (!times)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the times of peers");
    peers->times = times;
    times[peers->time_count++] = time;
    return CONV_OK;
}

static bool says_dropped(const char *line)
{
    const char *word = strstr(line, ": dropped: "), *end = strchr(line, '\n');
    return word && (!end || word < end);
}

static enum conv_status read_table(struct exp_peers *peers, struct asked *dropped, const char *path,
                                   const struct asked *asked, struct conv_error *error)
{
    static const char *const needed[] = { "net_ms", "peer_net_ms", "accuracy", "problem", "peer", "version" };
    struct tsv tsv;
    enum conv_status status = tsv_read(&tsv, path, error);
    if (status != CONV_OK)
        return status;
    for (size_t i = 0; i < sizeof needed / sizeof *needed && status == CONV_OK; i++)
        if (tsv_column(&tsv, needed[i]) < 0)
            status = conv_fail(error, CONV_BAD_FILE, "the peers' table has no column %s", needed[i]);
    for (int row = 0; row < tsv.rows && status == CONV_OK; row++)
        status = add_time(peers, &tsv, row, error);
    dropped->count = 0;
    for (int i = 0; i < asked->count && tsv.comments; i++) {   /* "# 3: onnxruntime alone: dropped: ..." */
        char label[24];
        snprintf(label, sizeof label, "# %d: ", i + 1);
        for (const char *line = strstr(tsv.comments, label); line; line = strstr(line + 1, label))
            if (says_dropped(line))
                ask(dropped, &asked->problems[i]);
    }
    tsv_free(&tsv);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static enum conv_status try_all(struct exp_peers *peers, const char *path, const struct exp_run *run,
                                struct asked *asked, struct conv_error *error)
{
    struct asked *dropped = calloc(1, sizeof *dropped);
    enum conv_status status = dropped ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory to ask peers");
    for (int attempt = 0; attempt < ATTEMPTS && asked->count > 0 && status == CONV_OK; attempt++) {
        status = run_module(path, run, asked, error);
        if (status == CONV_OK)
            status = read_table(peers, dropped, path, asked, error);
        if (status == CONV_OK)
            *asked = *dropped;
    }
    free(dropped);
    return status;
}

enum conv_status experiment_ask_peers(struct exp_run *run, struct conv_error *error)
{
    const char *base = getenv("TMPDIR");
    char folder[1024], path[1040];
    struct asked *asked = calloc(1, sizeof *asked);
    if (!asked)
        return conv_fail(error, CONV_NO_MEMORY, "no memory to ask peers");
    collect(asked, run);
    snprintf(folder, sizeof folder, "%.900s/convref-peers-XXXXXX", base && *base ? base : "/tmp");
    enum conv_status status = CONV_OK;
    if (asked->count > 0 && !mkdtemp(folder))
        status = conv_fail(error, CONV_BAD_FILE, "no folder for the peers' table: %s", strerror(errno));
    else if (asked->count > 0) {
        snprintf(path, sizeof path, "%s/peers.tsv", folder);
        status = try_all(&run->peers, path, run, asked, error);
        unlink(path);
        rmdir(folder);
        if (status == CONV_OK && run->peers.count == 0) {
            status = conv_fail(error, CONV_NOT_APPLICABLE, "no peer gave a time that counts");
            conv_hint(error, "the lines above say why: `python3 -m convref.peers --list` says how peers are "
                      "installed, and a busy machine gives none");
        }
    }
    free(asked);
    return status;
}

void experiment_peers_free(struct exp_peers *peers)
{
    free(peers->times);
    *peers = (struct exp_peers){ .count = 0 };
}
