/* awkward.c - the accept-set: a provider whose kernels are all right, each in an unusual way.
 *
 * A verifier that rejects everything catches every fault.  These kernels hold the other end: orders of summation, numbers
 * of accumulators, roundings, uses of memory and of threads that a correct kernel may have.  All must be accepted, by
 * default and with any seed (tests/test_accept, `convref verify --self`).  Each declares its class of accuracy: direct,
 * narrow inputs or sums, or a transform (transforms.c).
 *
 * Those from awkward_walk on compute every operation and pass, by the walk of proof/faults without a mistake; the others
 * gather the terms of one output after the other, forward only.   Read next: docs/faults.md
 */
#include <convref/kernel.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/proof/faults/naive.h"
#include "verify/proof/accept/transforms.h"

/* ---- the terms of one output ------------------------------------------------------------------------------------- */

/* x[i] * w[i], in the order c, t, r, s; `count` is at most conv_fan_in(). */
struct terms { float *x, *w; int64_t count; float bias; };

/* What is unusual. */
struct manner {
    float (*sum)(const struct terms *terms);
    bool zeros;            /* terms in the padding are there, and their x is 0 */
    bool packed;           /* weights are read from the packed copy, which is reversed */
    bool odd_bytes;        /* x is copied to an odd address first */
    bool columns_first;    /* outputs in the order q, p, z, k, n */
    bool written_twice;    /* with something else before */
};

static float weight(const struct conv_problem *conv, const struct conv_operands *operands,
                    const struct conv_workspace *workspace, const struct manner *manner, int64_t i)
{
    if (!manner->packed)
        return ((const float *)operands->w)[i];
    return ((const float *)workspace->packed)[conv_operand_count(conv, CONV_WEIGHTS) - 1 - i];
}

/* Scratch: two floats for each term, then the copy of x at an odd address. */
static char *copy_of_x(const struct conv_problem *conv, void *scratch)
{
    return (char *)scratch + 2 * conv_fan_in(conv) * (int64_t)sizeof(float) + 1;
}

static float input(const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, const struct manner *manner, int64_t i)
{
    float value;
    if (!manner->odd_bytes)
        return ((const float *)operands->x)[i];
    memcpy(&value, copy_of_x(conv, workspace->scratch) + i * (int64_t)sizeof value, sizeof value);
    return value;
}

/* The taps of one output: at[] is z, p, q. */
static void gather(struct terms *terms, const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, const struct manner *manner, int64_t n, int64_t k,
                   const int64_t at[CONV_AXES])
{
    const struct conv_axis *a = conv->axis;
    const int64_t channels = conv->c / conv->groups, g = k / (conv->k / conv->groups);
    const int64_t size[] = { a[0].in, a[1].in, a[2].in };
    terms->count = 0;
    for (int64_t c = 0; c < channels; c++)
    for (int64_t t = 0; t < a[0].filter; t++)
    for (int64_t r = 0; r < a[1].filter; r++)
    for (int64_t s = 0; s < a[2].filter; s++) {
        const int64_t from[] = { conv_input_at(&a[0], at[0], t), conv_input_at(&a[1], at[1], r),
                                 conv_input_at(&a[2], at[2], s) };
        const bool inside = conv_inside(&a[0], from[0]) && conv_inside(&a[1], from[1]) && conv_inside(&a[2], from[2]);
        if (!inside && !manner->zeros)
            continue;
        terms->x[terms->count] = inside ? input(conv, operands, workspace, manner,
            naive_image_at(conv, conv->c, size, n, g * channels + c, from)) : 0;
        terms->w[terms->count++] = weight(conv, operands, workspace, manner,
            (((k * channels + c) * a[0].filter + t) * a[1].filter + r) * a[2].filter + s);
    }
}

static void compute(const struct conv_problem *conv, const struct conv_operands *operands,
                    const struct conv_workspace *workspace, const struct manner *manner)
{
    const int64_t out[] = { conv->axis[0].out, conv->axis[1].out, conv->axis[2].out };
    const int64_t sizes[] = { conv->n, conv->k, out[0], out[1], out[2] };
    struct terms terms = { .x = workspace->scratch, .w = (float *)workspace->scratch + conv_fan_in(conv) };
    float *y = operands->y;
    if (manner->odd_bytes)
        memcpy(copy_of_x(conv, workspace->scratch), operands->x, conv_operand_bytes(conv, CONV_X));
    const int64_t count = conv_operand_count(conv, CONV_Y);
    for (int64_t i = 0; i < count; i++) {
        int64_t at[5], rest = i;
        for (int step = 0; step < 5; step++) {
            const int axis = manner->columns_first ? step : 4 - step;
            at[axis] = rest % sizes[axis];
            rest /= sizes[axis];
        }
        const int64_t element = naive_image_at(conv, conv->k, out, at[0], at[1], &at[2]);
        if (manner->written_twice)
            y[element] = NAN;
        gather(&terms, conv, operands, workspace, manner, at[0], at[1], &at[2]);
        terms.bias = operands->bias ? ((const float *)operands->bias)[at[1]] : 0;
        y[element] = conv_activate(conv->act, manner->sum(&terms));
    }
}

