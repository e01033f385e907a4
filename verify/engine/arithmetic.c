/* arithmetic.c - which arithmetic does a kernel use?   Declared in convref/arithmetic.h.
 *
 * Five experiments, each made so that the answers differ:
 *
 *   one product     Each output is one product of two numbers with all bits in use (probe.c).  For each narrower
 *                   format of the inputs or of the outputs the result can be predicted bit for bit.  A second time
 *                   with values above 65504, which f16 hasn't and TF32 has.
 *   sums back down  If outputs have few bits: large sums that come back to small integers, which fit the narrow
 *                   format.  They are right if only the outputs are narrow, and wrong if the sums are.
 *   real numbers    If every output is the correctly rounded truth, the sums have more bits than the type.
 *   all the same    Products that are all equal give the same sum in any order, if they are added one after the
 *                   other, and another one in blocks, lanes or trees; with and without fusing.
 *   one NaN         It reaches the outputs whose window has it; after a transform, all of a tile or a plane.
 *
 * Sees: the formats of maths/format.c, and the two ways to add.  Does not see: which blocks; another arithmetic at
 * other sizes; the order of sums in backward passes.  What fits nothing is called unknown.
 */
#include <convref/arithmetic.h>
#include <convref/reference.h>
#include <convref/run.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/main_output.h"
#include "verify/maths/format.h"
#include "verify/maths/probe.h"

/* ---- an experiment: inputs, what the kernel made of them, and what a format would make of them ----------------- */

struct experiment {
    struct conv_problem problem;
    enum conv_operand output;
    int64_t count;                      /* of the output */
    double *in[CONV_OPERANDS], *got;    /* channels first */
};

static void experiment_free(struct experiment *e)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(e->in[operand]);
    free(e->got);
    *e = (struct experiment){ .count = 0 };
}

static bool create_tensor(struct conv_tensor *tensor, struct conv_operands *operands, struct experiment *e,
                          enum conv_operand operand)
{
    int64_t dims[CONV_MAX_RANK];
    const int rank = conv_operand_shape(dims, &e->problem, operand);
    if (rank == 0)
        return true;
    if (conv_tensor_create(tensor, e->problem.type, rank, dims, NULL) != CONV_OK)
        return false;
    operands->at[operand] = tensor->data;
    memset(tensor->data, 0, conv_tensor_bytes(tensor));
    if (e->in[operand])
        conv_operand_narrow(tensor->data, &e->problem, operand, e->in[operand]);
    return true;
}

/* Run the kernel on e->in.  False if that can't be done. */
static bool observe(struct experiment *e, const struct conv_kernel *kernel)
{
    struct conv_tensor tensors[CONV_OPERANDS] = { { .rank = 0 } };
    struct conv_operands operands = { .x = NULL };
    bool good = true;
    e->output = main_output(&e->problem);
    e->count = conv_operand_count(&e->problem, e->output);
    e->got = malloc((size_t)e->count * sizeof *e->got);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        good = good && create_tensor(&tensors[operand], &operands, e, operand);
    good = good && e->got && conv_run(&operands, kernel, &e->problem, NULL, NULL) == CONV_OK;
    if (good)
        conv_operand_widen(e->got, &e->problem, e->output, operands.at[e->output]);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&tensors[operand]);
    return good;
}

typedef void maker(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                   double parameter);

static bool experiment(struct experiment *e, const struct conv_kernel *kernel, const struct conv_problem *problem,
                       maker *make, uint64_t seed, double parameter)
{
    *e = (struct experiment){ .problem = *problem };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        const int64_t count = conv_operand_count(problem, operand);
        e->in[operand] = malloc((size_t)count * sizeof(double));
        if (!e->in[operand])
            return false;
        make(e->in[operand], problem, operand, seed, parameter);
        for (int64_t i = 0; i < count; i++)
            e->in[operand][i] = format_to_type(problem->type, e->in[operand][i]);
    }
    return observe(e, kernel);
}

