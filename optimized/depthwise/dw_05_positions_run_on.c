/* dw_05_positions_run_on.c - step 5 of the depthwise ladder: vectors don't end where a row ends.
 *
 * Changed since dw_04_rows_in_registers: the plane has its padding in every direction, and one pitch for inputs and
 *     outputs (planes.h), so that a tile is eight vectors of positions, over as many rows as they reach; the outputs
 *     are taken out of them at the end.  What a tap adds to a position is worked out once.
 * Why it is faster: an image of 7x7, 55 positions, is one tile of eight vectors, of which seven are wanted, in the
 *     place of seven rows, each of which left lanes empty and had too few sums in flight; no row is at the border.
 * What it costs: what lies between the rows is computed, and the outputs are copied.
 * Applies to: any depthwise problem in NCHW, 1-D to 3-D, any multiplier, whose planes aren't nearly all padding.
 * Explained in docs/ladder-depthwise.md, step 5.
 */
#include <convref/kernel.h>

#include "optimized/planes.h"

enum { SUMS = 8 };   /* vectors of a tile; four if no more are left */

static int64_t taps(const struct conv_problem *conv) { return conv->axis[CONV_H].filter * conv->axis[CONV_W].filter; }

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct planes planes = planes_of(conv);
    (void)threads;
    return (size_t)(planes.floats + PLANES_SLACK + planes.count + PLANES_SLACK) * sizeof(float)
         + (size_t)taps(conv) * sizeof(int64_t);
}

/* What is the same for all channels. */
struct run {
    const struct conv_problem *conv;
    struct planes planes;
    int64_t *offset;    /* of tap [r][s] */
    float *plane, *positions;
    const float *x_end;
    bool by_row;        /* windows are so wide that most positions would be between the rows */
};

/* VECS vectors of positions: to[:] = act(bias + SUM over t, tap of x[t][offset[tap] + :] * w[t][tap]) */
CONV_INLINE void tile(float *to, const struct run *run, const float *x, int64_t x_t, const float *w, int64_t depths,
                      float bias, const int VECS)
{
    const int64_t count = taps(run->conv);
    vec sums[SUMS];
    CONV_UNROLL
    for (int v = 0; v < VECS; v++)
        sums[v] = vec_set(bias);
    for (int64_t t = 0; t < depths; t++, x += x_t, w += count)
        for (int64_t tap = 0; tap < count; tap++) {
            const vec weight = vec_set(w[tap]);
            const float *from = x + run->offset[tap];
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                sums[v] += vec_load(from + v * CONV_LANES) * weight;
        }
    CONV_UNROLL
    for (int v = 0; v < VECS; v++)
        vec_store(to + v * CONV_LANES, vec_activate(run->conv->act, sums[v]));
}

/* `length` positions from x on, and a rest that nobody wants. */
static void positions(float *to, const struct run *run, const float *x, int64_t x_t, const float *w, int64_t depths,
                      float bias, int64_t length)
{
    for (int64_t i = 0; i < length; i += SUMS * CONV_LANES)
        if (length - i > SUMS / 2 * CONV_LANES)
            tile(to + i, run, x + i, x_t, w, depths, bias, SUMS);
        else
            tile(to + i, run, x + i, x_t, w, depths, bias, SUMS / 2);
}

/* One depth of outputs, y[p][q], of one filter, w[t][r][s]. */
static void depth(float *y, const struct run *run, const float *w, float bias, int64_t z)
{
    const struct conv_axis *D = &run->conv->axis[CONV_D];
    const struct planes *planes = &run->planes;
    const struct conv_range T = conv_taps_inside(D, z);
    const float *x = run->plane + conv_input_at(D, z, T.begin) * planes->depth;
    const int64_t length = run->by_row ? run->conv->axis[CONV_W].out : planes->count;
    w += T.begin * taps(run->conv);
    for (int64_t i = 0; i < planes->count; i += run->by_row ? planes->pitch : planes->count)
        positions(run->positions + i, run, x + i, D->dilation * planes->depth, w, T.end - T.begin, bias, length);
    planes_take(y, planes, run->conv, run->positions);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t multiplier = conv->k / conv->c;
    const float (*x)[D.in * H.in * W.in] = operands->x;
    const float (*w)[D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    float (*y)[multiplier][D.out][H.out * W.out] = operands->y;
    struct run run = { .conv = conv, .planes = planes_of(conv), .offset = workspace->scratch,
                       .x_end = x[conv->n * conv->c] };

    const int64_t tile_floats = SUMS * CONV_LANES;
    run.by_row = conv_ceil_div(run.planes.count, tile_floats) > H.out * conv_ceil_div(W.out, tile_floats);
    for (int64_t tap = 0; tap < taps(conv); tap++)
        run.offset[tap] = planes_tap(&run.planes, conv, tap / W.filter, tap % W.filter);
    run.plane = (float *)(run.offset + taps(conv));
    run.positions = run.plane + run.planes.floats + PLANES_SLACK;
    memset(run.plane, 0, (size_t)(run.planes.floats + PLANES_SLACK) * sizeof(float));
    for (int64_t i = 0; i < conv->n * conv->c; i++) {   /* i = n * C + c */
        planes_fill(run.plane, &run.planes, conv, x[i], run.x_end);
        for (int64_t m = 0; m < multiplier; m++) {
            const int64_t k = i % conv->c * multiplier + m;
            for (int64_t z = 0; z < D.out; z++)
                depth(y[i][m][z], &run, w[k], bias ? bias[k] : 0, z);
        }
    }
}

CONV_KERNEL(dw_05_positions_run_on,
    .title = "vectors run on from row to row",
    .from = "dw_04_rows_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = planes_applies,
    .scratch_bytes = scratch_bytes,
    .run = run,
);
