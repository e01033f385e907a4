/* exact.c - data to time kernels on.   Declared in exact.h.
 *
 * Of a large problem the reference would take too long.  There a kernel of the library computes the sums, and a
 * checksum (maths/checksum.c) decides whether they are right; no kernel is trusted.
 */
#include "verify/measure/exact.h"

#include <convref/reference.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/guest.h"
#include "core/random.h"
#include "verify/maths/checksum.h"

/* Above this many multiply-adds a checksum takes less time than the reference. */
static const double reference_macs = 20e6;

/* ---- the integers ---------------------------------------------------------------------------------------------- */

static enum conv_operand first_factor(const struct conv_problem *problem)
{
    return problem->pass == CONV_BACKWARD_DATA ? CONV_Y : CONV_X;
}

/* Where sums are so long that even ones would not be exact, only every so many-th element of the first factor isn't
 * 0. */
static int64_t thinness(const struct conv_problem *problem, enum conv_accuracy accuracy)
{
    const double most = conv_accuracy_largest_sum(problem, accuracy) / 4, longest = (double)conv_fan_in(problem);
    return longest > most ? (int64_t)(longest / most) + 1 : 1;
}

static enum conv_status draw(struct exact *exact, uint64_t seed, struct conv_error *error)
{
    const struct conv_problem *problem = exact->problem;
    const int range = conv_accuracy_range(problem, exact->accuracy);
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, range > 0 ? range : 1, 0 };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const int64_t count = conv_operand_count(problem, operand);
        const int64_t thin = operand == first_factor(problem) && range < 1 ? thinness(problem, exact->accuracy) : 1;
        if (conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        exact->base[operand] = malloc((size_t)count + 1);
        if (!exact->base[operand])
            return conv_fail(error, CONV_NO_MEMORY, "no memory for %" PRId64 " numbers to time kernels on", count);
        for (int64_t i = 0; i < count; i++) {
            const double value = conv_fill_value(&fill, conv_operand_name(problem, operand), i);
            exact->base[operand][i] = i % thin == 0 ? (signed char)value : 0;
        }
    }
    return CONV_OK;
}

/* ---- what the outputs should be -------------------------------------------------------------------------------- */

/* The last bias is added when outputs are compared. */
static enum conv_operand last_bias(const struct conv_problem *problem)
{
    return problem->op == CONV_OP_SEPARABLE ? CONV_PW_BIAS : CONV_BIAS;
}

/* The problem without its last bias and activation, and without the x that is added; a separable one keeps all
 * biases, the last of them 0. */
static struct conv_problem linear(const struct conv_problem *problem)
{
    struct conv_problem plain = *problem;
    plain.act = CONV_ACT_NONE;
    plain.residual = false;
    plain.bias = problem->bias && (problem->op == CONV_OP_SEPARABLE || problem->pass != CONV_FORWARD);
    return plain;
}

/* Inputs as numbers of the problem's type; the caller frees them. */
static bool widen(struct conv_operands *operands, const struct exact *exact, const struct conv_problem *plain,
                  int sign)
{
    *operands = (struct conv_operands){ .x = NULL };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const enum conv_role role = conv_operand_role(plain, operand);
        const int64_t count = conv_operand_count(plain, operand);
        if (role == CONV_UNUSED)
            continue;
        operands->at[operand] = calloc((size_t)count + 1, conv_type_facts(plain->type)->size);
        if (!operands->at[operand])
            return false;
        const bool zero = operand == CONV_PW_BIAS;
        for (int64_t i = 0; role == CONV_INPUT && !zero && i < count; i++)
            conv_set(plain->type, operands->at[operand], i,
                     exact->base[operand][i] * (operand == first_factor(plain) ? sign : 1));
    }
    return true;
}

static void free_operands(struct conv_operands *operands)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(operands->at[operand]);
}

/* The sums as doubles, channels first, if the checksum of this kernel's output is right. */
static double *sums_by(const struct conv_kernel *kernel, const struct conv_problem *plain,
                       const struct conv_operands *operands, enum conv_operand output)
{
    double *wide[CONV_OPERANDS] = { NULL }, *sums = NULL;
    bool enough = conv_run(operands, kernel, plain, NULL, NULL) == CONV_OK;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && enough; operand++) {
        if (!operands->at[operand])
            continue;
        wide[operand] = malloc(((size_t)conv_operand_count(plain, operand) + 1) * sizeof(double));
        enough = wide[operand] != NULL;
        if (enough)
            conv_operand_widen(wide[operand], plain, operand, operands->at[operand]);
    }
    if (enough && checksum_compare(plain, output, (const double *const *)wide, 1) == CHECKSUM_RIGHT) {
        sums = wide[output];
        wide[output] = NULL;
    }
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(wide[operand]);
    return sums;
}

