/* lanes.h - channels first, turned for a while: a block of channels with one channel a lane.
 *
 *   block[i][lane] = x[lane][i]        i: positions, one behind the other; lane: CONV_LANES channels
 *
 * In a small image a row is shorter than a vector, and lanes behind its end are lost.  In a block every lane is an
 * image of its own, and the tiles for channels last compute it.  It is turned in pieces of 4x4 numbers: of four loads
 * and eight shuffles come four stores.
 * Introduced in dw_small_01_channels_in_lanes; also used by the gradients.
 */
#ifndef CONVREF_OPTIMIZED_LANES_H
#define CONVREF_OPTIMIZED_LANES_H

#include <convref/simd.h>

typedef float lanes_four __attribute__((vector_size(4 * sizeof(float))));
typedef int32_t lanes_order __attribute__((vector_size(4 * sizeof(int32_t))));

_Static_assert(CONV_LANES % 4 == 0, "a vector of channels is cut into fours");

/* One of each vector by turns (low: the first two of both), or two and two. */
#if defined(__clang__)
#define LANES_MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define LANES_MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, (lanes_order){ i, j, k, l })
#endif

/* to[j][i] = from[i][j], 4x4 */
CONV_INLINE void lanes_turn(float *to, int64_t to_pitch, const float *from, int64_t from_pitch)
{
    lanes_four a[4], b[4], c[4];
    CONV_UNROLL
    for (int i = 0; i < 4; i++)
        memcpy(&a[i], from + i * from_pitch, sizeof a[i]);
    b[0] = LANES_MIX(a[0], a[1], 0, 4, 1, 5);
    b[1] = LANES_MIX(a[0], a[1], 2, 6, 3, 7);
    b[2] = LANES_MIX(a[2], a[3], 0, 4, 1, 5);
    b[3] = LANES_MIX(a[2], a[3], 2, 6, 3, 7);
    c[0] = LANES_MIX(b[0], b[2], 0, 1, 4, 5);
    c[1] = LANES_MIX(b[0], b[2], 2, 3, 6, 7);
    c[2] = LANES_MIX(b[1], b[3], 0, 1, 4, 5);
    c[3] = LANES_MIX(b[1], b[3], 2, 3, 6, 7);
    CONV_UNROLL
    for (int i = 0; i < 4; i++)
        memcpy(to + i * to_pitch, &c[i], sizeof c[i]);
}

/* block[i][lane] = x[lane][i] for `count` positions; lanes that have no channel are 0.  From one channel of x to the
 * next there are `pitch` floats. */
static inline void lanes_in(float *block, const float *x, int64_t pitch, int64_t count, int64_t channels)
{
    const int64_t fours = channels == CONV_LANES ? count / 4 * 4 : 0;
    for (int64_t lane = 0; lane < CONV_LANES; lane += 4)
        for (int64_t i = 0; i < fours; i += 4)
            lanes_turn(block + i * CONV_LANES + lane, CONV_LANES, x + lane * pitch + i, pitch);
    for (int64_t lane = 0; lane < CONV_LANES; lane++)
        for (int64_t i = fours; i < count; i++)
            block[i * CONV_LANES + lane] = lane < channels ? x[lane * pitch + i] : 0;
}

/* y[lane][i] = block[i][lane] */
static inline void lanes_out(float *y, const float *block, int64_t count, int64_t channels)
{
    const int64_t fours = channels == CONV_LANES ? count / 4 * 4 : 0;
    for (int64_t lane = 0; fours > 0 && lane < CONV_LANES; lane += 4)
        for (int64_t i = 0; i < fours; i += 4)
            lanes_turn(y + lane * count + i, count, block + i * CONV_LANES + lane, CONV_LANES);
    for (int64_t lane = 0; lane < channels; lane++)
        for (int64_t i = fours; i < count; i++)
            y[lane * count + i] = block[i * CONV_LANES + lane];
}

/* Fetches part `part` of `parts` of what lies from `at` on, to be read or written soon. */
CONV_INLINE void lanes_fetch(const float *at, int64_t floats, int64_t part, int64_t parts, const int WRITE)
{
    const char *const bytes = (const char *)at;
    const int64_t lines = floats * (int64_t)sizeof(float) / 64;
    for (int64_t line = lines * part / parts; line < lines * (part + 1) / parts; line++)
        __builtin_prefetch(bytes + line * 64, WRITE, 3);
}

/* The problem of one block: `conv` with CONV_LANES channels, channels last. */
static inline struct conv_problem lanes_problem(const struct conv_problem *conv)
{
    struct conv_problem block = *conv;
    block.n = 1;
    block.c = block.k = block.groups = CONV_LANES;
    block.layout = CONV_CHANNELS_LAST;
    return block;
}

static inline int64_t lanes_blocks(const struct conv_problem *conv) { return conv_ceil_div(conv->c, CONV_LANES); }

/* The channels of a block: less than CONV_LANES in the last one, perhaps. */
static inline int64_t lanes_channels(const struct conv_problem *conv, int64_t block)
{
    const int64_t left = conv->c - block * CONV_LANES;
    return left < CONV_LANES ? left : CONV_LANES;
}

#endif
