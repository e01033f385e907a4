/* tensors.c - suspects: weights, images or a bias are read in another order, from another place, or not at all.
 *
 * Each is one function from the index of an element to that of the element which is read in its place.
 * Declared in mistake.h.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/findings/mistake.h"

/* The element at an index, of a tensor of these sizes. */
static int64_t element(const int64_t *size, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    return (((a * size[1] + b) * size[2] + c) * size[3] + d) * size[4] + e;
}

static int64_t element_at(const int64_t *size, const int64_t *i) { return element(size, i[0], i[1], i[2], i[3], i[4]); }

/* ---- weights ----------------------------------------------------------------------------------------------------------- */

static int64_t rotated(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, i[0], i[1], size[2] - 1 - i[2], size[3] - 1 - i[3], size[4] - 1 - i[4]);
}

static int64_t mirrored(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, i[0], i[1], i[2], i[3], size[4] - 1 - i[4]);
}

static int64_t upside_down(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, i[0], i[1], i[2], size[3] - 1 - i[3], i[4]);
}

static int64_t transposed(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return size[3] == size[4] ? element(size, i[0], i[1], i[2], i[4], i[3]) : i[4] * size[3] + i[3];
}

/* Memory that has another order: where element i of K x C x T x R x S lies in an array of that order. */
static int64_t channels_exchanged(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t taps = size[2] * size[3] * size[4], tap = (i[2] * size[3] + i[3]) * size[4] + i[4];
    (void)m;
    return (i[1] * size[0] + i[0]) * taps + tap;
}

static int64_t taps_first(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t tap = (i[2] * size[3] + i[3]) * size[4] + i[4];
    (void)m;
    return (tap * size[1] + i[1]) * size[0] + i[0];
}

/* For each filter its channels last: K x R x S x C; of an image, N x H x W x C. */
static int64_t channels_last(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return (((i[0] * size[2] + i[2]) * size[3] + i[3]) * size[4] + i[4]) * size[1] + i[1];
}

/* The reverse: element i of memory, taken for channels first, is this one of what lies there channels last. */
static int64_t memory_of_last(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t inside = size[2] * size[3] * size[4];
    const int64_t at = element_at(size, i) - i[0] * size[1] * inside;   /* in memory; which element is it, channels last? */
    (void)m;
    return i[0] * size[1] * inside + at % size[1] * inside + at / size[1];
}

static int64_t first_group_of_filters(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    return element(size, i[0] % (size[0] / m->problem.groups), i[1], i[2], i[3], i[4]);
}

static int64_t multiplier_outside(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t mult = m->problem.groups > 1 ? m->problem.k / m->problem.groups : 1;
    return element(size, i[0] % mult * (size[0] / mult) + i[0] / mult, i[1], i[2], i[3], i[4]);
}

static int64_t multiplier_inside(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t groups = m->problem.groups, mult = m->problem.k / groups;
    return size[0] == m->problem.k ? element(size, i[0] % groups * mult + i[0] / groups, i[1], i[2], i[3], i[4]) : -1;
}

static int64_t next_filter(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, (i[0] + 1) % size[0], i[1], i[2], i[3], i[4]);
}

static int64_t previous_filter(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, (i[0] + size[0] - 1) % size[0], i[1], i[2], i[3], i[4]);
}

/* ---- images -------------------------------------------------------------------------------------------------------------- */

static int64_t first_image(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, 0, i[1], i[2], i[3], i[4]);
}

static int64_t image_before(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, i[0] > 0 ? i[0] - 1 : 0, i[1], i[2], i[3], i[4]);
}

static int64_t first_channel(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element(size, i[0], 0, i[2], i[3], i[4]);
}

static int64_t channels_of_first_group(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    return element(size, i[0], i[1] % (size[1] / m->problem.groups), i[2], i[3], i[4]);
}

static int64_t channels_of_group_before(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t share = size[1] / m->problem.groups;
    return element(size, i[0], i[1] >= share ? i[1] - share : i[1], i[2], i[3], i[4]);
}

/* Group g begins at channel g * K/G; in dy, at g * C/G. */
static int64_t offset_of_filters(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const int64_t share = size[1] / m->problem.groups, group = i[1] / share;
    const int64_t others = size[1] == m->problem.c ? m->problem.k : m->problem.c;
    const int64_t channel = group * (others / m->problem.groups) + i[1] % share;
    return channel < size[1] ? element(size, i[0], channel, i[2], i[3], i[4]) : -1;
}

