/* chain_data.h - integers that stay exact through a whole chain, and what comes out at its end.  Internal.
 *
 * Each filter has one to three taps that aren't 0, each 1 or -1, so that numbers grow slowly and evenly: to 2^23 at
 * the end, or to 32 where a kernel rounds (a transform, a narrower type), which is compared after rounding.  Which
 * taps they are is drawn for each filter.  So few taps also make the expected output cheap: it is computed by them,
 * and by no kernel.   Read next: chain_data.c
 */
#ifndef CONVREF_VERIFY_MEASURE_CHAIN_DATA_H
#define CONVREF_VERIFY_MEASURE_CHAIN_DATA_H

#include "verify/measure/chain.h"

/* Elements of one half of the arena: what the largest x (but the first) or y needs. */
int64_t chain_half(const struct chain *chain);

/* How many taps of layer `layer` aren't 0. */
int chain_taps(const struct chain *chain, int layer);

/* Weights and bias (NULL: none) of one layer. */
void chain_weights(float *w, float *bias, const struct chain *chain, int layer);

/* The data of call number `call`: the first input, and what lies in the arena before it begins. */
void chain_fill(float *x, float *const halves[2], const struct chain *chain, int call);

/* Compute the chain by its taps alone.  `halves` are filled as above and hold the last output afterwards, where the
 * kernels leave it: in halves[(count - 1) % 2]. */
void chain_expect(float *const halves[2], const float *x, float *const *w, float *const *bias,
                  const struct chain *chain);

/* Is the last output as expected?  If not, say what is wrong. */
bool chain_is_right(char *words, size_t room, const struct chain *chain, const float *got, const float *expected);

#endif
