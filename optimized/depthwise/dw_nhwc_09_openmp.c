/* dw_nhwc_09_openmp.c - step 9 of the depthwise ladder for channels last: all cores.
 *
 * Changed since dw_nhwc_08_two_rows: the work, pairs of rows times blocks of channels, is a line that is cut into
 *     as many equal parts as there are threads; each has a table of its own.  A small layer isn't cut.
 * Why it is faster: the parts share inputs, which are only read, and no outputs.  An image of one row is cut by its
 *     channels, and the four pairs of 7 rows (the last has one row) into two and two.
 * What it costs: a table for each thread.  Two blocks are the least that is given away: the last of them overlap.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D, any filter.
 * Explained in docs/ladder-depthwise.md, step 9 for channels last.
 */
#include <convref/kernel.h>

#include "optimized/depthwise/blocks.h"
#include "optimized/pointers.h"

/* The sums of a tile, and the most taps of a piece: one input and two rows of weights fill the other registers. */
enum { SUMS = CONV_REGISTERS == 32 ? 14 : 8, PIECE = CONV_REGISTERS == 32 ? 7 : 3 };
enum { ANY = 0 };   /* a step that is known only at run time */

/* As CONV_UNROLL, for the (SUMS - 1) * 2 + PIECE inputs of a tile. */
#define UNROLL_INPUTS _Pragma("GCC unroll 64")

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

/* Of each thread: a table and a tile aside; after them the bias. */
static size_t thread_bytes(const struct conv_problem *conv)
{
    return table_bytes(conv, SUMS) + (size_t)(SUMS * CONV_LANES) * sizeof(float);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * thread_bytes(conv) + (size_t)table_wide(conv) * sizeof(float);
}

/* ---- a tile: ROWS x COLUMNS outputs, SUMS in all, of some blocks of channels ---- */

struct tile {
    float *y[SUMS];              /* the channels of each output */
    const float *const *x;       /* x[(t * rows + u) * inputs + i]: those of each input */
    const float *w, *bias;       /* w[block][t][r][s][lane] */
    const struct table *table;
    struct conv_range blocks;
};

/* Which rows of the tile a row of inputs goes into. */
enum { FIRST = 1, SECOND = 2, BOTH = 3 };

/* A row of inputs, and the weights of a row of taps: w[0] for the tile's first row, w[1] for its second. */
struct taps { const float *const *x; const float *w[2]; };

/* Adds TAPS taps, from s on: sums[j] += x[j * STEP + s] * w[s], each input loaded once. */
CONV_INLINE void add_piece(vec *sums, const struct taps *row, int64_t k, int64_t s, const int STEP, const int TAPS,
                           const int COLUMNS, const int INTO)
{
    vec first[PIECE], second[PIECE];
    CONV_UNROLL
    for (int i = 0; i < TAPS; i++) {
        first[i] = vec_load(row->w[INTO & FIRST ? 0 : 1] + (s + i) * CONV_LANES);
        second[i] = vec_load(row->w[INTO & SECOND ? 1 : 0] + (s + i) * CONV_LANES);
    }
    UNROLL_INPUTS
    for (int i = 0; i < (COLUMNS - 1) * STEP + TAPS; i++) {
        const vec in = vec_load(row->x[s + i] + k);
        CONV_UNROLL
        for (int j = 0; j < COLUMNS; j++)
            if (i - j * STEP >= 0 && i - j * STEP < TAPS) {
                if (INTO & FIRST)
                    sums[j] += in * first[i - j * STEP];
                if (INTO & SECOND)
                    sums[COLUMNS + j] += in * second[i - j * STEP];
            }
    }
}

/* One tap, and any step. */
CONV_INLINE void add_tap(vec *sums, const struct taps *row, int64_t k, int64_t s, int64_t step, const int COLUMNS,
                         const int INTO)
{
    CONV_UNROLL
    for (int j = 0; j < COLUMNS; j++) {
        const vec in = vec_load(row->x[s + j * step] + k);
        if (INTO & FIRST)
            sums[j] += in * vec_load(row->w[0] + s * CONV_LANES);
        if (INTO & SECOND)
            sums[COLUMNS + j] += in * vec_load(row->w[1] + s * CONV_LANES);
    }
}

