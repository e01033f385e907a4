/* convref.c - the program: finds the verb and hands over.
 *
 *   convref VERB [OPTION...] [ARGUMENT...]
 *
 * Adding a verb is one file, cmd_VERB.c, and one line in verbs.h.   Read next: verify/cli/options.h
 */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/words.h"
#include "verify/cli/options.h"
#include "verify/cli/worker.h"
#include "verify/program/verbs.h"

static const struct { const char *name, *summary; int (*run)(int, char **); } verbs[] = {
#define ROW(verb, summary) { #verb, summary, cmd_##verb },
    VERBS(ROW)
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

static int help(FILE *file)
{
    fputs("Usage: convref VERB [OPTION...] [ARGUMENT...]\n"
          "Reference and verification suite for convolutions.\n\nVerbs:\n", file);
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(file, "  %-11s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nOptions:\n"
          "  --help     this text; `convref VERB --help` for the options of a verb\n"
          "  --version  the version\n\n"
          "Exit status: 0 accepted or done, 1 rejected, 2 wrong usage, 3 inconclusive, 4 a bad file,\n"
          "77 does not apply.\n\n"
          "Environment: CONVREF_ISA limits the instruction set (baseline, avx2, avx512),\n"
          "CONVREF_NETWORKS, CONVREF_EXPERIMENTS and CONVREF_PLOTS are folders of network files,\n"
          "experiments and plot scripts, CONVREF_PROVIDERS of the providers that experiments name,\n"
          "NO_COLOR turns colours off, CONVREF_QUICK_ROOF measures the roof in a moment, for tests.\n\n"
          "A problem is a line such as \"c=32 in=112x112 k=64 filter=3x3 pad=1\".\n", file);
    return file == stdout ? 0 : EXIT_USAGE;
}

static int unknown_verb(const char *verb)
{
    const char *names[VERB_COUNT];
    for (int i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i].name;
    const char *nearest = conv_nearest(verb, names, VERB_COUNT);
    fprintf(stderr, "convref: '%s' is not a verb\n    %s%s%s`convref --help` lists the verbs\n", verb,
            nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "");
    return EXIT_USAGE;
}

/* An environment variable with a typing error must not go unnoticed. */
static bool environment_is_good(void)
{
    const char *isa = getenv("CONVREF_ISA");
    for (int i = 0; isa && i < CONV_ISAS; i++)
        if (!strcmp(isa, conv_isa_name((enum conv_isa)i)))
            return true;
    if (isa)
        fprintf(stderr, "convref: CONVREF_ISA=%s is not an instruction set\n    they are baseline, avx2 and avx512\n",
                isa);
    return !isa;
}

/* What was printed must have arrived: a full disk behind > is a bad file like any other. */
static int check_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (status != EXIT_FILE)   /* else it has been said */
        fprintf(stderr, "%s: the standard output can't be written: %s\n", cli_name, strerror(errno));
    return EXIT_FILE;
}

/* glibc's argp has an option that --help doesn't show: --HANG, or as little of it as --H, sleeps for an hour. */
static const char *hidden_option(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--"); i++)
        if (!strncmp(argv[i], "--H", 3))
            return argv[i];
    return NULL;
}

static int run_verb(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
        return help(stdout);
    if (!strcmp(argv[1], "--version")) {
        puts(PACKAGE_STRING);
        return 0;
    }
    for (int i = 0; i < VERB_COUNT; i++)
        if (!strcmp(argv[1], verbs[i].name)) {
            static char name[32];   /* what messages begin with, argp's too */
            snprintf(name, sizeof name, "convref %s", verbs[i].name);
            argv[1] = name;
            cli_name = name;
            if (hidden_option(argc, argv))
                return cli_unknown(hidden_option(argc, argv), "an option", "`--help` lists the options of a verb");
            return verbs[i].run(argc - 1, argv + 1);
        }
    return unknown_verb(argv[1]);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version = PACKAGE_STRING;
    return environment_is_good() ? worker_end(check_output(run_verb(argc, argv))) : EXIT_USAGE;
}
