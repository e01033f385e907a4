/* problem_benchdnn.c - reads a problem in the notation of oneDNN's tester benchdnn.
 *
 *     g32mb1ic32ih112oc32oh112kh3sh1ph1dh0n"mobilenet:conv2_1/dw"
 *     --deconv --dir=BWD_W ic8ih4oc8oh8kh4sh2ph1
 *
 * A letter or two, then a number; `_` and a closing name are ignored.  The batch is 2 unless it is given.  An axis of
 * which nothing is given is like the one before it (width like height, both like depth); one of which something is
 * given has an input and a filter of its own, stride 1, dilation 0, and a padding that follows from its output.
 * Dilation counts from 0 there and from 1 here.  Options of the tester may stand in front: those of `options` below.
 * Source of the rules: oneDNN, tests/benchdnn/doc/knobs_desc.md and driver_conv.md.
 * Not read: post-operations, data types and other options.
 */
#include "core/problem_benchdnn.h"

#include <ctype.h>
#include <string.h>

enum { ABSENT = -1, NORMAL_BATCH = 2 };
enum size { IN, OUT, FILTER, STRIDE, PAD, DILATION, SIZES };

/* i, o, k, s, p, d; behind each of them comes d, h or w */
static const char size_letters[] = "iokspd";

struct strings {
    int64_t groups, batch, c, k;
    int64_t size[SIZES][CONV_AXES];
};

/* What options in front say. */
struct options { bool transposed, bias; enum conv_pass pass; int64_t batch; };

/* The string itself, behind options. */
static const char *skip_options(const char *text)
{
    text += strspn(text, " \t");
    while (text[0] == '-' && text[1] == '-') {
        text += strcspn(text, " \t");
        text += strspn(text, " \t");
    }
    return text;
}