/* A row of taps: pieces of PIECE, then a shorter one of each length that is needed. */
CONV_INLINE void add_row(vec *sums, const struct taps *row, const struct table *table, int64_t k, const int STEP,
                         const int COLUMNS, const int INTO)
{
    const int64_t S = table->conv->axis[CONV_W].filter;
    int64_t s = 0;
    for (; STEP == ANY && s < S; s++)
        add_tap(sums, row, k, s, table->line.step, COLUMNS, INTO);
    for (; s + PIECE <= S; s += PIECE)
        add_piece(sums, row, k, s, STEP, PIECE, COLUMNS, INTO);
    if (PIECE > 5 && s + 5 <= S) {
        add_piece(sums, row, k, s, STEP, 5, COLUMNS, INTO);
        s += 5;
    }
    if (PIECE > 3 && s + 3 <= S) {
        add_piece(sums, row, k, s, STEP, 3, COLUMNS, INTO);
        s += 3;
    }
    for (; s < S; s++)
        add_piece(sums, row, k, s, STEP, 1, COLUMNS, INTO);
}

/* The row of taps that meets row u of the inputs, for outputs whose window begins in row `down`.  Where there is none,
 * its weights aren't used, and the first stands for it: no pointer leaves the weights. */
CONV_INLINE int64_t tap_row(int64_t u, int64_t down, int64_t R) { return u >= down && u - down < R ? u - down : 0; }

/* All taps of one block of channels. */
CONV_INLINE void add_taps(vec *sums, const struct tile *tile, const float *w, int64_t k, const int STEP,
                          const int ROWS, const int FILTER)
{
    const int COLUMNS = SUMS / ROWS;
    const struct table *table = tile->table;
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    const int64_t R = FILTER ? FILTER : H->filter, row_floats = (FILTER ? FILTER : W->filter) * CONV_LANES;
    const int64_t second = FILTER ? STEP : table->pair.step;   /* how many rows of inputs it begins further down */
    for (int64_t t = table->T.begin; t < table->T.end; t++) {
        const float *const *x = tile->x + t * table->rows * table->line.inputs;
        const float *of_t = w + t * R * row_floats;
        if (FILTER) {
            CONV_UNROLL
            for (int u = 0; u < FILTER + (ROWS - 1) * STEP; u++) {
                const struct taps at = { x + u * table->line.inputs, { of_t + tap_row(u, 0, R) * row_floats,
                                                                       of_t + tap_row(u, second, R) * row_floats } };
                if (ROWS == 1 || u < STEP)
                    add_piece(sums, &at, k, 0, STEP, FILTER, COLUMNS, FIRST);
                else if (u < FILTER)
                    add_piece(sums, &at, k, 0, STEP, FILTER, COLUMNS, BOTH);
                else
                    add_piece(sums, &at, k, 0, STEP, FILTER, COLUMNS, SECOND);
            }
            continue;
        }
        for (int64_t u = table->U.begin; u < table->U.end; u++) {
            const struct taps at = { x + u * table->line.inputs, { of_t + tap_row(u, 0, R) * row_floats,
                                                                   of_t + tap_row(u, second, R) * row_floats } };
            if (ROWS == 1 || u < table->pair.step)
                add_row(sums, &at, table, k, STEP, COLUMNS, FIRST);
            else if (u < R)
                add_row(sums, &at, table, k, STEP, COLUMNS, BOTH);
            else
                add_row(sums, &at, table, k, STEP, COLUMNS, SECOND);
        }
    }
}

CONV_INLINE void tile_of(const struct tile *tile, const int STEP, const int ROWS, const int FILTER)
{
    const struct conv_problem *conv = tile->table->conv;
    const int64_t floats = block_floats(conv);
    for (int64_t block = tile->blocks.begin; block < tile->blocks.end; block++) {
        const int64_t k = block_begin(conv, block);
        vec sums[SUMS];
        CONV_UNROLL
        for (int i = 0; i < SUMS; i++)
            sums[i] = vec_load(tile->bias + k);
        add_taps(sums, tile, tile->w + block * floats, k, STEP, ROWS, FILTER);
        if (conv->act != CONV_ACT_NONE) {
            CONV_UNROLL
            for (int i = 0; i < SUMS; i++)
                sums[i] = vec_activate(conv->act, sums[i]);
        }
        CONV_UNROLL
        for (int i = 0; i < SUMS; i++)
            vec_store(tile->y[i] + k, sums[i]);
    }
}

typedef void tile_function(const struct tile *tile);
static void any_1(const struct tile *tile) { tile_of(tile, ANY, 1, 0); }
static void any_2(const struct tile *tile) { tile_of(tile, ANY, 2, 0); }
static void step1_1(const struct tile *tile) { tile_of(tile, 1, 1, 0); }
static void step1_2(const struct tile *tile) { tile_of(tile, 1, 2, 0); }
static void step2_1(const struct tile *tile) { tile_of(tile, 2, 1, 0); }
static void step2_2(const struct tile *tile) { tile_of(tile, 2, 2, 0); }
static void step1_3x3_1(const struct tile *tile) { tile_of(tile, 1, 1, 3); }
static void step1_3x3_2(const struct tile *tile) { tile_of(tile, 1, 2, 3); }
static void step2_3x3_1(const struct tile *tile) { tile_of(tile, 2, 1, 3); }
static void step2_3x3_2(const struct tile *tile) { tile_of(tile, 2, 2, 3); }

