/* dw_nhwc_03_channels_in_lanes.c - step 3 of the depthwise ladder for channels last: a vector of channels at once.
 *
 * Changed since dw_nhwc_02_bounds_hoisted: the loop over channels takes a vector of them; pack() puts the
 *     channels of the weights last too, w[t][r][s][k].
 * Why it is faster: channels lie side by side in x, w and y, so every load is a full vector, whatever the
 *     stride, the dilation or the padding.  This is why channels last is the layout for depthwise layers.
 * What it costs: one sum in flight for each vector: nine multiply-adds one after the other.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D (with more, lane k would read
 *     channel k / multiplier).
 * Explained in docs/ladder-depthwise.md, step 3 for channels last.
 */
#include <convref/kernel.h>
#include <convref/simd.h>

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

static int64_t taps(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv->k * taps(conv)) * sizeof(float);
}

/* w[k][tap] -> packed[tap][k] */
static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const float (*w)[taps(conv)] = weights->w;
    float *to = packed;
    for (int64_t tap = 0; tap < taps(conv); tap++)
        for (int64_t k = 0; k < conv->k; k++)
            *to++ = w[k][tap];
}

/* Taps that lie inside, for one output position. */
struct window {
    struct conv_range T, R, S;
    int64_t z, p, q;
};

/* `lanes` channels of one output; x, w, bias and y point at the first of them. */
CONV_INLINE void lanes_of(float *y, const struct conv_problem *conv, const float *x, const float *w,
                          const float *bias, const struct window *at, int64_t lanes)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const bool full = lanes == CONV_LANES;
    vec sum = !bias ? vec_set(0) : full ? vec_load(bias) : vec_load_some(bias, lanes);

    for (int64_t t = at->T.begin; t < at->T.end; t++)
    for (int64_t r = at->R.begin; r < at->R.end; r++)
    for (int64_t s = at->S.begin; s < at->S.end; s++) {
        const int64_t position = (conv_input_at(D, at->z, t) * H->in + conv_input_at(H, at->p, r)) * W->in
                               + conv_input_at(W, at->q, s);
        const float *from = x + position * conv->c;   /* x[plane][row][col][:] */
        const float *weights = w + ((t * H->filter + r) * W->filter + s) * conv->k;
        sum += full ? vec_load(from) * vec_load(weights)
                    : vec_load_some(from, lanes) * vec_load_some(weights, lanes);
    }
    sum = vec_activate(conv->act, sum);
    if (full)
        vec_store(y, sum);
    else
        vec_store_some(y, sum, lanes);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    const float *w = workspace->packed, *bias = operands->bias;
    float (*y)[D.out][H.out][W.out][conv->k] = operands->y;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        const struct window at = { conv_taps_inside(&D, z), conv_taps_inside(&H, p), conv_taps_inside(&W, q),
                                   z, p, q };
        int64_t k = 0;
        for (; k + CONV_LANES <= conv->k; k += CONV_LANES)
            lanes_of(&y[n][z][p][q][k], conv, x[n] + k, w + k, bias ? bias + k : NULL, &at, CONV_LANES);
        if (k < conv->k)
            lanes_of(&y[n][z][p][q][k], conv, x[n] + k, w + k, bias ? bias + k : NULL, &at, conv->k - k);
    }
}

CONV_KERNEL(dw_nhwc_03_channels_in_lanes,
    .title = "a vector of channels at once",
    .from = "dw_nhwc_02_bounds_hoisted",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