/* No key=value begins with one or two letters and a digit. */
bool conv_is_benchdnn(const char *text)
{
    text = skip_options(text);
    const size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    return (letters == 1 || letters == 2) && isdigit((unsigned char)text[letters]);
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

/* Nothing follows but spaces. */
static enum conv_status check_end(const char *text, const char *at, struct conv_error *error)
{
    at += strspn(at, " \t\r\n");
    return *at ? fail_at(error, text, at, (int)strlen(at), "something behind its end") : CONV_OK;
}

/* n"any words", nword or n alone. */
static enum conv_status read_name(const char *text, const char *at, struct conv_error *error)
{
    if (at[1] != '"')
        return check_end(text, at + strcspn(at, " \t\r\n"), error);
    const char *end = strchr(at + 2, '"');
    return end ? check_end(text, end + 1, error) : fail_at(error, text, at, 2, "the name has no end");
}

static enum conv_status read_strings(struct strings *s, const char *text, const char *at, struct conv_error *error)
{
    while (*at && !isspace((unsigned char)*at)) {
        if (*at == '_') {
            at++;
            continue;
        }
        if (at[0] == 'n')
            return read_name(text, at, error);
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
    return check_end(text, at, error);
}

/* Is nothing of an axis given?  Zeros and a stride of 1 are nothing, as in the tester. */
static bool is_absent(const struct strings *s, int axis)
{
    static const int64_t nothing[SIZES] = { 0, 0, 0, 1, 0, 0 };
    for (int size = 0; size < SIZES; size++)
        if (s->size[size][axis] != ABSENT && s->size[size][axis] != nothing[size])
            return false;
    return true;
}

/* Axes of which nothing is given come from the one before; returns the rank, 0 if some are there and others not. */
static int complete_axes(struct strings *s)
{
    static const int64_t normal[SIZES] = { ABSENT, ABSENT, ABSENT, 1, ABSENT, 0 };
    const bool no_d = is_absent(s, CONV_D), no_h = is_absent(s, CONV_H), no_w = is_absent(s, CONV_W);
    const int rank = !no_d ? 3 : !no_h ? 2 : 1;
    if (rank == 3 && no_h != no_w)
        return 0;
    for (int size = 0; size < SIZES; size++) {
        for (int a = CONV_AXES - rank; a < CONV_AXES; a++)
            if (s->size[size][a] == ABSENT)
                s->size[size][a] = normal[size];
        if (rank == 3 && no_h)
            s->size[size][CONV_H] = s->size[size][CONV_D];
        if (rank >= 2 && no_w)
            s->size[size][CONV_W] = s->size[size][CONV_H];
    }
    return rank;
}

/* Sizes that multiply to more than 63 bits are for conv_problem_finish() to refuse; here they must not overflow. */
static bool spans_overflow(const struct conv_axis *axis, int64_t out)
{
    int64_t taps, windows, sum;
    return __builtin_mul_overflow(axis->filter - 1, axis->dilation, &taps)
        || __builtin_mul_overflow(out, axis->stride, &windows) || __builtin_add_overflow(taps, windows, &sum)
        || __builtin_add_overflow(sum, 1, &sum);
}

/* Pads of one axis.  With an output size, the beginning is half of what is needed unless it is given, and the end is
 * the rest; a transposed axis is cut, and lengthened where the taps don't reach. */
static void derive_pads(struct conv_axis *axis, int64_t out, int64_t pad, bool transposed)
{
    if (out == ABSENT || spans_overflow(axis, transposed ? axis->in : out)) {
        axis->pad_begin = axis->pad_end = pad == ABSENT ? 0 : pad;
        return;
    }
    const int64_t from = transposed ? axis->in : out, to = transposed ? out : axis->in;
    const int64_t needed = (from - 1) * axis->stride + conv_extent(axis) - to;
    axis->pad_begin = pad != ABSENT ? pad : needed > 0 ? needed / 2 : 0;
    axis->pad_end = needed - axis->pad_begin > 0 ? needed - axis->pad_begin : 0;
    if (transposed && needed < axis->pad_begin)
        axis->output_pad = axis->pad_begin - needed;
}

/* ---- options in front --------------------------------------------------------------------------------------- */

static const struct { const char *text; struct options said; } options[] = {
    { "--conv", { false, false, CONV_FORWARD, ABSENT } }, { "--deconv", { true, false, CONV_FORWARD, ABSENT } },
    { "--dir=FWD_B", { false, true, CONV_FORWARD, ABSENT } },
    { "--dir=FWD_D", { false, false, CONV_FORWARD, ABSENT } },
    { "--dir=FWD_I", { false, false, CONV_FORWARD, ABSENT } },
    { "--dir=BWD_D", { false, false, CONV_BACKWARD_DATA, ABSENT } },
    { "--dir=BWD_W", { false, false, CONV_BACKWARD_WEIGHTS, ABSENT } },
    { "--dir=BWD_WB", { false, true, CONV_BACKWARD_WEIGHTS, ABSENT } },
};

/* --mb=N goes before the batch of the string, unless N is 0. */
static bool read_batch(struct options *read, const char *word, size_t length)
{
    if (length < 6 || length > 15 || strncmp(word, "--mb=", 5) || strspn(word + 5, "0123456789") != length - 5)
        return false;
    read->batch = 0;
    for (size_t i = 5; i < length; i++)
        read->batch = read->batch * 10 + (word[i] - '0');
    read->batch = read->batch ? read->batch : ABSENT;
    return true;
}

static enum conv_status read_options(struct options *read, const char *text, struct conv_error *error)
{
    *read = (struct options){ .pass = CONV_FORWARD, .batch = ABSENT };
    for (const char *word = text; word[0] == '-'; ) {
        const size_t length = strcspn(word, " \t");
        bool known = read_batch(read, word, length);
        for (size_t i = 0; i < sizeof options / sizeof *options && !known; i++) {
            known = strlen(options[i].text) == length && !strncmp(word, options[i].text, length);
            if (known) {
                read->transposed |= options[i].said.transposed;
                read->bias |= options[i].said.bias;
                read->pass = i < 2 ? read->pass : options[i].said.pass;
            }
        }
        if (!known) {
            fail_at(error, text, word, (int)length, "an unknown option");
            conv_hint(error, "options that are read are --conv, --deconv, --mb=N and --dir=FWD_B, FWD_D, FWD_I, "
                             "BWD_D, BWD_W or BWD_WB");
            return CONV_BAD_INPUT;
        }
        word += length + strspn(word + length, " \t");
    }
    return CONV_OK;
}

/* ---- the problem -------------------------------------------------------------------------------------------- */

/* What a convolution can make: no window lies in the padding alone.  Deconvolutions, which look alike, make more. */
static bool is_believable(const struct conv_axis *axis, int64_t given)
{
    return given == ABSENT || spans_overflow(axis, given) || axis->pad_end < conv_extent(axis)
        || axis->pad_end <= axis->pad_begin;
}

static enum conv_status fill_axes(struct conv_problem *read, const struct strings *s, const char *text,
                                  const char *start, struct conv_error *error)
{
    const bool transposed = read->op == CONV_OP_TRANSPOSED;
    for (int a = CONV_AXES - read->rank; a < CONV_AXES; a++) {
        struct conv_axis *axis = &read->axis[a];
        if (s->c == ABSENT || s->k == ABSENT || s->size[IN][a] == ABSENT || s->size[FILTER][a] == ABSENT)
            return fail_at(error, text, start, 1, "one of ic, oc, ih and kh is missing");
        axis->in = s->size[IN][a];
        axis->filter = s->size[FILTER][a];
        axis->stride = s->size[STRIDE][a];
        axis->dilation = s->size[DILATION][a] + 1;
        derive_pads(axis, s->size[OUT][a], s->size[PAD][a], transposed);
        if (transposed || is_believable(axis, s->size[OUT][a]))
            continue;
        fail_at(error, text, start, (int)strlen(start), "an output size with windows outside of the image");
        conv_hint(error, "a deconvolution has --deconv in front, such as \"--deconv ic8ih4oc8oh8kh4sh2ph1\"");
        return CONV_BAD_INPUT;
    }
    return CONV_OK;
}

enum conv_status conv_parse_benchdnn(struct conv_problem *problem, const char *text,
                                     struct conv_error *error)
{
    struct strings s;
    struct options said;
    memset(&s, 0xff, sizeof s);   /* all ABSENT */
    text += strspn(text, " \t");
    const char *start = skip_options(text);
    enum conv_status status = read_options(&said, text, error);
    if (status == CONV_OK)
        status = read_strings(&s, text, start, error);
    if (status != CONV_OK)
        return status;
    const int rank = complete_axes(&s);
    if (rank == 0)
        return fail_at(error, text, start, (int)strlen(start),
                       "a height without a width, or a width without a height,");
    struct conv_problem read = conv_problem_default(rank);
    read.op = said.transposed ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
    read.pass = said.pass;
    read.bias = said.bias;
    read.n = said.batch != ABSENT ? said.batch : s.batch != ABSENT ? s.batch : NORMAL_BATCH;
    read.groups = s.groups == ABSENT ? 1 : s.groups;
    read.c = s.c;
    read.k = s.k;
    status = fill_axes(&read, &s, text, start, error);
    if (status == CONV_OK)
        status = conv_problem_finish(&read, error);
    for (int a = CONV_AXES - rank; a < CONV_AXES && status == CONV_OK; a++)
        if (s.size[OUT][a] != ABSENT && s.size[OUT][a] != read.axis[a].out)
            return fail_at(error, text, start, (int)strlen(start), "the output size does not fit the rest");
    if (status == CONV_OK)
        *problem = read;
    return status;
}
