/* pw_nhwc_04_equal_tiles.c - step 4 of the pointwise ladder for channels last: no empty lanes.
 *
 * Changed since pw_nhwc_03_register_tile: positions and filters are divided into equal tiles (parts.h): 49 positions
 *     are 4 tiles of 6 and 5 of 5, where they were 8 of 6 and one of 1.  A panel is as many vectors wide as it needs.
 * Why it is faster: a tile of one position loads a vector of weights for each multiply-add and has too few sums in
 *     flight; with equal tiles there is none.  Filters that don't exist are multiplied in the last vector only.
 * What it costs: code: the tile is compiled for 1 to 6 positions by each number of vectors.
 * Applies to: pointwise problems in NHWC without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 4 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/panel.h"
#include "optimized/parts.h"
#include "optimized/pointwise/matrix.h"

/* ---- weights: panels of filters, equal numbers of vectors; the panel of filters k0 .. k1 is w[c][k - k0] ---- */

static int64_t vectors(const struct conv_problem *conv) { return conv_ceil_div(conv->k, CONV_LANES); }

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(vectors(conv) * CONV_LANES * conv->c) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const float (*w)[conv->c] = weights->w;
    float *to = packed;
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t c = 0; c < conv->c; c++)
            for (int64_t k = vecs.begin * CONV_LANES; k < vecs.end * CONV_LANES; k++)
                *to++ = k < conv->k ? w[k][c] : 0;
    }
}

/* ---- the matrix product ---- */

/* All positions of one panel: x[i][:] times the panel is y[i][k ...]. */
static void multiply(const struct panel *panel, const struct conv_problem *conv, const float *x, int64_t positions)
{
    const struct parts tiles = parts_of_most(positions, PANEL_ROWS);
    const float *rows[PANEL_ROWS];
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range at = parts_at(&tiles, tile);
        for (int row = 0; row < at.end - at.begin; row++)
            rows[row] = x + (at.begin + row) * conv->c;
        panel_any(panel, at.begin, rows, at.end - at.begin);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const float *w = workspace->packed, *bias = operands->bias;
    float *y = operands->y;

    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
        const struct panel panel = {
            .w = w + k * conv->c, .runs = 1, .depth = conv->c, .bias = bias ? bias + k : NULL,
            .y = y + k, .pitch = conv->k, .filters = (end < conv->k ? end : conv->k) - k, .act = conv->act
        };
        multiply(&panel, conv, operands->x, conv->n * matrix_positions(conv));
    }
}

CONV_KERNEL(pw_nhwc_04_equal_tiles,
    .title = "no empty lanes",
    .from = "pw_nhwc_03_register_tile",
    .kinds = 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = matrix_applies,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
