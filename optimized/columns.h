/* columns.h - up to seven neighbouring outputs of a row, a vector of channels at a time: the depthwise stage of the
 * separable ladder for channels last.
 *
 * A table has a pointer for each column of x that the outputs look at, row of taps by row of taps; columns in the
 * padding point to zeros, so that there is no border case:
 *
 *   sums[i][:] += x[row][i * stride + s * dilation][:] * w[row][s][:]       row = 0 .. rows - 1, s = 0 .. taps - 1
 *
 * Where taps and stride are known to the compiler (3 and 1, 3 and 2) a column is loaded once for all its products:
 * 9 loads of x and 3 of w for 21 multiply-adds.  Otherwise it is loaded for each.
 *
 * Introduced in sep_nhwc_01_two_passes.   Read next: docs/ladder-separable.md
 */
#ifndef CONVREF_OPTIMIZED_COLUMNS_H
#define CONVREF_OPTIMIZED_COLUMNS_H

#include <convref/simd.h>

enum { COLUMNS = 7, COLUMNS_TAPS = 3 };   /* sums; weights in registers beside them */

struct columns {
    const float *w;               /* w[row][s][:], `pitch` floats for each tap, zeros where there is no channel */
    const float *bias;            /* NULL for none */
    int64_t channels, pitch;      /* pitch: channels in whole vectors */
    int64_t rows, taps, stride, dilation;
    enum conv_activation act;
};

/* Columns of x that `count` outputs look at. */
static inline int64_t columns_seen(const struct columns *columns, int64_t count)
{
    return (count - 1) * columns->stride + (columns->taps - 1) * columns->dilation + 1;
}

CONV_INLINE vec columns_load(const float *from, int64_t lanes)
{
    return lanes == CONV_LANES ? vec_load(from) : vec_load_some(from, lanes);
}

/* One row of taps, taps and stride unknown to the compiler. */
CONV_INLINE void columns_row(vec *sums, const struct columns *columns, const float *const *x, const float *w,
                             int64_t c, int64_t lanes, const int COUNT)
{
    for (int64_t s = 0; s < columns->taps; s++, w += columns->pitch) {
        const vec weight = vec_load(w);
        CONV_UNROLL
        for (int i = 0; i < COUNT; i++)
            sums[i] += columns_load(x[i * columns->stride + s * columns->dilation] + c, lanes) * weight;
    }
}

/* The same for TAPS neighbouring taps: column q is tap q - i * STRIDE of output i. */
CONV_INLINE void columns_row_of(vec *sums, const struct columns *columns, const float *const *x, const float *w,
                                int64_t c, int64_t lanes, const int COUNT, const int TAPS, const int STRIDE)
{
    vec ws[COLUMNS_TAPS];
    CONV_UNROLL
    for (int s = 0; s < TAPS; s++)
        ws[s] = vec_load(w + s * columns->pitch);
    CONV_UNROLL
    for (int q = 0; q < (COUNT - 1) * STRIDE + TAPS; q++) {
        const vec column = columns_load(x[q] + c, lanes);
        CONV_UNROLL
        for (int i = 0; i < COUNT; i++)
            if (q - i * STRIDE >= 0 && q - i * STRIDE < TAPS)
                sums[i] += column * ws[q - i * STRIDE];
    }
}

/* `lanes` channels from c on of COUNT outputs; TAPS = 0: not known. */
CONV_INLINE void columns_lanes(float *y, const struct columns *columns, const float *const *x, int64_t c,
                               int64_t lanes, const int COUNT, const int TAPS, const int STRIDE)
{
    const int64_t seen = columns_seen(columns, COUNT), channels = columns->channels;
    const float *w = columns->w + c;
    vec sums[COLUMNS];
    CONV_UNROLL
    for (int i = 0; i < COUNT; i++)
        sums[i] = columns->bias ? columns_load(columns->bias + c, lanes) : vec_set(0);
    for (int64_t row = 0; row < columns->rows; row++, x += seen, w += columns->taps * columns->pitch)
        if (TAPS)
            columns_row_of(sums, columns, x, w, c, lanes, COUNT, TAPS, STRIDE);
        else
            columns_row(sums, columns, x, w, c, lanes, COUNT);
    const enum conv_activation act = columns->act;
    CONV_UNROLL
    for (int i = 0; i < COUNT; i++)
        if (lanes == CONV_LANES)
            vec_store(y + i * channels + c, vec_activate(act, sums[i]));
        else
            vec_store_some(y + i * channels + c, vec_activate(act, sums[i]), lanes);
}

CONV_INLINE void columns_tile(float *y, const struct columns *columns, const float *const *x, const int COUNT,
                              const int TAPS, const int STRIDE)
{
    int64_t c = 0;
    for (; c + CONV_LANES <= columns->channels; c += CONV_LANES)
        columns_lanes(y, columns, x, c, CONV_LANES, COUNT, TAPS, STRIDE);
    if (c < columns->channels)
        columns_lanes(y, columns, x, c, columns->channels - c, COUNT, TAPS, STRIDE);
}

CONV_INLINE void columns_count(float *y, const struct columns *columns, const float *const *x, int64_t count,
                               const int TAPS, const int STRIDE)
{
    switch (count) {
    case 1:  columns_tile(y, columns, x, 1, TAPS, STRIDE); break;
    case 2:  columns_tile(y, columns, x, 2, TAPS, STRIDE); break;
    case 3:  columns_tile(y, columns, x, 3, TAPS, STRIDE); break;
    case 4:  columns_tile(y, columns, x, 4, TAPS, STRIDE); break;
    case 5:  columns_tile(y, columns, x, 5, TAPS, STRIDE); break;
    case 6:  columns_tile(y, columns, x, 6, TAPS, STRIDE); break;
    default: columns_tile(y, columns, x, 7, TAPS, STRIDE); break;
    }
}

/* y[i][:] for `count` outputs; x[row][column] are pointers to channel 0. */
static inline void columns_any(float *y, const struct columns *columns, const float *const *x, int64_t count)
{
    CONV_CHECK(0 < count && count <= COLUMNS);
    const bool three = columns->taps == 3 && columns->dilation == 1;
    if (three && columns->stride == 1)
        columns_count(y, columns, x, count, 3, 1);
    else if (three && columns->stride == 2)
        columns_count(y, columns, x, count, 3, 2);
    else
        columns_count(y, columns, x, count, 0, 1);
}

#endif
