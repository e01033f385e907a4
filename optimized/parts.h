/* parts.h - divide work into equal parts: 49 positions in tiles of at most 6 are 9 of 5 or 6, not 8 and one of 1.
 *
 * Introduced in pw_nhwc_04_equal_tiles; used wherever tiles, blocks or threads divide something.
 */
#ifndef CONVREF_OPTIMIZED_PARTS_H
#define CONVREF_OPTIMIZED_PARTS_H

#include <convref/problem.h>

/* `count` parts of `each` things; the first `longer` of them have one more. */
struct parts { int64_t count, each, longer; };

static inline struct parts parts_in(int64_t things, int64_t count)
{
    return (struct parts){ count, things / count, things % count };
}

/* As few parts as possible, of at most `most` things. */
static inline struct parts parts_of_most(int64_t things, int64_t most)
{
    return things > 0 ? parts_in(things, conv_ceil_div(things, most)) : (struct parts){ 0, 0, 0 };
}

/* The things of part `part`. */
static inline struct conv_range parts_at(const struct parts *parts, int64_t part)
{
    const int64_t begin = part * parts->each + (part < parts->longer ? part : parts->longer);
    return (struct conv_range){ begin, begin + parts->each + (part < parts->longer) };
}

#endif
