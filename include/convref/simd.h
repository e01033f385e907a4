/* simd.h - a small vocabulary for vectors of floats, the same words on every processor.
 *
 * vec is as many floats as one register holds.  It is a vector type of GCC and clang, so that +, - and *
 * work on it, and `acc + a * b` becomes one fused multiply-add where there is one (kernels are compiled
 * with -ffp-contract=fast).  Only what kernels need is here; nothing assumes alignment.
 *
 *     set      lanes   CONV_LANES   registers   CONV_REGISTERS
 *     SSE2     4                    16          (the baseline of x86-64)
 *     AVX2     8                    16
 *     AVX-512  16                   32
 *     NEON     4                    32          (the baseline of AArch64; tools/check-other-machine)
 *
 * Threads: safe; nothing here is kept.   Read next: docs/adding-a-kernel.md
 */
#ifndef CONVREF_SIMD_H
#define CONVREF_SIMD_H

#include <convref/problem.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
enum { CONV_LANES = 16, CONV_REGISTERS = 32 };
#define CONV_LANES_OF(x) { x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x }
#define CONV_EVERY_SECOND(x) x, x + 2, x + 4, x + 6, x + 8, x + 10, x + 12, x + 14, x + 16, x + 18, x + 20, x + 22, \
                             x + 24, x + 26, x + 28, x + 30
#elif defined(__AVX__)
enum { CONV_LANES = 8, CONV_REGISTERS = 16 };
#define CONV_LANES_OF(x) { x, x, x, x, x, x, x, x }
#define CONV_EVERY_SECOND(x) x, x + 2, x + 4, x + 6, x + 8, x + 10, x + 12, x + 14
#else
#if defined(__aarch64__)
enum { CONV_LANES = 4, CONV_REGISTERS = 32 };
#else
enum { CONV_LANES = 4, CONV_REGISTERS = 16 };
#endif
#define CONV_LANES_OF(x) { x, x, x, x }
#define CONV_EVERY_SECOND(x) x, x + 2, x + 4, x + 6
#endif

typedef float vec __attribute__((vector_size(CONV_LANES * sizeof(float))));
typedef int32_t vec_mask __attribute__((vector_size(CONV_LANES * sizeof(int32_t))));

/* The letter of a vector register in inline assembly, for loops that the compiler may not see through. */
#if defined(__x86_64__) || defined(__i386__)
#define CONV_VECTOR_REGISTER "v"
#else
#define CONV_VECTOR_REGISTER "w"
#endif

/* The compiler must keep small arrays of vectors in registers, so their loops are unrolled. */
#define CONV_UNROLL _Pragma("GCC unroll 16")
#define CONV_INLINE static inline __attribute__((always_inline))

/* The same number in every lane. */
CONV_INLINE vec vec_set(float x)
{
    const vec v = CONV_LANES_OF(x);
    return v;
}

CONV_INLINE vec vec_load(const float *from)
{
    vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

CONV_INLINE void vec_store(float *to, vec v)
{
    memcpy(to, &v, sizeof v);
}

/* The first `count` lanes only; the others read as 0 and are not written.  0 <= count <= CONV_LANES */
CONV_INLINE vec vec_load_some(const float *from, int64_t count)
{
    vec v = vec_set(0);
    memcpy(&v, from, (size_t)count * sizeof *from);
    return v;
}

CONV_INLINE void vec_store_some(float *to, vec v, int64_t count)
{
    memcpy(to, &v, (size_t)count * sizeof *to);
}

/* Lane by lane: where the mask is set a, elsewhere b. */
CONV_INLINE vec vec_select(vec_mask mask, vec a, vec b)
{
    return (vec)(((vec_mask)a & mask) | ((vec_mask)b & ~mask));
}

/* Lane i becomes v[from[i]], 0 <= from[i] < CONV_LANES. */
CONV_INLINE vec vec_permute(vec v, vec_mask from)
{
#if defined(__clang__)   /* it has no word for an order that is known only at run time */
    vec to;
    for (int lane = 0; lane < CONV_LANES; lane++)
        to[lane] = v[from[lane]];
    return to;
#else
    return __builtin_shuffle(v, from);
#endif
}

/* Lanes 0, 2, 4, ... of a and then of b; and lanes 1, 3, 5, ... */
#if defined(__clang__)
CONV_INLINE vec vec_evens(vec a, vec b) { return __builtin_shufflevector(a, b, CONV_EVERY_SECOND(0)); }
CONV_INLINE vec vec_odds(vec a, vec b) { return __builtin_shufflevector(a, b, CONV_EVERY_SECOND(1)); }
#else
CONV_INLINE vec vec_evens(vec a, vec b)
{
    const vec_mask lanes = { CONV_EVERY_SECOND(0) };
    return __builtin_shuffle(a, b, lanes);
}
CONV_INLINE vec vec_odds(vec a, vec b)
{
    const vec_mask lanes = { CONV_EVERY_SECOND(1) };
    return __builtin_shuffle(a, b, lanes);
}
#endif

/* conv_activate() of kernel.h on every lane: NaN passes through. */
CONV_INLINE vec vec_activate(enum conv_activation act, vec v)
{
    if (act != CONV_ACT_NONE)
        v = vec_select(v < vec_set(0), vec_set(0), v);
    if (act == CONV_ACT_RELU6)
        v = vec_select(v > vec_set(6), vec_set(6), v);
    return v;
}

#endif
