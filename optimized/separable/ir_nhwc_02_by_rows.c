/* ir_nhwc_02_by_rows.c - step 2 of the ladder of inverted residuals: the expanded image is never there as a whole.
 *
 * Changed since ir_nhwc_01_three_passes: a few rows of outputs at a time go through all stages.  The rows of the
 *     expanded image that they read lie in a ring: row h in the place of row h - ring, which nobody reads any more.
 *     What a block shares with the one before it is still there, so that every row is expanded once.
 * Why it is faster: what a stage makes, the next one reads from the second cache a moment later.
 * What it costs: weights are read again for each block.  Where they are the larger part, and the images small, a
 *     block is the whole image: then it is step 1.
 * Applies to: inverted residuals in NHWC with an expansion and a multiplier of 1, 1-D and 2-D.
 * Explained in docs/ladder-inverted-residual.md, step 2 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/separable/stages.h"

enum { BLOCK_FLOATS = 96 << 10 };   /* of the ring and the middle of a block */

static const char *applies(const struct conv_problem *conv)
{
    return conv->expand == 0 || conv->mult != 1 ? "it needs an expansion, and a multiplier of 1"
         : conv->rank > 2 ? "it needs one or two axes" : NULL;
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- sizes: strips of two rows or one; a block is some of them ---- */

static int64_t strip_rows(const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H];
    return line_of(H, 0).apart == 1 && H->out > 1 ? 2 : 1;
}

static int64_t strips_of_image(const struct conv_problem *conv)
{
    return conv_ceil_div(conv->axis[CONV_H].out, strip_rows(conv));
}

/* Rows of outputs of so many strips, and those of the expanded image that they read. */
static int64_t rows_of(const struct conv_problem *conv, int64_t strips)
{
    return min(strips * strip_rows(conv), conv->axis[CONV_H].out);
}

static int64_t ring_rows(const struct conv_problem *conv, int64_t strips)
{
    const struct conv_axis *H = &conv->axis[CONV_H];
    return min((rows_of(conv, strips) - 1) * H->stride + conv_extent(H), H->in);
}

static int64_t block_floats_of(const struct conv_problem *conv, int64_t strips)
{
    const struct conv_axis *W = &conv->axis[CONV_W];
    return (ring_rows(conv, strips) * W->in + rows_of(conv, strips) * W->out) * conv->expand;
}

static int64_t block_strips(const struct conv_problem *conv)
{
    int64_t strips = 1;
    while (strips < strips_of_image(conv) && block_floats_of(conv, strips + 1) <= BLOCK_FLOATS)
        strips++;
    return strips;
}

/* ---- the rows between the stages ---- */

struct rows {
    struct stages stages;
    const float *w;
    struct table table;
    float *bias, *aside;           /* of the depthwise stage; a tile */
    float *ring, *middle;          /* ring[h % size][w][c]; middle[position of the block][c] */
    int64_t size, strips;          /* of the ring, in rows; the most of a block */
    int64_t image, next;           /* the first row of this image that isn't expanded yet */
};

/* Behind the ring, too, there is a vector to be read, where the channels are fewer than lanes. */
static size_t rows_bytes(const struct conv_problem *conv)
{
    const struct stages stages = stages_of(conv, 0);
    const int64_t floats = table_wide(&stages.look) + PAIR_SUMS * CONV_LANES
                         + block_floats_of(conv, block_strips(conv)) + CONV_LANES;
    return (table_bytes(&stages.look, PAIR_SUMS) + (size_t)floats * sizeof(float) + 63) / 64 * 64;
}

/* What points into the scratch is made again for each call; `rows` must stay where it is. */
static void rows_start(struct rows *rows, const struct conv_problem *conv, const struct conv_operands *operands,
                       const float *w, char *scratch)
{
    *rows = (struct rows){ .stages = stages_of(conv, 0), .w = w, .image = -1, .strips = block_strips(conv) };
    const struct conv_problem *look = &rows->stages.look;
    rows->size = ring_rows(conv, rows->strips);
    rows->bias = (float *)(scratch + table_bytes(look, PAIR_SUMS));
    rows->aside = rows->bias + table_wide(look);
    rows->middle = rows->aside + PAIR_SUMS * CONV_LANES;
    rows->ring = rows->middle + rows_of(conv, rows->strips) * conv->axis[CONV_W].out * conv->expand;
    rows->table = table_start(look, rows->ring, PAIR_SUMS, scratch);
    rows->table.T = (struct conv_range){ 0, 1 };
    memset(rows->bias, 0, (size_t)table_wide(look) * sizeof *rows->bias);
    if (operands->bias)
        memcpy(rows->bias, operands->bias, (size_t)look->c * sizeof *rows->bias);
}

