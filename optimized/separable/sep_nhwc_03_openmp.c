/* sep_nhwc_03_openmp.c - step 3 of the separable ladder for channels last: all cores.
 *
 * Changed since sep_nhwc_02_fused: the threads are a grid, some share the pieces and some the filters; of all grids
 *     the one whose largest part is smallest.  Small problems stay with one thread.
 * Why it is faster: parts share no output.  Each thread has its own middle image, in its own cache.
 * What it costs: where filters are divided, each thread computes the first stage again; the rule counts that.
 * Applies to: separable problems in NHWC with a multiplier of 1, 1-D to 3-D.
 * Explained in docs/ladder-separable.md, step 3 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/one_cache_set.h"
#include "optimized/parts.h"
#include "optimized/separable/mix.h"

enum { BLOCK_FLOATS = 32 << 10, BLOCK_LEAST = 56 };   /* of the middle image; positions */
enum { FORK = 1 << 19 };                              /* multiply-adds that are worth a second thread */

static const char *applies(const struct conv_problem *conv)
{
    return conv->mult == 1 ? NULL : "it needs a multiplier of 1";
}

/* ---- sizes: strips of two rows or one, each in as many parts of its columns; these pieces are one list ---- */

static int64_t strip_rows(const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H];
    return line_of(H, 0).apart == 1 && H->out > 1 ? 2 : 1;
}

static int64_t strips_of_plane(const struct conv_problem *conv)
{
    return conv_ceil_div(conv->axis[CONV_H].out, strip_rows(conv));
}

/* The positions of a block: as many as the cache holds, or the least. */
static int64_t block_positions(const struct conv_problem *conv)
{
    const int64_t fit = BLOCK_FLOATS / conv->c;
    return fit > BLOCK_LEAST ? fit : BLOCK_LEAST;
}

/* Only a line whose outputs lie one behind the other is divided. */
static struct parts columns_of(const struct conv_problem *conv)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    const bool in_order = line_of(W, 0).apart == 1;
    return in_order ? parts_of_most(W->out, block_positions(conv) / strip_rows(conv)) : parts_in(W->out, 1);
}

static int64_t pieces_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * strips_of_plane(conv) * columns_of(conv).count;
}

/* The positions of the largest piece, and how many pieces a block has; those of a divided strip are on their own. */
static int64_t piece_positions(const struct conv_problem *conv)
{
    const struct parts columns = columns_of(conv);
    return strip_rows(conv) * (columns.each + (columns.longer > 0));
}

static int64_t block_pieces(const struct conv_problem *conv)
{
    const int64_t fit = block_positions(conv) / piece_positions(conv);
    return columns_of(conv).count > 1 || fit < 1 ? 1 : fit;
}

/* Row `row` of plane z of image n. */
struct place { int64_t n, z, row; };

static struct place strip_at(const struct conv_problem *conv, int64_t strip)
{
    const int64_t plane = strip / strips_of_plane(conv), D = conv->axis[CONV_D].out;
    return (struct place){ plane / D, plane % D, strip % strips_of_plane(conv) * strip_rows(conv) };
}

/* The first position of a strip, of all positions of all images. */
static int64_t position_of(const struct conv_problem *conv, int64_t strip)
{
    const struct place at = strip_at(conv, strip);
    return ((at.n * conv->axis[CONV_D].out + at.z) * conv->axis[CONV_H].out + at.row) * conv->axis[CONV_W].out;
}

/* ---- weights: of the first stage as in blocks.h; then panels of filters, pw[c][k - k0] ---- */

/* The first stage as a problem of its own. */
static struct conv_problem stage_of(const struct conv_problem *conv)
{
    struct conv_problem stage = *conv;
    stage.op = CONV_OP_CONV;
    stage.k = stage.groups = conv->c;
    stage.act = conv->mid_act;
    return stage;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return block_packed_bytes(conv) + (size_t)mix_packed_floats(conv) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct conv_problem stage = stage_of(conv);
    block_pack(packed, &stage, weights);
    mix_pack((float *)((char *)packed + block_packed_bytes(&stage)), conv, weights->pw);
}

/* ---- first stage: look around ---- */

/* What the first stage has in scratch: its table, its bias, a tile aside; then the middle image of a block. */
struct look {
    struct table table;
    const float *x, *w;
    float *bias, *aside;
    float *middle;         /* middle[position of the block][c] */
    int64_t strip;         /* that the table points at; -1 for none */
};

static size_t look_bytes(const struct conv_problem *stage)
{
    const int64_t floats = table_wide(stage) + PAIR_SUMS * CONV_LANES
                         + block_pieces(stage) * piece_positions(stage) * stage->c;
    return (table_bytes(stage, PAIR_SUMS) + (size_t)floats * sizeof(float) + 63) / 64 * 64;
}

