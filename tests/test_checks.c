/* test_checks.c - the parts of the checks that can be tested alone.   Read next: verify/checks/
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "../verify/checks/cover.h"

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

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(every_triple_is_covered), TEST_CASE(impossible_triples_are_given_up),
        TEST_CASE(rows_depend_on_the_seed_alone),
    };
    return test_main("test_checks", cases, (int)(sizeof cases / sizeof *cases));
}
