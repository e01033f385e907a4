/* environment.c - the floating-point environment of this thread.   Declared in environment.h.
 *
 * The C library knows the rounding mode; the rest lies in a register of the processor: bits of MXCSR are those of
 * Intel's Software Developer's Manual, volume 1, section 10.2.3, of the x87 control word section 8.1.5, and of FPCR
 * those of the ARM Architecture Reference Manual.
 */
#include "verify/sandbox/environment.h"

#include <fenv.h>
#include <stdarg.h>
#include <stdio.h>

/* Bits of a control register, and whether they are a rounding mode, which fegetround() may have told already: it
 * looks at one unit only, on x86-64 at the x87. */
struct bits { uint64_t mask; const char *name; bool rounding; };

#if defined(__x86_64__) || defined(__SSE__)

enum { MXCSR_FLAGS = 0x3F };

static const struct bits control_bits[] = {
    { 0x6000, "the rounding mode of SSE", true }, { 0x8000, "flush to zero", false },
    { 0x0040, "denormals are zero", false }, { 0x1F80, "the mask of exceptions", false },
};
static const struct bits x87_bits[] = {
    { 0x0300, "the precision of the x87", false }, { 0x0C00, "the rounding mode of the x87", true },
    { 0x003F, "the mask of exceptions of the x87", false },
};

static uint64_t read_control(void) { return __builtin_ia32_stmxcsr() & ~(unsigned)MXCSR_FLAGS; }

static void write_control(uint64_t control)
{
    __builtin_ia32_ldmxcsr((unsigned)control | (__builtin_ia32_stmxcsr() & MXCSR_FLAGS));
}

static unsigned read_x87(void)
{
    unsigned short word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static void write_x87(unsigned word)
{
    const unsigned short control = (unsigned short)word;
    __asm__ volatile("fldcw %0" : : "m"(control));
}

#elif defined(__aarch64__)

static const struct bits control_bits[] = {
    { 1u << 24, "flush to zero", false }, { 1u << 19, "flush to zero of f16", false },
    { 1u << 25, "default NaN", false }, { 0x9F00, "the traps of exceptions", false },
};
static const struct bits x87_bits[] = { { 0, "", false } };

static uint64_t read_control(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control;
}

static void write_control(uint64_t control) { __asm__ volatile("msr fpcr, %0" : : "r"(control)); }
static unsigned read_x87(void) { return 0; }
static void write_x87(unsigned word) { (void)word; }

#else

static const struct bits control_bits[] = { { 0, "", false } }, x87_bits[] = { { 0, "", false } };

static uint64_t read_control(void) { return 0; }
static void write_control(uint64_t control) { (void)control; }
static unsigned read_x87(void) { return 0; }
static void write_x87(unsigned word) { (void)word; }

#endif

struct environment environment_read(void)
{
    return (struct environment){ fegetround(), read_control(), read_x87() };
}

void environment_restore(const struct environment *environment)
{
    fesetround(environment->rounding);
    write_control(environment->control);
    write_x87(environment->x87);
}

static const char *rounding_name(int rounding)
{
    static const struct { int mode; const char *name; } names[] = {
        { FE_TONEAREST, "to nearest" },
#ifdef FE_UPWARD
        { FE_UPWARD, "upward" },
#endif
#ifdef FE_DOWNWARD
        { FE_DOWNWARD, "downward" },
#endif
#ifdef FE_TOWARDZERO
        { FE_TOWARDZERO, "toward zero" },
#endif
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].mode == rounding)
            return names[i].name;
    return "unknown";
}

/* Text that grows; what doesn't fit is cut off. */
struct words { char *text; size_t room, used; };

static void __attribute__((format(printf, 2, 3))) say(struct words *words, const char *format, ...)
{
    va_list arguments;
    if (words->used > 0 && words->used + 2 < words->room)
        words->used += (size_t)snprintf(words->text + words->used, words->room - words->used, "; ");
    if (words->used >= words->room)
        return;
    va_start(arguments, format);
    const int wrote = vsnprintf(words->text + words->used, words->room - words->used, format, arguments);
    va_end(arguments);
    words->used += wrote > 0 ? (size_t)wrote : 0;
}

static void compare_bits(struct words *words, const struct bits *bits, size_t count, uint64_t before, uint64_t after,
                         bool rounding_told)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t mask = bits[i].mask;
        if ((before & mask) == (after & mask) || (bits[i].rounding && rounding_told))
            continue;
        if (mask & (mask - 1))   /* several bits */
            say(words, "%s was changed", bits[i].name);
        else
            say(words, "%s was switched %s", bits[i].name, after & mask ? "on" : "off");
    }
}

bool environment_changed(char *text, size_t room, const struct environment *before, const struct environment *after)
{
    struct words words = { text, room, 0 };
    const bool rounding = before->rounding != after->rounding;
    text[0] = 0;
    if (rounding)
        say(&words, "the rounding mode is %s, it was %s", rounding_name(after->rounding),
            rounding_name(before->rounding));
    compare_bits(&words, control_bits, sizeof control_bits / sizeof *control_bits, before->control, after->control,
                 rounding);
    compare_bits(&words, x87_bits, sizeof x87_bits / sizeof *x87_bits, before->x87, after->x87, rounding);
    return words.used > 0;
}
