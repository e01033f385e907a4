/* test_outputs.c - outputs that somebody else computed, where the data decide what can be said: none, zeros, sums
 * that leave the range, numbers of a narrower type.   Not here: ordinary outputs (test_verify.c), files
 * (test_cli_verify.sh)
 */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Four of each are used, but of problems without images, which have weights all the same. */
struct four { float x[4], w[64], y[64]; };

static struct conv_verification judged(const char *text, struct four *data, enum conv_accuracy accuracy)
{
    const struct conv_problem problem = test_problem(text);
    const struct conv_operands operands = { .x = data->x, .w = data->w, .pw = data->w, .y = data->y };
    struct conv_verification result;
    struct conv_error error;
    TEST_EQUAL_INT(conv_sensitivity_verify(&result, NULL, &problem, &operands, accuracy, &error), CONV_OK);
    return result;
}

/* ---- n=0 ------------------------------------------------------------------------------------------------------- */

static void no_images(void)
{
    static const char *const problems[] = {
        "n=0 c=1 in=1 k=1 filter=1", "n=0 c=2 in=5x4 k=2 filter=3x3 pad=1 layout=nhwc",
        "op=transposed n=0 c=1 in=3 k=1 filter=2", "op=separable n=0 c=1 in=3 k=1 filter=2",
        "n=0 c=1 in=3 k=1 filter=2 pass=backward_data", "n=0 c=1 in=2 k=1 filter=2 pass=backward_weights",
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        struct four zeros = { { 0 } };
        const struct conv_problem problem = test_problem(problems[i]);
        const struct conv_verification result = judged(problems[i], &zeros, CONV_DIRECT);
        TEST_EQUAL_INT(result.verdict, CONV_ACCEPT);
        CU_ASSERT_EQUAL(strstr(result.reason, "nothing to compare") != NULL, problem.pass != CONV_BACKWARD_WEIGHTS);
    }
    struct four wrong = { { 0 }, { 0, 1 }, { 0 } };   /* a gradient of no images is 0 */
    TEST_EQUAL_INT(judged(problems[5], &wrong, CONV_DIRECT).verdict, CONV_REJECT);
}

/* ---- data that show nothing ------------------------------------------------------------------------------------ */

static void no_product_is_missed(void)
{
    static const struct { const char *problem, *says; struct four data; enum conv_verdict verdict; } rows[] = {
        { "c=1 in=4 k=1 filter=1", "4 of 4 are zero", { { 0 }, { 3 }, { 0 } }, CONV_INCONCLUSIVE },
        { "c=1 in=4 k=1 filter=1", "4 of 4 are zero", { { 1, 2, 3, 4 }, { 0 }, { 0 } }, CONV_INCONCLUSIVE },
        { "c=1 in=4 k=1 filter=1 act=relu", "4 of 4 vanish in the activation",
          { { 1, 2, 3, 4 }, { -1 }, { 0 } }, CONV_INCONCLUSIVE },
        { "c=1 in=4 k=1 filter=1 act=relu", "2 of 4 are zero, 2 of 4 vanish in the activation",
          { { 0, 2, 0, 4 }, { -1 }, { 0 } }, CONV_INCONCLUSIVE },
        { "c=1 in=4 k=1 filter=1", "4 of 4 are too small for the bound",
          { { NAN, NAN, NAN, NAN }, { 1 }, { NAN, NAN, NAN, NAN } }, CONV_INCONCLUSIVE },
        { "c=1 in=4 k=1 filter=1", "", { { 0, 0, 0, 1 }, { 3 }, { 0, 0, 0, 3 } }, CONV_ACCEPT },
        { "c=1 in=4 k=1 filter=1", "", { { 0 }, { 3 }, { 0, 0, 0, 1 } }, CONV_REJECT },
    };
    static const enum conv_accuracy classes[] = { CONV_DIRECT, CONV_TF32, CONV_WINOGRAD_2, CONV_FFT };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t a = 0; a < sizeof classes / sizeof *classes; a++) {
            struct four data = rows[i].data;
            if (conv_accuracy_transforms(classes[a]) && !strcmp(rows[i].says, "4 of 4 are too small for the bound"))
                continue;
            const struct conv_verification result = judged(rows[i].problem, &data, classes[a]);
            TEST_EQUAL_INT(result.verdict, rows[i].verdict);
            if (!strstr(result.reason, rows[i].says))
                TEST_NOTE("%s: \"%s\", expected \"%s\"", rows[i].problem, result.reason, rows[i].says);
            CU_ASSERT(strstr(result.reason, rows[i].says) != NULL);
        }
}

