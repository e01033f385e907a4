/* grp_04_openmp.c - step 4 of the grouped ladder: all cores.
 *
 * Changed since grp_03_direct_blocked: groups are dealt out to threads, each with planes of its own.
 * Why it is faster: groups have nothing in common.
 * What it costs: with few large groups and many threads, some threads have nothing to do.
 * Applies to: any grouped or depthwise problem, 1-D to 3-D.
 * Explained in docs/ladder-grouped.md, step 4.
 */
#include <convref/kernel.h>

#include "optimized/rows.h"
#include "optimized/threads.h"
#include "optimized/tile.h"

struct sizes { int64_t channels, filters, taps; };   /* of one group */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups;
    return (struct sizes){ channels, conv->k / conv->groups, channels * D.filter * H.filter * W.filter };
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- planes: the channels of one group, and slack for the last tile ---- */

static int64_t planes_floats(const struct conv_problem *conv)
{
    return sizes_of(conv).channels * rows_plane_floats(conv) + TILE_Q;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * (size_t)planes_floats(conv) * sizeof(float);
}

/* ---- weights: for each group, panels of TILE_K filters, w[g][k / TILE_K][c][t][r][s][k % TILE_K] ---- */

static int64_t group_floats(struct sizes size)
{
    return conv_ceil_div(size.filters, TILE_K) * TILE_K * size.taps;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv->groups * group_floats(sizes_of(conv))) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct sizes size = sizes_of(conv);
    const float (*w)[size.filters][size.taps] = weights->w;
    float *to = packed;
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t k0 = 0; k0 < size.filters; k0 += TILE_K)
            for (int64_t j = 0; j < size.taps; j++)
                for (int64_t k = k0; k < k0 + TILE_K; k++)
                    *to++ = k < size.filters ? w[g][k][j] : 0;
}

/* ---- one group ---- */

/* Adds one row of one channel to the tile: for each tap s, TILE_Q columns of x times TILE_K weights. */
CONV_INLINE void add_row(struct tile *tile, const struct conv_problem *conv, const float *x, const float *w,
                         int64_t pitch)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    int64_t phase = 0, at = 0;   /* of tap s: s * dilation = at * stride + phase */
    for (int64_t s = 0; s < W->filter; s++) {
        tile_multiply(tile, w + s * TILE_K, 1, 0, x + phase * pitch + at, 0, 1);
        for (phase += W->dilation; phase >= W->stride; phase -= W->stride)
            at++;
    }
}

/* Where a tile is: one row of outputs, the taps inside for it, and the planes that it reads. */
struct place {
    struct conv_range T, R;
    int64_t z, p, pitch, plane_floats;
    const float *planes;
};

/* Columns q .. q + TILE_Q of one row of TILE_K channels, from w's panel. */
static void row_tile(struct tile *tile, const struct conv_problem *conv, const struct place *at, const float *w,
                     int64_t q)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups;
    struct tile sums;   /* a copy that the compiler knows to be nobody else's, so that it stays in registers */
    tile_clear(&sums);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t t = at->T.begin; t < at->T.end; t++)
            for (int64_t r = at->R.begin; r < at->R.end; r++) {
                const int64_t row = conv_input_at(D, at->z, t) * H->in + conv_input_at(H, at->p, r);
                add_row(&sums, conv, at->planes + c * at->plane_floats + row * W->stride * at->pitch + q,
                        w + ((c * D->filter + t) * H->filter + r) * W->filter * TILE_K, at->pitch);
            }
    *tile = sums;
}

static void group(float *y, const struct conv_problem *conv, const float *planes, const float *w,
                  const float *bias)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sizes size = sizes_of(conv);
    const int64_t positions = D.out * H.out * W.out;
    struct place at = { .pitch = rows_pitch(conv), .plane_floats = rows_plane_floats(conv), .planes = planes };
    struct tile tile;

    for (at.z = 0; at.z < D.out; at.z++)
        for (at.p = 0; at.p < H.out; at.p++) {
            at.T = conv_taps_inside(&D, at.z);
            at.R = conv_taps_inside(&H, at.p);
            for (int64_t k = 0; k < size.filters; k += TILE_K) {
                const struct tile_end end = { true, true, bias ? bias + k : NULL, conv->act };
                for (int64_t q = 0; q < W.out; q += TILE_Q) {
                    row_tile(&tile, conv, &at, w + k * size.taps, q);
                    tile_store(y + k * positions + (at.z * H.out + at.p) * W.out + q, positions, &tile,
                               min(TILE_K, size.filters - k), min(TILE_Q, W.out - q), &end);
                }
            }
        }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sizes size = sizes_of(conv);
    const float (*x)[D.in * H.in * W.in] = operands->x;   /* x[n * C + c][:] */
    const float *w = workspace->packed, *bias = operands->bias;
    float (*y)[size.filters * D.out * H.out * W.out] = operands->y;
    float *scratch = workspace->scratch;

    for (int64_t i = 0; i < workspace->threads * size.channels; i++)
        rows_clear(scratch + i / size.channels * planes_floats(conv) + i % size.channels * rows_plane_floats(conv),
                   conv);
#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t i = 0; i < conv->n * conv->groups; i++) {   /* i = n * G + g */
        const int64_t g = i % conv->groups;
        float *planes = scratch + conv_thread() * planes_floats(conv);
        for (int64_t c = 0; c < size.channels; c++)
            rows_fill(planes + c * rows_plane_floats(conv), conv, x[i * size.channels + c], 0, H.in);
        group(y[i], conv, planes, w + g * group_floats(size), bias ? bias + g * size.filters : NULL);
    }
}

CONV_KERNEL(grp_04_openmp,
    .title = "all cores",
    .from = "grp_03_direct_blocked",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
