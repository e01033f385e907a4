/* problems.h - the verifier's own problems: sequences that anybody can draw from, and draw again.
 *
 * Each set was made to see one sort of mistake: every small shape, settings that meet, tails of tiles, sizes that are
 * large two at a time.  A sequence follows from the set's name, the seed and the filter alone.
 *
 *     struct conv_problem_filter filter = { .kinds = 1u << CONV_DEPTHWISE, .passes = 1u << CONV_FORWARD };
 *     for (int64_t i = 0; conv_problem_draw(&problem, "routes", 1, i, &filter, NULL) == CONV_OK; i++)
 *
 * Threads: safe; a walk is for one thread at a time.   Read next: examine.h, which takes a list of them
 */
#ifndef CONVREF_PROBLEMS_H
#define CONVREF_PROBLEMS_H

#include <convref/problem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which problems are wanted: 0 and NULL everywhere let all of them through. */
struct conv_problem_filter {
    unsigned kinds, passes, layouts, types;   /* sets of the enums: 1u << CONV_DEPTHWISE | ... */
    unsigned ranks;                           /* set of 1u << 1 to 1u << 3 */
    int64_t most_stride, most_dilation, most_filter, most_pad;
    double most_macs;                         /* of one pass, padding included */
    bool (*wanted)(const struct conv_problem *problem, const void *context);   /* asked last */
    const void *context;
};

CONV_API bool conv_problem_passes(const struct conv_problem_filter *filter, const struct conv_problem *problem);

/* The sets by name. */
struct conv_problem_set { const char *name, *words; };
CONV_API int conv_problem_set_count(void);
CONV_API struct conv_problem_set conv_problem_set_at(int index);

/* Problem number `index` of a set, counted from 0 among those that pass.  CONV_NOT_APPLICABLE: there is none any
 * more, CONV_BAD_INPUT: no such set.  It takes as long as walking there. */
CONV_API enum conv_status conv_problem_draw(struct conv_problem *problem, const char *set, uint64_t seed,
                                            int64_t index,
                                            const struct conv_problem_filter *filter, struct conv_error *error);

/* The same, one after the other.  The filter is copied; close a walk that was opened. */
struct conv_problem_walk;
CONV_API enum conv_status conv_problem_walk_open(struct conv_problem_walk **walk, const char *set, uint64_t seed,
                                                 const struct conv_problem_filter *filter, struct conv_error *error);
CONV_API bool conv_problem_walk_next(struct conv_problem_walk *walk, struct conv_problem *problem);
CONV_API bool conv_problem_walk_failed(const struct conv_problem_walk *walk);   /* it ended for want of memory */
CONV_API void conv_problem_walk_close(struct conv_problem_walk *walk);

#ifdef __cplusplus
}
#endif
#endif
