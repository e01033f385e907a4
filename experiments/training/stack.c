/* stack.c - layers in a row, forward and backward, on convref's kernels.
 *
 * Backward, a layer is two more convolutions (reference/ref_backward_data.c, ref_backward_weights.c): the gradient of
 * its weights, from its input and dy, and the gradient of its input, from its weights and dy, which is the layer
 * before's dy.  Weights change in every step, so kernels that pack them do it in every step, inside the timing.
 * Declared in stack.h.   Read next: read.c (where layers come from), step.c (a step of training)
 */
#include "experiments/training/stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ------------------------------------------------------------------------------------------------ */

static enum conv_status take(struct conv_tensor *tensor, const struct stack *stack, int64_t count,
                             struct conv_error *error)
{
    enum conv_status status = conv_tensor_create(tensor, stack->type, 1, &count, error);
    if (status == CONV_OK)
        memset(tensor->data, 0, conv_tensor_bytes(tensor));
    return status;
}

static enum conv_status make_plans(struct layer *layer, bool first, int threads, struct conv_error *error)
{
    const struct conv_plan_options options = { .threads = threads };
    enum conv_status status = CONV_OK;
    for (enum conv_pass pass = 0; pass < CONV_PASSES && status == CONV_OK; pass++)
        if (!first || pass != CONV_BACKWARD_DATA)
            status = conv_plan_create(&layer->plan[pass], layer->kernel[pass], &layer->problem[pass], &options,
                                      error);
    return status;
}

/* Weights, then biases: where those of a layer begin; `at` goes behind them. */
static void place(struct layer *layer, const struct stack *stack, int64_t *at)
{
    const int64_t size = (int64_t)conv_type_facts(stack->type)->size;
    char *parameters = stack->parameters.data, *gradients = stack->gradients.data;
    layer->w = parameters + *at * size;
    layer->dw = gradients + *at * size;
    *at += conv_operand_count(layer->problem, CONV_WEIGHTS);
    const int64_t biases = conv_operand_count(layer->problem, CONV_BIAS);
    layer->bias = biases > 0 ? parameters + *at * size : NULL;
    layer->dbias = biases > 0 ? gradients + *at * size : NULL;
    *at += biases;
}

/* More than the machine has would be a process that is killed, minutes later. */
static enum conv_status check_memory(const struct stack *stack, struct conv_error *error)
{
    struct conv_machine machine;
    double elements = 2.0 * (double)stack->parameter_count;
    for (int i = 0; i < stack->count; i++)
        elements += (double)conv_operand_count(stack->layers[i].problem, CONV_Y);
    const double gigabytes = elements * (double)conv_type_facts(stack->type)->size / 1e9;
    conv_machine_read(&machine);
    const double there = (double)machine.bytes[CONV_DRAM] / 1e9;
    if (gigabytes <= there || there <= 0)
        return CONV_OK;
    conv_fail(error, CONV_NO_MEMORY, "%s needs %.1f GB for its weights and outputs, and the machine has %.1f",
              stack->name, gigabytes, there);
    conv_hint(error, "a smaller image or batch needs less");
    return CONV_NO_MEMORY;
}

enum conv_status stack_allocate(struct stack *stack, const struct stack_options *options, struct conv_error *error)
{
    int64_t largest = 0, at = 0;
    enum conv_status status = check_memory(stack, error);
    if (status == CONV_OK)
        status = take(&stack->x, stack, conv_operand_count(stack->layers[0].problem, CONV_X), error);
    if (status == CONV_OK)
        status = take(&stack->parameters, stack, stack->parameter_count, error);
    if (status == CONV_OK)
        status = take(&stack->gradients, stack, stack->parameter_count, error);
    for (int i = 0; i < stack->count && status == CONV_OK; i++) {
        struct layer *layer = &stack->layers[i];
        const int64_t outputs = conv_operand_count(layer->problem, CONV_Y);
        largest = outputs > largest ? outputs : largest;
        place(layer, stack, &at);
        status = take(&layer->y, stack, outputs, error);
        if (status == CONV_OK)
            status = make_plans(layer, i == 0, options->threads, error);
    }
    for (int i = 0; i < 2 && status == CONV_OK; i++)
        status = take(&stack->dy[i], stack, largest, error);
    return status;
}

