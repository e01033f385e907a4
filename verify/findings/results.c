/* results.c - suspects: the sums are right, and what is stored isn't.
 *
 * Stored in another order, a neighbour's, not activated, rounded, added to what was there.   Declared in mistake.h.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/findings/mistake.h"

static int64_t element_at(const int64_t *size, const int64_t *i)
{
    return (((i[0] * size[1] + i[1]) * size[2] + i[2]) * size[3] + i[3]) * size[4] + i[4];
}

/* ---- another order ------------------------------------------------------------------------------------------------------ */

static int64_t memory_channels_last(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t inside = size[2] * size[3] * size[4], at = element_at(size, i) % (size[1] * inside);
    (void)m;
    return i[0] * size[1] * inside + at % size[1] * inside + at / size[1];
}

static int64_t memory_channels_first(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return (((i[0] * size[2] + i[2]) * size[3] + i[3]) * size[4] + i[4]) * size[1] + i[1];
}

static int64_t memory_transposed(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t at = i[3] * size[4] + i[4];
    (void)m;
    return element_at(size, i) - at + at % size[3] * size[4] + at / size[3];
}

static int64_t rotated(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t at[TENSOR_AXES] = { i[0], i[1], size[2] - 1 - i[2], size[3] - 1 - i[3], size[4] - 1 - i[4] };
    (void)m;
    return element_at(size, at);
}

static int64_t mirrored(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t at[TENSOR_AXES] = { i[0], i[1], i[2], i[3], size[4] - 1 - i[4] };
    (void)m;
    return element_at(size, at);
}

/* Output channel g * K/G + k is stored as k * G + g, or the reverse. */
static int64_t interleaved(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t share = size[1] / m->problem.groups;
    const int64_t at[TENSOR_AXES] = { i[0], i[1] % m->problem.groups * share + i[1] / m->problem.groups, i[2], i[3], i[4] };
    return element_at(size, at);
}

static int64_t gathered(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t share = size[1] / m->problem.groups;
    const int64_t at[TENSOR_AXES] = { i[0], i[1] % share * m->problem.groups + i[1] / share, i[2], i[3], i[4] };
    return element_at(size, at);
}

#define NEIGHBOUR(name, axis, by) \
    static int64_t name(const struct mistake *m, const int64_t *size, const int64_t *i) \
    { \
        int64_t at[TENSOR_AXES] = { i[0], i[1], i[2], i[3], i[4] }; \
        (void)m; \
        at[axis] += by; \
        return at[axis] >= 0 && at[axis] < size[axis] ? element_at(size, at) : element_at(size, i); \
    }
NEIGHBOUR(next_column, 4, 1)
NEIGHBOUR(previous_column, 4, -1)
NEIGHBOUR(next_row, 3, 1)
NEIGHBOUR(previous_row, 3, -1)
NEIGHBOUR(next_filter, 1, 1)
NEIGHBOUR(previous_filter, 1, -1)
NEIGHBOUR(previous_image, 0, -1)

#define OUT(name) \
    static bool out_##name(struct mistake *m, int64_t unused) { (void)unused; return tensor_pick(m, tensor_of_output(m), name); }
OUT(memory_channels_last) OUT(memory_channels_first) OUT(memory_transposed) OUT(rotated) OUT(mirrored) OUT(interleaved)
OUT(gathered) OUT(next_column) OUT(previous_column) OUT(next_row) OUT(previous_row) OUT(next_filter) OUT(previous_filter)
OUT(previous_image)

/* ---- other values ---------------------------------------------------------------------------------------------------------- */

