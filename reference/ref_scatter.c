/* ref_scatter.c - a second opinion: the same convolutions without gathering a single window.
 *
 * All passes of a convolution are one trilinear form, seen from three sides:
 *
 *   T(x, w, y) = SUM  x[n][c][d][h][w] * w[k][c'][t][r][s] * y[n][k][z][p][q]
 *
 * over all inputs, filters and taps that meet.  forward is dT/dy, backward_data is dT/dx and
 * backward_weights is dT/dw.  So this page walks once over all that meet, starting from the inputs, and
 * adds each product to the element that it belongs to.  A transposed convolution is the same with x and y
 * in each other's place.  Nothing here is shared with the gathering pages, which is the point: a mistake
 * would have to be made twice.
 *
 * It adds in double and returns no magnitudes (they are 0).   Read next: docs/exactness.md
 */
#include "reference/page.h"

#include <string.h>

/* The convolution whose window arithmetic applies: of a transposed one, the one from y to x. */
struct sides {
    struct conv_axis axis[CONV_AXES];
    int64_t c, k;
    const double *x, *y;
};

static struct sides sides_of(const struct conv_problem *conv, const struct doubles *in)
{
    struct sides s = { .c = conv->c, .k = conv->k, .x = in->x, .y = in->y };
    for (int a = 0; a < CONV_AXES; a++)
        s.axis[a] = conv->axis[a];
    if (conv->op == CONV_OP_TRANSPOSED) {
        s = (struct sides){ .c = conv->k, .k = conv->c, .x = in->y, .y = in->x };
        for (int a = 0; a < CONV_AXES; a++)
            s.axis[a] = conv_mirror(conv->axis[a]);
    }
    return s;
}

/* Which window reads `position` with tap `tap`?  False if none does. */
static bool meets(const struct conv_axis *axis, int64_t position, int64_t tap, int64_t *window)
{
    const int64_t start = position - tap * axis->dilation + axis->pad_begin;
    *window = start / axis->stride;
    return start >= 0 && start % axis->stride == 0 && *window < axis->out;
}

/* One element of x, and of each filter the weight and the element of y that it meets: multiply two of them into the
 * third.
 * `w` and `y` are those of the first filter, `next_w` and `next_y` the ways to the next one. */
static void add(struct conv_truth *out, const struct sides *s, const double *weights, int64_t filters, int64_t x,
                int64_t w, int64_t next_w, int64_t y, int64_t next_y)
{
    for (int64_t f = 0; f < filters; f++, w += next_w, y += next_y) {
        const int64_t at = !s->y ? y : !s->x ? x : w;
        out->value[at] += !s->y ? s->x[x] * weights[w] : !s->x ? s->y[y] * weights[w] : s->x[x] * s->y[y];
        out->taps[at]++;
    }
}

static int64_t scatter(struct conv_truth *out, const struct conv_problem *conv,
                       const struct doubles *in)
{
    const struct sides sides = sides_of(conv, in);
    const struct conv_axis D = sides.axis[CONV_D], H = sides.axis[CONV_H], W = sides.axis[CONV_W];
    const int64_t channels = sides.c / conv->groups, filters = sides.k / conv->groups;
    const int64_t taps = D.filter * H.filter * W.filter, plane_of_y = D.out * H.out * W.out;
    int64_t products = 0, z, p, q;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t c = 0; c < sides.c; c++)
    for (int64_t plane = 0; plane < D.in; plane++)
    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t row = 0; row < H.in; row++)
    for (int64_t r = 0; r < H.filter; r++) {
        if (!meets(&D, plane, t, &z) || !meets(&H, row, r, &p))
            continue;
        for (int64_t col = 0; col < W.in; col++)
        for (int64_t s = 0; s < W.filter; s++) {
            if (!meets(&W, col, s, &q))
                continue;
            const int64_t k = c / channels * filters;   /* the first filter of the group */
            const int64_t x = (((n * sides.c + c) * D.in + plane) * H.in + row) * W.in + col;
            const int64_t w = (((k * channels + c % channels) * D.filter + t) * H.filter + r) * W.filter + s;
            const int64_t y = (((n * sides.k + k) * D.out + z) * H.out + p) * W.out + q;
            add(out, &sides, in->w, filters, x, w, channels * taps, y, plane_of_y);
            products += filters;
        }
    }
    return products;
}

int64_t PAGE(scatter)(struct conv_truth *out, const struct conv_problem *conv, const struct doubles *in)
{
    memset(out->value, 0, (size_t)out->count * sizeof *out->value);
    memset(out->magnitude, 0, (size_t)out->count * sizeof *out->magnitude);
    memset(out->taps, 0, (size_t)out->count * sizeof *out->taps);
    const int64_t products = scatter(out, conv, in);

    const int64_t plane = conv->axis[CONV_D].out * conv->axis[CONV_H].out * conv->axis[CONV_W].out;
    for (int64_t i = 0; conv->pass == CONV_FORWARD && i < out->count; i++) {
        const double bias = in->bias ? in->bias[i / plane % conv->k] : 0;
        out->value[i] = (double)activate(conv->act, out->value[i] + bias);
    }
    return products;
}

CONV_REFERENCE(ref_scatter, PAGE(scatter),
    .title = "a second opinion: every input adds itself to the outputs that it meets",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE
           | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA | 1u << CONV_BACKWARD_WEIGHTS,
);