void stack_initialise(struct stack *stack, uint64_t seed)
{
    for (int i = 0; i < stack->count; i++) {
        const struct layer *layer = &stack->layers[i];
        const struct conv_problem *forward = &layer->problem[CONV_FORWARD];
        const double variance = (layer->act == CONV_ACT_NONE ? 1 : 2) / (double)conv_fan_in(forward);
        const struct conv_fill uniform = { CONV_FILL_UNIFORM, seed, sqrt(3 * variance), 0 };
        conv_fill(stack->type, layer->w, conv_operand_count(forward, CONV_WEIGHTS), layer->label, &uniform);
        if (layer->bias)
            memset(layer->bias, 0, conv_operand_bytes(forward, CONV_BIAS));
    }
}

void stack_free(struct stack *stack)
{
    for (int i = 0; i < stack->count; i++) {
        for (enum conv_pass pass = 0; pass < CONV_PASSES; pass++)
            conv_plan_free(stack->layers[i].plan[pass]);
        conv_tensor_free(&stack->layers[i].y);
    }
    conv_tensor_free(&stack->x);
    conv_tensor_free(&stack->parameters);
    conv_tensor_free(&stack->gradients);
    conv_tensor_free(&stack->dy[0]);
    conv_tensor_free(&stack->dy[1]);
    free(stack->layers);
    *stack = (struct stack){ .count = 0 };
}

struct layer *stack_last(const struct stack *stack) { return &stack->layers[stack->count - 1]; }

struct conv_tensor *stack_output_gradient(struct stack *stack) { return &stack->dy[(stack->count - 1) % 2]; }

int64_t stack_macs(const struct stack *stack, enum conv_pass pass)
{
    int64_t macs = 0;
    for (int i = pass == CONV_BACKWARD_DATA ? 1 : 0; i < stack->count; i++) {
        struct conv_count count;
        conv_count_problem(&count, &stack->layers[i].problem[pass]);
        macs += count.macs_inside;
    }
    return macs;
}

/* ---- the passes ----------------------------------------------------------------------------------------------- */

static enum conv_status run(struct stack *stack, const struct layer *layer, enum conv_pass pass,
                            const struct conv_operands *operands, struct conv_error *error)
{
    const double start = conv_seconds();
    enum conv_status status = conv_plan_load(layer->plan[pass], operands, error);
    if (status == CONV_OK && conv_plan_run(layer->plan[pass]) < 0)
        status = conv_fail(error, CONV_NOT_APPLICABLE, "%s: %s failed: %s", layer->label, layer->kernel[pass]->name,
                           conv_plan_failure(layer->plan[pass]));
    stack->seconds[pass] += conv_seconds() - start;
    return status;
}

static void *input_of(const struct stack *stack, int i)
{
    return i > 0 ? stack->layers[i - 1].y.data : stack->x.data;
}

enum conv_status stack_forward(struct stack *stack, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int i = 0; i < stack->count && status == CONV_OK; i++) {
        struct layer *layer = &stack->layers[i];
        const struct conv_operands operands = { .x = input_of(stack, i), .w = layer->w, .bias = layer->bias,
                                                .y = layer->y.data };
        status = run(stack, layer, CONV_FORWARD, &operands, error);
    }
    return status;
}

/* dy becomes the gradient before the activation: 0 where that was flat, at its outputs 0 and, of relu6, 6. */
static void activation_backward(void *dy, const struct layer *layer, enum conv_type type)
{
    const int64_t count = conv_tensor_count(&layer->y);
    for (int64_t i = 0; i < count; i++) {
        const double y = conv_get(type, layer->y.data, i);
        if (!(y > 0) || (layer->act == CONV_ACT_RELU6 && !(y < 6)))
            conv_set(type, dy, i, 0);
    }
}

enum conv_status stack_backward_layer(struct stack *stack, int i, struct conv_error *error)
{
    struct layer *layer = &stack->layers[i];
    void *dy = stack->dy[i % 2].data, *dx = stack->dy[(i + 1) % 2].data;
    const double start = conv_seconds();
    if (layer->act != CONV_ACT_NONE)
        activation_backward(dy, layer, stack->type);
    stack->seconds[PART_ACTIVATION] += conv_seconds() - start;

    const struct conv_operands weights = { .x = input_of(stack, i), .w = layer->dw, .bias = layer->dbias, .y = dy };
    const struct conv_operands data = { .x = dx, .w = layer->w, .bias = layer->bias, .y = dy };
    enum conv_status status = run(stack, layer, CONV_BACKWARD_WEIGHTS, &weights, error);
    return status == CONV_OK && i > 0 ? run(stack, layer, CONV_BACKWARD_DATA, &data, error) : status;
}

enum conv_status stack_backward(struct stack *stack, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    for (int i = stack->count - 1; i >= 0 && status == CONV_OK; i--)
        status = stack_backward_layer(stack, i, error);
    return status;
}
