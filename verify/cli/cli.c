/* cli.c - options, errors, progress, layers: what the verbs share.   Declared in cli.h. */
#include "cli.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/words.h"

const char *cli_name = "convref";

/* ---- messages -------------------------------------------------------------------------------------------- */

const char *cli_colour(enum cli_colour colour)
{
    static const char *const codes[] = { "\033[0m", "\033[32m", "\033[31m", "\033[2m" };
    static int on = -1;
    if (on < 0)
        on = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    return on ? codes[colour] : "";
}

/* The line that was read, and a mark below the bytes at fault. */
static void point_at(const struct conv_error *error, const char *text)
{
    if (!text || error->position < 0 || strchr(text, '\n'))
        return;
    fprintf(stderr, "    %s\n    %*s^", text, (int)error->position, "");
    for (int64_t i = 1; i < error->length; i++)
        fputc('~', stderr);
    fputc('\n', stderr);
}

int cli_error(const struct conv_error *error, const char *text)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", cli_name, error->message);
    point_at(error, text);
    if (error->hint[0])
        fprintf(stderr, "    %s\n", error->hint);
    return conv_exit_status(error->status);
}

int cli_usage(const char *what, const char *hint)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", cli_name, what);
    if (hint)
        fprintf(stderr, "    %s\n", hint);
    return EXIT_USAGE;
}

int cli_unknown(const char *word, const char *sort, const char *legal)
{
    fflush(stdout);
    fprintf(stderr, "%s: '%s' is not %s\n    %s\n", cli_name, word, sort, legal);
    return EXIT_USAGE;
}

int64_t cli_number(const char *option, const char *text, int64_t least, int64_t most)
{
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < least || number > most) {
        fprintf(stderr, "%s: '%s' is not a value of %s\n    %s is a number from %" PRId64 " to %" PRId64 "\n",
                cli_name, text, option, option, least, most);
        exit(EXIT_USAGE);
    }
    return number;
}

