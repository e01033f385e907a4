/* inputs.c - the inputs of a graph, and the sizes that it leaves open.
 *
 * Sizes come from --in, whose parts are lines here:
 *
 *   x=1x16000     all sizes of the input x
 *   width=224     the open size of that name, wherever it stands
 *   rate:=16000   the number in the input rate, which decides what an If does
 *   224x224       of every input that leaves sizes open: all of them, all behind the batch, all behind the channels,
 *                 or as many as are open
 *
 * An open size that has a name has it everywhere, so that one number closes it in all inputs and in what the file
 * says of the shapes between.  A batch that nobody gives is 1, and the network's note says so; nothing else is made
 * up.
 * Read next: graph.c
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/onnx/graph.h"

enum { MOST_GIVEN = 64, MOST_SIZE_TEXT = 256 };

/* One part of --in. */
struct given {
    const char *text;                  /* the whole part, and how long it is */
    int length, name;                  /* of the name in front of '='; 0: none */
    int count;                         /* of sizes; -1: they aren't numbers with x between them */
    int64_t sizes[CONV_MAX_RANK];
    bool is_value, used;               /* NAME:=NUMBER, and the number */
    double value;
};

/* An input that isn't an initializer. */
struct input { struct value *value; const ConvOnnx__ValueInfo *info; };

struct inputs {
    struct walk *walk;
    struct given given[MOST_GIVEN];
    int given_count;
    bool open;                         /* some size was */
};

/* ---- --in --------------------------------------------------------------------------------------------------- */

static int read_sizes(int64_t *sizes, const char *at, const char *end)
{
    for (int count = 0; count < CONV_MAX_RANK; ) {
        char *behind;
        if (at >= end || !isdigit((unsigned char)*at))
            return -1;
        const int64_t size = strtoll(at, &behind, 10);
        if (size < 1 || size > INT64_C(1) << 40 || behind > end)
            return -1;
        sizes[count++] = size;
        if (behind == end)
            return count;
        if (*behind != 'x')
            return -1;
        at = behind + 1;
    }
    return -1;
}

/* The last '=' ends the name, which may have others. */
static void read_part(struct given *given, const char *text, int length)
{
    *given = (struct given){ .text = text, .length = length };
    for (int i = 0; i < length; i++)
        if (text[i] == '=')
            given->name = i;
    const char *sizes = text + given->name + (given->name > 0);
    given->count = read_sizes(given->sizes, sizes, text + length);
    if (given->name > 1 && text[given->name - 1] == ':') {
        char *behind;
        given->name--;
        given->value = strtod(sizes, &behind);
        given->is_value = behind == text + length && behind > sizes && fabs(given->value) <= 0x1p53;
        given->count = given->is_value ? given->count : -1;
    }
}

static enum conv_status read_given(struct inputs *inputs)
{
    for (const char *at = inputs->walk->in; at; ) {
        const char *end = strchr(at, '\n');
        if (inputs->given_count == MOST_GIVEN)
            return onnx_bad(&inputs->walk->model, NULL, "more than %d --in", MOST_GIVEN);
        read_part(&inputs->given[inputs->given_count++], at, end ? (int)(end - at) : (int)strlen(at));
        at = end ? end + 1 : NULL;
    }
    return CONV_OK;
}

static bool is_named(const struct given *given, const char *name)
{
    return given->name > 0 && strlen(name) == (size_t)given->name && !strncmp(given->text, name, strlen(name));
}

/* ---- words -------------------------------------------------------------------------------------------------- */

/* "n x 3 x 224 x width": what the file says of an input, and `?` where it says nothing. */
static const char *print_dims(char text[MOST_SIZE_TEXT], const struct input *input)
{
    struct onnx_shape shape;
    size_t used = 0;
    char plain[ONNX_NAME];
    if (!info_dims(&shape, input->info))
        return "of no known rank";
    *text = 0;
    for (int d = 0; d < shape.rank && used < MOST_SIZE_TEXT - 40; d++) {
        const char *symbol = shape.dims[d] < 0 ? info_symbol(input->info, d) : "";
        used += (size_t)snprintf(text + used, MOST_SIZE_TEXT - used, d ? " x " : "");
        used += shape.dims[d] > 0 ? (size_t)snprintf(text + used, MOST_SIZE_TEXT - used, "%" PRId64, shape.dims[d])
              : (size_t)snprintf(text + used, MOST_SIZE_TEXT - used, "%.24s",
                                 *symbol ? onnx_plain(plain, symbol) : "?");
    }
    return text;
}

