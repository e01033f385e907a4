/* sensitivity.c - what the comparison of one output could have missed.   Declared in convref/sensitivity.h.
 *
 * The question is asked of the output as it is: each product is taken out of its sum, alone, and the rest is compared
 * with the truth as the output was.  What is still accepted is counted, and why: the product is 0, the activation
 * flattens the difference, or the bound swallows it.  Nothing is estimated; of large problems outputs are looked at
 * that lie evenly among all.  Where no product could be missed, the output is right and proves nothing: INCONCLUSIVE.
 * What it doesn't say: which mistakes are likely.   Read next: maths/spots.c
 */
#include <convref/sensitivity.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/main_output.h"
#include "verify/engine/checker.h"
#include "verify/engine/frame.h"
#include "verify/maths/spots.h"

/* Products that are left out: about a second. */
static const double most_products = 20e6;

/* ---- one output ------------------------------------------------------------------------------------------------ */

/* An output whose products are left out in turn. */
struct without {
    struct conv_sensitivity *seen;
    enum conv_activation act;
    long double sum;            /* before the activation */
    double got, expected, bound;
};

static void leave_out(void *context, double product)
{
    struct without *w = context;
    const long double change = spots_activated(w->act, w->sum - product) - spots_activated(w->act, w->sum);
    w->seen->products++;
    if (product == 0)
        w->seen->zero++;
    else if (!isfinite(w->expected) || !isfinite(w->got))   /* one NaN hides all */
        w->seen->hidden++;
    else if (change == 0)
        w->seen->clipped++;
    else if (!w->seen->exact && fabs((double)(w->got + change - w->expected)) <= w->bound)
        w->seen->hidden++;
}

static void nothing(void *context, double product) { (void)context, (void)product; }

static void look_at(struct conv_sensitivity *seen, const struct conv_problem *problem, const double *const in[],
                    const struct conv_truth *truth, int64_t element, double got)
{
    struct without without = { .seen = seen, .act = problem->act, .got = got, .expected = truth->value[0] };
    double bound = 0;
    if (!seen->exact && !conv_accuracy_transforms(seen->accuracy))
        conv_truth_bounds(&bound, truth, problem, seen->operand, seen->accuracy);
    without.bound = bound;
    without.sum = spots_products(problem, seen->operand, in, element, nothing, NULL);
    spots_products(problem, seen->operand, in, element, leave_out, &without);
    seen->looked_at++;
    if (seen->looked_at > 1 && !(bound > seen->bound))
        return;
    seen->bound = bound;
    seen->average = truth->taps[0] > 0 ? truth->magnitude[0] / (double)truth->taps[0] : 0;
    seen->at[0] = element;      /* split when all have been seen */
}

/* ---- all outputs ----------------------------------------------------------------------------------------------- */

/* The distance between outputs that are looked at: 1 for all. */
static int64_t step_of(const struct conv_problem *problem)
{
    return 1 + (int64_t)(check_macs(problem) / most_products);
}

static bool look_at_all(struct conv_sensitivity *seen, const struct conv_problem *problem, const double *const in[])
{
    const int64_t step = step_of(problem);
    for (int64_t element = 0; element < seen->outputs; element += step) {
        struct conv_truth truth;
        if (!spots_truth(&truth, problem, seen->operand, in, &element, 1))
            return false;
        look_at(seen, problem, in, &truth, element, in[seen->operand][element]);
        conv_truth_free(&truth);
    }
    return true;
}

/* All operands as doubles, channels first; the output too, at its own place. */
static bool widen_all(double *wide[CONV_OPERANDS], const struct conv_problem *problem,
                      const struct conv_operands *operands)
{
    bool enough = true;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && enough; operand++) {
        if (conv_operand_role(problem, operand) == CONV_UNUSED || !operands->at[operand])
            continue;
        wide[operand] = malloc(((size_t)conv_operand_count(problem, operand) + 1) * sizeof(double));
        enough = wide[operand] != NULL;
        if (enough)
            conv_operand_widen(wide[operand], problem, operand, operands->at[operand]);
    }
    return enough;
}

/* ---- what the problem has none of ------------------------------------------------------------------------------ */

const char *conv_setting_name(enum conv_setting setting)
{
    static const char *const names[CONV_SETTINGS] = {
        "batches", "channels", "filters", "strides", "padding", "dilation", "groups", "bias", "activation",
        "exchanged axes", "exchanged padding"
    };
    return names[setting];
}

