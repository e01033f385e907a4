/* mix.h - a pointwise stage for channels last: positions that lie one behind the other, by panels of filters.
 *
 * The panels of panel.h, w[c][k - k0], one behind the other in memory.  x and y are rows of a block, wherever it
 * lies: an image, some of its rows, or a buffer between two stages.  A stage is a problem of its own (conv_stages()), of
 * which the channels, the filters and the activation matter here, and not its sizes: so it may be a separable problem
 * without a multiplier, too, whose second stage has the same.
 *
 * Introduced in sep_nhwc_02_fused.
 */
#ifndef CONVREF_OPTIMIZED_SEPARABLE_MIX_H
#define CONVREF_OPTIMIZED_SEPARABLE_MIX_H

#include "optimized/panel.h"
#include "optimized/parts.h"

/* The filters with those that fill the last vector; as vectors, in panels. */
static inline int64_t mix_filters(const struct conv_problem *stage)
{
    return conv_ceil_div(stage->k, CONV_LANES) * CONV_LANES;
}

static inline struct parts mix_panels(const struct conv_problem *stage)
{
    return parts_of_most(mix_filters(stage) / CONV_LANES, PANEL_VECS);
}

static inline int64_t mix_packed_floats(const struct conv_problem *stage) { return mix_filters(stage) * stage->c; }

/* from[k][c] to panels */
static inline void mix_pack(float *to, const struct conv_problem *stage, const float *from)
{
    const struct parts panels = mix_panels(stage);
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t c = 0; c < stage->c; c++)
            for (int64_t k = vecs.begin * CONV_LANES; k < vecs.end * CONV_LANES; k++)
                *to++ = k < stage->k ? from[k * stage->c + c] : 0;
    }
}

/* All positions by one panel. */
static inline void mix_panel(const struct panel *panel, const float *x, int64_t positions)
{
    const struct parts tiles = parts_of_most(positions, PANEL_ROWS);
    const float *rows[PANEL_ROWS];
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range at = parts_at(&tiles, tile);
        for (int row = 0; row < at.end - at.begin; row++)
            rows[row] = x + (at.begin + row) * panel->depth;   /* x[position][:] */
        panel_any(panel, at.begin, rows, at.end - at.begin);
    }
}

/* y[position][k] = act(bias[k] + SUM_c x[position][c] * w[c][k]) for the filters of some panels; bias may be NULL */
static inline void mix_some(float *y, const struct conv_problem *stage, const float *w, const float *bias,
                            const float *x, int64_t positions, struct conv_range some)
{
    const struct parts panels = mix_panels(stage);
    for (int64_t part = some.begin; part < some.end; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
        const struct panel panel = {
            .w = w + k * stage->c, .runs = 1, .depth = stage->c, .bias = bias ? bias + k : NULL, .y = y + k,
            .pitch = stage->k, .filters = (end < stage->k ? end : stage->k) - k, .act = stage->act
        };
        mix_panel(&panel, x, positions);
    }
}

/* All filters. */
static inline void mix(float *y, const struct conv_problem *stage, const float *w, const float *bias, const float *x,
                       int64_t positions)
{
    mix_some(y, stage, w, bias, x, positions, (struct conv_range){ 0, mix_panels(stage).count });
}

#endif
