/* messages.c - errors, progress and colours on a terminal.   Declared in messages.h. */
#include "verify/cli/messages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