/* The last kernel of the table that computes it is a fast one. */
static double *sums_by_any(const struct conv_problem *plain, const struct conv_operands *operands,
                           enum conv_operand output)
{
    double *sums = NULL;
    if (plain->op == CONV_OP_SEPARABLE || output == CONV_BIAS)   /* checksums are for one stage, and dbias is cheap */
        return NULL;
    for (int i = conv_kernel_count() - 1; i >= 0 && !sums; i--) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        if (!kernel->device && !guest_is(kernel) && strncmp(kernel->name, "ref_", 4)
            && !conv_kernel_refuses(kernel, plain))
            sums = sums_by(kernel, plain, operands, output);
    }
    return sums;
}

static enum conv_status compute(double **sums, const struct exact *exact, enum conv_operand output, int sign,
                                struct conv_error *error)
{
    const struct conv_problem plain = linear(exact->problem);
    struct conv_operands operands;
    struct conv_truth truth;
    enum conv_status status = widen(&operands, exact, &plain, sign)
                                  ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory to compute what is right");
    const double macs = (double)conv_fan_in(&plain) * (double)conv_operand_count(&plain, output);
    *sums = status == CONV_OK && macs > reference_macs ? sums_by_any(&plain, &operands, output) : NULL;
    if (status == CONV_OK && !*sums) {
        status = conv_truth_compute(&truth, NULL, &plain, output, &operands, error);
        if (status == CONV_OK) {
            *sums = truth.value;
            truth.value = NULL;
            conv_truth_free(&truth);
        }
    }
    free_operands(&operands);
    return status;
}

/* An activation between the stages makes of minus x something else than minus y. */
static bool is_odd(const struct conv_problem *problem)
{
    return problem->op != CONV_OP_SEPARABLE || (problem->mid_act == CONV_ACT_NONE && !problem->bias);
}

enum conv_status exact_create(struct exact *exact, const struct conv_problem *problem, enum conv_accuracy accuracy,
                              uint64_t seed, struct conv_error *error)
{
    *exact = (struct exact){ .problem = problem, .accuracy = accuracy, .seed = seed };
    enum conv_status status = draw(exact, seed, error);
    for (enum conv_operand output = 0; output < CONV_OPERANDS && status == CONV_OK; output++) {
        if (conv_operand_role(problem, output) != CONV_OUTPUT)
            continue;
        status = compute(&exact->sums[output][0], exact, output, 1, error);
        exact->turns[output] = output != CONV_BIAS;   /* dbias adds dy, whatever x is */
        if (status == CONV_OK && exact->turns[output] && !is_odd(problem))
            status = compute(&exact->sums[output][1], exact, output, -1, error);
    }
    if (status != CONV_OK)
        exact_free(exact);
    return status;
}

void exact_free(struct exact *exact)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++) {
        free(exact->base[operand]);
        free(exact->sums[operand][0]);
        free(exact->sums[operand][1]);
    }
    *exact = (struct exact){ .problem = NULL };
}

/* ---- rounds ---------------------------------------------------------------------------------------------------- */

/* Powers of two: fractions in every round.  Of a separable problem those of x and of the first stage's weights
 * cancel, because an activation between the stages has a limit of its own.  An x that is added has the unit of y. */
static void choose_exponents(struct exact *exact, int round)
{
    int *e = exact->exponent;
    const bool separable = exact->problem->op == CONV_OP_SEPARABLE, expands = exact->problem->expand > 0;
    e[CONV_X] = -5 - round % 3;
    e[CONV_EW] = expands ? -e[CONV_X] : 0;
    e[CONV_EW_BIAS] = 0;
    e[CONV_WEIGHTS] = expands ? 0 : separable ? -e[CONV_X] : -4 - round % 2;
    e[CONV_Y] = -5 - (round + 1) % 3;
    e[CONV_PW] = exact->problem->residual ? e[CONV_X] : -5 - round % 4;
    e[CONV_BIAS] = separable ? 0 : e[CONV_X] + e[CONV_WEIGHTS];
    e[CONV_PW_BIAS] = e[CONV_PW];
}

/* Simple loops over each type, which the compiler makes fast: this is done for every turn. */
static void scale(void *to, enum conv_type type, const signed char *from, int64_t count, double unit)
{
    float *single = to;
    double *twice = to;
    for (int64_t i = 0; type == CONV_F32 && i < count; i++)
        single[i] = (float)unit * (float)from[i];
    for (int64_t i = 0; type == CONV_F64 && i < count; i++)
        twice[i] = unit * (double)from[i];
}

