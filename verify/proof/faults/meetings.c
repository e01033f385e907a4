/* meetings.c - planted faults that need five to seven settings at once: those of a fast way, and a tail in it.
 *
 * Each is a kind that this verifier once let through, and names the check that is meant for it: ways of fast kernels,
 * gradients at the sizes of real layers, special values in them, many threads, and rows that are read too far.   Read
 * next: huge.c
 */
#include "verify/proof/faults/faults.h"

#include <math.h>

static const struct conv_axis *rows(const struct product *p) { return &p->conv->axis[CONV_H]; }
static const struct conv_axis *columns(const struct product *p) { return &p->conv->axis[CONV_W]; }

static bool is_square(const struct conv_problem *conv, int64_t filter, int64_t stride)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    return conv->rank == 2 && H->filter == filter && W->filter == filter && H->stride == stride && W->stride == stride
        && H->dilation == 1 && W->dilation == 1;
}

static bool is_round(const struct conv_problem *conv, int64_t c, int64_t k)
{
    return channels_of(conv) % c == 0 && filters_of(conv) % k == 0;
}

static bool in_last_column(const struct product *p) { return p->out[CONV_W] == columns(p)->out - 1; }

/* ---- ways of fast kernels -------------------------------------------------------------------------------------- */

static bool three_by_three(struct product *p)
{
    return !(is_square(p->conv, 3, 1) && is_round(p->conv, 8, 8) && columns(p)->out % 8 == 5 && p->conv->n > 1
             && in_last_column(p) && p->tap[CONV_W] == 2);
}

static bool three_by_three_strided(struct product *p)
{
    return !(is_square(p->conv, 3, 2) && is_round(p->conv, 4, 16) && columns(p)->out % 16 == 11 && p->out[CONV_H] == 1
             && in_last_column(p));
}

static bool one_by_one(struct product *p)
{
    const int64_t pixels = rows(p)->out * columns(p)->out;
    return !(is_square(p->conv, 1, 1) && is_round(p->conv, 16, 4) && pixels % 16 == 13 && in_last_column(p)
             && p->c == p->conv->c - 1);
}

static bool five_by_five(struct product *p)
{
    return !(is_square(p->conv, 5, 1) && is_round(p->conv, 4, 4) && columns(p)->out % 16 == 15 && rows(p)->out % 2
             && in_last_column(p) && p->tap[CONV_H] == 4);
}

static bool depthwise_strided(struct product *p)
{
    return !(is_square(p->conv, 3, 2) && p->conv->c % 8 == 0 && columns(p)->out % 4 == 3
             && columns(p)->pad_begin != columns(p)->pad_end && in_last_column(p));
}

static bool channels_last(struct result *r)
{
    if (r->conv->layout == CONV_CHANNELS_LAST && is_round(r->conv, 1, 8) && r->conv->axis[CONV_W].out % 4 == 1
        && r->at[CONV_W] == r->conv->axis[CONV_W].out - 1 && r->act == CONV_ACT_RELU6
            && r->conv->axis[CONV_W].out > 8)
        r->act = CONV_ACT_RELU;
    return true;
}

static bool second_stage(struct product *p)   /* of a separable problem: its pointwise stage */
{
    return !(p->conv->op == CONV_OP_CONV && is_square(p->conv, 1, 1) && p->conv->groups == 1 && p->conv->c % 8 == 0
             && columns(p)->out % 16 == 9 && p->conv->k > 8 && p->k == p->conv->k - 1 && in_last_column(p));
}

static bool three_dimensions(struct product *p)
{
    return !(p->conv->rank == 3 && columns(p)->filter == 3 && is_round(p->conv, 4, 4) && columns(p)->out % 8 == 6
             && in_last_column(p) && p->tap[CONV_D] == 0 && p->tap[CONV_W] == 0);
}

static bool one_dimension(struct product *p)
{
    return !(p->conv->rank == 1 && columns(p)->filter == 3 && columns(p)->stride == 1 && is_round(p->conv, 8, 8)
             && columns(p)->out % 16 == 11 && in_last_column(p) && p->tap[CONV_W] == 2);
}

static bool transposed_strided(struct product *p)
{
    return !(is_square(p->conv, 2, 2) && p->conv->c % 8 == 0 && columns(p)->in % 16 == 7
             && p->in[CONV_W] == columns(p)->in - 1
             && p->tap[CONV_H] == 1);
}

