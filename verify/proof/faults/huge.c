/* huge.c - planted faults whose offsets are too narrow: plain fast kernels, since the arrays are large.
 *
 * Each is a kind that this verifier once let through, and names the check that is meant for it.  They compute 1x1
 * filters without padding, channels first; each product of sizes is formed in 64 bits, but for one.
 */
#include "verify/proof/faults/faults.h"

/* An offset in bytes in 32 bits with a sign, as elements; in 32 bits without; in elements. */
static int64_t bytes_with_sign(int64_t elements) { return (int64_t)(int32_t)(uint32_t)(elements * (int64_t)sizeof(float)) / 4; }
static int64_t bytes_without_sign(int64_t elements) { return (int64_t)(uint32_t)(elements * (int64_t)sizeof(float)) / 4; }
static int64_t elements_with_sign(int64_t elements) { return (int64_t)(int32_t)(uint32_t)elements; }
static int64_t right(int64_t elements) { return elements; }

typedef int64_t offset_function(int64_t elements);

/* Which of the offsets are formed how. */
struct offsets { offset_function *x_image, *x_channel, *x_row, *y_image, *y_filter, *y_row, *w_filter; };

static const char *applies(const struct conv_problem *conv)
{
    for (int a = 0; a < CONV_AXES; a++)
        if (conv->axis[a].filter * conv->axis[a].stride != 1 || conv->axis[a].pad_begin + conv->axis[a].pad_end > 0)
            return "1x1 filters without stride and padding only";
    return NULL;
}

/* SUM a[i] * b[i], in four sums so that it is fast. */
static float dot(const float *a, const float *b, int64_t count)
{
    float sums[4] = { 0 };
    for (int64_t i = 0; i + 4 <= count; i += 4)
        for (int lane = 0; lane < 4; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    for (int64_t i = count / 4 * 4; i < count; i++)
        sums[0] += a[i] * b[i];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

/* y[n][k][i] = bias[k] + SUM x[n][c][i] * w[k][c], row by row or, of one pixel, channel by channel */
static inline void forward(const struct conv_problem *conv, const struct conv_operands *operands,
                           const struct offsets *at)
{
    const struct conv_axis *a = conv->axis;
    const int64_t W = a[2].in, rows = a[0].in * a[1].in, plane = rows * W, C = channels_of(conv), K = filters_of(conv);
    const float *bias = operands->bias;
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t row = 0; row < rows; row++) {
        float *y = (float *)operands->y + at->y_image(n * conv->k * plane) + at->y_filter(k * plane) + at->y_row(row * W);
        const float *w = (const float *)operands->w + at->w_filter(k * C);
        const float *x = (const float *)operands->x + at->x_image(n * conv->c * plane) + at->x_channel(k / K * C * plane)
                       + at->x_row(row * W);
        if (plane == 1)
            y[0] = (bias ? bias[k] : 0) + dot(x, w, C);
        for (int64_t c = 0; c < C && plane > 1; c++)
            for (int64_t i = 0; i < W; i++)
                y[i] = (c == 0 ? bias ? bias[k] : 0 : y[i]) + w[c] * x[c * plane + i];
        for (int64_t i = 0; i < W && conv->act != CONV_ACT_NONE; i++)
            y[i] = conv_activate(conv->act, y[i]);
    }
}

/* dx[n][c][i] = SUM dy[n][k][i] * w[k][c] */
static inline void backward_data(const struct conv_problem *conv, const struct conv_operands *operands,
                                 const struct offsets *at)
{
    const struct conv_axis *a = conv->axis;
    const int64_t W = a[2].in, rows = a[0].in * a[1].in, plane = rows * W, C = channels_of(conv), K = filters_of(conv);
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t c = 0; c < conv->c; c++)
    for (int64_t row = 0; row < rows; row++) {
        float *dx = (float *)operands->x + at->x_image(n * conv->c * plane) + at->x_channel(c * plane) + at->x_row(row * W);
        for (int64_t k = c / C * K; k < (c / C + 1) * K; k++) {
            const float *dy = (const float *)operands->y + at->y_image(n * conv->k * plane) + at->y_filter(k * plane)
                            + at->y_row(row * W);
            const float w = ((const float *)operands->w)[at->w_filter(k * C) + c % C];
            for (int64_t i = 0; i < W; i++)
                dx[i] = k == c / C * K ? w * dy[i] : dx[i] + w * dy[i];
        }
    }
}

/* dw[k][c] = SUM dy[n][k][i] * x[n][c][i], and dbias[k] = SUM dy[n][k][i] */
static inline void backward_weights(const struct conv_problem *conv, const struct conv_operands *operands,
                                    const struct offsets *at)
{
    const struct conv_axis *a = conv->axis;
    const int64_t plane = a[0].in * a[1].in * a[2].in, C = channels_of(conv), K = filters_of(conv);
    const float *dy = operands->y;
    float *dbias = operands->bias;
    for (int64_t k = 0; k < conv->k; k++) {
        float *dw = (float *)operands->w + at->w_filter(k * C);
        const float *x = (const float *)operands->x + k / K * C * plane;
        for (int64_t c = 0; c < C; c++)
            dw[c] = plane == 1 ? dy[k] * x[c] : dot(dy + k * plane, x + c * plane, plane);
        for (int64_t n = 1; n < conv->n; n++)
            for (int64_t c = 0; c < C; c++)
                dw[c] += dot(dy + (n * conv->k + k) * plane, x + (n * conv->c + c) * plane, plane);
        for (int64_t n = 0; dbias && n < conv->n; n++)
            for (int64_t i = 0; i < plane; i++)
                dbias[k] = (n + i == 0 ? 0 : dbias[k]) + dy[(n * conv->k + k) * plane + i];
    }
}