/* -1 or 1, for a channel of the output. */
static double channel_sign(const struct exact *exact, int64_t channel)
{
    return random_at(exact->channels, channel) & 1 ? -1 : 1;
}

static void negate(enum conv_type type, void *at, int64_t begin, int64_t count)
{
    float *single = (float *)at + begin;
    double *twice = (double *)at + begin;
    for (int64_t i = 0; type == CONV_F32 && i < count; i++)
        single[i] = -single[i];
    for (int64_t i = 0; type == CONV_F64 && i < count; i++)
        twice[i] = -twice[i];
}

/* An operand in which each element belongs to one channel of the output, seen as [outer][channels][inner].  Where the
 * channels are those of one group, `group` is how many outer ones belong to each. */
struct channels { int64_t outer, channels, inner, group; };

static struct channels channels_of(const struct conv_problem *p, enum conv_operand operand, enum conv_layout layout)
{
    int64_t dims[CONV_MAX_RANK];
    const int64_t count = conv_operand_count(p, operand), channels = operand == CONV_X ? p->c : p->k;
    const bool in_rows = (p->op == CONV_OP_TRANSPOSED) == (p->pass == CONV_BACKWARD_DATA);   /* w[k][c], w[c][k] */
    conv_operand_shape(dims, p, operand);
    if (count == 0)   /* n=0 */
        return (struct channels){ 0, channels, 0, 0 };
    if (operand == CONV_X || operand == CONV_Y)
        return layout == CONV_CHANNELS_LAST ? (struct channels){ count / channels, channels, 1, 0 }
                                            : (struct channels){ p->n, channels, count / (p->n * channels), 0 };
    if (operand == CONV_BIAS || operand == CONV_PW_BIAS || in_rows)
        return (struct channels){ 1, dims[0], count / dims[0], 0 };
    return (struct channels){ dims[0], dims[1], count / (dims[0] * dims[1]), dims[0] / p->groups };
}

static int64_t channel_at(const struct channels *view, int64_t outer, int64_t c)
{
    return view->group ? outer / view->group * view->channels + c : c;
}

static void negate_channels(const struct exact *exact, enum conv_operand operand, void *at)
{
    const struct channels view = channels_of(exact->problem, operand, exact->problem->layout);
    for (int64_t outer = 0; outer < view.outer; outer++)
        for (int64_t c = 0; c < view.channels; c++)
            if (channel_sign(exact, channel_at(&view, outer, c)) < 0)
                negate(exact->problem->type, at, (outer * view.channels + c) * view.inner, view.inner);
}

/* The inputs whose signs make those of the output's channels. */
static bool makes_signs(const struct conv_problem *problem, enum conv_operand operand)
{
    if (problem->pass == CONV_BACKWARD_WEIGHTS)
        return operand == CONV_Y;
    if (problem->op == CONV_OP_SEPARABLE)
        return operand == CONV_PW || operand == CONV_PW_BIAS;
    return operand == CONV_WEIGHTS || operand == CONV_BIAS;
}

void exact_fill(struct exact *exact, const struct conv_operands *operands, int round)
{
    const struct conv_problem *problem = exact->problem;
    choose_exponents(exact, round);
    exact->channels = random_at(exact->seed, round);
    exact->mask = EXACT_AS_DRAWN;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        scale(operands->at[operand], problem->type, exact->base[operand], conv_operand_count(problem, operand),
              ldexp(1, exact->exponent[operand]));
        if (makes_signs(problem, operand))
            negate_channels(exact, operand, operands->at[operand]);
    }
}

void exact_set_mask(struct exact *exact, const struct conv_operands *operands, uint64_t mask)
{
    enum { BITS = 64 };
    const enum conv_operand first = first_factor(exact->problem);
    const int64_t count = conv_operand_count(exact->problem, first);
    float signs[BITS], *single = operands->at[first];
    double *twice = operands->at[first];
    for (int bit = 0; bit < BITS; bit++)
        signs[bit] = (mask ^ exact->mask) >> bit & 1 ? -1 : 1;
    for (int64_t i = 0; exact->problem->type == CONV_F32 && i < count; i++)
        single[i] *= signs[i % BITS];
    for (int64_t i = 0; exact->problem->type == CONV_F64 && i < count; i++)
        twice[i] *= signs[i % BITS];
    exact->mask = mask;
}

/* ---- comparing ------------------------------------------------------------------------------------------------- */

