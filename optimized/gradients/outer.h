/* outer.h - weight gradients for channels last: sums of outer products, a block of positions at a time.
 *
 *   dw[k][tap][c] = SUM over positions i of dy[i][k] * x[what tap reads at i][c]
 *
 * For one tap and a few vectors of channels that is a product for panel.h, whose depth are the positions: x is copied
 * to rows of whole vectors, with zeros for the padding, and a block of dy is turned, so that the numbers which are
 * broadcast lie one behind the other.  Sums of a block are added to those of the blocks before.
 * Introduced in bwd_weights_nhwc_01_outer_products; also used by its last step.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_OUTER_H
#define CONVREF_OPTIMIZED_GRADIENTS_OUTER_H

#include "optimized/gradients/dot.h"
#include "optimized/panel.h"
#include "optimized/parts.h"

enum {
    OUTER_BLOCK = 256,                /* positions */
    OUTER_PITCH = OUTER_BLOCK + 16    /* odd in cache lines, so that rows don't collide in the cache */
};

struct position { int64_t n, z, p, q; };

struct outer {
    const struct conv_problem *conv;
    int64_t channels, filters;          /* of a group */
    int64_t taps, positions;            /* positions of all images */
    int64_t wide;                       /* the channels of a group in whole vectors */
    struct parts panels;                /* of their vectors */
    struct position *at;                /* of the block */
    float *dy;                          /* dy[k][position of the block] of one group */
    float *sums;                        /* sums[tap][k][wide] of one group */
    float *rows;                        /* of each thread: OUTER_BLOCK rows of a panel */
};

static inline struct outer outer_of(const struct conv_problem *conv)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t channels = conv->c / conv->groups, vectors = conv_ceil_div(channels, CONV_LANES);
    return (struct outer){
        .conv = conv, .channels = channels, .filters = conv->k / conv->groups,
        .taps = D->filter * H->filter * W->filter, .positions = conv->n * D->out * H->out * W->out,
        .wide = vectors * CONV_LANES, .panels = parts_of_most(vectors, PANEL_VECS)
    };
}

static inline size_t outer_bytes(const struct conv_problem *conv, int threads)
{
    const struct outer outer = outer_of(conv);
    const int64_t floats = outer.filters * OUTER_PITCH + outer.taps * outer.filters * outer.wide
                         + threads * OUTER_BLOCK * PANEL_K;
    return OUTER_BLOCK * sizeof(struct position) + (size_t)floats * sizeof(float);
}

static inline struct outer outer_start(const struct conv_problem *conv, void *scratch)
{
    struct outer outer = outer_of(conv);
    outer.at = scratch;
    outer.dy = (float *)(outer.at + OUTER_BLOCK);
    outer.sums = outer.dy + outer.filters * OUTER_PITCH;
    outer.rows = outer.sums + outer.taps * outer.filters * outer.wide;
    return outer;
}

/* Where the positions of a block are. */
static inline void outer_find(const struct outer *outer, struct conv_range block)
{
    const struct conv_axis *axis = outer->conv->axis;
    const int64_t Q = axis[CONV_W].out, P = axis[CONV_H].out, Z = axis[CONV_D].out;
    for (int64_t i = block.begin; i < block.end; i++)
        outer->at[i - block.begin] = (struct position){ i / Q / P / Z, i / Q / P % Z, i / Q % P, i % Q };
}

/* Filter k of the group, at the positions of a block; dy is dy[0][g][0]. */
static inline void outer_turn(const struct outer *outer, const float *dy, int64_t k, struct conv_range block)
{
    for (int64_t i = block.begin; i < block.end; i++)
        outer->dy[k * OUTER_PITCH + i - block.begin] = dy[i * outer->conv->k + k];   /* dy[i][g][k] */
}

/* What tap `tap` reads at `count` positions, of some vectors of the group's channels; x is x[0][g][0]. */
static inline void outer_copy(float *rows, const struct outer *outer, const float *x, int64_t tap, int64_t count,
                              struct conv_range vecs)
{
    const struct conv_axis *axis = outer->conv->axis, *D = &axis[CONV_D], *H = &axis[CONV_H], *W = &axis[CONV_W];
    const int64_t s = tap % W->filter, r = tap / W->filter % H->filter, t = tap / W->filter / H->filter;
    const int64_t c = vecs.begin * CONV_LANES, wide = (vecs.end - vecs.begin) * CONV_LANES;
    const int64_t channels = outer->channels - c < wide ? outer->channels - c : wide;
    for (int64_t i = 0; i < count; i++, rows += wide) {
        const struct position at = outer->at[i];
        const int64_t a = conv_input_at(D, at.z, t), b = conv_input_at(H, at.p, r), d = conv_input_at(W, at.q, s);
        const bool inside = conv_inside(D, a) && conv_inside(H, b) && conv_inside(W, d);
        const int64_t row = ((at.n * D->in + a) * H->in + b) * W->in + d;
        if (inside && channels == wide)
            for (int64_t lane = 0; lane < wide; lane += CONV_LANES)
                vec_store(rows + lane, vec_load(x + row * outer->conv->c + c + lane));   /* x[n][a][b][d][g][c] */
        else {
            memset(rows, 0, (size_t)wide * sizeof *rows);
            if (inside)
                memcpy(rows, x + row * outer->conv->c + c, (size_t)channels * sizeof *rows);
        }
    }
}

/* Adds a block to the sums of one tap and panel, for all filters of the group. */
static inline void outer_add(const struct outer *outer, float *rows, const float *x, int64_t tap, int64_t part,
                             int64_t count)
{
    const struct conv_range vecs = parts_at(&outer->panels, part);
    const struct parts tiles = parts_of_most(outer->filters, PANEL_ROWS);
    const int64_t wide = (vecs.end - vecs.begin) * CONV_LANES;
    float some[PANEL_ROWS][PANEL_K];
    const struct panel panel = { .w = rows, .runs = 1, .depth = count, .y = some[0], .pitch = PANEL_K,
                                 .filters = wide };
    outer_copy(rows, outer, x, tap, count, vecs);
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range k = parts_at(&tiles, tile);
        const float *of_filter[PANEL_ROWS];
        for (int64_t i = k.begin; i < k.end; i++)
            of_filter[i - k.begin] = outer->dy + i * OUTER_PITCH;
        panel_any(&panel, 0, of_filter, k.end - k.begin);
        for (int64_t i = k.begin; i < k.end; i++) {
            float *sums = outer->sums + (tap * outer->filters + i) * outer->wide + vecs.begin * CONV_LANES;
            for (int64_t lane = 0; lane < wide; lane += CONV_LANES)
                vec_store(sums + lane, vec_load(sums + lane) + vec_load(some[i - k.begin] + lane));
        }
    }
}

/* dw[k][c][tap] of one group */
static inline void outer_store(float *dw, const struct outer *outer)
{
    for (int64_t k = 0; k < outer->filters; k++)
        for (int64_t c = 0; c < outer->channels; c++)
            for (int64_t tap = 0; tap < outer->taps; tap++)
                *dw++ = outer->sums[(tap * outer->filters + k) * outer->wide + c];
}

#endif
