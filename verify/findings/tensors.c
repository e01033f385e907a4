/* tensors.c - suspects: weights, images or a bias are read in another order, from another place, or not at all.
 *
 * Most are an order (orders.h); padding, the bias, and a depthwise filter's channels take more.   Declared in
 * mistake.h.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/findings/orders.h"

/* A depthwise filter k reads channel k % C instead of k / multiplier: as many channels as filters, each with its own. */
static bool channels_modulo(struct mistake *m, int64_t unused)
{
    struct conv_problem *p = &m->problem;
    const int64_t inside = p->axis[0].in * p->axis[1].in * p->axis[2].in;
    (void)unused;
    if (conv_problem_kind(p) != CONV_DEPTHWISE || p->k == p->c || !m->in[CONV_X] || m->output == CONV_X)
        return false;
    double *x = malloc((size_t)(p->n * p->k * inside) * sizeof *x);
    if (!x)
        return false;
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t k = 0; k < p->k; k++)
            memcpy(x + (n * p->k + k) * inside, m->in[CONV_X] + (n * p->c + k % p->c) * inside,
                   (size_t)inside * sizeof *x);
    free(m->in[CONV_X]);
    m->in[CONV_X] = x;
    p->c = p->groups = p->k;
    return true;
}

/* ---- padding that isn't zeros ---------------------------------------------------------------------------------- */

enum { ONES, NEAREST, REFLECTED, AROUND, NEIGHBOUR_IN_MEMORY };

static int64_t inside_of(int64_t at, int64_t size, int64_t how)
{
    if (how == NEAREST)
        return at < 0 ? 0 : at >= size ? size - 1 : at;
    if (how == AROUND)
        return ((at % size) + size) % size;
    at = at < 0 ? -at : at;
    return at >= size ? 2 * size - 2 - at : at;
}

static double padded_value(const double *plane, const int64_t in[CONV_AXES], const int64_t at[CONV_AXES], int64_t how,
                           int64_t before, int64_t behind)
{
    bool inside = true;
    int64_t i = 0;
    for (int a = 0; a < CONV_AXES; a++) {
        const bool here = at[a] >= 0 && at[a] < in[a];
        inside = inside && here;
        i = i * in[a] + (here || how == NEIGHBOUR_IN_MEMORY ? at[a] : inside_of(at[a], in[a], how));
    }
    if (inside || (how != ONES && i >= -before && i < behind))
        return plane[i];
    return how == ONES;
}

/* All that windows read, as an image without padding. */
static bool fill_padding(struct mistake *m, int64_t how)
{
    struct conv_problem *p = &m->problem;
    int64_t in[CONV_AXES], size[CONV_AXES], begin[CONV_AXES], old = 1, new = 1;
    if (!m->in[CONV_X] || m->output == CONV_X || p->op == CONV_OP_TRANSPOSED)
        return false;
    for (int a = 0; a < CONV_AXES; a++) {
        struct conv_axis *axis = &p->axis[a];
        in[a] = axis->in;
        begin[a] = axis->pad_begin;
        size[a] = (axis->out - 1) * axis->stride + conv_extent(axis);
        old *= in[a];
        new *= size[a];
        axis->in = size[a];
        axis->pad_begin = axis->pad_end = 0;
    }
    double *x = malloc((size_t)(p->n * p->c * new) * sizeof *x);
    if (!x)
        return false;
    for (int64_t i = 0; i < p->n * p->c * new; i++) {
        const int64_t plane = i / new, j = i % new;
        const int64_t at[CONV_AXES] = { j / size[2] / size[1] - begin[0], j / size[2] % size[1] - begin[1], j % size[2] - begin[2] };
        x[i] = padded_value(m->in[CONV_X] + plane * old, in, at, how, plane * old, (p->n * p->c - plane) * old);
    }
    free(m->in[CONV_X]);
    m->in[CONV_X] = x;
    return true;
}

/* ---- the bias -------------------------------------------------------------------------------------------------- */

static bool scale_bias(struct mistake *m, int64_t factor)
{
    for (int64_t k = 0; m->in[CONV_BIAS] && k < conv_operand_count(&m->problem, CONV_BIAS); k++)
        m->in[CONV_BIAS][k] *= (double)factor;
    return m->in[CONV_BIAS] != NULL;
}

static bool bias_of_first_group(struct mistake *m, int64_t unused)
{
    double *bias = m->in[CONV_BIAS];
    (void)unused;
    for (int64_t k = 0; bias && m->problem.op != CONV_OP_SEPARABLE && k < m->problem.k; k++)
        bias[k] = bias[k % (m->problem.k / m->problem.groups)];
    return bias != NULL;
}

