/* case.c - a folder of the ONNX project's backend tests as a problem with operands.
 *
 *   test_conv/model.onnx, test_conv/test_data_set_0/input_0.pb ..., output_0.pb
 *
 * A case is a convolution if its model is one Conv or ConvTranspose, besides constants, and one Relu behind it.  Its
 * operands are inputs, which are in files, or initializers and constants, which are in the model.
 * Not here: whether anything is right (judge.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "verify/io/tensor_file.h"
#include "verify/onnx/model.h"

struct reading {
    struct onnx_case *made;
    struct onnx_model model;
    struct onnx_at at;           /* the convolution */
    const char *folder;
    int data_set;
    struct conv_error *error;
};

static void data_path(char path[4096], const char *folder, int data_set, const char *what, int i)
{
    snprintf(path, 4096, "%s/test_data_set_%d/%s_%d.pb", folder, data_set, what, i);
}

int onnx_case_data_sets(const char *folder)
{
    char path[4096];
    int count = 0;
    for (struct stat facts;; count++) {
        snprintf(path, sizeof path, "%s/test_data_set_%d", folder, count);
        if (stat(path, &facts) != 0 || !S_ISDIR(facts.st_mode))
            return count;
    }
}

/* ---- the graph ---------------------------------------------------------------------------------------------- */

/* Is it one convolution, constants, and at most one Relu that reads it and nothing else? */
static bool is_one_conv(struct reading *reading)
{
    const ConvOnnx__Graph *graph = reading->model.graph;
    const ConvOnnx__Node *conv = NULL, *relu = NULL;
    for (size_t i = 0; i < graph->n_node; i++) {
        const ConvOnnx__Node *node = graph->node[i];
        if (onnx_is_conv(node) && !conv) {
            conv = node;
            reading->at = (struct onnx_at){ &reading->model, node, i };
        } else if (onnx_is(node, "Relu") && conv && !relu && !strcmp(onnx_input(node, 0), onnx_output(conv, 0))) {
            relu = node;
        } else if (!onnx_is(node, "Constant")) {
            return false;
        }
    }
    const char *last = relu ? onnx_output(relu, 0) : conv ? onnx_output(conv, 0) : "";
    reading->made->problem.act = relu ? CONV_ACT_RELU : CONV_ACT_NONE;
    return conv && graph->n_output == 1 && *last && !strcmp(onnx_text(graph->output[0]->name), last);
}

static const ConvOnnx__Tensor *find_initializer(const ConvOnnx__Graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (!strcmp(onnx_text(graph->initializer[i]->name), name))
            return graph->initializer[i];
    return NULL;
}

/* The tensor of a Constant node that makes this value. */
static enum conv_status find_constant(const ConvOnnx__Tensor **found, const struct onnx_model *model,
                                      const char *name)
{
    *found = NULL;
    for (size_t i = 0; i < model->graph->n_node; i++) {
        const struct onnx_at at = { model, model->graph->node[i], i };
        const ConvOnnx__Attribute *value;
        if (!onnx_is(at.node, "Constant") || strcmp(onnx_output(at.node, 0), name))
            continue;
        const enum conv_status status = onnx_attribute(&value, &at, "value", ONNX_ATTRIBUTE_TENSOR);
        if (status != CONV_OK)
            return status;
        if (!value || !value->t)
            return onnx_bad_node(&at, NULL, "it has no tensor");
        *found = value->t;
    }
    return CONV_OK;
}

/* ---- operands ----------------------------------------------------------------------------------------------- */

/* Which of the files input_0.pb, ... holds this input: those that are initializers too have none.  -1: none. */
static int input_number(const ConvOnnx__Graph *graph, const char *name)
{
    int number = 0;
    for (size_t i = 0; i < graph->n_input; i++) {
        if (!strcmp(onnx_text(graph->input[i]->name), name))
            return number;
        number += !find_initializer(graph, onnx_text(graph->input[i]->name));
    }
    return -1;
}

static enum conv_status take_operand(struct conv_tensor *tensor, struct reading *reading, const char *name)
{
    const ConvOnnx__Tensor *constant = find_initializer(reading->model.graph, name);
    enum conv_status status = CONV_OK;
    char path[4096], plain[ONNX_NAME];
    if (!constant)
        status = find_constant(&constant, &reading->model, name);
    if (status != CONV_OK)
        return status;
    if (constant)
        return onnx_take_tensor(tensor, &reading->model, constant, STORED_OPERANDS);
    const int number = input_number(reading->model.graph, name);
    if (number < 0)
        return onnx_bad_node(&reading->at, NULL, "nothing before it computes '%s'", onnx_plain(plain, name));
    data_path(path, reading->folder, reading->data_set, "input", number);
    return tensor_file_read(tensor, path, STORED_OPERANDS, reading->error);
}

