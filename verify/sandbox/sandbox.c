/* sandbox.c - run a function in a child that may crash or hang.
 *
 * The body runs in a thread of its own: a forked child has only the thread that forked, and an OpenMP runtime
 * that was used before still believes in the others.  A new thread gets a new team.
 */
#include "sandbox.h"

#include <convref/machine.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct call { void (*body)(void *); void *argument; };

static void *call_body(void *argument)
{
    const struct call *call = argument;
    call->body(call->argument);
    return NULL;
}

/* Never returns.  0 is the status of a body that returned. */
static void be_child(const struct call *call)
{
    enum { STACK = 64 << 20 };   /* kernels may keep tiles on the stack */
    pthread_attr_t attributes;
    pthread_t thread;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, call_body, (void *)call) != 0)
        _exit(126);
    pthread_join(thread, NULL);
    _exit(0);
}

/* Wait for the child; kill it when its time is up. */
static void wait_for(struct sandbox_end *end, pid_t child, double seconds, void (*meanwhile)(void *), void *argument)
{
    const struct timespec nap = { .tv_nsec = 2 * 1000 * 1000 };
    const double deadline = conv_seconds() + seconds;
    int status = 0;
    double reported = conv_seconds();
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (conv_seconds() > deadline && !end->timed_out) {
            end->timed_out = true;
            kill(child, SIGKILL);
        }
        if (conv_seconds() - reported > 0.1) {
            meanwhile(argument);
            reported = conv_seconds();
        }
        nanosleep(&nap, NULL);
    }
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    end->completed = WIFEXITED(status) && end->status == 0 && !end->timed_out;
}

enum conv_status sandbox_run(struct sandbox_end *end, void (*body)(void *), void *argument, double seconds,
                             void (*meanwhile)(void *), struct conv_error *error)
{
    const struct call call = { body, argument };
    *end = (struct sandbox_end){ .completed = false };
    fflush(NULL);   /* or the child would write what is buffered a second time */
    const pid_t child = fork();
    if (child < 0)
        return conv_fail(error, CONV_NO_MEMORY, "no child process: %s", strerror(errno));
    if (child == 0)
        be_child(&call);
    wait_for(end, child, seconds, meanwhile, argument);
    return CONV_OK;
}
