/* pw_nhwc_06_openmp.c - step 6 of the pointwise ladder for channels last: all cores.
 *
 * Changed since pw_nhwc_05_rows_by_pointers: the threads are a grid, some share the filters and some the positions;
 *     of all grids the one whose largest part is smallest.  Small problems stay with one thread.
 * Why it is faster: parts share no output, and are equal but for a tile or a panel.  Where filters are divided each
 *     thread reads its own part of the weights only, which is why that is preferred where weights outweigh x.
 * What it costs: a fork and a join for each layer.
 * Applies to: pointwise problems in NHWC without padding, 1-D to 3-D, any stride.
 * Explained in docs/ladder-pointwise.md, step 6 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/panel.h"
#include "optimized/parts.h"

enum {
    BLOCK_FLOATS = 64 << 10,                              /* of x */
    BLOCK_LEAST = 16 * PANEL_ROWS, BLOCK_MOST = 1024,     /* positions */
    FORK = 1 << 19                                        /* multiply-adds that are worth a second thread */
};

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

/* Blocks of `positions` positions. */
static struct parts blocks_of(const struct conv_problem *conv, int64_t positions)
{
    const int64_t fit = BLOCK_FLOATS / conv->c;
    return parts_of_most(positions, fit < BLOCK_LEAST ? BLOCK_LEAST : fit > BLOCK_MOST ? BLOCK_MOST : fit);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)conv;
    return (size_t)threads * BLOCK_MOST * sizeof(const float *);
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

/* The positions and panels of one thread; `rows` is its table. */
static void multiply_part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                          const float **rows, struct conv_range positions, struct conv_range parts)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const struct parts blocks = blocks_of(conv, positions.end - positions.begin);
    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range at = parts_at(&blocks, b);
        const struct conv_range block = { positions.begin + at.begin, positions.begin + at.end };
        find_rows(rows, conv, operands->x, block);
        for (int64_t part = parts.begin; part < parts.end; part++) {
            const struct panel panel = panel_of(conv, w, operands->bias, operands->y, parts_at(&panels, part));
            multiply(&panel, rows, block);
        }
    }
}

/* How many parts the filters get; the positions get threads / that many.  The grid whose largest part is smallest. */
static int64_t share_filters(const struct conv_problem *conv, int64_t panels, int64_t threads)
{
    const bool prefer = conv->k > positions_of(conv);   /* weights outweigh x */
    int64_t best = 1, least = INT64_MAX;
    for (int64_t share = 1; share <= threads; share++) {
        const int64_t largest = conv_ceil_div(panels, share) * conv_ceil_div(positions_of(conv), threads / share);
        if (threads % share == 0 && (largest < least || (largest == least && prefer))) {
            best = share;
            least = largest;
        }
    }
    return best;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t panels = parts_of_most(vectors(conv), PANEL_VECS).count, positions = positions_of(conv);
    const int64_t worth = 1 + positions * conv->c * conv->k / FORK;
    const int64_t threads = worth < workspace->threads ? worth : workspace->threads;
    const int64_t share = share_filters(conv, panels, threads);
    const struct parts across = parts_in(panels, share), down = parts_in(positions, threads / share);
    const float **rows = workspace->scratch;

#pragma omp parallel for num_threads((int)threads) schedule(static) if(threads > 1)
    for (int64_t t = 0; t < threads; t++)
        multiply_part(conv, operands, workspace->packed, rows + t * BLOCK_MOST, parts_at(&down, t / share),
                      parts_at(&across, t % share));
}

CONV_KERNEL(pw_nhwc_06_openmp,
    .title = "all cores, in equal parts",
    .from = "pw_nhwc_05_rows_by_pointers",
    .kinds = 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
