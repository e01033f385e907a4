/* define.h - what the files of kernels are written with: how one is defined, checked, and kept naive where it must
 * be.
 *
 * Not here: what a kernel is (kernel.h), vectors (simd.h).   Threads: safe.   Read next: docs/adding-a-kernel.md
 */
#ifndef CONVREF_DEFINE_H
#define CONVREF_DEFINE_H

#include <convref/isa.h>
#include <convref/problem.h>

/* Define a kernel: CONV_KERNEL(name, .title = "...", .kinds = ..., .run = run)
 * The name becomes the symbol, and the instruction set is that of the build.  A file of the library is compiled
 * several times, with CONV_VARIANT telling the symbols apart. */
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#define CONV_ISA_OF_BUILD CONV_ISA_AVX512
#elif defined(__AVX2__) && defined(__FMA__)
#define CONV_ISA_OF_BUILD CONV_ISA_AVX2
#else
#define CONV_ISA_OF_BUILD CONV_ISA_BASELINE
#endif
#ifndef CONV_VARIANT
#define CONV_VARIANT
#endif
#define CONV_PASTE_(a, b) a##b
#define CONV_PASTE(a, b) CONV_PASTE_(a, b)
#define CONV_SYMBOL(id) CONV_PASTE(id, CONV_VARIANT)
#define CONV_KERNEL(id, ...) \
    extern const struct conv_kernel CONV_SYMBOL(kernel_##id); \
    const struct conv_kernel CONV_SYMBOL(kernel_##id) = { \
        .name = #id, .isa = CONV_ISA_OF_BUILD, __VA_ARGS__ }

/* Before a function whose loops the compiler must not vectorise by itself, where that would make a naive step slower
 * than naive and the next steps look better than they are. */
#if defined(__GNUC__) && !defined(__clang__)
#define CONV_SCALAR __attribute__((optimize("no-tree-vectorize")))
#else
#define CONV_SCALAR
#endif

/* An invariant of a kernel, looked at in the checked build (configure --enable-checked) alone. */
#ifdef CONV_CHECKED
#include <assert.h>
#define CONV_CHECK(condition) assert(condition)
#else
#define CONV_CHECK(condition) ((void)0)
#endif

/* The activation, on one number.  Written so that NaN passes through. */
static inline float conv_activate(enum conv_activation act, float value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

#endif