/* Expands rows up to `end`, those from `begin` on that aren't there yet; x is the image. */
static void widen(struct rows *rows, const float *x, const float *bias, int64_t begin, int64_t end)
{
    const struct conv_problem *stage = &rows->stages.widen;
    const int64_t W = stage->axis[CONV_W].in;
    for (int64_t h = max(begin, rows->next), until; h < end; h = until) {
        until = min(end, (h / rows->size + 1) * rows->size);   /* as far as the ring goes on */
        mix(rows->ring + h % rows->size * W * stage->k, stage, rows->w, bias, x + h * W * stage->c, (until - h) * W);
    }
    rows->next = max(rows->next, end);
}

/* As table_point(), at rows in the ring. */
static void point(struct rows *rows, int64_t p, int count)
{
    struct table *table = &rows->table;
    const struct conv_axis *H = &table->conv->axis[CONV_H];
    const int64_t floats = table->conv->axis[CONV_W].in * table->conv->c;
    const int64_t apart = (count - 1) * table->pair.apart, step = (count - 1) * table->pair.step;
    table->U = (struct conv_range){ 0, 0 };
    for (int64_t u = 0; u < H->filter + step; u++) {
        const int64_t h = u < step ? conv_input_at(H, p, u) : conv_input_at(H, p + apart, u - step);
        const bool inside = conv_inside(H, h);
        const float *row = rows->ring + (inside ? h % rows->size * floats : 0);
        const float **to = table->x + u * table->line.inputs;
        for (int64_t i = 0; i < table->line.inputs; i++)
            to[i] = inside && table->in[i] >= 0 ? row + table->in[i] : table->zeros;
        if (inside && table->U.end == 0)
            table->U.begin = u;
        if (inside)
            table->U.end = u + 1;
    }
}

/* middle[p - p0][q][c] = mid_act(bias[c] + SUM_r SUM_s e[..][..][c] * w[c][r][s]) for rows p0 <= p < p1 */
static void look_around(struct rows *rows, int64_t p0, int64_t p1)
{
    const struct conv_problem *look = &rows->stages.look;
    const struct conv_range all = { 0, block_count(look) };
    const int64_t floats = look->axis[CONV_W].out * look->c;
    float *to = rows->middle;
    for (int64_t p = p0, count; p < p1; p += count, to += count * floats) {
        count = min(strip_rows(look), p1 - p);
        float *const rows_to[2] = { to, to + (count - 1) * floats };
        point(rows, p, (int)count);
        set_compute(rows_to, &rows->table, rows->w + rows->stages.look_at, rows->bias, rows->aside, (int)count, all);
    }
}

/* ---- all stages, block by block ---- */

/* Rows p0 <= p < p1 of an image. */
static void block(struct rows *rows, const struct conv_problem *conv, const struct conv_operands *operands, int64_t n,
                  int64_t p0, int64_t p1)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const float (*x)[H->in * W->in * conv->c] = operands->x;
    float (*y)[H->out][W->out * conv->k] = operands->y;
    const int64_t begin = p0 * H->stride - H->pad_begin, end = (p1 - 1) * H->stride - H->pad_begin + conv_extent(H);

    widen(rows, x[n], operands->ew_bias, max(begin, 0), min(end, H->in));
    look_around(rows, p0, p1);
    mix(y[n][p0], &rows->stages.narrow, rows->w + rows->stages.narrow_at, operands->pw_bias, rows->middle,
        (p1 - p0) * W->out);
    if (conv->residual)
        stages_add(y[n][p0], x[n] + p0 * W->in * conv->c, (p1 - p0) * W->out * conv->k);
}

/* Some strips of all images, counted through. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w, char *scratch,
                 struct conv_range strips)
{
    const int64_t each = strips_of_image(conv), high = strip_rows(conv);
    struct rows rows;
    rows_start(&rows, conv, operands, w, scratch);
    for (int64_t at = strips.begin, count; at < strips.end; at += count) {
        const int64_t n = at / each, first = at % each;
        count = min(min(rows.strips, each - first), strips.end - at);
        if (n != rows.image)
            rows.next = 0;
        rows.image = n;
        block(&rows, conv, operands, n, first * high, min((first + count) * high, conv->axis[CONV_H].out));
    }
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return rows_bytes(conv);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    part(conv, operands, workspace->packed, workspace->scratch,
         (struct conv_range){ 0, conv->n * strips_of_image(conv) });
}

CONV_KERNEL(ir_nhwc_02_by_rows,
    .title = "the expanded image is never there as a whole",
    .from = "ir_nhwc_01_three_passes",
    .kinds = 1u << CONV_INVERTED_RESIDUAL,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = stages_packed_bytes,
    .pack = stages_pack,
    .run = run,
);