/* The truth of the experiment's inputs, rounded to a format.  The caller frees it. */
static bool truth_of(struct conv_truth *truth, const struct experiment *e, const struct format *format)
{
    struct conv_operands operands = { .x = NULL };
    struct conv_problem problem = e->problem;
    problem.type = CONV_F64;
    problem.layout = CONV_CHANNELS_FIRST;
    bool good = true;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const int64_t count = e->in[operand] ? conv_operand_count(&problem, operand) : 0;
        double *copy = count > 0 ? malloc((size_t)count * sizeof *copy) : NULL;
        for (int64_t i = 0; copy && i < count; i++)
            copy[i] = format_round(format, e->in[operand][i]);
        operands.at[operand] = copy;
        good = good && (copy || count == 0);
    }
    good = good && conv_truth_compute(truth, NULL, &problem, e->output, &operands, NULL) == CONV_OK;
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(operands.at[operand]);
    return good;
}

/* The share of the outputs that are what inputs in one format and outputs in another would give, bit for bit. */
static double predicted(const struct experiment *e, const struct format *in, const struct format *out)
{
    struct conv_truth truth;
    int64_t asked = 0, same = 0;
    if (!truth_of(&truth, e, in))
        return 0;
    for (int64_t i = 0; i < e->count; i++) {
        const double value = format_to_type(e->problem.type, format_round(out, truth.value[i]));
        if (value == 0)
            continue;
        asked++;
        same += isfinite(value) ? e->got[i] == value : !isfinite(e->got[i]);
    }
    conv_truth_free(&truth);
    return asked > 0 ? (double)same / (double)asked : 0;
}

/* ---- the data -------------------------------------------------------------------------------------------------- */

static void one_product(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                        double scale)
{
    /* the middle of a separable layer is rounded, so its filter has one bit */
    const int all = conv_type_facts(problem->type)->significand, middle = problem->op == CONV_OP_SEPARABLE ? 1 : all;
    probe_single(values, problem, operand, seed, (const int[PROBE_BIAS]){ all, middle, all, 1 });
    for (int64_t i = 0; probe_factor(problem, operand) == PROBE_FIRST && i < conv_operand_count(problem, operand);
         i++)
        values[i] *= scale;
}

static void back_down(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                      double largest)
{
    probe_cancelling(values, problem, operand, seed, (int64_t)largest, 1);
}

static void real_numbers(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                         double parameter)
{
    /* a third, so that f64 has bits behind the 24 that uniform numbers have */
    const struct conv_fill fill = { CONV_FILL_UNIFORM, seed, problem->type == CONV_F64 ? 1 / 3.0 : 1, 0 };
    (void)parameter;
    conv_fill(CONV_F64, values, conv_operand_count(problem, operand), conv_operand_name(problem, operand), &fill);
}

/* The number that fills x of image n, or another operand. */
static double the_same_value(const struct conv_problem *problem, enum conv_operand operand, int64_t n)
{
    static const double of_operand[CONV_OPERANDS] = { [CONV_X] = 0.8414709848, [CONV_WEIGHTS] = 0.7071067812,
                                                      [CONV_PW] = 0.6180339887, [CONV_EW] = 0.5772156649 };
    return format_to_type(problem->type, of_operand[operand] * (1 + (double)n / 7));
}

static void all_the_same(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                         double parameter)
{
    const int64_t count = conv_operand_count(problem, operand),
                  image = operand == CONV_X ? count / problem->n : count;
    (void)seed, (void)parameter;
    for (int64_t i = 0; i < count; i++)
        values[i] = the_same_value(problem, operand, i / image);
}

/* ---- one product after the other ------------------------------------------------------------------------------- */

static double one_after_the_other(const struct conv_problem *p, int64_t n, bool fused)
{
    static const enum conv_operand weights[CONV_MOST_STAGES] = { CONV_EW, CONV_WEIGHTS, CONV_PW };
    struct conv_problem stages[CONV_MOST_STAGES];
    const int count = conv_stages(stages, p), first = count == CONV_MOST_STAGES ? 0 : 1;
    double made = the_same_value(p, CONV_X, n);
    for (int i = 0; i < count; i++)
        made = format_add(p->type, made, the_same_value(p, weights[first + i], 0), conv_fan_in(&stages[i]), fused);
    return made;
}

