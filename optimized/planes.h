/* planes.h - channels with their padding, so that positions run on from row to row.
 *
 * A row of the plane is `pitch` floats, for inputs and outputs alike: output (p, q) is position i = p * pitch + q,
 * and each tap reads at i plus a number of its own, in whatever row that is.  So vectors of positions need not end
 * where a row ends; what lies between the rows is computed and not used.
 *
 *   a row of 7, pad 1, 3 taps:   0 a b c d e f g | 0 h i j k l m n | 0 o p ...      pitch 8: the zero on the right is
 *   outputs, q:                  0 1 2 3 4 5 6 - | 0 1 2 3 ...                      the next row's zero on the left
 *
 * With a stride, rows and columns are split into phases as in rows.h: plane[d][row phase][column phase][row][column];
 * phases that no tap reads aren't there.  Depths aren't padded.
 * Introduced in dw_05_positions_run_on; also used by the grouped ladder.
 */
#ifndef CONVREF_OPTIMIZED_PLANES_H
#define CONVREF_OPTIMIZED_PLANES_H

#include <convref/simd.h>

enum {
    PLANES_SLACK = 16 * CONV_LANES,   /* floats that a last tile may read beyond the end */
    PLANES_SMALL = 1 << 16, PLANES_TIMES = 16   /* floats of a plane, or times what x and y hold: planes_applies() */
};

/* One channel of a problem: sizes in floats. */
struct planes {
    int64_t pitch;    /* of a row */
    int64_t phase;    /* of all rows of one phase */
    int64_t depth;    /* of all phases */
    int64_t floats;   /* of all depths and the zeros behind the last row, without the slack */
    int64_t count;    /* positions from the first to the last output of one depth */
};

/* Elements of one phase of a padded axis. */
static inline int64_t planes_length(const struct conv_axis *axis)
{
    return axis->out + (axis->filter - 1) * axis->dilation / axis->stride;
}

/* Phases that taps read: windows shorter than the stride never see the others. */
static inline int64_t planes_phases(const struct conv_axis *axis)
{
    return conv_extent(axis) < axis->stride ? conv_extent(axis) : axis->stride;
}

/* Why not: wide padding and far strides make planes that are mostly zeros.  In double: products may be vast. */
static inline const char *planes_applies(const struct conv_problem *conv)
{
    double plane = (double)conv->axis[CONV_D].in, x = 1, y = 1;
    for (int a = CONV_H; a <= CONV_W; a++)
        plane *= (double)planes_length(&conv->axis[a]) * (double)planes_phases(&conv->axis[a]);
    for (int a = 0; a < CONV_AXES; a++) {
        x *= (double)conv->axis[a].in;
        y *= (double)conv->axis[a].out;
    }
    if (plane <= PLANES_SMALL || plane <= PLANES_TIMES * (x + y))
        return NULL;
    return "its padded planes would be more than 16 times as large as a channel of x and of y";
}

/* The elements of a phase that are inputs, and not padding or beyond the last window. */
static inline struct conv_range planes_inside(const struct conv_axis *axis, int64_t phase)
{
    const int64_t first = axis->pad_begin - phase;
    return conv_clip(conv_ceil_div(first, axis->stride), conv_ceil_div(first + axis->in, axis->stride),
                     planes_length(axis));
}

static inline struct planes planes_of(const struct conv_problem *conv)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    struct planes planes = { .pitch = planes_length(W) };
    int64_t shared = planes.pitch;   /* zeros at the end of a row that can be those at the beginning of the next */
    for (int64_t phase = 0; phase < planes_phases(W); phase++) {
        const struct conv_range inside = planes_inside(W, phase);
        const int64_t right = planes_length(W) - inside.end;
        shared = right < shared ? right : shared;
        shared = inside.begin < shared ? inside.begin : shared;
    }
    shared = shared < planes.pitch - W->out ? shared : planes.pitch - W->out;
    planes.pitch -= shared;
    planes.phase = planes.pitch * planes_length(H);
    planes.depth = planes.phase * planes_phases(H) * planes_phases(W);
    planes.floats = planes.depth * D->in + shared;   /* no row follows the last whose zeros it could share */
    planes.count = (H->out - 1) * planes.pitch + W->out;
    return planes;
}

