/* toeplitz.h - depthwise on tensor cores: rows of the filter as Toeplitz matrices, for numbers of 16 bits.
 *
 * A warp multiplies 16 rows of 16 columns of the tile by one row of the filter in one instruction: y[16 x 8] +=
 * x[16 x 16] * T[16 x 8].  T[c][q] = w[c - q] has the weights of its row once in each column, one place further down
 * from column to column, and zeros elsewhere.  A Number is a kind of 16 bits:
 *
 *     Number::INFINITE              what is as large, or larger, is rounded to infinity
 *     Number::pair(first, second)   two floats, rounded, in a word; the first in its lower half
 *     Number::value(bits)           one of them as a float
 *     Number::multiply(sum, a, b)   sum += a b of a warp
 *
 * Introduced in cuda_dw_10_tensor_cores.   Read next: depthwise/cuda_dw_10_tensor_cores.cu
 */
#pragma once
#include "four.h"
#include "rung.h"
#include "warp_tile.h"

enum { WINDOW = 16, MOST_WARPS = 4, SHARED_BYTES = 48 << 10 };   /* columns of a window; warps of a block, at most */

/* How a plane is cut. */
struct matrix_cut {
    int tiles, warps;    /* of 8 columns beside each other, for a warp; below each other, of 16 rows each */
    int before;          /* columns between the tile's first, a multiple of 4, and the first that is read */
    int windows;         /* of 16 columns, which 8 outputs of a row read */
    bool whole;          /* rows of x and y begin at 16 bytes */

    __host__ __device__ int high(const shape &s) const { return (warps * ROWS - 1) * s.h.stride + s.h.extent(); }
    __host__ __device__ int columns(const shape &s) const
    {
        return (tiles - 1) * COLUMNS * s.w.stride + windows * WINDOW;
    }
    /* Words from row to row.  An odd number of 16 bytes: 8 rows, which ldmatrix reads at once, lie in all 32 banks. */
    __host__ __device__ int wide(const shape &s) const { return (columns(s) / 8 | 1) * 4; }
};

/* ---- a tile ------------------------------------------------------------------------------------------------------ */

/* Column c of a row of words. */
template <class Number> __device__ float number_at(const unsigned *row, int c)
{
    return Number::value(static_cast<unsigned short>(row[c / 2] >> c % 2 * 16));
}

/* x[n][c][a][:][:] to the tile, from row b0 and column c0 on; zeros in the padding.  Are all of them numbers of 16 bits,
 * too? */
template <class Number> __device__ bool fill(unsigned *tile, const float *slice, int b0, int c0, const matrix_cut &cut,
                                             const shape &s)
{
    const int fours = cut.columns(s) / FOUR, across = min(fours, warpSize);
    const int t = static_cast<int>(threadIdx.x), down = static_cast<int>(blockDim.x) / across;
    bool all = true;
    for (int i = t / across; i < cut.high(s) && t < down * across; i += down)
    for (int v = t % across; v < fours; v += across) {
        float four[FOUR];
        load_four(four, slice + (b0 + i) * s.w.in, c0 + v * FOUR, s.w, s.h.inside(b0 + i), cut.whole);
#pragma unroll
        for (int j = 0; j < FOUR; j++)
            all &= fabsf(four[j]) < Number::INFINITE;
        unsigned *to = tile + i * cut.wide(s) + v * FOUR / 2;
        to[0] = Number::pair(four[0], four[1]);
        to[1] = Number::pair(four[2], four[3]);
    }
    return all;
}

/* T[c][q] of a row of the filter, with c counted from the first tap of q = 0 on.  K: a plain one, of so many taps. */
template <int K> __device__ float toeplitz(const float *weights, int c, int q, const axis &w)
{
    const int from = K ? c - q : c - q * w.stride, u = K ? from : from / w.dilation;
    const bool there = from >= 0 && u < (K ? K : w.filter) && (K || u * w.dilation == from);
    const float weight = weights[there ? u : 0];   /* one is loaded in any case: no lane has to wait in a branch */
    return there ? weight : 0;
}

