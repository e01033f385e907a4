/* taps.h - depthwise weight gradients for channels last: sums of a few taps, a vector of channels each, in registers.
 *
 *   sums[r][s] += SUM over q  dy[p][q] * x[p * stride - pad + r][q * stride - pad + s]      lanes: channels
 *
 * The vectors of some neighbouring columns of dy are loaded, and then each number of x that their windows hold, once
 * a row of taps, for all the products that it has a part in: with 14 columns, three taps and a stride of 1, 16 loads
 * of x for 42 multiply-adds.  Where the taps read is a table of pointers (pointers.h), of one row of outputs or of
 * two; in the padding they read zeros.
 * Sums of one block of channels and some taps stay in registers over the columns of a row, or of two; in between they
 * are in memory.
 * Introduced in dw_bwd_weights_nhwc_02_taps_in_registers, with COLUMNS = 1; also used by the steps after it.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_TAPS_H
#define CONVREF_OPTIMIZED_GRADIENTS_TAPS_H

#include "optimized/depthwise/blocks.h"
#include "optimized/gradients/channels.h"
#include "optimized/pointers.h"

enum { TAPS_ANY = 0 };   /* a step that is known only at run time */
enum { TAPS_MOST = 14 };   /* columns of any tile */
enum { TAPS_SUMS = CONV_REGISTERS == 32 ? 10 : 9, TAPS_COLUMNS = CONV_REGISTERS == 32 ? TAPS_MOST : 4 };

_Static_assert(TAPS_SUMS + TAPS_COLUMNS + 1 <= CONV_REGISTERS, "the sums, dy and one number of x must fit");

#define TAPS_UNROLL_INPUTS _Pragma("GCC unroll 64")

struct taps {
    const struct conv_problem *conv;
    struct spread spread;
    int64_t blocks, taps;         /* of one part of dy */
    int64_t pitch, positions;     /* floats of a position of a part of dy; positions of all images */
    const float *dy;              /* dy[m][n][z][p][q][pitch] */
    float *sums;                  /* sums[m][block][tap][lane] */
};

static inline struct taps taps_of(const struct conv_problem *conv)
{
    const struct conv_axis *axis = conv->axis;
    struct taps taps = { .conv = conv, .spread = spread_of(conv), .blocks = block_count(conv) };
    taps.taps = axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter;
    taps.pitch = conv->c > CONV_LANES ? conv->c : CONV_LANES;
    taps.positions = conv->n * axis[CONV_D].out * axis[CONV_H].out * axis[CONV_W].out;
    return taps;
}

/* Whether parts of dy are copied: filters apart, or a position to a whole vector. */
static inline bool taps_copies(const struct taps *taps)
{
    return taps->spread.from > 1 || taps->conv->c < CONV_LANES;
}

static inline size_t taps_table_bytes(const struct conv_problem *conv) { return table_bytes(conv, 0); }

static inline int64_t taps_sums_floats(const struct taps *taps)
{
    return taps->spread.from * taps->blocks * taps->taps * CONV_LANES;
}

/* Of all threads: the sums and the parts of dy. */
static inline size_t taps_shared_bytes(const struct taps *taps)
{
    const int64_t copied = taps_copies(taps) ? taps->spread.from * taps->positions * taps->pitch : 0;
    return (size_t)(taps_sums_floats(taps) + copied) * sizeof(float);
}

static inline struct taps taps_start(const struct conv_problem *conv, const struct conv_operands *operands,
                                     void *shared)
{
    struct taps taps = taps_of(conv);
    taps.sums = shared;
    taps.dy = taps_copies(&taps) ? taps.sums + taps_sums_floats(&taps) : operands->y;
    return taps;
}

static inline void taps_copy(const struct taps *taps, const struct conv_operands *operands,
                             struct conv_range positions)
{
    if (taps_copies(taps))
        channels_copy(taps->sums + taps_sums_floats(taps), &taps->spread, operands->y, positions, taps->positions,
                      taps->pitch);
}

/* ---- one block of channels ---- */

/* A row of outputs: where its taps read, and its dy. */
struct taps_row {
    const float *const *x;     /* x[r * inputs + i] */
    int64_t inputs, step;
    const float *dy;           /* of the block, at column 0 */
    const int64_t *out;        /* out[v]: the column that is output v of the line, times the pitch */
    int64_t k;                 /* the block's first channel */
};

