/* test_requantise.c - the rounding modes, by hand; and the element types of files, bit by bit.
 *
 * Every expected number was worked out on paper from the definition of its mode, not taken from a run.
 */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/candidates/golden_case.h"
#include "verify/golden/requantise.h"
#include "verify/io/element.h"

static struct requantiser with_scale(double scale)
{
    struct requantiser requantiser = { .least = -128, .most = 127 };
    requantiser_set_scale(&requantiser, scale);
    return requantiser;
}

/* gemmlowp-double, tflite-single, fp32-rne, rndnu, tosa-scale32, shifts */
static const struct { double scale; int32_t accumulator; int expected[REQUANTISE_MODES]; } rows[] = {
    /* a quarter: 0.25 is raised to 0.5 by the first rounding of two, and to 1 by the second */
    { 0.25, 0,     { 0, 0, 0, 0, 0, 0 } },
    { 0.25, 1,     { 1, 0, 0, 0, 1, 0 } },
    { 0.25, 2,     { 1, 1, 0, 1, 1, 1 } },
    { 0.25, 3,     { 1, 1, 1, 1, 1, 1 } },
    { 0.25, 4,     { 1, 1, 1, 1, 1, 1 } },
    { 0.25, 5,     { 2, 1, 1, 1, 2, 1 } },
    { 0.25, 6,     { 2, 2, 2, 2, 2, 2 } },
    { 0.25, 10,    { 3, 3, 2, 3, 3, 3 } },
    { 0.25, -1,    { 0, 0, 0, 0, 0, 0 } },
    { 0.25, -2,    { -1, 0, 0, 0, -1, 0 } },
    { 0.25, -3,    { -1, -1, -1, -1, -1, -1 } },
    { 0.25, -6,    { -2, -1, -2, -1, -2, -1 } },
    { 0.25, -10,   { -3, -2, -2, -2, -3, -2 } },
    { 0.25, 1000,  { 127, 127, 127, 127, 127, 127 } },
    { 0.25, -1000, { -128, -128, -128, -128, -128, -128 } },
    /* a half: shift 0, so that there is one rounding only, ties up */
    { 0.5, 1,      { 1, 1, 0, 1, 1, 1 } },
    { 0.5, 3,      { 2, 2, 2, 2, 2, 2 } },
    { 0.5, -1,     { 0, 0, 0, 0, 0, 0 } },
    { 0.5, -3,     { -1, -1, -2, -1, -1, -1 } },
    /* 0.3: its nearest power of two is a quarter */
    { 0.3, 10,     { 3, 3, 3, 3, 3, 3 } },
    { 0.3, 100,    { 30, 30, 30, 30, 30, 25 } },
    { 0.3, -100,   { -30, -30, -30, -30, -30, -25 } },
    /* 0.75: nearer to one (in the logarithm), which shifts by nothing */
    { 0.75, 100,   { 75, 75, 75, 75, 75, 100 } },
    /* the limits of 32 bits */
    { 0x1p-31, INT32_MAX, { 1, 1, 1, 1, 1, 1 } },
    { 0x1p-31, INT32_MIN, { -1, -1, -1, -1, -1, -1 } },
};

static void by_hand(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (enum requantise_mode mode = 0; mode < REQUANTISE_MODES; mode++) {
            const struct requantiser requantiser = with_scale(rows[i].scale);
            const int32_t output = requantise(mode, rows[i].accumulator, &requantiser);
            if (output != rows[i].expected[mode])
                TEST_NOTE("%s: %d * %g is %d, expected %d", requantise_name(mode), rows[i].accumulator, rows[i].scale,
                          output, rows[i].expected[mode]);
            CU_ASSERT_EQUAL(output, rows[i].expected[mode]);
        }
}

