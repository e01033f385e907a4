/* messages.h - what the program says: errors, progress, colours, and the statuses that it ends with.  Internal.
 *
 *     0 accepted or done   1 rejected   2 wrong usage   3 inconclusive   4 a bad file   77 does not apply
 */
#ifndef CONVREF_VERIFY_CLI_MESSAGES_H
#define CONVREF_VERIFY_CLI_MESSAGES_H

#include <convref/verdict.h>

enum { EXIT_USAGE = 2, EXIT_FILE = 4, EXIT_SKIPPED = 77 };

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

/* A bar on standard error, on a terminal only; total 0 clears it. */
void cli_progress(const char *what, int64_t done, int64_t total);

/* Colours: the text in a colour if standard output is a terminal and NO_COLOR isn't set. */
enum cli_colour { CLI_PLAIN, CLI_GOOD, CLI_BAD, CLI_DIM };
const char *cli_colour(enum cli_colour colour);

#endif
