/* grp_04_tile_by_group.c - step 4 of the grouped ladder: tiles of the group's size, over rows as they come.
 *
 * Changed since grp_03_direct_blocked: positions run on from row to row in padded planes (planes.h), and a tile has
 *     as many filters as suit the group, from 1 to 6 (AVX-512: 12), and the more positions the fewer filters.
 * Why it is faster: no lanes are empty at the end of a row, and a group of 4 has tiles of 4 filters, not of 6.
 * What it costs: the tile is compiled for each number of filters; outputs are copied out of their positions.
 * Applies to: any grouped or depthwise problem, 1-D to 3-D, whose planes aren't nearly all padding.
 * Explained in docs/ladder-grouped.md, step 4.
 */
#include <convref/kernel.h>

#include "optimized/planes.h"

/* The sums of a tile, filters times vectors; the other registers hold x or w of a tap, and one of the other. */
enum { SUMS = CONV_REGISTERS == 32 ? 24 : 12 };

/* As CONV_UNROLL, for the 24 vectors of a tile with one filter. */
#define UNROLL_VECS _Pragma("GCC unroll 64")

/* ---- sizes of one group, and of its tiles ---- */

struct sizes { int64_t channels, filters, taps; };   /* taps: of one depth */

static struct sizes sizes_of(const struct conv_problem *conv)
{
    return (struct sizes){ conv->c / conv->groups, conv->k / conv->groups,
                           conv->axis[CONV_H].filter * conv->axis[CONV_W].filter };
}

/* Vectors that tiles of `vecs` compute for a number of positions; the last tile may be half as long. */
static int64_t vectors(int64_t positions, int64_t vecs)
{
    const int64_t needed = conv_ceil_div(positions, CONV_LANES), half = (vecs + 1) / 2;
    const int64_t whole = needed / vecs * vecs, rest = needed - whole;
    return whole + (rest == 0 ? 0 : rest <= half ? half : vecs);
}

/* The same for one depth of outputs: all positions together, or, where windows are so wide that most positions lie
 * between the rows, row by row. */
static int64_t vectors_by_row(const struct conv_problem *conv, int64_t vecs)
{
    return conv->axis[CONV_H].out * vectors(conv->axis[CONV_W].out, vecs);
}

/* Filters of a tile: those with which the least is computed that isn't there; before others what loads least. */
static int64_t tile_filters(const struct conv_problem *conv)
{
    static const int few[] = { 4, 3, 6, 2, 1, 0 }, many[] = { 6, 4, 8, 3, 12, 2, 1, 0 };
    const int64_t filters = conv->k / conv->groups, positions = planes_of(conv).count;
    int64_t best = 0, least = INT64_MAX;
    for (const int *can = SUMS == 12 ? few : many; *can; can++) {
        const int64_t together = vectors(positions, SUMS / *can), by_row = vectors_by_row(conv, SUMS / *can);
        const int64_t computed = conv_ceil_div(filters, *can) * *can * (together < by_row ? together : by_row);
        if (computed < least) {
            best = *can;
            least = computed;
        }
    }
    return best;
}

/* ---- weights: panels of `tile` filters, w[g][k / tile][c][t][r][s][k % tile] ---- */

static int64_t group_floats(const struct conv_problem *conv, int64_t tile)
{
    const struct sizes size = sizes_of(conv);
    return conv_ceil_div(size.filters, tile) * tile * size.channels * conv->axis[CONV_D].filter * size.taps;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv->groups * group_floats(conv, tile_filters(conv))) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct sizes size = sizes_of(conv);
    const int64_t tile = tile_filters(conv), depth = size.channels * conv->axis[CONV_D].filter * size.taps;
    const float (*w)[size.filters][depth] = weights->w;
    float *to = packed;
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t k0 = 0; k0 < size.filters; k0 += tile)
            for (int64_t j = 0; j < depth; j++)
                for (int64_t k = k0; k < k0 + tile; k++)
                    *to++ = k < size.filters ? w[g][k][j] : 0;
}

/* ---- scratch: a plane for each channel of a group, positions for each filter of a tile, offsets of the taps ---- */

static int64_t plane_floats(const struct planes *planes) { return planes->floats + PLANES_SLACK; }
static int64_t positions_floats(const struct planes *planes) { return planes->count + SUMS * CONV_LANES; }

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct planes planes = planes_of(conv);
    (void)threads;
    return (size_t)(sizes_of(conv).channels * plane_floats(&planes) + SUMS * positions_floats(&planes)
                    + SUMS * CONV_LANES) * sizeof(float) + (size_t)sizes_of(conv).taps * sizeof(int64_t);
}

/* What is the same for all groups. */
struct run {
    const struct conv_problem *conv;
    struct sizes size;
    struct planes planes;
    int64_t tile;             /* filters */
    int64_t length, step;     /* positions that are computed together, and where the next ones begin */
    int64_t *offset;          /* of tap [r][s] */
    float *plane, *positions;
    const float *x_end;
};

/* Where a tile is: the taps inside along the depth, the first plane that they read, and its weights. */
struct place {
    struct conv_range T;
    const float *x, *w, *bias;
};