/* sums[r][s] += x[r][v * STEP + s + ...] * dy[v ...]: COLUMNS outputs of the line, all of them wanted */
CONV_INLINE void taps_tile(vec *sums, const struct taps_row *row, int64_t v, const int STEP, const int R, const int S,
                           const int COLUMNS)
{
    const int64_t step = STEP == TAPS_ANY ? row->step : STEP;
    const float *const *x = row->x + v * step;
    vec ys[TAPS_MOST];
    CONV_UNROLL
    for (int j = 0; j < COLUMNS; j++)
        ys[j] = vec_load(row->dy + row->out[v + j]);
    CONV_UNROLL
    for (int r = 0; r < R; r++) {
        if (STEP == TAPS_ANY) {
            CONV_UNROLL
            for (int j = 0; j < COLUMNS; j++)
                CONV_UNROLL
                for (int s = 0; s < S; s++)
                    sums[r * S + s] += vec_load(x[r * row->inputs + j * step + s] + row->k) * ys[j];
            continue;
        }
        TAPS_UNROLL_INPUTS
        for (int i = 0; i < (COLUMNS - 1) * STEP + S; i++) {
            const vec in = vec_load(x[r * row->inputs + i] + row->k);
            CONV_UNROLL
            for (int s = 0; s < S; s++)
                if (i >= s && (i - s) % (STEP ? STEP : 1) == 0 && (i - s) / (STEP ? STEP : 1) < COLUMNS)
                    sums[r * S + s] += in * ys[(i - s) / (STEP ? STEP : 1)];
        }
    }
}

/* All outputs of a line: tiles of COLUMNS, then of fewer; where the line has no output, nothing is added. */
CONV_INLINE void taps_line(vec *sums, const struct taps_row *row, int64_t outputs, const int STEP, const int R,
                           const int S, const int COLUMNS)
{
    for (int64_t v = 0, end; v < outputs; v = end) {
        while (v < outputs && row->out[v] < 0)
            v++;
        for (end = v; end < outputs && row->out[end] >= 0;)
            end++;
        for (; COLUMNS > 1 && v + COLUMNS <= end; v += COLUMNS)
            taps_tile(sums, row, v, STEP, R, S, COLUMNS);
        for (; COLUMNS > 7 && v + 7 <= end; v += 7)
            taps_tile(sums, row, v, STEP, R, S, 7);
        for (; COLUMNS > 3 && v + 3 <= end; v += 3)
            taps_tile(sums, row, v, STEP, R, S, 3);
        for (; v < end; v++)
            taps_tile(sums, row, v, STEP, R, S, 1);
    }
}

/* Where sums go, and what is added to them: one or two rows of outputs. */
struct taps_rows {
    const struct table *table;
    const float *dy[2];        /* of the part, at column 0 */
    int rows;
    int64_t k;
};

/* R rows of S taps from (t, r, s) on; sums[tap][lane] of the block. */
CONV_INLINE void taps_some(float *sums, const struct taps_rows *rows, int64_t t, int64_t r, int64_t s, const int STEP,
                           const int R, const int S, const int COLUMNS)
{
    const struct table *table = rows->table;
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    const int64_t inputs = table->line.inputs;
    float *at = sums + ((t * H->filter + r) * W->filter + s) * CONV_LANES;
    vec acc[TAPS_SUMS];
    CONV_UNROLL
    for (int i = 0; i < R * S; i++)
        acc[i] = vec_load(at + (i / S * W->filter + i % S) * CONV_LANES);
    for (int i = 0; i < rows->rows; i++) {
        const struct taps_row row = {
            .x = table->x + (t * table->rows + r + i * table->pair.step) * inputs + s, .inputs = inputs,
            .step = table->line.step, .dy = rows->dy[i] + rows->k, .out = table->out, .k = rows->k
        };
        taps_line(acc, &row, table->line.outputs, STEP, R, S, COLUMNS);
    }
    CONV_UNROLL
    for (int i = 0; i < R * S; i++)
        vec_store(at + (i / S * W->filter + i % S) * CONV_LANES, acc[i]);
}

