/* roof_loops.c - as many multiply-adds, and as many loads, as the processor can do in a second.
 *
 * Compiled once per instruction set, like a kernel.  Timed by roof.c.
 */
#include "core/roof.h"

#include <convref/kernel.h>
#include <convref/simd.h>

/* A fused multiply-add takes 4 or 5 cycles and two start in each: 10 or more must be in flight. */
enum { CHAINS = 12 };

/* acc = acc * a + b in CHAINS independent chains.  The values converge to b / (1 - a) = 2, so that no
 * number becomes infinite or subnormal and slow. */
static double multiply_add(int64_t rounds)
{
    vec acc[CHAINS], a = vec_set(0.5f), b = vec_set(1.0f);
    CONV_UNROLL
    for (int i = 0; i < CHAINS; i++)
        acc[i] = vec_set((float)i);
    for (int64_t round = 0; round < rounds; round++) {
        CONV_UNROLL
        for (int i = 0; i < CHAINS; i++)
            acc[i] = acc[i] * a + b;
        /* the compiler may not know that every round is alike */
        CONV_UNROLL
        for (int i = 0; i < CHAINS; i++)
            __asm__ volatile("" : "+" CONV_VECTOR_REGISTER (acc[i]));
    }
    return (double)rounds * CHAINS * CONV_LANES;
}

static float read_array(const float *data, int64_t count, int64_t passes)
{
    enum { STREAMS = 8, STEP = STREAMS * CONV_LANES };
    vec sum[STREAMS];
    float total = 0;
    CONV_UNROLL
    for (int i = 0; i < STREAMS; i++)
        sum[i] = vec_set(0);
    for (int64_t pass = 0; pass < passes; pass++)
        for (int64_t at = 0; at + STEP <= count; at += STEP) {
            CONV_UNROLL
            for (int i = 0; i < STREAMS; i++)
                sum[i] += vec_load(data + at + i * CONV_LANES);
        }
    for (int i = 0; i < STREAMS; i++)
        for (int lane = 0; lane < CONV_LANES; lane++)
            total += sum[i][lane];
    return total;
}

/* The last third becomes the sum of the others: two loads and a store, as a convolution has both. */
static void add_arrays(float *data, int64_t count, int64_t passes)
{
    const int64_t third = count / 3 / CONV_LANES * CONV_LANES;
    for (int64_t pass = 0; pass < passes; pass++)
        for (int64_t at = 0; at + CONV_LANES <= third; at += CONV_LANES)
            vec_store(data + 2 * third + at, vec_load(data + at) + vec_load(data + third + at));
}

const struct conv_roof_loops CONV_SYMBOL(conv_roof_loops) = { multiply_add, read_array, add_arrays };
