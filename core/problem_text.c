/* problem_text.c - reads a problem from one line of text: key=value, in any order.
 *
 * Reading goes in two steps.  First the line is cut into tokens and every token is put into the slot
 * of its key (unknown and repeated keys end here).  Then the slots are read in a fixed order, `in`
 * first because it sets the rank.  conv_problem_finish() has the last word.
 * Declared in convref/problem.h; the grammar is docs/problem.md.   Not here: how it is written (problem_print.c).
 */
#include <convref/problem.h>
#include <stdio.h>
#include <string.h>

#include "core/problem_benchdnn.h"
#include "core/words.h"

enum key {
    OP, N, C, IN, K, FILTER, GROUPS, STRIDE, PAD, DILATION, OUTPUT_PAD, MULT, BIAS, ACT, MID_ACT,
    EXPAND, RESIDUAL, LAYOUT, TYPE, PASS, KEYS
};

static const char *const key_names[KEYS] = {
    "op", "n", "c", "in", "k", "filter", "groups", "stride", "pad", "dilation", "output_pad", "mult",
    "bias", "act", "mid_act", "expand", "residual", "layout", "type", "pass"
};

/* Part of the line: the value of a key, or a piece of it. */
struct span { const char *at; int length; };

struct reader {
    const char *line;
    struct span value[KEYS];    /* at == NULL: the key is not there */
    struct conv_error *error;
};

/* ---- errors that point at their place ------------------------------------------------------------- */

static enum conv_status point_at(const struct reader *reader, struct span place)
{
    if (reader->error) {
        reader->error->position = place.at - reader->line;
        reader->error->length = place.length > 0 ? place.length : 1;
    }
    return CONV_BAD_INPUT;
}

/* For callers who made the line from something else, such as a node of a network, and point there. */
static void name_key(const struct reader *reader, enum key key)
{
    if (reader->error)
        snprintf(reader->error->key, sizeof reader->error->key, "%s", key_names[key]);
}

/* Reject the value of a key (or a piece of it) and say what would be legal. */
static enum conv_status bad_value(const struct reader *reader, enum key key, struct span place,
                                  const char *legal)
{
    conv_fail(reader->error, CONV_BAD_INPUT, "'%.*s' is not a value of %s", place.length, place.at,
              key_names[key]);
    conv_hint(reader->error, "%s is %s", key_names[key], legal);
    name_key(reader, key);
    return point_at(reader, place);
}

/* ---- step 1: tokens into slots ----------------------------------------------------------------------- */

static enum key find_key(struct span name)
{
    enum key key = 0;
    while (key < KEYS && (strlen(key_names[key]) != (size_t)name.length
                          || memcmp(key_names[key], name.at, (size_t)name.length)))
        key++;
    return key;
}

static enum conv_status unknown_key(const struct reader *reader, struct span name)
{
    char word[32];
    snprintf(word, sizeof word, "%.*s", name.length, name.at);
    const char *nearest = conv_nearest(word, key_names, KEYS);
    conv_fail(reader->error, CONV_BAD_INPUT, "'%.*s' is not a key", name.length, name.at);
    conv_hint(reader->error, "%s%s%skeys are op n c in k filter groups stride pad dilation output_pad "
              "mult bias act mid_act expand residual layout type pass", nearest ? "did you mean " : "",
              nearest ? nearest : "", nearest ? "? " : "");
    return point_at(reader, name);
}

static enum conv_status slot_token(struct reader *reader, struct span token)
{
    const char *equals = memchr(token.at, '=', (size_t)token.length);
    if (!equals) {
        conv_fail(reader->error, CONV_BAD_INPUT, "'%.*s' has no '='", token.length, token.at);
        conv_hint(reader->error, "a problem is a line of key=value, such as c=32 in=112x112 k=64 filter=3x3");
        return point_at(reader, token);
    }
    const struct span name = { token.at, (int)(equals - token.at) };
    const enum key key = find_key(name);
    if (key == KEYS)
        return unknown_key(reader, name);
    if (reader->value[key].at) {
        conv_fail(reader->error, CONV_BAD_INPUT, "%s is given twice", key_names[key]);
        return point_at(reader, token);
    }
    reader->value[key] = (struct span){ equals + 1, token.length - name.length - 1 };
    if (reader->value[key].length == 0) {
        conv_fail(reader->error, CONV_BAD_INPUT, "%s has no value", key_names[key]);
        return point_at(reader, token);
    }
    return CONV_OK;
}

