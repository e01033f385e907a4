/* fiber.cc - the switch between stacks: push what a function must keep, change the stack, pop it again.
 *
 * A fiber that has been left is the top of its stack, where its registers lie.  Fifteen instructions on x86-64, two dozen
 * on AArch64; elsewhere ucontext does the same, slower, since it asks the system to keep the signal mask.
 * Not here: who runs next.   Read next: grid.cc
 */
#include "grid.h"

#define SWITCH(instructions) \
    asm(".text\n.globl emulator_switch\n.hidden emulator_switch\n.type emulator_switch, %function\nemulator_switch:\n" \
        instructions ".size emulator_switch, .-emulator_switch\n")

#if defined(__x86_64__)

SWITCH(R"(
    pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
    ret
)");
enum { RETURN = 6, WORDS = 8 };   /* of those pushed: the address to return to; all, and one to align */

#elif defined(__aarch64__)

SWITCH(R"(
    stp x29, x30, [sp, #-160]!
    stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]; stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]; stp d8, d9, [sp, #96]; stp d10, d11, [sp, #112]; stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]; ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]; ldp d8, d9, [sp, #96]; ldp d10, d11, [sp, #112]; ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    ldp x29, x30, [sp], #160
    ret
)");
enum { RETURN = 1, WORDS = 20 };

#endif

#if defined(__x86_64__) || defined(__aarch64__)

void *new_fiber(emulator::segment stack, void (*entry)())
{
    char *end = stack.begin + stack.bytes;
    void **words = reinterpret_cast<void **>(end - reinterpret_cast<uintptr_t>(end) % 16) - WORDS;
    memset(words, 0, WORDS * sizeof *words);
    words[RETURN] = reinterpret_cast<void *>(entry);
    return words;
}

#else
#include <ucontext.h>

void *new_fiber(emulator::segment stack, void (*entry)())
{
    ucontext_t *at = reinterpret_cast<ucontext_t *>(stack.begin);   /* the bottom, which the stack doesn't reach */
    getcontext(at);
    at->uc_stack.ss_sp = stack.begin + sizeof *at;
    at->uc_stack.ss_size = stack.bytes - sizeof *at;
    makecontext(at, entry, 0);
    return at;
}

void emulator_switch(void **from, void *to)
{
    ucontext_t here;
    *from = &here;
    swapcontext(&here, static_cast<ucontext_t *>(to));
}

#endif
