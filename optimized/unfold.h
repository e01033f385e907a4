/* unfold.h - im2col: the windows of a convolution as the columns of a matrix.
 *
 *   columns[j][i] = what tap j of output i reads        j = ((c * T + t) * R + r) * S + s
 *                                                       i = (z * P + p) * Q + q
 *
 * With it, a convolution is the matrix product y[k][i] = SUM_j w[k][j] * columns[j][i], since the filters
 * already lie in memory as a K x C*T*R*S matrix.  Zeros stand where a tap lies in the padding.
 * Used from std_04_im2col on, and by grp_02_unfold_per_group.  Caffe's name for it was im2col, Torch's
 * unfold.   Explained in docs/ladder-standard.md, step 4.
 */
#ifndef CONVREF_OPTIMIZED_UNFOLD_H
#define CONVREF_OPTIMIZED_UNFOLD_H

#include <convref/kernel.h>
#include <string.h>

/* to[q - begin] = row[q * stride + shift] for begin <= q < end, and 0 for q outside of `inside`; a row
 * of NULL is outside altogether */
static inline void unfold_segment(float *to, const float *row, int64_t stride, int64_t shift,
                                  struct conv_range inside, int64_t begin, int64_t end)
{
    const int64_t first = !row || inside.begin > end ? end : inside.begin < begin ? begin : inside.begin;
    const int64_t last = !row || inside.end < first ? first : inside.end > end ? end : inside.end;

    CONV_CHECK(begin <= first && first <= last && last <= end);
    for (int64_t q = begin; q < first; q++)
        to[q - begin] = 0;
    if (stride == 1 && last > first)
        memcpy(to + (first - begin), row + first + shift, (size_t)(last - first) * sizeof *to);
    else
        for (int64_t q = first; q < last; q++)
            to[q - begin] = row[q * stride + shift];
    for (int64_t q = last; q < end; q++)
        to[q - begin] = 0;
}

/* Columns `begin` to `end` of one row of the matrix: tap (t, r, s) over one channel x[:][:][:]. */
static inline void unfold_row(float *to, const struct conv_problem *conv, const float *x, int64_t t,
                              int64_t r, int64_t s, int64_t begin, int64_t end)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const struct conv_range inside = conv_outputs_inside(W, s);
    const int64_t shift = conv_input_at(W, 0, s);

    CONV_CHECK(0 <= begin && end <= D->out * H->out * W->out);
    CONV_CHECK(t < D->filter && r < H->filter && s < W->filter);
    CONV_CHECK(inside.begin >= inside.end || (inside.begin * W->stride + shift >= 0
                                              && (inside.end - 1) * W->stride + shift < W->in));
    for (int64_t i = begin; i < end;) {
        const int64_t q = i % W->out, p = i / W->out % H->out, z = i / W->out / H->out;
        const int64_t length = W->out - q < end - i ? W->out - q : end - i;
        const int64_t plane = conv_input_at(D, z, t), row = conv_input_at(H, p, r);
        const float *from = conv_inside(D, plane) && conv_inside(H, row)
                                ? x + (plane * H->in + row) * W->in : NULL;   /* x[plane][row][:] */
        unfold_segment(to + (i - begin), from, W->stride, shift, inside, q, q + length);
        i += length;
    }
}

#endif
