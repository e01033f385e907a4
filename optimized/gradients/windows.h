/* windows.h - data gradients for channels last: the windows of a phase as a table of pointers, in tiles.
 *
 * A phase (phases.h) is a forward convolution over dy with a stride of 1.  Where channels are last, each of its taps
 * reads a row of neighbouring channels of dy, and a pointer says which; in the padding it is a row of zeros.  Outputs
 * of one phase are `stride` apart in dx.  A line is a stretch of them that are equally far apart: a row, or without a
 * stride the whole image.  Lines are cut into pieces, and pieces into tiles for panel.h.
 * Introduced in bwd_data_nhwc_01_windows_by_pointers; also used by its last step.
 */
#ifndef CONVREF_OPTIMIZED_GRADIENTS_WINDOWS_H
#define CONVREF_OPTIMIZED_GRADIENTS_WINDOWS_H

#include "optimized/gradients/phases.h"
#include "optimized/panel.h"
#include "optimized/parts.h"

enum { BLOCK = 32 * PANEL_ROWS };   /* positions that go through all panels together */

/* One phase of one group. */
struct windows {
    const struct spread *spread;
    const struct phase *phase;      /* of the three axes */
    struct conv_problem part;       /* the forward convolution */
    const float *dy, *zeros;        /* the group's channels of the first position; as many zeros */
    float *dx;
    int64_t dy_pitch, dx_pitch;     /* channels of all groups */
    const float *w, *bias;          /* packed, of the group; bias of a transposed convolution, or NULL */
    enum conv_activation act;
};

/* Of the first group; phase, part and w are still to come. */
static inline struct windows windows_start(const struct conv_problem *conv, const struct conv_operands *operands,
                                           const struct spread *spread, const float *zeros)
{
    const bool transposed = conv->op == CONV_OP_TRANSPOSED;
    return (struct windows){
        .spread = spread, .zeros = zeros, .dy = transposed ? operands->x : operands->y,
        .dx = transposed ? operands->y : operands->x, .dy_pitch = spread->groups * spread->from,
        .dx_pitch = spread->groups * spread->to, .bias = transposed ? operands->bias : NULL,
        .act = transposed ? conv->act : CONV_ACT_NONE
    };
}

/* The same of group g, whose packed weights are w. */
static inline struct windows windows_group(struct windows windows, int64_t g, const float *w)
{
    windows.dy += g * windows.spread->from;
    windows.dx += g * windows.spread->to;
    if (windows.bias)
        windows.bias += g * windows.spread->to;
    windows.w = w;
    return windows;
}

/* Positions that lie equally far apart in dx. */
static inline int64_t line_length(const struct windows *windows)
{
    const struct phase *phase = windows->phase;
    const bool dense = phase[CONV_D].stride == 1 && phase[CONV_H].stride == 1 && phase[CONV_W].stride == 1;
    return dense ? part_outputs(&windows->part) : phase[CONV_W].axis.out;
}

static inline struct parts line_pieces(const struct windows *windows)
{
    return parts_of_most(line_length(windows), BLOCK);
}

/* Pieces of all images. */
static inline int64_t all_pieces(const struct windows *windows, int64_t images)
{
    return images * part_outputs(&windows->part) / line_length(windows) * line_pieces(windows).count;
}

/* How many of them a block has. */
static inline int64_t block_pieces(const struct windows *windows)
{
    const struct parts pieces = line_pieces(windows);
    return BLOCK / (pieces.each + (pieces.longer > 0));
}

/* What the taps of output i of image n read, into every `step`-th pointer of the table. */
static inline void find_window(const float **table, int64_t step, const struct windows *windows, int64_t n, int64_t i)
{
    const struct conv_axis *axis = windows->part.axis, *D = &axis[CONV_D], *H = &axis[CONV_H], *W = &axis[CONV_W];
    const int64_t q = i % W->out, p = i / W->out % H->out, z = i / W->out / H->out;
    for (int64_t t = 0; t < D->filter; t++)
    for (int64_t r = 0; r < H->filter; r++) {
        const int64_t a = conv_input_at(D, z, t), b = conv_input_at(H, p, r);
        const bool inside = conv_inside(D, a) && conv_inside(H, b);
        const int64_t row = (n * D->in + a) * H->in + b;   /* of dy */
        for (int64_t s = 0; s < W->filter; s++, table += step) {
            const int64_t c = conv_input_at(W, q, s);
            *table = inside && conv_inside(W, c) ? windows->dy + (row * W->in + c) * windows->dy_pitch
                                                 : windows->zeros;   /* dy[n][a][b][c][group's channels] */
        }
    }
}

/* Where output i of image n belongs. */
static inline float *output_place(const struct windows *windows, int64_t n, int64_t i)
{
    const struct phase D = windows->phase[CONV_D], H = windows->phase[CONV_H], W = windows->phase[CONV_W];
    const struct conv_axis *axis = windows->spread->axis;   /* of dx */
    const int64_t q = i % W.axis.out, p = i / W.axis.out % H.axis.out, z = i / W.axis.out / H.axis.out;
    const int64_t row = (n * axis[CONV_D].in + D.first + z * D.stride) * axis[CONV_H].in + H.first + p * H.stride;
    return windows->dx + (row * axis[CONV_W].in + W.first + q * W.stride) * windows->dx_pitch;
}