void cli_progress(const char *what, int64_t done, int64_t total)
{
    enum { WIDTH = 30 };
    if (!isatty(STDERR_FILENO))
        return;
    if (total <= 0) {
        fputs("\r\033[K", stderr);
        return;
    }
    const int filled = (int)(WIDTH * (done < total ? done : total) / total);
    fprintf(stderr, "\r\033[K%-40.40s [", what);
    for (int i = 0; i < WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %" PRId64 "/%" PRId64, done, total);
    fflush(stderr);
}

/* ---- common options ---------------------------------------------------------------------------------------- */

enum { KEY_FORMAT = 'f', KEY_OUTPUT = 'o', KEY_PROVIDER = 'p', KEY_THREADS = 't', KEY_SEED = 's', KEY_NETWORK = 'n',
       KEY_ISA = CLI_KEYS - 1, KEY_LAYER = CLI_KEYS - 2 };

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
            exit(cli_unknown(text, "a format", "formats are text, json, tsv and markdown"));
        cli->format = (enum table_format)format;
    } else if (key == KEY_OUTPUT)
        cli->output = text;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static void load_provider(const char *path)
{
    struct conv_error error;
    if (conv_provider_load(path, &error) != CONV_OK)
        exit(cli_error(&error, NULL));
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
    case KEY_PROVIDER: load_provider(text); return 0;
    case KEY_ISA: set_isa(text); return 0;
    case KEY_THREADS: cli->threads = (int)cli_number("--threads", text, 1, 1024); return 0;
    case KEY_SEED: cli->seed = (uint64_t)cli_number("--seed", text, 0, INT64_MAX); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_network(int key, char *text, struct argp_state *state)
{
    struct cli *cli = state->input;
    switch (key) {
    case KEY_NETWORK: cli->network = text; return 0;
    case KEY_LAYER: cli->layer = text; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option output_options[] = {
    { "format", KEY_FORMAT, "FORMAT", 0, "text, json, tsv or markdown [text]", 0 },
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
    { "layer", KEY_LAYER, "LABEL", 0, "only the layers whose label begins so", 0 },
    { 0 }
};

const struct argp cli_output_argp = { output_options, parse_output, NULL, NULL, NULL, NULL, NULL };
const struct argp cli_kernel_argp = { kernel_options, parse_kernel, NULL, NULL, NULL, NULL, NULL };
const struct argp cli_network_argp = { network_options, parse_network, NULL, NULL, NULL, NULL, NULL };

/* ---- kernels by name ------------------------------------------------------------------------------------------ */

static void no_such_kernel(const char *name)
{
    const char *names[512];
    int count = 0;
    for (; count < conv_kernel_count() && count < 512; count++)
        names[count] = conv_kernel_at(count)->name;
    const char *nearest = conv_nearest(name, names, count);
    fflush(stdout);
    fprintf(stderr, "%s: there is no kernel '%s'\n    %s%s%s`convref list` shows all of them\n", cli_name, name,
            nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "");
}

const struct conv_kernel *cli_kernel(const char *name)
{
    const struct conv_kernel *kernel = conv_kernel_find(name);
    if (!kernel)
        no_such_kernel(name);
    return kernel;
}

static bool listed(const struct conv_kernel **list, int count, const struct conv_kernel *kernel)
{
    for (int i = 0; i < count; i++)
        if (list[i] == kernel)
            return true;
    return false;
}

int cli_kernels(const struct conv_kernel **list, int room, const char *patterns)
{
    char *copy = strdup(patterns), *rest = copy;
    int count = 0;
    for (char *pattern; copy && (pattern = strsep(&rest, ",")); ) {
        bool matched = false;
        for (int i = 0; i < conv_kernel_count(); i++) {
            const struct conv_kernel *kernel = conv_kernel_at(i);
            if (fnmatch(pattern, kernel->name, 0) != 0)
                continue;
            matched = true;
            if (count < room && !listed(list, count, kernel))
                list[count++] = kernel;
        }
        if (!matched) {
            no_such_kernel(pattern);
            count = 0;
            break;
        }
    }
    free(copy);
    return count;
}

/* ---- layers of networks ------------------------------------------------------------------------------------------ */

/* Add a problem, or count it again if `distinct` and it is there already. */
static enum conv_status add_layer(struct cli_layers *layers, const struct conv_problem *problem, const char *label,
                                  const char *suffix, bool distinct, struct conv_error *error)
{
    for (int i = 0; distinct && i < layers->count; i++)
        if (conv_problem_equal(&layers->problems[i], problem)) {
            layers->repeats[i]++;
            return CONV_OK;
        }
    const size_t room = (size_t)layers->count + 1;
    struct conv_problem *problems = realloc(layers->problems, room * sizeof *problems);
    layers->problems = problems ? problems : layers->problems;
    char (*labels)[64] = realloc(layers->labels, room * sizeof *labels);
    layers->labels = labels ? labels : layers->labels;
    int *repeats = realloc(layers->repeats, room * sizeof *repeats);
    layers->repeats = repeats ? repeats : layers->repeats;
    if (!problems || !labels || !repeats)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the layers of a network");
    problems[layers->count] = *problem;
    repeats[layers->count] = 1;
    snprintf(labels[layers->count], sizeof *labels, "%.50s%s", label, suffix);
    layers->count++;
    return CONV_OK;
}

static enum conv_status add_node(struct cli_layers *layers, const struct conv_node *node, bool distinct,
                                 struct conv_error *error)
{
    struct conv_problem depthwise, pointwise;
    if (node->kind != CONV_NODE_SEPARABLE)
        return add_layer(layers, &node->problem, node->label, "", distinct, error);
    conv_separable_stages(&depthwise, &pointwise, &node->problem);
    enum conv_status status = add_layer(layers, &depthwise, node->label, ".dw", distinct, error);
    return status == CONV_OK ? add_layer(layers, &pointwise, node->label, ".pw", distinct, error) : status;
}

enum conv_status cli_layers(struct cli_layers *layers, const char *name, const char *layer, bool distinct,
                            struct conv_error *error)
{
    struct conv_network network;
    *layers = (struct cli_layers){ .count = 0 };
    char *path = conv_network_find(name);
    if (!path) {
        conv_fail(error, CONV_BAD_FILE, "there is no network '%s'", name);
        conv_hint(error, "a network is a file, or the name of one in networks/, such as mobilenet_v1");
        return CONV_BAD_FILE;
    }
    enum conv_status status = conv_network_read(&network, path, error);
    free(path);
    if (status != CONV_OK)
        return status;
    for (int i = 0; i < network.node_count && status == CONV_OK; i++) {
        const struct conv_node *node = &network.nodes[i];
        if ((conv_node_is_conv(node) || conv_node_is_fc(node)) && !node->aux
            && (!layer || !strncmp(node->label, layer, strlen(layer))))
            status = add_node(layers, node, distinct, error);
    }
    if (status == CONV_OK && layers->count == 0) {
        status = conv_fail(error, CONV_BAD_INPUT, "%s has no layer whose label begins with '%s'", network.name,
                           layer ? layer : "");
        conv_hint(error, "`convref count %s` shows the labels", network.name);
    }
    conv_network_free(&network);
    if (status != CONV_OK)
        cli_layers_free(layers);
    return status;
}

void cli_layers_free(struct cli_layers *layers)
{
    free(layers->problems);
    free(layers->labels);
    free(layers->repeats);
    *layers = (struct cli_layers){ .count = 0 };
}
