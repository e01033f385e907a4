/* test_maths.c - what checks are made of, with no kernel in it: covering arrays, checksums, single outputs.
 *
 * Read next: verify/maths/, test_checks.c
 */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/main_output.h"
#include "tests/random_problem.h"
#include "verify/maths/checksum.h"
#include "verify/maths/cover.h"
#include "verify/maths/spots.h"

/* ---- covering arrays ---------------------------------------------------------------------------------------- */

/* Not both of these at once, and never level 2 of factor 3. */
static bool is_allowed(const void *context, const int row[COVER_FACTORS])
{
    (void)context;
    return !(row[0] == 1 && row[1] == 2) && row[3] != 2;
}

enum { MOST_ROWS = 400 };
static int rows_of(int rows[MOST_ROWS][COVER_FACTORS], struct cover *cover, const struct cover_model *model)
{
    int count = 0;
    CU_ASSERT(cover_begin(cover, model, 1));
    while (count < MOST_ROWS && cover_next(cover, rows[count]))
        count++;
    cover_end(cover);
    return count;
}

static bool has(int rows[MOST_ROWS][COVER_FACTORS], int count, const int factor[3], const int level[3])
{
    for (int i = 0; i < count; i++)
        if (rows[i][factor[0]] == level[0] && rows[i][factor[1]] == level[1] && rows[i][factor[2]] == level[2])
            return true;
    return false;
}

/* Triples of the model that no row has, counted one by one. */
static int missing(int rows[MOST_ROWS][COVER_FACTORS], int count, const struct cover_model *model)
{
    int absent = 0;
    for (int a = 0; a < model->factors; a++)
    for (int b = a + 1; b < model->factors; b++)
    for (int c = b + 1; c < model->factors; c++)
        for (int i = 0; i < model->levels[a]; i++)
        for (int j = 0; j < model->levels[b]; j++)
        for (int k = 0; k < model->levels[c]; k++)
            absent += !has(rows, count, (const int[]){ a, b, c }, (const int[]){ i, j, k });
    return absent;
}

static void every_triple_is_covered(void)
{
    static int rows[MOST_ROWS][COVER_FACTORS];
    const struct cover_model model = { .factors = 9, .levels = { 3, 4, 2, 3, 5, 1, 2, 3, 4 } };
    struct cover cover;
    const int count = rows_of(rows, &cover, &model);
    TEST_EQUAL_INT(missing(rows, count, &model), 0);
    TEST_EQUAL_INT(cover.given_up, 0);
    CU_ASSERT(count >= 5 * 4 * 4 && count < 150);   /* no fewer than the three largest factors have combinations */
}

/* With constraints, the triples left out are exactly those that can't be: counted by hand below. */
static void impossible_triples_are_given_up(void)
{
    static int rows[MOST_ROWS][COVER_FACTORS];
    const struct cover_model model = { .factors = 5, .levels = { 2, 3, 2, 3, 2 }, .possible = is_allowed };
    struct cover cover;
    const int count = rows_of(rows, &cover, &model);
    /* level 2 of factor 3 with any two of the others: 2*3 + 2*2 + 2*2 + 3*2 + 3*2 + 2*2 = 30; levels (1, 2) of
     * factors 0 and 1 with any setting of another factor: 2 + 3 + 2 = 7, of which one has been counted */
    TEST_EQUAL_INT(missing(rows, count, &model), 30 + 7 - 1);
    TEST_EQUAL_INT(cover.given_up, 30 + 7 - 1);
    for (int i = 0; i < count; i++)
        CU_ASSERT(is_allowed(NULL, rows[i]));
}

static void rows_depend_on_the_seed_alone(void)
{
    static int rows[2][MOST_ROWS][COVER_FACTORS];
    const struct cover_model model = { .factors = 7, .levels = { 3, 3, 2, 4, 3, 2, 3 } };
    struct cover cover;
    const int count = rows_of(rows[0], &cover, &model);
    TEST_EQUAL_INT(rows_of(rows[1], &cover, &model), count);
    for (int i = 0; i < count; i++)
        TEST_EQUAL_INT(memcmp(rows[0][i], rows[1][i], (size_t)model.factors * sizeof(int)), 0);
}

/* ---- checksums ------------------------------------------------------------------------------------------------- */

/* The operands of a solved problem as doubles, channels first. */
struct solved { double *at[CONV_OPERANDS]; };

static void solved_free(struct solved *solved)
{
    for (int i = 0; i < CONV_OPERANDS; i++)
        free(solved->at[i]);
}