/* sum += the tile's rows, from `row` of the outputs on, times a slice of the filter.  The whole warp calls it. */
template <int K, class Number>
__device__ void multiply(float (&sum)[TILES][4], const unsigned *tile, const float *weights, int row, int tiles,
                         const matrix_cut &cut, const shape &s)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize, q = lane / 4, rows = K ? K : s.h.filter;
    const int wide = cut.wide(s), down = K ? wide : s.h.dilation * wide;
    const int i = (row + lane % ROWS) * (K ? 1 : s.h.stride), across = COLUMNS / 2 * (K ? 1 : s.w.stride);
    const unsigned *mine = tile + i * wide + lane / ROWS * 4;                 /* a row for ldmatrix */
#pragma unroll
    for (int r = 0; r < rows; r++)
    for (int window = 0; window < (K ? 1 : cut.windows); window++) {
        unsigned a[4], b[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const int c = window * WINDOW + lane % 4 * 2 + i * 8 - cut.before;
            const float *of_row = weights + r * (K ? K : s.w.filter);
            b[i] = Number::pair(toeplitz<K>(of_row, c, q, s.w), toeplitz<K>(of_row, c + 1, q, s.w));
        }
#pragma unroll
        for (int j = 0; j < TILES; j++)
            if (j < tiles) {
                ldmatrix_x4(a, mine + r * down + j * across + window * (WINDOW / 2));
                Number::multiply(sum[j], a, b);
            }
    }
}

/* The same, product by product. */
template <class Number>
__device__ void add_taps(float (&sum)[TILES][4], const unsigned *tile, const float *weights, int row, int tiles,
                         const matrix_cut &cut, const shape &s)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
#pragma unroll
    for (int j = 0; j < 4 * TILES; j++)
        for (int tap = 0; tap < s.h.filter * s.w.filter && j / 4 < tiles; tap++) {
            const int i = (row + row_of(lane, j % 4)) * s.h.stride + tap / s.w.filter * s.h.dilation;
            const int c = column_of(lane, j / 4, j % 4) * s.w.stride + tap % s.w.filter * s.w.dilation;
            const unsigned weight = Number::pair(weights[tap], 0);
            sum[j / 4][j % 4] += number_at<Number>(tile + i * cut.wide(s), c + cut.before)
                               * number_at<Number>(&weight, 0);
        }
}

/* out[row ...][column ...]: two columns of two rows of each tile. */
__device__ inline void store(float *out, const float (&sum)[TILES][4], float first, int p0, int q0,
                             const matrix_cut &cut, const shape &s)
{
    const int lane = static_cast<int>(threadIdx.x) % warpSize;
#pragma unroll
    for (int j = 0; j < 2 * TILES; j++) {
        const int i = j % 2 * 2, p = p0 + row_of(lane, i), q = q0 + column_of(lane, j / 2, i);
        const float left = activate(s.act, sum[j / 2][i] + first), right = activate(s.act, sum[j / 2][i + 1] + first);
        float *to = out + p * s.w.out + q;
        if (p >= s.h.out || q >= s.w.out || j / 2 >= cut.tiles)
            continue;
        if (cut.whole)
            __stcs(reinterpret_cast<float2 *>(to), make_float2(left, right));
        else
            to[0] = left;
        if (!cut.whole && q + 1 < s.w.out)
            to[1] = right;
    }
}

