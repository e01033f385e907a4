/* ref_separable.c - the depthwise separable convolution: first look around, then mix.
 *
 *   m[c][p][q]    = mid_act(bias[c] + SUM x[n][c / mult][p*stride - pad + r*dilation][...] * w[c][r][s])
 *                                     r,s
 *   y[n][k][p][q] = act(pw_bias[k] + SUM  m[c][p][q] * pw[k][c])
 *                                     c
 *
 * A depthwise stage (filters w), then a pointwise stage (filters pw): R*S*C + C*K multiply-adds for each
 * position where a standard convolution has R*S*C*K.  For a 3x3 filter and many channels that is nearly
 * nine times fewer; why it is not nine times faster is the question behind this project.
 *
 * The middle values of one position are kept in a row of C numbers, in `wide`, never rounded.
 * Read next: ref_inverted_residual.c
 */
#include "reference/page.h"

/* Middle channel c at one position. */
static struct sum middle(const struct conv_problem *conv, const struct doubles *in, int64_t n, int64_t c,
                         int64_t z, int64_t p, int64_t q)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const double (*x)[conv->c][D.in][H.in][W.in] = (const void *)in->x;
    const double (*w)[D.filter][H.filter][W.filter] = (const void *)in->w;
    struct sum sum = { 0 };

    for (int64_t t = 0; t < D.filter; t++) {
        const int64_t plane = conv_input_at(&D, z, t);
        if (!conv_inside(&D, plane))
            continue;   /* padding adds nothing */
        for (int64_t r = 0; r < H.filter; r++) {
            const int64_t row = conv_input_at(&H, p, r);
            if (!conv_inside(&H, row))
                continue;
            for (int64_t s = 0; s < W.filter; s++) {
                const int64_t col = conv_input_at(&W, q, s);
                if (conv_inside(&W, col))
                    sum_add(&sum, x[n][c / conv->mult][plane][row][col], w[c][t][r][s]);
            }
        }
    }
    return sum;
}

int64_t PAGE(separable)(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t C = conv->c * conv->mult, positions = D.out * H.out * W.out;   /* C: middle channels */
    const double (*pw)[C] = (const void *)in->pw;
    struct sum *mid = in->row;
    int64_t products = 0;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const int64_t position = (z * H.out + p) * W.out + q;
        for (int64_t c = 0; c < C; c++) {
            mid[c] = middle(conv, in, n, c, z, p, q);
            products += mid[c].taps;
            if (in->bias)
                sum_add_bias(&mid[c], in->bias[c]);
            mid[c].value = activate(conv->mid_act, mid[c].value);
        }
        for (int64_t k = 0; k < conv->k; k++) {
            struct sum sum = { 0 };
            int64_t longest = 0;
            for (int64_t c = 0; c < C; c++) {
                sum.value += mid[c].value * pw[k][c];
                sum.magnitude += mid[c].magnitude * fabs(pw[k][c]);   /* an error of m counts |pw| times */
                longest = mid[c].taps > longest ? mid[c].taps : longest;
            }
            products += C;
            sum.taps = longest + 1 + C;   /* roundings on the way to y: those of m, then those of y */
            if (in->pw_bias)
                sum_add_bias(&sum, in->pw_bias[k]);
            truth_set(y, (n * conv->k + k) * positions + position, &sum, conv->act);
        }
    }
    return products;
}

CONV_REFERENCE(ref_separable, PAGE(separable),
    .title = "first look around, then mix",
    .kinds = 1u << CONV_SEPARABLE,
);
