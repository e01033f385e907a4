/* cmd_golden.c - convref golden: test vectors for somebody else's kernel, accelerator or RTL model.
 *
 *   convref golden vectors                               the default set, as .npy
 *   convref golden vectors --format hex --lanes 4        for $readmemh
 *   convref golden vectors "c=3 in=8x8 k=4 filter=3x3"   a problem of your own
 *   convref golden --check vectors                       are the files those of the manifest?
 *
 * Judging what comes back is `convref verify --golden` (candidates/golden.c).   Read next: docs/golden.md
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"
#include "verify/cli/options.h"
#include "verify/program/verbs.h"

enum { KEY_FORMAT = 'f', KEY_SEED = 's', KEY_LANES = CLI_KEYS, KEY_REQUANTISE, KEY_DATA, KEY_CHECK, KEY_LIST };

struct arguments {
    const char *folder;
    const char **problems;
    int problem_count;
    struct golden_settings settings;
    unsigned data;                /* a set of enum golden_data; 0: not given */
    const char *data_text;
    bool check, list;
};

static const struct argp_option options[] = {
    { "format", KEY_FORMAT, "FORMAT", 0, "npy, npz, raw (with sidecars), c (headers), hex (for $readmemh) or onnx "
      "(test cases: forward, f32 and f64, channels first) [npy]", 0 },
    { "seed", KEY_SEED, "N", 0, "seed of the data [1]", 0 },
    { "lanes", KEY_LANES, "N", 0, "hex: elements to a word, the first in the lowest bits [1]", 0 },
    { "requantise", KEY_REQUANTISE, "MODE", 0, "rounding of 8-bit outputs [gemmlowp-double]; --list shows them", 0 },
    { "data", KEY_DATA, "KINDS", 0,
      "for problems that are given: integers, real, f16, bf16, s8, u8, s8-pow2, s8-ties, "
      "with commas between [integers,real]", 0 },
    { "check", KEY_CHECK, NULL, 0, "compare the files of FOLDER with its manifest instead", 0 },
    { "list", KEY_LIST, NULL, 0, "list the default set and the rounding modes", 0 },
    { 0 }
};

