/* bwd_data_02_phases.c - step 2 of the ladder of data gradients: forward convolutions with a stride of 1.
 *
 * Changed since bwd_data_01_gather: positions that know the same taps are computed together (phases.h), each phase as
 *     the forward convolution that it is: unfolded block by block, and multiplied in the tiles of std_08.
 * Why it is faster: no tap is idle and none asks; then all that the standard ladder won.
 * What it costs: the outputs of a phase may lie apart, so each is written twice.  Unfolding is one copy for each
 *     filter of a group: with groups of one channel it costs more than the arithmetic.
 * Applies to: data gradients of any convolution, and transposed convolutions, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 2.
 */
#include <convref/kernel.h>

#include "optimized/gradients/phases.h"
#include "optimized/tile.h"
#include "optimized/unfold.h"

enum {
    BLOCK_TAPS = 256,
    BLOCK_POSITIONS = 16 * TILE_Q,
    BLOCK_PITCH = BLOCK_POSITIONS + 16   /* odd in cache lines, so that rows don't collide in the cache */
};

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t padded(int64_t channels) { return conv_ceil_div(channels, TILE_K) * TILE_K; }

/* One block of columns, and the outputs of all channels for it. */
static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return (size_t)(BLOCK_TAPS + padded(spread_of(conv).to)) * BLOCK_PITCH * sizeof(float);
}

/* ---- weights: for each phase and group panels of TILE_K channels, w[j / TILE_K][i][turned taps][j % TILE_K] ---- */

static size_t packed_bytes(const struct conv_problem *conv)
{
    const struct spread spread = spread_of(conv);
    const struct conv_axis *axis = spread.axis;
    const int64_t taps = axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter;   /* of all phases */
    return (size_t)(spread.groups * spread.from * taps * padded(spread.to)) * sizeof(float);
}

/* The weights of one filter i, panel by panel; to[tap][:] */
static float *pack_filter(float *to, const struct spread *spread, const struct phase phase[CONV_AXES], const float *w,
                          int64_t j0)
{
    const int64_t S = spread->axis[CONV_W].filter, R = spread->axis[CONV_H].filter, T = spread->axis[CONV_D].filter;
    for (int64_t t = 0; t < phase[CONV_D].axis.filter; t++)
    for (int64_t r = 0; r < phase[CONV_H].axis.filter; r++)
    for (int64_t s = 0; s < phase[CONV_W].axis.filter; s++) {
        const int64_t tap = (phase_tap(&phase[CONV_D], t) * R + phase_tap(&phase[CONV_H], r)) * S
                          + phase_tap(&phase[CONV_W], s);
        for (int64_t j = j0; j < j0 + TILE_K; j++)
            *to++ = j < spread->to ? w[j * T * R * S + tap] : 0;   /* w[i][j][t][r][s] */
    }
    return to;
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct spread spread = spread_of(conv);
    const struct conv_axis *axis = spread.axis;
    const float (*w)[spread.to * axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter] = weights->w;
    float *to = packed;
    for (int64_t index = 0; index < spread_phases(&spread); index++) {
        struct phase phase[CONV_AXES];
        spread_part(phase, &spread, index);
        for (int64_t g = 0; g < spread.groups; g++)
            for (int64_t j = 0; j < spread.to; j += TILE_K)
                for (int64_t i = 0; i < spread.from; i++)
                    to = pack_filter(to, &spread, phase, w[g * spread.from + i], j);
    }
}

/* ---- one phase of one group ---- */

struct job {
    const struct spread *spread;
    const struct phase *phase;          /* of the three axes */
    const struct conv_problem *part;    /* the forward convolution */
    const float *dy, *w, *bias;         /* of the group; w is packed; bias of a transposed convolution, or NULL */
    float *dx;
    enum conv_activation act;
};

