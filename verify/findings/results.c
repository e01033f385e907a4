/* results.c - suspects: the sums are right, and what is stored isn't.
 *
 * Not activated, or before the bias; added to what was there; of the wrong sign; in another order; a neighbour's.
 * Declared in mistake.h.
 */
#include <float.h>
#include <math.h>

#include "verify/findings/orders.h"
#include "verify/maths/activation.h"

/* ---- each output by itself ------------------------------------------------------------------------------------- */

/* What is in the output before isn't always known. */
static double untouched(const struct mistake *m, double value) { return isfinite(m->held) ? m->held : value; }
static double added(const struct mistake *m, double value)
{
    return isfinite(m->held) ? activated(m->problem.act, value + m->held) : value;
}

static double nan_is_zero(const struct mistake *m, double value)
{
    return m->problem.act != CONV_ACT_NONE && isnan(value) ? 0 : value;
}
static double relu_loses_nan(const struct mistake *m, double value)
{
    return m->problem.act == CONV_ACT_RELU && isnan(value) ? 0 : value;
}
/* As minima and maxima do that give the other number: of relu 0, of relu6 6. */
static double nan_is_the_limit(const struct mistake *m, double value)
{
    return m->problem.act == CONV_ACT_RELU6 && isnan(value) ? 6 : nan_is_zero(m, value);
}

static double made_finite(const struct mistake *m, double value)
{
    (void)m;
    return isinf(value) ? copysign(FLT_MAX, value) : value;
}
static double zero(const struct mistake *m, double value) { (void)m; (void)value; return 0; }
static double made_nan(const struct mistake *m, double value) { (void)m; (void)value; return NAN; }
static double negated(const struct mistake *m, double value) { (void)m; return -value; }

/* ---- with the bias --------------------------------------------------------------------------------------------- */

/* The bias of y; NULL if the output has none. */
static const double *bias_of_y(const struct mistake *m)
{
    return m->output == CONV_Y ? m->in[m->problem.op == CONV_OP_SEPARABLE ? CONV_PW_BIAS : CONV_BIAS] : NULL;
}

static double bias_at(const struct mistake *m, int64_t i)
{
    const struct conv_axis *a = m->problem.axis;
    return bias_of_y(m)[i / (a[0].out * a[1].out * a[2].out) % m->problem.k];
}

static bool bias_alone(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t i = 0; bias_of_y(m) && i < m->count; i++)
        m->out[i] = activated(m->problem.act, bias_at(m, i));
    return bias_of_y(m) != NULL;
}

/* The reference gives sum + bias, without the activation: then the sum alone is activated. */
static bool leave_out(struct mistake *m, int64_t act)
{
    const bool has = m->problem.act == (enum conv_activation)act && bias_of_y(m);
    m->problem.act = CONV_ACT_NONE;
    return has;
}
static bool activate_sum(struct mistake *m, int64_t act)
{
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = activated((enum conv_activation)act, m->out[i] - bias_at(m, i)) + bias_at(m, i);
    return true;
}

static bool activate_anyway(struct mistake *m, int64_t act)
{
    for (int64_t i = 0; i < m->count; i++)
        m->out[i] = activated((enum conv_activation)act, m->out[i]);
    return m->problem.act == CONV_ACT_NONE;
}

const struct suspect suspect_results[] = {
    { "nothing is stored there", .value = untouched, .certain = true },
    { "the activation comes before the bias", .before = leave_out, .after = activate_sum, .number = CONV_ACT_RELU },
    { "the activation comes before the bias", .before = leave_out, .after = activate_sum, .number = CONV_ACT_RELU6 },
    { "a relu is applied that the problem doesn't have", .after = activate_anyway, .number = CONV_ACT_RELU },
    { "a relu6 is applied that the problem doesn't have", .after = activate_anyway, .number = CONV_ACT_RELU6 },
    { "the activation turns NaN into 0", .value = nan_is_zero },
    { "relu turns NaN into 0", .value = relu_loses_nan },
    { "the activation loses NaN: it becomes 0, or the limit of relu6", .value = nan_is_the_limit },
    { "infinite sums are stored as the largest finite number", .value = made_finite },
    { "the sums are added to what was in the output", .value = added },
    { "nothing is added up: only the bias is stored", .after = bias_alone, .modest = true },
    { "nothing is added up: 0 is stored", .value = zero, .modest = true },
    { "the output is stored channels last, and should be channels first", .stored = order_channels_first },
    { "the output is stored channels first, and should be channels last", .stored = order_channels_last },
    { "rows and columns of the output are exchanged in memory", .stored = order_rows_back },
    { "the output is rotated by half a turn", .stored = order_rotated },
    { "the output is mirrored, left for right", .stored = order_mirrored },
    { "output channels of groups are interleaved: k * G + g instead of g * K/G + k", .stored = order_groups_gathered },
    { "output channels of groups are interleaved: the reverse of k * G + g", .stored = order_groups_interleaved },
    { "an output is that of the next column", .stored = order_next_column },
    { "an output is that of the column before", .stored = order_previous_column },
    { "an output is that of the next row", .stored = order_next_row },
    { "an output is that of the row before", .stored = order_previous_row },
    { "an output is that of the next filter", .stored = order_next_channel },
    { "an output is that of the filter before", .stored = order_previous_channel },
    { "an output is that of the image before", .stored = order_previous_image },
    { "outputs have the wrong sign", .value = negated },
    { "outputs are NaN", .value = made_nan },
    { .words = NULL }
};