static enum conv_status cut_into_slots(struct reader *reader)
{
    static const char spaces[] = " \t\r\n";
    const char *at = reader->line + strspn(reader->line, spaces);
    while (*at) {
        const struct span token = { at, (int)strcspn(at, spaces) };
        enum conv_status status = slot_token(reader, token);
        if (status != CONV_OK)
            return status;
        at += token.length;
        at += strspn(at, spaces);
    }
    return CONV_OK;
}

/* ---- step 2: slots into the struct --------------------------------------------------------------------- */

/* A number of decimal digits alone: no sign, no exponent, no 0x; at most 15 digits. */
static bool read_digits(int64_t *number, struct span digits)
{
    *number = 0;
    for (int i = 0; i < digits.length && i < 15; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        *number = *number * 10 + (digits.at[i] - '0');
    }
    return digits.length > 0 && digits.length <= 15;
}

static enum conv_status read_number(const struct reader *reader, enum key key, int64_t *number)
{
    int64_t value;
    if (!reader->value[key].at)
        return CONV_OK;
    if (!read_digits(&value, reader->value[key]))
        return bad_value(reader, key, reader->value[key], "a number, digits only, at most 2^40");
    *number = value;
    return CONV_OK;
}

static enum conv_status read_word(const struct reader *reader, enum key key, int *choice,
                                  const char *legal, const char *(*name)(int, int), int count, int rank)
{
    const struct span value = reader->value[key];
    if (!value.at)
        return CONV_OK;
    for (int i = 0; i < count; i++)
        if (strlen(name(i, rank)) == (size_t)value.length
            && !memcmp(name(i, rank), value.at, (size_t)value.length)) {
            *choice = i;
            return CONV_OK;
        }
    return bad_value(reader, key, value, legal);
}

/* The next of the pieces that `separator` divides; false when there is none left. */
static bool next_piece(struct span *piece, struct span *rest, char separator)
{
    if (rest->length < 0)
        return false;
    const char *end = memchr(rest->at, separator, (size_t)rest->length);
    piece->at = rest->at;
    piece->length = end ? (int)(end - rest->at) : rest->length;
    rest->at += piece->length + 1;
    rest->length -= piece->length + 1;
    return true;
}

static int count_pieces(struct span value)
{
    int pieces = 1;
    for (int i = 0; i < value.length; i++)
        pieces += value.at[i] == 'x';
    return pieces;
}

static enum conv_status check_pieces(const struct reader *reader, enum key key, int rank)
{
    const int pieces = count_pieces(reader->value[key]);
    if (pieces == rank || pieces == 1)
        return CONV_OK;
    conv_fail(reader->error, CONV_BAD_INPUT, "%s has %d numbers, but in has %d axes", key_names[key],
              pieces, rank);
    conv_hint(reader->error, "give %s one number for all axes, or %d of them with x between",
              key_names[key], rank);
    name_key(reader, key);
    return point_at(reader, reader->value[key]);
}

/* One number for each axis, or one for all. */
static enum conv_status read_axes(const struct reader *reader, enum key key,
                                  struct conv_problem *problem, size_t field)
{
    const int first = CONV_AXES - problem->rank;
    struct span piece, rest = reader->value[key];
    if (!rest.at)
        return CONV_OK;
    if (check_pieces(reader, key, problem->rank) != CONV_OK)
        return CONV_BAD_INPUT;
    for (int a = first; next_piece(&piece, &rest, 'x'); a++) {
        int64_t number;
        if (!read_digits(&number, piece))
            return bad_value(reader, key, piece, "one number, or one for each axis: 3 or 3x5");
        for (int b = a; b < CONV_AXES; b++)   /* a later piece overwrites what this one broadcasts */
            memcpy((char *)&problem->axis[b] + field, &number, sizeof number);
    }
    return CONV_OK;
}

