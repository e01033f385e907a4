/* strips.h - one channel from its first row to its last, a strip of some vectors wide; each row is read once.
 *
 * The sums of all rows of outputs that a row of inputs goes into are in registers.  With 3x3 taps and stride 1:
 *
 *   row of inputs           h - 1     h     h + 1           sums[0] of output row p: its first row of taps comes
 *   goes into output row    p         p       p             sums[1] of p - 1: its second
 *                           p - 1     p - 1                 sums[2] of p - 2: its last, and y[p - 2] is written
 *                           p - 2
 *
 * and then each takes the place of the next: sums[2] = sums[1], sums[1] = sums[0], and sums[0] begins with the bias.
 * With stride 2 a step takes two rows of inputs, and two rows of outputs are on their way.  A row in the padding is
 * left out; a column there is 0 by a mask, so nothing is copied.
 *
 * Not here: dilation, and other filters than 3x3, 5x5 and 7x7 (pairs.h has them all, for channels last).
 * Introduced in dw_rows_01_each_row_once.  Read next: that.
 */
#ifndef CONVREF_OPTIMIZED_DEPTHWISE_STRIPS_H
#define CONVREF_OPTIMIZED_DEPTHWISE_STRIPS_H

#include "optimized/parts.h"

#include <convref/simd.h>

/* The most vectors of a strip; the most rows of outputs that are on their way, and taps in a row. */
enum { STRIP_VECS = 4, STRIP_TAPS = 7 };

/* Rows of outputs that are on their way. */
#define STRIP_ROWS(FILTER, STRIDE) (((FILTER) + (STRIDE) - 1) / (STRIDE))

/* Vectors of a strip: their sums, a weight for each row and two inputs are in registers. */
static inline int64_t strip_most(int64_t filter, int64_t stride)
{
    const int64_t vecs = (CONV_REGISTERS - 2) / STRIP_ROWS(filter, stride) - 1;
    return vecs < 1 ? 1 : vecs > STRIP_VECS ? STRIP_VECS : vecs;
}

/* Why not, in the words of conv_kernel.applies. */
static inline const char *strip_applies(const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    if (H->filter != W->filter || (W->filter != 3 && W->filter != 5 && W->filter != 7))
        return "it needs a filter of 3x3, 5x5 or 7x7";
    if (H->dilation != 1 || W->dilation != 1)
        return "it has no dilation";
    if (H->stride != W->stride || W->stride > 2)
        return "it needs a stride of 1 or 2, the same down and across";
    return NULL;
}

/* The columns that a strip reads, at most: also the floats of `aside`. */
static inline int64_t strip_reach(int64_t filter, int64_t stride, int64_t vecs)
{
    return vecs * CONV_LANES * stride + filter - 1;
}

/* A strip of one plane of outputs, of one filter. */
struct strip {
    const struct conv_problem *conv;
    const float *x;               /* all of it, x[n][c][d][h][w]: nothing else may be read */
    int64_t x_floats, channel;    /* all; where the channel begins */
    const float *w;               /* w[t][r][s] */
    float *y;                     /* y[p][q] of the plane */
    float *aside;                 /* a row that begins or ends too near to the ends of x */
    float bias;
    int64_t z, q, vecs;           /* the plane, the first column of outputs */
};

/* A row whose first column, in the padding perhaps, is x[at]; what is outside of x isn't read. */
static __attribute__((noinline)) const float *strip_aside(const struct strip *strip, int64_t at, int64_t reach)
{
    const struct conv_range inside = conv_clip(-at, strip->x_floats - at, reach);
    memcpy(strip->aside + inside.begin, strip->x + at + inside.begin,
           (size_t)(inside.end - inside.begin) * sizeof *strip->x);
    return strip->aside;
}

/* Vector v of the inputs of tap s. */
CONV_INLINE vec strip_input(const float *row, int s, int v, const int STRIDE)
{
    const float *from = row + v * CONV_LANES * STRIDE;
    if (STRIDE == 1)
        return vec_load(from + s);
    const vec a = vec_load(from + s / 2 * 2), b = vec_load(from + s / 2 * 2 + CONV_LANES);
    return s % 2 ? vec_odds(a, b) : vec_evens(a, b);
}

/* The lanes of a vector for which a tap is no padding; `column` is where its first lane reads. */
CONV_INLINE vec_mask strip_mask(int64_t column, int64_t columns, const int STRIDE)
{
    const vec_mask lane = (vec_mask){ CONV_EVERY_SECOND(0) } / 2;
    const struct conv_range inside = conv_clip(conv_ceil_div(-column, STRIDE),
                                               conv_ceil_div(columns - column, STRIDE), CONV_LANES);
    return (lane >= (int32_t)inside.begin) & (lane < (int32_t)inside.end);
}

/* Row u of the STRIDE rows of inputs of a step: row of taps u + i * STRIDE goes into sums[i]. */
CONV_INLINE void strip_add(vec (*sums)[STRIP_VECS], const float *row, const float *w,
                           vec_mask (*mask)[STRIP_VECS], int u, const int FILTER, const int STRIDE,
                           const int VECS)
{
    const int ROWS = STRIP_ROWS(FILTER, STRIDE);
    CONV_UNROLL
    for (int s = 0; s < FILTER; s++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++) {
            const vec in = (vec)((vec_mask)strip_input(row, s, v, STRIDE) & mask[s][v]);
            CONV_UNROLL
            for (int i = 0; i < ROWS; i++)
                if (u + i * STRIDE < FILTER)
                    sums[i][v] += in * vec_set(w[(u + i * STRIDE) * FILTER + s]);
        }
}

/* VECS vectors, of which `left` floats belong to the row.  If `whole`, all are written: what is behind the end of the
 * row is the next row's, which is written later. */