/* The unit of an output: the product of its factors' powers of two. */
static int exponent_of(const struct exact *exact, enum conv_operand output)
{
    const int *e = exact->exponent;
    if (output == CONV_BIAS)
        return e[CONV_Y];
    if (output == CONV_Y)
        return e[CONV_X] + e[CONV_EW] + e[CONV_WEIGHTS]
             + (exact->problem->op == CONV_OP_SEPARABLE ? e[CONV_PW] : 0);
    return output == CONV_X ? e[CONV_Y] + e[CONV_WEIGHTS] : e[CONV_X] + e[CONV_Y];
}

/* The sums as they are now: those of the first factor's sign, and the factor that they still need. */
static const double *sums_now(double *sign, const struct exact *exact, enum conv_operand output)
{
    const bool negative = exact->mask == EXACT_NEGATED && exact->turns[output];
    *sign = negative && !exact->sums[output][1] ? -1 : 1;
    return exact->sums[output][negative && exact->sums[output][1]];
}

/* What one channel's outputs are made of: unit * (sign * sum + bias), activated, and then unit * added * x, whose
 * elements are `apart` from each other. */
struct recipe {
    double unit, sign, bias;
    enum conv_activation act;
    bool rounded;
    const signed char *x;
    int64_t apart;
    double added;
};

/* The first wrong element, or -1. */
static int64_t first_wrong(double *right, const double *got, const double *sums, int64_t count,
                           const struct recipe *recipe)
{
    for (int64_t i = 0; i < count; i++) {
        double value = recipe->unit * (recipe->sign * sums[i] + recipe->bias);
        if (recipe->act != CONV_ACT_NONE && value < 0)
            value = 0;
        if (recipe->act == CONV_ACT_RELU6 && value > 6)
            value = 6;
        if (recipe->x)
            value += recipe->unit * recipe->added * recipe->x[i * recipe->apart];
        if ((recipe->rounded ? recipe->unit * rint(got[i] / recipe->unit) : got[i]) == value)
            continue;
        *right = value;
        return i;
    }
    return -1;
}

static void say_wrong(char *words, size_t room, const struct exact *exact, enum conv_operand output, int64_t at,
                      double got, double right)
{
    const char *name = conv_operand_name(exact->problem, output);
    if (isnan(got))
        snprintf(words, room, "element %" PRId64 " of %s is NaN, expected %.9g", at, name, right);
    else
        snprintf(words, room, "element %" PRId64 " of %s is %.9g, expected %.9g", at, name, got, right);
}

static bool compare(char *words, size_t room, const struct exact *exact, enum conv_operand output, const double *got,
                    bool rounded)
{
    const struct conv_problem *problem = exact->problem;
    const signed char *bias = problem->pass == CONV_FORWARD && problem->bias ? exact->base[last_bias(problem)] : NULL;
    const struct channels view = channels_of(problem, output, CONV_CHANNELS_FIRST);
    const double unit = ldexp(1, exponent_of(exact, output));
    double sign, right;
    const double *sums = sums_now(&sign, exact, output);
    const bool last = problem->layout == CONV_CHANNELS_LAST;   /* of x as it was drawn */
    for (int64_t block = 0; block < view.outer * view.channels; block++) {
        const int64_t channel = channel_at(&view, block / view.channels, block % view.channels);
        const int64_t begin = block * view.inner;
        const double own = channel_sign(exact, channel);
        const struct recipe recipe = { unit, own * sign, bias ? own * bias[channel] : 0,
                                       output == CONV_Y ? problem->act : CONV_ACT_NONE, rounded,
                                       problem->residual ? exact->base[CONV_X]
                                           + (last ? block / view.channels * view.inner * view.channels + channel
                                                   : begin)
                                           : NULL,
                                       last ? view.channels : 1, exact->mask == EXACT_NEGATED ? -1 : 1 };
        const int64_t at = first_wrong(&right, got + begin, sums + begin, view.inner, &recipe);
        if (at < 0)
            continue;
        say_wrong(words, room, exact, output, begin + at, got[begin + at], right);
        return false;
    }
    return true;
}

bool exact_is_right(char *words, size_t room, const struct exact *exact, enum conv_operand output, const void *got,
                    enum conv_accuracy accuracy)
{
    const int64_t count = conv_operand_count(exact->problem, output);
    double *wide = malloc(((size_t)count + 1) * sizeof *wide);
    if (!wide) {
        snprintf(words, room, "no memory to compare %" PRId64 " outputs", count);
        return false;
    }
    conv_operand_widen(wide, exact->problem, output, got);
    const bool right = compare(words, room, exact, output, wide, conv_accuracy_transforms(accuracy));
    free(wide);
    return right;
}
