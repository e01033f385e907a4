/* guest.c - while a provider's function runs, the library gives no answers.   Declared in guest.h. */
#include "core/guest.h"

#include <stdatomic.h>
#include <stdlib.h>

static const struct conv_kernel **guests;
static int guest_count;

static _Thread_local bool inside_here;     /* a guest's function runs in this thread */
static atomic_bool inside_anywhere;        /* ... or in any, in a process of its own */
static bool own_process;
static _Atomic(const char *) asked;

bool guest_add(const struct conv_kernel *kernel)
{
    const struct conv_kernel **more = realloc(guests, sizeof *more * (size_t)(guest_count + 1));
    if (!more)
        return false;
    guests = more;
    guests[guest_count++] = kernel;
    return true;
}

bool guest_is(const struct conv_kernel *kernel)
{
    for (int i = 0; i < guest_count; i++)
        if (guests[i] == kernel)
            return true;
    return false;
}

static bool enter(bool guest)
{
    const bool was = inside_here;
    inside_here = was || guest;
    if (own_process)
        inside_anywhere = inside_here;
    return was;
}

bool guest_enter(const struct conv_kernel *kernel) { return enter(guest_count > 0 && guest_is(kernel)); }
bool guest_enter_all(void) { return enter(true); }

void guest_leave(bool was)
{
    inside_here = was;
    if (own_process)
        inside_anywhere = was;
}

void guest_owns_process(void) { own_process = true; }

bool guest_asks(const char *function)
{
    const bool asks = inside_here || (own_process && inside_anywhere);
    if (asks)
        asked = function;
    return asks;
}

const char *guest_asked(void) { return atomic_exchange(&asked, NULL); }