/* Positions i0 .. i1 of the taps j0 .. j1; zeros fill the last tile. */
static void unfold_block(float *block, const struct job *job, int64_t j0, int64_t j1, int64_t i0, int64_t i1)
{
    const struct conv_axis *axis = job->part->axis;
    const int64_t S = axis[CONV_W].filter, R = axis[CONV_H].filter, T = axis[CONV_D].filter;
    const int64_t count = i1 - i0, whole_tiles = conv_ceil_div(count, TILE_Q) * TILE_Q;
    for (int64_t j = j0; j < j1; j++, block += BLOCK_PITCH) {
        const float *dy = job->dy + j / S / R / T * job->spread->dy_positions;   /* dy[i][:] */
        unfold_row(block, job->part, dy, j / S / R % T, j / S % R, j % S, i0, i1);
        memset(block + count, 0, (size_t)(whole_tiles - count) * sizeof *block);
    }
}

/* sums[j][:] of `count` positions, for all channels of the group, from block after block of taps */
static void multiply(float *sums, const struct job *job, float *block, int64_t i0, int64_t count)
{
    const int64_t taps = job->spread->from * part_taps(job->part);
    int64_t j0 = 0;
    do {   /* once without any tap, too: the outputs are the bias then, or 0 */
        const int64_t j1 = min(j0 + BLOCK_TAPS, taps);
        unfold_block(block, job, j0, j1, i0, i0 + count);
        for (int64_t k = 0; k < job->spread->to; k += TILE_K)
            for (int64_t i = 0; i < count; i += TILE_Q) {
                const struct tile_end end = { j0 == 0, j1 == taps, job->bias ? job->bias + k : NULL, job->act };
                struct tile tile;
                tile_clear(&tile);
                tile_multiply(&tile, job->w + k * taps + j0 * TILE_K, 1, TILE_K, block + i, BLOCK_PITCH, j1 - j0);
                tile_store(sums + k * BLOCK_PITCH + i, BLOCK_PITCH, &tile, min(TILE_K, job->spread->to - k), TILE_Q,
                           &end);
            }
        j0 = j1;
    } while (j0 < taps);
}

static void positions(const struct job *job, float *scratch, int64_t i0, int64_t count)
{
    float *block = scratch, *sums = scratch + BLOCK_TAPS * BLOCK_PITCH;
    multiply(sums, job, block, i0, count);
    for (int64_t j = 0; j < job->spread->to; j++)
        spread_outputs(job->dx + j * job->spread->dx_positions, job->spread, job->phase, sums + j * BLOCK_PITCH, i0,
                       count);
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct spread spread = spread_of(conv);
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    const float *dy = transposed ? operands->x : operands->y, *bias = transposed ? operands->bias : NULL;
    const float *w = workspace->packed;
    float *dx = transposed ? operands->y : operands->x;

    for (int64_t index = 0; index < spread_phases(&spread); index++) {
        struct phase phase[CONV_AXES];
        const struct conv_problem part = spread_part(phase, &spread, index);
        const int64_t count = part_outputs(&part);
        const int64_t group_floats = spread.from * part_taps(&part) * padded(spread.to);
        for (int64_t ng = 0; ng < conv->n * spread.groups; ng++) {   /* ng = n * G + g */
            const int64_t g = ng % spread.groups;
            const struct job job = { &spread, phase, &part, dy + ng * spread.from * spread.dy_positions,
                                     w + g * group_floats, bias ? bias + g * spread.to : NULL,
                                     dx + ng * spread.to * spread.dx_positions,
                                     transposed ? conv->act : CONV_ACT_NONE };
            for (int64_t i = 0; i < count; i += BLOCK_POSITIONS)
                positions(&job, workspace->scratch, i, min(BLOCK_POSITIONS, count - i));
        }
        w += spread.groups * group_floats;
    }
}

CONV_KERNEL(bwd_data_02_phases,
    .title = "forward convolutions with a stride of 1",
    .from = "bwd_data_01_gather",
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE
           | 1u << CONV_TRANSPOSED,
    .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA,
    .applies = spread_applies,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