/* "--in x=1x3x224x224": an option that would close everything, with sizes that are usual for so many dims. */
static const char *print_option(char text[MOST_SIZE_TEXT], const struct input *input)
{
    static const int64_t usual[] = { 0, 1, 128, 16000, 224, 112 };
    struct onnx_shape shape;
    char plain[ONNX_NAME];
    if (!info_dims(&shape, input->info))
        shape = (struct onnx_shape){ 4, { -1, -1, -1, -1 } };
    size_t used = (size_t)snprintf(text, MOST_SIZE_TEXT, "give them: --in %s=",
                                   onnx_plain(plain, input->value->name));
    for (int d = 0; d < shape.rank && used < MOST_SIZE_TEXT - 24; d++) {
        const int64_t size = shape.dims[d] > 0 ? shape.dims[d] : d == 0 && shape.rank > 1 ? 1
                           : d == 1 && shape.rank > 2 ? 3 : usual[shape.rank < 5 ? shape.rank : 5];
        used += (size_t)snprintf(text + used, MOST_SIZE_TEXT - used, "%s%" PRId64, d ? "x" : "", size);
    }
    return text;
}

static enum conv_status bad_given(const struct inputs *inputs, const struct input *input, const struct given *given)
{
    char plain[ONNX_NAME], dims[MOST_SIZE_TEXT], option[MOST_SIZE_TEXT];
    const char *hint = given->name > 0 && given->text[given->name] == ':'
        ? "NAME:=NUMBER is for an input of one number: up to 2^53, and whole if the input's type is"
        : given->count < 0 ? "numbers with x between them, such as 224x224" : print_option(option, input);
    return onnx_bad(&inputs->walk->model, hint,
                    "input '%s' is %s, and --in says '%.*s'", onnx_plain(plain, input->value->name),
                    print_dims(dims, input), given->length < 40 ? given->length : 40, given->text);
}

/* ---- one input ---------------------------------------------------------------------------------------------- */

/* Size `d` is `size`; its name has it everywhere.  False if the file or the name has another. */
static bool set_size(struct inputs *inputs, struct input *input, int d, int64_t size)
{
    int64_t *dim = &input->value->shape.dims[d];
    const bool open = *dim < 0;
    if (!open && *dim != size)
        return false;
    *dim = size;
    return !open || symbol_set(inputs->walk, info_symbol(input->info, d), size);
}

static void fill_symbols(struct inputs *inputs, struct input *input)
{
    struct onnx_shape *shape = &input->value->shape;
    for (int d = 0; input->value->known && d < shape->rank; d++)
        if (shape->dims[d] < 0)
            shape->dims[d] = symbol_size(inputs->walk, info_symbol(input->info, d));
}

static int open_behind(const struct onnx_shape *shape, int first)
{
    int count = 0;
    for (int d = first; d < shape->rank; d++)
        count += shape->dims[d] < 0;
    return count;
}

/* --in NAME:=NUMBER, of an input of one number. */
static enum conv_status take_value(struct inputs *inputs, struct input *input, const struct given *given)
{
    struct value *value = input->value;
    const bool single = value->known && shape_elements(&value->shape) == 1;
    union number *numbers = single ? numbers_create(inputs->walk, 1) : NULL;
    if (!numbers || (!is_real_type(value->type) && given->value != rint(given->value)))
        return bad_given(inputs, input, given);
    if (is_real_type(value->type))
        numbers->real = given->value;
    else
        numbers->whole = (int64_t)given->value;
    value->numbers = numbers;
    return CONV_OK;
}