static struct onnx_shape shape_of(const struct conv_tensor *tensor)
{
    struct onnx_shape shape = { .rank = tensor->rank };
    memcpy(shape.dims, tensor->dims, sizeof shape.dims);
    return shape;
}

static enum conv_status take_inputs(struct reading *reading)
{
    static const enum conv_operand operands[] = { CONV_X, CONV_WEIGHTS, CONV_BIAS };
    enum conv_status status = CONV_OK;
    for (size_t i = 0; i < 3 && status == CONV_OK; i++) {
        const char *name = onnx_input(reading->at.node, i);
        if (*name)
            status = take_operand(&reading->made->tensors[operands[i]], reading, name);
        else if (operands[i] != CONV_BIAS)
            status = onnx_bad_node(&reading->at, "X, W and perhaps B", "it has fewer than two inputs");
    }
    return status;
}

/* Types and shapes; the problem's own are what the shapes of X and W, and the attributes, make. */
static enum conv_status check_operands(struct reading *reading)
{
    struct onnx_case *made = reading->made;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const struct conv_tensor *tensor = &made->tensors[operand];
        int64_t dims[CONV_MAX_RANK];
        char has[96], wants[96];
        const int rank = conv_operand_shape(dims, &made->problem, operand);
        if (rank == 0)
            continue;
        if (tensor->type != made->problem.type)
            return onnx_bad(&reading->model, NULL, "X, W, B and Y are not of one type");
        if (tensor->rank != rank || memcmp(tensor->dims, dims, sizeof *dims * (size_t)rank))
            return onnx_bad_node(&reading->at, NULL, "%s is %s, not %s", conv_operand_name(&made->problem, operand),
                                 conv_shape_print(has, tensor->rank, tensor->dims),
                                 conv_shape_print(wants, rank, dims));
        made->operands.at[operand] = tensor->data;
    }
    return CONV_OK;
}

static enum conv_status take_case(struct reading *reading, const char *theirs)
{
    struct onnx_case *made = reading->made;
    const enum conv_activation act = made->problem.act;
    char path[4096];
    enum conv_status status = take_inputs(reading);
    if (status != CONV_OK)
        return status;
    const struct onnx_shape x = shape_of(&made->tensors[CONV_X]), w = shape_of(&made->tensors[CONV_WEIGHTS]);
    status = onnx_conv_problem(&made->problem, &reading->at, &x, &w, *onnx_input(reading->at.node, 2),
                               made->tensors[CONV_X].type);
    if (status == CONV_NOT_APPLICABLE) {
        made->sort = ONNX_CASE_UNSAID;
        snprintf(made->reason, sizeof made->reason, "%s", reading->error->message);
        return CONV_OK;
    }
    if (status != CONV_OK)
        return status;
    made->problem.act = act;
    data_path(path, theirs, reading->data_set, "output", 0);
    status = tensor_file_read(&made->tensors[CONV_Y], path, STORED_OPERANDS, reading->error);
    return status == CONV_OK ? check_operands(reading) : status;
}

/* ---- the folder --------------------------------------------------------------------------------------------- */

static void name_case(struct onnx_case *made, const char *folder, int data_set, int data_sets)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    size_t begin = length;
    while (begin > 0 && folder[begin - 1] != '/')
        begin--;
    snprintf(made->name, sizeof made->name - 12, "%.*s", (int)(length - begin), folder + begin);
    if (data_sets > 1)
        snprintf(made->name + strlen(made->name), 12, "/%d", data_set % 1000000);
}

enum conv_status onnx_case_read(struct onnx_case *made, const char *folder, const char *theirs, int data_set,
                                struct conv_error *error)
{
    struct conv_error own;
    struct reading reading = { .made = made, .folder = folder, .data_set = data_set, .error = error ? error : &own };
    struct onnx_bytes bytes;
    char path[4096];
    *made = (struct onnx_case){ .sort = ONNX_CASE_OTHER };
    name_case(made, folder, data_set, onnx_case_data_sets(folder));
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    enum conv_status status = onnx_read_bytes(&bytes, path, reading.error);
    if (status == CONV_OK)
        status = onnx_unpack_model(&reading.model, &bytes, reading.error);
    if (status == CONV_OK && is_one_conv(&reading)) {
        made->sort = ONNX_CASE_CONV;
        status = onnx_check_model(&reading.model);
        if (status == CONV_OK)
            status = take_case(&reading, theirs);
    }
    onnx_free_model(&reading.model);
    free((void *)bytes.data);
    if (status != CONV_OK)
        onnx_case_free(made);
    return status;
}

void onnx_case_free(struct onnx_case *made)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&made->tensors[operand]);
    made->operands = (struct conv_operands){ .x = NULL };
}
