/* fill.c - seeded data that depend on (seed, name, index) alone.   Declared in convref/tensor.h.
 *
 * Element i of a stream is the i-th number of its generator (random.h), found without the others.
 * The stream of a tensor is chosen by the FNV-1a hash of its name.
 */
#include <convref/tensor.h>

#include "core/random.h"

static uint64_t fnv1a64(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

/* ---- integers: most of what a verifier fills in ---------------------------------------------------------------- */

/* The remainder of many numbers by the same divisor, without dividing: the quotient is estimated from 2^64 / divisor,
 * and is too small by at most one. */
struct divisor { uint64_t divisor, reciprocal; };

static struct divisor divisor_of(uint64_t divisor) { return (struct divisor){ divisor, UINT64_MAX / divisor }; }

static uint64_t remainder_of(uint64_t number, const struct divisor *by)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    const uint64_t rest = number - (uint64_t)((wide)number * by->reciprocal >> 64) * by->divisor;
    return rest < by->divisor ? rest : rest - by->divisor;
#else
    return number % by->divisor;
#endif
}

/* 1 to `range` with either sign. */
static double integer(uint64_t z, const struct divisor *range)
{
    const double size = 1 + (double)remainder_of(z >> 1, range);
    return z & 1 ? -size : size;
}

/* ---- numbers of any kind --------------------------------------------------------------------------------------- */

static double value(const struct conv_fill *fill, uint64_t stream, int64_t index)
{
    const uint64_t z = random_at(stream, index);
    switch (fill->kind) {
    case CONV_FILL_INTEGERS: {
        const struct divisor range = divisor_of((uint64_t)fill->range);
        return integer(z, &range);
    }
    case CONV_FILL_UNIFORM:
        return ((double)(z >> 40) * 0x1p-23 - 1) * fill->range;
    case CONV_FILL_CONSTANT:
        return fill->range;
    default:
        return index == fill->impulse ? fill->range : 0;
    }
}

double conv_fill_value(const struct conv_fill *fill, const char *name, int64_t index)
{
    return value(fill, fill->seed ^ fnv1a64(name), index);
}

void conv_fill(enum conv_type type, void *data, int64_t count, const char *name,
               const struct conv_fill *fill)
{
    const uint64_t stream = fill->seed ^ fnv1a64(name);
    if (fill->kind == CONV_FILL_INTEGERS) {
        const struct divisor range = divisor_of((uint64_t)fill->range);
        for (int64_t i = 0; i < count; i++)
            conv_set(type, data, i, integer(random_at(stream, i), &range));
        return;
    }
    for (int64_t i = 0; i < count; i++)
        conv_set(type, data, i, value(fill, stream, i));
}