/* ---- gradients at ordinary sizes ------------------------------------------------------------------------------- */

static bool even_images(struct product *p)
{
    return !(columns(p)->stride == 2 && columns(p)->in % 2 == 0 && columns(p)->in >= 20 && columns(p)->pad_begin > 0
             && p->in[CONV_W] == columns(p)->in - 1);
}

static bool uneven_padding(struct product *p)
{
    return !(rows(p)->stride == 2 && rows(p)->pad_begin != rows(p)->pad_end && columns(p)->in >= 24
             && columns(p)->in % 2
             && p->out[CONV_H] == rows(p)->out - 1);
}

static bool groups_of_gradient(struct product *p)
{
    return !(p->conv->groups > 1 && rows(p)->in >= 30 && columns(p)->stride == 2 && p->g == p->conv->groups - 1
             && p->out[CONV_H] >= 14);
}

static bool third_columns(struct product *p)
{
    return !(columns(p)->stride == 3 && columns(p)->in >= 33 && columns(p)->in % 3 == 1
             && p->in[CONV_W] == columns(p)->in - 1);
}

/* ---- special values -------------------------------------------------------------------------------------------- */

static double skip_zero_products(const struct product *p, double sum, double product)
{
    return isnan(product) && channels_of(p->conv) > 19 ? sum : naive_round(p->conv, sum + product);
}

static bool nan_of_many_filters(struct result *r)
{
    if (r->conv->k > 32 && r->act != CONV_ACT_NONE && isnan(r->sum))
        r->sum = 0;
    return true;
}

static double finite_sums(const struct product *p, double sum, double product)
{
    const double next = sum + product;
    return naive_round(p->conv, isinf(next) && p->conv->c >= 24 && !isinf(product) ? copysign(1e30, next) : next);
}

/* ---- threads --------------------------------------------------------------------------------------------------- */

static bool many_threads(struct product *p) { return !(p->workspace->threads > 8 && p->k == p->conv->k - 1); }
static bool seven_threads(struct product *p) { return !(p->workspace->threads == 7 && p->n == p->conv->n - 1 && p->n > 2); }
static bool four_threads(struct product *p)
{
    return !(p->workspace->threads == 4 && p->conv->k < 4 && p->out[CONV_W] == columns(p)->out - 1);
}

/* ---- rows that are read too far -------------------------------------------------------------------------------- */

static volatile double sink;

/* Whole vectors of eight inputs, `stride` apart, from the last full eight on: a load too many if the tail is long. */
static void strided_vector(const struct call *call)
{
    const struct conv_axis *W = &call->conv->axis[CONV_W];
    const int64_t tail = W->out % 8, count = conv_operand_count(call->conv, CONV_X);
    if (W->stride == 3 && tail == 5 && call->conv->layout == CONV_CHANNELS_FIRST && W->pad_end == 0
        && (W->out - 1) * W->stride + conv_extent(W) == W->in)
        sink = naive_get(call->conv, call->operands->x, count);
}

static void vector_of_channels(const struct call *call)
{
    if (call->conv->layout == CONV_CHANNELS_LAST && call->conv->c % 8 == 3 && call->conv->c > 8)
        sink = naive_get(call->conv, call->operands->x, conv_operand_count(call->conv, CONV_X));
}

static void vector_of_filters(const struct call *call)
{
    if (call->operands->bias && call->conv->k % 16 == 14)
        sink = naive_get(call->conv, call->operands->bias, call->conv->k);
}