static double activated(enum conv_activation act, double value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* What was stored before the activation, and the bias of each output. */
static bool no_activation(struct mistake *m, int64_t unused)
{
    (void)unused;
    m->problem.act = CONV_ACT_NONE;
    return true;
}

static double bias_of(const struct mistake *m, int64_t i)
{
    const struct tensor out = tensor_of_output(m);
    const double *bias = m->in[m->problem.op == CONV_OP_SEPARABLE ? CONV_PW_BIAS : CONV_BIAS];
    return m->output == CONV_Y && bias ? bias[i / (out.size[2] * out.size[3] * out.size[4]) % out.size[1]] : 0;
}

/* Without activation the reference gives sum + bias: then activate the sum alone. */
static bool activate_first(struct mistake *m, int64_t act)
{
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = activated((enum conv_activation)act, m->out[i] - bias_of(m, i)) + bias_of(m, i);
    return m->output == CONV_Y && m->in[CONV_BIAS];
}
static bool relu_first(struct mistake *m, int64_t unused) { (void)unused; return activate_first(m, CONV_ACT_RELU); }
static bool relu6_first(struct mistake *m, int64_t unused) { (void)unused; return activate_first(m, CONV_ACT_RELU6); }

static bool bias_alone(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = activated(m->problem.act, bias_of(m, i));
    return m->output == CONV_Y && m->in[CONV_BIAS];
}

static bool zero(struct mistake *m, int64_t unused)
{
    (void)unused;
    memset(m->out, 0, (size_t)m->count * sizeof *m->out);
    return true;
}

static bool added(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = activated(m->problem.act, m->out[i] + m->held);
    return isfinite(m->held);
}

static bool untouched(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = m->held;
    return isfinite(m->held);
}

static bool relu_loses_nan(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = isnan(m->out[i]) ? 0 : m->out[i];
    return m->problem.act == CONV_ACT_RELU;
}

static bool nan_is_zero(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = isnan(m->out[i]) ? 0 : m->out[i];
    return m->problem.act != CONV_ACT_NONE;
}

/* As minima and maxima do that give the other number: of relu 0, of relu6 6. */
static bool nan_is_the_limit(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = isnan(m->out[i]) ? m->problem.act == CONV_ACT_RELU6 ? 6 : 0 : m->out[i];
    return m->problem.act != CONV_ACT_NONE;
}

static bool made_finite(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = isinf(m->out[i]) ? copysign(FLT_MAX, m->out[i]) : m->out[i];
    return true;
}

static bool nan_everywhere(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = NAN;
    return true;
}

static bool negated(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = -m->out[i];
    return true;
}

static bool no_act_again(struct mistake *m, int64_t act)
{
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = activated((enum conv_activation)act, m->out[i]);
    return m->problem.act == CONV_ACT_NONE;
}

const struct suspect suspect_results[] = {
    { "nothing is stored there", .after = untouched, .certain = true },
    { "the activation comes before the bias", .before = no_activation, .after = relu_first },
    { "the activation comes before the bias", .before = no_activation, .after = relu6_first },
    { "a relu is applied that the problem doesn't have", .after = no_act_again, .number = CONV_ACT_RELU },
    { "a relu6 is applied that the problem doesn't have", .after = no_act_again, .number = CONV_ACT_RELU6 },
    { "the activation turns NaN into 0", .after = nan_is_zero },
    { "relu turns NaN into 0", .after = relu_loses_nan },
    { "the activation loses NaN: it becomes 0, or the limit of relu6", .after = nan_is_the_limit },
    { "infinite sums are stored as the largest finite number", .after = made_finite },
    { "the sums are added to what was in the output", .after = added },
    { "nothing is added up: only the bias is stored", .after = bias_alone, .modest = true },
    { "nothing is added up: 0 is stored", .after = zero, .modest = true },
    { "the output is stored channels last, and should be channels first", .after = out_memory_channels_last },
    { "the output is stored channels first, and should be channels last", .after = out_memory_channels_first },
    { "rows and columns of the output are exchanged in memory", .after = out_memory_transposed },
    { "the output is rotated by half a turn", .after = out_rotated },
    { "the output is mirrored, left for right", .after = out_mirrored },
    { "output channels of groups are interleaved: k * G + g instead of g * K/G + k", .after = out_gathered },
    { "output channels of groups are interleaved: the reverse of k * G + g", .after = out_interleaved },
    { "an output is that of the next column", .after = out_next_column },
    { "an output is that of the column before", .after = out_previous_column },
    { "an output is that of the next row", .after = out_next_row },
    { "an output is that of the row before", .after = out_previous_row },
    { "an output is that of the next filter", .after = out_next_filter },
    { "an output is that of the filter before", .after = out_previous_filter },
    { "an output is that of the image before", .after = out_previous_image },
    { "outputs have the wrong sign", .after = negated },
    { "outputs are NaN", .after = nan_everywhere },
    { .words = NULL }
};
