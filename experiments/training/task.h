/* task.h - something to learn: an image of patches, each of a class; and how wrong a stack's outputs are.
 *
 * The image is made of patches, PATCH positions wide.  A patch has a class, a class has a colour, and every position
 * has its patch's colour and some noise.  Cross-entropy asks for the class of each position, of as many as the stack
 * has outputs; the mean squared error asks for a second colour of the class, with as many channels as the stack has
 * outputs.
 * Everything follows from the seed.  It says whether training works, and nothing about how well a network learns.
 * Read next: loss.c
 */
#ifndef CONVREF_EXPERIMENTS_TRAINING_TASK_H
#define CONVREF_EXPERIMENTS_TRAINING_TASK_H

#include "experiments/training/stack.h"

enum { PATCH = 4 };

struct task {
    int64_t n, outputs, positions;   /* of the stack's last y: N x K x positions */
    int64_t *class_of;               /* of each of the N x positions outputs */
    double *wanted;                  /* wanted[class][output]: for the mean squared error */
};

/* Fill the stack's x, and what its outputs should be. */
enum conv_status task_create(struct task *task, struct stack *stack, uint64_t seed, struct conv_error *error);
void task_free(struct task *task);

/* A loss: the mean over what it looks at.  dy becomes its gradient. */
struct loss {
    const char *name;
    int64_t fewest_outputs;
    double (*of)(void *dy, const void *y, enum conv_type type, const struct task *task);
};

/* "cross-entropy" or "mse"; NULL: there is none of that name. */
const struct loss *loss_find(const char *name);

#endif
