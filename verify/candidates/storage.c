/* storage.c - are the numbers of an output those of a narrower type?   Declared in outputs.h.
 *
 * An output that went through f16 on its way to the file is wrong for f32 and right for what it is: all of its
 * numbers have the few bits of the narrow type, and a class of accuracy accepts them.  Only both together are told.
 * Not here: inputs that were narrow, which leave wide outputs.
 */
#include <math.h>
#include <stdio.h>

#include "verify/candidates/outputs.h"
#include "verify/engine/judge.h"
#include "verify/io/element.h"

static bool is_element(double value, enum element element)
{
    return element_value(element, element_bits(element, value)) == value;
}

static bool is_f16(double value) { return is_element(value, ELEMENT_F16); }
static bool is_bf16(double value) { return is_element(value, ELEMENT_BF16); }

/* TF32 has the exponents of f32 and the fraction of f16. */
static bool is_tf32(double value)
{
    int exponent;
    const double fraction = frexp(value, &exponent);
    return ldexp(fraction, 11) == rint(ldexp(fraction, 11));
}

/* THE table, the fewest bits first: numbers of bf16 are mostly those of f16 too, and all of them those of TF32. */
static const struct { const char *name; bool (*has)(double value); enum conv_accuracy class; } types[] = {
    { "bf16", is_bf16, CONV_BF16_INPUTS }, { "f16", is_f16, CONV_F16_INPUTS }, { "f16", is_f16, CONV_F16_SUMS },
    { "TF32", is_tf32, CONV_TF32 },
};

static bool has_all(bool (*has)(double value), const double *got, int64_t count)
{
    int64_t i = 0;
    while (i < count && has(got[i]))
        i++;
    return i == count;
}

void storage_guess(struct conv_finding *finding, const struct conv_problem *problem, enum conv_operand output,
                   const struct conv_operands *operands, const struct conv_truth *truth, const double *got)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct judging how = { outputs_are_exact(problem, operands, truth, types[i].class), types[i].class };
        struct conv_finding other;
        double worst = 0;
        if (!has_all(types[i].has, got, truth->count)
            || judge_output(&other, &worst, problem, output, truth, got, how))
            continue;
        snprintf(finding->guess, sizeof finding->guess, "%s is stored in %s: --accuracy %s accepts it",
                 conv_operand_name(problem, output), types[i].name, conv_accuracy_facts(types[i].class)->name);
        return;
    }
}
