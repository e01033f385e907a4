/* test_tensor.c - types, tensors, operands, and seeded data. */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/guarded.h"

/* Values computed by an independent implementation in Python: see python/convref, fill(). */
static void known_fills(void)
{
    static const struct { uint64_t seed; const char *name; int64_t index; double integer, uniform; } rows[] = {
        { 1, "x", 0, 5, -0x1.8193400000000p-3 },
        { 1, "x", 1, -6, 0x1.e876c80000000p-1 },
        { 1, "w", 0, -1, -0x1.c2d9d80000000p-2 },
        { 42, "bias", 7, -8, -0x1.84ec700000000p-3 },
        { 0, "y", 1000000, 3, -0x1.07a2280000000p-2 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_fill integers = { CONV_FILL_INTEGERS, rows[i].seed, 8, 0 };
        const struct conv_fill uniform = { CONV_FILL_UNIFORM, rows[i].seed, 1, 0 };
        CU_ASSERT_EQUAL(conv_fill_value(&integers, rows[i].name, rows[i].index), rows[i].integer);
        CU_ASSERT_EQUAL(conv_fill_value(&uniform, rows[i].name, rows[i].index), rows[i].uniform);
    }
}

static void fills_do_not_depend_on_their_neighbours(void)
{
    enum { COUNT = 1000 };
    float all[COUNT];
    const struct conv_fill fill = { CONV_FILL_UNIFORM, 7, 2, 0 };
    conv_fill(CONV_F32, all, COUNT, "x", &fill);
    for (int i = COUNT - 1; i >= 0; i--) {
        CU_ASSERT_EQUAL(all[i], (float)conv_fill_value(&fill, "x", i));
        CU_ASSERT(all[i] >= -2 && all[i] < 2);
    }
}

static void impulse_and_constant(void)
{
    const struct conv_fill impulse = { CONV_FILL_IMPULSE, 1, 5, 3 }, constant = { CONV_FILL_CONSTANT, 1, -2.5, 0 };
    for (int64_t i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(conv_fill_value(&impulse, "x", i), i == 3 ? 5 : 0);
        CU_ASSERT_EQUAL(conv_fill_value(&constant, "x", i), -2.5);
    }
}

/* The declared bound: S = SUM |x||w| + |bias| of every output stays below 2^significand. */
static void exact_range_keeps_its_promise(void)
{
    static const char *const texts[] = {
        "c=4 in=8x8 k=4 filter=3x3 bias=1", "c=512 in=7x7 k=2 filter=3x3", "c=2048 in=3x3 k=1 filter=3x3 bias=1",
        "op=separable c=64 in=6x6 k=8 filter=3x3 bias=1", "op=separable c=1024 in=3x3 k=2 filter=3x3",
        "n=8 c=2 in=60x60 k=2 filter=3x3 pass=backward_weights", "c=4 in=8x8 k=512 filter=3x3 pass=backward_data",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct conv_problem problem = test_problem(texts[i]);
        const int range = conv_exact_range(&problem);
        struct conv_operands operands = { { { NULL } } };
        struct conv_truth truth;
        enum conv_operand output = problem.pass == CONV_FORWARD ? CONV_Y
                                 : problem.pass == CONV_BACKWARD_DATA ? CONV_X : CONV_WEIGHTS;
        CU_ASSERT(range >= 1 && range <= 8);
        const struct conv_fill largest = { CONV_FILL_CONSTANT, 1, range, 0 };
        for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
            operands.at[operand] = malloc(conv_operand_bytes(&problem, operand) + 1);
            conv_fill(problem.type, operands.at[operand], conv_operand_count(&problem, operand), "x", &largest);
        }
        CU_ASSERT_EQUAL_FATAL(conv_truth_compute(&truth, NULL, &problem, output, &operands, NULL), CONV_OK);
        for (int64_t j = 0; j < truth.count; j++)
            CU_ASSERT(truth.magnitude[j] < 0x1p24);
        conv_truth_free(&truth);
        for (int operand = 0; operand < CONV_OPERANDS; operand++)
            free(operands.at[operand]);
    }
    const struct conv_problem endless = test_problem("c=20000000 in=1 k=1 filter=1");
    TEST_EQUAL_INT(conv_exact_range(&endless), 0);
}

