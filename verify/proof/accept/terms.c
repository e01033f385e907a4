/* terms.c - gathers the terms of one output, and has them summed.   See terms.h.   Read next: manners.c */
#include <math.h>
#include <string.h>

#include "verify/proof/accept/terms.h"
#include "verify/proof/faults/naive.h"

static float weight(const struct conv_problem *conv, const struct conv_operands *operands,
                    const struct conv_workspace *workspace, const struct manner *manner, int64_t i)
{
    if (!manner->packed)
        return ((const float *)operands->w)[i];
    return ((const float *)workspace->packed)[conv_operand_count(conv, CONV_WEIGHTS) - 1 - i];
}

/* Scratch: two floats for each term, then the copy of x at an odd address. */
static char *copy_of_x(const struct conv_problem *conv, void *scratch)
{
    return (char *)scratch + 2 * conv_fan_in(conv) * (int64_t)sizeof(float) + 1;
}

static float input(const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, const struct manner *manner, int64_t i)
{
    float value;
    if (!manner->odd_bytes)
        return ((const float *)operands->x)[i];
    memcpy(&value, copy_of_x(conv, workspace->scratch) + i * (int64_t)sizeof value, sizeof value);
    return value;
}

/* The taps of one output: at[] is z, p, q. */
static void gather(struct terms *terms, const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, const struct manner *manner, int64_t n, int64_t k,
                   const int64_t at[CONV_AXES])
{
    const struct conv_axis *a = conv->axis;
    const int64_t channels = conv->c / conv->groups, g = k / (conv->k / conv->groups);
    const int64_t size[] = { a[0].in, a[1].in, a[2].in };
    terms->count = 0;
    for (int64_t c = 0; c < channels; c++)
    for (int64_t t = 0; t < a[0].filter; t++)
    for (int64_t r = 0; r < a[1].filter; r++)
    for (int64_t s = 0; s < a[2].filter; s++) {
        const int64_t from[] = { conv_input_at(&a[0], at[0], t), conv_input_at(&a[1], at[1], r),
                                 conv_input_at(&a[2], at[2], s) };
        const bool inside = conv_inside(&a[0], from[0]) && conv_inside(&a[1], from[1]) && conv_inside(&a[2], from[2]);
        if (!inside && !manner->zeros)
            continue;
        terms->x[terms->count] = inside ? input(conv, operands, workspace, manner,
            naive_image_at(conv, conv->c, size, n, g * channels + c, from)) : 0;
        terms->w[terms->count++] = weight(conv, operands, workspace, manner,
            (((k * channels + c) * a[0].filter + t) * a[1].filter + r) * a[2].filter + s);
    }
}

void terms_compute(const struct conv_problem *conv, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, const struct manner *manner)
{
    const int64_t out[] = { conv->axis[0].out, conv->axis[1].out, conv->axis[2].out };
    const int64_t sizes[] = { conv->n, conv->k, out[0], out[1], out[2] };
    struct terms terms = { .x = workspace->scratch, .w = (float *)workspace->scratch + conv_fan_in(conv) };
    float *y = operands->y;
    if (manner->odd_bytes)
        memcpy(copy_of_x(conv, workspace->scratch), operands->x, conv_operand_bytes(conv, CONV_X));
    const int64_t count = conv_operand_count(conv, CONV_Y);
    for (int64_t i = 0; i < count; i++) {
        int64_t at[5], rest = i;
        for (int step = 0; step < 5; step++) {
            const int axis = manner->columns_first ? step : 4 - step;
            at[axis] = rest % sizes[axis];
            rest /= sizes[axis];
        }
        const int64_t element = naive_image_at(conv, conv->k, out, at[0], at[1], &at[2]);
        if (manner->written_twice)
            y[element] = NAN;
        gather(&terms, conv, operands, workspace, manner, at[0], at[1], &at[2]);
        terms.bias = operands->bias ? ((const float *)operands->bias)[at[1]] : 0;
        y[element] = conv_activate(conv->act, manner->sum(&terms));
    }
}

size_t terms_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return 2 * (size_t)conv_fan_in(conv) * sizeof(float);
}

size_t terms_and_copy_bytes(const struct conv_problem *conv, int threads)
{
    return terms_bytes(conv, threads) + 1 + conv_operand_bytes(conv, CONV_X);
}

float terms_sum(const struct terms *v)
{
    float sum = 0;
    for (int64_t i = 0; i < v->count; i++)
        sum += v->x[i] * v->w[i];
    return sum + v->bias;
}