struct window_tile {
    float *dx;
    const float *const *table;   /* table[tap][position] */
    int64_t count;               /* of positions */
};

/* The tiles of some pieces, at most BLOCK; returns how many. */
static inline int find_tiles(struct window_tile *tiles, const float **table, const struct windows *windows,
                             struct conv_range pieces)
{
    const struct parts of_line = line_pieces(windows);
    const int64_t length = line_length(windows), lines = part_outputs(&windows->part) / length;
    const int64_t taps = part_taps(&windows->part);
    int found = 0;
    for (int64_t piece = pieces.begin; piece < pieces.end; piece++) {
        const int64_t line = piece / of_line.count, n = line / lines;
        const struct conv_range at = parts_at(&of_line, piece % of_line.count);
        const struct parts each = parts_of_most(at.end - at.begin, PANEL_ROWS);
        for (int64_t i = 0; i < each.count; i++) {
            const struct conv_range in = parts_at(&each, i);
            const int64_t first = line % lines * length + at.begin + in.begin, count = in.end - in.begin;
            for (int64_t j = 0; j < count; j++)
                find_window(table + j, count, windows, n, first + j);
            tiles[found++] = (struct window_tile){ output_place(windows, n, first), table, count };
            table += count * taps;
        }
    }
    return found;
}

/* ---- weights: for each phase and group panels of channels of dx, w[turned tap][i][j] ---- */

static inline int64_t vectors(const struct spread *spread) { return conv_ceil_div(spread->to, CONV_LANES); }

/* Of one group and all phases. */
static inline int64_t group_floats(const struct spread *spread, int64_t taps)
{
    return spread->from * taps * vectors(spread) * CONV_LANES;
}

static inline int64_t all_taps(const struct spread *spread)
{
    return spread->axis[CONV_D].filter * spread->axis[CONV_H].filter * spread->axis[CONV_W].filter;
}

static inline size_t windows_packed_bytes(const struct conv_problem *conv)
{
    const struct spread spread = spread_of(conv);
    return (size_t)(spread.groups * group_floats(&spread, all_taps(&spread))) * sizeof(float);
}

/* The tap of the filter at place m of a phase's turned taps. */
static inline int64_t turned_tap(const struct spread *spread, const struct phase phase[CONV_AXES], int64_t m)
{
    const int64_t S = phase[CONV_W].axis.filter, R = phase[CONV_H].axis.filter;
    const int64_t t = phase_tap(&phase[CONV_D], m / S / R), r = phase_tap(&phase[CONV_H], m / S % R);
    return (t * spread->axis[CONV_H].filter + r) * spread->axis[CONV_W].filter + phase_tap(&phase[CONV_W], m % S);
}

/* One phase of one group, w[i][j][tap]; returns what is behind it. */
static inline float *pack_group(float *to, const struct spread *spread, const struct phase phase[CONV_AXES],
                                int64_t taps, const float *w)
{
    const struct parts panels = parts_of_most(vectors(spread), PANEL_VECS);
    const int64_t all = all_taps(spread);
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        for (int64_t m = 0; m < taps; m++) {
            const int64_t tap = turned_tap(spread, phase, m);
            for (int64_t i = 0; i < spread->from; i++)
                for (int64_t j = vecs.begin * CONV_LANES; j < vecs.end * CONV_LANES; j++)
                    *to++ = j < spread->to ? w[(i * spread->to + j) * all + tap] : 0;
        }
    }
    return to;
}

static inline void windows_pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const struct spread spread = spread_of(conv);
    const int64_t group = spread.from * spread.to * all_taps(&spread);
    float *to = packed;
    for (int64_t index = 0; index < spread_phases(&spread); index++) {
        struct phase phase[CONV_AXES];
        const struct conv_problem part = spread_part(phase, &spread, index);
        for (int64_t g = 0; g < spread.groups; g++)
            to = pack_group(to, &spread, phase, part_taps(&part), (const float *)weights->w + g * group);
    }
}

/* ---- a block: some pieces by all panels; table has room for BLOCK windows ---- */

static inline void windows_multiply(const struct windows *windows, const float **table, struct conv_range pieces)
{
    const struct spread *spread = windows->spread;
    const struct parts panels = parts_of_most(vectors(spread), PANEL_VECS);
    const int64_t runs = part_taps(&windows->part);
    struct window_tile tiles[BLOCK];
    const int count = find_tiles(tiles, table, windows, pieces);
    for (int64_t part = 0; part < panels.count; part++) {
        const struct conv_range vecs = parts_at(&panels, part);
        const int64_t j = vecs.begin * CONV_LANES, end = vecs.end * CONV_LANES;
        struct panel panel = {
            .w = windows->w + j * runs * spread->from, .runs = runs, .depth = spread->from,
            .zeros = windows->zeros,
            .bias = windows->bias ? windows->bias + j : NULL,
            .pitch = windows->phase[CONV_W].stride * windows->dx_pitch,
            .filters = (end < spread->to ? end : spread->to) - j, .act = windows->act
        };
        for (int i = 0; i < count; i++) {
            panel.y = tiles[i].dx + j;
            panel_any(&panel, 0, tiles[i].table, tiles[i].count);
        }
    }
}

#endif
