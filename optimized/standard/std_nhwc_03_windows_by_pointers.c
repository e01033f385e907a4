/* std_nhwc_03_windows_by_pointers.c - step 3 of the standard ladder for channels last: nothing is unfolded.
 *
 * Changed since std_nhwc_02_filters_inside: positions by vectors of filters stay in registers (panel.h).  A table
 *     has a pointer for each tap of each position of a block; where a tap lies in the padding it points to zeros.
 * Why it is faster: a load of w serves six positions, and y is touched once.  A window costs 8 bytes for C numbers
 *     and not a copy of them; padding, stride and dilation are other pointers, and no other code.
 * What it costs: products with zeros where a tile is only partly in the padding (a tap that is padding for all of it
 *     is left out); and with few channels more pointers than numbers.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D.
 * Explained in docs/ladder-standard.md, step 3 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/panel.h"
#include "optimized/parts.h"

enum { BLOCK = 32 * PANEL_ROWS };   /* positions of a block */

static int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static int64_t positions_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* ---- scratch: the table of a block, and a row of zeros behind it ---- */

/* Positions of the largest block. */
static int64_t largest(const struct conv_problem *conv)
{
    return positions_of(conv) < BLOCK ? positions_of(conv) : BLOCK;
}

static int64_t table_pointers(const struct conv_problem *conv) { return largest(conv) * taps_of(conv); }

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)table_pointers(conv) * sizeof(const float *) + (size_t)conv->c * sizeof(float);
}

/* ---- weights: panels of filters, equal numbers of vectors; of the filters k0 .. k1 w[tap][c][k - k0] ---- */

static int64_t vectors(const struct conv_problem *conv) { return conv_ceil_div(conv->k, CONV_LANES); }

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(vectors(conv) * CONV_LANES * taps_of(conv) * conv->c) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const int64_t taps = taps_of(conv);
    const float (*w)[conv->c][taps] = weights->w;
    float *to = packed;
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t c = 0; c < conv->c; c++)
                for (int64_t k = vecs.begin * CONV_LANES; k < vecs.end * CONV_LANES; k++)
                    *to++ = k < conv->k ? w[k][c][tap] : 0;
    }
}

/* ---- windows ---- */

struct position { int64_t n, z, p, q; };

static struct position position_of(const struct conv_problem *conv, int64_t i)
{
    const int64_t P = conv->axis[CONV_H].out, Q = conv->axis[CONV_W].out, Z = conv->axis[CONV_D].out;
    return (struct position){ i / Q / P / Z, i / Q / P % Z, i / Q % P, i % Q };
}

/* The next one; divisions for each position would cost as much as a window. */
static void advance(struct position *at, const struct conv_problem *conv)
{
    if (++at->q == conv->axis[CONV_W].out) {
        at->q = 0;
        if (++at->p == conv->axis[CONV_H].out) {
            at->p = 0;
            if (++at->z == conv->axis[CONV_D].out) {
                at->z = 0;
                at->n++;
            }
        }
    }
}

/* The taps of one position, into every `step`-th pointer of the table. */
static void find_window(const float **table, int64_t step, const struct conv_problem *conv, const float *x,
                        const float *zeros, struct position at)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    for (int64_t t = 0; t < D->filter; t++)
    for (int64_t r = 0; r < H->filter; r++) {
        const int64_t plane = conv_input_at(D, at.z, t), row = conv_input_at(H, at.p, r);
        const bool inside = conv_inside(D, plane) && conv_inside(H, row);
        const int64_t line = (at.n * D->in + plane) * H->in + row;   /* of x */
        for (int64_t s = 0; s < W->filter; s++, table += step) {
            const int64_t col = conv_input_at(W, at.q, s);
            *table = inside && conv_inside(W, col) ? x + (line * W->in + col) * conv->c : zeros;
        }
    }
}

/* table[tile][tap][position of the tile] for the tiles of a block */
static void find_windows(const float **table, const struct conv_problem *conv, const float *x, const float *zeros,
                         struct conv_range block)
{
    const struct parts tiles = parts_of_most(block.end - block.begin, PANEL_ROWS);
    const int64_t taps = taps_of(conv);
    struct position at = position_of(conv, block.begin);
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range in = parts_at(&tiles, tile);
        const int64_t count = in.end - in.begin;
        for (int64_t i = 0; i < count; i++, advance(&at, conv))
            find_window(table + i, count, conv, x, zeros, at);
        table += count * taps;
    }
}

/* ---- the matrix product ---- */

/* The filters of some vectors. */
static struct panel panel_of(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                             const float *zeros, struct conv_range vecs)
{
    const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES, taps = taps_of(conv);
    const float *bias = operands->bias;
    float *y = operands->y;
    return (struct panel){
        .w = w + k * taps * conv->c, .runs = taps, .depth = conv->c, .zeros = zeros,
        .bias = bias ? bias + k : NULL, .y = y + k, .pitch = conv->k,
        .filters = (end < conv->k ? end : conv->k) - k, .act = conv->act
    };
}

/* The positions of one block, by one panel. */
static void multiply(const struct panel *panel, const float *const *table, struct conv_range block)
{
    const struct parts tiles = parts_of_most(block.end - block.begin, PANEL_ROWS);
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range at = parts_at(&tiles, tile);
        panel_any(panel, block.begin + at.begin, table + at.begin * panel->runs, at.end - at.begin);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct parts panels = parts_of_most(vectors(conv), PANEL_VECS);
    const struct parts blocks = parts_of_most(positions_of(conv), BLOCK);
    const float **table = workspace->scratch;
    float *zeros = (float *)(table + table_pointers(conv));

    memset(zeros, 0, (size_t)conv->c * sizeof *zeros);
    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range block = parts_at(&blocks, b);
        find_windows(table, conv, operands->x, zeros, block);
        for (int64_t part = 0; part < panels.count; part++) {
            const struct panel panel = panel_of(conv, operands, workspace->packed, zeros,
                                                parts_at(&panels, part));
            multiply(&panel, table, block);
        }
    }
}

CONV_KERNEL(std_nhwc_03_windows_by_pointers,
    .title = "windows by pointers, nothing unfolded",
    .from = "std_nhwc_02_filters_inside",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
