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
bool where_describe(char words[CONV_WORDS], const struct frame *frame, const char *wrong, int64_t count)
{
    words[0] = 0;
    for (int a = 0; a < FRAME_AXES; a++) {
        struct spread s = { calloc((size_t)frame->size[a] + 1, 1), frame->size[a], 0, -1, -1 };
        int64_t index[FRAME_AXES];
        if (!s.hit)
            return false;
        for (int64_t i = 0; i < count; i++) {
            if (!wrong[i])
                continue;
            frame_index(index, frame, i);
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
    return true;
}
