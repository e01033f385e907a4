/* stack.h - a chain of convolutions that can be trained: its layers, their memory, forward and backward.
 *
 * A stack is read from a network, once its nodes are convolutions in a row (conv, dw, separable), each perhaps with a
 * relu behind it.  A separable node is two layers.  Every layer runs one of convref's kernels in each of its three
 * passes; the seconds of each pass are kept apart.
 * Not here: what is learned (task.h), how wrong it is (loss.c), how weights change (optimizer.h).
 * Read next: stack.c
 */
#ifndef CONVREF_EXPERIMENTS_TRAINING_STACK_H
#define CONVREF_EXPERIMENTS_TRAINING_STACK_H

#include <convref.h>

/* The parts of a step that are timed apart.  The first three are the passes of a convolution, by enum conv_pass. */
enum { PART_ACTIVATION = CONV_PASSES, PART_LOSS, PART_OPTIMIZER, PARTS };

struct layer {
    char label[80];
    struct conv_problem problem[CONV_PASSES];
    const struct conv_kernel *kernel[CONV_PASSES];
    struct conv_plan *plan[CONV_PASSES];   /* nobody asks the first layer for the gradient of the image: NULL there */
    enum conv_activation act;              /* part of the forward problem; backward it is a pass of its own */
    char *w, *bias, *dw, *dbias;           /* places in the stack's parameters and gradients; bias may be NULL */
    struct conv_tensor y;                  /* kept from forward to backward */
};

struct stack {
    char name[64];
    enum conv_type type;
    struct layer *layers;
    int count;
    int64_t parameter_count;
    /* of stack_allocate(): */
    struct conv_tensor x, parameters, gradients;   /* parameters: those of all layers, one behind the other */
    struct conv_tensor dy[2];              /* gradients of layer i's output in dy[i % 2]: two are alive at a time */
    double seconds[PARTS];                 /* added up since somebody set them to 0 */
};

struct stack_options {
    enum conv_type type;
    int threads;
    int64_t batch;
    int64_t image[CONV_AXES];   /* sizes in place of the network's own; all 0: the network's */
    int64_t outputs;            /* channels of the last layer; 0: the network's */
    const char *way;            /* which kernels: a name of stack_ways() */
};

/* The names of the ways to choose kernels, one after the other with ", " between. */
const char *stack_ways(void);

/* Read the layers; no memory for data is taken, so that parameters of any stack can be counted.  Fails with
 * CONV_NOT_APPLICABLE and the node at fault where the network is no chain of convolutions. */
enum conv_status stack_read(struct stack *stack, const struct conv_network *network,
                            const struct stack_options *options, struct conv_error *error);

/* Take memory and make plans.  Then weights of a size that keeps a signal as large as it was from layer to layer:
 * uniform, of variance 1 / fan in, before a relu twice that (He et al., 2015, arXiv:1502.01852); biases are 0. */
enum conv_status stack_allocate(struct stack *stack, const struct stack_options *options, struct conv_error *error);
void stack_initialise(struct stack *stack, uint64_t seed);
void stack_free(struct stack *stack);

/* All layers, first to last: from x to the last y. */
enum conv_status stack_forward(struct stack *stack, struct conv_error *error);

/* One layer backward: from the gradient of its output, in dy[i % 2], those of its weights and of its input.  The
 * whole way back is this for all layers, last to first. */
enum conv_status stack_backward_layer(struct stack *stack, int i, struct conv_error *error);
enum conv_status stack_backward(struct stack *stack, struct conv_error *error);

struct layer *stack_last(const struct stack *stack);
struct conv_tensor *stack_output_gradient(struct stack *stack);

/* Multiply-adds of a pass over all layers, without products with padding. */
int64_t stack_macs(const struct stack *stack, enum conv_pass pass);

#endif