/* Each product rounded, and their sum only at the end. */
static double rounded_products(const struct conv_problem *p, int64_t n)
{
    const double product = format_to_type(p->type, the_same_value(p, CONV_X, n) * the_same_value(p, CONV_WEIGHTS, 0));
    return p->op == CONV_OP_SEPARABLE ? NAN : format_to_type(p->type, product * (double)conv_fan_in(p));
}

/* ---- conclusions ----------------------------------------------------------------------------------------------- */

static void conclude(struct conv_arithmetic *named, enum conv_sure sure, bool narrow, const char *words)
{
    named->sure = sure;
    named->narrow = narrow;
    snprintf(named->words, sizeof named->words, "%s", words);
}

/* Are only the outputs narrow, or the sums? */
static void tell_sums_from_outputs(struct conv_arithmetic *named, const struct conv_kernel *kernel,
                                   const struct conv_problem *problem, uint64_t seed, const struct format *in,
                                   const struct format *out)
{
    struct experiment e;
    struct conv_truth truth;
    char words[160];
    int64_t asked = 0, right = 0;
    const double largest = 2 * floor(sqrt(ldexp(1, out->bits + 2) / (double)conv_fan_in(problem))) + 1;
    if (experiment(&e, kernel, problem, back_down, seed, largest) && truth_of(&truth, &e, &formats[0])) {
        for (int64_t i = 0; i < e.count; i++)
            if (fabs(truth.value[i]) <= ldexp(1, out->bits)) {
                asked++;
                right += e.got[i] == truth.value[i];
            }
        conv_truth_free(&truth);
    }
    experiment_free(&e);
    snprintf(words, sizeof words, "%s in %s%s%s", asked > 0 && 2 * right < asked ? "sums" : "outputs", out->words,
             in->words[0] ? ", inputs in " : "", in->words);
    conclude(named, asked > 0 ? CONV_SURE_BIT_FOR_BIT : CONV_SURE_BY_EXCLUSION, true, words);
}

/* Nothing is narrower than the type.  How are products added? */
static void name_order(struct conv_arithmetic *named, const struct conv_kernel *kernel,
                       const struct conv_problem *problem, uint64_t seed)
{
    const char *type = conv_type_facts(problem->type)->name;
    struct experiment real, same;
    struct conv_truth truth;
    char words[160];
    double correctly_rounded = 0;
    bool bounded = false;
    if (experiment(&real, kernel, problem, real_numbers, seed, 0) && truth_of(&truth, &real, &formats[0])) {
        correctly_rounded = predicted(&real, &formats[0], &formats[0]);
        bounded = true;
        for (int64_t i = 0; i < real.count; i++)
            bounded = bounded && fabs(real.got[i] - truth.value[i]) <= conv_truth_bound(&truth, i, problem->type);
        conv_truth_free(&truth);
    }
    experiment_free(&real);
    bool follows[2] = { false, false }, wide = false;
    if (problem->pass == CONV_FORWARD && experiment(&same, kernel, problem, all_the_same, seed, 0)) {
        follows[0] = follows[1] = true;
        wide = problem->type == CONV_F32;
        for (int64_t i = 0; i < same.count; i++) {
            wide = wide && same.got[i] == rounded_products(problem, i / (same.count / problem->n));
            for (int fused = 0; fused < 2; fused++)
                follows[fused] = follows[fused]
                    && same.got[i] == one_after_the_other(problem, i / (same.count / problem->n), fused);
        }
        experiment_free(&same);
    }
    const char *fusing = follows[0] && follows[1] ? "fused or not" : follows[0] ? "each rounded" : "fused";
    if (!bounded)
        conclude(named, CONV_SURE_NOT, false, "unknown: single products are right, sums of real numbers are not");
    else if (correctly_rounded == 1 && (problem->type == CONV_F64 || !(follows[0] || follows[1]))) {
        snprintf(words, sizeof words, "sums in more than %s: every output is correctly rounded", type);
        conclude(named, CONV_SURE_BIT_FOR_BIT, false, words);
    } else if (follows[0] || follows[1]) {
        snprintf(words, sizeof words, "%s, one product added after the other, %s", type, fusing);
        conclude(named, CONV_SURE_BIT_FOR_BIT, false, words);
    } else if (wide) {
        snprintf(words, sizeof words, "sums in more than %s of products that are rounded to it", type);
        conclude(named, CONV_SURE_BIT_FOR_BIT, false, words);
    } else {
        snprintf(words, sizeof words, problem->pass == CONV_FORWARD ? "%s, in several partial sums"
                 : "%s; in which order can't be told in this pass", type);
        conclude(named, CONV_SURE_BY_EXCLUSION, false, words);
    }
}

