/* pw_nhwc_03_register_tile.c - step 3 of the pointwise ladder for channels last: positions by vectors of filters.
 *
 * Changed since pw_nhwc_02_filters_inside: the micro-kernel of panel.h does the work, six positions by two vectors of
 *     filters (four with 32 registers); the weights are packed as panels of one tile's filters.  Positions run on
 *     over rows and images; those that don't fill a tile go one by one.
 * Why it is faster: 2 loads and 6 broadcasts serve 12 multiply-adds, y is touched once, and a panel is read once for
 *     six positions.  x is not copied: a tile takes its rows where they are.
 * What it costs: a second copy of the weights, made once; K is filled up to whole panels.
 * Applies to: pointwise problems in NHWC without stride and padding, 1-D to 3-D.
 * Explained in docs/ladder-pointwise.md, step 3 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/panel.h"
#include "optimized/pointwise/matrix.h"

/* ---- weights: panels of PANEL_K filters, w[k / PANEL_K][c][k % PANEL_K] ---- */

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv_ceil_div(conv->k, PANEL_K) * PANEL_K * conv->c) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const float (*w)[conv->c] = weights->w;
    float *to = packed;
    for (int64_t k0 = 0; k0 < conv->k; k0 += PANEL_K)
        for (int64_t c = 0; c < conv->c; c++)
            for (int64_t k = k0; k < k0 + PANEL_K; k++)
                *to++ = k < conv->k ? w[k][c] : 0;
}

/* ---- the matrix product ---- */

/* All positions of one panel: x[i][:] times the panel is y[i][k ...]. */
static void multiply(const struct panel *panel, const struct conv_problem *conv, const float *x, int64_t positions)
{
    const float *rows[PANEL_ROWS];
    int64_t i = 0;
    for (; i + PANEL_ROWS <= positions; i += PANEL_ROWS) {
        for (int row = 0; row < PANEL_ROWS; row++)
            rows[row] = x + (i + row) * conv->c;
        panel_tile(panel, i, rows, PANEL_ROWS, PANEL_VECS);
    }
    for (; i < positions; i++) {
        rows[0] = x + i * conv->c;
        panel_tile(panel, i, rows, 1, PANEL_VECS);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const float *w = workspace->packed, *bias = operands->bias;
    float *y = operands->y;

    for (int64_t k = 0; k < conv->k; k += PANEL_K) {
        const struct panel panel = {
            .w = w + k * conv->c, .runs = 1, .depth = conv->c, .bias = bias ? bias + k : NULL,
            .y = y + k, .pitch = conv->k, .filters = conv->k - k, .act = conv->act
        };
        multiply(&panel, conv, operands->x, conv->n * matrix_positions(conv));
    }
}

CONV_KERNEL(pw_nhwc_03_register_tile,
    .title = "positions by vectors of filters, in registers",
    .from = "pw_nhwc_02_filters_inside",
    .kinds = 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = matrix_applies,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
