/* pairs.h - operands of tensor cores in bf16: two channels in a word.
 *
 * Word p of a tile has channels p and p + 8 of its 16.  A tensor core takes them for neighbours; a sum has its products
 * in any order, as long as both matrices have the same, and so neighbouring lanes load neighbouring floats.
 * Not here: products (pointwise/cuda_pw_06_bf16.cu).   Read next: pointwise/cuda_pw_06_bf16.cu
 */
#pragma once
#include <cuda_bf16.h>
#include "warp_tile.h"

constexpr int CHANNELS = 2 * DEPTH;

/* Rounded to the nearest, halves to even; the first in the lower half of the word. */
__device__ inline unsigned pair_of(float first, float second)
{
    const __nv_bfloat162 both = __floats2bfloat162_rn(first, second);
    unsigned word;
    memcpy(&word, &both, sizeof word);
    return word;
}

/* Channels c and c + 8 of `channels`, `apart` floats each behind the one before; what isn't there is 0. */
__device__ inline unsigned load_pair(const float *channel_0, int64_t apart, int c, int channels)
{
    return pair_of(c < channels ? channel_0[c * apart] : 0,
                   c + DEPTH < channels ? channel_0[(c + DEPTH) * apart] : 0);
}