#define RIGHT .x_image = right, .x_channel = right, .x_row = right, .y_image = right, .y_filter = right, .y_row = right, \
              .w_filter = right
#define HUGE_FAULT(id, words, kind_set, pass_set, function, narrow) \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        struct offsets at = { RIGHT }; \
        (void)workspace; \
        narrow; \
        function(conv, operands, &at); \
    } \
    static const struct conv_kernel fault_##id = { \
        .name = "fault_" #id, .title = words " [blind spot, huge]", .kinds = kind_set, .passes = pass_set, \
        .applies = applies, .run = run_##id };
#define HUGE_ELEMENT(id, ...) &fault_##id,

#define HUGE_FAULTS(F) \
    F(huge_y_row, "y: rows times columns, in bytes, in 32 bits", 1u << CONV_POINTWISE, FORWARD, forward, \
      at.y_row = bytes_with_sign) \
    F(huge_y_filter, "y: filters times planes, in bytes, in 32 bits", ALL, FORWARD, forward, at.y_filter = bytes_with_sign) \
    F(huge_y_image, "y: images times all of it, in bytes, in 32 bits", 1u << CONV_POINTWISE, FORWARD, forward, \
      at.y_image = bytes_with_sign) \
    F(huge_x_row, "x: planes, rows and columns, in bytes, in 32 bits", 1u << CONV_POINTWISE, FORWARD, forward, \
      at.x_row = bytes_with_sign) \
    F(huge_w, "w: filters times channels, in bytes, in 32 bits", 1u << CONV_POINTWISE, FORWARD, forward, \
      at.w_filter = bytes_with_sign) \
    F(huge_dx, "dx: rows times columns, in bytes, in 32 bits", 1u << CONV_POINTWISE, DATA, backward_data, \
      at.x_row = bytes_with_sign) \
    F(huge_dx_channel, "dx: channels times planes, in bytes, in 32 bits", 1u << CONV_POINTWISE, DATA, backward_data, \
      at.x_channel = bytes_with_sign) \
    F(huge_dw, "dw: filters times channels, in bytes, in 32 bits", 1u << CONV_POINTWISE, WEIGHTS, backward_weights, \
      at.w_filter = bytes_with_sign)

HUGE_FAULTS(HUGE_FAULT)

/* ---- inputs beyond 2^31 elements, of which few are read -------------------------------------------------------- */

/* Any filter and stride; one product at a time, of 3-D problems too. */
static void run_strided(const struct conv_problem *conv, const struct conv_operands *operands,
                        offset_function *channel_offset, offset_function *plane_offset)
{
    const struct conv_axis *a = conv->axis;
    const int64_t C = channels_of(conv), K = filters_of(conv), P = a[0].out * a[1].out * a[2].out;
    float *y = operands->y;
    for (int64_t i = 0; i < conv->n * conv->k * P; i++) {
        const int64_t n = i / P / conv->k, k = i / P % conv->k;
        const int64_t z = i % P / a[2].out / a[1].out, p = i % P / a[2].out % a[1].out, q = i % a[2].out;
        float sum = operands->bias ? ((const float *)operands->bias)[k] : 0;
        for (int64_t j = 0; j < C * a[0].filter * a[1].filter * a[2].filter; j++) {
            const int64_t s = j % a[2].filter, r = j / a[2].filter % a[1].filter, t = j / a[2].filter / a[1].filter % a[0].filter;
            const int64_t c = j / a[2].filter / a[1].filter / a[0].filter, d = conv_input_at(&a[0], z, t),
                          h = conv_input_at(&a[1], p, r), w = conv_input_at(&a[2], q, s);
            if (!conv_inside(&a[0], d) || !conv_inside(&a[1], h) || !conv_inside(&a[2], w))
                continue;
            const int64_t channel = n * conv->c + k / K * C + c;
            const float *x = (const float *)operands->x + channel_offset(channel * a[0].in * a[1].in * a[2].in);
            sum += x[plane_offset((d * a[1].in + h) * a[2].in + w)]
                 * ((const float *)operands->w)[k * C * a[0].filter * a[1].filter * a[2].filter + j];
        }
        y[i] = conv_activate(conv->act, sum);
    }
}

#define STRIDED_FAULT(id, words, channel, plane) \
    static void run_##id(const struct conv_problem *conv, const struct conv_operands *operands, \
                         const struct conv_workspace *workspace) \
    { \
        (void)workspace; \
        run_strided(conv, operands, channel, plane); \
    } \
    static const struct conv_kernel fault_##id = { \
        .name = "fault_" #id, .title = words " [blind spot, huge]", .kinds = ALL, .run = run_##id };
STRIDED_FAULT(huge_x_elements, "x: depth, rows and columns, in elements, in 32 bits", right, elements_with_sign)
STRIDED_FAULT(huge_x_bytes, "x: depth, rows and columns, in bytes, in 32 bits without a sign", right,
              bytes_without_sign)
STRIDED_FAULT(huge_x_channel, "x: channels times planes, in bytes, in 32 bits without a sign", bytes_without_sign,
              right)

const struct conv_kernel *const faults_of_huge[] = {
    HUGE_FAULTS(HUGE_ELEMENT) &fault_huge_x_elements, &fault_huge_x_bytes, &fault_huge_x_channel, NULL
};
