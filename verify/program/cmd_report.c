/* cmd_report.c - convref report: verify, count, time and plot a network, on one HTML page.
 *
 *   convref report                                  MobileNetV1 and its dense twin: the question behind convref
 *   convref report --network mobilenet_v2 --output v2.html --keep v2/
 *
 * Read next: verify/report/study.c
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "verify/report/study.h"
#include "verify/cli/options.h"
#include "verify/program/verbs.h"

enum { KEY_KEEP = CLI_KEYS, KEY_NO_VERIFY, KEY_NO_BENCH, KEY_GROUPED };

struct arguments { struct cli cli; const char *keep; struct study_options options; };

static const struct argp_option options[] = {
    { "output", 'o', "FILE.html", 0, "the page [report.html]", 0 },
    { "keep", KEY_KEEP, "FOLDER", 0, "keep the tables (TSV) and pictures (SVG) there too", 0 },
    { "no-verify", KEY_NO_VERIFY, NULL, 0, "leave the verdicts out", 0 },
    { "no-bench", KEY_NO_BENCH, NULL, 0, "leave the timings out", 0 },
    { "grouped", KEY_GROUPED, "NAME", 0, "the network that grouped layers are taken from [resnext50_32x4d]", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->cli;
        return 0;
    case 'o': arguments->cli.output = text; return 0;
    case KEY_KEEP: arguments->keep = text; return 0;
    case KEY_NO_VERIFY: arguments->options.verify = false; return 0;
    case KEY_NO_BENCH: arguments->options.bench = false; return 0;
    case KEY_GROUPED: arguments->options.grouped = text; return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not needed; a network is given with --network", text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Rejections on the page are rejections of the program. */
static int status_of(const struct study *study)
{
    int status = 0;
    for (int i = 0; i < study->kernel_count; i++)
        if (study->verdicts[i].verdict == CONV_REJECT)
            status = conv_verdict_exit(CONV_REJECT);
    for (int i = 0; i < study->results.count; i++)
        if (!study->results.rows[i].timing.verified)
            status = conv_verdict_exit(CONV_REJECT);
    return conv_network_check(&study->network) ? conv_verdict_exit(CONV_REJECT) : status;
}

/* A network or a file as a shell takes it, anywhere: a path is made absolute, and quoted if it needs it. */
static const char *portable(char *text, size_t room, const char *name)
{
    char whole[PATH_MAX];
    if (strchr(name, '/') && realpath(name, whole))
        name = whole;
    snprintf(text, room, strpbrk(name, " \t\n\"'`$&|;<>()*?[]{}~#!\\") ? "'%s'" : "%s", name);
    return text;
}

/* The commands that the page prints: all that decides what is on it, and nothing that doesn't. */
static void remember_commands(struct study *study, const struct arguments *arguments, const char *network)
{
    char one[PATH_MAX + 8], other[PATH_MAX + 8];
    size_t used = (size_t)snprintf(study->command, sizeof study->command, "convref report --network %s --seed %llu",
                                   portable(one, sizeof one, network), (unsigned long long)study->seed);
    if (strcmp(arguments->options.grouped, "resnext50_32x4d") && used < sizeof study->command)
        used += (size_t)snprintf(study->command + used, sizeof study->command - used, " --grouped %s",
                                 portable(other, sizeof other, arguments->options.grouped));
    if (arguments->options.in && used < sizeof study->command)
        used += (size_t)snprintf(study->command + used, sizeof study->command - used, " --in '%s'",
                                 arguments->options.in);
    if (used < sizeof study->command)
        snprintf(study->command + used, sizeof study->command - used, "%s%s",
                 arguments->options.verify ? "" : " --no-verify", arguments->options.bench ? "" : " --no-bench");
    snprintf(study->count_command, sizeof study->count_command, arguments->options.in ? "%s --in '%s'" : "%s", one,
             arguments->options.in ? arguments->options.in : "");
}

int cmd_report(int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_kernel_argp, 0, NULL, 0 }, { &cli_network_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "", "Verify all kernels, count and time the layers of a network, and "
        "write one HTML page with everything in it.", children, NULL, NULL };
    struct arguments arguments = {
        .cli = cli_defaults(), .options = { .grouped = "resnext50_32x4d", .verify = true, .bench = true } };
    struct conv_output output;
    struct conv_error error;
    struct study study;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    const char *network = arguments.cli.network ? arguments.cli.network : "mobilenet_v1";
    const char *path = strcmp(arguments.cli.output, "-") ? arguments.cli.output : "report.html";
    arguments.options.seed = arguments.cli.seed;
    arguments.options.in = arguments.cli.in;
    arguments.options.threads = arguments.cli.threads;

    /* the output is opened first: minutes of work must not end in a folder that isn't there */
    if (conv_output_open(&output, path, &error) != CONV_OK)
        return cli_error(&error, NULL);
    enum conv_status status = study_make(&study, network, &arguments.options, &error);
    if (status == CONV_OK) {
        remember_commands(&study, &arguments, network);
        status = study_page(output.file, &study, &error);
    }
    if (status == CONV_OK && arguments.keep)
        status = study_keep(arguments.keep, &study, &error);
    if (status != CONV_OK) {
        conv_output_abandon(&output);
        return cli_error(&error, NULL);
    }
    const int result = status_of(&study);
    study_free(&study);
    if (conv_output_commit(&output, &error) != CONV_OK)
        return cli_error(&error, NULL);
    printf("%s\n", path);
    return result;
}