static bool first_bias(struct mistake *m, int64_t unused)
{
    double *bias = m->in[CONV_BIAS];
    (void)unused;
    for (int64_t k = 0; bias && k < conv_operand_count(&m->problem, CONV_BIAS); k++)
        bias[k] = bias[0];
    return bias != NULL;
}

static bool next_bias(struct mistake *m, int64_t by)
{
    double *bias = m->in[CONV_BIAS];
    const int64_t count = conv_operand_count(&m->problem, CONV_BIAS);
    if (!bias || count < 2)
        return false;
    const double first = bias[0], last = bias[count - 1];
    if (by > 0)
        memmove(bias, bias + 1, (size_t)(count - 1) * sizeof *bias);
    else
        memmove(bias + 1, bias, (size_t)(count - 1) * sizeof *bias);
    *(by > 0 ? &bias[count - 1] : &bias[0]) = by > 0 ? first : last;
    return true;
}

static bool no_second_bias(struct mistake *m, int64_t unused)
{
    (void)unused;
    for (int64_t k = 0; m->in[CONV_PW_BIAS] && k < m->problem.k; k++)
        m->in[CONV_PW_BIAS][k] = 0;
    return m->in[CONV_PW_BIAS] != NULL;
}

/* The bias once for each tap. */
static bool bias_for_each_tap(struct mistake *m, int64_t unused)
{
    const struct conv_axis *a = m->problem.axis;
    (void)unused;
    return scale_bias(m, a[0].filter * a[1].filter * a[2].filter);
}

static bool bias_for_each_channel(struct mistake *m, int64_t unused)
{
    (void)unused;
    return scale_bias(m, m->problem.c / m->problem.groups);
}

