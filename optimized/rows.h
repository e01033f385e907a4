/* rows.h - several output rows of one channel at a time, in registers: the depthwise micro-kernel.
 *
 * Two things are prepared, then ROWS rows by VECS vectors of outputs are summed in registers.
 *
 * The plane: the rows of one channel with their padding, split by stride.  With a stride of 2, the even
 * columns come first and the odd ones behind them, so that what neighbouring outputs read lies side by side
 * and one load fetches a vector of it:
 *
 *   plane[d][h][phase][i] = x[d][h][i * stride + phase - pad], or 0 in the padding
 *
 * The meetings: which tap r of output row p + j reads input row h?  It depends on h - h0 alone, where h0 is
 * the first row that p reads, so it is a small table, made once for each run:
 *
 *   meetings[h - h0][j] = r, or -1 if output row p + j does not read it
 *
 * A row of x is loaded once and multiplied into every output row that reads it: with 3x3 filters and a
 * stride of 1 that is three.   Introduced in dw_04_rows_in_registers; also used by the separable ladder.
 */
#ifndef CONVREF_OPTIMIZED_ROWS_H
#define CONVREF_OPTIMIZED_ROWS_H

#include <convref/simd.h>

/* Sums in flight: two multiply-adds start in each cycle and take four. */
enum { ROWS_SUMS = 8 };

/* Vectors in a row of a tile: as many as the image is wide, at most 4.  Narrow images get more rows. */
static inline int rows_vecs(const struct conv_problem *conv)
{
    const int64_t width = conv->axis[CONV_W].out;
    return width <= CONV_LANES ? 1 : width <= 2 * CONV_LANES ? 2 : 4;
}

/* ---- the plane -------------------------------------------------------------------------------------------- */

/* Floats of one phase of one row; the last vector of a tile may read beyond the last output. */
static inline int64_t rows_pitch(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    const int64_t width = (int64_t)rows_vecs(conv) * CONV_LANES;
    return conv_ceil_div(W->out, width) * width + (W->filter - 1) * W->dilation / W->stride;
}

static inline int64_t rows_plane_floats(const struct conv_problem *conv)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H];
    return D->in * H->in * conv->axis[CONV_W].stride * rows_pitch(conv);
}

/* One phase of one row: to[i] = row[i * stride + phase - pad] for 0 <= i < pitch */
static inline void rows_pad_phase(float *to, const float *row, const struct conv_axis *W, int64_t phase,
                                  int64_t pitch)
{
    const int64_t shift = phase - W->pad_begin;
    const struct conv_range inside = conv_clip(conv_ceil_div(-shift, W->stride),
                                               conv_ceil_div(W->in - shift, W->stride), pitch);
    memset(to, 0, (size_t)inside.begin * sizeof *to);
    if (W->stride == 1)
        memcpy(to + inside.begin, row + inside.begin + shift,
               (size_t)(inside.end - inside.begin) * sizeof *to);
    else
        for (int64_t i = inside.begin; i < inside.end; i++)
            to[i] = row[i * W->stride + shift];
    memset(to + inside.end, 0, (size_t)(pitch - inside.end) * sizeof *to);
}

/* The rows h0 .. h1 of all depths, from x[d][h][:] of one channel. */
static inline void rows_pad(float *plane, const struct conv_problem *conv, const float *x, int64_t h0,
                            int64_t h1)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t pitch = rows_pitch(conv);
    for (int64_t d = 0; d < D->in; d++)
        for (int64_t h = h0; h < h1; h++)
            for (int64_t phase = 0; phase < W->stride; phase++)
                rows_pad_phase(plane + ((d * H->in + h) * W->stride + phase) * pitch,
                               x + (d * H->in + h) * W->in, W, phase, pitch);
}

/* ---- the meetings ------------------------------------------------------------------------------------------- */

static inline int64_t rows_meetings(const struct conv_problem *conv)
{
    return (ROWS_SUMS - 1) * conv->axis[CONV_H].stride + conv_extent(&conv->axis[CONV_H]);
}

/* Bytes of the table, rounded so that what follows it stays aligned. */
static inline size_t rows_meetings_bytes(const struct conv_problem *conv)
{
    return (size_t)conv_ceil_div(rows_meetings(conv) * ROWS_SUMS * (int64_t)sizeof(int32_t), 64) * 64;
}

static inline void rows_meet(int32_t *meetings, const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H];
    for (int64_t i = 0; i < rows_meetings(conv); i++)
        for (int64_t j = 0; j < ROWS_SUMS; j++) {
            const int64_t steps = i - j * H->stride;
            const bool meet = steps >= 0 && steps % H->dilation == 0 && steps / H->dilation < H->filter;
            meetings[i * ROWS_SUMS + j] = meet ? (int32_t)(steps / H->dilation) : -1;
        }
}

