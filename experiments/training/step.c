/* step.c - a step of training, in four lines.   Declared in step.h.
 *
 * The same image in every step, as in the benchmark that the experiment stack50 is about.   Read next: train.c
 */
#include "experiments/training/step.h"

enum conv_status training_begin(struct training *training, const struct stack *stack,
                                const struct training_options *options, struct conv_error *error)
{
    *training = (struct training){ .stack = *stack, .loss = options->loss };
    const int64_t outputs = stack_last(stack)->problem[CONV_FORWARD].k;
    enum conv_status status = CONV_OK;
    if (outputs < options->loss->fewest_outputs)
        status = conv_fail(error, CONV_BAD_INPUT, "%s has nothing to choose from: %s has 1 output",
                           options->loss->name, stack->name);
    if (status == CONV_OK)
        status = stack_allocate(&training->stack, &options->stack, error);
    if (status == CONV_OK)
        status = task_create(&training->task, &training->stack, options->seed, error);
    if (status == CONV_OK)
        status = optimizer_create(&training->optimizer, options->method, options->rate, stack->parameter_count,
                                  options->stack.threads, error);
    if (status == CONV_OK)
        stack_initialise(&training->stack, options->seed);
    else
        training_end(training);
    return status;
}

void training_end(struct training *training)
{
    optimizer_free(&training->optimizer);
    task_free(&training->task);
    stack_free(&training->stack);
}

enum conv_status training_loss(struct training *training, double *loss, struct conv_error *error)
{
    struct stack *stack = &training->stack;
    enum conv_status status = stack_forward(stack, error);
    const double start = conv_seconds();
    if (status == CONV_OK)
        *loss = training->loss->of(stack_output_gradient(stack)->data, stack_last(stack)->y.data, stack->type,
                                   &training->task);
    stack->seconds[PART_LOSS] += conv_seconds() - start;
    return status;
}

enum conv_status training_step(struct training *training, double *loss, struct conv_error *error)
{
    struct stack *stack = &training->stack;
    enum conv_status status = training_loss(training, loss, error);
    if (status == CONV_OK)
        status = stack_backward(stack, error);
    const double start = conv_seconds();
    if (status == CONV_OK)
        optimizer_step(&training->optimizer, stack->parameters.data, stack->gradients.data);
    stack->seconds[PART_OPTIMIZER] += conv_seconds() - start;
    return status;
}
