/* environment.h - the floating-point environment of this thread: rounding mode, flush to zero, exceptions.  Internal.
 *
 * A kernel may change it for its own use and must put it back: who called it computes in it.  Sticky exception flags
 * don't count, since every sum sets them.   Not seen: what a kernel does to threads of its own.
 */
#ifndef CONVREF_VERIFY_SANDBOX_ENVIRONMENT_H
#define CONVREF_VERIFY_SANDBOX_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct environment {
    int rounding;        /* as fegetround() says */
    uint64_t control;    /* x86: MXCSR without its flags; ARM: FPCR; elsewhere 0 */
    unsigned x87;        /* the control word of the x87 unit; elsewhere 0 */
};

struct environment environment_read(void);
void environment_restore(const struct environment *environment);

/* Say what is different, "the rounding mode is upward, it was to nearest"; false, and no words, if nothing is. */
bool environment_changed(char *words, size_t room, const struct environment *before, const struct environment *after);

#endif
