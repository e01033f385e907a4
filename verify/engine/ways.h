/* ways.h - ways to check a problem: on which data, how often, in which modes.  Internal.   Read next: ways.c */
#ifndef CONVREF_VERIFY_ENGINE_WAYS_H
#define CONVREF_VERIFY_ENGINE_WAYS_H

#include <convref/problems.h>

#include "verify/engine/checker.h"

/* Integers of which every order of summation is exact; a range of 0 says that there are none. */
struct check_data check_integers(const struct checker *checker, const struct conv_problem *problem);

/* As check_data() of careful.h, with these integers; problems without such data are passed over.  Large ones are
 * judged by a checksum. */
bool check_exact(struct checker *checker, const struct conv_problem *problem, int threads);

/* A problem that somebody named, on integers: a small one in every place, with all sorts of other data in the second
 * call; and on real numbers, against the bound.  Of a large one some numbers are looked at; in a class of transforms,
 * whose bound is that of a plane, it is passed over. */
bool check_on_integers(struct checker *checker, const struct conv_problem *problem, int threads);
bool check_on_numbers(struct checker *checker, const struct conv_problem *problem, int threads);

/* As check_data(), with operands placed in every way that there is, and every sort of other data in the second call;
 * a large problem, with the latter only. */
bool check_placements(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                      int threads);

/* check_exact() for every problem of a set (problems/sets.h) that the kernel computes.  The second one has operands
 * end where the page behind begins. */
bool check_set(struct checker *checker, const char *set);
bool check_set_at_the_page(struct checker *checker, const char *set);

/* What a kernel computes, as a filter for sets of problems. */
struct conv_problem_filter check_filter(const struct conv_kernel *kernel);

/* One problem in all passes, layouts and types that the kernel computes, backward passes without activation: the
 * first for which `one` returns false ends it. */
typedef bool check_one(struct checker *checker, const struct conv_problem *problem);
bool check_all_modes(struct checker *checker, struct conv_problem problem, check_one *one);

#endif