static void zero_points_and_clamps(void)
{
    struct requantiser requantiser = { .zero_point = 131, .least = 131, .most = 255 };
    requantiser_set_scale(&requantiser, 0.25);
    for (enum requantise_mode mode = 0; mode < REQUANTISE_MODES; mode++) {
        TEST_EQUAL_INT(requantise(mode, 40, &requantiser), 141);
        TEST_EQUAL_INT(requantise(mode, -40, &requantiser), 131);
        TEST_EQUAL_INT(requantise(mode, 4000, &requantiser), 255);
        TEST_EQUAL_INT(requantise(mode, INT32_MIN, &requantiser), 131);
        TEST_EQUAL_INT(requantise(mode, INT32_MAX, &requantiser), 255);
    }
}

static void multipliers(void)
{
    static const struct { double scale; int32_t multiplier; int shift; } known[] = {
        { 0.5, 1 << 30, 0 }, { 0.25, 1 << 30, -1 }, { 0.75, 3 << 29, 0 }, { 0.3, 1288490189, -1 },
        { 1 - 0x1p-33, 1 << 30, 1 },   /* rounds up to one */
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct requantiser requantiser = with_scale(known[i].scale);
        TEST_EQUAL_INT(requantiser.multiplier, known[i].multiplier);
        TEST_EQUAL_INT(requantiser.shift, known[i].shift);
    }
}

/* Below a scale of one TOSA's double_round is gemmlowp's double rounding, and no other pair agrees. */
static void which_modes_agree(void)
{
    enum { VALUES = 200000 };
    const struct conv_fill fill = { CONV_FILL_UNIFORM, 5, 1, 0 };
    int64_t differ[REQUANTISE_MODES][REQUANTISE_MODES] = { { 0 } };
    for (int64_t i = 0; i < VALUES; i++) {
        int32_t outputs[REQUANTISE_MODES];
        const double scale = i % 4 ? fabs(conv_fill_value(&fill, "scale", i)) * 0.99 + 1e-6
                                   : ldexp(1, -1 - (int)(i / 4 % 9));
        const struct requantiser requantiser = with_scale(scale);
        const int32_t accumulator = (int32_t)(conv_fill_value(&fill, "accumulator", i) * 127 / scale);
        for (enum requantise_mode mode = 0; mode < REQUANTISE_MODES; mode++)
            outputs[mode] = requantise(mode, accumulator, &requantiser);
        for (int a = 0; a < REQUANTISE_MODES; a++)
            for (int b = 0; b < REQUANTISE_MODES; b++)
                differ[a][b] += outputs[a] != outputs[b];
    }
    for (int a = 0; a < REQUANTISE_MODES; a++)
        for (int b = 0; b < a; b++) {
            const bool same = a == REQUANTISE_TOSA_SCALE32 && b == REQUANTISE_GEMMLOWP_DOUBLE;
            /* 24 bits and 31 differ only next to ties, where the vectors of data s8-ties are */
            const bool rare = a == REQUANTISE_RNDNU && b == REQUANTISE_TFLITE_SINGLE;
            if (!rare && (differ[a][b] == 0) != same)
                TEST_NOTE("%s and %s differ %lld times", requantise_name((enum requantise_mode)a),
                          requantise_name((enum requantise_mode)b), (long long)differ[a][b]);
            CU_ASSERT(rare || (differ[a][b] == 0) == same);
        }
}

/* (60.5 / 4000) * (1 - 2^-27) is below the tie with 31 bits of the scale, and above it with 24: the 24-bit neighbour
 * is chosen by rounding, so one side of the tie must show it. */
static void twenty_four_bits_matter(void)
{
    int differ = 0;
    for (int32_t accumulator = 4000; accumulator < 4100; accumulator++)
        for (int side = -1; side <= 1; side += 2) {
            const struct requantiser r = with_scale(60.5 / accumulator * (1 + side * 0x1p-27));
            TEST_EQUAL_INT(requantise(REQUANTISE_TFLITE_SINGLE, accumulator, &r), side > 0 ? 61 : 60);
            differ += requantise(REQUANTISE_RNDNU, accumulator, &r)
                != requantise(REQUANTISE_TFLITE_SINGLE, accumulator, &r);
        }
    CU_ASSERT(differ > 50 && differ < 150);
}

/* ---- what is left of acc, by name ---------------------------------------------------------------------------- */

