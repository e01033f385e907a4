/* pw_nhwc_05_rows_by_pointers.c - step 5 of the pointwise ladder for channels last: any stride, in blocks.
 *
 * Changed since pw_nhwc_04_equal_tiles: a table says where the row of x is that each position reads, so that a stride
 *     is nothing but other pointers.  Positions go through all panels in blocks whose x stays in the second cache.
 * Why it is faster: with a stride nothing else of this ladder applies, and the standard ladder copies.  A block of x
 *     comes from memory once, and not once for each panel.
 * What it costs: a table of pointers for a block, filled once for all panels.  All weights are read for each block.
 * Applies to: pointwise problems in NHWC without padding, 1-D to 3-D, any stride.
 * Explained in docs/ladder-pointwise.md, step 5 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/panel.h"
#include "optimized/parts.h"

enum { BLOCK_FLOATS = 64 << 10, BLOCK_LEAST = 16 * PANEL_ROWS, BLOCK_MOST = 1024 };   /* of x; in positions */

static const char *applies(const struct conv_problem *conv)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (conv->axis[a].pad_begin || conv->axis[a].pad_end)
            return "it needs an image without padding";
    return NULL;
}

static int64_t positions_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

static struct parts blocks_of(const struct conv_problem *conv)
{
    const int64_t fit = BLOCK_FLOATS / conv->c;
    return parts_of_most(positions_of(conv), fit < BLOCK_LEAST ? BLOCK_LEAST : fit > BLOCK_MOST ? BLOCK_MOST : fit);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)conv;
    (void)threads;
    return BLOCK_MOST * sizeof(const float *);
}

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

/* ---- images: where the rows are that the positions of `at` read ---- */

static void find_rows(const float **rows, const struct conv_problem *conv, const float *x, struct conv_range at)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    for (int64_t i = at.begin; i < at.end;) {
        const int64_t q = i % W->out, line = i / W->out;
        const int64_t p = line % H->out, z = line / H->out % D->out, n = line / H->out / D->out;
        const int64_t plane = n * D->in + z * D->stride, row = plane * H->in + p * H->stride;
        const float *from = x + (row * W->in + q * W->stride) * conv->c;   /* x[n][plane][row][col][:] */
        for (int64_t end = i + W->out - q; i < end && i < at.end; i++, from += W->stride * conv->c)
            *rows++ = from;
    }
}

/* ---- the matrix product ---- */

/* The filters of some vectors. */
static struct panel panel_of(const struct conv_problem *conv, const float *w, const float *bias, float *y,
                             struct conv_range vecs)
{
    const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
    return (struct panel){
        .w = w + k * conv->c, .runs = 1, .depth = conv->c, .bias = bias ? bias + k : NULL,
        .y = y + k, .pitch = conv->k, .filters = (end < conv->k ? end : conv->k) - k, .act = conv->act
    };
}

/* The positions of one block, by one panel; rows[0] is of the block's first. */
static void multiply(const struct panel *panel, const float *const *rows, struct conv_range block)
{
    const struct parts tiles = parts_of_most(block.end - block.begin, PANEL_ROWS);
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range at = parts_at(&tiles, tile);
        panel_any(panel, block.begin + at.begin, rows + at.begin, at.end - at.begin);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS), blocks = blocks_of(conv);
    const float **rows = workspace->scratch;

    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range block = parts_at(&blocks, b);
        find_rows(rows, conv, operands->x, block);
        for (int64_t part = 0; part < panels.count; part++) {
            const struct panel panel = panel_of(conv, workspace->packed, operands->bias, operands->y,
                                                parts_at(&panels, part));
            multiply(&panel, rows, block);
        }
    }
}

CONV_KERNEL(pw_nhwc_05_rows_by_pointers,
    .title = "any stride, in blocks",
    .from = "pw_nhwc_04_equal_tiles",
    .kinds = 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