/* ---- the tile ------------------------------------------------------------------------------------------------ */

/* What a tile reads: one channel, one filter. */
struct rows {
    const struct conv_problem *conv;
    const float *plane;
    const float *w;            /* w[t][r][s] */
    const int32_t *meetings;
    float bias;
    enum conv_activation act;
};

/* One row of x meets the tile: sums[j][:] += x[:] * w[r of j][s] for all s */
CONV_INLINE void rows_add(vec *sums, const struct rows *rows, const float *x, const float *w,
                          const int32_t *meeting, int64_t pitch, const int ROWS, const int VECS)
{
    const struct conv_axis *W = &rows->conv->axis[CONV_W];
    int64_t phase = 0, at = 0;   /* of tap s: s * dilation = at * stride + phase */
    for (int64_t s = 0; s < W->filter; s++) {
        vec xs[4];
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            xs[v] = vec_load(x + phase * pitch + at + v * CONV_LANES);
        CONV_UNROLL
        for (int j = 0; j < ROWS; j++) {
            if (meeting[j] < 0)
                continue;
            const vec weight = vec_set(w[meeting[j] * W->filter + s]);
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                sums[j * VECS + v] += weight * xs[v];
        }
        for (phase += W->dilation; phase >= W->stride; phase -= W->stride)
            at++;
    }
}

/* Write the first `count` rows of a tile, as far as they reach. */
CONV_INLINE void rows_store(float *y, const struct rows *rows, const vec *sums, int64_t count, int64_t q,
                            const int ROWS, const int VECS)
{
    const struct conv_axis *W = &rows->conv->axis[CONV_W];
    CONV_UNROLL
    for (int j = 0; j < ROWS; j++) {
        if (j >= count)
            break;
        CONV_UNROLL
        for (int v = 0; v < VECS; v++) {
            const int64_t left = W->out - q - v * CONV_LANES;
            float *to = y + j * W->out + v * CONV_LANES;
            const vec value = vec_activate(rows->act, sums[j * VECS + v]);
            if (left >= CONV_LANES)
                vec_store(to, value);
            else if (left > 0)
                vec_store_some(to, value, left);
        }
    }
}

/* ROWS rows from p on, of which those below p1 are wanted, and VECS vectors from q on, of plane z; y points
 * at the first of them. */
CONV_INLINE void rows_tile(float *y, const struct rows *rows, int64_t z, int64_t p, int64_t p1, int64_t q,
                           const int ROWS, const int VECS)
{
    const struct conv_problem *conv = rows->conv;
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const struct conv_range T = conv_taps_inside(D, z);
    const int64_t pitch = rows_pitch(conv), first = conv_input_at(H, p, 0);
    const int64_t last = first + (ROWS - 1) * H->stride + conv_extent(H);   /* one behind the last row */
    vec sums[ROWS_SUMS];
    CONV_UNROLL
    for (int i = 0; i < ROWS_SUMS; i++)
        sums[i] = vec_set(rows->bias);

    for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t h = first > 0 ? first : 0; h < last && h < H->in; h++) {
            const int64_t row = conv_input_at(D, z, t) * H->in + h;
            rows_add(sums, rows, rows->plane + row * W->stride * pitch + q, rows->w + t * H->filter * W->filter,
                     rows->meetings + (h - first) * ROWS_SUMS, pitch, ROWS, VECS);
        }
    rows_store(y, rows, sums, p1 - p, q, ROWS, VECS);
}

/* The output rows p0 .. p1 of plane z; y[(p - p0) * Q + q]. */
CONV_INLINE void rows_compute_by(float *y, const struct rows *rows, int64_t z, int64_t p0, int64_t p1,
                                 const int ROWS, const int VECS)
{
    const int64_t width = rows->conv->axis[CONV_W].out;
    for (int64_t p = p0; p < p1; p += ROWS)
        for (int64_t q = 0; q < width; q += VECS * CONV_LANES)
            rows_tile(y + (p - p0) * width + q, rows, z, p, p1, q, ROWS, VECS);
}

static inline void rows_compute(float *y, const struct rows *rows, int64_t z, int64_t p0, int64_t p1)
{
    switch (rows_vecs(rows->conv)) {
    case 1:  rows_compute_by(y, rows, z, p0, p1, 8, 1); break;
    case 2:  rows_compute_by(y, rows, z, p0, p1, 4, 2); break;
    default: rows_compute_by(y, rows, z, p0, p1, 2, 4); break;
    }
}

#endif
