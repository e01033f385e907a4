/* four.h - four neighbouring columns of a row in one load or store of 16 bytes, where rows begin at 16 bytes.
 *
 * Elsewhere they are moved one by one; what lies in the padding is 0.
 * Not here: which columns a thread has.   Read next: depthwise/cuda_dw_06_rows_of_16_bytes.cu
 */
#pragma once
#include "shape.h"

enum { FOUR = 4 };

/* Do the rows of x and y begin at 16 bytes? */
inline bool rows_are_whole(const shape &s, const void *x, const void *y)
{
    const uintptr_t bits = reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y);
    return s.w.in % FOUR == 0 && s.w.out % FOUR == 0 && bits % sizeof(float4) == 0;
}

/* row[c ... c + 3]; zeros if not `there`.  In whole rows c is a multiple of 4: all four are inside, or none. */
__device__ inline void load_four(float (&to)[FOUR], const float *row, int c, const axis &w, bool there, bool whole)
{
    float4 four = make_float4(0, 0, 0, 0);
    if (there && whole && w.inside(c))
        four = __ldg(reinterpret_cast<const float4 *>(row + c));
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
#pragma unroll
    for (int j = 0; j < FOUR; j++)
        if (there && !whole && w.inside(c + j))
            to[j] = row[c + j];
}

/* row[q ... q + 3] = sums, activated.  __stcs: y isn't read again, so that it needn't stay in a cache. */
__device__ inline void store_four(float *row, int q, const float (&sum)[FOUR], const axis &w, conv_activation act,
                                  bool whole)
{
    if (whole && q < w.out)
        __stcs(reinterpret_cast<float4 *>(row + q), make_float4(activate(act, sum[0]), activate(act, sum[1]),
                                                                activate(act, sum[2]), activate(act, sum[3])));
#pragma unroll
    for (int j = 0; j < FOUR; j++)
        if (!whole && q + j < w.out)
            row[q + j] = activate(act, sum[j]);
}