static struct solved solve(const struct conv_problem *problem, enum conv_operand output)
{
    struct solved solved = { { NULL } };
    struct test_operands set;
    struct conv_truth truth;
    test_operands_create(&set, problem, 11);
    for (enum conv_operand i = 0; i < CONV_OPERANDS; i++) {
        const int64_t count = conv_operand_count(problem, i);
        solved.at[i] = set.operands.at[i] ? calloc((size_t)count + 1, sizeof(double)) : NULL;
        if (solved.at[i] && conv_operand_role(problem, i) == CONV_INPUT)
            conv_operand_widen(solved.at[i], problem, i, set.operands.at[i]);
    }
    TEST_EQUAL_INT(conv_truth_compute(&truth, NULL, problem, output, &set.operands, NULL), CONV_OK);
    memcpy(solved.at[output], truth.value, (size_t)truth.count * sizeof(double));
    conv_truth_free(&truth);
    test_operands_free(&set);
    return solved;
}

/* Right outputs of all kinds, passes, layouts and ranks pass; one element that is off by one doesn't, wherever it
 * is. */
static void checksums_see_one_wrong_element(void)
{
    enum { WANTED = WATCHED ? 300 : 3000 };
    int problems = 0, alarms = 0, missed = 0, spoilt = 0;
    for (int64_t seed = 0; problems < WANTED; seed++) {
        struct conv_problem problem;
        if (!random_problem(&problem, seed) || problem.op == CONV_OP_SEPARABLE || problem.n == 0)
            continue;
        problem.act = CONV_ACT_NONE;
        const enum conv_operand output = main_output(&problem);
        const int64_t count = conv_operand_count(&problem, output);
        struct solved solved = solve(&problem, output);
        const double *const *at = (const double *const *)solved.at;
        problems++;
        alarms += checksum_compare(&problem, output, at, (uint64_t)seed) != CHECKSUM_RIGHT;
        for (int64_t i = seed % 7; i < count; i += count / 5 + 1) {
            const double off = i % 2 ? 1 : -1;
            solved.at[output][i] += off;
            missed += checksum_compare(&problem, output, at, (uint64_t)seed) != CHECKSUM_WRONG;
            solved.at[output][i] -= off;
            spoilt++;
        }
        solved_free(&solved);
    }
    TEST_EQUAL_INT(alarms, 0);
    TEST_EQUAL_INT(missed, 0);
    CU_ASSERT(spoilt > 3 * WANTED);
}

/* Two elements exchanged, one moved by a row, NaN, a half: wrong too. */
static void checksums_see_other_faults(void)
{
    const struct conv_problem problem = test_problem("n=2 c=3 in=7x6 k=4 filter=3x3 pad=1 bias=1");
    struct solved solved = solve(&problem, CONV_Y);
    const double *const *at = (const double *const *)solved.at;
    double *y = solved.at[CONV_Y];
    const double first = y[0], second = y[1];
    CU_ASSERT(first != second);
    y[0] = second, y[1] = first;
    TEST_EQUAL_INT(checksum_compare(&problem, CONV_Y, at, 1), CHECKSUM_WRONG);
    y[1] = second;
    const double bad[] = { NAN, INFINITY, first + 0.5, first + 0x1p61 - 1 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        y[0] = bad[i];
        TEST_EQUAL_INT(checksum_compare(&problem, CONV_Y, at, 1), CHECKSUM_WRONG);
    }
    y[0] = first;
    TEST_EQUAL_INT(checksum_compare(&problem, CONV_Y, at, 1), CHECKSUM_RIGHT);
    solved_free(&solved);
}

/* ---- outputs one by one ---------------------------------------------------------------------------------------- */

/* The truth of single outputs is that of the reference: value, S, and the number of products. */
static void spots_agree_with_the_reference(void)
{
    enum { WANTED = 1500 };
    int problems = 0, different = 0;
    for (int64_t seed = 0; problems < WANTED; seed++) {
        struct conv_problem problem;
        int64_t element[MOST_SPOTS];
        struct conv_truth all, some;
        if (!random_problem(&problem, seed) || problem.n == 0)
            continue;
        const enum conv_operand output = main_output(&problem);
        struct test_operands set;
        test_operands_create(&set, &problem, 11);
        TEST_EQUAL_INT(conv_truth_compute(&all, NULL, &problem, output, &set.operands, NULL), CONV_OK);
        struct solved solved = solve(&problem, output);
        const int count = spots_choose(element, &problem, output, (uint64_t)seed);
        CU_ASSERT(count > 0 && element[0] == 0
                  && spots_truth(&some, &problem, output, (const double *const *)solved.at, element, count));
        for (int i = 0; i < count; i++)
            different += !(element[i] < all.count && some.value[i] == all.value[element[i]]
                           && some.magnitude[i] == all.magnitude[element[i]] && some.taps[i] == all.taps[element[i]]);
        conv_truth_free(&all);
        conv_truth_free(&some);
        solved_free(&solved);
        test_operands_free(&set);
        problems++;
    }
    TEST_EQUAL_INT(different, 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(every_triple_is_covered), TEST_CASE(impossible_triples_are_given_up),
        TEST_CASE(rows_depend_on_the_seed_alone), TEST_CASE(checksums_see_one_wrong_element),
        TEST_CASE(checksums_see_other_faults), TEST_CASE(spots_agree_with_the_reference),
    };
    return test_main("test_maths", cases, (int)(sizeof cases / sizeof *cases));
}