#define MOVED(name, axis, by) \
    static int64_t name(const struct mistake *m, const int64_t *size, const int64_t *i) \
    { \
        int64_t at[TENSOR_AXES] = { i[0], i[1], i[2], i[3], i[4] }; \
        (void)m; \
        at[axis] += by; \
        return at[axis] >= 0 && at[axis] < size[axis] ? element_at(size, at) : -1; \
    }
MOVED(next_column, 4, 1)
MOVED(previous_column, 4, -1)
MOVED(next_row, 3, 1)
MOVED(previous_row, 3, -1)
MOVED(next_plane, 2, 1)
MOVED(next_channel, 1, 1)
MOVED(previous_channel, 1, -1)

/* Every row begins where the one before it would if it were one longer, one shorter. */
static int64_t pitch_longer(const struct mistake *m, const int64_t *size, const int64_t *i) { (void)m; return element_at(size, i) + i[3]; }
static int64_t pitch_shorter(const struct mistake *m, const int64_t *size, const int64_t *i) { (void)m; return element_at(size, i) - i[3]; }
static int64_t rows_by_height(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element_at(size, i) - i[3] * size[4] + i[3] * size[3];
}
static int64_t planes_by_outputs(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    const struct conv_axis *a = m->problem.axis;
    const int64_t outputs = a[0].out * a[1].out * a[2].out, inside = size[2] * size[3] * size[4];
    return element_at(size, i) + (i[0] * size[1] + i[1]) * (outputs - inside);
}
static int64_t planes_without_depth(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element_at(size, i) + i[1] * size[3] * size[4] * (1 - size[2]);
}
static int64_t memory_transposed(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return element_at(size, i) - i[3] * size[4] - i[4] + i[4] * size[3] + i[3];
}

#define OF_WEIGHTS(name) \
    static bool w_##name(struct mistake *m, int64_t unused) { (void)unused; return tensor_pick(m, tensor_of(m, CONV_WEIGHTS), name); }
#define OF_IMAGES(name) \
    static bool x_##name(struct mistake *m, int64_t unused) { (void)unused; return tensor_pick(m, tensor_of(m, CONV_X), name); } \
    static bool y_##name(struct mistake *m, int64_t unused) { (void)unused; return tensor_pick(m, tensor_of(m, CONV_Y), name); }

OF_WEIGHTS(rotated) OF_WEIGHTS(mirrored) OF_WEIGHTS(upside_down) OF_WEIGHTS(transposed) OF_WEIGHTS(channels_exchanged)
OF_WEIGHTS(taps_first) OF_WEIGHTS(channels_last) OF_WEIGHTS(memory_of_last) OF_WEIGHTS(first_group_of_filters)
OF_WEIGHTS(multiplier_outside) OF_WEIGHTS(multiplier_inside) OF_WEIGHTS(next_filter) OF_WEIGHTS(previous_filter)
OF_IMAGES(first_image) OF_IMAGES(image_before) OF_IMAGES(first_channel) OF_IMAGES(channels_of_first_group)
OF_IMAGES(channels_of_group_before) OF_IMAGES(offset_of_filters) OF_IMAGES(channels_last) OF_IMAGES(memory_of_last)
OF_IMAGES(next_column) OF_IMAGES(previous_column) OF_IMAGES(next_row) OF_IMAGES(previous_row) OF_IMAGES(next_plane)
OF_IMAGES(next_channel) OF_IMAGES(previous_channel) OF_IMAGES(pitch_longer) OF_IMAGES(pitch_shorter)
OF_IMAGES(rows_by_height) OF_IMAGES(planes_by_outputs) OF_IMAGES(planes_without_depth) OF_IMAGES(memory_transposed)

/* Of several images one is left: the last, or the first. */
static int64_t last_alone(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return i[0] == size[0] - 1 ? element_at(size, i) : -1;
}
static int64_t first_alone(const struct mistake *m, const int64_t *size, const int64_t *i)
{
    (void)m;
    return i[0] == 0 ? element_at(size, i) : -1;
}
static bool dy_last_alone(struct mistake *m, int64_t unused)
{
    (void)unused;
    return m->problem.pass == CONV_BACKWARD_WEIGHTS && tensor_pick(m, tensor_of(m, CONV_Y), last_alone);
}
static bool dy_first_alone(struct mistake *m, int64_t unused)
{
    (void)unused;
    return m->problem.pass == CONV_BACKWARD_WEIGHTS && tensor_pick(m, tensor_of(m, CONV_Y), first_alone);
}

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
            memcpy(x + (n * p->k + k) * inside, m->in[CONV_X] + (n * p->c + k % p->c) * inside, (size_t)inside * sizeof *x);
    free(m->in[CONV_X]);
    m->in[CONV_X] = x;
    p->c = p->groups = p->k;
    return true;
}

