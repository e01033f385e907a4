/* dw_nhwc_05_row_of_zeros.c - step 5 of the depthwise ladder for channels last: padding is a row of zeros.
 *
 * Changed since dw_nhwc_04_columns_in_registers: where a tap reads stands in a table of pointers (pointers.h), made
 *     once for each row of outputs; in the padding it points at zeros.  So all columns go eight at a time; those
 *     beyond the last are written to a place that nobody reads.
 * Why it is faster: no column goes alone.  In images of 7x7 all did, and in 14x14 six of fourteen.
 * What it costs: the table, a load of a pointer for each load of x, and products with zeros.
 * Applies to: depthwise problems in NHWC with a multiplier of 1, 1-D to 3-D.  The row of zeros is XNNPACK's.
 * Explained in docs/ladder-depthwise.md, step 5 for channels last.
 */
#include <convref/kernel.h>
#include <convref/simd.h>

#include "optimized/pointers.h"

enum { COLUMNS = 8 };

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

/* ---- weights: w[k][tap] -> packed[tap][k] ---- */

static int64_t taps(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].filter * conv->axis[CONV_H].filter * conv->axis[CONV_W].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv->k * taps(conv)) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const float (*w)[taps(conv)] = weights->w;
    float *to = packed;
    for (int64_t tap = 0; tap < taps(conv); tap++)
        for (int64_t k = 0; k < conv->k; k++)
            *to++ = w[k][tap];
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return table_bytes(conv, COLUMNS);
}

/* ---- one row of outputs ---- */

/* `lanes` channels, from k on, of the COLUMNS outputs from v on; y is the row's first output. */
CONV_INLINE void lanes_of(float *y, const struct table *table, const float *w, const float *bias, int64_t v,
                          int64_t k, int64_t lanes)
{
    const struct conv_problem *conv = table->conv;
    const int64_t R = conv->axis[CONV_H].filter, S = conv->axis[CONV_W].filter;
    const bool full = lanes == CONV_LANES;
    vec sums[COLUMNS];
    CONV_UNROLL
    for (int i = 0; i < COLUMNS; i++)
        sums[i] = !bias ? vec_set(0) : full ? vec_load(bias + k) : vec_load_some(bias + k, lanes);

    for (int64_t t = table->T.begin; t < table->T.end; t++)
    for (int64_t r = table->U.begin; r < table->U.end; r++)
    for (int64_t s = 0; s < S; s++) {
        const float *const *x = table->x + (t * table->rows + r) * table->line.inputs + v * table->line.step + s;
        const float *weights = w + ((t * R + r) * S + s) * conv->k + k;
        const vec weight = full ? vec_load(weights) : vec_load_some(weights, lanes);
        CONV_UNROLL
        for (int i = 0; i < COLUMNS; i++, x += table->line.step)
            sums[i] += (full ? vec_load(*x + k) : vec_load_some(*x + k, lanes)) * weight;
    }
    CONV_UNROLL
    for (int i = 0; i < COLUMNS; i++) {
        float *to = table_output(table, y, v + i) + k;
        if (full)
            vec_store(to, vec_activate(conv->act, sums[i]));
        else
            vec_store_some(to, vec_activate(conv->act, sums[i]), lanes);
    }
}

static void row_of(float *y, const struct table *table, const float *w, const float *bias)
{
    const int64_t channels = table->conv->k;
    for (int64_t v = 0; v < table->line.outputs - COLUMNS; v += COLUMNS) {
        while (table->out[v] < 0)   /* a tile begins with an output; the line's last COLUMNS aren't wanted */
            v++;
        int64_t k = 0;
        for (; k + CONV_LANES <= channels; k += CONV_LANES)
            lanes_of(y, table, w, bias, v, k, CONV_LANES);
        if (k < channels)
            lanes_of(y, table, w, bias, v, k, channels - k);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[D.in * H.in * W.in * conv->c] = operands->x;
    float (*y)[D.out][H.out][W.out * conv->k] = operands->y;
    struct table table = table_start(conv, operands->x, COLUMNS, workspace->scratch);

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t z = 0; z < D.out; z++)
    for (int64_t p = 0; p < H.out; p++) {
        table_point(&table, x[n], z, p, 1);
        row_of(y[n][z][p], &table, workspace->packed, operands->bias);
    }
}

CONV_KERNEL(dw_nhwc_05_row_of_zeros,
    .title = "padding is a row of zeros",
    .from = "dw_nhwc_04_columns_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
