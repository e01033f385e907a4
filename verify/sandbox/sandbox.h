/* sandbox.h - run a function or a command in a child that may crash, hang, end, print or eat all memory.  Internal.
 *
 * The child has a process group of its own, which is killed as a whole; nothing to read; its output goes to a pipe;
 * it gains no privileges, leaves no core file, and has a limit of memory and of CPU time.
 * Not here: protection from code that was built to deceive.  That needs a container.
 */
#ifndef CONVREF_VERIFY_SANDBOX_SANDBOX_H
#define CONVREF_VERIFY_SANDBOX_SANDBOX_H

#include <convref/base.h>

struct sandbox_limits {
    double seconds;    /* of wall clock */
    size_t memory;     /* bytes that the child may take besides what this process has; 0: as many as there are */
};

enum { SANDBOX_TAIL = 1024 };

/* How the child ended. */
struct sandbox_end {
    bool completed;         /* the function returned, or the command ended with 0 */
    bool timed_out;         /* killed when its time was up */
    bool stopped;           /* killed because `go_on` said so */
    bool called_exit;       /* exit(), not _exit(): its handlers ran */
    bool memory_short;      /* sandbox_note_memory() saw that little was left */
    int signal;             /* that ended it, or 0 */
    int status;             /* its exit status */
    size_t memory;          /* the largest that it has been, in bytes */
    int64_t output;         /* bytes that it wrote to its standard output and error */
    char tail[SANDBOX_TAIL];/* the last of them, as text */
};

/* Run body(argument) in a forked child.  `go_on` (may be NULL) is called now and then in the parent; false ends the
 * child.  Both get `argument`. */
enum conv_status sandbox_run(struct sandbox_end *end, void (*body)(void *), void *argument,
                             const struct sandbox_limits *limits, bool (*go_on)(void *), struct conv_error *error);

/* Run a command line with `sh -c`.  `argument` is for go_on. */
enum conv_status sandbox_command(struct sandbox_end *end, const char *command, const struct sandbox_limits *limits,
                                 bool (*go_on)(void *), void *argument, struct conv_error *error);

/* How a child that didn't complete has ended, in words that follow a name: "ended the process with _exit(0); it
 * wrote:
 * ACCEPT", "hadn't returned after 60 seconds".  Returns `text`. */
char *sandbox_words(char *text, size_t room, const struct sandbox_end *end, double seconds);

/* In a child, about to end: note whether little of its memory is left.  May be called from a signal handler; a call
 * of exit() does it by itself. */
void sandbox_note_memory(void);

/* The last lines of what the child wrote, at most `lines`, without what can't be printed.  Returns `text`. */
char *sandbox_last_lines(char *text, size_t room, const struct sandbox_end *end, int lines);

#endif