template <int K, class Number> __launch_bounds__(MOST_WARPS * 32)
__global__ void rows_on_tensor_cores(float *y, const float *x, const float *w, const float *bias, shape s,
                                     matrix_cut cut)
{
    unsigned *tile = dynamic_shared<unsigned>();                              /* [high][wide], two columns a word */
    const int row = static_cast<int>(threadIdx.x) / warpSize * ROWS;
    const int q0 = static_cast<int>(blockIdx.x) * cut.tiles * COLUMNS, c0 = s.w.input_at(q0, 0) - cut.before;
    const int tiles = min(cut.tiles, (s.w.out - q0 + COLUMNS - 1) / COLUMNS);
    for (int64_t plane = blockIdx.z; plane < s.n * s.k * s.d.out; plane += gridDim.z) {
        const int z = static_cast<int>(plane % s.d.out), k = static_cast<int>(plane / s.d.out % s.k);
        const int64_t n = plane / s.d.out / s.k;
        const float *image = x + (n * s.c + k / s.group_k) * s.x_plane();    /* x[n][c][:][:][:] */
        for (int p0 = static_cast<int>(blockIdx.y) * cut.warps * ROWS; p0 < s.h.out;
             p0 += static_cast<int>(gridDim.y) * cut.warps * ROWS) {
            float sum[TILES][4] = {};
            for (int t = 0; t < s.d.filter; t++) {
                const int a = s.d.input_at(z, t);
                if (!s.d.inside(a))
                    continue;   /* so for the whole block: nobody misses a barrier */
                const bool all = fill<Number>(tile, image + a * s.h.in * s.w.in, s.h.input_at(p0, 0), c0, cut, s);
                const float *weights = w + static_cast<int64_t>(k) * s.taps() + t * s.h.filter * s.w.filter;
                if (__syncthreads_or(!all))
                    add_taps<Number>(sum, tile, weights, row, tiles, cut, s);
                else if (p0 + row < s.h.out)                                  /* a warp as a whole */
                    multiply<K, Number>(sum, tile, weights, row, tiles, cut, s);   /* w[k][0][t][:][:] */
                __syncthreads();
            }
            store(y + plane * s.h.out * s.w.out, sum, bias ? bias[k] : 0, p0 + row, q0, cut, s);
        }
    }
}

/* ---- on the host -------------------------------------------------------------------------------------------------- */

inline int columns_before(const axis &w) { return (FOUR - w.pad % FOUR) % FOUR; }

inline int64_t windows(const axis &w)
{
    return (int64_t(COLUMNS - 1) * w.stride + w.extent() + columns_before(w) + WINDOW - 1) / WINDOW;
}

/* Sizes may be beyond 32 bits: of a tile that isn't made. */
inline int64_t bytes_of_tile(const shape &s, int64_t tiles, int64_t warps)
{
    const int64_t high = (warps * ROWS - 1) * s.h.stride + s.h.extent();
    const int64_t columns = (tiles - 1) * COLUMNS * s.w.stride + windows(s.w) * WINDOW;
    return high * (columns / 8 | 1) * 16;
}

/* The largest tile that fits, and that isn't mostly beyond the image. */
inline matrix_cut cut_for(const shape &s, bool whole)
{
    matrix_cut cut = { TILES, MOST_WARPS, columns_before(s.w), static_cast<int>(windows(s.w)), whole };
    while (cut.tiles > 1 && cut.tiles / 2 * COLUMNS >= s.w.out)
        cut.tiles /= 2;
    while (cut.warps > 1 && cut.warps / 2 * ROWS >= s.h.out)
        cut.warps /= 2;
    while (bytes_of_tile(s, cut.tiles, cut.warps) > SHARED_BYTES)
        (cut.warps > 1 ? cut.warps : cut.tiles) /= 2;
    return cut;
}

inline const char *fits_on_tensor_cores(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    return bytes_of_tile(shape_of(conv), 1, 1) > SHARED_BYTES
        ? "what 16 by 8 outputs read doesn't fit in 48 KiB of shared memory" : nullptr;
}

template <class Number> auto instance_of(const shape &s)
{
    const bool plain = s.h.stride * s.w.stride == 1 && s.h.dilation * s.w.dilation == 1 && windows(s.w) == 1
                    && s.h.filter == s.w.filter;
    const int known = plain ? s.h.filter : 0;
    return known == 3 ? rows_on_tensor_cores<3, Number> : known == 5 ? rows_on_tensor_cores<5, Number>
         : known == 7 ? rows_on_tensor_cores<7, Number> : rows_on_tensor_cores<0, Number>;
}

template <class Number>
void run_on_tensor_cores(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const matrix_cut cut = cut_for(s, rows_are_whole(s, o->x, o->y));
    const dim3 grid(blocks_for(s.w.out, cut.tiles * COLUMNS), at_most(blocks_for(s.h.out, cut.warps * ROWS)),
                    at_most(s.n * s.k * s.d.out));
    launch(workspace, instance_of<Number>(s), grid, static_cast<unsigned>(cut.warps * WARP),
           static_cast<size_t>(bytes_of_tile(s, cut.tiles, cut.warps)), static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s,
           cut);
}
