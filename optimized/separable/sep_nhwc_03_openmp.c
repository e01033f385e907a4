/* sep_nhwc_03_openmp.c - step 3 of the separable ladder for channels last: all cores.
 *
 * Changed since sep_nhwc_02_fused: the threads are a grid, some share the tiles and some the filters; of all grids
 *     the one whose largest part is smallest.  Small problems stay with one thread.
 * Why it is faster: parts share no output.  Each thread has its own middle image, in its own cache.
 * What it costs: where filters are divided, each thread computes the first stage again; the rule counts that.
 * Applies to: separable problems in NHWC with a multiplier of 1, 1-D to 3-D.
 * Explained in docs/ladder-separable.md, step 3 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/columns.h"
#include "optimized/panel.h"
#include "optimized/parts.h"

enum { BLOCK_FLOATS = 32 << 10, BLOCK_LEAST = 8 };   /* of the middle image; tiles */
enum { FORK = 1 << 19 };                              /* multiply-adds that are worth a second thread */

static const char *applies(const struct conv_problem *conv)
{
    return conv->mult == 1 ? NULL : "it needs a multiplier of 1";
}

/* ---- sizes: a row of outputs in equal tiles of columns; tiles of all rows are one list ---- */

static struct parts columns_of(const struct conv_problem *conv)
{
    return parts_of_most(conv->axis[CONV_W].out, COLUMNS);
}

static int64_t tiles_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * columns_of(conv).count;
}

/* The columns of the widest tile. */
static int64_t widest(const struct conv_problem *conv)
{
    return conv->axis[CONV_W].out < COLUMNS ? conv->axis[CONV_W].out : COLUMNS;
}

/* The first position of a tile, of all positions of all images. */
static int64_t position_of(const struct conv_problem *conv, int64_t tile)
{
    const struct parts columns = columns_of(conv);
    return tile / columns.count * conv->axis[CONV_W].out + parts_at(&columns, tile % columns.count).begin;
}

static int64_t block_tiles(const struct conv_problem *conv)
{
    const int64_t fit = BLOCK_FLOATS / (COLUMNS * conv->c);
    return fit > BLOCK_LEAST ? fit : BLOCK_LEAST;
}

/* ---- weights: w[tap][c], in whole vectors; then panels of filters, pw[c][k - k0] ---- */

static int64_t whole(int64_t lanes) { return conv_ceil_div(lanes, CONV_LANES) * CONV_LANES; }

static int64_t taps_of(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(taps_of(conv) * whole(conv->c) + whole(conv->k) * conv->c) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct parts panels = parts_of_most(whole(conv->k) / CONV_LANES, PANEL_VECS);
    const float (*w)[taps_of(conv)] = weights->w, (*pw)[conv->c] = weights->pw;
    float *to = packed;
    for (int64_t tap = 0; tap < taps_of(conv); tap++)
        for (int64_t c = 0; c < whole(conv->c); c++)
            *to++ = c < conv->c ? w[c][tap] : 0;
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t c = 0; c < conv->c; c++)
            for (int64_t k = vecs.begin * CONV_LANES; k < vecs.end * CONV_LANES; k++)
                *to++ = k < conv->k ? pw[k][c] : 0;
    }
}

/* ---- scratch: pointers of the first stage, a row of zeros, the middle image of a block ---- */

static struct columns stage_of(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    return (struct columns){
        .channels = conv->c, .pitch = whole(conv->c), .rows = taps_of(conv) / W->filter, .taps = W->filter,
        .stride = W->stride, .dilation = W->dilation, .act = conv->mid_act
    };
}

static int64_t table_pointers(const struct conv_problem *conv)
{
    const struct columns columns = stage_of(conv);
    return columns.rows * (columns_seen(&columns, widest(conv)) + 1);
}

/* Bytes of one thread, in whole cache lines. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    return ((size_t)table_pointers(conv) * sizeof(const float *)
            + (size_t)((1 + block_tiles(conv) * widest(conv)) * conv->c) * sizeof(float) + 63) / 64 * 64;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv);
}

/* ---- first stage: look around ---- */

/* Where the rows of x begin that a row of outputs looks at, one for each row of taps; NULL in the padding. */
static void find_lines(const float **lines, const struct conv_problem *conv, const float *x, int64_t line)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t p = line % H->out, z = line / H->out % D->out, n = line / H->out / D->out;
    for (int64_t t = 0; t < D->filter; t++)
    for (int64_t r = 0; r < H->filter; r++) {
        const int64_t plane = conv_input_at(D, z, t), row = conv_input_at(H, p, r);
        const bool inside = conv_inside(D, plane) && conv_inside(H, row);
        *lines++ = inside ? x + ((n * D->in + plane) * H->in + row) * W->in * conv->c : NULL;
    }
}

/* table[row of taps][column] for the `seen` columns from `col` on */
static void find_columns(const float **table, const float *const *lines, int64_t rows,
                         const struct conv_problem *conv, const float *zeros, int64_t col, int64_t seen)
{
    const struct conv_range inside = conv_clip(-col, conv->axis[CONV_W].in - col, seen);
    for (int64_t row = 0; row < rows; row++, table += seen) {
        for (int64_t i = 0; i < seen; i++)
            table[i] = zeros;
        if (lines[row])
            for (int64_t i = inside.begin; i < inside.end; i++)
                table[i] = lines[row] + (col + i) * conv->c;
    }
}

