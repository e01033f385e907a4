/* stages.h - the three stages of an inverted residual for channels last, and their packed weights.
 *
 * A stage is a problem of its own (conv_stages()); their weights lie one behind the other, those of the stage in front
 * first.  The pointwise stages are those of mix.h, the depthwise one is that of depthwise/one_cache_set.h.
 *
 * Introduced in ir_nhwc_01_three_passes.
 */
#ifndef CONVREF_OPTIMIZED_SEPARABLE_STAGES_H
#define CONVREF_OPTIMIZED_SEPARABLE_STAGES_H

#include "optimized/depthwise/one_cache_set.h"
#include "optimized/separable/mix.h"

struct stages {
    struct conv_problem widen, look, narrow;
    int64_t look_at, narrow_at;   /* where the packed weights of these two begin */
    int64_t floats;
};

/* images: of the depthwise stage's x, for its table; 0 where x is a ring, of whose end the table needs no copy. */
static inline struct stages stages_of(const struct conv_problem *conv, int64_t images)
{
    struct conv_problem of[CONV_MOST_STAGES];
    conv_stages(of, conv);
    struct stages stages = { .widen = of[0], .look = of[1], .narrow = of[2] };
    stages.look_at = mix_packed_floats(&stages.widen);
    stages.narrow_at = stages.look_at + (int64_t)(block_packed_bytes(&stages.look) / sizeof(float));
    stages.floats = stages.narrow_at + mix_packed_floats(&stages.narrow);
    stages.look.n = images;
    return stages;
}

static inline size_t stages_packed_bytes(const struct conv_problem *conv)
{
    return (size_t)stages_of(conv, 0).floats * sizeof(float);
}

static inline void stages_pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct stages stages = stages_of(conv, 0);
    float *to = packed;
    mix_pack(to, &stages.widen, weights->ew);
    block_pack(to + stages.look_at, &stages.look, weights);
    mix_pack(to + stages.narrow_at, &stages.narrow, weights->pw);
}

/* y[i] += x[i] */
static inline void stages_add(float *y, const float *x, int64_t floats)
{
    for (int64_t i = 0; i < floats; i++)
        y[i] += x[i];
}

#endif