static void operand_shapes(void)
{
    static const struct { const char *text; enum conv_operand operand; const char *name, *shape; enum conv_role role; } rows[] = {
        { "n=2 c=4 in=8x9 k=6 filter=3x2 groups=2", CONV_X, "x", "2x4x8x9", CONV_INPUT },
        { "n=2 c=4 in=8x9 k=6 filter=3x2 groups=2", CONV_WEIGHTS, "w", "6x2x3x2", CONV_INPUT },
        { "n=2 c=4 in=8x9 k=6 filter=3x2 groups=2", CONV_BIAS, "bias", "", CONV_UNUSED },
        { "n=2 c=4 in=8x9 k=6 filter=3x2 groups=2 bias=1", CONV_BIAS, "bias", "6", CONV_INPUT },
        { "n=2 c=4 in=8x9 k=6 filter=3x2 layout=nhwc", CONV_Y, "y", "2x6x8x6", CONV_OUTPUT },
        { "c=4 in=9 k=6 filter=2 layout=nwc", CONV_X, "x", "1x9x4", CONV_INPUT },
        { "c=4 in=5x6x7 k=6 filter=1x2x3", CONV_WEIGHTS, "w", "6x4x1x2x3", CONV_INPUT },
        { "op=transposed c=4 in=5x5 k=6 filter=3x3 groups=2", CONV_WEIGHTS, "w", "4x3x3x3", CONV_INPUT },
        { "op=separable c=4 in=5x5 k=6 filter=3x3 mult=2 bias=1", CONV_WEIGHTS, "w", "8x1x3x3", CONV_INPUT },
        { "op=separable c=4 in=5x5 k=6 filter=3x3 mult=2 bias=1", CONV_BIAS, "bias", "8", CONV_INPUT },
        { "op=separable c=4 in=5x5 k=6 filter=3x3 mult=2 bias=1", CONV_PW, "pw", "6x8x1x1", CONV_INPUT },
        { "op=separable c=4 in=5x5 k=6 filter=3x3 mult=2 bias=1", CONV_PW_BIAS, "pw_bias", "6", CONV_INPUT },
        { "c=4 in=8x9 k=6 filter=3x2 pass=backward_data", CONV_X, "dx", "1x4x8x9", CONV_OUTPUT },
        { "c=4 in=8x9 k=6 filter=3x2 pass=backward_data", CONV_Y, "dy", "1x6x6x8", CONV_INPUT },
        { "c=4 in=8x9 k=6 filter=3x2 pass=backward_weights bias=1", CONV_BIAS, "dbias", "6", CONV_OUTPUT },
        { "c=4 in=8x9 k=6 filter=3x2 pass=backward_weights bias=1", CONV_WEIGHTS, "dw", "6x4x3x2", CONV_OUTPUT },
        { "c=4 in=8x9 k=6 filter=3x2 pass=backward_data bias=1", CONV_BIAS, "bias", "", CONV_UNUSED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].text);
        int64_t dims[CONV_MAX_RANK];
        char shape[96];
        const int rank = conv_operand_shape(dims, &problem, rows[i].operand);
        TEST_EQUAL_TEXT(conv_operand_name(&problem, rows[i].operand), rows[i].name);
        TEST_EQUAL_TEXT(rank > 0 ? conv_shape_print(shape, rank, dims) : "", rows[i].shape);
        TEST_EQUAL_INT(conv_operand_role(&problem, rows[i].operand), rows[i].role);
    }
}