/* --in NAME=SIZES */
static enum conv_status take_named(struct inputs *inputs, struct input *input)
{
    struct value *value = input->value;
    for (int i = 0; i < inputs->given_count; i++) {
        struct given *given = &inputs->given[i];
        if (!is_named(given, value->name))
            continue;
        given->used = inputs->open = true;
        if (given->is_value) {
            const enum conv_status status = take_value(inputs, input, given);
            if (status != CONV_OK)
                return status;
            continue;
        }
        if (given->count < 0 || (value->known && given->count != value->shape.rank))
            return bad_given(inputs, input, given);
        if (!value->known) {   /* the file says nothing of it */
            value->known = true;
            value->shape.rank = given->count;
            memcpy(value->shape.dims, given->sizes, sizeof given->sizes);
            continue;
        }
        for (int d = 0; d < value->shape.rank; d++)
            if (!set_size(inputs, input, d, given->sizes[d]))
                return bad_given(inputs, input, given);
    }
    return CONV_OK;
}

/* --in width=224, if an input has an open size of that name. */
static enum conv_status take_symbols(struct inputs *inputs, const struct input *input)
{
    struct onnx_shape shape;
    for (int d = 0; info_dims(&shape, input->info) && d < shape.rank; d++)
        for (int i = 0; i < inputs->given_count; i++) {
            struct given *given = &inputs->given[i];
            if (shape.dims[d] >= 0 || !is_named(given, info_symbol(input->info, d)))
                continue;
            given->used = inputs->open = true;
            if (given->count != 1 || !symbol_set(inputs->walk, info_symbol(input->info, d), given->sizes[0]))
                return bad_given(inputs, input, given);
        }
    return CONV_OK;
}

/* Which dim the first number stands for, if they stand for all from there on; -1: for those that are open. */
static int first_dim(const struct onnx_shape *shape, const struct given *given)
{
    const int front = shape->rank - given->count;
    if (front >= 0 && front < 2)
        return front;
    return front == 2 && shape->dims[1] >= 0 ? 2 : -1;
}

/* --in 224x224 */
static enum conv_status take_plain(struct inputs *inputs, struct input *input)
{
    struct onnx_shape *shape = &input->value->shape;
    inputs->open |= open_behind(shape, 1) > 0;
    for (int i = 0; i < inputs->given_count; i++) {
        struct given *given = &inputs->given[i];
        if (given->name > 0 || !open_behind(shape, given->count == shape->rank || shape->rank == 1 ? 0 : 1))
            continue;
        const int first = first_dim(shape, given);
        given->used = true;
        if (given->count < 0 || (first < 0 && given->count == shape->rank - 2)
            || (first < 0 && given->count != open_behind(shape, 1)))
            return bad_given(inputs, input, given);
        for (int d = first < 0 ? 1 : first, n = 0; d < shape->rank; d++)
            if ((first >= 0 || shape->dims[d] < 0) && !set_size(inputs, input, d, given->sizes[n++]))
                return bad_given(inputs, input, given);
    }
    return CONV_OK;
}

/* The first of several sizes is the batch. */
static void assume_batch(struct inputs *inputs, struct input *input)
{
    struct walk *walk = inputs->walk;
    struct onnx_shape *shape = &input->value->shape;
    char plain[ONNX_NAME];
    if (!input->value->known || shape->rank < 2 || shape->dims[0] >= 0)
        return;
    shape->dims[0] = 1;
    symbol_set(walk, info_symbol(input->info, 0), 1);
    if (ftell(walk->unknowns) == 0)
        fprintf(walk->unknowns, "the batch of '%s', which is open, is taken as 1",
                onnx_plain(plain, input->value->name));
}

