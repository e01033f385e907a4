/* options.h - options that several verbs have.  Internal.
 *
 * A verb is one file, program/cmd_VERB.c, and one line in program/verbs.h.  It parses its options with argp, does its
 * work through the library, and returns the exit status (messages.h).
 */
#ifndef CONVREF_VERIFY_CLI_OPTIONS_H
#define CONVREF_VERIFY_CLI_OPTIONS_H

#include <argp.h>
#include <convref.h>

#include "verify/cli/kernels.h"
#include "verify/cli/messages.h"
#include "verify/io/output.h"
#include "verify/io/table.h"

/* Options that several verbs have.  A verb takes cli_argp as a child and points its input at this. */
struct cli {
    enum table_format format;
    const char *output;       /* "-" is the standard output */
    uint64_t seed;
    int threads;              /* 0: not given */
    const char *network;      /* --network */
    const char *layer;        /* --layer */
    char *in;                 /* --in: sizes that the model of --network leaves open, a line for each */
    const char *providers[16];/* opened when all options have been read */
    int provider_count;
};

struct cli cli_defaults(void);

/* Sets of common options, for argp's list of children. */
extern const struct argp cli_output_argp;    /* --format --output */
extern const struct argp cli_kernel_argp;    /* --provider --isa --threads --seed */
extern const struct argp cli_network_argp;   /* --network --layer --in */

/* One more --in behind those that were given (NULL: none), which are freed.  The last lines stay until the program
 * ends. */
char *cli_add_in(char *lines, const char *text);

/* Keys of options without a short form, for verbs to count on from. */
enum { CLI_KEYS = 0x1000 };

#endif
