/* rows.h - several output rows of one channel at a time, in registers: the depthwise micro-kernel.
 *
 * First a plane is prepared: the rows of one channel with their padding, split by stride.  With a stride of 2 the
 * even columns come first and the odd ones behind them, so that what neighbouring outputs read lies side by side and
 * one load fetches a vector of it:
 *
 *   plane[d][h][phase][i] = x[d][h][i * stride + phase - pad], or 0 in the padding
 *
 * Then ROWS rows by VECS vectors of outputs are summed in registers: for each tap one broadcast of the weight, and
 * ROWS * VECS multiply-adds whose other factor comes straight from the plane.
 *
 * Introduced in dw_04_rows_in_registers; also used by the separable ladder, and its planes by grp_03_direct_blocked.
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

/* All zeros, once: the padding is the same for every channel and is not written again. */
static inline void rows_clear(float *plane, const struct conv_problem *conv)
{
    memset(plane, 0, (size_t)rows_plane_floats(conv) * sizeof *plane);
}

/* One phase of one row: to[i] = from[i * stride] */
static inline void rows_copy(float *restrict to, const float *restrict from, int64_t count, int64_t stride)
{
    if (stride == 1)
        memcpy(to, from, (size_t)count * sizeof *to);
    else if (stride == 2)   /* a stride that the compiler knows becomes loads and shuffles of whole vectors */
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i * 2];
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i * stride];
}

/* The rows h0 .. h1 of all depths, from x[d][h][:] of one channel, into a cleared plane. */
static inline void rows_fill(float *plane, const struct conv_problem *conv, const float *x, int64_t h0, int64_t h1)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t pitch = rows_pitch(conv);
    for (int64_t phase = 0; phase < W->stride; phase++) {
        const int64_t shift = phase - W->pad_begin;
        const struct conv_range inside = conv_clip(conv_ceil_div(-shift, W->stride),
                                                   conv_ceil_div(W->in - shift, W->stride), pitch);
        CONV_CHECK(0 <= inside.begin && inside.end <= pitch && 0 <= h0 && h1 <= H->in);
        float *to = plane + phase * pitch + inside.begin;
        const float *from = x + inside.begin * W->stride + shift;
        if (inside.end > inside.begin)
            for (int64_t d = 0; d < D->in; d++)
                for (int64_t row = d * H->in + h0; row < d * H->in + h1; row++)
                    rows_copy(to + row * W->stride * pitch, from + row * W->in, inside.end - inside.begin, W->stride);
    }
}

/* ---- the tile ------------------------------------------------------------------------------------------------ */

/* What a tile reads: one channel, one filter. */
struct rows {
    const struct conv_problem *conv;
    const float *plane;
    const float *w;            /* w[t][r][s] */
    float bias;
    enum conv_activation act;
    int64_t pitch;             /* rows_pitch(): divisions that should not be made for each tile */
    int64_t step, phase;       /* from one tap to the next in a row: dilation = step * stride + phase */
};

/* All that doesn't change from tile to tile but the plane, the weights and the activation. */
static inline struct rows rows_of(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    return (struct rows){ .conv = conv, .pitch = rows_pitch(conv), .step = W->dilation / W->stride,
                          .phase = W->dilation % W->stride };
}

/* One row of taps: sums[j][:] += x[j][:] * w[s] for all s; x[j] are ROWS rows, `apart` floats apart. */
CONV_INLINE void rows_add(vec *sums, const struct rows *rows, const float *x, const float *w, int64_t apart,
                          const int ROWS, const int VECS)
{
    const struct conv_axis *W = &rows->conv->axis[CONV_W];
    int64_t phase = 0, at = 0;   /* of tap s: s * dilation = at * stride + phase */
    for (int64_t s = 0; s < W->filter; s++) {
        const vec weight = vec_set(w[s]);
        const float *from = x + phase * rows->pitch + at;
        CONV_UNROLL
        for (int j = 0; j < ROWS; j++)
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                sums[j * VECS + v] += vec_load(from + j * apart + v * CONV_LANES) * weight;
        at += rows->step;
        phase += rows->phase;
        if (phase >= W->stride) {
            phase -= W->stride;
            at++;
        }
    }
}

