/* std_nhwc_04_rows_of_taps.c - step 4 of the standard ladder for channels last: first layers, whose channels are few.
 *
 * Changed since std_nhwc_03_windows_by_pointers: with up to 32 channels the taps of a row are one run of S * C
 *     numbers, which lie one behind the other in x.  Only a run that is partly in the padding is copied, to a patch.
 *     And tiles in the middle of a row of outputs ask together, once for each row of taps, where they are.
 * Why it is faster: with three channels a pointer served three numbers; now it serves 9 or 21, and those of a row
 *     of outputs are found by one question.
 * What it costs: the patches.  With many channels they would be large and the pointers cost nothing, hence the rule.
 * Applies to: any standard or pointwise problem in NHWC, 1-D to 3-D.  With a dilation along the row taps stay alone.
 * Explained in docs/ladder-standard.md, step 4 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/panel.h"
#include "optimized/parts.h"

enum { BLOCK = 32 * PANEL_ROWS, FEW_CHANNELS = 32 };   /* positions of a block */

static int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static int64_t positions_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* Taps of a run: those of a row, or one. */
static int64_t run_taps(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    return conv->c <= FEW_CHANNELS && W->dilation == 1 ? W->filter : 1;
}

static int64_t runs_of(const struct conv_problem *conv) { return taps_of(conv) / run_taps(conv); }
static int64_t run_floats(const struct conv_problem *conv) { return run_taps(conv) * conv->c; }

/* ---- scratch: the table of a block, and behind it a run of zeros, and patches ---- */

/* Positions of the largest block. */
static int64_t largest(const struct conv_problem *conv)
{
    return positions_of(conv) < BLOCK ? positions_of(conv) : BLOCK;
}

static int64_t table_pointers(const struct conv_problem *conv) { return largest(conv) * runs_of(conv); }

