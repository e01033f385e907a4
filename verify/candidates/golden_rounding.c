/* golden_rounding.c - what did they do to acc, that y came out so?   Declared in golden_case.h.
 *
 * y = clamp(round(acc * scale) + zero point).  Every rounding is tried that convref offers (golden/requantise.c), and
 * those that nobody offers but hardware and scripts have: cut off, or rounded in double; then each of them with one
 * step of the rule left out.  A rounding is named if it gives all of y, and none with a step left out where one with
 * all steps fits.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "verify/candidates/golden_case.h"

/* ---- roundings: accumulator -> round(accumulator * scale) ------------------------------------------------------ */

static double real(int32_t accumulator, const struct requantiser *r) { return accumulator * r->scale; }

/* The product with the 31-bit multiplier.  What a double has no room for is there as a half of the last place that it
 * has: whoever cuts off must know that there is something, and no more. */
static double fixed(int32_t accumulator, const struct requantiser *r)
{
    const int64_t product = (int64_t)accumulator * r->multiplier, one = INT64_C(1) << 31;
    const int64_t whole = product >= 0 ? product / one : -((one - 1 - product) / one);
    return ldexp((double)whole + (product > whole * one ? 0.5 : 0), r->shift);
}

static double floor_real(int32_t a, const struct requantiser *r) { return floor(real(a, r)); }
static double floor_fixed(int32_t a, const struct requantiser *r) { return floor(fixed(a, r)); }
static double trunc_real(int32_t a, const struct requantiser *r) { return trunc(real(a, r)); }
static double trunc_fixed(int32_t a, const struct requantiser *r) { return trunc(fixed(a, r)); }
static double even_real(int32_t a, const struct requantiser *r) { return rint(real(a, r)); }
static double away_real(int32_t a, const struct requantiser *r) { return round(real(a, r)); }
static double up_real(int32_t a, const struct requantiser *r) { return floor(real(a, r) + 0.5); }

/* Rows of one name stand together. */
static const struct { const char *name; double (*round)(int32_t, const struct requantiser *); } others[] = {
    { "floor", floor_real }, { "floor", floor_fixed }, { "trunc", trunc_real }, { "trunc", trunc_fixed },
    { "double-even", even_real }, { "double-away", away_real }, { "double-up", up_real },
};
enum { OTHERS = sizeof others / sizeof *others, ROUNDINGS = REQUANTISE_MODES + OTHERS };

static const char *rounding_name(int rounding)
{
    return rounding < REQUANTISE_MODES ? requantise_name((enum requantise_mode)rounding)
                                       : others[rounding - REQUANTISE_MODES].name;
}

static int32_t output_of(int rounding, int32_t accumulator, const struct requantiser *r)
{
    if (rounding < REQUANTISE_MODES)
        return requantise((enum requantise_mode)rounding, accumulator, r);
    const double y = others[rounding - REQUANTISE_MODES].round(accumulator, r) + r->zero_point;
    return (int32_t)fmax(fmin(y, r->most), r->least);
}

/* ---- steps that are left out ----------------------------------------------------------------------------------- */

struct slip { const char *words; bool no_zero_point, no_activation, one_scale; };
static const struct slip slips[] = {
    { "", false, false, false },
    { " without y's zero point", true, false, false },
    { " without the activation", false, true, false },
    { " without y's zero point and the activation", true, true, false },
    { " with the scale of channel 0 for all", false, false, true },
};
enum { SLIPS = sizeof slips / sizeof *slips };

static struct requantiser slipped(const struct golden_case *made, const struct slip *slip, int64_t k)
{
    struct requantiser r = golden_requantiser(made, slip->one_scale ? 0 : k);
    const bool active = made->plan.problem.act != CONV_ACT_NONE;
    const int least = made->most > 127 ? 0 : -128;   /* of the 8 bits */
    if (slip->no_zero_point)
        r.zero_point = 0;
    if (!active || slip->no_activation)
        r.least = least;
    else if (slip->no_zero_point)
        r.least = 0;
    return r;
}

/* Does `got`, channels first, have all outputs of this rounding? */
static bool fits(const struct golden_case *made, int rounding, const struct slip *slip, const double *acc,
                 const double *got, int64_t count)
{
    const struct conv_problem *problem = &made->plan.problem;
    const int64_t positions = count / (problem->n * problem->k > 0 ? problem->n * problem->k : 1);
    for (int64_t i = 0; i < count; i++) {
        const struct requantiser r = slipped(made, slip, i / positions % problem->k);
        if (got[i] != output_of(rounding, (int32_t)acc[i], &r))
            return false;
    }
    return true;
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

/* "floor, trunc": all roundings that fit with this slip.  Returns how long that is. */
static size_t list_fits(char list[256], const struct golden_case *made, const struct slip *slip, const double *acc,
                        const double *got, int64_t count)
{
    const char *last = "";
    size_t used = 0;
    list[0] = 0;
    for (int rounding = 0; rounding < ROUNDINGS && used < 200; rounding++) {
        const char *name = rounding_name(rounding);
        if (!strcmp(name, last) || !fits(made, rounding, slip, acc, got, count))
            continue;
        used += (size_t)snprintf(list + used, 256 - used, "%s%s", used > 0 ? ", " : "", name);
        last = name;
    }
    return used;
}

void golden_name_rounding(struct conv_finding *finding, const struct golden_case *made, const double *acc,
                          const double *got, int64_t count, bool acc_is_right)
{
    const char *right = acc_is_right ? "acc is right; " : "";
    char list[256];
    for (int slip = 0; slip < SLIPS; slip++)
        if (list_fits(list, made, &slips[slip], acc, got, count) > 0) {
            snprintf(finding->guess, sizeof finding->guess, "%s%s%s would have matched; the vectors are %s", right,
                     list, slips[slip].words, requantise_name(made->settings.mode));
            return;
        }
    snprintf(finding->guess, sizeof finding->guess, acc_is_right
             ? "acc is right; no rounding of it that convref knows gives y; compare scale, zero point and clamp"
             : "none of the rounding modes would have matched; compare acc");
}
