/* sets.h - what a set of problems is: a walk that can begin, step and end.  Internal.
 *
 * Adding a set is one file in this room and one line in sets.c.   Read next: small.c, routes.c
 */
#ifndef CONVREF_VERIFY_PROBLEMS_SETS_H
#define CONVREF_VERIFY_PROBLEMS_SETS_H

#include <convref/problems.h>
#include <convref/tensor.h>

#include "core/random.h"

struct problem_set {
    const char *name, *words;
    size_t state_bytes;                  /* of a walk; zeroed before begin() */
    /* false: memory is short */
    bool (*begin)(void *state, const struct conv_problem_filter *filter, uint64_t seed);
    /* only problems that pass; false: there is none any more */
    bool (*next)(void *state, struct conv_problem *problem);
    void (*end)(void *state);            /* may be NULL */
    bool (*failed)(const void *state);   /* next() said false because memory is short; may be NULL */
};

extern const struct problem_set set_small, set_covering, set_lessons, set_remainders, set_seams, set_rows, set_routes,
    set_ordinary, set_large_pairs, set_large_settings, set_powers;

/* Does the filter let this bit of a set through?  An empty set lets all. */
static inline bool filter_has(unsigned set, int bit) { return !set || set & 1u << bit; }

/* The most multiply-adds that the problem can have, padding included. */
double problem_macs(const struct conv_problem *problem);

/* ---- drawing by lot -------------------------------------------------------------------------------------------- */

struct dice { uint64_t state; };

static inline int64_t below(struct dice *dice, int64_t limit)
{
    return (int64_t)(random_next(&dice->state) % (uint64_t)limit);
}
static inline int64_t from_to(struct dice *dice, int64_t from, int64_t to) { return from + below(dice, to - from + 1); }
static inline int64_t one_of(struct dice *dice, const int *list, int count) { return list[below(dice, count)]; }
#define ONE_OF(dice, ...) one_of(dice, (const int[]){ __VA_ARGS__ }, sizeof (int[]){ __VA_ARGS__ } / sizeof(int))

/* A pass, layout or type that the filter lets through, where there is one; and a kind. */
int drawn_bit(struct dice *dice, unsigned set, int count);
enum conv_kind drawn_kind(struct dice *dice, const struct conv_problem_filter *filter);

/* Pass, layout, type, bias and activations by lot; op and mult follow from the kind. */
void draw_modes(struct conv_problem *problem, enum conv_kind kind, const struct conv_problem_filter *filter,
                struct dice *dice);

/* Is it a separable convolution, or one that became an inverted residual?  And the operation of a kind. */
bool has_stages(enum conv_kind kind);
enum conv_op op_of_kind(enum conv_kind kind);

/* Finish a problem that was put together, which must be of this kind and pass the filter.  An inverted residual was put
 * together as a separable problem, and is made from that here. */
bool is_drawn(struct conv_problem *problem, enum conv_kind kind, const struct conv_problem_filter *filter);

#endif