/* ---- padding that isn't zeros ------------------------------------------------------------------------------------------ */

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

/* ---- the bias -------------------------------------------------------------------------------------------------------------- */

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
    { "the filter is rotated by half a turn: a true convolution, where frameworks mean a cross-correlation", .before = w_rotated },
    { "the filter is mirrored, left for right", .before = w_mirrored },
    { "the filter is upside down", .before = w_upside_down },
    { "the filter's rows and columns are exchanged", .before = w_transposed },
    { "the weights are read as C x K instead of K x C", .before = w_channels_exchanged },
    { "the weights are read as R x S x C x K instead of K x C x R x S", .before = w_taps_first },
    { "the weights are read as K x R x S x C instead of K x C x R x S", .before = w_channels_last },
    { "the weights are K x C x R x S, and lie there as K x R x S x C", .before = w_memory_of_last },
    { "every group uses the weights of the first", .before = w_first_group_of_filters },
    { "the depthwise filters are read as multiplier x C instead of C x multiplier", .before = w_multiplier_outside },
    { "the depthwise filters lie there as multiplier x C instead of C x multiplier", .before = w_multiplier_inside },
    { "the next filter's weights are used", .before = w_next_filter },
    { "the weights of the filter before are used", .before = w_previous_filter },
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
    { "of all images only the last one counts", .before = dy_last_alone },
    { "of all images only the first one counts", .before = dy_first_alone },
    { "every image is the first one", .before = x_first_image }, { "every image of dy is the first one", .before = y_first_image },
    { "the image before is read", .before = x_image_before }, { "the image before is read, of dy", .before = y_image_before },
    { "every channel reads the first", .before = x_first_channel }, { "every filter's dy is that of the first", .before = y_first_channel },
    { "every group reads the input channels of the first", .before = x_channels_of_first_group },
    { "every group reads dy of the first", .before = y_channels_of_first_group },
    { "a group reads the input channels of the group before", .before = x_channels_of_group_before },
    { "a group reads dy of the group before", .before = y_channels_of_group_before },
    { "a group's input begins at channel g * K/G instead of g * C/G", .before = x_offset_of_filters },
    { "a group's dy begins at g * C/G instead of g * K/G", .before = y_offset_of_filters },
    { "the images are read as channels last, and are channels first", .before = x_channels_last },
    { "the images are read as channels first, and are channels last", .before = x_memory_of_last },
    { "dy is read as channels last, and is channels first", .before = y_channels_last },
    { "dy is read as channels first, and is channels last", .before = y_memory_of_last },
    { "the next column is read", .before = x_next_column }, { "the next column of dy is read", .before = y_next_column },
    { "the column before is read", .before = x_previous_column }, { "the column before is read, of dy", .before = y_previous_column },
    { "the next row is read", .before = x_next_row }, { "the next row of dy is read", .before = y_next_row },
    { "the row before is read", .before = x_previous_row }, { "the row before is read, of dy", .before = y_previous_row },
    { "the next plane is read", .before = x_next_plane }, { "the next plane of dy is read", .before = y_next_plane },
    { "the next channel is read", .before = x_next_channel }, { "dy of the next filter is read", .before = y_next_channel },
    { "the channel before is read", .before = x_previous_channel }, { "dy of the filter before is read", .before = y_previous_channel },
    { "rows of the image are taken to be one longer than they are", .before = x_pitch_longer },
    { "rows of dy are taken to be one longer than they are", .before = y_pitch_longer },
    { "rows of the image are taken to be one shorter than they are", .before = x_pitch_shorter },
    { "rows of dy are taken to be one shorter than they are", .before = y_pitch_shorter },
    { "rows of the image are taken to be as long as there are rows: H for W", .before = x_rows_by_height },
    { "rows of dy are taken to be as long as there are rows", .before = y_rows_by_height },
    { "planes of the image are taken to be as large as those of the output", .before = x_planes_by_outputs },
    { "planes of dy are taken to be as large as those of the output", .before = y_planes_by_outputs },
    { "3-D: a channel is taken to begin H x W elements behind the one before, not D x H x W", .before = x_planes_without_depth },
    { "3-D: a filter's dy is taken to begin behind one plane", .before = y_planes_without_depth },
    { "rows and columns of the image are exchanged in memory", .before = x_memory_transposed },
    { "rows and columns of dy are exchanged in memory", .before = y_memory_transposed },
    { .words = NULL }
};
