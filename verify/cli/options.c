/* options.c - options that several verbs have.   Declared in options.h. */
#include "verify/cli/options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/cli/worker.h"

enum { KEY_FORMAT = 'f', KEY_OUTPUT = 'o', KEY_PROVIDER = 'p', KEY_THREADS = 't', KEY_SEED = 's', KEY_NETWORK = 'n',
       KEY_ISA = CLI_KEYS - 1, KEY_LAYER = CLI_KEYS - 2, KEY_IN = CLI_KEYS - 3 };

struct cli cli_defaults(void)
{
    return (struct cli){ .format = TABLE_TEXT, .output = "-", .seed = 1 };
}

static error_t parse_output(int key, char *text, struct argp_state *state)
{
    struct cli *cli = state->input;
    if (key == KEY_FORMAT) {
        const int format = table_format_of(text);
        if (format < 0)
            exit(cli_unknown(text, "a format", "formats are text, json, tsv, csv, markdown and latex"));
        cli->format = (enum table_format)format;
    } else if (key == KEY_OUTPUT)
        cli->output = text;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static void add_provider(struct cli *cli, const char *path)
{
    enum { MOST = sizeof cli->providers / sizeof *cli->providers };
    if (cli->provider_count == MOST)
        exit(cli_usage("too many providers", "at most 16 are opened together"));
    cli->providers[cli->provider_count++] = path;
}

/* What a constructor prints isn't part of our output. */
static enum conv_status open_quietly(const char *path, struct conv_error *error)
{
    fflush(stdout);
    const int own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    const enum conv_status status = conv_provider_load(path, error);
    fflush(stdout);
    if (own >= 0) {
        dup2(own, STDOUT_FILENO);
        close(own);
    }
    return status;
}

static void open_providers(const struct cli *cli)
{
    struct conv_error error;
    if (cli->provider_count > 0)
        worker_begin();
    for (int i = 0; i < cli->provider_count; i++)
        if (open_quietly(cli->providers[i], &error) != CONV_OK)
            exit(worker_end(cli_error(&error, NULL)));
}

static void set_isa(const char *name)
{
    for (enum conv_isa isa = 0; isa < CONV_ISAS; isa++)
        if (!strcmp(name, conv_isa_name(isa))) {
            if (!conv_isa_available(isa))
                exit(cli_unknown(name, "an instruction set of this machine and this build",
                                 "`convref doctor` lists those that it has"));
            conv_isa_set_limit(isa);
            return;
        }
    exit(cli_unknown(name, "an instruction set", "they are baseline, avx2 and avx512"));
}

static error_t parse_kernel(int key, char *text, struct argp_state *state)
{
    struct cli *cli = state->input;
    switch (key) {
    case KEY_PROVIDER: add_provider(cli, text); return 0;
    case ARGP_KEY_SUCCESS: open_providers(cli); return 0;
    case KEY_ISA: set_isa(text); return 0;
    case KEY_THREADS: cli->threads = (int)cli_number("--threads", text, 1, 1024); return 0;
    case KEY_SEED: cli->seed = (uint64_t)cli_number("--seed", text, 0, INT64_MAX); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

char *cli_add_in(char *lines, const char *text)
{
    static char *volatile kept;   /* nobody reads it: so that the last one is not lost, to a leak checker */
    const size_t before = lines ? strlen(lines) + 1 : 0;
    char *joined = malloc(before + strlen(text) + 1);
    if (!joined)
        exit(cli_usage("no memory for --in", NULL));
    if (lines) {
        memcpy(joined, lines, before);
        joined[before - 1] = '\n';
    }
    strcpy(joined + before, text);
    free(lines);
    return kept = joined;
}

static error_t parse_network(int key, char *text, struct argp_state *state)
{
    struct cli *cli = state->input;
    switch (key) {
    case KEY_NETWORK: cli->network = text; return 0;
    case KEY_LAYER: cli->layer = text; return 0;
    case KEY_IN: cli->in = cli_add_in(cli->in, text); return 0;
    case ARGP_KEY_END:
        if (cli->in && !cli->network)
            exit(cli_usage("--in is for the model of --network", "such as --network model.onnx --in 224x224"));
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option output_options[] = {
    { "format", KEY_FORMAT, "FORMAT", 0, "text, json, tsv, csv, markdown or latex [text]", 0 },
    { "output", KEY_OUTPUT, "FILE", 0, "write to FILE, which is complete or not there [-]", 0 },
    { 0 }
};
static const struct argp_option kernel_options[] = {
    { "provider", KEY_PROVIDER, "FILE.so", 0, "add the kernels of a shared object; may be repeated", 0 },
    { "isa", KEY_ISA, "SET", 0, "use no instruction set above baseline, avx2 or avx512", 0 },
    { "threads", KEY_THREADS, "N", 0, "threads", 0 },
    { "seed", KEY_SEED, "N", 0, "seed of generated data [1]", 0 },
    { 0 }
};
static const struct argp_option network_options[] = {
    { "network", KEY_NETWORK, "NAME", 0, "the layers of a network: a file, or the name of one of networks/", 0 },
    { "in", KEY_IN, "SIZES", 0, "sizes that an ONNX model leaves open: 224x224 of every input, NAME=1x3x224x224 of "
      "one, or NAME=224 for an open size of that name; may be repeated", 0 },
    { "layer", KEY_LAYER, "LABEL", 0, "only the layers whose label begins so", 0 },
    { 0 }
};

const struct argp cli_output_argp = { output_options, parse_output, NULL, NULL, NULL, NULL, NULL };
const struct argp cli_kernel_argp = { kernel_options, parse_kernel, NULL, NULL, NULL, NULL, NULL };
const struct argp cli_network_argp = { network_options, parse_network, NULL, NULL, NULL, NULL, NULL };
