/* sep_01_two_passes.c - step 1 of the separable ladder: the best of two ladders, one after the other.
 *
 * Changed since the reference (ref_separable.c): the depthwise stage is dw_04_rows_in_registers, the pointwise
 *     stage the matrix product of pw_03_register_tile; between them the whole middle image is written to
 *     memory and read again.  This is what a framework does with two layers.
 * Why it is faster: both stages are as fast as their ladders can make them.
 * What it costs: the middle image, C * Z * P * Q floats out and in.  The depthwise stage has 9 multiply-adds
 *     for each of them, so it runs at the pace of the memory; this is where the promised factor of 8 is lost.
 * Applies to: any separable problem in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-separable.md, step 1.
 */
#include <convref/kernel.h>

#include "optimized/rows.h"
#include "optimized/tile.h"

enum { BLOCK_CHANNELS = 256, BLOCK_POSITIONS = 16 * TILE_Q };

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- sizes: M middle channels of `positions` positions, `pitch` floats apart ---- */

struct sizes { int64_t middle, positions, pitch; };

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t positions = D.out * H.out * W.out;
    return (struct sizes){ conv->c * conv->mult, positions, conv_ceil_div(positions, TILE_Q) * TILE_Q };
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct sizes size = sizes_of(conv);
    (void)threads;
    return (size_t)(rows_plane_floats(conv) + size.middle * size.pitch) * sizeof(float);
}

/* ---- pointwise weights: panels of TILE_K filters, pw[k / TILE_K][m][k % TILE_K] ---- */

static size_t packed_bytes(const struct conv_problem *conv)
{
    return (size_t)(conv_ceil_div(conv->k, TILE_K) * TILE_K * sizes_of(conv).middle) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t middle = sizes_of(conv).middle;
    const float (*pw)[middle] = weights->pw;
    float *to = packed;
    for (int64_t k0 = 0; k0 < conv->k; k0 += TILE_K)
        for (int64_t m = 0; m < middle; m++)
            for (int64_t k = k0; k < k0 + TILE_K; k++)
                *to++ = k < conv->k ? pw[k][m] : 0;
}

/* ---- first stage: look around ---- */

/* middle[c * mult + m][:] from one image x[c][:] */
static void depthwise(float *middle, const struct conv_problem *conv, const float *x,
                      const struct conv_operands *operands, float *plane)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sizes size = sizes_of(conv);
    const float (*w)[D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    struct rows rows = rows_of(conv);
    rows.plane = plane;
    rows.act = conv->mid_act;

    for (int64_t m = 0; m < size.middle; m++, middle += size.pitch) {
        if (m % conv->mult == 0)
            rows_fill(plane, conv, x + m / conv->mult * D.in * H.in * W.in, 0, H.in);
        rows.w = w[m];
        rows.bias = bias ? bias[m] : 0;
        for (int64_t z = 0; z < D.out; z++)
            rows_compute(middle + z * H.out * W.out, &rows, z, 0, H.out);
        memset(middle + size.positions, 0, (size_t)(size.pitch - size.positions) * sizeof *middle);
    }
}

/* ---- second stage: mix ---- */

static void multiply_tile(float *y, const struct conv_problem *conv, const float *pw, const float *middle,
                          const float *bias, int64_t k, int64_t i, int64_t m0)
{
    const struct sizes size = sizes_of(conv);
    const int64_t m1 = min(m0 + BLOCK_CHANNELS, size.middle);
    const struct tile_end end = { m0 == 0, m1 == size.middle, bias ? bias + k : NULL, conv->act };
    struct tile tile;
    tile_clear(&tile);
    tile_multiply(&tile, pw + k * size.middle + m0 * TILE_K, 1, TILE_K, middle + m0 * size.pitch + i,
                  size.pitch, m1 - m0);
    tile_store(y + k * size.positions + i, size.positions, &tile, min(TILE_K, conv->k - k),
               min(TILE_Q, size.positions - i), &end);
}

/* y[k][i] = bias[k] + SUM_m pw[k][m] * middle[m][i] */
static void pointwise(float *y, const struct conv_problem *conv, const float *pw, const float *middle,
                      const float *bias)
{
    const struct sizes size = sizes_of(conv);
    for (int64_t i0 = 0; i0 < size.positions; i0 += BLOCK_POSITIONS)
        for (int64_t m0 = 0; m0 < size.middle; m0 += BLOCK_CHANNELS)
            for (int64_t k = 0; k < conv->k; k += TILE_K)
                for (int64_t i = i0; i < min(i0 + BLOCK_POSITIONS, size.positions); i += TILE_Q)
                    multiply_tile(y, conv, pw, middle, bias, k, i, m0);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[conv->c * D.in * H.in * W.in] = operands->x;
    float (*y)[conv->k * D.out * H.out * W.out] = operands->y;
    float *plane = workspace->scratch;
    float *middle = plane + rows_plane_floats(conv);

    rows_clear(plane, conv);
    for (int64_t n = 0; n < conv->n; n++) {
        depthwise(middle, conv, x[n], operands, plane);
        pointwise(y[n], conv, workspace->packed, middle, operands->pw_bias);
    }
}

CONV_KERNEL(sep_01_two_passes,
    .title = "the best of two ladders, one after the other",
    .kinds = 1u << CONV_SEPARABLE,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