/* The tiles of a block, into middle[position of the block][c]; the table has room for the lines behind it. */
static void depthwise(float *middle, const struct conv_problem *conv, const struct columns *columns, const float *x,
                      const float **table, const float *zeros, struct conv_range block)
{
    const struct parts tiles = columns_of(conv);
    const float **lines = table + columns->rows * columns_seen(columns, widest(conv));
    int64_t line = block.begin / tiles.count, part = block.begin % tiles.count;
    find_lines(lines, conv, x, line);
    for (int64_t tile = block.begin; tile < block.end; tile++, part++) {
        if (part == tiles.count) {
            part = 0;
            find_lines(lines, conv, x, ++line);
        }
        const struct conv_range q = parts_at(&tiles, part);
        const int64_t count = q.end - q.begin, col = conv_input_at(&conv->axis[CONV_W], q.begin, 0);
        find_columns(table, lines, columns->rows, conv, zeros, col, columns_seen(columns, count));
        columns_any(middle, columns, table, count);
        middle += count * conv->c;
    }
}

/* ---- second stage: mix ---- */

/* All positions of the block by one panel. */
static void multiply(const struct panel *panel, const float *middle, int64_t positions)
{
    const struct parts tiles = parts_of_most(positions, PANEL_ROWS);
    const float *rows[PANEL_ROWS];
    for (int64_t tile = 0; tile < tiles.count; tile++) {
        const struct conv_range at = parts_at(&tiles, tile);
        for (int row = 0; row < at.end - at.begin; row++)
            rows[row] = middle + (at.begin + row) * panel->depth;
        panel_any(panel, at.begin, rows, at.end - at.begin);
    }
}

static struct parts panels_of(const struct conv_problem *conv)
{
    return parts_of_most(whole(conv->k) / CONV_LANES, PANEL_VECS);
}

/* y[position of the block][k] = pw_bias[k] + SUM_c middle[position][c] * pw[c][k] for some panels */
static void pointwise(float *y, const struct conv_problem *conv, const float *pw, const float *bias,
                      const float *middle, int64_t positions, struct conv_range parts)
{
    const struct parts panels = panels_of(conv);
    for (int64_t part = parts.begin; part < parts.end; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        const int64_t k = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
        const struct panel panel = {
            .w = pw + k * conv->c, .runs = 1, .depth = conv->c, .bias = bias ? bias + k : NULL, .y = y + k,
            .pitch = conv->k, .filters = (end < conv->k ? end : conv->k) - k, .act = conv->act
        };
        multiply(&panel, middle, positions);
    }
}

/* The tiles and panels of one thread. */
static void multiply_part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                          void *scratch, struct conv_range tiles, struct conv_range parts)
{
    const struct parts blocks = parts_of_most(tiles.end - tiles.begin, block_tiles(conv));
    const float **table = scratch;
    float *zeros = (float *)(table + table_pointers(conv)), *middle = zeros + conv->c, *y = operands->y;
    struct columns columns = stage_of(conv);

    columns.w = w;
    columns.bias = operands->bias;
    memset(zeros, 0, (size_t)conv->c * sizeof *zeros);
    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range at = parts_at(&blocks, b);
        const struct conv_range block = { tiles.begin + at.begin, tiles.begin + at.end };
        const int64_t begin = position_of(conv, block.begin), end = position_of(conv, block.end);
        depthwise(middle, conv, &columns, operands->x, table, zeros, block);
        pointwise(y + begin * conv->k, conv, w + taps_of(conv) * whole(conv->c), operands->pw_bias, middle,
                  end - begin, parts);
    }
}

/* How many parts the filters get; the tiles get threads / that many.  Each part has a first stage of its own, which
 * counts for its taps. */
static int64_t share_filters(const struct conv_problem *conv, int64_t threads)
{
    int64_t best = 1, least = INT64_MAX;
    for (int64_t share = 1; share <= threads; share++) {
        const int64_t filters = conv_ceil_div(panels_of(conv).count, share) * PANEL_K;
        const int64_t largest = conv_ceil_div(tiles_of(conv), threads / share) * (taps_of(conv) + filters);
        if (threads % share == 0 && largest < least) {
            best = share;
            least = largest;
        }
    }
    return best;
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t worth = 1 + position_of(conv, tiles_of(conv)) * conv->c * (taps_of(conv) + conv->k) / FORK;
    const int64_t threads = worth < workspace->threads ? worth : workspace->threads;
    const int64_t share = share_filters(conv, threads);
    const struct parts across = parts_in(panels_of(conv).count, share);
    const struct parts down = parts_in(tiles_of(conv), threads / share);
    char *scratch = workspace->scratch;

#pragma omp parallel for num_threads((int)threads) schedule(static) if(threads > 1)
    for (int64_t t = 0; t < threads; t++)
        multiply_part(conv, operands, workspace->packed, scratch + (size_t)t * thread_bytes(conv),
                      parts_at(&down, t / share), parts_at(&across, t % share));
}

CONV_KERNEL(sep_nhwc_03_openmp,
    .title = "all cores, in equal parts",
    .from = "sep_nhwc_02_fused",
    .kinds = 1u << CONV_SEPARABLE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