static enum conv_status check_input(const struct inputs *inputs, const struct input *input)
{
    char plain[ONNX_NAME], dims[MOST_SIZE_TEXT], option[MOST_SIZE_TEXT];
    const struct value *value = input->value;
    onnx_plain(plain, value->name);
    if (value->known && value->shape.rank > 2 && value->shape.dims[1] < 0)
        return onnx_bad(&inputs->walk->model, print_option(option, input),
                        "input '%s' leaves its channels open: it is %s", plain, print_dims(dims, input));
    if (value->known && open_behind(&value->shape, 0) > 0)
        return onnx_bad(&inputs->walk->model, print_option(option, input),
                        "input '%s' leaves sizes open: it is %s", plain, print_dims(dims, input));
    return !value->known || shape_is_sane(&value->shape)
        ? CONV_OK : onnx_bad(&inputs->walk->model, NULL, "input '%s' is too large", plain);
}

/* ---- all of them -------------------------------------------------------------------------------------------- */

/* Every part of --in did something. */
static enum conv_status check_given(const struct inputs *inputs, const struct input *list, size_t count)
{
    char names[MOST_SIZE_TEXT] = "", plain[ONNX_NAME], dims[MOST_SIZE_TEXT];
    size_t used = 0;
    for (size_t i = 0; i < count && used < 120; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.40s (%.60s)", used ? ", " : "",
                                 onnx_plain(plain, list[i].value->name), print_dims(dims, &list[i]));
    for (int i = 0; i < inputs->given_count; i++) {
        const struct given *given = &inputs->given[i];
        if (!given->used && given->name > 0)
            return onnx_bad(&inputs->walk->model, NULL,
                            "--in names '%.*s', which is no input and no open size; it has %s",
                            given->name < 40 ? given->name : 40, given->text, *names ? names : "no inputs");
        if (!given->used)
            return onnx_bad(&inputs->walk->model, "leave --in out", "its inputs leave no sizes open");
    }
    return CONV_OK;
}

static enum conv_status each(struct inputs *inputs, struct input *list, size_t count,
                             enum conv_status (*take)(struct inputs *, struct input *))
{
    enum conv_status status = CONV_OK;
    for (size_t i = 0; i < count && status == CONV_OK; i++) {
        fill_symbols(inputs, &list[i]);
        if (list[i].value->known || take == take_named)
            status = take(inputs, &list[i]);
    }
    return status;
}

static enum conv_status close_sizes(struct inputs *inputs, struct input *list, size_t count)
{
    enum conv_status status = each(inputs, list, count, take_named);
    for (size_t i = 0; i < count && status == CONV_OK; i++)
        status = take_symbols(inputs, &list[i]);
    if (status == CONV_OK)
        status = each(inputs, list, count, take_plain);
    for (size_t i = 0; i < count && status == CONV_OK; i++) {
        fill_symbols(inputs, &list[i]);
        assume_batch(inputs, &list[i]);
    }
    for (size_t i = 0; i < count && status == CONV_OK; i++) {
        fill_symbols(inputs, &list[i]);
        status = check_input(inputs, &list[i]);
    }
    return status == CONV_OK ? check_given(inputs, list, count) : status;
}

enum conv_status add_inputs(struct walk *walk)
{
    const ConvOnnx__Graph *graph = walk->model.graph;
    struct inputs inputs = { .walk = walk };
    size_t count = 0;
    struct input *list = calloc(graph->n_input + 1, sizeof *list);
    enum conv_status status = list ? read_given(&inputs)
                                   : conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the inputs");
    for (size_t i = 0; i < graph->n_input && status == CONV_OK; i++) {
        const struct value *known = value_find(walk, onnx_text(graph->input[i]->name));
        if (known && known->tensor)
            continue;   /* before IR version 4 initializers had to be inputs too */
        struct value *value = value_add(walk, graph->input[i]->name, "input");
        if (!value) {
            status = CONV_BAD_FILE;
            continue;
        }
        value->info = graph->input[i];
        value->known = info_dims(&value->shape, graph->input[i]);
        const ConvOnnx__Type *type = graph->input[i]->type;
        value->type = type && type->tensor_type ? type->tensor_type->elem_type : 0;
        list[count++] = (struct input){ value, graph->input[i] };
    }
    if (status == CONV_OK)
        status = close_sizes(&inputs, list, count);
    free(list);
    return status;
}
