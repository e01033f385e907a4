/* problem_benchdnn.c - reads a problem in the notation of oneDNN's tester benchdnn.
 *
 *     g32mb1ic32ih112oc32oh112kh3sh1ph1dh0n"mobilenet:conv2_1/dw"
 *
 * A letter or two, then a number; `_` and a closing name are ignored; width is taken from height, and
 * height from depth, where it is missing; the end padding follows from the output size.  Dilation
 * counts from 0 there and from 1 here.  This opens oneDNN's published lists of shapes.
 * Source of the rules: oneDNN, tests/benchdnn/doc/driver_conv.md.
 * Not read: post-operations, data types and other options, which stand outside of this string.
 */
#include "core/problem_benchdnn.h"

#include <ctype.h>
#include <string.h>

enum { ABSENT = -1 };
enum size { IN, OUT, FILTER, STRIDE, PAD, DILATION, SIZES };

/* i, o, k, s, p, d; behind each of them comes d, h or w */
static const char size_letters[] = "iokspd";

struct strings {
    int64_t groups, batch, c, k;
    int64_t size[SIZES][CONV_AXES];
};

bool conv_is_benchdnn(const char *text)
{
    text += strspn(text, " \t");
    return *text && !strchr(text, '=') && islower((unsigned char)*text) && strpbrk(text, "0123456789");
}

static enum conv_status fail_at(struct conv_error *error, const char *text, const char *at, int length,
                                const char *message)
{
    conv_fail(error, CONV_BAD_INPUT, "%s in a benchdnn string", message);
    conv_hint(error, "such a string is g32ic32ih112oc32oh112kh3ph1; convref's own is c=32 in=112x112 "
                     "k=32 filter=3x3 groups=32 pad=1");
    if (error) {
        error->position = at - text;
        error->length = length;
    }
    return CONV_BAD_INPUT;
}

/* The number that the letters name; NULL if they name none. */
static int64_t *place_of(struct strings *s, const char *letters, int length)
{
    if (length == 1 && letters[0] == 'g')
        return &s->groups;
    if (length != 2)
        return NULL;
    if (!memcmp(letters, "mb", 2))
        return &s->batch;
    if (!memcmp(letters, "ic", 2))
        return &s->c;
    if (!memcmp(letters, "oc", 2))
        return &s->k;
    const char *size = strchr(size_letters, letters[0]);
    const char *axis = strchr("dhw", letters[1]);
    return size && axis ? &s->size[size - size_letters][axis - "dhw"] : NULL;
}

static enum conv_status read_strings(struct strings *s, const char *text, struct conv_error *error)
{
    const char *at = text;
    while (*at && !isspace((unsigned char)*at)) {
        if (*at == '_') {
            at++;
            continue;
        }
        if (at[0] == 'n' && at[1] == '"')
            return strchr(at + 2, '"') ? CONV_OK : fail_at(error, text, at, 2, "the name has no end");
        const int letters = (int)strspn(at, "abcdefghijklmnopqrstuvwxyz");
        const int digits = (int)strspn(at + letters, "0123456789");
        int64_t *place = place_of(s, at, letters);
        if (!place || *place != ABSENT)
            return fail_at(error, text, at, letters + digits > 0 ? letters + digits : 1,
                           place ? "a size given twice" : "an unknown size");
        if (digits == 0 || digits > 12)
            return fail_at(error, text, at, letters + digits, "a size without a believable number");
        *place = 0;
        for (int i = 0; i < digits; i++)
            *place = *place * 10 + (at[letters + i] - '0');
        at += letters + digits;
    }
    return CONV_OK;
}

/* Missing widths come from heights and missing heights from depths; returns the rank. */
static int complete_axes(struct strings *s)
{
    static const int64_t normal[SIZES] = { ABSENT, ABSENT, ABSENT, 1, ABSENT, 0 };
    const int rank = s->size[IN][CONV_D] != ABSENT ? 3 : s->size[IN][CONV_H] != ABSENT ? 2 : 1;
    for (int size = 0; size < SIZES; size++)
        for (int a = CONV_AXES - rank; a < CONV_AXES; a++)
            if (s->size[size][a] == ABSENT)
                s->size[size][a] = a > CONV_AXES - rank ? s->size[size][a - 1] : normal[size];
    return rank;
}

/* Sizes that multiply to more than 63 bits are for conv_problem_finish() to refuse; here they must not overflow. */
static bool spans_overflow(const struct conv_axis *axis, int64_t out)
{
    int64_t taps, windows, sum;
    return __builtin_mul_overflow(axis->filter - 1, axis->dilation, &taps)
        || __builtin_mul_overflow(out, axis->stride, &windows) || __builtin_add_overflow(taps, windows, &sum);
}

/* Pads of one axis.  With an output size, the beginning is half of what is needed unless it is given. */
static void derive_pads(struct conv_axis *axis, int64_t out, int64_t pad)
{
    if (out == ABSENT || spans_overflow(axis, out)) {
        axis->pad_begin = axis->pad_end = pad == ABSENT ? 0 : pad;
        return;
    }
    const int64_t needed = (out - 1) * axis->stride + conv_extent(axis) - axis->in;
    axis->pad_begin = pad != ABSENT ? pad : needed > 0 ? needed / 2 : 0;
    axis->pad_end = needed - axis->pad_begin > 0 ? needed - axis->pad_begin : 0;
}

enum conv_status conv_parse_benchdnn(struct conv_problem *problem, const char *text,
                                     struct conv_error *error)
{
    struct strings s;
    memset(&s, 0xff, sizeof s);   /* all ABSENT */
    const char *start = text + strspn(text, " \t");
    enum conv_status status = read_strings(&s, start, error);
    if (status != CONV_OK)
        return status;

    const int rank = complete_axes(&s);
    struct conv_problem read = conv_problem_default(rank);
    read.n = s.batch == ABSENT ? 1 : s.batch;
    read.groups = s.groups == ABSENT ? 1 : s.groups;
    read.c = s.c;
    read.k = s.k;
    for (int a = CONV_AXES - rank; a < CONV_AXES; a++) {
        struct conv_axis *axis = &read.axis[a];
        if (s.c == ABSENT || s.k == ABSENT || s.size[IN][a] == ABSENT || s.size[FILTER][a] == ABSENT)
            return fail_at(error, start, start, 1, "one of ic, oc, ih and kh is missing");
        axis->in = s.size[IN][a];
        axis->filter = s.size[FILTER][a];
        axis->stride = s.size[STRIDE][a];
        axis->dilation = s.size[DILATION][a] + 1;
        derive_pads(axis, s.size[OUT][a], s.size[PAD][a]);
    }
    status = conv_problem_finish(&read, error);
    for (int a = CONV_AXES - rank; a < CONV_AXES && status == CONV_OK; a++)
        if (s.size[OUT][a] != ABSENT && s.size[OUT][a] != read.axis[a].out)
            return fail_at(error, start, start, (int)strlen(start), "the output size does not fit the rest");
    if (status == CONV_OK)
        *problem = read;
    return status;
}