/* ---- transforms: where one NaN goes ---------------------------------------------------------------------------- */

/* Planes of 26x26 inputs and 24x24 outputs; the NaN is at h = w = NAN_AT. */
static const char *const transform_texts[] = { "c=2 in=26x26 k=2 filter=3x3", "c=8 in=26x26 k=8 filter=3x3 groups=8",
                                               "c=8 in=26x26 k=8 filter=3x3 groups=2" };
enum { NAN_AT = 12, PLANE = 24 };

/* The rows of outputs that one NaN reaches where whole tiles or planes are transformed. */
static const struct { int first, last; const char *words; } spreads[] = {
    { 10, 13, "Winograd, tiles of 2 outputs" }, { 8, 15, "Winograd, tiles of 4 outputs" },
    { 6, 17, "Winograd, tiles of 6 outputs" }, { 0, PLANE - 1, "a transform of whole planes, such as an FFT" },
};

static void one_nan(double *values, const struct conv_problem *problem, enum conv_operand operand, uint64_t seed,
                    double parameter)
{
    real_numbers(values, problem, operand, seed, parameter);
    if (operand == CONV_X)
        values[NAN_AT * problem->axis[CONV_W].in + NAN_AT] = NAN;
}

/* Does the NaN reach the outputs of these rows and columns of the first plane, and no others? */
static bool reaches(const struct experiment *e, int first, int last)
{
    for (int i = 0; i < PLANE * PLANE; i++) {
        const int p = i / PLANE, q = i % PLANE;
        if (!isnan(e->got[i]) == (p >= first && p <= last && q >= first && q <= last))
            return false;
    }
    return true;
}

/* False if nothing was transformed, as far as can be seen. */
static bool name_transform(struct conv_arithmetic *named, const struct conv_kernel *kernel, uint64_t seed)
{
    struct experiment e = { .count = 0 };
    bool found = false;
    for (size_t i = 0; i < sizeof transform_texts / sizeof *transform_texts; i++) {
        struct conv_problem problem;
        if (conv_problem_parse(&problem, transform_texts[i], NULL) != CONV_OK
            || conv_kernel_refuses(kernel, &problem))
            continue;
        const bool seen = experiment(&e, kernel, &problem, one_nan, seed, 0);
        for (size_t s = 0; seen && s < sizeof spreads / sizeof *spreads && !found; s++)
            if (reaches(&e, spreads[s].first, spreads[s].last)) {
                conclude(named, CONV_SURE_BY_EXCLUSION, false, spreads[s].words);
                found = true;
            }
        experiment_free(&e);
        break;
    }
    return found;
}

/* The formats of inputs and outputs that explain single products best, small ones and large ones. */
static double name_formats(int *in, int *out, const struct experiment single[2])
{
    double best = 0;
    for (int i = 0; i < FORMATS; i++)
        for (int o = 0; o < FORMATS; o++) {
            const double small = predicted(&single[0], &formats[i], &formats[o]);
            const double large = small > best ? predicted(&single[1], &formats[i], &formats[o]) : 0;
            const double share = small < large ? small : large;
            if (share > best) {
                best = share;
                *in = i;
                *out = o;
            }
        }
    return best;
}

