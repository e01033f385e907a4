/* loss.c - cross-entropy and mean squared error, with their gradients.   Declared in task.h.
 *
 * Both read y and write dy as N x K x positions.  Sums are made in double, in one order, by one thread.
 * Read next: optimizer.c
 */
#include <math.h>
#include <string.h>

#include "experiments/training/task.h"

/* The log of the sum of e^y over the outputs of a position, without overflow: y[at], y[at + step], ... */
static double log_sum_exp(const void *y, enum conv_type type, int64_t at, int64_t step, int64_t count)
{
    double most = conv_get(type, y, at), sum = 0;
    for (int64_t k = 1; k < count; k++)
        most = fmax(most, conv_get(type, y, at + k * step));
    for (int64_t k = 0; k < count; k++)
        sum += exp(conv_get(type, y, at + k * step) - most);
    return most + log(sum);
}

/* The mean over positions of -log p[class], with p = softmax over the outputs;
 * dy = (p - [k is the class]) / positions */
static double cross_entropy(void *dy, const void *y, enum conv_type type, const struct task *task)
{
    const double share = 1 / (double)(task->n * task->positions);
    double loss = 0;
    for (int64_t i = 0; i < task->n * task->positions; i++) {
        const int64_t at = i / task->positions * task->outputs * task->positions + i % task->positions;
        const double log_sum = log_sum_exp(y, type, at, task->positions, task->outputs);
        for (int64_t k = 0; k < task->outputs; k++) {
            const int64_t j = at + k * task->positions;   /* y[n][k][position] */
            const double log_p = conv_get(type, y, j) - log_sum;
            const bool right = k == task->class_of[i];
            loss -= right ? share * log_p : 0;
            conv_set(type, dy, j, share * (exp(log_p) - (right ? 1 : 0)));
        }
    }
    return loss;
}

/* The mean over outputs of (y - wanted)^2; dy = 2 (y - wanted) / outputs */
static double mean_squared_error(void *dy, const void *y, enum conv_type type, const struct task *task)
{
    const int64_t count = task->n * task->outputs * task->positions;
    double loss = 0;
    for (int64_t j = 0; j < count; j++) {
        const int64_t n = j / task->positions / task->outputs, k = j / task->positions % task->outputs;
        const int64_t class = task->class_of[n * task->positions + j % task->positions];
        const double error = conv_get(type, y, j) - task->wanted[class * task->outputs + k];
        loss += error * error;
        conv_set(type, dy, j, 2 * error / (double)count);
    }
    return loss / (double)count;
}

const struct loss *loss_find(const char *name)
{
    static const struct loss losses[] = { { "cross-entropy", 2, cross_entropy }, { "mse", 1, mean_squared_error } };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (!strcmp(name, losses[i].name))
            return &losses[i];
    return NULL;
}
