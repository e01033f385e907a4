/* judge.c - which outputs are wrong, and where they lie, in words.
 *
 * NaN and infinity come first, and then only `ok = (error <= bound)`: a comparison that NaN can't pass.  No error
 * is averaged, and none is measured against another element.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { AXES = 5 };

/* The index of an output element: sizes and letters of its axes. */
struct frame { int64_t size[AXES]; const char *letter[AXES]; };

static struct frame frame_of(const struct conv_problem *problem, enum conv_operand operand)
{
    const struct conv_axis *a = problem->axis;
    const bool transposed = problem->op == CONV_OP_TRANSPOSED;
    switch (operand) {
    case CONV_X:
        return (struct frame){ { problem->n, problem->c, a[0].in, a[1].in, a[2].in }, { "n", "c", "d", "h", "w" } };
    case CONV_WEIGHTS:
        return (struct frame){ { transposed ? problem->c : problem->k,
                                 (transposed ? problem->k : problem->c) / problem->groups,
                                 a[0].filter, a[1].filter, a[2].filter },
                               { transposed ? "c" : "k", transposed ? "k" : "c", "t", "r", "s" } };
    case CONV_BIAS:
        return (struct frame){ { problem->k, 1, 1, 1, 1 }, { "k", "", "", "", "" } };
    default:
        return (struct frame){ { problem->n, problem->k, a[0].out, a[1].out, a[2].out },
                               { "n", "k", "z", "p", "q" } };
    }
}

static void index_of(int64_t index[AXES], const struct frame *frame, int64_t element)
{
    for (int a = AXES - 1; a >= 0; a--) {
        index[a] = element % frame->size[a];
        element /= frame->size[a];
    }
}

void judge_index(int64_t index[AXES], const struct conv_problem *problem, enum conv_operand operand, int64_t element)
{
    const struct frame frame = frame_of(problem, operand);
    index_of(index, &frame, element);
}

/* ---- where, in words ------------------------------------------------------------------------------------ */

/* On one axis, which indices have a wrong output? */
struct spread { char *hit; int64_t size, hits, first, last; };

static void append(char words[CONV_WORDS], const char *format, ...) CONV_PRINTF(2, 3);
static void append(char words[CONV_WORDS], const char *format, ...)
{
    const size_t used = strlen(words);
    va_list args;
    va_start(args, format);
    vsnprintf(words + used, CONV_WORDS - used, format, args);
    va_end(args);
}

/* The distance between hits if it is the same everywhere, else 0. */
static int64_t step_of(const struct spread *s)
{
    int64_t step = 0, previous = -1;
    for (int64_t i = 0; i < s->size; i++) {
        if (!s->hit[i])
            continue;
        if (previous >= 0 && step == 0)
            step = i - previous;
        if (previous >= 0 && i - previous != step)
            return 0;
        previous = i;
    }
    return step;
}

static void describe_axis(char words[CONV_WORDS], const struct spread *s, const char *letter)
{
    const int64_t step = step_of(s);
    append(words, "%s%s ", words[0] ? "; " : "", letter);
    if (s->hits == 1)
        append(words, "= %" PRId64, s->first);
    else if (step == 1)
        append(words, "= %" PRId64 "..%" PRId64, s->first, s->last);
    else if (step > 1 && s->hits > 2)
        append(words, "= %" PRId64 ", %" PRId64 ", ... %" PRId64 " (every %" PRId64 ")", s->first,
               s->first + step, s->last, step);
    else
        append(words, "at %" PRId64 " of %" PRId64 " places", s->hits, s->size);
    if (step != 1 && s->hits != 1)
        return;
    const char *end = s->last == s->size - 1 ? "the last " : s->first == 0 ? "the first " : "";
    if (s->hits > 1 && end[0])
        append(words, " (%s%" PRId64 " of %" PRId64 ")", end, s->hits, s->size);
    else
        append(words, " (%sof %" PRId64 ")", end, s->size);
}

/* Words for the axes on which not all indices are hit; "everywhere" if there are none. */
static void describe_where(char words[CONV_WORDS], const struct frame *frame, const char *wrong, int64_t count)
{
    words[0] = 0;
    for (int a = 0; a < AXES; a++) {
        struct spread s = { calloc((size_t)frame->size[a] + 1, 1), frame->size[a], 0, -1, -1 };
        int64_t index[AXES];
        if (!s.hit)
            return;
        for (int64_t i = 0; i < count; i++) {
            if (!wrong[i])
                continue;
            index_of(index, frame, i);
            s.hits += !s.hit[index[a]];
            s.hit[index[a]] = 1;
        }
        for (int64_t i = 0; i < s.size; i++)
            if (s.hit[i]) {
                s.first = s.first < 0 ? i : s.first;
                s.last = i;
            }
        if (s.hits < s.size)
            describe_axis(words, &s, frame->letter[a]);
        free(s.hit);
    }
    if (!words[0])
        snprintf(words, CONV_WORDS, "everywhere");
}

/* ---- element by element ----------------------------------------------------------------------------------- */

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
    index_of(wrong->index, frame, element);
    wrong->expected = expected;
    wrong->got = got;
    wrong->bound = bound;
}

/* The bound of every element; NULL if they must be exact, or memory is short, which is then as strict. */
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

bool judge_output(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                  enum conv_operand output, const struct conv_truth *truth, const double *got, struct judging how)
{
    const struct frame frame = frame_of(problem, output);
    double *bounds = bounds_of(truth, problem, output, how);
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
        describe_where(finding->where, &frame, wrong, truth->count);
    free(wrong);
    free(bounds);
    return finding->wrong > 0;
}

bool judge_elements(struct conv_finding *finding, double *worst, const struct conv_problem *problem,
                    enum conv_operand output, const struct conv_truth *truth, const int64_t *element,
                    const double *got, enum conv_accuracy accuracy)
{
    const struct frame frame = frame_of(problem, output);
    double *bounds = bounds_of(truth, problem, output, (struct judging){ .accuracy = accuracy });
    finding->wrong = 0;
    finding->shown = 0;
    for (int64_t i = 0; i < truth->count; i++) {
        const double bound = bounds ? bounds[i] : 0, value = got[element[i]];
        if (is_right(value, truth->value[i], bound, false)) {
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
    return finding->wrong > 0;
}

char *conv_wrong_print(char text[128], const struct conv_finding *finding, const struct conv_wrong *wrong)
{
    const struct frame frame = frame_of(&finding->problem, finding->operand);
    size_t used = 0;
    text[0] = 0;
    for (int a = 0; a < AXES; a++)
        if (frame.letter[a][0] && (frame.size[a] > 1 || a < 2))
            used += (size_t)snprintf(text + used, 128 - used, "%s%s=%" PRId64, used > 0 ? " " : "",
                                     frame.letter[a], wrong->index[a]);
    return text;
}
