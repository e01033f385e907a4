/* sandbox.h - run a function in a child that may crash or hang.  Internal. */
#ifndef CONVREF_VERIFY_SANDBOX_H
#define CONVREF_VERIFY_SANDBOX_H

#include <convref/base.h>

/* How the child ended. */
struct sandbox_end {
    bool completed;    /* the function returned */
    bool timed_out;    /* killed when its time was up */
    int signal;        /* that ended it, or 0 */
    int status;        /* its exit status */
};

/* Run body(argument) in a forked child, at most `seconds`; `meanwhile` is called now and then in the parent. */
enum conv_status sandbox_run(struct sandbox_end *end, void (*body)(void *), void *argument, double seconds,
                             void (*meanwhile)(void *), struct conv_error *error);

#endif
