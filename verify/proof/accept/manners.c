/* manners.c - of the accept-set, the kernels that sum the terms of an output in an unusual manner.
 *
 * Orders, numbers of accumulators, roundings; and whence a term is read, and when an output is written.  All are
 * right, and claim nothing but that.   Read next: terms.h, shares.c
 */
#include <math.h>

#include "verify/proof/accept/awkward.h"
#include "verify/proof/accept/terms.h"

/* ---- orders and roundings -------------------------------------------------------------------------------------- */

static float backwards(const struct terms *v)
{
    float sum = 0;
    for (int64_t i = v->count - 1; i >= 0; i--)
        sum += v->x[i] * v->w[i];
    return sum + v->bias;
}

static float bias_first(const struct terms *v)
{
    float sum = v->bias;
    for (int64_t i = 0; i < v->count; i++)
        sum += v->x[i] * v->w[i];
    return sum;
}

static float tree(const float *x, const float *w, int64_t count)
{
    if (count < 2)
        return count == 1 ? x[0] * w[0] : 0;
    return tree(x, w, count / 2) + tree(x + count / 2, w + count / 2, count - count / 2);
}
static float pairwise(const struct terms *v) { return tree(v->x, v->w, v->count) + v->bias; }

/* Kahan's compensated sum; the file is compiled without contraction or fast-math, which would undo it. */
static float kahan(const struct terms *v)
{
    float sum = v->bias, lost = 0;
    for (int64_t i = 0; i < v->count; i++) {
        const float term = v->x[i] * v->w[i] - lost, next = sum + term;
        lost = isfinite(next) ? (next - sum) - term : 0;   /* infinity minus infinity would make NaN of it */
        sum = next;
    }
    return sum;
}

static float two_halves(const struct terms *v)
{
    float first = 0, second = 0;
    for (int64_t i = 0; i < v->count; i++)
        *(i < v->count / 2 ? &first : &second) += v->x[i] * v->w[i];
    return first + second + v->bias;
}

static float eight_lanes(const struct terms *v)
{
    float lane[8] = { 0 };
    for (int64_t i = 0; i < v->count; i++)
        lane[i % 8] += v->x[i] * v->w[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7])) + v->bias;
}

static float fused(const struct terms *v)
{
    float sum = 0;
    for (int64_t i = 0; i < v->count; i++)
        sum = fmaf(v->x[i], v->w[i], sum);
    return sum + v->bias;
}

static float never_fused(const struct terms *v)
{
    volatile float sum = 0;
    for (int64_t i = 0; i < v->count; i++) {
        const volatile float product = v->x[i] * v->w[i];
        sum = sum + product;
    }
    return sum + v->bias;
}

static float blocks(const struct terms *v, int64_t size)
{
    float sum = 0;
    for (int64_t begin = 0; begin < v->count; begin += size) {
        float block = 0;
        for (int64_t i = begin; i < v->count && i < begin + size; i++)
            block += v->x[i] * v->w[i];
        sum += block;
    }
    return sum + v->bias;
}
static float blocks_of_3(const struct terms *v) { return blocks(v, 3); }
static float blocks_of_5(const struct terms *v) { return blocks(v, 5); }
static float blocks_of_7(const struct terms *v) { return blocks(v, 7); }

static float in_double(const struct terms *v)
{
    double sum = v->bias;
    for (int64_t i = 0; i < v->count; i++)
        sum += (double)v->x[i] * v->w[i];
    return (float)sum;
}

/* The even terms, then the odd ones, each set from its end. */
static float odd_and_even(const struct terms *v)
{
    float sum = 0;
    for (int64_t parity = 0; parity < 2; parity++)
        for (int64_t i = v->count - 1; i >= 0; i--)
            if (i % 2 == parity)
                sum += v->x[i] * v->w[i];
    return sum + v->bias;
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static size_t packed_bytes(const struct conv_problem *conv) { return conv_operand_bytes(conv, CONV_WEIGHTS); }

static void pack_reversed(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t count = conv_operand_count(conv, CONV_WEIGHTS);
    for (int64_t i = 0; i < count; i++)
        ((float *)packed)[count - 1 - i] = ((const float *)weights->w)[i];
}

/* ---- the kernels ----------------------------------------------------------------------------------------------- */

/* name, words, then members of struct manner */
#define MANNERS(F) \
    F(reversed, "the last tap first", .sum = backwards) \
    F(bias_first, "the bias begins the sum", .sum = bias_first) \
    F(pairwise, "pairs, then pairs of pairs", .sum = pairwise) \
    F(kahan, "Kahan's compensated sum", .sum = kahan) \
    F(two_halves, "two accumulators, one for each half of the sum", .sum = two_halves) \
    F(eight_lanes, "eight accumulators in turn, added as a vector is", .sum = eight_lanes) \
    F(odd_and_even, "the even terms, then the odd ones", .sum = odd_and_even) \
    F(fused, "every multiply-add is fused", .sum = fused) \
    F(never_fused, "every product is rounded", .sum = never_fused) \
    F(blocks_of_3, "sums of blocks of 3", .sum = blocks_of_3) \
    F(blocks_of_5, "sums of blocks of 5", .sum = blocks_of_5) \
    F(blocks_of_7, "sums of blocks of 7", .sum = blocks_of_7) \
    F(double_inside, "sums in double", .sum = in_double) \
    F(zeros, "padding is multiplied as zeros", .sum = terms_sum, .zeros = true) \
    F(columns_first, "outputs in the order q, p, z, k, n", .sum = terms_sum, .columns_first = true) \
    F(written_twice, "NaN is written to each output first", .sum = terms_sum, .written_twice = true) \
    F(odd_bytes, "x is read from an odd address", .sum = terms_sum, .odd_bytes = true) \
    F(packed_reversed, "weights are packed back to front", .sum = terms_sum, .packed = true)

#define MANNER_KERNEL(id, words, ...) \
    static const struct manner manner_##id = { __VA_ARGS__ }; \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        terms_compute(conv, operands, workspace, &manner_##id); \
    } \
    static const struct conv_kernel awkward_##id = { \
        .name = "awkward_" #id, .title = words, .kinds = AWKWARD_CONVOLUTIONS, .layouts = AWKWARD_LAYOUTS, \
        .scratch_bytes = terms_and_copy_bytes, .run = run_##id, \
        .packed_bytes = packed_bytes, .pack = pack_reversed };
#define MANNER_ELEMENT(id, ...) &awkward_##id,

MANNERS(MANNER_KERNEL)

const struct conv_kernel *const awkward_manners[] = { MANNERS(MANNER_ELEMENT) NULL };