/* ---- sums that leave the range --------------------------------------------------------------------------------- */

static void sums_overflow_in_some_order(void)
{
    static const struct { const char *more; enum conv_accuracy accuracy; float x[4], got; bool right; } rows[] = {
        { "", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, -1e38f }, INFINITY, true },
        { "", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, -1e38f }, -INFINITY, true },
        { "", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, -1e38f }, NAN, true },
        { "", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, -1e38f }, 1, true },     /* below the bound */
        { "", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, -1e38f }, 1e38f, false },
        { "", CONV_DIRECT, { 3e38f, 1e38f, -1e38f, -1e38f }, INFINITY, true },
        { "", CONV_DIRECT, { 3e38f, 1e38f, -1e38f, -1e38f }, -INFINITY, false },   /* the negative ones are small */
        { "", CONV_DIRECT, { 3e38f, 1e38f, -1e38f, -1e38f }, NAN, false },         /* and nothing meets */
        { "", CONV_DIRECT, { -3e38f, -1e38f, 1e38f, 0 }, -INFINITY, true },
        { "", CONV_DIRECT, { -3e38f, -1e38f, 1e38f, 0 }, INFINITY, false },
        { "", CONV_DIRECT, { 1e38f, 1e38f, 1e38f, -1e38f }, INFINITY, false },     /* no sum passes 3e38 */
        { "", CONV_DIRECT, { 3e38f, 3e38f, 0, 0 }, INFINITY, true },               /* the truth itself */
        { "", CONV_DIRECT, { 3e38f, 3e38f, 0, 0 }, 3.4028235e38f, false },
        { "act=relu", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, 0 }, INFINITY, true },
        { "act=relu", CONV_DIRECT, { 3e38f, -3e38f, -1e38f, 2e38f }, 0, true },    /* what relu makes of -inf */
        { "act=relu", CONV_DIRECT, { 3e38f, -3e38f, 0, 1e38f }, 0, false },
        { "act=relu6", CONV_DIRECT, { 3e38f, 1e38f, -3e38f, -2e38f }, 6, true },
        { "", CONV_F16_SUMS, { 40000.5f, 40000, -40000, 0 }, INFINITY, true },     /* 65504 is the largest f16 */
        { "", CONV_F16_SUMS, { 40000.5f, 10000, -40000, 0 }, INFINITY, false },
        { "", CONV_TF32, { 40000.5f, 40000, -40000, 0 }, INFINITY, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct four data = { .w = { 1, 1, 1, 1 }, .y = { rows[i].got } };
        char problem[64];
        memcpy(data.x, rows[i].x, sizeof data.x);
        snprintf(problem, sizeof problem, "c=1 in=1x4 k=1 filter=1x4 %s", rows[i].more);
        const struct conv_verification result = judged(problem, &data, rows[i].accuracy);
        if ((result.verdict != CONV_REJECT) != rows[i].right)
            TEST_NOTE("row %zu: %s, %s", i, conv_verdict_name(result.verdict), result.evidence[0].note);
        CU_ASSERT((result.verdict != CONV_REJECT) == rows[i].right);
        if (rows[i].right && !isfinite(rows[i].got))
            CU_ASSERT(strstr(result.evidence[0].note, "1 of 1 sums leave the range") != NULL);
    }
}

