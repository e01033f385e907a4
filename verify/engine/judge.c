/* judge.c - which outputs are wrong.   Declared in judge.h.
 *
 * NaN and infinity come first, and then only `ok = (error <= bound)`: a comparison that NaN can't pass.  No error
 * is averaged, and none is measured against another element.   Not here: where they lie, in words (where.c)
 */
#include "verify/engine/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/engine/frame.h"
#include "verify/findings/where.h"

static bool is_right(double got, double expected, double bound, bool exact)
{
    if (isnan(expected))
        return isnan(got);
    if (isinf(expected) || exact)
        return got == expected;
    return fabs(got - expected) <= bound;
}

static void keep_first(struct conv_finding *finding, const struct frame *frame, int64_t element, double expected,
                       double got, double bound)
{
    if (finding->shown == CONV_WRONG_SHOWN)
        return;
    struct conv_wrong *wrong = &finding->first[finding->shown++];
    frame_index(wrong->index, frame, element);
    wrong->expected = expected;
    wrong->got = got;
    wrong->bound = bound;
}

/* The bound of every element; NULL if they must be exact, or memory is short. */
static double *bounds_of(const struct conv_truth *truth, const struct conv_problem *problem, enum conv_operand output,
                         struct judging how)
{
    double *bounds = how.exact ? NULL : malloc(((size_t)truth->count + 1) * sizeof *bounds);
    if (bounds)
        conv_truth_bounds(bounds, truth, problem, output, how.accuracy);
    return bounds;
}

void judge_rounds(double *got, int64_t count, struct judging how)
{
    for (int64_t i = 0; how.exact && conv_accuracy_transforms(how.accuracy) && i < count; i++)
        got[i] = rint(got[i]);
}

enum judged judge_output(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                         enum conv_operand output, const struct conv_truth *truth, const double *got, struct judging how)
{
    const struct frame frame = frame_of(problem, output);
    double *bounds = bounds_of(truth, problem, output, how);
    if (!bounds && !how.exact)
        return JUDGED_NOT;
    char *wrong = NULL;
    finding->wrong = 0;
    finding->shown = 0;
    for (int64_t i = 0; i < truth->count; i++) {
        const double bound = bounds ? bounds[i] : 0;
        if (is_right(got[i], truth->value[i], bound, !bounds)) {
            if (bound > 0 && fabs(got[i] - truth->value[i]) / bound > *worst)
                *worst = fabs(got[i] - truth->value[i]) / bound;
            continue;
        }
        if (!wrong)
            wrong = calloc((size_t)truth->count, 1);
        if (wrong)
            wrong[i] = 1;
        finding->wrong++;
        keep_first(finding, &frame, i, truth->value[i], got[i], bound);
    }
    finding->operand = output;
    finding->elements = truth->count;
    if (wrong)
        where_describe(finding->where, &frame, wrong, truth->count);
    free(wrong);
    free(bounds);
    return finding->wrong > 0 ? JUDGED_WRONG : JUDGED_RIGHT;
}

enum judged judge_elements(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                           enum conv_operand output, const struct conv_truth *truth, const int64_t *element,
                           const double *got, struct judging how)
{
    const struct frame frame = frame_of(problem, output);
    double *bounds = bounds_of(truth, problem, output, how);
    if (!bounds && !how.exact)
        return JUDGED_NOT;
    finding->wrong = 0;
    finding->shown = 0;
    for (int64_t i = 0; i < truth->count; i++) {
        const double bound = bounds ? bounds[i] : 0, value = got[i];
        if (is_right(value, truth->value[i], bound, !bounds)) {
            if (bound > 0 && fabs(value - truth->value[i]) / bound > *worst)
                *worst = fabs(value - truth->value[i]) / bound;
            continue;
        }
        finding->wrong++;
        keep_first(finding, &frame, element[i], truth->value[i], value, bound);
    }
    finding->operand = output;
    finding->elements = truth->count;
    free(bounds);
    snprintf(finding->where, sizeof finding->where, "among %" PRId64 " outputs that were looked at", truth->count);
    return finding->wrong > 0 ? JUDGED_WRONG : JUDGED_RIGHT;
}