static struct look look_start(const struct conv_problem *stage, const struct conv_operands *operands,
                              const float *w, char *scratch)
{
    struct look look = { .x = operands->x, .w = w, .strip = -1 };
    look.table = table_start(stage, operands->x, PAIR_SUMS, scratch);
    look.bias = (float *)(scratch + table_bytes(stage, PAIR_SUMS));
    look.aside = look.bias + table_wide(stage);
    look.middle = look.aside + PAIR_SUMS * CONV_LANES;
    memset(look.bias, 0, (size_t)table_wide(stage) * sizeof *look.bias);
    if (operands->bias)
        memcpy(look.bias, operands->bias, (size_t)stage->c * sizeof *look.bias);
    return look;
}

/* One piece, at most two rows of some columns, into middle; returns how many positions it has. */
static int64_t depthwise(float *middle, struct look *look, int64_t piece)
{
    const struct conv_problem *stage = look->table.conv;
    const struct conv_axis *D = &stage->axis[CONV_D], *H = &stage->axis[CONV_H], *W = &stage->axis[CONV_W];
    const struct parts columns = columns_of(stage);
    const struct conv_range q = parts_at(&columns, piece % columns.count), all = { 0, block_count(stage) };
    const struct place at = strip_at(stage, piece / columns.count);
    const int rows = at.row + strip_rows(stage) <= H->out ? (int)strip_rows(stage) : 1;
    float *const to[2] = { middle, middle + (rows - 1) * (q.end - q.begin) * stage->c };

    if (look->strip != piece / columns.count)
        table_point(&look->table, look->x + at.n * D->in * H->in * W->in * stage->c, at.z, at.row, rows);
    look->strip = piece / columns.count;
    if (columns.count > 1)
        look->table.wanted = q;
    set_compute(to, &look->table, look->w, look->bias, look->aside, rows, all);
    return rows * (q.end - q.begin);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct conv_problem stage = stage_of(conv);
    return (size_t)threads * look_bytes(&stage);
}

/* ---- both, block by block ---- */

/* The pieces of a block lie one behind the other in y; or it is one, with a part of each row of its strip. */
static void block(const struct conv_problem *conv, const struct conv_operands *operands, struct look *look,
                  const float *pw, struct conv_range pieces, struct conv_range panels)
{
    const struct parts columns = columns_of(conv);
    const struct conv_range q = parts_at(&columns, pieces.begin % columns.count);
    const int64_t begin = position_of(conv, pieces.begin / columns.count) + q.begin;
    int64_t positions = 0;
    for (int64_t piece = pieces.begin; piece < pieces.end; piece++)
        positions += depthwise(look->middle + positions * conv->c, look, piece);
    const int64_t run = columns.count > 1 ? q.end - q.begin : positions;
    float *y = operands->y;
    for (int64_t i = 0; i * run < positions; i++)
        mix_some(y + (begin + i * conv->axis[CONV_W].out) * conv->k, conv, pw, operands->pw_bias,
                  look->middle + i * run * conv->c, run, panels);
}

/* The pieces and panels of one thread. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w, char *scratch,
                 struct conv_range pieces, struct conv_range panels)
{
    const struct conv_problem stage = stage_of(conv);
    const struct parts blocks = parts_of_most(pieces.end - pieces.begin, block_pieces(conv));
    const float *pw = w + block_packed_bytes(&stage) / sizeof *w;
    struct look look = look_start(&stage, operands, w, scratch);

    for (int64_t b = 0; b < blocks.count; b++) {
        const struct conv_range at = parts_at(&blocks, b);
        block(conv, operands, &look, pw, (struct conv_range){ pieces.begin + at.begin, pieces.begin + at.end },
              panels);
    }
}

static int64_t positions_of(const struct conv_problem *conv)
{
    return conv->n * conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
}

/* How many parts the filters get; the pieces get threads / that many.  Each part has a first stage of its own, which
 * counts for its taps. */
static int64_t share_filters(const struct conv_problem *conv, int64_t threads)
{
    const int64_t taps = block_floats(conv) / CONV_LANES, all = positions_of(conv);
    int64_t best = 1, least = INT64_MAX;
    for (int64_t share = 1; share <= threads; share++) {
        const int64_t filters = conv_ceil_div(mix_panels(conv).count, share) * PANEL_K;
        const int64_t pieces = conv_ceil_div(pieces_of(conv), threads / share), most = pieces * piece_positions(conv);
        const int64_t largest = (most < all ? most : all) * (taps + filters);
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
    const struct conv_problem stage = stage_of(conv);
    const int64_t taps = block_floats(conv) / CONV_LANES;
    const int64_t worth = 1 + positions_of(conv) * conv->c * (taps + conv->k) / FORK;
    const int64_t threads = worth < workspace->threads ? worth : workspace->threads;
    const int64_t share = share_filters(conv, threads);
    const struct parts across = parts_in(mix_panels(conv).count, share);
    const struct parts down = parts_in(pieces_of(conv), threads / share);
    char *scratch = workspace->scratch;

#pragma omp parallel for num_threads((int)threads) schedule(static) if(threads > 1)
    for (int64_t t = 0; t < threads; t++)
        part(conv, operands, workspace->packed, scratch + (size_t)t * look_bytes(&stage),
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