static tile_function *choose(const struct table *table, int rows)
{
    static tile_function *const any[3][2] = { { any_1, any_2 }, { step1_1, step1_2 }, { step2_1, step2_2 } };
    static tile_function *const known[3][2] = { { 0 }, { step1_3x3_1, step1_3x3_2 }, { step2_3x3_1, step2_3x3_2 } };
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    const int64_t step = table->line.step <= 2 ? table->line.step : 0;
    if (step && H->filter == 3 && W->filter == 3 && table->pair.step == step)
        return known[step][rows - 1];
    return any[step][rows - 1];
}

/* One or two rows of outputs: y[i] is the first of row i. */
static void rows_of(float *const *y, const struct table *table, const float *w, const float *bias, float *aside,
                    int rows, struct conv_range some)
{
    const int64_t channels = table->conv->c, columns = SUMS / rows;
    struct tile tile = { .w = w, .bias = bias, .table = table, .blocks = some };
    tile_function *const compute = choose(table, rows);
    for (int64_t v = 0; v < table->line.outputs - SUMS; v += columns) {
        while (table->out[v] < 0)   /* a tile begins with an output; the line's last SUMS aren't wanted */
            v++;
        tile.x = table->x + v * table->line.step;
        for (int64_t i = 0; i < SUMS; i++)
            tile.y[i] = channels < CONV_LANES ? aside + i * CONV_LANES
                                              : table_output(table, y[i / columns], v + i % columns);
        compute(&tile);
        for (int64_t i = 0; channels < CONV_LANES && i < SUMS; i++)
            memcpy(table_output(table, y[i / columns], v + i % columns), tile.y[i], (size_t)channels * sizeof(float));
    }
}

/* ---- the work: pairs of rows of all images, times groups of at least two blocks ---- */

enum { LEAST_PRODUCTS = 1 << 16 };   /* for each thread: some microseconds, what it takes to start one */

/* The rows that are the first of a pair, or alone. */
static int64_t pairs(const struct conv_axis *H, int64_t apart)
{
    const int64_t rest = H->out % (2 * apart);
    return H->out / (2 * apart) * apart + (rest < apart ? rest : apart);
}

static int64_t groups(const struct conv_problem *conv) { return (block_count(conv) + 1) / 2; }

/* One part of the line, from begin to end. */
static void part(const struct conv_problem *conv, const struct conv_operands *operands, const float *w,
                 const float *bias, char *scratch, int64_t begin, int64_t end)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = table_start(conv, operands->x, SUMS, scratch);
    float *aside = (float *)(scratch + table_bytes(conv, SUMS));
    const int64_t apart = table.pair.apart, each = groups(conv), blocks = block_count(conv);

    for (int64_t i = begin, next; i < end; i = next) {
        const int64_t pair = i / each % pairs(&H, apart), plane = i / each / pairs(&H, apart);
        const int64_t p = pair / apart * 2 * apart + pair % apart, z = plane % D.out, n = plane / D.out;
        const int rows = p + apart < H.out ? 2 : 1;
        float *const to[2] = { y[n][z][p], y[n][z][p + (rows - 1) * apart] };
        next = (i / each + 1) * each < end ? (i / each + 1) * each : end;
        const struct conv_range some = { i % each * blocks / each, (next - i / each * each) * blocks / each };
        table_point(&table, x[n], z, p, rows);
        rows_of(to, &table, w, bias, aside, rows, some);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    char *scratch = workspace->scratch;
    float *bias = (float *)(scratch + (size_t)workspace->threads * thread_bytes(conv));
    const int64_t all = conv->n * D.out * pairs(&H, line_of(&H, 0).apart) * groups(conv);
    const int64_t products = conv->n * D.out * H.out * W.out * conv->k * D.filter * H.filter * W.filter;
    const int64_t enough = 1 + products / LEAST_PRODUCTS;
    const int threads = enough < workspace->threads ? (int)enough : workspace->threads;

    memset(bias, 0, (size_t)table_wide(conv) * sizeof *bias);
    if (operands->bias)
        memcpy(bias, operands->bias, (size_t)conv->k * sizeof *bias);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++)
        part(conv, operands, workspace->packed, bias, scratch + (size_t)i * thread_bytes(conv),
             all * i / threads, all * (i + 1) / threads);
}

CONV_KERNEL(dw_nhwc_09_openmp,
    .title = "all cores",
    .from = "dw_nhwc_08_two_rows",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = block_packed_bytes,
    .pack = block_pack,
    .run = run,
);
