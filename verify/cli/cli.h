/* cli.h - what the verbs of the program share: options, errors, progress, and where output goes.
 *
 * A verb is one file, cmd_VERB.c, and one line in convref.c.  It parses its options with argp, does its work through
 * the library, and returns the exit status:
 *     0 accepted or done   1 rejected   2 wrong usage   3 inconclusive   4 a bad file   77 does not apply
 */
#ifndef CONVREF_VERIFY_CLI_H
#define CONVREF_VERIFY_CLI_H

#include <argp.h>
#include <convref.h>

#include "../io/output.h"
#include "../io/table.h"

enum { EXIT_USAGE = 2, EXIT_FILE = 4, EXIT_SKIPPED = 77 };

/* Options that several verbs have.  A verb takes cli_argp as a child and points its input at this. */
struct cli {
    enum table_format format;
    const char *output;       /* "-" is the standard output */
    uint64_t seed;
    int threads;              /* 0: not given */
    const char *network;      /* --network */
    const char *layer;        /* --layer */
};

struct cli cli_defaults(void);

/* Sets of common options, for argp's list of children. */
extern const struct argp cli_output_argp;    /* --format --output */
extern const struct argp cli_kernel_argp;    /* --provider --isa --threads --seed */
extern const struct argp cli_network_argp;   /* --network --layer */

/* Keys of options without a short form, for verbs to count on from. */
enum { CLI_KEYS = 0x1000 };

/* "convref count": what messages begin with; set by main(). */
extern const char *cli_name;

/* Say what is wrong, where in the text that was read (or NULL), and what would be right.  Returns the exit status. */
int cli_error(const struct conv_error *error, const char *text);

/* Wrong usage: a sentence, and a hint that may be NULL.  Returns EXIT_USAGE. */
int cli_usage(const char *what, const char *hint);

/* A word that an option doesn't know: "'xml' is not a format", and what would be legal.  Returns EXIT_USAGE. */
int cli_unknown(const char *word, const char *sort, const char *legal);

/* A number from `least` to `most`; ends the program with a message about `option` if it isn't one. */
int64_t cli_number(const char *option, const char *text, int64_t least, int64_t most);

/* The kernel of that name; NULL after a message that suggests the nearest. */
const struct conv_kernel *cli_kernel(const char *name);

/* Kernels whose names match a list such as "std_*,dw_01_direct"; returns how many, 0 after a message. */
int cli_kernels(const struct conv_kernel **list, int room, const char *patterns);

/* Layers: the problem of the command line, or those of a network (--network, --layer). */
struct cli_layers {
    int count;
    struct conv_problem *problems;
    char (*labels)[64];
    int *repeats;             /* how often the same problem stands in the network */
};

/* distinct: each shape once, with its number of repeats. */
enum conv_status cli_layers(struct cli_layers *layers, const char *network, const char *layer, bool distinct,
                            struct conv_error *error);
void cli_layers_free(struct cli_layers *layers);

/* A bar on standard error, on a terminal only; total 0 clears it. */
void cli_progress(const char *what, int64_t done, int64_t total);

/* Colours: the text in a colour if standard output is a terminal and NO_COLOR isn't set. */
enum cli_colour { CLI_PLAIN, CLI_GOOD, CLI_BAD, CLI_DIM };
const char *cli_colour(enum cli_colour colour);

#endif
