/* random.h - random numbers that anybody can make again: the same everywhere, from a seed and an index.  Internal.
 *
 * The generator is splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * its state counts in steps of the golden ratio, so the number at any index can be had without those before it.
 * Not here: what is made of them (core/fill.c, verify/maths/).
 */
#ifndef CONVREF_CORE_RANDOM_H
#define CONVREF_CORE_RANDOM_H

#include <stdint.h>

#define RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The number at an index, 0 and up, of a seed's stream. */
static inline uint64_t random_at(uint64_t seed, int64_t index)
{
    return random_mix(seed + (uint64_t)(index + 1) * RANDOM_STEP);
}

/* The next number of a stream; *state begins as the seed. */
static inline uint64_t random_next(uint64_t *state) { return random_mix(*state += RANDOM_STEP); }

#endif
