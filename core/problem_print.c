/* problem_print.c - writes a problem as one line of text, the canonical one.
 *
 * Keys come in a fixed order, and what has its default is left out, so that equal problems have equal lines.
 * Declared in convref/problem.h; problem_text.c reads what is written here.
 */
#include <convref/problem.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct writer { char *text; size_t used; };

static void put(struct writer *writer, const char *format, ...) CONV_PRINTF(2, 3);
static void put(struct writer *writer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    writer->used += (size_t)vsnprintf(writer->text + writer->used, CONV_PROBLEM_TEXT - writer->used,
                                      format, args);
    va_end(args);
}

static int64_t field_of(const struct conv_axis *axis, size_t field)
{
    int64_t number;
    memcpy(&number, (const char *)axis + field, sizeof number);
    return number;
}

static void put_axes(struct writer *writer, const char *key, const struct conv_problem *problem,
                     size_t field)
{
    put(writer, " %s=", key);
    for (int a = CONV_AXES - problem->rank; a < CONV_AXES; a++)
        put(writer, "%s%" PRId64, a > CONV_AXES - problem->rank ? "x" : "",
            field_of(&problem->axis[a], field));
}

/* Left out if every axis has the default, one number if all axes are alike. */
static void put_axes_short(struct writer *writer, const char *key, const struct conv_problem *problem,
                           size_t field, int64_t normal)
{
    const int first = CONV_AXES - problem->rank;
    const int64_t number = field_of(&problem->axis[first], field);
    bool alike = true;
    for (int a = first; a < CONV_AXES; a++)
        alike = alike && field_of(&problem->axis[a], field) == number;
    if (!alike)
        put_axes(writer, key, problem, field);
    else if (number != normal)
        put(writer, " %s=%" PRId64, key, number);
}

static void put_pads(struct writer *writer, const struct conv_problem *problem)
{
    const int first = CONV_AXES - problem->rank;
    bool symmetric = true;
    for (int a = first; a < CONV_AXES; a++)
        symmetric = symmetric && problem->axis[a].pad_begin == problem->axis[a].pad_end;
    if (symmetric) {
        put_axes_short(writer, "pad", problem, offsetof(struct conv_axis, pad_begin), 0);
        return;
    }
    put(writer, " pad=");
    for (int a = first; a < CONV_AXES; a++)
        put(writer, "%s%" PRId64 ":%" PRId64, a > first ? "x" : "", problem->axis[a].pad_begin,
            problem->axis[a].pad_end);
}

char *conv_problem_print(char text[CONV_PROBLEM_TEXT], const struct conv_problem *problem)
{
    struct writer w = { text, 0 };
    if (problem->op != CONV_OP_CONV)
        put(&w, "op=%s ", conv_op_name(problem->op));
    if (problem->n != 1)
        put(&w, "n=%" PRId64 " ", problem->n);
    put(&w, "c=%" PRId64, problem->c);
    put_axes(&w, "in", problem, offsetof(struct conv_axis, in));
    put(&w, " k=%" PRId64, problem->k);
    put_axes(&w, "filter", problem, offsetof(struct conv_axis, filter));
    if (problem->groups != 1)
        put(&w, " groups=%" PRId64, problem->groups);
    put_axes_short(&w, "stride", problem, offsetof(struct conv_axis, stride), 1);
    put_pads(&w, problem);
    put_axes_short(&w, "dilation", problem, offsetof(struct conv_axis, dilation), 1);
    put_axes_short(&w, "output_pad", problem, offsetof(struct conv_axis, output_pad), 0);
    if (problem->mult != 1)
        put(&w, " mult=%" PRId64, problem->mult);
    if (problem->bias)
        put(&w, " bias=1");
    if (problem->act != CONV_ACT_NONE)
        put(&w, " act=%s", conv_activation_name(problem->act));
    if (problem->mid_act != CONV_ACT_NONE)
        put(&w, " mid_act=%s", conv_activation_name(problem->mid_act));
    if (problem->expand != 0)
        put(&w, " expand=%" PRId64, problem->expand);
    if (problem->residual)
        put(&w, " residual=1");
    if (problem->layout != CONV_CHANNELS_FIRST)
        put(&w, " layout=%s", conv_layout_name(problem->layout, problem->rank));
    if (problem->type != CONV_F32)
        put(&w, " type=%s", conv_type_facts(problem->type)->name);
    if (problem->pass != CONV_FORWARD)
        put(&w, " pass=%s", conv_pass_name(problem->pass));
    return text;
}
