/* channels.h - depthwise gradients for channels last: filters of a channel apart, so that channels meet lane by lane.
 *
 * With a multiplier M channel c of x has the filters c * M .. c * M + M - 1, so that in dy what one vector of
 * channels needs lies M apart; a transposed convolution may have it the other way round.  A copy puts that right:
 *
 *   part[m][position][g * to + j] = dy[position][g * from + m]        from = M, to = 1: part[m][position][c]
 *
 * Without a multiplier there is nothing to copy.
 * Introduced in dw_bwd_data_nhwc_02_forward_tiles; also used by the weight gradients.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_CHANNELS_H
#define CONVREF_OPTIMIZED_GRADIENTS_CHANNELS_H

#include "optimized/gradients/phases.h"

/* Groups with one channel on one side at least. */
static inline const char *channels_apply(const struct spread *spread)
{
    return spread->from == 1 || spread->to == 1 ? NULL : "it needs groups of one channel";
}

/* The channels of dx. */
static inline int64_t channels_of(const struct spread *spread) { return spread->groups * spread->to; }

static inline bool channels_match(const struct spread *spread) { return spread->from == 1 && spread->to == 1; }

/* Some positions, of all images, of every part; a position of a part takes `pitch` floats, and there are `all`. */
static inline void channels_copy(float *part, const struct spread *spread, const float *dy,
                                 struct conv_range positions, int64_t all, int64_t pitch)
{
    for (int64_t m = 0; m < spread->from; m++)
        for (int64_t i = positions.begin; i < positions.end; i++) {
            float *to = part + (m * all + i) * pitch;                           /* part[m][i][:] */
            const float *from = dy + i * spread->groups * spread->from + m;     /* dy[i][:][m] */
            for (int64_t g = 0; g < spread->groups; g++)
                for (int64_t j = 0; j < spread->to; j++)
                    *to++ = from[g * spread->from];
            for (int64_t rest = channels_of(spread); rest < pitch; rest++)
                *to++ = 0;
        }
}

#endif