/* Their mistakes, written as they would: in double, and with a step left out. */
struct theirs { int zero_point, least, most; double scale; };
static double cut_off(double acc, const struct theirs *t) { return floor(acc * t->scale) + t->zero_point; }
static double towards_0(double acc, const struct theirs *t) { return trunc(acc * t->scale) + t->zero_point; }
static double to_even(double acc, const struct theirs *t) { return nearbyint(acc * t->scale) + t->zero_point; }
static double no_zero_point(double acc, const struct theirs *t) { return floor(acc * t->scale); }
static double off_by_one(double acc, const struct theirs *t) { return floor(acc * t->scale) + t->zero_point + 2; }

static const struct mistake {
    const char *name, *says;
    double (*of)(double acc, const struct theirs *theirs);
    bool active;                   /* with the activation, where there is one */
} mistakes[] = {
    { "q-std-s8", "floor would", cut_off, true }, { "q-std-s8", "trunc would", towards_0, true },
    { "q-std-s8-pow2", "floor would", cut_off, true }, { "q-pw-s8-nhwc", "floor, trunc would", towards_0, true },
    { "q-pw-s8-ties", "double-even, double-away would", to_even, true },
    { "q-std-s8", "floor without y's zero point would", no_zero_point, true },
    { "q-std-u8", "floor without the activation would", cut_off, false },
    { "q-pw-s8-nhwc", "trunc without the activation would", towards_0, false },
    { "q-std-s8", "no rounding of it that convref knows", off_by_one, true },
};

static bool find_plan(struct golden_plan *plan, const char *name)
{
    for (int i = 0; i < golden_default_count(); i++)
        if (golden_default_at(plan, i, NULL) == CONV_OK && !strcmp(plan->name, name))
            return true;
    return false;
}

static void their_rounding_is_named(void)
{
    for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
        const struct golden_settings settings = { .seed = 1, .mode = REQUANTISE_GEMMLOWP_DOUBLE, .lanes = 1 };
        struct golden_plan plan;
        struct golden_case made;
        struct conv_finding finding = { .guess = "" };
        CU_ASSERT_FATAL(find_plan(&plan, mistakes[m].name));
        CU_ASSERT_EQUAL_FATAL(golden_make(&made, &plan, &settings, NULL), CONV_OK);
        struct conv_problem order = plan.problem;
        order.type = CONV_F64;
        const struct golden_array *acc = golden_find(&made, "acc"), *scale = golden_find(&made, "scale");
        double *sums = calloc((size_t)acc->count, sizeof *sums), *got = calloc((size_t)acc->count, sizeof *got);
        conv_operand_widen(sums, &order, CONV_Y, acc->values);
        const int64_t positions = acc->count / (order.n * order.k);
        for (int64_t i = 0; i < acc->count; i++) {
            const struct theirs theirs = { made.y_zero_point, mistakes[m].active ? made.least : made.most - 255,
                                           made.most, scale->values[i / positions % order.k] };
            got[i] = fmax(fmin(mistakes[m].of(sums[i], &theirs), theirs.most), theirs.least);
        }
        for (int right = 0; right < 2; right++) {
            golden_name_rounding(&finding, &made, sums, got, acc->count, right);
            const bool known = strncmp(mistakes[m].says, "no ", 3) != 0;
            if (right ? !strstr(finding.guess, mistakes[m].says) || strncmp(finding.guess, "acc is right; ", 14)
                      : known && strncmp(finding.guess, mistakes[m].says, strlen(mistakes[m].says)))
                TEST_NOTE("%s: \"%s\", expected %s", mistakes[m].name, finding.guess, mistakes[m].says);
            CU_ASSERT(strstr(finding.guess, right || known ? mistakes[m].says : "compare acc") != NULL);
            CU_ASSERT(right == !strncmp(finding.guess, "acc is right; ", 14));
        }
        free(sums);
        free(got);
        golden_free(&made);
    }
}

/* ---- element types ---------------------------------------------------------------------------------------- */

