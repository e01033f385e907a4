/* chain.h - the convolutions of a network one behind the other, in one arena, with nothing between them.  Internal.
 *
 * Plans are made and weights packed before the clock starts, and nothing is allocated until it stops.  Activations
 * lie in two halves of one arena by turns: a layer reads the half that the layer before it wrote.  Where its input is
 * not that layer's output (a pooling, a concatenation or a branch lies between them), it reads the bytes that are
 * there, as its own shape: so much is moved, and what isn't a convolution is left out.  One layout goes through from
 * end to end.
 *
 * What is timed is right: each kernel first computes its own layer, one image of it, on dense integers, bit for bit;
 * and the last output of the chain, in its first call and in its last, is that of the same chain on integers that
 * stay exact to its end.  Every call has other data.
 *
 * Not here: a single layer (turns.c), layers that are no convolutions, kernels on a device.
 * Read next: chain.c, chain_data.c (the integers), docs/measuring.md
 */
#ifndef CONVREF_VERIFY_MEASURE_CHAIN_H
#define CONVREF_VERIFY_MEASURE_CHAIN_H

#include <convref/bench.h>

/* kernels[i] computes problems[i]: forward, f32, all of one layout. */
struct chain {
    const struct conv_problem *problems;
    const struct conv_kernel *const *kernels;
    int count, threads;
    uint64_t seed;
};

struct chain_options {
    double turn_seconds;              /* at least one call, and as many as fit; 0 means 0.02 */
    double time_limit;                /* seconds of one layer; 0 means 60: longer is a hang */
    bool each_layer;                  /* verify each layer by itself as well */
    int64_t (*allocations)(void);     /* counts heap allocations of the process; NULL: not counted */
};

struct chain_timing {
    bool verified;                    /* if not, nothing was timed, and `why` has words */
    double median;                    /* seconds, from the first layer's begin to the last one's end */
    int calls;
    int64_t allocations;              /* in all timed calls; -1: not counted */
    double watched, others;           /* seconds that it took in all, and cores that other programs used meanwhile;
                                       * one call is too short to say that of it alone.  Negative: not known */
    size_t arena_bytes;               /* both halves */
    size_t weight_bytes, scratch_bytes;   /* packed, or as they are where a kernel packs nothing; of all layers */
    char why[CONV_WHY];
};

/* Time it, in a child.  Fails if the problems make no chain, or a kernel doesn't apply. */
enum conv_status chain_time(struct chain_timing *timing, const struct chain *chain,
                            const struct chain_options *options, struct conv_error *error);

/* The least seconds that the machine can take for all layers: of each the longer of its multiply-adds at the peak and
 * its bytes by what holds them warm.  `arithmetic` (may be NULL) becomes that of the multiply-adds alone. */
double chain_floor(double *arithmetic, const struct chain *chain, const struct conv_roof *roof,
                   const struct conv_machine *machine);

#endif
