/* ref_inverted_residual.c - widen, look around, narrow, and add what came in: the block of MobileNetV2.
 *
 *   e[c][h][w]    = mid_act(ew_bias[c] + SUM x[n][i][h][w] * ew[c][i])
 *                                         i
 *   m[c][p][q]    = mid_act(bias[c] + SUM e[c / mult][p*stride - pad + r*dilation][...] * w[c][r][s])
 *                                     r,s
 *   y[n][k][p][q] = act(pw_bias[k] + SUM  m[c][p][q] * pw[k][c]) + x[n][k][p][q]
 *                                     c
 *
 * The separable convolution of ref_separable.c with a pointwise stage in front, which makes `expand` channels of C.
 * It is padded with zeros behind that stage's activation, not before it: a padded pixel is 0 even where 0 would have
 * become mid_act(ew_bias).  x is added after the last activation, and only where residual=1.  Without `expand`, e is
 * x.
 *
 * Sandler, Howard, Zhu, Zhmoginov and Chen, MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018; there act
 * is none, and mid_act relu6.
 *
 * The bound goes through all stages: an error of e counts |w| times in m, and one of m counts |pw| times in y, so
 * sums of magnitudes are carried on.  `taps` of a middle value counts the roundings on the way to it.
 * Read next: docs/tour.md
 */
#include "reference/page.h"

/* ---- widen: e[c][:] of one image, never rounded ---- */

static struct sum expanded(const struct conv_problem *conv, const struct doubles *in, const double *x, int64_t c,
                           int64_t positions)
{
    const double (*ew)[conv->c] = (const void *)in->ew;
    struct sum sum = { 0 };
    for (int64_t i = 0; i < conv->c; i++)
        sum_add(&sum, x[i * positions], ew[c][i]);
    if (in->ew_bias)
        sum_add_bias(&sum, in->ew_bias[c]);
    sum.value = activate(conv->mid_act, sum.value);
    sum.taps++;
    return sum;
}

/* Returns the products; x[i][:] is the image. */
static int64_t widen(struct sum *e, const struct conv_problem *conv, const struct doubles *in, const double *x,
                     int64_t positions)
{
    for (int64_t c = 0; c < conv_wide_channels(conv); c++)
        for (int64_t i = 0; i < positions; i++, e++)
            *e = conv->expand ? expanded(conv, in, x + i, c, positions)
                              : (struct sum){ .value = x[c * positions + i],
                                              .magnitude = fabs(x[c * positions + i]) };
    return conv->expand * positions * conv->c;
}

/* ---- look around ---- */

static void middle_add(struct sum *sum, int64_t *longest, const struct sum *e, double w)
{
    sum->value += e->value * w;
    sum->magnitude += e->magnitude * fabs(w);   /* an error of e counts |w| times */
    *longest = e->taps > *longest ? e->taps : *longest;
    sum->taps++;
}

/* Middle channel c at one position, and how many products it has. */
static struct sum middle(int64_t *products, const struct conv_problem *conv, const struct doubles *in,
                         const struct sum *image, int64_t c, const int64_t at[CONV_AXES])
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sum (*e)[D.in][H.in][W.in] = (const void *)image;
    const double (*w)[D.filter][H.filter][W.filter] = (const void *)in->w;
    struct sum sum = { 0 };
    int64_t longest = 0;

    for (int64_t t = 0; t < D.filter; t++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++) {
        const int64_t plane = conv_input_at(&D, at[CONV_D], t), row = conv_input_at(&H, at[CONV_H], r),
                      col = conv_input_at(&W, at[CONV_W], s);
        if (conv_inside(&D, plane) && conv_inside(&H, row) && conv_inside(&W, col))   /* padding adds nothing */
            middle_add(&sum, &longest, &e[c / conv->mult][plane][row][col], w[c][t][r][s]);
    }
    *products += sum.taps;
    sum.taps += longest + 1;
    if (in->bias)
        sum_add_bias(&sum, in->bias[c]);
    sum.value = activate(conv->mid_act, sum.value);
    return sum;
}

/* ---- narrow, and add ---- */

static struct sum narrowed(const struct conv_problem *conv, const struct doubles *in, const struct sum *mid,
                           int64_t k)
{
    const int64_t C = conv_middle_channels(conv);
    const double (*pw)[C] = (const void *)in->pw;
    struct sum sum = { 0 };
    int64_t longest = 0;
    for (int64_t c = 0; c < C; c++)
        middle_add(&sum, &longest, &mid[c], pw[k][c]);
    sum.taps += longest;
    if (in->pw_bias)
        sum_add_bias(&sum, in->pw_bias[k]);
    sum.value = activate(conv->act, sum.value);
    return sum;
}

int64_t PAGE(inverted_residual)(struct conv_truth *y, const struct conv_problem *conv, const struct doubles *in)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t C = conv_middle_channels(conv), positions = D.out * H.out * W.out, from = D.in * H.in * W.in;
    const double (*x)[conv->c][from] = (const void *)in->x;
    struct sum *mid = in->row, *e = mid + C;
    int64_t products = 0;

    for (int64_t n = 0; n < conv->n; n++) {
        products += widen(e, conv, in, x[n][0], from);
        for (int64_t i = 0; i < positions; i++) {
            const int64_t at[CONV_AXES] = { i / W.out / H.out, i / W.out % H.out, i % W.out };
            for (int64_t c = 0; c < C; c++)
                mid[c] = middle(&products, conv, in, e, c, at);
            for (int64_t k = 0; k < conv->k; k++) {
                struct sum sum = narrowed(conv, in, mid, k);
                if (conv->residual) {
                    sum_add_bias(&sum, x[n][k][i]);
                    sum.taps++;
                }
                truth_set(y, (n * conv->k + k) * positions + i, &sum, CONV_ACT_NONE);
            }
            products += C * conv->k;
        }
    }
    return products;
}

CONV_REFERENCE(ref_inverted_residual, PAGE(inverted_residual),
    .title = "widen, look around, narrow, and add what came in",
    .kinds = 1u << CONV_INVERTED_RESIDUAL,
);
