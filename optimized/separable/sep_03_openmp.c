/* sep_03_openmp.c - step 3 of the separable ladder: all cores.
 *
 * Changed since sep_02_fused_by_rows: blocks of rows are dealt out to threads, each with a plane and a middle
 *     buffer of its own; with fewer blocks than threads, blocks get smaller.
 * Why it is faster: blocks of rows share inputs, which are only read, and no outputs.
 * What it costs: more padding twice, where blocks get smaller.
 * Applies to: any separable problem in NCHW, 1-D to 3-D.
 * Explained in docs/ladder-separable.md, step 3.
 */
#include <convref/kernel.h>

#include "optimized/rows.h"
#include "optimized/threads.h"
#include "optimized/tile.h"

enum { BLOCK_CHANNELS = 256, BLOCK_POSITIONS = 16 * TILE_Q };

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- sizes: M middle channels of a block of rows, `pitch` floats apart ---- */

struct sizes { int64_t middle, positions, rows, pitch; };

static struct sizes sizes_of(const struct conv_problem *conv)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    /* a multiple of 4 rows, which the depthwise stage computes together */
    const int64_t rows = min(conv_ceil_div(BLOCK_POSITIONS, 4 * W.out) * 4, H.out);
    return (struct sizes){ conv->c * conv->mult, D.out * H.out * W.out, rows,
                           conv_ceil_div(rows * W.out, TILE_Q) * TILE_Q + 16 };
}

/* Floats of one thread: a plane and a middle buffer. */
static int64_t thread_floats(const struct conv_problem *conv)
{
    const struct sizes size = sizes_of(conv);
    return conv_ceil_div(rows_plane_floats(conv) + size.middle * size.pitch, 16) * 16;
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * (size_t)thread_floats(conv) * sizeof(float);
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

/* middle[c * mult + m][(p - p0) * Q + q] for the rows p0 .. p1 of plane z, from one image x[c][:] */
static void depthwise(float *middle, const struct conv_problem *conv, const float *x,
                      const struct conv_operands *operands, float *plane, int64_t z,
                      int64_t p0, int64_t p1)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct conv_range needed = conv_clip(conv_input_at(&H, p0, 0),
                                               conv_input_at(&H, p1 - 1, H.filter - 1) + 1, H.in);
    const struct sizes size = sizes_of(conv);
    const int64_t count = (p1 - p0) * W.out;
    const float (*w)[D.filter * H.filter * W.filter] = operands->w;
    const float *bias = operands->bias;
    struct rows rows = rows_of(conv);
    rows.plane = plane;
    rows.act = conv->mid_act;

    for (int64_t m = 0; m < size.middle; m++, middle += size.pitch) {
        if (m % conv->mult == 0)
            rows_fill(plane, conv, x + m / conv->mult * D.in * H.in * W.in, needed.begin, needed.end);
        rows.w = w[m];
        rows.bias = bias ? bias[m] : 0;
        rows_compute(middle, &rows, z, p0, p1);
        memset(middle + count, 0, (size_t)(size.pitch - count) * sizeof *middle);
    }
}

/* ---- second stage: mix ---- */

static void multiply_tile(float *y, const struct conv_problem *conv, const float *pw, const float *middle,
                          const float *bias, int64_t k, int64_t cols, int64_t m0)
{
    const struct sizes size = sizes_of(conv);
    const int64_t m1 = min(m0 + BLOCK_CHANNELS, size.middle);
    const struct tile_end end = { m0 == 0, m1 == size.middle, bias ? bias + k : NULL, conv->act };
    struct tile tile;
    tile_clear(&tile);
    tile_multiply(&tile, pw + k * size.middle + m0 * TILE_K, 1, TILE_K, middle + m0 * size.pitch, size.pitch,
                  m1 - m0);
    tile_store(y + k * size.positions, size.positions, &tile, min(TILE_K, conv->k - k), cols, &end);
}

/* `count` positions: y[k][i] = bias[k] + SUM_m pw[k][m] * middle[m][i] */
static void pointwise(float *y, const struct conv_problem *conv, const float *pw, const float *middle,
                      const float *bias, int64_t count)
{
    const struct sizes size = sizes_of(conv);
    for (int64_t m0 = 0; m0 < size.middle; m0 += BLOCK_CHANNELS)
        for (int64_t k = 0; k < conv->k; k += TILE_K)
            for (int64_t i = 0; i < count; i += TILE_Q)
                multiply_tile(y + i, conv, pw, middle + i, bias, k, min(TILE_Q, count - i), m0);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct sizes size = sizes_of(conv);
    const float (*x)[conv->c * D.in * H.in * W.in] = operands->x;
    float (*y)[conv->k * size.positions] = operands->y;
    float *scratch = workspace->scratch;
    /* blocks of rows: as few as fill the buffer, as many as it takes to have one for each thread */
    const int64_t wanted = conv_ceil_div(workspace->threads, conv->n * D.out);
    const int64_t block = min(size.rows, conv_ceil_div(H.out, wanted));
    const int64_t blocks = conv_ceil_div(H.out, block);

    for (int thread = 0; thread < workspace->threads; thread++)
        rows_clear(scratch + thread * thread_floats(conv), conv);
#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t task = 0; task < conv->n * D.out * blocks; task++) {
        const int64_t n = task / blocks / D.out, z = task / blocks % D.out, p = task % blocks * block;
        const int64_t end = min(p + block, H.out);
        float *plane = scratch + conv_thread() * thread_floats(conv);
        float *middle = plane + rows_plane_floats(conv);
        depthwise(middle, conv, x[n], operands, plane, z, p, end);
        pointwise(y[n] + (z * H.out + p) * W.out, conv, workspace->packed, middle, operands->pw_bias,
                  (end - p) * W.out);
    }
}

CONV_KERNEL(sep_03_openmp,
    .title = "all cores",
    .from = "sep_02_fused_by_rows",
    .kinds = 1u << CONV_SEPARABLE,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