/* Every kernel is right about sums that overflow for it; nobody can be more right than they. */
static void kernels_may_overflow(void)
{
    const struct conv_problem problem = test_problem("c=4 in=6x6 k=4 filter=3x3 pad=1");
    const int64_t xs = conv_operand_count(&problem, CONV_X), ws = conv_operand_count(&problem, CONV_WEIGHTS),
        ys = conv_operand_count(&problem, CONV_Y);
    float *x = calloc((size_t)xs, sizeof *x), *w = calloc((size_t)ws, sizeof *w), *y = calloc((size_t)ys, sizeof *y);
    const struct conv_operands operands = { .x = x, .w = w, .y = y };
    int run = 0, lost = 0;
    conv_fill(CONV_F32, x, xs, "x", &(struct conv_fill){ CONV_FILL_UNIFORM, 3, 1e38, 0 });
    conv_fill(CONV_F32, w, ws, "w", &(struct conv_fill){ CONV_FILL_UNIFORM, 3, 1, 0 });
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        struct conv_verification result;
        if (conv_kernel_refuses(kernel, &problem) || kernel->accuracy != CONV_DIRECT)
            continue;
        TEST_EQUAL_INT(conv_run(&operands, kernel, &problem, NULL, NULL), CONV_OK);
        TEST_EQUAL_INT(conv_verify_operands(&result, &problem, &operands, CONV_DIRECT, NULL), CONV_OK);
        if (result.verdict != CONV_ACCEPT)
            TEST_NOTE("%s: %s", kernel->name, result.finding.where);
        TEST_EQUAL_INT(result.verdict, CONV_ACCEPT);
        lost += result.evidence[0].note[0] != 0;
        run++;
    }
    CU_ASSERT(run > 5 && lost > 0);
    free(x);
    free(w);
    free(y);
}

/* ---- numbers of a narrower type -------------------------------------------------------------------------------- */

/* Rounded to so many bits, ties to even; halves are written as exponents allow here. */
static float rounded(float value, int bits)
{
    int exponent;
    const double fraction = frexp((double)value, &exponent);
    return (float)ldexp(rint(ldexp(fraction, bits)), exponent - bits);
}

static void narrow_outputs_are_named(void)
{
    static const struct { int bits; const char *guess; } rows[] = {
        { 11, "y is stored in f16: --accuracy f16 accepts it" },
        { 8, "y is stored in bf16: --accuracy bf16 accepts it" },
        { 3, "" }, { 14, "" },
    };
    const struct conv_problem problem = test_problem("c=3 in=8x8 k=5 filter=3x3 pad=1");
    const int64_t count = conv_operand_count(&problem, CONV_Y);
    static float x[192], w[135], y[320], narrow[320];
    struct conv_operands operands = { .x = x, .w = w, .y = y };
    const struct conv_fill fill = { CONV_FILL_UNIFORM, 5, 1, 0 };
    conv_fill(CONV_F32, x, 192, "x", &fill);
    conv_fill(CONV_F32, w, 135, "w", &fill);
    TEST_EQUAL_INT(conv_run(&operands, conv_kernel_find("ref_forward"), &problem, NULL, NULL), CONV_OK);
    operands.y = narrow;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conv_verification result;
        for (int64_t e = 0; e < count; e++)
            narrow[e] = rounded(y[e], rows[i].bits);
        TEST_EQUAL_INT(conv_verify_operands(&result, &problem, &operands, CONV_DIRECT, NULL), CONV_OK);
        TEST_EQUAL_INT(result.verdict, CONV_REJECT);
        if (rows[i].guess[0])
            TEST_EQUAL_TEXT(result.finding.guess, rows[i].guess);
        CU_ASSERT((strstr(result.finding.guess, "is stored in") != NULL) == (rows[i].guess[0] != 0));
    }
    memset(narrow, 0, sizeof narrow);   /* zeros are numbers of every type, and nobody accepts them */
    struct conv_verification result;
    TEST_EQUAL_INT(conv_verify_operands(&result, &problem, &operands, CONV_DIRECT, NULL), CONV_OK);
    CU_ASSERT(!strstr(result.finding.guess, "is stored in"));
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(no_images), TEST_CASE(no_product_is_missed), TEST_CASE(sums_overflow_in_some_order),
        TEST_CASE(kernels_may_overflow), TEST_CASE(narrow_outputs_are_named),
    };
    return test_main("test_outputs", cases, sizeof cases / sizeof *cases);
}