static size_t terms_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return 2 * (size_t)conv_fan_in(conv) * sizeof(float);
}

static size_t terms_and_copy(const struct conv_problem *conv, int threads)
{
    return terms_bytes(conv, threads) + 1 + conv_operand_bytes(conv, CONV_X);
}

static size_t packed_bytes(const struct conv_problem *conv) { return conv_operand_bytes(conv, CONV_WEIGHTS); }

static void pack_reversed(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t count = conv_operand_count(conv, CONV_WEIGHTS);
    for (int64_t i = 0; i < count; i++)
        ((float *)packed)[count - 1 - i] = ((const float *)weights->w)[i];
}

/* ---- orders and roundings ------------------------------------------------------------------------------------------- */

static float forwards(const struct terms *v)
{
    float sum = 0;
    for (int64_t i = 0; i < v->count; i++)
        sum += v->x[i] * v->w[i];
    return sum + v->bias;
}

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

/* ---- memory and threads --------------------------------------------------------------------------------------------------- */

/* y itself holds the sums, which every input is scattered into. */
static void scatter(const struct conv_problem *conv, const struct conv_operands *o, const struct conv_workspace *workspace)
{
    const struct conv_axis *a = conv->axis;
    const int64_t in[] = { a[0].in, a[1].in, a[2].in }, out[] = { a[0].out, a[1].out, a[2].out };
    const int64_t plane = out[0] * out[1] * out[2], taps = a[0].filter * a[1].filter * a[2].filter;
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    float *y = o->y;
    (void)workspace;
    for (int64_t i = 0; i < conv->n * conv->k * plane; i++) {
        const int64_t k = conv->layout == CONV_CHANNELS_LAST ? i % conv->k : i / plane % conv->k;
        y[i] = o->bias ? ((const float *)o->bias)[k] : 0;
    }
    for (int64_t i = conv->n * conv->c * in[0] * in[1] * in[2] - 1; i >= 0; i--) {
        const int64_t at[] = { i / in[2] / in[1] % in[0], i / in[2] % in[1], i % in[2] };
        const int64_t c = i / in[2] / in[1] / in[0] % conv->c, n = i / in[2] / in[1] / in[0] / conv->c;
        const float x = ((const float *)o->x)[naive_image_at(conv, conv->c, in, n, c, at)];
        for (int64_t row = 0; row < filters * taps; row++) {
            const int64_t k = c / channels * filters + row / taps;
            const int64_t tap[] = { row % taps / a[2].filter / a[1].filter, row % taps / a[2].filter % a[1].filter,
                                    row % a[2].filter };
            int64_t to[CONV_AXES];
            bool hits = true;
            for (int axis = 0; axis < CONV_AXES; axis++) {
                const int64_t from = at[axis] + a[axis].pad_begin - tap[axis] * a[axis].dilation;
                to[axis] = from / a[axis].stride;
                hits = hits && from >= 0 && from % a[axis].stride == 0 && to[axis] < out[axis];
            }
            if (hits)
                y[naive_image_at(conv, conv->k, out, n, k, to)] +=
                    x * ((const float *)o->w)[(k * channels + c % channels) * taps + row % taps];
        }
    }
    for (int64_t i = 0; i < conv->n * conv->k * plane; i++)
        y[i] = conv_activate(conv->act, y[i]);
}

/* Every input looks for its outputs, by divisions: 2^31 of them would take ten minutes. */
static const char *needs_few_inputs(const struct conv_problem *conv)
{
    return conv_operand_count(conv, CONV_X) > 1 << 24 ? "up to 2^24 inputs only" : NULL;
}

/* Each thread sums a share of the channels for all outputs, in its own part of the scratch; then the parts are added. */
static size_t partial_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * conv_operand_bytes(conv, CONV_Y);
}

static void share(float *sums, const struct conv_problem *conv, const struct conv_operands *o, int64_t begin, int64_t end)
{
    const struct conv_axis *a = conv->axis;
    const int64_t in[] = { a[0].in, a[1].in, a[2].in }, channels = conv->c / conv->groups;
    const int64_t plane = a[0].out * a[1].out * a[2].out;
    for (int64_t i = 0; i < conv->n * conv->k * plane; i++) {
        const int64_t k = i / plane % conv->k, n = i / plane / conv->k, g = k / (conv->k / conv->groups);
        const int64_t at[] = { i / a[2].out / a[1].out % a[0].out, i / a[2].out % a[1].out, i % a[2].out };
        float sum = 0;
        for (int64_t c = begin; c < end; c++)
        for (int64_t t = 0; t < a[0].filter; t++)
        for (int64_t r = 0; r < a[1].filter; r++)
        for (int64_t s = 0; s < a[2].filter; s++) {
            const int64_t from[] = { conv_input_at(&a[0], at[0], t), conv_input_at(&a[1], at[1], r),
                                     conv_input_at(&a[2], at[2], s) };
            if (conv_inside(&a[0], from[0]) && conv_inside(&a[1], from[1]) && conv_inside(&a[2], from[2]))
                sum += ((const float *)o->x)[naive_image_at(conv, conv->c, in, n, g * channels + c, from)]
                     * ((const float *)o->w)[(((k * channels + c) * a[0].filter + t) * a[1].filter + r) * a[2].filter + s];
        }
        sums[i] = sum;
    }
}

