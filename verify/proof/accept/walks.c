/* walks.c - of the accept-set, the walk of the planted faults without a mistake: every operation and pass.
 *
 * Direct, and in each class of narrow arithmetic, which is then declared.   Read next: proof/faults/naive.h,
 * transforms.c
 */
#include <math.h>

#include "verify/proof/accept/awkward.h"
#include "verify/proof/faults/naive.h"

static double add_in_double(const struct product *p, double sum, double product)
{
    (void)p;
    return sum + product;
}

static double round_products(const struct product *p, double sum, double product)
{
    return naive_round(p->conv, sum + naive_round(p->conv, product));
}

/* Narrow arithmetic that is declared: inputs cut off at, or rounded to, fewer bits, and sums of f16. */
static double cut_to_tf32(double input) { return naive_cut_to(input, 11); }
static double to_11_bits(double input) { return naive_round_to(input, 11); }

/* 11 bits, but no more behind the point than 24, and nothing above 65504. */
static double to_f16(double value)
{
    const double rounded = fabs(value) < 0x1p-14 ? ldexp(rint(ldexp(value, 24)), -24) : naive_round_to(value, 11);
    return fabs(rounded) > 65504 ? copysign(INFINITY, value) : rounded;
}

static double to_8_bits(double input) { return naive_round_to(input, 8); }

static double add_in_f16(const struct product *p, double sum, double product)
{
    (void)p;
    return to_f16(sum + product);
}

#define ALL_TYPES ((1u << CONV_TYPES) - 1)
#define F32 (1u << CONV_F32)

/* name, words, class, types, then members of struct mistake */
#define WALKS(F) \
    F(walk, "the walk of the planted faults, without one", CONV_DIRECT, ALL_TYPES, .add = NULL) \
    F(walk_in_double, "the same, sums in double", CONV_DIRECT, ALL_TYPES, .add = add_in_double) \
    F(walk_rounds_products, "the same, products rounded", CONV_DIRECT, ALL_TYPES, .add = round_products) \
    F(tf32_cut, "the same, inputs cut off at TF32", CONV_TF32, F32, .narrow = cut_to_tf32) \
    F(tf32_rounded, "the same, inputs rounded to TF32", CONV_TF32, F32, .narrow = to_11_bits) \
    F(bf16_inputs, "the same, inputs rounded to bf16", CONV_BF16_INPUTS, F32, .narrow = to_8_bits) \
    F(f16_inputs, "the same, inputs rounded to f16", CONV_F16_INPUTS, F32, .narrow = to_f16) \
    F(f16_sums, "the same, inputs and sums in f16", CONV_F16_SUMS, F32, .narrow = to_f16, .add = add_in_f16)

#define WALK_KERNEL(id, words, class, type_set, ...) \
    NAIVE_FUNCTIONS(id, __VA_ARGS__) \
    static const struct conv_kernel awkward_##id = { \
        .name = "awkward_" #id, .title = words, .kinds = (1u << CONV_KINDS) - 1, .passes = (1u << CONV_PASSES) - 1, \
        .layouts = AWKWARD_LAYOUTS, .types = type_set, .accuracy = class, .scratch_bytes = scratch_##id, .run = run_##id };
#define WALK_ELEMENT(id, ...) &awkward_##id,

WALKS(WALK_KERNEL)

const struct conv_kernel *const awkward_walks[] = { WALKS(WALK_ELEMENT) NULL };
