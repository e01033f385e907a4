/* settings.c - suspects: a setting of one axis is used for another, exchanged, ignored, or never more than so much.
 *
 * Outputs keep their number: only where windows begin and which inputs their taps read changes.   Declared in
 * mistake.h.
 */
#include <stddef.h>
#include <string.h>

#include "verify/findings/mistake.h"

/* ---- one axis at a time ---------------------------------------------------------------------------------------- */

/* What padding must be so that there are out = in / stride outputs, rounded up, and the smaller half of it. */
static int64_t half_of_same(const struct conv_axis *axis)
{
    const int64_t needed = (axis->out - 1) * axis->stride + conv_extent(axis) - axis->in;
    return needed > 0 ? needed / 2 : 0;
}

static void pad_of_the_end(struct conv_axis *axis, int64_t unused) { (void)unused; axis->pad_begin = axis->pad_end; }
static void no_pad(struct conv_axis *axis, int64_t unused) { (void)unused; axis->pad_begin = 0; }
static void same_pad(struct conv_axis *axis, int64_t unused) { (void)unused; axis->pad_begin = half_of_same(axis); }
static void half_pads(struct conv_axis *axis, int64_t more)
{
    axis->pad_begin = (axis->pad_begin + axis->pad_end + more) / 2;
}
static void no_pad_of_one_tap(struct conv_axis *axis, int64_t unused)
{
    (void)unused;
    axis->pad_begin = axis->filter == 1 ? 0 : axis->pad_begin;
}
static void half_filter_pad(struct conv_axis *axis, int64_t unused) { (void)unused; axis->pad_begin = (conv_extent(axis) - 1) / 2; }
static void more_pad(struct conv_axis *axis, int64_t more)
{
    axis->pad_begin += axis->pad_begin + more >= 0 ? more : 0;
}
static void most_pad(struct conv_axis *axis, int64_t most) { axis->pad_begin = axis->pad_begin > most ? most : axis->pad_begin; }
static void no_stride(struct conv_axis *axis, int64_t unused) { (void)unused; axis->stride = 1; }
static void most_stride(struct conv_axis *axis, int64_t most) { axis->stride = axis->stride > most ? most : axis->stride; }
static void no_dilation(struct conv_axis *axis, int64_t unused) { (void)unused; axis->dilation = 1; }
static void most_dilation(struct conv_axis *axis, int64_t most) { axis->dilation = axis->dilation > most ? most : axis->dilation; }
static void dilation_is_stride(struct conv_axis *axis, int64_t unused) { (void)unused; axis->dilation = axis->stride; }
static void stride_is_dilation(struct conv_axis *axis, int64_t unused) { (void)unused; axis->stride = axis->dilation; }

/* ---- one axis for another -------------------------------------------------------------------------------------- */

enum { EXCHANGED, ROWS_FOR_COLUMNS, COLUMNS_FOR_ROWS };

static bool cross(struct mistake *m, size_t field, int64_t how)
{
    char *rows = (char *)&m->problem.axis[CONV_H] + field, *columns = (char *)&m->problem.axis[CONV_W] + field;
    int64_t of_rows, of_columns;
    memcpy(&of_rows, rows, sizeof of_rows);
    memcpy(&of_columns, columns, sizeof of_columns);
    if (how != COLUMNS_FOR_ROWS)
        memcpy(columns, &of_rows, sizeof of_rows);
    if (how != ROWS_FOR_COLUMNS)
        memcpy(rows, &of_columns, sizeof of_columns);
    return m->problem.rank > 1;
}

static bool cross_pads(struct mistake *m, int64_t how) { return cross(m, offsetof(struct conv_axis, pad_begin), how); }
static bool cross_strides(struct mistake *m, int64_t how) { return cross(m, offsetof(struct conv_axis, stride), how); }
static bool cross_dilations(struct mistake *m, int64_t how) { return cross(m, offsetof(struct conv_axis, dilation), how); }

/* A stride of columns alone, of rows alone, is lost. */
static bool lose_stride(struct mistake *m, int64_t axis)
{
    m->problem.axis[axis].stride = 1;
    return true;
}

