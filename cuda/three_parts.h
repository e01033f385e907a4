/* three_parts.h - a product of f32 matrices on tensor cores, which read 11 of the 24 bits: in three parts a number.
 *
 * big, middle and small have 11, 11 and 2 of its bits, cut off, not rounded: so all have its sign, and no sum of
 * parts is larger than the sum of what they are parts of.  Of the nine products of parts six are made; the other
 * three are each below 2^-31 of the whole.  The large one, big * big, has a sum of its own: tensor cores cut their sums
 * off, and what five small products lose that way is nothing beside the large one.
 * Numbers that have no such parts (infinities, NaN, those near the subnormal ones) are multiplied as step 3 does.
 * Here is what a warp does with a tile (warp_tile.h).   Read next: pointwise/cuda_pw_04_tensor_cores.cu
 */
#pragma once
#include "warp_tile.h"

constexpr int CHANNELS = DEPTH;

/* x in rows of 40: a warp reads 4 channels by 8 positions of it, and 4 times 8 neighbours are 32 banks. */
typedef float x_tile[CHANNELS][SIDE + 8];
typedef float w_tile[SIDE][CHANNELS];

/* The sums of a warp, as mma_m16n8k8() has them: of 16 filters by 32 positions, large products and small ones. */
struct sums { float large[TILES][4], small[TILES][4]; };

/* ---- parts ------------------------------------------------------------------------------------------------------ */

__device__ inline float upper_bits(float value) { return __uint_as_float(__float_as_uint(value) & 0xffffe000); }

/* parts[0 ... 2][i] of value.  Do they add up to it? */
template <int COUNT> __device__ inline bool split(float (&parts)[3][COUNT], int i, float value)
{
    parts[0][i] = upper_bits(value);
    parts[1][i] = upper_bits(value - parts[0][i]);
    parts[2][i] = upper_bits(value - parts[0][i] - parts[1][i]);
    return parts[0][i] + parts[1][i] + parts[2][i] == value;
}

__device__ inline void multiply_parts(float (&large)[4], float (&small)[4], const float (&a)[3][4],
                                      const float (&b)[3][2])
{
    mma_m16n8k8(small, a[2], b[0]);
    mma_m16n8k8(small, a[0], b[2]);
    mma_m16n8k8(small, a[1], b[1]);
    mma_m16n8k8(small, a[1], b[0]);
    mma_m16n8k8(small, a[0], b[1]);
    mma_m16n8k8(large, a[0], b[0]);
}

/* ---- a tile ----------------------------------------------------------------------------------------------------- */

/* What tensor cores can't: each product as it is. */
__device__ inline void multiply_as_they_are(sums &sum, const x_tile &x, const w_tile &w, int k0, int lane)
{
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            for (int c = 0; c < CHANNELS; c++) {
                const int k = k0 + row_of(lane, i);
                sum.large[tile][i] += w[k][place_of(k, c)] * x[c][column_of(lane, tile, i)];
            }
}

/* sum += w[k0 ... k0 + 15][8 channels] * x[8 channels][32 positions], of which `there` exist.  The whole warp calls
 * it. */
__device__ inline void multiply_tile(sums &sum, const x_tile &x, const w_tile &w, int k0, int64_t there)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize, row = lane / 4, column = lane % 4;
    float a[3][4], b[TILES][3][2];
    bool all = true;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int k = k0 + row + i % 2 * 8;
        all &= split(a, i, w[k][place_of(k, column + i / 2 * 4)]);
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < 2; i++)
            all &= split(b[tile], i, x[column + i * 4][tile * COLUMNS + row]);
    if (__any_sync(~0u, !all)) {
        multiply_as_they_are(sum, x, w, k0, lane);
        return;
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
        if (tile * COLUMNS < there)
            multiply_parts(sum.large[tile], sum.small[tile], a, b[tile]);
}

__device__ inline void store_sums(float *y, const float *bias, const shape &s, sums &sum, int k0, int64_t i0)
{
#pragma unroll
    for (int i = 0; i < 4 * TILES; i++)
        sum.large[i / 4][i % 4] += sum.small[i / 4][i % 4];
    store_sums(y, bias, s, sum.large, k0, i0);
}