/* Positions of a block whose rows of taps are partly in the padding: some in each row of outputs. */
static int64_t patched_positions(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    const int64_t begin = conv_outputs_inside(W, 0).begin, end = conv_outputs_inside(W, W->filter - 1).end;
    const int64_t in_a_row = W->out - (end > begin ? end - begin : 0), most = (BLOCK / W->out + 2) * in_a_row;
    return run_taps(conv) == 1 ? 0 : most < largest(conv) ? most : largest(conv);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const int64_t runs = 1 + patched_positions(conv) * runs_of(conv);
    (void)threads;
    return (size_t)table_pointers(conv) * sizeof(const float *) + (size_t)(runs * run_floats(conv)) * sizeof(float);
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

/* The runs of a block: what they read, and where the next patch goes. */
struct windows {
    const struct conv_problem *conv;
    const float *x, *zeros;
    float *patch;
    int64_t taps, floats;   /* of a run */
};

/* Where the run is that begins at column `col` of a line of x, or a patch that has what it reads. */
static const float *find_run(struct windows *windows, const float *line, int64_t col)
{
    const struct conv_problem *conv = windows->conv;
    const struct conv_range inside = conv_clip(-col, conv->axis[CONV_W].in - col, windows->taps);
    if (inside.end - inside.begin == windows->taps)
        return line + col * conv->c;
    if (inside.begin == inside.end)
        return windows->zeros;
    float *patch = windows->patch;
    windows->patch += windows->floats;
    memset(patch, 0, (size_t)windows->floats * sizeof *patch);
    memcpy(patch + inside.begin * conv->c, line + (col + inside.begin) * conv->c,
           (size_t)((inside.end - inside.begin) * conv->c) * sizeof *patch);
    return patch;
}

/* The line of x that row (t, r) of taps reads: x[n][plane][row]; NULL in the padding. */
static const float *find_line(const struct windows *windows, struct position at, int64_t t, int64_t r)
{
    const struct conv_problem *conv = windows->conv;
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t plane = conv_input_at(D, at.z, t), row = conv_input_at(H, at.p, r);
    const int64_t line = (at.n * D->in + plane) * H->in + row;
    return conv_inside(D, plane) && conv_inside(H, row) ? windows->x + line * W->in * conv->c : NULL;
}

/* The runs of one position, into every `step`-th pointer of the table. */
static void find_window(const float **table, int64_t step, struct windows *windows, struct position at)
{
    const struct conv_axis *axis = windows->conv->axis, *W = &axis[CONV_W];
    for (int64_t t = 0; t < axis[CONV_D].filter; t++)
    for (int64_t r = 0; r < axis[CONV_H].filter; r++) {
        const float *line = find_line(windows, at, t, r);
        for (int64_t s = 0; s < W->filter; s += windows->taps, table += step)
            *table = line ? find_run(windows, line, conv_input_at(W, at.q, s)) : windows->zeros;
    }
}

/* count pointers, `apart` floats apart. */
CONV_INLINE void fill(const float **table, const float *first, int64_t apart, int64_t count)
{
    if (count == PANEL_ROWS) {
        CONV_UNROLL
        for (int i = 0; i < PANEL_ROWS; i++)
            table[i] = first + i * apart;
        return;
    }
    for (int64_t i = 0; i < count; i++)
        table[i] = first + i * apart;
}

/* The runs of some tiles in the middle of a row of outputs, each of `count` positions: they are as far apart as the
 * outputs. */
static void find_inner_windows(const float **table, int64_t tiles, int64_t count, const struct windows *windows,
                               struct position at)
{
    const struct conv_axis *axis = windows->conv->axis, *W = &axis[CONV_W];
    const int64_t channels = windows->conv->c, pointers = count * runs_of(windows->conv);   /* of a tile */
    for (int64_t t = 0; t < axis[CONV_D].filter; t++)
    for (int64_t r = 0; r < axis[CONV_H].filter; r++) {
        const float *line = find_line(windows, at, t, r);
        const int64_t apart = line ? W->stride * channels : 0;
        for (int64_t s = 0; s < W->filter; s += windows->taps, table += count) {
            const float *first = line ? line + conv_input_at(W, at.q, s) * channels : windows->zeros;
            for (int64_t tile = 0; tile < tiles; tile++)   /* x[n][plane][row][col + i * stride][:] */
                fill(table + tile * pointers, first + tile * count * apart, apart, count);
        }
    }
}

/* How many tiles from `tile` on are as long as it is and, from column q on, in the middle of a row. */
static int64_t inner_tiles(const struct parts *tiles, int64_t tile, int64_t q, struct conv_range inner)
{
    const struct conv_range first = parts_at(tiles, tile);
    const int64_t count = first.end - first.begin;
    int64_t found = 0;
    for (; tile + found < tiles->count && q >= inner.begin && q + (found + 1) * count <= inner.end; found++) {
        const struct conv_range next = parts_at(tiles, tile + found);
        if (next.end - next.begin != count)
            break;
    }
    return found;
}

/* table[tile][run][position of the tile] for the tiles of a block */
static void find_windows(const float **table, struct windows windows, struct conv_range block)
{
    const struct parts tiles = parts_of_most(block.end - block.begin, PANEL_ROWS);
    const struct conv_axis *W = &windows.conv->axis[CONV_W];
    const struct conv_range inner = { conv_outputs_inside(W, 0).begin, conv_outputs_inside(W, W->filter - 1).end };
    const int64_t runs = runs_of(windows.conv);
    struct position at = position_of(windows.conv, block.begin);
    for (int64_t tile = 0, step; tile < tiles.count; tile += step) {
        const struct conv_range in = parts_at(&tiles, tile);
        const int64_t count = in.end - in.begin, found = inner_tiles(&tiles, tile, at.q, inner);
        step = found ? found : 1;
        if (found) {
            find_inner_windows(table, found, count, &windows, at);
            at.q += found * count - 1;
            advance(&at, windows.conv);
        } else {
            for (int64_t i = 0; i < count; i++, advance(&at, windows.conv))
                find_window(table + i, count, &windows, at);
        }
        table += step * count * runs;
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
        .w = w + k * taps * conv->c, .runs = runs_of(conv), .depth = run_floats(conv), .zeros = zeros,
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
    const struct windows windows = { conv, operands->x, zeros, zeros + run_floats(conv),
                                     run_taps(conv), run_floats(conv) };

    memset(zeros, 0, (size_t)run_floats(conv) * sizeof *zeros);
    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range block = parts_at(&blocks, b);
        find_windows(table, windows, block);
        for (int64_t part = 0; part < panels.count; part++) {
            const struct panel panel = panel_of(conv, operands, workspace->packed, zeros,
                                                parts_at(&panels, part));
            multiply(&panel, table, block);
        }
    }
}

CONV_KERNEL(std_nhwc_04_rows_of_taps,
    .title = "a row of taps is one run",
    .from = "std_nhwc_03_windows_by_pointers",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
