/* step.h - everything that a training needs, and one step of it.   Read next: step.c */
#ifndef CONVREF_EXPERIMENTS_TRAINING_STEP_H
#define CONVREF_EXPERIMENTS_TRAINING_STEP_H

#include "experiments/training/optimizer.h"
#include "experiments/training/task.h"

struct training {
    struct stack stack;
    struct task task;
    struct optimizer optimizer;
    const struct loss *loss;
};

struct training_options {
    struct stack_options stack;
    const struct loss *loss;
    const struct method *method;
    double rate;
    uint64_t seed;
};

/* Memory, weights and something to learn, for a stack that was read, which is the training's from now on: if this
 * fails, it is freed. */
enum conv_status training_begin(struct training *training, const struct stack *stack,
                                const struct training_options *options, struct conv_error *error);
void training_end(struct training *training);

/* Forward and the loss; the gradient of the output is left in the stack. */
enum conv_status training_loss(struct training *training, double *loss, struct conv_error *error);

/* A step: forward, loss, backward, optimizer.  *loss is what it was before the weights changed. */
enum conv_status training_step(struct training *training, double *loss, struct conv_error *error);

#endif
