/* dw_bwd_weights_01_taps_in_registers.c - step 1 of the depthwise ladder of weight gradients: nine taps at a time.
 *
 * Changed since bwd_weights_02_positions_in_lanes: nothing is unfolded.  A channel is copied once with its padding
 *     (the planes of rows.h), and a row of dy is multiplied with nine windows of it at once, each with a sum of its
 *     own that stays in its register for the whole image.
 * Why it is faster: unfolding copied x for each tap, for one product with each copy; a vector of dy is loaded once
 *     for nine multiply-adds, and lanes are added up once an image.
 * What it costs: nine loads of x for nine multiply-adds; a filter of 5x5 reads the image three times.
 * Applies to: weight and bias gradients of depthwise convolutions, 1-D to 3-D, any multiplier, in NCHW.
 * Explained in docs/ladder-gradients.md, step 1 of depthwise weights.
 */
#include <convref/kernel.h>

#include "optimized/gradients/dot.h"
#include "optimized/rows.h"

enum { MOST_TAPS = 9, FEW_TAPS = 3 };

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

/* ---- scratch: the plane; a row of zeros, which taps outside of the image read; a row of dy in whole vectors ---- */

struct scratch { int64_t pitch, row, zeros, dy, floats; };   /* sizes, and where the parts behind the plane begin */

static struct scratch scratch_of(const struct conv_problem *conv)
{
    struct scratch at = { .pitch = rows_pitch(conv), .zeros = rows_plane_floats(conv) };
    at.row = conv->axis[CONV_W].stride * at.pitch;
    at.dy = at.zeros + at.row;
    at.floats = at.dy + conv_ceil_div(conv->axis[CONV_W].out, CONV_LANES) * CONV_LANES;
    return at;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)scratch_of(conv).floats * sizeof(float);
}

/* ---- one filter ---- */

struct tap { int64_t t, r, column; };   /* it reads at row[column + q] of input row (z, t) (p, r) */

static struct tap tap_at(const struct conv_problem *conv, int64_t pitch, int64_t index)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t shift = index % W->filter * W->dilation;
    return (struct tap){ index / W->filter / H->filter, index / W->filter % H->filter,
                         shift % W->stride * pitch + shift / W->stride };   /* row[phase][column] */
}

/* One vector of outputs, times what each tap reads there; lanes behind the last output are masked, since what x has
 * there may be infinite. */
CONV_INLINE void add_step(vec *sums, const float *dy, const float *const *x, int64_t q, const vec_mask *mask,
                          const int TAPS)
{
    const vec ys = vec_load(dy + q);
    CONV_UNROLL
    for (int i = 0; i < TAPS; i++)
        sums[i] += (mask ? vec_select(*mask, vec_load(x[i] + q), vec_set(0)) : vec_load(x[i] + q)) * ys;
}

/* dw[i] += SUM dy[z][p][q] * x[...] for `count` taps from `first` on; those that aren't there are the last again. */
CONV_INLINE void sum_taps(float *dw, const struct conv_problem *conv, float *scratch, const float *dy, int64_t first,
                          int64_t count, const int TAPS)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct scratch at = scratch_of(conv);
    float *row = scratch + at.dy;
    struct tap taps[MOST_TAPS];
    vec sums[MOST_TAPS];
    vec_mask mask;
    for (int lane = 0; lane < CONV_LANES; lane++)
        mask[lane] = lane < W.out % CONV_LANES ? -1 : 0;
    CONV_UNROLL
    for (int i = 0; i < TAPS; i++) {
        taps[i] = tap_at(conv, at.pitch, first + min(i, count - 1));
        sums[i] = vec_set(0);
    }
    for (int64_t z = 0; z < D.out; z++)
        for (int64_t p = 0; p < H.out; p++, dy += W.out) {
            const float *x[MOST_TAPS];
            int64_t q = 0;
            for (int i = 0; i < TAPS; i++) {
                const int64_t d = conv_input_at(&D, z, taps[i].t), h = conv_input_at(&H, p, taps[i].r);
                const bool inside = conv_inside(&D, d) && conv_inside(&H, h);
                x[i] = scratch + (inside ? (d * H.in + h) * at.row : at.zeros) + taps[i].column;
            }
            memcpy(row, dy, (size_t)W.out * sizeof *row);
            for (; q + CONV_LANES <= W.out; q += CONV_LANES)
                add_step(sums, row, x, q, NULL, TAPS);
            if (q < W.out)
                add_step(sums, row, x, q, &mask, TAPS);
        }
    CONV_UNROLL
    for (int i = 0; i < TAPS; i++)
        if (i < count)
            dw[i] += vec_sum(sums[i]);
}

static void filter(float *dw, const struct conv_problem *conv, float *scratch, const float *dy)
{
    for (int64_t tap = 0, count; tap < taps_of(conv); tap += count) {
        count = min(MOST_TAPS, taps_of(conv) - tap);
        if (count > FEW_TAPS)
            sum_taps(dw + tap, conv, scratch, dy, tap, count, MOST_TAPS);
        else
            sum_taps(dw + tap, conv, scratch, dy, tap, count, FEW_TAPS);
    }
}

/* All filters of channel c, over all images. */
static void channel(const struct conv_problem *conv, const struct conv_operands *operands, float *scratch, int64_t c)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t multiplier = conv->k / conv->c, outputs = D.out * H.out * W.out;
    const float (*x)[conv->c][D.in * H.in * W.in] = operands->x;
    const float (*dy)[conv->k][outputs] = operands->y;
    float (*dw)[taps_of(conv)] = operands->w, *dbias = operands->bias;

    memset(dw[c * multiplier], 0, (size_t)multiplier * sizeof *dw);
    for (int64_t n = 0; n < conv->n; n++) {
        rows_fill(scratch, conv, x[n][c], 0, H.in);
        for (int64_t k = c * multiplier; k < (c + 1) * multiplier; k++) {
            filter(dw[k], conv, scratch, dy[n][k]);
            if (dbias)
                dbias[k] = (n ? dbias[k] : 0) + row_sum(dy[n][k], outputs);
        }
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    memset(workspace->scratch, 0, scratch_bytes(conv, 1));   /* padding, and what stands behind rows */
    for (int64_t k = 0; operands->bias && k < conv->k; k++)
        ((float *)operands->bias)[k] = 0;       /* the sum over no images */
    for (int64_t c = 0; c < conv->c; c++)
        channel(conv, operands, workspace->scratch, c);
}

CONV_KERNEL(dw_bwd_weights_01_taps_in_registers,
    .title = "nine taps at a time",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_WEIGHTS,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