static void name_all(struct conv_arithmetic *named, const struct conv_kernel *kernel,
                     const struct conv_problem *problem, uint64_t seed)
{
    struct experiment single[2] = { { .count = 0 }, { .count = 0 } };
    int in = 0, out = 0;
    double best = 0;
    char words[160];
    if (experiment(&single[0], kernel, problem, one_product, seed, 1)
        && experiment(&single[1], kernel, problem, one_product, seed, 0x1p17))
        best = name_formats(&in, &out, single);
    experiment_free(&single[0]);
    experiment_free(&single[1]);
    if (!(best > 0.99)) {
        snprintf(words, sizeof words,
                 "unknown: no arithmetic that convref knows predicts more than %.0f %% of its single products",
                 100 * best);
        conclude(named, CONV_SURE_NOT, false, words);
    } else if (out > 0) {
        tell_sums_from_outputs(named, kernel, problem, seed, &formats[in], &formats[out]);
    } else if (in > 0) {
        snprintf(words, sizeof words, "inputs in %s", formats[in].words);
        conclude(named, CONV_SURE_BIT_FOR_BIT, true, words);
    } else {
        name_order(named, kernel, problem, seed);
    }
}

/* Without padding and bias, so that every output has all of its products; the first that the kernel computes. */
static const char *const texts[] = {
    "n=16 c=64 in=4x5 k=4 filter=3x3", "n=16 c=64 in=3x4 k=8 filter=1x1", "n=16 c=8 in=7x12 k=8 filter=5x5 groups=8",
    "n=16 c=8 in=7x12 k=8 filter=3x3 groups=8", "n=16 c=64 in=4x5 k=8 filter=3x3 groups=2",
    "op=separable n=16 c=32 in=5x6 k=8 filter=3x3", "op=separable n=16 c=8 in=5x6 k=8 filter=3x3 expand=32",
    "n=16 c=64 in=16 k=4 filter=9",
    "n=16 c=24 in=4x4x5 k=4 filter=3x3x3", "op=transposed n=4 c=48 in=5x6 k=8 filter=3x3",
};

static bool find_problem(struct conv_problem *found, const struct conv_kernel *kernel)
{
    const int texts_count = sizeof texts / sizeof *texts;
    for (int mode = 0; mode < CONV_TYPES * CONV_PASSES * CONV_LAYOUTS; mode++)
        for (int i = 0; i < texts_count; i++) {
            struct conv_problem problem;
            if (conv_problem_parse(&problem, texts[i], NULL) != CONV_OK)
                continue;
            problem.layout = (enum conv_layout)(mode % CONV_LAYOUTS);
            problem.pass = (enum conv_pass)(mode / CONV_LAYOUTS % CONV_PASSES);
            problem.type = (enum conv_type)(mode / CONV_LAYOUTS / CONV_PASSES);
            if (conv_problem_finish(&problem, NULL) == CONV_OK && !conv_kernel_refuses(kernel, &problem)) {
                *found = problem;
                return true;
            }
        }
    return false;
}

enum conv_status conv_arithmetic_name(struct conv_arithmetic *named, const struct conv_kernel *kernel, uint64_t seed,
                                      struct conv_error *error)
{
    struct conv_problem problem;
    *named = (struct conv_arithmetic){ .sure = CONV_SURE_NOT };
    if (name_transform(named, kernel, seed))
        return CONV_OK;
    if (!find_problem(&problem, kernel))
        return conv_fail(error, CONV_NOT_APPLICABLE,
                         "%s computes none of the problems that would tell its arithmetic", kernel->name);
    name_all(named, kernel, &problem, seed);
    return CONV_OK;
}

const char *conv_sure_name(enum conv_sure sure)
{
    static const char *const names[] = { "not sure", "by exclusion", "predicted bit for bit" };
    return names[sure];
}