/* FILTERS filters by VECS vectors of positions, from i on. */
CONV_INLINE void tile(const struct run *run, const struct place *at, int64_t i, const int FILTERS, const int VECS)
{
    const int64_t taps = run->size.taps, x_t = run->conv->axis[CONV_D].dilation * run->planes.depth;
    vec sums[SUMS];
    CONV_UNROLL
    for (int k = 0; k < FILTERS; k++)
        UNROLL_VECS
        for (int v = 0; v < VECS; v++)
            sums[k * VECS + v] = vec_set(at->bias[k]);
    for (int64_t c = 0; c < run->size.channels; c++)
    for (int64_t t = at->T.begin; t < at->T.end; t++) {
        const float *x = at->x + c * plane_floats(&run->planes) + (t - at->T.begin) * x_t + i;
        const float *w = at->w + (c * run->conv->axis[CONV_D].filter + t) * taps * FILTERS;
        for (int64_t tap = 0; tap < taps; tap++, w += FILTERS) {
            const float *from = x + run->offset[tap];
            vec xs[SUMS], weights[SUMS];
            UNROLL_VECS
            for (int v = 0; v < VECS; v++)
                xs[v] = vec_load(from + v * CONV_LANES);
            CONV_UNROLL
            for (int k = 0; k < FILTERS; k++) {
                weights[k] = vec_set(w[k]);
                UNROLL_VECS
                for (int v = 0; v < VECS; v++)
                    sums[k * VECS + v] += xs[v] * weights[k];
            }
        }
    }
    CONV_UNROLL
    for (int k = 0; k < FILTERS; k++)
        UNROLL_VECS
        for (int v = 0; v < VECS; v++)
            vec_store(run->positions + k * positions_floats(&run->planes) + i + v * CONV_LANES,
                      vec_activate(run->conv->act, sums[k * VECS + v]));
}

/* All positions of FILTERS filters. */
CONV_INLINE void tiles_of(const struct run *run, const struct place *at, const int FILTERS)
{
    const int VECS = SUMS / FILTERS, HALF = (VECS + 1) / 2;
    for (int64_t begin = 0; begin < run->planes.count; begin += run->step)
        for (int64_t i = 0; i < run->length; i += VECS * CONV_LANES)
            if (run->length - i > HALF * CONV_LANES)
                tile(run, at, begin + i, FILTERS, VECS);
            else
                tile(run, at, begin + i, FILTERS, HALF);
}

static void tiles(const struct run *run, const struct place *at)
{
    switch (run->tile) {
    case 1:  tiles_of(run, at, 1); break;
    case 2:  tiles_of(run, at, 2); break;
    case 3:  tiles_of(run, at, 3); break;
    case 4:  tiles_of(run, at, 4); break;
    case 6:  tiles_of(run, at, 6); break;
    case 8:  tiles_of(run, at, SUMS == 24 ? 8 : 1); break;    /* with 32 registers only */
    default: tiles_of(run, at, SUMS == 24 ? 12 : 1); break;
    }
}

/* One group of one image: y[k][z][p][q], with its planes filled; bias[] has room for whole tiles. */
static void group(float *y, const struct run *run, const float *w, const float *bias)
{
    const struct conv_axis *D = &run->conv->axis[CONV_D];
    const int64_t filters = run->size.filters, outputs = run->conv->axis[CONV_H].out * run->conv->axis[CONV_W].out;
    float room[SUMS];
    for (int64_t k = 0; k < filters; k += run->tile) {
        struct place at = { .w = w + k * run->size.channels * D->filter * run->size.taps, .bias = room };
        for (int64_t i = 0; i < run->tile; i++)
            room[i] = bias && k + i < filters ? bias[k + i] : 0;
        for (int64_t z = 0; z < D->out; z++) {
            at.T = conv_taps_inside(D, z);
            at.x = run->plane + conv_input_at(D, z, at.T.begin) * run->planes.depth;
            tiles(run, &at);
            for (int64_t i = 0; i < run->tile && k + i < filters; i++)
                planes_take(y + ((k + i) * D->out + z) * outputs, &run->planes, run->conv,
                            run->positions + i * positions_floats(&run->planes));
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
    struct run run = { .conv = conv, .size = size, .planes = planes_of(conv), .tile = tile_filters(conv),
                       .offset = workspace->scratch, .x_end = x[conv->n * conv->c] };
    const int64_t vecs = SUMS / run.tile, w_floats = group_floats(conv, run.tile);
    const bool by_row = vectors_by_row(conv, vecs) < vectors(run.planes.count, vecs);

    run.length = by_row ? W.out : run.planes.count;
    run.step = by_row ? run.planes.pitch : run.planes.count;
    run.plane = (float *)(run.offset + size.taps);
    run.positions = run.plane + size.channels * plane_floats(&run.planes);
    for (int64_t tap = 0; tap < size.taps; tap++)
        run.offset[tap] = planes_tap(&run.planes, conv, tap / W.filter, tap % W.filter);
    memset(run.plane, 0, (size_t)(size.channels * plane_floats(&run.planes)) * sizeof(float));
    for (int64_t i = 0; i < conv->n * conv->groups; i++) {   /* i = n * G + g */
        const int64_t g = i % conv->groups;
        for (int64_t c = 0; c < size.channels; c++)
            planes_fill(run.plane + c * plane_floats(&run.planes), &run.planes, conv, x[i * size.channels + c],
                        run.x_end);
        group(y[i], &run, w + g * w_floats, bias ? bias + g * size.filters : NULL);
    }
}

CONV_KERNEL(grp_04_tile_by_group,
    .title = "tiles of the group's size, over rows as they come",
    .from = "grp_03_direct_blocked",
    .kinds = 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
    .applies = planes_applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