static unsigned data_set(const char *text)
{
    char *copy = strdup(text), *rest = copy;
    unsigned set = 0;
    for (char *word; copy && (word = strsep(&rest, ",")); ) {
        const enum golden_data data = golden_data_of_name(word);
        if (data == GOLDEN_KINDS)
            exit(cli_unknown(word, "a kind of data",
                             "they are integers, real, f16, bf16, s8, u8, s8-pow2 and s8-ties"));
        set |= 1u << data;
    }
    free(copy);
    return set;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_FORMAT:
        arguments->settings.format = golden_format_of_name(text);
        if (arguments->settings.format == GOLDEN_FORMATS)
            exit(cli_unknown(text, "a format", "formats are npy, npz, raw, c, hex and onnx"));
        return 0;
    case KEY_REQUANTISE:
        arguments->settings.mode = requantise_of_name(text);
        if (arguments->settings.mode == REQUANTISE_MODES)
            exit(cli_unknown(text, "a rounding mode", "`convref golden --list` shows them"));
        return 0;
    case KEY_SEED: arguments->settings.seed = (uint64_t)cli_number("--seed", text, 0, INT64_MAX); return 0;
    case KEY_LANES: arguments->settings.lanes = (int)cli_number("--lanes", text, 1, 1024); return 0;
    case KEY_DATA: arguments->data = data_set(text); arguments->data_text = text; return 0;
    case KEY_CHECK: arguments->check = true; return 0;
    case KEY_LIST: arguments->list = true; return 0;
    case ARGP_KEY_ARGS:
        arguments->folder = state->argv[state->next];
        arguments->problems = (const char **)state->argv + state->next + 1;
        arguments->problem_count = state->argc - state->next - 1;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what to make ---------------------------------------------------------------------------------------------- */

/* Each problem of the command line with each kind of data: "p1-integers", "p1-real", ... */
static int given_plans(struct golden_plan *plans, const struct arguments *arguments)
{
    const unsigned set = arguments->data ? arguments->data : 1u << GOLDEN_INTEGERS | 1u << GOLDEN_REAL;
    struct conv_error error;
    int count = 0;
    for (int i = 0; i < arguments->problem_count; i++)
        for (enum golden_data data = 0; data < GOLDEN_KINDS; data++) {
            if (!(set & 1u << data))
                continue;
            struct golden_plan *plan = &plans[count++];
            plan->data = data;
            snprintf(plan->name, sizeof plan->name, "p%d-%s", i + 1, golden_data_name(data));
            if (conv_problem_parse(&plan->problem, arguments->problems[i], &error) != CONV_OK)
                exit(cli_error(&error, arguments->problems[i]));
        }
    return count;
}

/* The default set, of which an ONNX model can't say everything. */
static int default_plans(struct golden_plan *plans, enum golden_format format)
{
    struct conv_error error;
    int count = 0;
    for (int i = 0; i < golden_default_count(); i++) {
        if (golden_default_at(&plans[count], i, &error) != CONV_OK)
            exit(cli_error(&error, NULL));   /* a fault of the table */
        count += format != GOLDEN_ONNX || !golden_onnx_refuses(&plans[count]);
    }
    return count;
}

/* The command that makes the folder again.  Every choice is written out: defaults may change. */
static void print_command(FILE *command, const struct arguments *arguments, const struct golden_plan *plans,
                          int count)
{
    const struct golden_settings *settings = &arguments->settings;
    char problem[CONV_PROBLEM_TEXT];
    fprintf(command, "convref golden FOLDER --seed %" PRIu64 " --format %s --lanes %d --requantise %s",
            settings->seed,
            golden_format_name(settings->format), settings->lanes, requantise_name(settings->mode));
    if (arguments->problem_count == 0)
        return;
    fprintf(command, " --data %s", arguments->data_text ? arguments->data_text : "integers,real");
    const int kinds = count / arguments->problem_count;
    for (int i = 0; i < count; i += kinds)
        fprintf(command, " \"%s\"", conv_problem_print(problem, &plans[i].problem));
}

static enum conv_status write_plans(const struct arguments *arguments, const struct golden_plan *plans, int count,
                                    struct conv_error *error)
{
    char *command = NULL;
    size_t length;
    FILE *stream = open_memstream(&command, &length);
    if (stream)
        print_command(stream, arguments, plans, count);
    if (!stream || fclose(stream) != 0)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the manifest");
    const enum conv_status status = golden_write(arguments->folder, plans, count, &arguments->settings, command,
                                                 error);
    free(command);
    return status;
}

static int make(const struct arguments *arguments)
{
    const int room = golden_default_count() + arguments->problem_count * GOLDEN_KINDS;
    struct golden_plan *plans = calloc((size_t)room, sizeof *plans);
    struct conv_error error;
    if (!plans)
        return conv_exit_status(CONV_NO_MEMORY);
    const int count = arguments->problem_count > 0 ? given_plans(plans, arguments)
                                                    : default_plans(plans, arguments->settings.format);
    const enum conv_status status = write_plans(arguments, plans, count, &error);
    free(plans);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    printf("%d case%s in %s, seed %" PRIu64 "\n", count, count == 1 ? "" : "s", arguments->folder,
           arguments->settings.seed);
    if (arguments->problem_count == 0 && count < golden_default_count())
        printf("%d cases of the default set can't be said in ONNX\n", golden_default_count() - count);
    return 0;
}

/* ---- the verb --------------------------------------------------------------------------------------------- */

static int list(void)
{
    struct golden_plan plan;
    char problem[CONV_PROBLEM_TEXT];
    for (int i = 0; i < golden_default_count(); i++)
        if (golden_default_at(&plan, i, NULL) == CONV_OK)
            printf("%-20s %-9s %s\n", plan.name, golden_data_name(plan.data),
                   conv_problem_print(problem, &plan.problem));
    puts("");
    for (enum requantise_mode mode = 0; mode < REQUANTISE_MODES; mode++)
        printf("%-20s %s\n", requantise_name(mode), requantise_words(mode));
    return 0;
}

static int check(const char *folder)
{
    struct conv_error error;
    int files;
    if (golden_check(&files, folder, &error) != CONV_OK)
        return cli_error(&error, NULL);
    printf("%d files in %s are those of its manifest\n", files, folder);
    return 0;
}

int cmd_golden(int argc, char **argv)
{
    static const struct argp argp = { options, parse, "FOLDER [PROBLEM...]",
        "Write test vectors: inputs, outputs and gradients, with a manifest.\v"
        "Without a problem the default set is written.  FOLDER must not exist; it appears when it is complete.  The "
        "same command always writes the same bytes.  `convref verify --golden FOLDER --theirs DIR` judges the "
        "outputs of another implementation.", NULL, NULL, NULL };
    struct arguments arguments = { .settings = { .seed = 1, .lanes = 1 } };
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.list)
        return list();
    if (!arguments.folder)
        return cli_usage("write them where?", "convref golden FOLDER");
    if (!golden_can_hash()) {
        cli_usage("this build can't hash files, because nettle was missing",
                  "install nettle-dev and configure again");
        return EXIT_SKIPPED;
    }
    if (arguments.check)
        return check(arguments.folder);
    if (arguments.data && arguments.problem_count == 0)
        return cli_usage("--data is for problems of your own", "the default set has data of every kind");
    return make(&arguments);
}