CONV_INLINE void rows_store(float *y, const struct rows *rows, const vec *sums, int64_t q, const int ROWS,
                            const int VECS)
{
    const int64_t width = rows->conv->axis[CONV_W].out;
    CONV_UNROLL
    for (int j = 0; j < ROWS; j++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++) {
            const int64_t left = width - q - v * CONV_LANES;
            float *to = y + j * width + v * CONV_LANES;
            const vec value = vec_activate(rows->act, sums[j * VECS + v]);
            if (left >= CONV_LANES)
                vec_store(to, value);
            else if (left > 0)
                vec_store_some(to, value, left);
        }
}

/* ROWS rows from p on and VECS vectors from q on of plane z, all with the taps T and R inside; y points at the first. */
CONV_INLINE void rows_tile(float *y, const struct rows *rows, struct conv_range T, struct conv_range R, int64_t z,
                           int64_t p, int64_t q, const int ROWS, const int VECS)
{
    const struct conv_problem *conv = rows->conv;
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t row_floats = W->stride * rows->pitch;
    vec sums[ROWS_SUMS];
    CONV_UNROLL
    for (int i = 0; i < ROWS * VECS; i++)
        sums[i] = vec_set(rows->bias);

    for (int64_t t = T.begin; t < T.end; t++)
        for (int64_t r = R.begin; r < R.end; r++) {
            const int64_t row = conv_input_at(D, z, t) * H->in + conv_input_at(H, p, r);
            CONV_CHECK(conv_inside(D, conv_input_at(D, z, t)) && conv_inside(H, conv_input_at(H, p, r)));
            CONV_CHECK(conv_inside(H, conv_input_at(H, p + ROWS - 1, r)));
            rows_add(sums, rows, rows->plane + row * row_floats + q, rows->w + (t * H->filter + r) * W->filter,
                     H->stride * row_floats, ROWS, VECS);
        }
    rows_store(y, rows, sums, q, ROWS, VECS);
}

/* The output rows p0 .. p1 of plane z; y[(p - p0) * Q + q].  Rows at the border, whose window isn't whole, go alone. */
CONV_INLINE void rows_compute_by(float *y, const struct rows *rows, int64_t z, int64_t p0, int64_t p1,
                                 const int ROWS, const int VECS)
{
    const struct conv_axis *H = &rows->conv->axis[CONV_H];
    const int64_t width = rows->conv->axis[CONV_W].out;
    const struct conv_range T = conv_taps_inside(&rows->conv->axis[CONV_D], z);
    for (int64_t p = p0; p < p1;) {
        const struct conv_range first = conv_taps_inside(H, p), last = conv_taps_inside(H, p + ROWS - 1);
        const bool together = p + ROWS <= p1 && first.begin == last.begin && first.end == last.end;
        for (int64_t q = 0; q < width; q += VECS * CONV_LANES)
            if (together)
                rows_tile(y + (p - p0) * width + q, rows, T, first, z, p, q, ROWS, VECS);
            else
                rows_tile(y + (p - p0) * width + q, rows, T, first, z, p, q, 1, VECS);
        p += together ? ROWS : 1;
    }
}

static inline void rows_compute(float *y, const struct rows *rows, int64_t z, int64_t p0, int64_t p1)
{
    switch (rows_vecs(rows->conv)) {
    case 1:  rows_compute_by(y, rows, z, p0, p1, 4, 1); break;   /* such images are low, too */
    case 2:  rows_compute_by(y, rows, z, p0, p1, 4, 2); break;
    default: rows_compute_by(y, rows, z, p0, p1, 2, 4); break;
    }
}

#endif
