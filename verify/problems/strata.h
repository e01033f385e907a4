/* strata.h - sets in which every case of a list has its draws: nothing that matters is left to chance.  Internal.
 *
 * A stratum fixes what must come ("3x3 with stride 2, and 5 columns more than a multiple of 16"); the lot decides the
 * rest.
 * A draw that isn't a problem, or isn't wanted, is drawn again.   Read next: routes.c
 */
#ifndef CONVREF_VERIFY_PROBLEMS_STRATA_H
#define CONVREF_VERIFY_PROBLEMS_STRATA_H

#include "verify/problems/sets.h"

/* Put together a problem of this kind for stratum `number`, whose draws so far were `draw`: everything but the modes,
 * which are drawn already.  AGAIN: not of this kind.  DONE: this stratum has had all of its draws. */
enum stratum { STRATUM_DRAWN, STRATUM_AGAIN, STRATUM_DONE };
typedef enum stratum stratum_function(struct conv_problem *problem, enum conv_kind kind, int64_t number, int64_t draw,
                              struct dice *dice);

struct strata {
    const struct conv_problem_filter *filter;
    stratum_function *put_together;
    int64_t count, draws;        /* strata, and draws of each */
    double most_macs;
    uint64_t seed;
    int64_t number, draw;
};

/* Passes have draws of their own: `draws` for each that is wanted. */
struct strata strata_begin(const struct conv_problem_filter *filter, uint64_t seed, stratum_function *put_together,
                           int64_t count, int64_t draws, double most_macs);
bool strata_next(struct strata *strata, struct conv_problem *problem);

/* An axis of so many outputs, with a padding of `same`, of none, or on one side only, and inputs left over behind the
 * last window; transposed: of so many inputs, perhaps with an output_pad. */
struct conv_axis axis_of_outputs(int64_t out, int64_t filter, int64_t stride, int64_t dilation, bool transposed,
                                 struct dice *dice);

#endif
