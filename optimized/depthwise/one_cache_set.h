/* one_cache_set.h - what to do when the positions of a channels-last image all share a set of the first cache.
 *
 * With 1024 channels two positions are 4096 bytes apart, the size of a way of the cache: all that a tile reads and
 * writes of one block of channels shares one set, which holds 8 or 12 lines.  Three things follow.
 *
 *   A load waits for an older store that hasn't reached the cache yet if their addresses have the same last twelve
 *   bits: the blocks are taken in the order in which that doesn't happen.
 *
 *   Lines that are fetched ahead are evicted before they are used.  With a stride of 2, where a tile of two rows
 *   reads 75 lines for 14 outputs, a wide tile reads neighbouring lines of each position one after the other.
 *
 *   With 512 channels there are two sets, but with a dilation of 2 a tile takes every second position, all of the
 *   same.  There its outputs are neighbours, and its taps two inputs apart.
 *
 * Not needed for other numbers of channels: there all is as in pairs.h.
 * Introduced in dw_nhwc_09_one_cache_set; also in the separable and gradient ladders for channels last.
 */
#ifndef CONVREF_OPTIMIZED_DEPTHWISE_ONE_CACHE_SET_H
#define CONVREF_OPTIMIZED_DEPTHWISE_ONE_CACHE_SET_H

#include "optimized/depthwise/pairs.h"

/* The largest power of two that divides the bytes between two positions, at most a page. */
static inline int64_t pitch_power(const struct conv_problem *conv)
{
    return conv_gcd(conv->c * (int64_t)sizeof(float), 4096);
}

/* Whether the blocks are taken from last to first: so that no block loads from an address whose last twelve bits are
 * those of what the block before has stored. */
static inline bool set_downwards(const struct table *table, const float *y)
{
    const uintptr_t power = (uintptr_t)pitch_power(table->conv), ahead = (uintptr_t)y - (uintptr_t)table->start;
    return power >= 1024 && ahead % power != 0 && ahead % power < power / 2;
}

/* Whether a tile has neighbouring columns although their windows don't overlap: 2, the inputs between two taps, where
 * inputs as far apart as the dilation share one or two sets, and those half as far apart twice as many; else 1. */
static inline int64_t set_spread(const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t power = conv_gcd(W->dilation / 2 * pitch_power(conv), 4096);
    const bool known = H->filter == 3 && W->filter == 3 && H->stride == 1 && W->stride == 1;
    return known && W->dilation % 2 == 0 && power >= 1024 && power < 4096 ? 2 : 1;
}

static inline size_t set_table_bytes(const struct conv_problem *conv)
{
    return table_spread_bytes(conv, PAIR_SUMS, set_spread(conv));
}

static inline struct table set_table_start(const struct conv_problem *conv, const float *x, void *memory)
{
    return table_spread_start(conv, x, PAIR_SUMS, set_spread(conv), memory);
}

enum { WIDE_COLUMNS = PAIR_SUMS / 2, WIDE_VECS = CONV_REGISTERS == 32 ? 4 : 2 };

/* One row of taps of a wide tile: VECS vectors of channels, whose weights are `floats` apart. */
CONV_INLINE void wide_add_row(vec (*sums)[WIDE_VECS], const float *const *x, const float *w, int64_t floats,
                              int64_t k, const int STEP, const int FILTER, const int VECS)
{
    PAIR_UNROLL_INPUTS
    for (int i = 0; i < (WIDE_COLUMNS - 1) * STEP + FILTER; i++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++) {
            const vec in = vec_load(x[i] + k + v * CONV_LANES);
            CONV_UNROLL
            for (int j = 0; j < WIDE_COLUMNS; j++)
                if (i - j * STEP >= 0 && i - j * STEP < FILTER)
                    sums[j][v] += in * vec_load(w + v * floats + (i - j * STEP) * CONV_LANES);
        }
}

/* A row of outputs, VECS blocks from `block` on. */
CONV_INLINE void wide_tile_of(const struct pair_tile *tile, int64_t block, const int STEP, const int FILTER,
                              const int VECS)
{
    const struct table *table = tile->table;
    const int64_t floats = block_floats(table->conv), k = block * CONV_LANES;
    vec sums[WIDE_COLUMNS][WIDE_VECS];
    CONV_UNROLL
    for (int j = 0; j < WIDE_COLUMNS; j++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            sums[j][v] = vec_load(tile->bias + k + v * CONV_LANES);
    for (int64_t t = table->T.begin; t < table->T.end; t++)
        CONV_UNROLL
        for (int r = 0; r < FILTER; r++)
            wide_add_row(sums, tile->x + (t * table->rows + r) * table->line.inputs,
                         tile->w + block * floats + (t * FILTER + r) * FILTER * CONV_LANES, floats, k, STEP, FILTER,
                         VECS);
    if (table->conv->act != CONV_ACT_NONE)
        CONV_UNROLL
        for (int j = 0; j < WIDE_COLUMNS; j++)
            CONV_UNROLL
            for (int v = 0; v < VECS; v++)
                sums[j][v] = vec_activate(table->conv->act, sums[j][v]);
    CONV_UNROLL
    for (int j = 0; j < WIDE_COLUMNS; j++)
        CONV_UNROLL
        for (int v = 0; v < VECS; v++)
            vec_store(tile->y[j] + k + v * CONV_LANES, sums[j][v]);
}

static void wide_step2_3x3(const struct pair_tile *tile)
{
    int64_t block = tile->blocks.begin;
    for (; block + WIDE_VECS <= tile->blocks.end; block += WIDE_VECS)
        wide_tile_of(tile, block, 2, 3, WIDE_VECS);
    for (; block < tile->blocks.end; block++)
        wide_tile_of(tile, block, 2, 3, 1);
}

/* With a step of 2 a tile of two rows loads more than half as often as it multiplies, and with a pitch of 2 KiB all
 * of it from one or two sets.  A wide tile takes neighbouring lines from each position, which come together. */
static inline bool set_wants_wide(const struct table *table)
{
    const struct conv_axis *H = &table->conv->axis[CONV_H], *W = &table->conv->axis[CONV_W];
    return pitch_power(table->conv) >= 2048 && table->line.step == 2 && table->pair.step == 2 && H->filter == 3
        && W->filter == 3;
}

/* The wanted outputs of row i of a pair, in wide tiles. */
static inline void wide_compute(struct pair_tile *tile, float *y, int64_t i)
{
    const struct table *table = tile->table;
    for (int64_t v = table->wanted.begin; v < table->wanted.end; v += WIDE_COLUMNS) {
        while (table->out[v] < 0)
            v++;
        tile->x = table->x + i * table->pair.step * table->line.inputs + v * table->line.step;
        for (int64_t j = 0; j < WIDE_COLUMNS; j++)
            tile->y[j] = table_output(table, y, v + j);
        wide_step2_3x3(tile);
    }
}

/* As pair_compute, with the tile and the order of the blocks that suit the pitch. */
static inline void set_compute(float *const *y, const struct table *table, const float *w, const float *bias,
                               float *aside, int rows, struct conv_range blocks)
{
    struct pair_tile tile = { .w = w, .bias = bias, .table = table, .blocks = blocks };
    if (!set_wants_wide(table)) {
        pair_compute(y, table, w, bias, aside, rows, blocks, set_downwards(table, y[0]));
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        wide_compute(&tile, y[i], i);
}

#endif
