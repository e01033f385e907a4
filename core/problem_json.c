/* problem_json.c - a problem as a JSON object, by way of jansson.
 *
 * Reading writes the members as a line of text and hands it to conv_problem_parse(), so that there is
 * one grammar and one set of messages.  `kind` and `out`, which are derived, may be given; they must
 * then be right.   Declared in convref/problem.h.
 */
#include <convref/problem.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------------------- */

static json_t *axes_json(const struct conv_problem *problem, size_t field)
{
    json_t *list = json_array();
    for (int a = CONV_AXES - problem->rank; a < CONV_AXES; a++) {
        int64_t number;
        memcpy(&number, (const char *)&problem->axis[a] + field, sizeof number);
        json_array_append_new(list, json_integer(number));
    }
    return list;
}

static json_t *pads_json(const struct conv_problem *problem)
{
    json_t *list = json_array();
    for (int a = CONV_AXES - problem->rank; a < CONV_AXES; a++)
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)problem->axis[a].pad_begin,
                                              (json_int_t)problem->axis[a].pad_end));
    return list;
}

char *conv_problem_to_json(const struct conv_problem *problem)
{
#define AXES(field) axes_json(problem, offsetof(struct conv_axis, field))
    json_t *json = json_pack(
        "{s:s, s:s, s:I, s:I, s:o, s:I, s:o, s:o, s:I, s:o, s:o, s:o}",
        "op", conv_op_name(problem->op), "kind", conv_kind_name(conv_problem_kind(problem)),
        "n", (json_int_t)problem->n, "c", (json_int_t)problem->c, "in", AXES(in),
        "k", (json_int_t)problem->k, "out", AXES(out), "filter", AXES(filter),
        "groups", (json_int_t)problem->groups, "stride", AXES(stride), "pad", pads_json(problem),
        "dilation", AXES(dilation));
    if (problem->op == CONV_OP_TRANSPOSED)
        json_object_set_new(json, "output_pad", AXES(output_pad));
    if (problem->op == CONV_OP_SEPARABLE) {
        json_object_set_new(json, "mult", json_integer(problem->mult));
        json_object_set_new(json, "mid_act", json_string(conv_activation_name(problem->mid_act)));
    }
    if (conv_problem_kind(problem) == CONV_INVERTED_RESIDUAL) {
        json_object_set_new(json, "expand", json_integer(problem->expand));
        json_object_set_new(json, "residual", json_boolean(problem->residual));
    }
    json_object_set_new(json, "bias", json_boolean(problem->bias));
    json_object_set_new(json, "act", json_string(conv_activation_name(problem->act)));
    json_object_set_new(json, "layout", json_string(conv_layout_name(problem->layout, problem->rank)));
    json_object_set_new(json, "type", json_string(conv_type_facts(problem->type)->name));
    json_object_set_new(json, "pass", json_string(conv_pass_name(problem->pass)));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
#undef AXES
}

/* ---- reading -------------------------------------------------------------------------------------- */

struct line { char text[1024]; size_t used; };

static bool put(struct line *line, const char *word)
{
    const size_t length = strlen(word);
    if (length >= sizeof line->text - line->used)
        return false;
    memcpy(line->text + line->used, word, length + 1);
    line->used += length;
    return true;
}

static bool put_number(struct line *line, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    return put(line, digits);
}

/* 3 -> 3, [3, 5] -> 3x5, [[0, 1], [1, 1]] -> 0:1x1:1, true -> 1, "same" -> same */
static bool put_value(struct line *line, const json_t *value, const char *separator)
{
    if (json_is_integer(value))
        return put_number(line, json_integer_value(value));
    if (json_is_boolean(value))
        return put(line, json_is_true(value) ? "1" : "0");
    if (json_is_string(value) && !strpbrk(json_string_value(value), " \t\r\n="))
        return put(line, json_string_value(value));
    if (!json_is_array(value) || json_array_size(value) == 0 || !separator)
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *inner = separator[0] == 'x' ? ":" : NULL;
        if ((i > 0 && !put(line, separator))
            || !put_value(line, json_array_get(value, i), inner))
            return false;
    }
    return true;
}

static enum conv_status to_line(struct line *line, const json_t *json, struct conv_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value) {
        if (!strcmp(key, "kind") || !strcmp(key, "out"))
            continue;
        if (!put(line, key) || !put(line, "=") || !put_value(line, value, "x") || !put(line, " ")) {
            conv_fail(error, CONV_BAD_INPUT, "the member \"%s\" has a value of the wrong sort", key);
            conv_hint(error, "members are numbers, words, booleans, or lists of numbers such as [3, 3]");
            return CONV_BAD_INPUT;
        }
    }
    return CONV_OK;
}

/* What the object says of kind and out must be what follows from the rest. */
static enum conv_status check_derived(const struct conv_problem *problem, const json_t *json,
                                      struct conv_error *error)
{
    const json_t *kind = json_object_get(json, "kind"), *out = json_object_get(json, "out");
    const char *derived = conv_kind_name(conv_problem_kind(problem));
    if (kind && (!json_is_string(kind) || strcmp(json_string_value(kind), derived))) {
        conv_fail(error, CONV_BAD_INPUT, "\"kind\" does not fit the sizes");
        conv_hint(error, "it is derived: these sizes are %s; leave it out", derived);
        return CONV_BAD_INPUT;
    }
    json_t *axes = axes_json(problem, offsetof(struct conv_axis, out));
    const bool same = !out || json_equal(out, axes);
    json_decref(axes);
    if (!same) {
        conv_fail(error, CONV_BAD_INPUT, "\"out\" does not fit the sizes");
        conv_hint(error, "it is derived; leave it out, or see what `convref explain` says");
        return CONV_BAD_INPUT;
    }
    return CONV_OK;
}

enum conv_status conv_problem_from_json(struct conv_problem *problem, const char *text,
                                        struct conv_error *error)
{
    json_error_t where;
    struct line line = { .used = 0 };
    struct conv_problem read;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(json)) {
        conv_fail(error, CONV_BAD_INPUT, "not a JSON object: %s", json ? "another value" : where.text);
        if (error && !json) {
            error->position = where.position;
            error->length = 1;
        }
        json_decref(json);
        return CONV_BAD_INPUT;
    }
    enum conv_status status = to_line(&line, json, error);
    if (status == CONV_OK)
        status = conv_problem_parse(&read, line.text, error);
    if (status == CONV_OK)
        status = check_derived(&read, json, error);
    if (status == CONV_OK)
        *problem = read;
    else if (error)
        error->position = -1;   /* it would point into a line that the caller never saw */
    json_decref(json);
    return status;
}