const struct suspect suspect_tensors[] = {
    { "the filter is rotated by half a turn: a true convolution, where frameworks mean a cross-correlation", .read = order_rotated, .operand = CONV_WEIGHTS },
    { "the filter is mirrored, left for right", .read = order_mirrored, .operand = CONV_WEIGHTS },
    { "the filter is upside down", .read = order_upside_down, .operand = CONV_WEIGHTS },
    { "the filter's rows and columns are exchanged", .read = order_transposed, .operand = CONV_WEIGHTS },
    { "the weights are read as C x K instead of K x C", .read = order_channels_exchanged, .operand = CONV_WEIGHTS },
    { "the weights are read as R x S x C x K instead of K x C x R x S", .read = order_taps_first, .operand = CONV_WEIGHTS },
    { "the weights are read as K x R x S x C instead of K x C x R x S", .read = order_channels_last, .operand = CONV_WEIGHTS },
    { "the weights are K x C x R x S, and lie there as K x R x S x C", .read = order_channels_first, .operand = CONV_WEIGHTS },
    { "every group uses the weights of the first", .read = order_first_group_of_filters, .operand = CONV_WEIGHTS },
    { "the depthwise filters are read as multiplier x C instead of C x multiplier", .read = order_multiplier_outside, .operand = CONV_WEIGHTS },
    { "the depthwise filters lie there as multiplier x C instead of C x multiplier", .read = order_multiplier_inside, .operand = CONV_WEIGHTS },
    { "the next filter's weights are used", .read = order_next_filter, .operand = CONV_WEIGHTS },
    { "the weights of the filter before are used", .read = order_previous_filter, .operand = CONV_WEIGHTS },
    { "the bias is missing", .before = scale_bias },
    { "the bias is added twice", .before = scale_bias, .number = 2 },
    { "the bias is subtracted", .before = scale_bias, .number = -1 },
    { "the bias is added once for each tap", .before = bias_for_each_tap },
    { "the bias is added once for each channel", .before = bias_for_each_channel },
    { "every group gets the bias of the first", .before = bias_of_first_group },
    { "every filter gets the first bias", .before = first_bias },
    { "the next filter's bias is added", .before = next_bias, .number = 1 },
    { "the bias of the filter before is added", .before = next_bias, .number = -1 },
    { "the bias of the pointwise stage is missing", .before = no_second_bias },
    { "taps in the padding read 1 instead of 0", .before = fill_padding, .number = ONES },
    { "taps in the padding read the nearest pixel instead of 0 (replicate)", .before = fill_padding, .number = NEAREST },
    { "taps in the padding read the image mirrored at its border instead of 0 (reflect)", .before = fill_padding, .number = REFLECTED },
    { "taps in the padding read the other side of the image instead of 0 (circular)", .before = fill_padding, .number = AROUND },
    { "taps in the padding read what lies there in memory, a neighbouring row, instead of 0", .before = fill_padding,
      .number = NEIGHBOUR_IN_MEMORY },
    { "filter k reads channel k % C instead of k / multiplier", .before = channels_modulo },
    { "of all images only the last one counts", .read = order_last_image_alone, .operand = CONV_Y },
    { "of all images only the first one counts", .read = order_first_image_alone, .operand = CONV_Y },
    { "every image is the first one", .read = order_first_image, .operand = CONV_X }, { "every image of dy is the first one", .read = order_first_image, .operand = CONV_Y },
    { "the image before is read", .read = order_previous_image, .operand = CONV_X }, { "the image before is read, of dy", .read = order_previous_image, .operand = CONV_Y },
    { "every channel reads the first", .read = order_first_channel, .operand = CONV_X }, { "every filter's dy is that of the first", .read = order_first_channel, .operand = CONV_Y },
    { "every group reads the input channels of the first", .read = order_first_group, .operand = CONV_X },
    { "every group reads dy of the first", .read = order_first_group, .operand = CONV_Y },
    { "a group reads the input channels of the group before", .read = order_group_before, .operand = CONV_X },
    { "a group reads dy of the group before", .read = order_group_before, .operand = CONV_Y },
    { "a group's input begins at channel g * K/G instead of g * C/G", .read = order_group_of_others, .operand = CONV_X },
    { "a group's dy begins at g * C/G instead of g * K/G", .read = order_group_of_others, .operand = CONV_Y },
    { "the images are read as channels last, and are channels first", .read = order_channels_last, .operand = CONV_X },
    { "the images are read as channels first, and are channels last", .read = order_channels_first, .operand = CONV_X },
    { "dy is read as channels last, and is channels first", .read = order_channels_last, .operand = CONV_Y },
    { "dy is read as channels first, and is channels last", .read = order_channels_first, .operand = CONV_Y },
    { "the next column is read", .read = order_next_column, .operand = CONV_X }, { "the next column of dy is read", .read = order_next_column, .operand = CONV_Y },
    { "the column before is read", .read = order_previous_column, .operand = CONV_X }, { "the column before is read, of dy", .read = order_previous_column, .operand = CONV_Y },
    { "the next row is read", .read = order_next_row, .operand = CONV_X }, { "the next row of dy is read", .read = order_next_row, .operand = CONV_Y },
    { "the row before is read", .read = order_previous_row, .operand = CONV_X }, { "the row before is read, of dy", .read = order_previous_row, .operand = CONV_Y },
    { "the next plane is read", .read = order_next_plane, .operand = CONV_X }, { "the next plane of dy is read", .read = order_next_plane, .operand = CONV_Y },
    { "the next channel is read", .read = order_next_channel, .operand = CONV_X }, { "dy of the next filter is read", .read = order_next_channel, .operand = CONV_Y },
    { "the channel before is read", .read = order_previous_channel, .operand = CONV_X }, { "dy of the filter before is read", .read = order_previous_channel, .operand = CONV_Y },
    { "rows of the image are taken to be one longer than they are", .read = order_row_longer, .operand = CONV_X },
    { "rows of dy are taken to be one longer than they are", .read = order_row_longer, .operand = CONV_Y },
    { "rows of the image are taken to be one shorter than they are", .read = order_row_shorter, .operand = CONV_X },
    { "rows of dy are taken to be one shorter than they are", .read = order_row_shorter, .operand = CONV_Y },
    { "rows of the image are taken to be as long as there are rows: H for W", .read = order_row_of_height, .operand = CONV_X },
    { "rows of dy are taken to be as long as there are rows", .read = order_row_of_height, .operand = CONV_Y },
    { "planes of the image are taken to be as large as those of the output", .read = order_plane_of_outputs, .operand = CONV_X },
    { "planes of dy are taken to be as large as those of the output", .read = order_plane_of_outputs, .operand = CONV_Y },
    { "3-D: a channel is taken to begin H x W elements behind the one before, not D x H x W", .read = order_plane_without_depth, .operand = CONV_X },
    { "3-D: a filter's dy is taken to begin behind one plane", .read = order_plane_without_depth, .operand = CONV_Y },
    { "rows and columns of the image are exchanged in memory", .read = order_rows_exchanged, .operand = CONV_X },
    { "rows and columns of dy are exchanged in memory", .read = order_rows_exchanged, .operand = CONV_Y },
    { .words = NULL }
};
