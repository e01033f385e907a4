/* fiber.h - a thread that changes hands by itself: its stack, and the switch to another.
 *
 * Not here: who runs next (grid.cc).   Read next: fiber.cc
 */
#pragma once
#include <cstddef>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
struct fiber { ucontext_t at; };
#else
struct fiber { void *at; };   /* the top of its stack, where its registers lie */
#endif

/* A fiber that begins with entry(), which never returns, on the stack that ends at `top` and has `bytes`. */
void fiber_prepare(fiber *fiber, char *top, size_t bytes, void (*entry)());

/* Leave `from` as it is, and go on where `to` was left. */
void fiber_switch(fiber *from, fiber *to);
