/* random_problem.h - valid problems of every sort, one for each seed. */
#ifndef CONVREF_TESTS_RANDOM_PROBLEM_H
#define CONVREF_TESTS_RANDOM_PROBLEM_H

#include <convref.h>

/* Draw problem number `seed`.  False if these sizes make none: try the next. */
bool random_problem(struct conv_problem *problem, int64_t seed);

/* Operands of a problem, inputs filled from the seed with integers whose sums are exact, outputs with NaN. */
struct test_operands { struct conv_tensor tensors[CONV_OPERANDS]; struct conv_operands operands; };
void test_operands_create(struct test_operands *set, const struct conv_problem *problem, uint64_t seed);
void test_operands_free(struct test_operands *set);

/* The page of the reference that computes a problem. */
const struct conv_kernel *test_reference(const struct conv_problem *problem);

/* The true outputs of a problem on data of one kind, in operands that can be spoilt. */
struct test_operands test_solved(const struct conv_problem *problem, enum conv_fill_kind kind);

#endif