/* The taps of columns s .. s + S: as many rows of them at once as registers hold. */
CONV_INLINE void taps_column(float *sums, const struct taps_rows *rows, int64_t t, int64_t s, const int STEP,
                             const int S, const int COLUMNS)
{
    const int64_t R = rows->table->conv->axis[CONV_H].filter;
    int64_t r = 0;
    for (; TAPS_SUMS / S > 1 && r + TAPS_SUMS / S <= R; r += TAPS_SUMS / S)
        taps_some(sums, rows, t, r, s, STEP, TAPS_SUMS / S, S, COLUMNS);
    for (; r < R; r++)
        taps_some(sums, rows, t, r, s, STEP, 1, S, COLUMNS);
}

/* All taps of a block. */
CONV_INLINE void taps_block(float *sums, const struct taps_rows *rows, const int STEP, const int COLUMNS)
{
    const struct table *table = rows->table;
    const int64_t S = table->conv->axis[CONV_W].filter;
    for (int64_t t = table->T.begin; t < table->T.end; t++) {
        int64_t s = 0;
        for (; s + 5 <= S; s += 5)
            taps_column(sums, rows, t, s, STEP, 5, COLUMNS);
        for (; s + 3 <= S; s += 3)
            taps_column(sums, rows, t, s, STEP, 3, COLUMNS);
        for (; s < S; s++)
            taps_column(sums, rows, t, s, STEP, 1, COLUMNS);
    }
}

typedef void taps_function(float *sums, const struct taps_rows *rows);

/* ---- the rows of all images ---- */

/* Work is parts and blocks: i = m * blocks + block. */
static inline void taps_clear(const struct taps *taps, struct conv_range work)
{
    const int64_t floats = taps->taps * CONV_LANES;
    memset(taps->sums + work.begin * floats, 0, (size_t)((work.end - work.begin) * floats) * sizeof(float));
}

/* Adds all images to the sums. */
static inline void taps_sum(const struct taps *taps, const struct conv_operands *operands, void *memory,
                            struct conv_range work, taps_function *const compute)
{
    const struct conv_problem *conv = taps->conv;
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    const int64_t floats = taps->taps * CONV_LANES, row = W.out * taps->pitch;
    struct table table = table_start(conv, operands->x, 0, memory);
    line_fill(table.out, table.in, table.line, &W, taps->pitch, conv->c);
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out;) {
        const bool two = table.pair.apart == 1 && p + 1 < H.out;
        struct taps_rows rows = { .table = &table, .rows = two ? 2 : 1 };
        table_point(&table, x[n], z, p, rows.rows);
        for (int64_t i = work.begin; i < work.end; i++) {
            const float *dy = taps->dy + (i / taps->blocks * taps->positions * taps->pitch)
                            + ((n * D.out + z) * H.out + p) * row;   /* dy[m][n][z][p][:][:] */
            rows.dy[0] = dy;
            rows.dy[1] = dy + (two ? row : 0);
            rows.k = block_begin(conv, i % taps->blocks);
            compute(taps->sums + i * floats, &rows);
        }
        p += rows.rows;
    }
}

/* dw[k][tap] of `channels` channels, k = c * M + m.  Blocks may overlap; then both have the same sums. */
static inline void taps_store(const struct taps *taps, float *dw, int64_t channels)
{
    const int64_t multiplier = taps->spread.from;
    for (int64_t i = 0; i < multiplier * taps->blocks; i++) {
        const int64_t m = i / taps->blocks, begin = block_begin(taps->conv, i % taps->blocks);
        const float *sums = taps->sums + i * taps->taps * CONV_LANES;
        for (int64_t lane = 0; lane < CONV_LANES && begin + lane < channels; lane++)
            for (int64_t tap = 0; tap < taps->taps; tap++)
                dw[((begin + lane) * multiplier + m) * taps->taps + tap] = sums[tap * CONV_LANES + lane];
    }
}

/* dbias[k] = SUM dy[i][k], filters k0 .. k1 */
static inline void taps_bias(float *dbias, const struct taps *taps, const float *dy, struct conv_range k)
{
    memset(dbias + k.begin, 0, (size_t)(k.end - k.begin) * sizeof *dbias);
    for (int64_t i = 0; i < taps->positions; i++, dy += taps->conv->k)
        for (int64_t j = k.begin; j < k.end; j++)
            dbias[j] += dy[j];
}

#endif
