/* warp_tile.h - the tile of a block that multiplies on tensor cores, and what a lane has of it.
 *
 * A block has 32 filters by 32 positions, and two warps, of 16 filters each.  The tiles in shared memory are 8 words
 * deep along the inner dimension: 8 channels of 32 bits, or 16 of 16 bits.
 * Not here: products (three_parts.h in f32, pairs.h in bf16).   Read next: three_parts.h
 */
#pragma once
#include <instructions.h>
#include "shape.h"

constexpr int SIDE = 32, DEPTH = 8;         /* a block: 32 filters by 32 positions, 8 words of channels at a time */
constexpr int ROWS = 16, COLUMNS = 8;       /* of a tensor core's product */
constexpr int TILES = SIDE / COLUMNS;       /* which a warp has side by side */
constexpr int WARPS = SIDE / ROWS, THREADS = 32 * WARPS;

/* In four rows of eight the halves of a row are exchanged: a warp reads 8 rows by 4 words, in 32 banks. */
__device__ inline int place_of(int row, int word) { return word ^ (row & 4); }

/* Sum i of tile `tile` of a lane, as tensor cores have it, is of this row and column of the warp's 16 by 32. */
__device__ inline int row_of(int lane, int i) { return lane / 4 + i / 2 * 8; }
__device__ inline int column_of(int lane, int tile, int i) { return tile * COLUMNS + lane % 4 * 2 + i % 2; }

/* y[n][k0 ... k0 + 15][position] of 32 positions from i0 on, which run on from image to image. */
__device__ inline void store_sums(float *y, const float *bias, const shape &s, const float (&sum)[TILES][4], int k0,
                                  int64_t i0)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
    const int64_t positions = s.y_plane();
#pragma unroll
    for (int j = 0; j < 2 * TILES; j++) {   /* a column for two rows */
        const int64_t to = i0 + column_of(lane, j / 2, j % 2), n = to / positions;
#pragma unroll
        for (int i = j % 2; i < 4 && n < s.n; i += 2) {
            const int k = k0 + row_of(lane, i);
            if (k < s.k)
                y[(n * s.k + k) * positions + to % positions] = activate(s.act, sum[j / 2][i] + (bias ? bias[k] : 0));
        }
    }
}
