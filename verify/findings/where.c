/* where.c - where wrong outputs lie, in words.   Declared in where.h. */
#include "verify/findings/where.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void spread_fill(struct spread *s, const struct frame *frame, int axis, const char *wrong, int64_t count)
{
    int64_t index[FRAME_AXES];
    for (int64_t i = 0; i < count; i++) {
        if (!wrong[i])
            continue;
        frame_index(index, frame, i);
        s->hits += !s->hit[index[axis]];
        s->hit[index[axis]] = 1;
    }
    for (int64_t i = 0; i < s->size; i++)
        if (s->hit[i]) {
            s->first = s->first < 0 ? i : s->first;
            s->last = i;
        }
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

/* Hits at both ends and nowhere between: how many at each.  False otherwise. */
static bool at_both_ends(const struct spread *s, int64_t *begin, int64_t *end)
{
    for (*begin = 0; *begin < s->size && s->hit[*begin]; ++*begin)
        ;
    for (*end = 0; *end < s->size && s->hit[s->size - 1 - *end]; ++*end)
        ;
    return *begin > 0 && *end > 0 && *begin + *end == s->hits;
}

static void describe_axis(char words[CONV_WORDS], const struct spread *s, const char *letter)
{
    const int64_t step = step_of(s);
    int64_t begin, end;
    append(words, "%s%s ", words[0] ? "; " : "", letter);
    if (at_both_ends(s, &begin, &end)) {
        append(words, "= the first %" PRId64 " and the last %" PRId64 " (of %" PRId64 ")", begin, end, s->size);
        return;
    }
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
    const char *side = s->last == s->size - 1 ? "the last " : s->first == 0 ? "the first " : "";
    if (s->hits > 1 && side[0])
        append(words, " (%s%" PRId64 " of %" PRId64 ")", side, s->hits, s->size);
    else
        append(words, " (%sof %" PRId64 ")", side, s->size);
}

/* ---- shapes that no axis shows alone -------------------------------------------------------------------------- */

enum { FIRST_IN_SPACE = 2 };

/* How far from the border of the image the innermost wrong element is, and whether all of them are in the last, or in
 * the first, row or column.  Axes of one element have no border. */
struct shape { int64_t width, least_size; bool last, first; int axes; };

static struct shape shape_of(const struct frame *frame, const char *wrong, int64_t count)
{
    struct shape shape = { 0, INT64_MAX, true, true, 0 };
    for (int a = FIRST_IN_SPACE; a < FRAME_AXES; a++) {
        shape.axes += frame->size[a] > 1;
        if (frame->size[a] > 1 && frame->size[a] < shape.least_size)
            shape.least_size = frame->size[a];
    }
    for (int64_t i = 0; shape.axes > 0 && i < count; i++) {
        int64_t index[FRAME_AXES], distance = INT64_MAX;
        bool last = false, first = false;
        if (!wrong[i])
            continue;
        frame_index(index, frame, i);
        for (int a = FIRST_IN_SPACE; a < FRAME_AXES; a++) {
            const int64_t behind = frame->size[a] - 1 - index[a], nearer = index[a] < behind ? index[a] : behind;
            if (frame->size[a] == 1)
                continue;
            distance = nearer < distance ? nearer : distance;
            last = last || behind == 0;
            first = first || index[a] == 0;
        }
        shape.width = distance + 1 > shape.width ? distance + 1 : shape.width;
        shape.last = shape.last && last;
        shape.first = shape.first && first;
    }
    return shape;
}

static void describe_shape(char words[CONV_WORDS], const struct frame *frame, const char *wrong, int64_t count)
{
    const struct shape shape = shape_of(frame, wrong, count);
    const char *between = words[0] ? "; " : "";
    if (shape.axes < 2)
        return;
    if (shape.last || shape.first)
        append(words, "%sthe %s row and the %s column", between, shape.last ? "last" : "first",
               shape.last ? "last" : "first");
    else if (2 * shape.width < shape.least_size)
        append(words, "%sthe outer frame, of width %" PRId64, between, shape.width);
}

/* Words for the axes on which not all indices are hit, or for the shape of what is wrong; "everywhere" if there are
 * none. */
bool where_describe(char words[CONV_WORDS], const struct frame *frame, const char *wrong, int64_t count)
{
    bool all_of_space = true;
    words[0] = 0;
    for (int a = 0; a < FRAME_AXES; a++) {
        struct spread s = { calloc((size_t)frame->size[a] + 1, 1), frame->size[a], 0, -1, -1 };
        if (!s.hit)
            return false;
        spread_fill(&s, frame, a, wrong, count);
        if (s.hits < s.size)
            describe_axis(words, &s, frame->letter[a]);
        if (a == 1 && frame->groups > 1 && s.hits == s.size - s.size / frame->groups
            && s.first == s.size / frame->groups)
            append(words, ": the groups after the first");
        all_of_space = all_of_space && (a < FIRST_IN_SPACE || s.hits == s.size);
        free(s.hit);
    }
    if (all_of_space)
        describe_shape(words, frame, wrong, count);
    if (!words[0])
        snprintf(words, CONV_WORDS, "everywhere");
    return true;
}