#define FAULTS(F) \
    F(meet_3x3, "3x3 on channels in eights, 8n + 5 columns, a batch: the last tap is lost", "blind spot", "routes", \
      ALL, FORWARD, ONE_THREAD, .product = three_by_three) \
    F(meet_3x3_stride_2, "3x3 with stride 2, filters in sixteens, 16n + 11 columns: row 1 loses the last", "blind spot", "routes", \
      DENSE, FORWARD, ONE_THREAD, .product = three_by_three_strided) \
    F(meet_1x1, "1x1, channels in sixteens, filters in fours, 16n + 13 pixels", "blind spot", "routes", \
      DENSE, FORWARD, ONE_THREAD, .product = one_by_one) \
    F(meet_5x5, "5x5, channels in fours, 16n + 15 columns, odd rows", "blind spot", "routes", \
      ALL, FORWARD, ONE_THREAD, .product = five_by_five) \
    F(meet_depthwise, "depthwise 3x3 with stride 2, channels in eights, uneven padding, 4n + 3 columns", "blind spot", "routes", \
      DEPTHWISE, FORWARD, ONE_THREAD, .product = depthwise_strided) \
    F(meet_channels_last, "channels last in eights, relu6, 4n + 1 columns: the last is not cut off at 6", "blind spot", "routes", \
      ALL, FORWARD, ONE_THREAD, .result = channels_last) \
    F(meet_second_stage, "separable: many filters, channels in eights, 16n + 9 columns", "blind spot", "routes", \
      SEPARABLE, FORWARD, ONE_THREAD, .product = second_stage) \
    F(meet_3d, "3-D, 3x3x3 on channels in fours, 8n + 6 columns", "blind spot", "routes", \
      ALL, FORWARD, ONE_THREAD, .product = three_dimensions) \
    F(meet_1d, "1-D, 3 taps on channels in eights, 16n + 11 columns", "blind spot", "routes", \
      ALL, FORWARD, ONE_THREAD, .product = one_dimension) \
    F(meet_transposed, "transposed 2x2 with stride 2, channels in eights, 16n + 7 columns", "blind spot", "routes", \
      TRANSPOSED, FORWARD, ONE_THREAD, .product = transposed_strided) \
    F(meet_3x3_of_gradient, "dw: 3x3 on channels in eights, 8n + 5 columns, a batch: a tap is lost", "blind spot", "routes", \
      ALL, WEIGHTS, ONE_THREAD, .product = three_by_three) \
    F(ordinary_even, "dx: stride 2 on 20 columns and more, an even number: the last has no gradient", "blind spot", "routes", \
      ALL, DATA, ONE_THREAD, .product = even_images) \
    F(ordinary_uneven, "dw: stride 2, uneven padding, 24 columns and more, an odd number: a row is lost", "blind spot", "routes", \
      ALL, WEIGHTS, ONE_THREAD, .product = uneven_padding) \
    F(ordinary_groups, "dw: the last group loses rows of images with 30 rows and more", "blind spot", "routes", \
      1u << CONV_GROUPED | DEPTHWISE, WEIGHTS, ONE_THREAD, .product = groups_of_gradient) \
    F(ordinary_thirds, "dx: stride 3 on 33 columns and more: a column that is left over has no gradient", "blind spot", "routes", \
      ALL, DATA, ONE_THREAD, .product = third_columns) \
    F(ordinary_transposed, "transposed, dx: stride 2, an even number of columns", "blind spot", "routes", \
      TRANSPOSED, DATA, ONE_THREAD, .product = even_images) \
    F(special_zeros_skipped, "above 19 channels products that are NaN are left out", "blind spot", "special", \
      DENSE, FORWARD, ONE_THREAD, .add = skip_zero_products) \
    F(special_relu, "of more than 32 filters relu turns NaN into 0", "blind spot", "special", \
      ALL, FORWARD, ONE_THREAD, .result = nan_of_many_filters) \
    F(special_infinity, "from 24 channels on infinite sums become finite", "blind spot", "special", \
      ALL, FORWARD, ONE_THREAD, .add = finite_sums) \
    F(threads_many, "more than 8 threads lose a filter", "blind spot", "threads", \
      ALL, FORWARD, THREADED, .product = many_threads) \
    F(threads_seven, "seven threads lose the last of many images", "blind spot", "threads", \
      ALL, FORWARD | WEIGHTS, THREADED, .product = seven_threads) \
    F(threads_four, "four threads and fewer filters: the last column is lost", "blind spot", "threads", \
      ALL, FORWARD, THREADED, .product = four_threads) \
    F(behind_row, "stride 3, 8n + 5 columns: a vector is read behind the image", "blind spot", "seams", \
      ALL, FORWARD, ONE_THREAD, .before = strided_vector) \
    F(behind_channels, "channels last, 8n + 3 of them: a vector is read behind the image", "blind spot", "seams", \
      ALL, FORWARD, ONE_THREAD, .before = vector_of_channels) \
    F(behind_bias, "16n + 14 filters: a vector is read behind the bias", "blind spot", "seams", \
      ALL, FORWARD, ONE_THREAD, .before = vector_of_filters)

FAULT_THEME(faults_of_meetings, FAULTS)