CONV_INLINE void strip_store(float *y, const vec *sums, enum conv_activation act, int64_t left, bool whole,
                             const int VECS)
{
    CONV_UNROLL
    for (int v = 0; v < VECS; v++) {
        const vec value = act == CONV_ACT_NONE ? sums[v] : vec_activate(act, sums[v]);
        if (whole || (v + 1) * CONV_LANES <= left)
            vec_store(y + v * CONV_LANES, value);
        else if (v * CONV_LANES < left)
            vec_store_some(y + v * CONV_LANES, value, left - v * CONV_LANES);
    }
}

CONV_INLINE void strip_of(const struct strip *strip, const int FILTER, const int STRIDE, const int VECS)
{
    const int ROWS = STRIP_ROWS(FILTER, STRIDE);
    const struct conv_problem *conv = strip->conv;
    /* what is read in each row stands here: a store of a vector may, to the compiler, change what lies in memory */
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct conv_range T = conv_taps_inside(&D, strip->z);
    const enum conv_activation act = conv->act;
    const int64_t column = strip->q * STRIDE - W.pad_begin, reach = strip_reach(FILTER, STRIDE, VECS);
    const int64_t left = W.out - strip->q, room = H.out * W.out - strip->q - VECS * CONV_LANES;
    const int64_t plane = H.in * W.in, deeper = D.dilation * plane;   /* floats from one depth, or tap, to the next */
    const int64_t first = strip->channel + conv_input_at(&D, strip->z, T.begin) * plane + column;
    const int64_t depths = T.end - T.begin, last = strip->x_floats - reach;   /* where a row may begin at most */
    const float *const x = strip->x, *const w = strip->w + T.begin * FILTER * FILTER;
    const vec bias = vec_set(strip->bias);
    float *y = strip->y + strip->q;   /* y[0][q] */
    vec sums[STRIP_TAPS][STRIP_VECS];
    vec_mask mask[STRIP_TAPS][STRIP_VECS];
    CONV_UNROLL
    for (int v = 0; v < VECS; v++) {
        CONV_UNROLL
        for (int s = 0; s < FILTER; s++)
            mask[s][v] = strip_mask(column + v * CONV_LANES * STRIDE + s, W.in, STRIDE);
        CONV_UNROLL
        for (int i = 0; i < ROWS; i++)
            sums[i][v] = bias;
    }

    for (int64_t step = 0; step < H.out + ROWS - 1; step++) {   /* sums[i] is of output row step - i */
        CONV_UNROLL
        for (int u = 0; u < STRIDE; u++) {
            const int64_t h = conv_input_at(&H, step, u);
            for (int64_t t = 0; t < depths && conv_inside(&H, h); t++) {
                const int64_t at = first + t * deeper + h * W.in;   /* x[n][c][d][h][:] */
                const float *row = at >= 0 && at <= last ? x + at : strip_aside(strip, at, reach);
                strip_add(sums, row, w + t * FILTER * FILTER, mask, u, FILTER, STRIDE, VECS);
            }
        }
        const int64_t p = step - (ROWS - 1);
        if (p >= 0)
            strip_store(y + p * W.out, sums[ROWS - 1], act, left, p * W.out <= room, VECS);
        CONV_UNROLL
        for (int v = 0; v < VECS; v++) {
            CONV_UNROLL
            for (int i = ROWS - 1; i > 0; i--)
                sums[i][v] = sums[i - 1][v];
            sums[0][v] = bias;
        }
    }
}

/* The strip by its number of vectors; wider ones than its registers hold don't come. */
CONV_INLINE void strip_by_vecs(const struct strip *strip, const int FILTER, const int STRIDE)
{
    const int64_t most = strip_most(FILTER, STRIDE);
    if (strip->vecs == 1)
        strip_of(strip, FILTER, STRIDE, 1);
    else if (most >= 2 && strip->vecs == 2)
        strip_of(strip, FILTER, STRIDE, 2);
    else if (most >= 3 && strip->vecs == 3)
        strip_of(strip, FILTER, STRIDE, 3);
    else if (most >= 4)
        strip_of(strip, FILTER, STRIDE, 4);
}

typedef void strip_function(const struct strip *strip);
static void strip_3x3_1(const struct strip *strip) { strip_by_vecs(strip, 3, 1); }
static void strip_3x3_2(const struct strip *strip) { strip_by_vecs(strip, 3, 2); }
static void strip_5x5_1(const struct strip *strip) { strip_by_vecs(strip, 5, 1); }
static void strip_5x5_2(const struct strip *strip) { strip_by_vecs(strip, 5, 2); }
static void strip_7x7_1(const struct strip *strip) { strip_by_vecs(strip, 7, 1); }
static void strip_7x7_2(const struct strip *strip) { strip_by_vecs(strip, 7, 2); }

/* A plane, in strips from the right to the left: what one writes behind its last column, the next one corrects. */
static inline void strip_plane(struct strip *strip)
{
    static strip_function *const functions[3][2] = {
        { strip_3x3_1, strip_3x3_2 }, { strip_5x5_1, strip_5x5_2 }, { strip_7x7_1, strip_7x7_2 } };
    const struct conv_axis *W = &strip->conv->axis[CONV_W];
    strip_function *const compute = functions[W->filter / 2 - 1][W->stride - 1];
    const struct parts strips = parts_of_most(conv_ceil_div(W->out, CONV_LANES), strip_most(W->filter, W->stride));
    for (int64_t i = strips.count - 1; i >= 0; i--) {
        const struct conv_range vecs = parts_at(&strips, i);
        strip->q = vecs.begin * CONV_LANES;
        strip->vecs = vecs.end - vecs.begin;
        compute(strip);
    }
}

#endif
