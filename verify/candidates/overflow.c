/* overflow.c - sums that leave the type's range on their way.   Declared in outputs.h.
 *
 * 3e38 + 1e38 - 3e38 is 1e38, and infinite for those who add the first two in f32: both are right, because nobody
 * promised an order.  What can come out is decided by the products of that output alone:
 *
 *     +inf   if the positive ones, added alone, pass the largest number
 *     -inf   if the negative ones do
 *     NaN    if both do: two partial sums may be infinite, and meet
 *
 * The activation follows.  A transform adds inputs of a whole plane before it multiplies, so that there every output
 * may be lost to the largest sum of all; so may the second stage of a separable layer to its first.  Not here: inputs
 * that are infinite or NaN, which have a truth (engine/expected.c).
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/candidates/outputs.h"
#include "verify/engine/checker.h"
#include "verify/maths/spots.h"

/* The exact sum above which a rounded one may be infinite: roundings of the inputs and on the way make it larger. */
static double largest_sum(const struct conv_problem *problem, const struct conv_truth *truth,
                          enum conv_accuracy accuracy)
{
    const struct conv_accuracy_facts *class = conv_accuracy_facts(accuracy);
    const double number = accuracy == CONV_F16_SUMS ? 65504 : problem->type == CONV_F32 ? (double)FLT_MAX : DBL_MAX;
    const double u = class->sum_bits > 0 ? ldexp(1, -class->sum_bits) : conv_type_facts(problem->type)->unit_roundoff;
    const double of_inputs = class->input_bits > 0 ? pow(1 + ldexp(1, 1 - class->input_bits), 2) : 1;
    int64_t longest = 0;
    for (int64_t i = 0; i < truth->count; i++)
        longest = truth->taps[i] > longest ? truth->taps[i] : longest;
    return number / of_inputs / (1 + (double)(longest + 1) * u);
}

/* The sums of the products of either sign. */
struct signs { long double plus, minus; };

static void add_product(void *context, double product)
{
    struct signs *signs = context;
    *(product > 0 ? &signs->plus : &signs->minus) += fabs(product);
}

struct overflow {
    const struct conv_problem *problem;
    enum conv_operand output;
    double largest;              /* a partial sum above it may be infinite */
    double spread;               /* the largest sum that may be lost in any output */
    double *in[CONV_OPERANDS];   /* wide, channels first; made when the first is asked for */
};

static bool widen_inputs(struct overflow *o, const struct conv_operands *operands)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (conv_operand_role(o->problem, operand) != CONV_INPUT || o->in[operand])
            continue;
        o->in[operand] = malloc(((size_t)conv_operand_count(o->problem, operand) + 1) * sizeof(double));
        if (!o->in[operand])
            return false;
        conv_operand_widen(o->in[operand], o->problem, operand, operands->at[operand]);
    }
    return true;
}

/* What may be lost in one output, by sign.  A bias is a summand like another. */
static struct signs signs_of(const struct overflow *o, int64_t element)
{
    struct signs signs = { 0, 0 };
    if (o->output == CONV_BIAS || o->spread > o->largest)
        return (struct signs){ o->spread, o->spread };
    const long double sum = spots_products(o->problem, o->output, (const double *const *)o->in, element, add_product,
                                           &signs);
    const long double bias = sum - (signs.plus - signs.minus);
    *(bias > 0 ? &signs.plus : &signs.minus) += isfinite(bias) ? fabsl(bias) : 0;
    return signs;
}

static bool is_one_of(double got, enum conv_activation act, const struct signs *signs, double largest)
{
    const bool up = signs->plus > largest, down = signs->minus > largest;
    return isnan(got) ? up && down
                      : (up && got == (double)spots_activated(act, INFINITY))
                            || (down && got == (double)spots_activated(act, -INFINITY));
}

/* An output that may be excused at all: the sum of magnitudes of its own, or of those that are mixed with it, is too
 * large, and it isn't the truth already.  Most data have none. */
static bool is_suspect(const struct overflow *o, const struct conv_truth *truth, int64_t i, double got)
{
    return (truth->magnitude[i] > o->largest || o->spread > o->largest) && got != truth->value[i]
        && !isnan(truth->value[i]) && (!isfinite(got) || o->problem->act != CONV_ACT_NONE);
}

static double spread_of(const struct conv_problem *problem, enum conv_operand output, const struct conv_truth *truth,
                        enum conv_accuracy accuracy)
{
    const bool mixed = conv_accuracy_transforms(accuracy);
    double largest = 0;
    if (!mixed && problem->op != CONV_OP_SEPARABLE && output != CONV_BIAS)
        return 0;
    for (int64_t i = 0; i < truth->count; i++)
        largest = truth->magnitude[i] > largest ? truth->magnitude[i] : largest;
    return mixed ? largest * conv_accuracy_facts(accuracy)->growth : largest;
}

void overflow_excuse(char *note, size_t room, double *got, const struct conv_problem *problem,
                     enum conv_operand output, const struct conv_operands *operands, const struct conv_truth *truth,
                     enum conv_accuracy accuracy)
{
    struct overflow o = { .problem = problem, .output = output, .largest = largest_sum(problem, truth, accuracy),
                          .spread = spread_of(problem, output, truth, accuracy) };
    const enum conv_activation act = output == CONV_Y ? problem->act : CONV_ACT_NONE;
    int64_t excused = 0;
    for (int64_t i = 0; i < truth->count; i++) {
        if (!is_suspect(&o, truth, i, got[i]) || !widen_inputs(&o, operands))
            continue;
        const struct signs signs = signs_of(&o, i);
        if (!is_one_of(got[i], act, &signs, o.largest))
            continue;
        got[i] = truth->value[i];
        excused++;
    }
    if (excused > 0)
        snprintf(note, room, "%" PRId64 " of %" PRId64
                 " sums leave the range in some order: infinite or NaN is right", excused, truth->count);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(o.in[operand]);
}