static unsigned unused_of(const struct conv_problem *p)
{
    const struct conv_axis *h = &p->axis[1], *w = &p->axis[2];
    bool stride = false, padding = false, dilation = false, uneven = false;
    for (int a = 0; a < CONV_AXES; a++) {
        stride |= p->axis[a].stride > 1 && p->axis[a].out > 1;
        padding |= p->axis[a].pad_begin > 0 || p->axis[a].pad_end > 0;
        dilation |= p->axis[a].dilation > 1 && p->axis[a].filter > 1;
        uneven |= p->axis[a].pad_begin != p->axis[a].pad_end;
    }
    const bool square = p->rank > 1 && h->in == w->in && h->filter == w->filter && h->stride == w->stride
        && h->dilation == w->dilation && h->pad_begin == w->pad_begin && h->pad_end == w->pad_end;
    return (unsigned)(p->n < 2) << CONV_NO_BATCH | (unsigned)(p->c < 2) << CONV_NO_CHANNELS
        | (unsigned)(p->k < 2) << CONV_NO_FILTERS | (unsigned)!stride << CONV_NO_STRIDE
        | (unsigned)!padding << CONV_NO_PADDING | (unsigned)!dilation << CONV_NO_DILATION
        | (unsigned)(p->groups < 2) << CONV_NO_GROUPS | (unsigned)!p->bias << CONV_NO_BIAS
        | (unsigned)(p->act == CONV_ACT_NONE) << CONV_NO_ACTIVATION | (unsigned)square << CONV_SAME_AXES
        | (unsigned)(padding && !uneven) << CONV_SAME_PADDING;
}

char *conv_sensitivity_print(char text[128], const struct conv_sensitivity *seen, const struct conv_problem *problem)
{
    struct conv_finding finding = { .problem = *problem, .operand = seen->operand };
    struct conv_wrong wrong = { .bound = seen->bound };
    for (int i = 0; i < 5; i++)
        wrong.index[i] = seen->at[i];
    return conv_wrong_print(text, &finding, &wrong);
}

/* ---- a verdict ------------------------------------------------------------------------------------------------- */

static void settle(struct conv_verification *result, const struct conv_sensitivity *seen)
{
    const struct { int64_t count; const char *words; } why[] = {
        { seen->zero, "are zero" }, { seen->clipped, "vanish in the activation" },
        { seen->hidden, "are too small for the bound" } };
    if (seen->outputs == 0)
        snprintf(result->reason, sizeof result->reason, "nothing to compare: n=0");
    if (seen->products == 0 || seen->products > seen->zero + seen->clipped + seen->hidden)
        return;
    result->verdict = CONV_INCONCLUSIVE;
    size_t used = (size_t)snprintf(result->reason, sizeof result->reason,
                                   "with these data no product is missed, whichever is left out:");
    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        if (why[i].count > 0)
            used += (size_t)snprintf(result->reason + used, sizeof result->reason - used, "%s %" PRId64 " of %" PRId64
                                     " %s", why[i].count < seen->products && i > 0 ? "," : "", why[i].count,
                                     seen->products, why[i].words);
}

enum conv_status conv_sensitivity_verify(struct conv_verification *result, struct conv_sensitivity *seen,
                                         const struct conv_problem *problem, const struct conv_operands *operands,
                                         enum conv_accuracy accuracy, struct conv_error *error)
{
    struct conv_sensitivity own = { .outputs = 0 };
    enum conv_status status = conv_verify_operands(result, problem, operands, accuracy, error);
    if (status == CONV_OK && result->verdict == CONV_ACCEPT) {
        status = conv_sensitivity_measure(&own, result, problem, operands, error);
        if (status == CONV_OK)
            settle(result, &own);
    }
    if (seen)
        *seen = own;
    return status;
}

enum conv_status conv_sensitivity_measure(struct conv_sensitivity *seen, const struct conv_verification *accepted,
                                 const struct conv_problem *problem, const struct conv_operands *operands,
                                 struct conv_error *error)
{
    double *wide[CONV_OPERANDS] = { NULL };
    const enum conv_operand output = main_output(problem);
    *seen = (struct conv_sensitivity){ .operand = output, .exact = accepted->evidence[0].check[0] == 'i',
                                      .accuracy = accepted->accuracy,
                                      .outputs = conv_operand_count(problem, output), .unused = unused_of(problem) };
    bool enough = widen_all(wide, problem, operands);
    if (enough)
        enough = look_at_all(seen, problem, (const double *const *)wide);
    if (enough)
        frame_split(seen->at, problem, output, seen->at[0]);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(wide[operand]);
    return enough ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory to look at the products of the output");
}