/* pad=1, pad=1x2, pad=0:1x0:1; the words are resolved in resolve_same(). */
static enum conv_status read_pads(const struct reader *reader, struct conv_problem *problem)
{
    struct span piece, rest = reader->value[PAD];
    if (check_pieces(reader, PAD, problem->rank) != CONV_OK)
        return CONV_BAD_INPUT;
    for (int a = CONV_AXES - problem->rank; next_piece(&piece, &rest, 'x'); a++) {
        struct span begin = piece, end = piece;
        int64_t pads[2];
        next_piece(&begin, &end, ':');
        if (!read_digits(&pads[0], begin) || !read_digits(&pads[1], end.length < 0 ? begin : end))
            return bad_value(reader, PAD, piece,
                             "a number, begin:end, one of them for each axis (1x2, 0:1x0:1), same, "
                             "same_lower or valid");
        for (int b = a; b < CONV_AXES; b++) {
            problem->axis[b].pad_begin = pads[0];
            problem->axis[b].pad_end = pads[1];
        }
    }
    return CONV_OK;
}

/* `same` makes out = ceil(in / stride), and in * stride for a transposed problem; the odd zero goes to
 * the end, and with `same_lower` to the beginning.  Source: the ONNX operators Conv and ConvTranspose,
 * auto_pad SAME_UPPER and SAME_LOWER. */
static void resolve_same(struct conv_problem *problem, bool lower)
{
    for (int a = CONV_AXES - problem->rank; a < CONV_AXES; a++) {
        struct conv_axis *axis = &problem->axis[a];
        int64_t span, total;   /* span = extent - 1 */
        if (axis->stride < 1 || __builtin_mul_overflow(axis->filter - 1, axis->dilation, &span)
            || span > INT64_MAX / 2)
            continue;          /* conv_problem_finish() will say so */
        if (problem->op == CONV_OP_TRANSPOSED)
            total = span + 1 + axis->output_pad - axis->stride;
        else
            total = (conv_ceil_div(axis->in, axis->stride) - 1) * axis->stride + span + 1 - axis->in;
        if (total < 0)
            total = 0;
        axis->pad_begin = lower ? total - total / 2 : total / 2;
        axis->pad_end = total - axis->pad_begin;
    }
}

static bool is_word(struct span value, const char *word)
{
    return (size_t)value.length == strlen(word) && !memcmp(value.at, word, strlen(word));
}

static enum conv_status read_padding(const struct reader *reader, struct conv_problem *problem)
{
    const struct span value = reader->value[PAD];
    if (!value.at || is_word(value, "valid"))
        return CONV_OK;
    if (!is_word(value, "same") && !is_word(value, "same_lower"))
        return read_pads(reader, problem);
    resolve_same(problem, is_word(value, "same_lower"));
    return CONV_OK;
}

static enum conv_status read_rank(const struct reader *reader, struct conv_problem *problem)
{
    const int rank = count_pieces(reader->value[IN]);
    if (rank > CONV_AXES)
        return bad_value(reader, IN, reader->value[IN], "one to three numbers: 128, 112x112 or 8x28x28");
    *problem = conv_problem_default(rank);
    return CONV_OK;
}

static enum conv_status check_required(const struct reader *reader)
{
    static const enum key required[] = { C, IN, K, FILTER };
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!reader->value[required[i]].at) {
            const int length = (int)strlen(reader->line);
            conv_fail(reader->error, CONV_BAD_INPUT, "%s is missing", key_names[required[i]]);
            conv_hint(reader->error, "c, in, k and filter have no default");
            return point_at(reader, (struct span){ reader->line + length, 1 });
        }
    return CONV_OK;
}

static const char *op_name(int i, int rank) { (void)rank; return conv_op_name(i); }
static const char *act_name(int i, int rank) { (void)rank; return conv_activation_name(i); }
static const char *layout_name(int i, int rank) { return conv_layout_name(i, rank); }
static const char *type_name(int i, int rank) { (void)rank; return conv_type_facts(i)->name; }
static const char *pass_name(int i, int rank) { (void)rank; return conv_pass_name(i); }
static const char *bool_name(int i, int rank) { (void)rank; return i ? "1" : "0"; }

