/* isa.c - which instruction sets are compiled in, and which this machine has.
 * Declared in convref/isa.h. */
#include <config.h>
#include <convref/isa.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CONV_ISAS] = { "baseline", "avx2", "avx512" };

static int limit = -1;   /* not set yet */

const char *conv_isa_name(enum conv_isa isa) { return names[isa]; }

bool conv_isa_compiled(enum conv_isa isa)
{
    switch (isa) {
    case CONV_ISA_AVX2:
#ifdef HAVE_AVX2_BUILD
        return true;
#else
        return false;
#endif
    case CONV_ISA_AVX512:
#ifdef HAVE_AVX512_BUILD
        return true;
#else
        return false;
#endif
    default:
        return true;
    }
}

static bool machine_has(enum conv_isa isa)
{
#if defined(__x86_64__) || defined(__i386__)
    if (isa == CONV_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == CONV_ISA_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#endif
    return isa == CONV_ISA_BASELINE;
}

bool conv_isa_available(enum conv_isa isa)
{
    return conv_isa_compiled(isa) && machine_has(isa);
}

enum conv_isa conv_isa_best(void)
{
    enum conv_isa best = CONV_ISA_BASELINE;
    for (int isa = 0; isa < CONV_ISAS; isa++)
        if (machine_has((enum conv_isa)isa))
            best = (enum conv_isa)isa;
    return best;
}

enum conv_isa conv_isa_limit(void)
{
    if (limit < 0) {
        const char *wanted = getenv("CONVREF_ISA");
        limit = CONV_ISAS - 1;
        for (int isa = 0; isa < CONV_ISAS; isa++)
            if (wanted && !strcmp(wanted, names[isa]))
                limit = isa;
    }
    return (enum conv_isa)limit;
}

void conv_isa_set_limit(enum conv_isa isa) { limit = isa; }
