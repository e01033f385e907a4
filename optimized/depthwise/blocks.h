/* blocks.h - depthwise weights for channels last: blocks of a vector of channels, w[block][t][r][s][lane].
 *
 * The last block begins early enough to end with the last channel, so that no vector is loaded or stored in part:
 * some channels are computed twice, to the same values.  With fewer channels than lanes there is one block, filled
 * with 0.
 * Introduced in dw_nhwc_06_whole_vectors; also used by the gradients.
 */
#ifndef CONVREF_OPTIMIZED_DEPTHWISE_BLOCKS_H
#define CONVREF_OPTIMIZED_DEPTHWISE_BLOCKS_H

#include <convref/simd.h>
#include <convref/tensor.h>

static inline int64_t block_count(const struct conv_problem *conv) { return conv_ceil_div(conv->c, CONV_LANES); }

/* The first channel of a block. */
static inline int64_t block_begin(const struct conv_problem *conv, int64_t block)
{
    const int64_t last = conv->c > CONV_LANES ? conv->c - CONV_LANES : 0;
    return block * CONV_LANES < last ? block * CONV_LANES : last;
}

static inline int64_t block_floats(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter * CONV_LANES;
}

static inline size_t block_packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(block_count(conv) * block_floats(conv)) * sizeof(float);
}

static inline void block_pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t taps = block_floats(conv) / CONV_LANES;
    const float *w = weights->w;   /* w[k][tap] */
    float *to = packed;
    for (int64_t block = 0; block < block_count(conv); block++)
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t k = block_begin(conv, block), end = k + CONV_LANES; k < end; k++)
                *to++ = k < conv->k ? w[k * taps + tap] : 0;
}

#endif
