/* test_findings.c - what a finding says: where outputs are wrong, and which mistake would give them.
 *
 * Outputs are made with a mistake that is known, and judged as a file of somebody else.  What kernels with planted
 * faults are told is in test_faults.c.
 */
#include "tests/random_problem.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static void finding_says(const struct conv_problem *problem, const struct test_operands *set, const char *guess,
                         const char *where)
{
    struct conv_verification v;
    TEST_EQUAL_INT(conv_verify_operands(&v, problem, &set->operands, CONV_DIRECT, NULL), CONV_OK);
    TEST_EQUAL_INT(v.verdict, CONV_REJECT);
    if (guess && !strstr(v.finding.guess, guess))
        TEST_NOTE("guess \"%s\" doesn't say \"%s\"", v.finding.guess, guess);
    CU_ASSERT(!guess || strstr(v.finding.guess, guess) != NULL);
    if (where)
        TEST_EQUAL_TEXT(v.finding.where, where);
}

/* The same inputs, computed as another problem whose outputs have the same sizes. */
static void settings_are_named(void)
{
    static const struct { const char *right, *made, *guess; } rows[] = {
        { "c=3 in=9x9 k=4 filter=3x3 dilation=2x1 pad=2x1", "c=3 in=9x9 k=4 filter=3x3 dilation=1x2 pad=2:0x1:3",
          "the dilations of rows and columns are exchanged" },
        { "c=3 in=9x9 k=4 filter=3x3 dilation=2x1 pad=2x1", "c=3 in=9x9 k=4 filter=3x3 dilation=1x1 pad=2:0x1",
          "the dilation is ignored" },
        { "c=2 in=6x6 k=3 filter=3 stride=2 pad=1", "c=2 in=6x6 k=3 filter=3 stride=2 pad=0:2",
          "the padding is that of SAME" },
        { "c=3 in=9x8 k=4 filter=3x3 pad=0:2x1", "c=3 in=9x8 k=4 filter=3x3 pad=1", "symmetric" },
        { "c=3 in=6x6 k=4 filter=3x3 pad=1 act=relu6", "c=3 in=6x6 k=4 filter=3x3 pad=1 act=relu", "relu6 is computed as relu" },
        { "c=4 in=6x6 k=6 filter=3x3 pad=1 groups=2 bias=1 act=relu", "c=4 in=6x6 k=6 filter=3x3 pad=1 groups=2 bias=1",
          "the activation is missing" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem right = test_problem(rows[i].right), made = test_problem(rows[i].made);
        struct test_operands set = test_solved(&right, CONV_FILL_INTEGERS);
        TEST_EQUAL_INT(conv_run(&set.operands, conv_kernel_find("ref_forward"), &made, NULL, NULL), CONV_OK);
        finding_says(&right, &set, rows[i].guess, NULL);
        test_operands_free(&set);
    }
}

/* The padding holds the image, mirrored at its border: wrong in the frame, and nowhere else. */
static void a_mirrored_border_is_named(void)
{
    enum { C = 2, SIZE = 6, PADDED = SIZE + 2 };
    const struct conv_problem right = test_problem("c=2 in=6x6 k=3 filter=3 pad=1"), made = test_problem("c=2 in=8x8 k=3 filter=3");
    struct test_operands set = test_solved(&right, CONV_FILL_INTEGERS);
    struct conv_operands mirrored = set.operands;
    float padded[C][PADDED][PADDED];
    const float (*x)[SIZE][SIZE] = set.operands.x;
    for (int c = 0; c < C; c++)
        for (int h = 0; h < PADDED; h++)
            for (int w = 0; w < PADDED; w++) {
                const int row = h == 0 ? 1 : h == PADDED - 1 ? SIZE - 2 : h - 1, column = w == 0 ? 1 : w == PADDED - 1 ? SIZE - 2 : w - 1;
                padded[c][h][w] = x[c][row][column];
            }
    mirrored.x = padded;
    TEST_EQUAL_INT(conv_run(&mirrored, conv_kernel_find("ref_forward"), &made, NULL, NULL), CONV_OK);
    finding_says(&right, &set, "mirrored at its border", "the outer frame, of width 1");
    test_operands_free(&set);
}

static void another_layout_is_named(void)
{
    enum { K = 6, PIXELS = 30 };
    const struct conv_problem problem = test_problem("c=4 in=6x5 k=6 filter=3 pad=1");
    struct test_operands set = test_solved(&problem, CONV_FILL_INTEGERS);
    float *y = set.operands.y, last[K * PIXELS];
    for (int k = 0; k < K; k++)
        for (int i = 0; i < PIXELS; i++)
            last[i * K + k] = y[k * PIXELS + i];
    memcpy(y, last, sizeof last);
    finding_says(&problem, &set, "the output is stored channels last", NULL);
    test_operands_free(&set);
}

/* Narrow inputs change no integer, but every real number a little. */
static void narrow_inputs_are_named(void)
{
    const struct conv_problem problem = test_problem("c=5 in=9x9 k=4 filter=3 pad=1");
    struct test_operands set = test_solved(&problem, CONV_FILL_UNIFORM);
    static float narrow[2][5 * 9 * 9];
    struct conv_operands rounded = set.operands;
    const enum conv_operand inputs[] = { CONV_X, CONV_WEIGHTS };
    for (int i = 0; i < 2; i++) {
        for (int64_t j = 0; j < conv_operand_count(&problem, inputs[i]); j++) {
            int exponent;
            const double fraction = frexp(((const float *)set.operands.at[inputs[i]])[j], &exponent);
            narrow[i][j] = (float)ldexp(rint(ldexp(fraction, 11)), exponent - 11);
        }
        rounded.at[inputs[i]] = narrow[i];
    }
    TEST_EQUAL_INT(conv_run(&rounded, conv_kernel_find("ref_forward"), &problem, NULL, NULL), CONV_OK);
    finding_says(&problem, &set, "inputs are rounded to TF32", NULL);
    test_operands_free(&set);
}

/* Places in words.  What is added is no mistake that anybody knows. */
static void places_are_described(void)
{
    static const struct { const char *problem; int step, from, to; const char *where; } rows[] = {
        { "c=1 in=1x64 k=1 filter=1", 16, 5, 64, "q = 5, 21, ... 53 (every 16)" },
        { "c=1 in=64 k=1 filter=1", 63, 0, 64, "q = the first 1 and the last 1 (of 64)" },
        { "c=4 in=1x1 k=8 filter=1 groups=4", 1, 2, 8, "k = 2..7 (the last 6 of 8): the groups after the first" },
        { "c=1 in=3x3 k=1 filter=1", 1, 6, 9, "p = 2 (the last of 3)" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].problem);
        struct test_operands set = test_solved(&problem, CONV_FILL_INTEGERS);
        for (int at = rows[i].from; at < rows[i].to; at += rows[i].step)
            ((float *)set.operands.y)[at] += (float)(1000 + at * at);
        finding_says(&problem, &set, NULL, rows[i].where);
        test_operands_free(&set);
    }
}

static void the_last_row_and_column_are_described(void)
{
    enum { SIZE = 7 };
    const struct conv_problem problem = test_problem("c=1 in=7x7 k=1 filter=1");
    struct test_operands set = test_solved(&problem, CONV_FILL_INTEGERS);
    float (*y)[SIZE] = set.operands.y;
    for (int i = 0; i < SIZE; i++) {
        y[i][SIZE - 1] += 100;
        y[SIZE - 1][i] += 100;
    }
    finding_says(&problem, &set, NULL, "the last row and the last column");
    test_operands_free(&set);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(settings_are_named), TEST_CASE(a_mirrored_border_is_named), TEST_CASE(another_layout_is_named),
        TEST_CASE(narrow_inputs_are_named), TEST_CASE(places_are_described),
        TEST_CASE(the_last_row_and_column_are_described),
    };
    return test_main("test_findings", cases, (int)(sizeof cases / sizeof *cases));
}
