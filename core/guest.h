/* guest.h - while a provider's function runs, the library gives no answers.  Internal.
 *
 * A kernel that asks the reference for its result, and hands it on, computes nothing and is always right.  So the
 * functions that give answers ask guest_asks() first; they fail when a guest's function runs, and what was asked for
 * is kept, to be a finding.   Not here: protection from code that was built to deceive.
 */
#ifndef CONVREF_CORE_GUEST_H
#define CONVREF_CORE_GUEST_H

#include <convref/kernel.h>

/* Mark the kernels of a provider, before their first call. */
bool guest_add(const struct conv_kernel *kernel);
bool guest_is(const struct conv_kernel *kernel);

/* A function of this kernel is called; returns what guest_leave() needs.  Only this thread is meant, unless the
 * process is the child in which the kernel runs: then all of its threads are. */
bool guest_enter(const struct conv_kernel *kernel);
void guest_leave(bool was);
void guest_owns_process(void);

/* All of a provider's code, while it is opened. */
bool guest_enter_all(void);

/* Is a guest asking?  `function` is remembered. */
bool guest_asks(const char *function);

/* What a guest asked for since the last call of this; NULL if nothing. */
const char *guest_asked(void);

#endif
