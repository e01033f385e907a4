/* fiber.cc - the switch: push what a function must keep, change the stack, pop it again.
 *
 * Fifteen instructions on x86-64, two dozen on AArch64; elsewhere ucontext does the same, slower, since it asks the
 * system to keep the signal mask.   Read next: grid.cc
 */
#include "fiber.h"
#include <cstdint>

#if defined(__x86_64__)

asm(R"(
    .text
    .globl emulator_switch
    .hidden emulator_switch
    .type emulator_switch, @function
emulator_switch:
    pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
    ret
    .size emulator_switch, .-emulator_switch
)");
enum { KEPT = 6, RETURN = 6, WORDS = 8 };   /* registers from the lowest address; the return address; one to align */

#elif defined(__aarch64__)

asm(R"(
    .text
    .globl emulator_switch
    .hidden emulator_switch
    .type emulator_switch, %function
emulator_switch:
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
    .size emulator_switch, .-emulator_switch
)");
enum { RETURN = 1, WORDS = 20 };

#endif

#if defined(__x86_64__) || defined(__aarch64__)

extern "C" void emulator_switch(void **from, void *to);

void fiber_prepare(fiber *fiber, char *top, size_t, void (*entry)())
{
    void **words = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(top) & ~static_cast<uintptr_t>(15)) - WORDS;
    for (int i = 0; i < WORDS; i++)
        words[i] = nullptr;
    words[RETURN] = reinterpret_cast<void *>(entry);
    fiber->at = words;
}

void fiber_switch(fiber *from, fiber *to) { emulator_switch(&from->at, to->at); }

#else

void fiber_prepare(fiber *fiber, char *top, size_t bytes, void (*entry)())
{
    getcontext(&fiber->at);
    fiber->at.uc_stack.ss_sp = top - bytes;
    fiber->at.uc_stack.ss_size = bytes;
    fiber->at.uc_link = nullptr;
    makecontext(&fiber->at, entry, 0);
}

void fiber_switch(fiber *from, fiber *to) { swapcontext(&from->at, &to->at); }

#endif
