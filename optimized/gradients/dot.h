/* dot.h - inner products of long rows in registers: the micro-kernel of the weight gradients.
 *
 * The tile of tile.h has outputs in its lanes.  A gradient of weights sums over positions, and in both of its
 * matrices positions lie side by side; so here the lanes are positions, a vector is a partial sum, and the lanes are
 * added up once, at the end:
 *
 *   sums[a][b] = SUM over the lanes of  acc[a][b] += A[a][i] * B[b][i]       for i = 0 .. count - 1
 *
 * In each step DOT_A + DOT_B loads feed DOT_A * DOT_B multiply-adds; nothing is broadcast and nothing is turned.
 * Used by the bwd_weights ladder; dw_bwd_weights adds up lanes and rows with it.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_DOT_H
#define CONVREF_OPTIMIZED_GRADIENTS_DOT_H

#include <convref/simd.h>

enum {
    DOT_A = CONV_REGISTERS == 32 ? 4 : 3,
    DOT_B = CONV_REGISTERS == 32 ? 6 : 4
};

_Static_assert(DOT_A * DOT_B + DOT_A + 1 <= CONV_REGISTERS, "the sums, a step of A and one vector of B must fit");

CONV_INLINE float vec_sum(vec v)
{
    float sum = 0;
    for (int lane = 0; lane < CONV_LANES; lane++)
        sum += v[lane];
    return sum;
}

/* The rows hold whole vectors: `count` is a multiple of CONV_LANES, and zeros stand behind the last position. */
CONV_INLINE void dot_rows(float sums[DOT_A][DOT_B], const float *const A[DOT_A], const float *const B[DOT_B],
                          int64_t count)
{
    vec acc[DOT_A][DOT_B];
    CONV_CHECK(count % CONV_LANES == 0);
    CONV_UNROLL
    for (int a = 0; a < DOT_A; a++)
        CONV_UNROLL
        for (int b = 0; b < DOT_B; b++)
            acc[a][b] = vec_set(0);
    for (int64_t i = 0; i < count; i += CONV_LANES) {
        vec as[DOT_A];
        CONV_UNROLL
        for (int a = 0; a < DOT_A; a++)
            as[a] = vec_load(A[a] + i);
        CONV_UNROLL
        for (int b = 0; b < DOT_B; b++) {
            const vec bs = vec_load(B[b] + i);
            CONV_UNROLL
            for (int a = 0; a < DOT_A; a++)
                acc[a][b] += as[a] * bs;
        }
    }
    CONV_UNROLL
    for (int a = 0; a < DOT_A; a++)
        CONV_UNROLL
        for (int b = 0; b < DOT_B; b++)
            sums[a][b] = vec_sum(acc[a][b]);
}

/* The sum of one row. */
CONV_INLINE float row_sum(const float *row, int64_t count)
{
    vec sum = vec_set(0);
    int64_t i = 0;
    for (; i + CONV_LANES <= count; i += CONV_LANES)
        sum += vec_load(row + i);
    return vec_sum(sum + vec_load_some(row + i, count - i));
}

#endif
