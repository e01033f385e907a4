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

#include "optimized/parts.h"

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

/* A function of its own: in a large one GCC keeps the pointers of these loops on the stack. */
#define LANES_APART __attribute__((noinline, unused)) static

/* block[i][c] = x[c][i] for `count` positions.  `pitch` floats from one channel of x to the next, `wide` from one
 * position of the block to the next; what is behind the channels there is 0. */
LANES_APART void lanes_in(float *block, int64_t wide, const float *x, int64_t pitch, int64_t count, int64_t channels)
{
    const int64_t fours = count / 4 * 4, whole = channels / 4 * 4;
    for (int64_t c = 0; c < whole; c += 4) {
        for (int64_t i = 0; i < fours; i += 4)
            lanes_turn(block + i * wide + c, wide, x + c * pitch + i, pitch);
        for (int64_t i = fours; i < count; i++)
            for (int64_t j = c; j < c + 4; j++)
                block[i * wide + j] = x[j * pitch + i];
    }
    for (int64_t i = 0; i < count && whole < wide; i++)
        for (int64_t c = whole; c < wide; c++)
            block[i * wide + c] = c < channels ? x[c * pitch + i] : 0;
}

/* y[c][i] = block[i][c] */
LANES_APART void lanes_out(float *y, const float *block, int64_t wide, int64_t count, int64_t channels)
{
    const int64_t fours = count / 4 * 4, whole = channels / 4 * 4;
    for (int64_t c = 0; c < whole; c += 4) {
        for (int64_t i = 0; i < fours; i += 4)
            lanes_turn(y + c * count + i, count, block + i * wide + c, wide);
        for (int64_t j = c; j < c + 4; j++)
            for (int64_t i = fours; i < count; i++)
                y[j * count + i] = block[i * wide + j];
    }
    for (int64_t c = whole; c < channels; c++)
        for (int64_t i = 0; i < count; i++)
            y[c * count + i] = block[i * wide + c];
}

/* Fetches part `part` of `parts` of what lies from `at` on, to be read or written soon. */
CONV_INLINE void lanes_fetch(const float *at, int64_t floats, int64_t part, int64_t parts, bool write)
{
    const char *const bytes = (const char *)at;
    const int64_t lines = floats * (int64_t)sizeof(float) / 64;
    for (int64_t line = lines * part / parts; line < lines * (part + 1) / parts; line++)
        if (write)   /* the compiler wants a constant */
            __builtin_prefetch(bytes + line * 64, 1, 3);
        else
            __builtin_prefetch(bytes + line * 64, 0, 3);
}

/* ---- which channels are turned together ---- */

enum { LANES_BYTES = 24 << 10 };   /* less than a first cache: if even one vector has more, one it is */

/* Vectors of channels, in groups whose block has at most LANES_BYTES; one channel of it has `floats`. */
static inline struct parts lanes_groups(const struct conv_problem *conv, int64_t floats)
{
    const int64_t most = LANES_BYTES / (floats * CONV_LANES * (int64_t)sizeof(float));
    return parts_of_most(conv_ceil_div(conv->c, CONV_LANES), most > 1 ? most : 1);
}

/* Channels begin .. begin + channels, and the floats of a position: as many, and at least a vector. */
struct lanes_group { int64_t begin, channels, wide; };

static inline struct lanes_group lanes_group_at(const struct conv_problem *conv, const struct parts *groups,
                                                int64_t i)
{
    const struct conv_range vecs = parts_at(groups, i);
    const int64_t begin = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
    const int64_t channels = (end < conv->c ? end : conv->c) - begin;
    return (struct lanes_group){ begin, channels, channels > CONV_LANES ? channels : CONV_LANES };
}

/* The most floats of a position in any group. */
static inline int64_t lanes_widest(const struct parts *groups)
{
    return (groups->each + (groups->longer > 0)) * CONV_LANES;
}

/* `conv` with one image of `channels` channels, channels last, and as many filters for each. */
static inline struct conv_problem lanes_problem(const struct conv_problem *conv, int64_t channels)
{
    struct conv_problem turned = *conv;
    turned.n = 1;
    turned.c = turned.groups = channels;
    turned.k = channels * (conv->k / conv->c);
    turned.layout = CONV_CHANNELS_LAST;
    return turned;
}

#endif
