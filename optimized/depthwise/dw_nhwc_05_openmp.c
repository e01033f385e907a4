/* dw_nhwc_05_openmp.c - step 5 of the depthwise ladder for channels last: all cores.
 *
 * Changed since dw_nhwc_04_columns_in_registers: rows of outputs are dealt out to threads.
 * Why it is faster: rows share inputs, which are only read, and no outputs.
 * What it costs: nothing.  Memory is shared by all cores, so layers that don't fit into the caches gain less
 *     than their number.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D.
 * Explained in docs/ladder-depthwise.md, step 5 for channels last.
 */
#include <convref/kernel.h>
#include <convref/simd.h>

enum { COLUMNS = 8 };

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

/* Taps that lie inside, for the first of some neighbouring outputs. */
struct window {
    struct conv_range T, R, S;
    int64_t z, p, q;
};

/* `lanes` channels of `columns` outputs; x, w, bias and y point at the first of them. */
CONV_INLINE void lanes_of(float *y, const struct conv_problem *conv, const float *x, const float *w,
                          const float *bias, const struct window *at, int64_t lanes, const int columns)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const bool full = lanes == CONV_LANES;
    vec sums[COLUMNS];
    CONV_UNROLL
    for (int i = 0; i < columns; i++)
        sums[i] = !bias ? vec_set(0) : full ? vec_load(bias) : vec_load_some(bias, lanes);

    for (int64_t t = at->T.begin; t < at->T.end; t++)
    for (int64_t r = at->R.begin; r < at->R.end; r++)
    for (int64_t s = at->S.begin; s < at->S.end; s++) {
        const int64_t position = (conv_input_at(D, at->z, t) * H->in + conv_input_at(H, at->p, r)) * W->in
                               + conv_input_at(W, at->q, s);
        const float *from = x + position * conv->c;   /* x[plane][row][col][:] */
        const float *weights = w + ((t * H->filter + r) * W->filter + s) * conv->k;
        const vec weight = full ? vec_load(weights) : vec_load_some(weights, lanes);
        CONV_UNROLL
        for (int i = 0; i < columns; i++, from += W->stride * conv->c)
            sums[i] += (full ? vec_load(from) : vec_load_some(from, lanes)) * weight;
    }
    CONV_UNROLL
    for (int i = 0; i < columns; i++, y += conv->k)
        if (full)
            vec_store(y, vec_activate(conv->act, sums[i]));
        else
            vec_store_some(y, vec_activate(conv->act, sums[i]), lanes);
}

/* All channels of `columns` outputs, which have the same taps inside. */
CONV_INLINE void columns_of(float *y, const struct conv_problem *conv, const float *x, const float *w,
                            const float *bias, const struct window *at, const int columns)
{
    int64_t k = 0;
    for (; k + CONV_LANES <= conv->k; k += CONV_LANES)
        lanes_of(y + k, conv, x + k, w + k, bias ? bias + k : NULL, at, CONV_LANES, columns);
    if (k < conv->k)
        lanes_of(y + k, conv, x + k, w + k, bias ? bias + k : NULL, at, conv->k - k, columns);
}

/* The outputs whose window lies inside along the row, as a range. */
static struct conv_range interior(const struct conv_axis *W)
{
    const struct conv_range first = conv_outputs_inside(W, 0), last = conv_outputs_inside(W, W->filter - 1);
    return conv_clip(first.begin > last.begin ? first.begin : last.begin,
                     first.end < last.end ? first.end : last.end, W->out);
}

/* One row of outputs, y[q][k]. */
static void row_of(float *y, const struct conv_problem *conv, const float *x, const float *w,
                   const float *bias, int64_t z, int64_t p)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct conv_range inside = interior(&W);
    struct window at = { conv_taps_inside(&D, z), conv_taps_inside(&H, p), { 0, 0 }, z, p, 0 };
    while (at.q < W.out) {
        at.S = conv_taps_inside(&W, at.q);
        if (at.q >= inside.begin && at.q + COLUMNS <= inside.end) {
            columns_of(y + at.q * conv->k, conv, x, w, bias, &at, COLUMNS);
            at.q += COLUMNS;
        } else {
            columns_of(y + at.q * conv->k, conv, x, w, bias, &at, 1);
            at.q++;
        }
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;

#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t i = 0; i < conv->n * D.out * H.out; i++) {
        const int64_t p = i % H.out, z = i / H.out % D.out, n = i / H.out / D.out;
        row_of(y[n][z][p], conv, x[n], workspace->packed, operands->bias, z, p);
    }
}

CONV_KERNEL(dw_nhwc_05_openmp,
    .title = "all cores",
    .from = "dw_nhwc_04_columns_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .threaded = true,
    .applies = applies,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
