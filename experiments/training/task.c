/* task.c - the image and its classes, from a seed.   Declared in task.h.   Read next: loss.c */
#include "experiments/training/task.h"

#include <math.h>
#include <stdlib.h>

static const double noise = 0.1;   /* colours are in [-1, 1) */

static double draw(uint64_t seed, const char *name, int64_t index)
{
    const struct conv_fill uniform = { CONV_FILL_UNIFORM, seed, 1, 0 };
    return conv_fill_value(&uniform, name, index);
}

/* Cross-entropy has one class for each output; with a single output there are two colours to tell apart. */
static int64_t class_count(int64_t outputs) { return outputs > 2 ? outputs : 2; }

/* The class of a position of image n: that of its patch. */
static int64_t class_at(const struct conv_axis axis[CONV_AXES], int64_t n, const int64_t at[CONV_AXES],
                        int64_t classes, uint64_t seed)
{
    int64_t patch = n;
    for (int a = 0; a < CONV_AXES; a++)
        patch = patch * conv_ceil_div(axis[a].in, PATCH) + at[a] / PATCH;
    return (int64_t)floor((draw(seed, "class", patch) + 1) / 2 * (double)classes);
}

/* Position `index` of a volume of these sizes. */
static void unravel(int64_t at[CONV_AXES], int64_t index, const int64_t size[CONV_AXES])
{
    for (int a = CONV_AXES - 1; a >= 0; a--) {
        at[a] = index % size[a];
        index /= size[a];
    }
}

static void paint(struct stack *stack, int64_t classes, uint64_t seed)
{
    const struct conv_problem *first = &stack->layers[0].problem[CONV_FORWARD];
    const struct conv_axis *axis = first->axis;
    const int64_t size[CONV_AXES] = { axis[CONV_D].in, axis[CONV_H].in, axis[CONV_W].in };
    const int64_t positions = size[CONV_D] * size[CONV_H] * size[CONV_W];
    for (int64_t i = 0; i < first->n * first->c * positions; i++) {   /* x[n][c][position] */
        int64_t at[CONV_AXES];
        unravel(at, i % positions, size);
        const int64_t c = i / positions % first->c, n = i / positions / first->c;
        const double colour = draw(seed, "colour", class_at(axis, n, at, classes, seed) * first->c + c);
        conv_set(stack->type, stack->x.data, i, colour + noise * draw(seed, "noise", i));
    }
}

/* An output belongs to the position of the image that lies as far along. */
static void label(struct task *task, const struct stack *stack, int64_t classes, uint64_t seed)
{
    const struct conv_axis *in = stack->layers[0].problem[CONV_FORWARD].axis;
    const struct conv_axis *out = stack_last(stack)->problem[CONV_FORWARD].axis;
    const int64_t size[CONV_AXES] = { out[CONV_D].out, out[CONV_H].out, out[CONV_W].out };
    for (int64_t i = 0; i < task->n * task->positions; i++) {
        int64_t at[CONV_AXES];
        unravel(at, i % task->positions, size);
        for (int a = 0; a < CONV_AXES; a++)
            at[a] = at[a] * in[a].in / size[a];
        task->class_of[i] = class_at(in, i / task->positions, at, classes, seed);
    }
}

enum conv_status task_create(struct task *task, struct stack *stack, uint64_t seed, struct conv_error *error)
{
    const struct conv_problem *last = &stack_last(stack)->problem[CONV_FORWARD];
    const int64_t classes = class_count(last->k);
    struct task made = { .n = last->n, .outputs = last->k };
    made.positions = last->axis[CONV_D].out * last->axis[CONV_H].out * last->axis[CONV_W].out;
    made.class_of = malloc((size_t)(made.n * made.positions) * sizeof *made.class_of);
    made.wanted = malloc((size_t)(classes * made.outputs) * sizeof *made.wanted);
    if (!made.class_of || !made.wanted) {
        task_free(&made);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for what the outputs of %s should be", stack->name);
    }
    paint(stack, classes, seed);
    label(&made, stack, classes, seed);
    for (int64_t i = 0; i < classes * made.outputs; i++)
        made.wanted[i] = draw(seed, "wanted", i);
    *task = made;
    return CONV_OK;
}

void task_free(struct task *task)
{
    free(task->class_of);
    free(task->wanted);
    *task = (struct task){ .n = 0 };
}
