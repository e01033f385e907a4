/* render_onnx.c - a case as a folder of the ONNX project's backend tests: a model of one node, and its tensors.
 *
 *   case/model.onnx   case/test_data_set_0/input_0.pb (x), input_1.pb (w), input_2.pb (bias), output_0.pb (y)
 *
 * Protocol buffers are written here by hand, fields in the order of their numbers: that is forty lines, needs no
 * library, and the bytes are the same whatever version somebody has.  The forward pass only: ONNX has no other.
 * Source of the field numbers: onnx/onnx.proto of the ONNX project.   Not here: reading (../onnx)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"

/* IR version 7 and opset 13: of 2020, which every runtime in use reads. */
enum { IR_VERSION = 7, OPSET = 13, TYPE_FLOAT = 1, TYPE_DOUBLE = 11, TYPE_INT64_LIST = 7, TYPE_INT64 = 2 };

const char *golden_onnx_refuses(const struct golden_plan *plan)
{
    if (plan->problem.op == CONV_OP_SEPARABLE)
        return "ONNX has no operator for op=separable";
    if (plan->problem.layout != CONV_CHANNELS_FIRST)
        return "ONNX has channels first";
    if (plan->problem.act == CONV_ACT_RELU6)
        return "act=relu6 is no operator of ONNX";
    if (plan->data != GOLDEN_INTEGERS && plan->data != GOLDEN_REAL)
        return "ONNX has inputs and outputs of one type: --data integers or real";
    return NULL;
}

/* ---- protocol buffers --------------------------------------------------------------------------------------- */

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* A message under way.  `file` is NULL if memory is short, and then nothing is written. */
struct message { FILE *file; char *bytes; size_t size; };

static struct message *begin(struct message *message)
{
    *message = (struct message){ .file = NULL };
    message->file = open_memstream(&message->bytes, &message->size);
    return message;
}

static void put_varint(FILE *file, uint64_t value)
{
    for (; value > 127; value >>= 7)
        fputc((int)(value & 127) | 128, file);
    fputc((int)value, file);
}

static void put_int(struct message *to, int field, int64_t value)
{
    if (!to->file)
        return;
    put_varint(to->file, (uint64_t)field << 3 | WIRE_VARINT);
    put_varint(to->file, (uint64_t)value);
}