static void tensors(void)
{
    static const int64_t dims[] = { 3, 0, 5 }, huge[] = { INT64_C(1) << 40, INT64_C(1) << 40 }, negative[] = { -1 };
    struct conv_tensor tensor;
    struct conv_error error;
    CU_ASSERT_EQUAL_FATAL(conv_tensor_create(&tensor, CONV_F64, 3, dims, &error), CONV_OK);
    TEST_EQUAL_INT(conv_tensor_count(&tensor), 0);
    CU_ASSERT_EQUAL((uintptr_t)tensor.data % CONV_ALIGNMENT, 0);
    conv_tensor_free(&tensor);
    CU_ASSERT_PTR_NULL(tensor.data);
    TEST_EQUAL_INT(conv_tensor_create(&tensor, CONV_F32, 2, huge, &error), CONV_TOO_LARGE);
    TEST_EQUAL_INT(conv_tensor_create(&tensor, CONV_F32, 1, negative, &error), CONV_TOO_LARGE);
}

static void type_facts(void)
{
    for (enum conv_type type = 0; type < CONV_TYPES; type++) {
        const struct conv_type_facts *facts = conv_type_facts(type);
        double one[2];
        conv_set(type, one, 0, 1);
        conv_set(type, one, 1, 1 + facts->unit_roundoff);   /* rounds to even: 1 */
        CU_ASSERT_EQUAL(conv_get(type, one, 0), 1);
        CU_ASSERT_EQUAL(conv_get(type, one, 1), 1);
        conv_set(type, one, 1, 1 + 2 * facts->unit_roundoff);
        CU_ASSERT(conv_get(type, one, 1) > 1);
        CU_ASSERT_EQUAL(ldexp(1, -facts->significand), facts->unit_roundoff);
        conv_set(type, one, 0, facts->smallest);
        CU_ASSERT(conv_get(type, one, 0) > 0);
        conv_set(type, one, 0, facts->smallest / 2);
        CU_ASSERT_EQUAL(conv_get(type, one, 0), 0);
    }
}

/* A guarded block: canaries notice a write beside it, and addresses are told apart. */
static void guarded_memory(void)
{
    struct guarded guarded;
    CU_ASSERT_EQUAL_FATAL(guarded_create(&guarded, 10000, NULL), CONV_OK);
    for (int flush = 0; flush < 2; flush++) {
        unsigned char *block = guarded_place(&guarded, 1001, 4, (enum flush)flush, 0xFF);
        CU_ASSERT_EQUAL((uintptr_t)block % 4, 0);
        CU_ASSERT_EQUAL(block[0], 0xFF);
        CU_ASSERT_EQUAL(block[1000], 0xFF);
        CU_ASSERT(guarded_intact(&guarded));
        unsigned char *beside = flush == FLUSH_RIGHT ? block - 1 : block + 1001;
        TEST_EQUAL_INT(guarded_where(&guarded, beside), 2);
        const unsigned char kept = *beside;
        *beside = 0;
        CU_ASSERT(!guarded_intact(&guarded));
        *beside = kept;
        TEST_EQUAL_INT(guarded_where(&guarded, guarded.base), -1);
        TEST_EQUAL_INT(guarded_where(&guarded, block + 100000000), 0);
    }
    unsigned char *last = guarded_place(&guarded, guarded.capacity, 4, FLUSH_RIGHT, 0);
    TEST_EQUAL_INT(guarded_where(&guarded, last + guarded.capacity), 1);
    guarded_free(&guarded);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(known_fills), TEST_CASE(fills_do_not_depend_on_their_neighbours), TEST_CASE(impulse_and_constant),
        TEST_CASE(exact_range_keeps_its_promise), TEST_CASE(operand_shapes), TEST_CASE(tensors), TEST_CASE(type_facts),
        TEST_CASE(guarded_memory),
    };
    return test_main("test_tensor", cases, sizeof cases / sizeof *cases);
}
