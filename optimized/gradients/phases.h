/* phases.h - the gradient of the input, and the transposed convolution, as forward convolutions with a stride of 1.
 *
 * Input position h was read by tap t of output z if  z * stride - pad + t * dilation = h.  With a stride of 2 an even
 * position knows half of the taps and an odd one the other half; positions that know the same taps are a *phase*,
 * and there are `stride` of them on an axis.  Within a phase neighbours are `stride` apart, and from one to the next
 * z goes up by 1 for each tap: that is a forward convolution over dy, with a stride of 1, no idle tap, and the taps of
 * the phase in turned order.
 *
 *   dx[first + stride * i] = SUM dy[i - pad + m * dilation] * w[tap - m * step]          m = 0 .. filter - 1
 *
 * Phases since bwd_data_02_phases, also in the depthwise ladder; `struct spread` since bwd_data_01_gather.
 * Explained in docs/ladder-gradients.md
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_PHASES_H
#define CONVREF_OPTIMIZED_GRADIENTS_PHASES_H

#include <convref/problem.h>

struct phase {
    struct conv_axis axis;   /* the forward convolution; its filter is 0 if no tap ever reads these positions */
    int64_t first, stride;   /* output i of it is position first + stride * i of dx */
    int64_t tap, step;       /* tap m of it is tap `tap - m * step` of the filter */
};

/* How many phases have a position.  `axis` is of the convolution whose input is wanted. */
static inline int64_t phase_count(const struct conv_axis *axis)
{
    return axis->stride < axis->in ? axis->stride : axis->in;
}

/* The phase of position `first`, 0 <= first < phase_count(). */
static inline struct phase phase_at(const struct conv_axis *axis, int64_t first)
{
    const int64_t rest = (first + axis->pad_begin) % axis->stride;   /* t * dilation leaves this rest, too */
    const int64_t common = conv_gcd(axis->stride, axis->dilation), step = axis->stride / common;
    int64_t tap = 0;
    while (tap < axis->filter && tap * axis->dilation % axis->stride != rest)
        tap++;
    const int64_t taps = tap < axis->filter ? (axis->filter - 1 - tap) / step + 1 : 0;
    const int64_t apart = axis->dilation / common;
    const int64_t nearest = (first + axis->pad_begin - tap * axis->dilation) / axis->stride;   /* z of tap, i = 0 */

    struct phase phase = { .first = first, .stride = axis->stride, .tap = tap + (taps - 1) * step, .step = step };
    phase.axis = (struct conv_axis){
        .in = axis->out, .out = conv_ceil_div(axis->in - first, axis->stride), .filter = taps, .stride = 1,
        .dilation = apart, .pad_begin = (taps - 1) * apart - nearest,
    };
    CONV_CHECK(phase.axis.out > 0 && first + axis->stride * (phase.axis.out - 1) < axis->in);
    return phase;
}

/* The tap of the filter that stands at place m of the turned taps. */
static inline int64_t phase_tap(const struct phase *phase, int64_t m) { return phase->tap - m * phase->step; }

/* A gradient of the input, and the transposed convolution that is one: dx[n][g][j] from dy[n][g][i]. */
struct spread {
    int64_t groups, from, to;               /* channels of a group in dy and in dx */
    struct conv_axis axis[CONV_AXES];       /* of the convolution whose gradient it is */
    int64_t dy_positions, dx_positions;     /* elements of one channel */
};

static inline struct spread spread_of(const struct conv_problem *conv)
{
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;   /* its x is dy, and its y is dx */
    struct spread spread = { .groups = conv->groups, .dy_positions = 1, .dx_positions = 1,
                             .from = (transposed ? conv->c : conv->k) / conv->groups,
                             .to = (transposed ? conv->k : conv->c) / conv->groups };
    for (int a = 0; a < CONV_AXES; a++) {
        spread.axis[a] = transposed ? conv_mirror(conv->axis[a]) : conv->axis[a];
        spread.dy_positions *= spread.axis[a].out;
        spread.dx_positions *= spread.axis[a].in;
    }
    return spread;
}

/* The phases of three axes at once, in the order of a counter. */
static inline int64_t spread_phases(const struct spread *spread)
{
    const struct conv_axis *axis = spread->axis;
    return phase_count(&axis[CONV_D]) * phase_count(&axis[CONV_H]) * phase_count(&axis[CONV_W]);
}

/* Number `index` of them as a forward problem, of which the axes alone are set; `phase` has the three. */
static inline struct conv_problem spread_part(struct phase phase[CONV_AXES], const struct spread *spread,
                                              int64_t index)
{
    struct conv_problem part = { .n = 1, .groups = 1 };
    for (int a = CONV_AXES - 1; a >= 0; a--) {
        const int64_t count = phase_count(&spread->axis[a]);
        phase[a] = phase_at(&spread->axis[a], index % count);
        part.axis[a] = phase[a].axis;
        index /= count;
    }
    return part;
}

static inline int64_t part_taps(const struct conv_problem *part)
{
    return part->axis[CONV_D].filter * part->axis[CONV_H].filter * part->axis[CONV_W].filter;
}

static inline int64_t part_outputs(const struct conv_problem *part)
{
    return part->axis[CONV_D].out * part->axis[CONV_H].out * part->axis[CONV_W].out;
}

/* Outputs i0 .. i0 + count of a phase, y[:], to where they belong in one channel dx[:][:][:]. */
static inline void spread_outputs(float *dx, const struct spread *spread, const struct phase phase[CONV_AXES],
                                  const float *y, int64_t i0, int64_t count)
{
    const struct phase D = phase[CONV_D], H = phase[CONV_H], W = phase[CONV_W];
    for (int64_t i = i0; i < i0 + count;) {
        const int64_t q = i % W.axis.out, p = i / W.axis.out % H.axis.out, z = i / W.axis.out / H.axis.out;
        const int64_t length = W.axis.out - q < i0 + count - i ? W.axis.out - q : i0 + count - i;
        const int64_t row = (D.first + z * D.stride) * spread->axis[CONV_H].in + H.first + p * H.stride;
        float *to = dx + row * spread->axis[CONV_W].in + W.first + q * W.stride;   /* dx[d][h][w] */
        for (int64_t l = 0; l < length; l++)
            to[l * W.stride] = y[i - i0 + l];
        i += length;
    }
}

/* Which gradients are meant: not the forward pass of a convolution, nor the gradients of a transposed one. */
static inline const char *spread_applies(const struct conv_problem *conv)
{
    if (conv->op == CONV_OP_TRANSPOSED)
        return conv->pass == CONV_FORWARD ? NULL : "it computes the forward pass of a transposed convolution only";
    return conv->pass == CONV_BACKWARD_DATA ? NULL : "its forward pass is that of transposed convolutions";
}

#endif