static void partial_sums(const struct conv_problem *conv, const struct conv_operands *o,
                         const struct conv_workspace *workspace)
{
    const struct conv_axis *a = conv->axis;
    const int64_t out[] = { a[0].out, a[1].out, a[2].out }, plane = out[0] * out[1] * out[2];
    const int64_t count = conv_operand_count(conv, CONV_Y), channels = conv->c / conv->groups;
    const int threads = workspace->threads;
    float *sums = workspace->scratch;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int thread = 0; thread < threads; thread++)
        share(sums + thread * count, conv, o, channels * thread / threads, channels * (thread + 1) / threads);
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = i / plane % conv->k, n = i / plane / conv->k;
        const int64_t at[] = { i / out[2] / out[1] % out[0], i / out[2] % out[1], i % out[2] };
        float sum = o->bias ? ((const float *)o->bias)[k] : 0;
        for (int thread = threads - 1; thread >= 0; thread--)
            sum += sums[thread * count + i];
        ((float *)o->y)[naive_image_at(conv, conv->k, out, n, k, at)] = conv_activate(conv->act, sum);
    }
}

/* More scratch than is needed, and every byte of it is written. */
static size_t much_scratch(const struct conv_problem *conv, int threads) { return 4096 + 7 + terms_bytes(conv, threads); }

static void all_scratch(const struct conv_problem *conv, const struct conv_operands *operands,
                        const struct conv_workspace *workspace)
{
    memset(workspace->scratch, 0x5A, much_scratch(conv, 1));
    compute(conv, operands, workspace, &(const struct manner){ .sum = forwards });
}

/* ---- the walk: every operation and pass ----------------------------------------------------------------------------------- */

static double add_in_double(const struct product *p, double sum, double product)
{
    (void)p;
    return sum + product;
}

static double round_products(const struct product *p, double sum, double product)
{
    return naive_round(p->conv, sum + naive_round(p->conv, product));
}

/* ---- the kernels ---------------------------------------------------------------------------------------------------------- */

#define CONVOLUTIONS (1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE)
#define LAYOUTS (1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST)

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
    F(zeros, "padding is multiplied as zeros", .sum = forwards, .zeros = true) \
    F(columns_first, "outputs in the order q, p, z, k, n", .sum = forwards, .columns_first = true) \
    F(written_twice, "NaN is written to each output first", .sum = forwards, .written_twice = true) \
    F(odd_bytes, "x is read from an odd address", .sum = forwards, .odd_bytes = true) \
    F(packed_reversed, "weights are packed back to front", .sum = forwards, .packed = true)

#define MANNER_KERNEL(id, words, ...) \
    static const struct manner manner_##id = { __VA_ARGS__ }; \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        compute(conv, operands, workspace, &manner_##id); \
    } \
    static const struct conv_kernel awkward_##id = { \
        .name = "awkward_" #id, .title = words, .kinds = CONVOLUTIONS, .layouts = LAYOUTS, \
        .scratch_bytes = terms_and_copy, .run = run_##id, \
        .packed_bytes = packed_bytes, .pack = pack_reversed };
#define MANNER_ELEMENT(id, ...) &awkward_##id,

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
        .layouts = LAYOUTS, .types = type_set, .accuracy = class, .scratch_bytes = scratch_##id, .run = run_##id };

MANNERS(MANNER_KERNEL)
WALKS(WALK_KERNEL)

static const struct conv_kernel awkward_scatter = {
    .name = "awkward_scatter", .title = "each input, the last one first, is added to the outputs that it meets",
    .kinds = CONVOLUTIONS, .layouts = LAYOUTS, .applies = needs_few_inputs, .run = scatter };
static const struct conv_kernel awkward_partial_sums = {
    .name = "awkward_partial_sums", .title = "threads share the channels, and their sums are added at the end",
    .kinds = CONVOLUTIONS, .layouts = LAYOUTS, .threaded = true, .scratch_bytes = partial_bytes, .run = partial_sums };
static const struct conv_kernel awkward_all_scratch = {
    .name = "awkward_all_scratch", .title = "every byte of the scratch is written",
    .kinds = CONVOLUTIONS, .layouts = LAYOUTS, .scratch_bytes = much_scratch, .run = all_scratch };

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel *const kernels[] = {
        MANNERS(MANNER_ELEMENT) &awkward_scatter, &awkward_partial_sums, &awkward_all_scratch,
        WALKS(MANNER_ELEMENT) &awkward_winograd_2, &awkward_winograd_4, &awkward_winograd_6, &awkward_fft, NULL };
    static const struct conv_provider provider = {
        CONV_PROVIDER_ABI, sizeof(struct conv_kernel), "awkward", "1", kernels
    };
    return &provider;
}