static enum conv_status read_words(const struct reader *reader, struct conv_problem *problem)
{
    static const char *const layouts[] = { "ncw or nwc", "nchw or nhwc", "ncdhw or ndhwc" };
    const int rank = problem->rank;
    int op = 0, act = 0, mid_act = 0, layout = 0, type = 0, pass = 0, bias = 0, residual = 0;
    const struct {
        enum key key; int *choice; const char *legal; const char *(*name)(int, int); int count;
    } words[] = {
        { OP, &op, "conv, separable or transposed", op_name, CONV_OPS },
        { ACT, &act, "none, relu or relu6", act_name, CONV_ACTIVATIONS },
        { MID_ACT, &mid_act, "none, relu or relu6", act_name, CONV_ACTIVATIONS },
        { LAYOUT, &layout, layouts[rank - 1], layout_name, CONV_LAYOUTS },
        { TYPE, &type, "f32 or f64", type_name, CONV_TYPES },
        { PASS, &pass, "forward, backward_data or backward_weights", pass_name, CONV_PASSES },
        { BIAS, &bias, "0 or 1", bool_name, 2 },
        { RESIDUAL, &residual, "0 or 1", bool_name, 2 },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        enum conv_status status = read_word(reader, words[i].key, words[i].choice, words[i].legal,
                                            words[i].name, words[i].count, rank);
        if (status != CONV_OK)
            return status;
    }
    problem->op = (enum conv_op)op;
    problem->act = (enum conv_activation)act;
    problem->mid_act = (enum conv_activation)mid_act;
    problem->layout = (enum conv_layout)layout;
    problem->type = (enum conv_type)type;
    problem->pass = (enum conv_pass)pass;
    problem->bias = bias;
    problem->residual = residual;
    return CONV_OK;
}

static enum conv_status read_numbers(const struct reader *reader, struct conv_problem *problem)
{
    const struct { enum key key; int64_t *number; } counts[] = {
        { N, &problem->n }, { C, &problem->c }, { K, &problem->k }, { GROUPS, &problem->groups },
        { MULT, &problem->mult }, { EXPAND, &problem->expand },
    };
    static const struct { enum key key; size_t field; } axes[] = {
        { IN, offsetof(struct conv_axis, in) }, { FILTER, offsetof(struct conv_axis, filter) },
        { STRIDE, offsetof(struct conv_axis, stride) },
        { DILATION, offsetof(struct conv_axis, dilation) },
        { OUTPUT_PAD, offsetof(struct conv_axis, output_pad) },
    };
    enum conv_status status = CONV_OK;
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == CONV_OK; i++)
        status = read_number(reader, counts[i].key, counts[i].number);
    for (size_t i = 0; i < sizeof axes / sizeof *axes && status == CONV_OK; i++)
        status = read_axes(reader, axes[i].key, problem, axes[i].field);
    return status;
}

/* An error of conv_problem_finish() names a key: point at its value. */
static enum conv_status locate(const struct reader *reader, enum conv_status status)
{
    if (status != CONV_OK && reader->error && reader->error->position < 0 && reader->error->key[0]) {
        const enum key key = find_key((struct span){ reader->error->key, (int)strlen(reader->error->key) });
        if (key < KEYS && reader->value[key].at)
            point_at(reader, reader->value[key]);
    }
    return status;
}

enum conv_status conv_problem_parse(struct conv_problem *problem, const char *text,
                                    struct conv_error *error)
{
    struct reader reader = { .line = text, .error = error };
    struct conv_problem read;

    if (conv_is_benchdnn(text))
        return conv_parse_benchdnn(problem, text, error);
    enum conv_status status = cut_into_slots(&reader);
    if (status == CONV_OK)
        status = check_required(&reader);
    if (status == CONV_OK)
        status = read_rank(&reader, &read);
    if (status == CONV_OK)
        status = read_numbers(&reader, &read);
    if (status == CONV_OK)
        status = read_words(&reader, &read);
    if (status == CONV_OK)
        status = read_padding(&reader, &read);
    if (status == CONV_OK)
        status = conv_problem_finish(&read, error);
    if (status == CONV_OK)
        *problem = read;
    return locate(&reader, status);
}