/* Where tap (r, s) reads, from its position on. */
static inline int64_t planes_tap(const struct planes *planes, const struct conv_problem *conv, int64_t r, int64_t s)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t row = r * H->dilation, col = s * W->dilation;
    return (row % H->stride * planes_phases(W) + col % W->stride) * planes->phase + row / H->stride * planes->pitch
         + col / W->stride;
}

/* The first `count` lanes. */
static inline vec_mask planes_mask(int64_t count)
{
    vec_mask mask;
    for (int lane = 0; lane < CONV_LANES; lane++)
        mask[lane] = lane < count ? -1 : 0;
    return mask;
}

/* A row as it is; rows are filled in order, so that zeros may be written where the next one begins. */
CONV_INLINE void planes_copy(float *to, const float *from, int64_t count, vec_mask rest, const float *x_end)
{
    for (; count >= CONV_LANES; count -= CONV_LANES, to += CONV_LANES, from += CONV_LANES)
        vec_store(to, vec_load(from));
    if (count > 0)
        vec_store(to, vec_select(rest, x_end - from >= CONV_LANES ? vec_load(from) : vec_load_some(from, count),
                                 vec_set(0)));
}

/* One phase of a row. */
CONV_INLINE void planes_pick(float *restrict to, const float *restrict from, int64_t count, int64_t stride)
{
    if (stride == 2)   /* a stride that the compiler knows: shuffles of whole vectors */
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i * 2];
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i * stride];
}

/* One channel, x[d][h][w], into a plane that is all zeros or holds another channel; x_end is the end of all of x. */
static inline void planes_fill(float *plane, const struct planes *planes, const struct conv_problem *conv,
                               const float *x, const float *x_end)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t last = planes_length(H) * H->stride - H->pad_begin, rows = H->in < last ? H->in : last;
    const int64_t row_phases = planes_phases(H), phases = planes_phases(W);
    for (int64_t phase = 0; phase < phases; phase++) {
        const struct conv_range inside = planes_inside(W, phase);
        const int64_t count = inside.end - inside.begin;
        const vec_mask rest = planes_mask(count % CONV_LANES);
        if (count == 0)
            continue;
        const float *from = x + inside.begin * W->stride + phase - W->pad_begin;
        for (int64_t d = 0; d < D->in; d++) {
            int64_t at = H->pad_begin / H->stride, of = H->pad_begin % H->stride;   /* row `at` of phase `of` */
            for (int64_t h = 0; h < rows; h++) {
                if (of < row_phases) {
                    float *to = plane + d * planes->depth + (of * phases + phase) * planes->phase
                              + at * planes->pitch + inside.begin;
                    if (W->stride == 1 && H->stride == 1)
                        planes_copy(to, from + (d * H->in + h) * W->in, count, rest, x_end);
                    else
                        planes_pick(to, from + (d * H->in + h) * W->in, count, W->stride);
                }
                if (++of == H->stride) {
                    of = 0;
                    at++;
                }
            }
        }
    }
}

/* The outputs of one depth, y[p][q], out of positions.  A row is written beyond its end where the next follows. */
static inline void planes_take(float *y, const struct planes *planes, const struct conv_problem *conv,
                               const float *positions)
{
    const int64_t rows = conv->axis[CONV_H].out, cols = conv->axis[CONV_W].out;
    for (int64_t p = 0; p < rows; p++)
        for (int64_t q = 0; q < cols; q += CONV_LANES) {
            const float *from = positions + p * planes->pitch + q;
            if (p * cols + q + CONV_LANES <= rows * cols)
                vec_store(y + p * cols + q, vec_load(from));
            else
                vec_store_some(y + p * cols + q, vec_load(from), cols - q < CONV_LANES ? cols - q : CONV_LANES);
        }
}

#endif