static void put_bytes(struct message *to, int field, const void *bytes, size_t size)
{
    if (!to->file)
        return;
    put_varint(to->file, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(to->file, size);
    fwrite(bytes, 1, size, to->file);
}

static void put_text(struct message *to, int field, const char *text) { put_bytes(to, field, text, strlen(text)); }

/* Close the inner message and put it into the outer one, which is lost with it. */
static void put_message(struct message *to, int field, struct message *inner)
{
    const bool good = inner->file && fclose(inner->file) == 0;
    if (good)
        put_bytes(to, field, inner->bytes, inner->size);
    free(inner->bytes);
    if (!good && to->file) {
        fclose(to->file);
        to->file = NULL;
    }
}

/* ---- tensors ------------------------------------------------------------------------------------------------ */

static int type_of(enum element element) { return element == ELEMENT_F64 ? TYPE_DOUBLE : TYPE_FLOAT; }

static void fill_tensor(struct message *tensor, const struct golden_array *array)
{
    struct message raw;
    begin(&raw);
    for (int d = 0; d < array->rank; d++)
        put_int(tensor, 1, array->dims[d]);
    put_int(tensor, 2, type_of(array->element));
    put_text(tensor, 8, array->name);
    for (int64_t i = 0; raw.file && i < array->count; i++) {
        const uint64_t bits = element_bits(array->element, array->values[i]);
        for (size_t b = 0; b < element_facts(array->element)->size; b++)
            fputc((int)(bits >> 8 * b & 0xff), raw.file);
    }
    put_message(tensor, 9, &raw);
}

/* ---- the model ---------------------------------------------------------------------------------------------- */

static void put_ints(struct message *node, const char *name, const int64_t *values, int count)
{
    struct message attribute;
    begin(&attribute);
    put_text(&attribute, 1, name);
    for (int i = 0; i < count; i++)
        put_int(&attribute, 8, values[i]);
    put_int(&attribute, 20, TYPE_INT64_LIST);
    put_message(node, 5, &attribute);
}

static void put_group(struct message *node, int64_t groups)
{
    struct message attribute;
    begin(&attribute);
    put_text(&attribute, 1, "group");
    put_int(&attribute, 3, groups);
    put_int(&attribute, 20, TYPE_INT64);
    put_message(node, 5, &attribute);
}

static void put_attributes(struct message *node, const struct conv_problem *problem)
{
    int64_t kernel[CONV_AXES], strides[CONV_AXES], dilations[CONV_AXES], pads[2 * CONV_AXES], more[CONV_AXES];
    const int rank = problem->rank;
    for (int i = 0; i < rank; i++) {
        const struct conv_axis *axis = &problem->axis[CONV_AXES - rank + i];
        kernel[i] = axis->filter;
        strides[i] = axis->stride;
        dilations[i] = axis->dilation;
        pads[i] = axis->pad_begin;
        pads[rank + i] = axis->pad_end;
        more[i] = axis->output_pad;
    }
    put_ints(node, "dilations", dilations, rank);
    put_group(node, problem->groups);
    put_ints(node, "kernel_shape", kernel, rank);
    if (problem->op == CONV_OP_TRANSPOSED)
        put_ints(node, "output_padding", more, rank);
    put_ints(node, "pads", pads, 2 * rank);
    put_ints(node, "strides", strides, rank);
}

static void put_nodes(struct message *graph, const struct golden_case *made)
{
    const struct conv_problem *problem = &made->plan.problem;
    const bool relu = problem->act == CONV_ACT_RELU;
    struct message node;
    begin(&node);
    put_text(&node, 1, "x");
    put_text(&node, 1, "w");
    if (problem->bias)
        put_text(&node, 1, "bias");
    put_text(&node, 2, relu ? "sum" : "y");
    put_text(&node, 4, problem->op == CONV_OP_TRANSPOSED ? "ConvTranspose" : "Conv");
    put_attributes(&node, problem);
    put_message(graph, 1, &node);
    if (!relu)
        return;
    begin(&node);
    put_text(&node, 1, "sum");
    put_text(&node, 2, "y");
    put_text(&node, 4, "Relu");
    put_message(graph, 1, &node);
}

/* ValueInfoProto { name, type { tensor_type { elem_type, shape { dim { dim_value } } } } } */
static void put_value(struct message *graph, int field, const struct golden_array *array)
{
    struct message info, type, tensor, shape, dim;
    begin(&info);
    begin(&type);
    begin(&tensor);
    begin(&shape);
    for (int d = 0; d < array->rank; d++) {
        put_int(begin(&dim), 1, array->dims[d]);
        put_message(&shape, 1, &dim);
    }
    put_int(&tensor, 1, type_of(array->element));
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&info, 1, array->name);
    put_message(&info, 2, &type);
    put_message(graph, field, &info);
}

static void fill_model(struct message *model, const struct golden_case *made)
{
    enum { INPUT = 11, OUTPUT = 12 };
    struct message graph, opset;
    put_int(model, 1, IR_VERSION);
    put_text(model, 2, "convref");
    begin(&graph);
    put_nodes(&graph, made);
    put_text(&graph, 2, made->plan.name);
    for (int field = INPUT; field <= OUTPUT; field++)
        for (int i = 0; i < made->count; i++)
            if (golden_onnx_file(made->arrays[i].name) && made->arrays[i].is_output == (field == OUTPUT))
                put_value(&graph, field, &made->arrays[i]);
    put_message(model, 7, &graph);
    put_int(begin(&opset), 2, OPSET);
    put_message(model, 8, &opset);
}

/* ---- files -------------------------------------------------------------------------------------------------- */

static enum conv_status finish(struct golden_file *file, struct message *message, const struct golden_case *made,
                               struct conv_error *error)
{
    const bool good = message->file && fclose(message->file) == 0;
    if (!good) {
        free(message->bytes);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the files of %s", made->plan.name);
    }
    file->bytes = message->bytes;
    file->size = message->size;
    return CONV_OK;
}

enum conv_status golden_render_onnx(struct golden_files *files, const struct golden_case *made,
                                    struct conv_error *error)
{
    struct message message;
    struct golden_file *file = &files->files[0];
    snprintf(file->path, sizeof file->path, "%s/model.onnx", made->plan.name);
    fill_model(begin(&message), made);
    enum conv_status status = finish(file, &message, made, error);
    files->count = status == CONV_OK;
    for (int i = 0; i < made->count && status == CONV_OK; i++) {
        if (!golden_onnx_file(made->arrays[i].name))
            continue;
        file = &files->files[files->count];
        golden_path(file->path, made, &made->arrays[i]);
        fill_tensor(begin(&message), &made->arrays[i]);
        status = finish(file, &message, made, error);
        files->count += status == CONV_OK;
    }
    return status;
}
