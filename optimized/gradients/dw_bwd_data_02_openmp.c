/* dw_bwd_data_02_openmp.c - step 2 of the depthwise ladder of data gradients: all cores.
 *
 * Changed since dw_bwd_data_01_rows: channels are dealt out to threads, each with scratch of its own.
 * Why it is faster: channels have nothing in common.
 * What it costs: nothing but the scratch.
 * Applies to: data gradients of depthwise convolutions with a multiplier of 1, 1-D to 3-D, in NCHW.
 * Explained in docs/ladder-gradients.md, step 2 of depthwise data.
 */
#include <convref/kernel.h>

#include "optimized/gradients/phases.h"
#include "optimized/rows.h"
#include "optimized/threads.h"

static const char *applies(const struct conv_problem *conv)
{
    return conv->k == conv->c ? NULL : "it needs a multiplier of 1";
}

static bool is_whole(const struct spread *spread) { return spread_phases(spread) == 1; }

/* The largest plane of all phases, and the outputs of a phase. */
static int64_t plane_floats(const struct spread *spread)
{
    int64_t most = 0;
    for (int64_t index = 0; index < spread_phases(spread); index++) {
        struct phase phase[CONV_AXES];
        const struct conv_problem part = spread_part(phase, spread, index);
        const int64_t floats = part_taps(&part) ? rows_plane_floats(&part) : 0;
        most = floats > most ? floats : most;
    }
    return most;
}

static int64_t scratch_floats(const struct spread *spread)
{
    return plane_floats(spread) + (is_whole(spread) ? 0 : spread->dx_positions);
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    const struct spread spread = spread_of(conv);
    return (size_t)threads * (size_t)scratch_floats(&spread) * sizeof(float);
}

/* ---- weights: for each channel the turned taps of each phase, w[c][phase][t][r][s] ---- */

static size_t packed_bytes(const struct conv_problem *conv)
{
    const struct conv_axis *axis = conv->axis;
    return (size_t)(conv->c * axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter) * sizeof(float);
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct conv_axis D = conv->axis[CONV_D], H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct spread spread = spread_of(conv);
    const float (*w)[D.filter][H.filter][W.filter] = weights->w;
    float (*taps)[D.filter * H.filter * W.filter] = packed;
    for (int64_t c = 0; c < conv->c; c++) {
        float *to = taps[c];   /* in an image smaller than the stride some taps have no phase: the rest stays empty */
        for (int64_t index = 0; index < spread_phases(&spread); index++) {
            struct phase phase[CONV_AXES];
            spread_part(phase, &spread, index);
            for (int64_t t = 0; t < phase[CONV_D].axis.filter; t++)
                for (int64_t r = 0; r < phase[CONV_H].axis.filter; r++)
                    for (int64_t s = 0; s < phase[CONV_W].axis.filter; s++)
                        *to++ = w[c][phase_tap(&phase[CONV_D], t)][phase_tap(&phase[CONV_H], r)]
                                 [phase_tap(&phase[CONV_W], s)];
        }
    }
}

/* ---- one channel ---- */

/* All outputs of one phase, y[z][p][q]. */
static void compute_phase(float *y, const struct conv_problem *part, float *plane, const float *dy, const float *w)
{
    const struct conv_axis D = part->axis[CONV_D], H = part->axis[CONV_H];
    if (part_taps(part) == 0) {   /* positions that no window ever read */
        memset(y, 0, (size_t)part_outputs(part) * sizeof *y);
        return;
    }
    struct rows rows = rows_of(part);
    rows.plane = plane;
    rows.w = w;
    rows_clear(plane, part);
    rows_fill(plane, part, dy, 0, H.in);
    for (int64_t z = 0; z < D.out; z++)
        rows_compute(y + z * H.out * part->axis[CONV_W].out, &rows, z, 0, H.out);
}

static void channel(float *dx, const struct spread *spread, float *scratch, const float *dy, const float *w)
{
    float *y = scratch + plane_floats(spread);
    for (int64_t index = 0; index < spread_phases(spread); index++) {
        struct phase phase[CONV_AXES];
        const struct conv_problem part = spread_part(phase, spread, index);
        compute_phase(is_whole(spread) ? dx : y, &part, scratch, dy, w);
        if (!is_whole(spread))
            spread_outputs(dx, spread, phase, y, 0, part_outputs(&part));
        w += part_taps(&part);
    }
}

static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct spread spread = spread_of(conv);
    const float (*dy)[spread.dy_positions] = operands->y;
    const struct conv_axis *axis = conv->axis;
    const float (*w)[axis[CONV_D].filter * axis[CONV_H].filter * axis[CONV_W].filter] = workspace->packed;
    float (*dx)[spread.dx_positions] = operands->x;

#pragma omp parallel for num_threads(workspace->threads) schedule(static)
    for (int64_t i = 0; i < conv->n * conv->c; i++)   /* i = n * C + c */
        channel(dx[i], &spread, (float *)workspace->scratch + conv_thread() * scratch_floats(&spread), dy[i],
                w[i % conv->c]);
}

CONV_KERNEL(dw_bwd_data_02_openmp,
    .title = "all cores",
    .from = "dw_bwd_data_01_rows",
    .kinds = 1u << CONV_DEPTHWISE,
    .passes = 1u << CONV_BACKWARD_DATA,
    .applies = applies,
    .threaded = true,
    .scratch_bytes = scratch_bytes,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run,
);