static void known_elements(void)
{
    static const struct { enum element element; double value; uint64_t bits; } known[] = {
        { ELEMENT_F16, 1, 0x3c00 }, { ELEMENT_F16, -2, 0xc000 }, { ELEMENT_F16, 65504, 0x7bff },
        { ELEMENT_F16, 0x1p-24, 0x0001 }, { ELEMENT_F16, 0x1p-14, 0x0400 }, { ELEMENT_F16, 1023 * 0x1p-24, 0x03ff },
        { ELEMENT_BF16, 1, 0x3f80 }, { ELEMENT_BF16, -0x1.8p1, 0xc040 }, { ELEMENT_BF16, 0x1p-133, 0x0001 },
        { ELEMENT_F32, 1, 0x3f800000 }, { ELEMENT_F32, 0x1p-149, 1 }, { ELEMENT_F32, 0x1.fffffep127, 0x7f7fffff },
        { ELEMENT_F64, -1, UINT64_C(0xbff0000000000000) }, { ELEMENT_F64, 0x1p-1074, 1 },
        { ELEMENT_S8, -128, 0x80 }, { ELEMENT_S8, 127, 0x7f }, { ELEMENT_U8, 255, 0xff }, { ELEMENT_U8, 0, 0 },
        { ELEMENT_S32, -1, 0xffffffff }, { ELEMENT_S32, INT32_MIN, 0x80000000 }, { ELEMENT_F16, INFINITY, 0x7c00 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        TEST_EQUAL_INT(element_bits(known[i].element, known[i].value), known[i].bits);
        CU_ASSERT_EQUAL(element_value(known[i].element, known[i].bits), known[i].value);
    }
}

static void roundings(void)
{
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, 2049), element_bits(ELEMENT_F16, 2048));   /* ties to even */
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, 2051), element_bits(ELEMENT_F16, 2052));
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, 65519), 0x7bff);
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, 65520), 0x7c00);
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, 0x1p-25), 0);
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, 0x1.8p-25), 1);
    TEST_EQUAL_INT(element_bits(ELEMENT_F16, -0.0), 0x8000);
    TEST_EQUAL_INT(element_bits(ELEMENT_S8, 300), 0x7f);
    TEST_EQUAL_INT(element_bits(ELEMENT_U8, -3), 0);
    TEST_EQUAL_INT(element_bits(ELEMENT_S8, 2.5), 2);
    TEST_EQUAL_INT(element_bits(ELEMENT_S32, NAN), 0);
    CU_ASSERT(isnan(element_value(ELEMENT_F16, element_bits(ELEMENT_F16, NAN))));
}

/* Every pattern of 16 bits comes back, NaN as some NaN; f32 is what the machine has. */
static void round_trips(void)
{
    int64_t wrong = 0;
    for (int e = 0; e < 2; e++)
        for (uint64_t bits = 0; bits < 65536; bits++) {
            const enum element element = e ? ELEMENT_BF16 : ELEMENT_F16;
            const double value = element_value(element, bits);
            wrong += !isnan(value) && element_bits(element, value) != bits;
            wrong += isnan(value) != isnan(element_value(element, element_bits(element, value)));
        }
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 65521) {
        const uint32_t pattern = (uint32_t)bits;
        float machine;
        memcpy(&machine, &pattern, sizeof machine);
        wrong += !isnan(machine) && (element_value(ELEMENT_F32, bits) != machine || element_bits(ELEMENT_F32,
                                                                                                 machine) != bits);
        uint32_t rounded;
        const double between = element_value(ELEMENT_F32, bits) * (1 + 0x1p-25 + 0x1p-40);
        machine = (float)between;
        memcpy(&rounded, &machine, sizeof rounded);
        wrong += !isnan(between) && element_bits(ELEMENT_F32, between) != rounded;
    }
    TEST_EQUAL_INT(wrong, 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(by_hand), TEST_CASE(zero_points_and_clamps), TEST_CASE(multipliers), TEST_CASE(which_modes_agree),
        TEST_CASE(twenty_four_bits_matter), TEST_CASE(their_rounding_is_named), TEST_CASE(known_elements),
        TEST_CASE(roundings), TEST_CASE(round_trips),
    };
    return test_main("test_requantise", cases, sizeof cases / sizeof *cases);
}