static bool forget_activation(struct mistake *m, int64_t unused) { (void)unused; m->problem.act = CONV_ACT_NONE; return true; }
static bool forget_middle(struct mistake *m, int64_t unused) { (void)unused; m->problem.mid_act = CONV_ACT_NONE; return true; }
static bool forget_both(struct mistake *m, int64_t unused) { return forget_activation(m, unused) && forget_middle(m, unused); }
static bool forget_residual(struct mistake *m, int64_t unused) 
{
    (void)unused;
    m->problem.residual = false;
    return true;
}
static bool relu_for_relu6(struct mistake *m, int64_t unused)
{
    (void)unused;
    m->problem.act = m->problem.act == CONV_ACT_RELU6 ? CONV_ACT_RELU : m->problem.act;
    return true;
}
static bool relu6_for_relu(struct mistake *m, int64_t unused)
{
    (void)unused;
    m->problem.act = m->problem.act == CONV_ACT_RELU ? CONV_ACT_RELU6 : m->problem.act;
    return true;
}

#define AT_MOST(most, words, n) { words " above " #n " is taken for " #n, .axis = most, .number = n }
#define UP_TO(most, words) \
    AT_MOST(most, words, 1), AT_MOST(most, words, 2), AT_MOST(most, words, 3), AT_MOST(most, words, 4), \
    AT_MOST(most, words, 7), AT_MOST(most, words, 8), AT_MOST(most, words, 11), AT_MOST(most, words, 15), \
    AT_MOST(most, words, 16)

const struct suspect suspect_settings[] = {
    { "the activation is missing", .before = forget_activation },
    { "neither stage is activated", .before = forget_both },
    { "relu6 is computed as relu", .before = relu_for_relu6 },
    { "relu is computed as relu6", .before = relu6_for_relu },
    { "the activation between the two stages is missing", .before = forget_middle },
    { "x is not added to y", .before = forget_residual },
    { "the padding at the beginning and at the end are exchanged", .axis = pad_of_the_end },
    { "the padding at the beginning is half of both: symmetric, where the problem isn't", .axis = half_pads },
    { "the padding at the beginning is the larger half of both", .axis = half_pads, .number = 1 },
    { "the padding is that of SAME, with the smaller half at the beginning (as TensorFlow has it)", .axis = same_pad },
    { "the padding at the beginning is ignored", .axis = no_pad },
    { "the padding of axes with one tap is ignored", .axis = no_pad_of_one_tap },
    { "the padding at the beginning is half of the filter, whatever the problem says", .axis = half_filter_pad },
    { "the padding at the beginning is one too few", .axis = more_pad, .number = -1 },
    { "the padding at the beginning is one too many", .axis = more_pad, .number = 1 },
    { "the paddings of rows and columns are exchanged", .before = cross_pads, .number = EXCHANGED },
    { "the padding of rows is used for columns", .before = cross_pads, .number = ROWS_FOR_COLUMNS },
    { "the padding of columns is used for rows", .before = cross_pads, .number = COLUMNS_FOR_ROWS },
    { "the strides of rows and columns are exchanged", .before = cross_strides, .number = EXCHANGED },
    { "the stride of rows is used for columns", .before = cross_strides, .number = ROWS_FOR_COLUMNS },
    { "the stride of columns is used for rows", .before = cross_strides, .number = COLUMNS_FOR_ROWS },
    { "the stride is ignored", .axis = no_stride },
    { "the stride of columns is ignored", .before = lose_stride, .number = CONV_W },
    { "the stride of rows is ignored", .before = lose_stride, .number = CONV_H },
    { "the dilations of rows and columns are exchanged", .before = cross_dilations, .number = EXCHANGED },
    { "the dilation of rows is used for columns", .before = cross_dilations, .number = ROWS_FOR_COLUMNS },
    { "the dilation of columns is used for rows", .before = cross_dilations, .number = COLUMNS_FOR_ROWS },
    { "the dilation is ignored", .axis = no_dilation },
    { "the stride is taken for the dilation", .axis = dilation_is_stride },
    { "the dilation is taken for the stride", .axis = stride_is_dilation },
    UP_TO(most_pad, "padding"), UP_TO(most_stride, "a stride"), UP_TO(most_dilation, "a dilation"),
    { .words = NULL }
};
