/* orders.c - elements that are taken for others.   Declared in orders.h. */
#include "verify/findings/orders.h"

#define ORDER(name) int64_t order_##name(const struct mistake *m, const int64_t size[FRAME_AXES], const int64_t i[FRAME_AXES])

static int64_t at(const int64_t *size, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    return (((a * size[1] + b) * size[2] + c) * size[3] + d) * size[4] + e;
}

static int64_t same(const int64_t *size, const int64_t *i) { return at(size, i[0], i[1], i[2], i[3], i[4]); }
static int64_t space(const int64_t *size) { return size[2] * size[3] * size[4]; }
static int64_t place(const int64_t *size, const int64_t *i) { return (i[2] * size[3] + i[3]) * size[4] + i[4]; }

/* ---- in space -------------------------------------------------------------------------------------------------- */

ORDER(rotated) { (void)m; return at(size, i[0], i[1], size[2] - 1 - i[2], size[3] - 1 - i[3], size[4] - 1 - i[4]); }
ORDER(mirrored) { (void)m; return at(size, i[0], i[1], i[2], i[3], size[4] - 1 - i[4]); }
ORDER(upside_down) { (void)m; return at(size, i[0], i[1], i[2], size[3] - 1 - i[3], i[4]); }
ORDER(transposed) { (void)m; return size[3] == size[4] ? at(size, i[0], i[1], i[2], i[4], i[3]) : i[4] * size[3] + i[3]; }

/* ---- in memory ------------------------------------------------------------------------------------------------- */

ORDER(channels_last)
{
    (void)m;
    return (i[0] * space(size) + place(size, i)) * size[1] + i[1];
}

ORDER(channels_first)
{
    const int64_t image = size[1] * space(size), memory = i[1] * space(size) + place(size, i);
    (void)m;
    return i[0] * image + memory % size[1] * space(size) + memory / size[1];
}

ORDER(channels_exchanged) { (void)m; return (i[1] * size[0] + i[0]) * space(size) + place(size, i); }
ORDER(taps_first) { (void)m; return (place(size, i) * size[1] + i[1]) * size[0] + i[0]; }
ORDER(rows_exchanged) { (void)m; return same(size, i) - i[3] * size[4] - i[4] + i[4] * size[3] + i[3]; }

ORDER(rows_back)
{
    const int64_t memory = i[3] * size[4] + i[4];
    (void)m;
    return same(size, i) - memory + memory % size[3] * size[4] + memory / size[3];
}

ORDER(row_longer) { (void)m; return same(size, i) + i[3]; }
ORDER(row_shorter) { (void)m; return same(size, i) - i[3]; }
ORDER(row_of_height) { (void)m; return same(size, i) + i[3] * (size[3] - size[4]); }
ORDER(plane_without_depth) { (void)m; return same(size, i) + i[1] * size[3] * size[4] * (1 - size[2]); }

ORDER(plane_of_outputs)
{
    const struct conv_axis *a = m->problem.axis;
    return same(size, i) + (i[0] * size[1] + i[1]) * (a[0].out * a[1].out * a[2].out - space(size));
}

/* Group g begins at channel g * K/G; in dy, at g * C/G. */
ORDER(group_of_others)
{
    const int64_t groups = m->problem.groups, share = size[1] / groups;
    const int64_t others = size[1] == m->problem.c ? m->problem.k : m->problem.c;
    const int64_t channel = i[1] / share * (others / groups) + i[1] % share;
    return channel < size[1] ? at(size, i[0], channel, i[2], i[3], i[4]) : -1;
}

/* ---- neighbours ------------------------------------------------------------------------------------------------ */

static int64_t neighbour(const int64_t *size, const int64_t *i, int axis, int64_t by)
{
    int64_t step = by;   /* in elements */
    for (int a = axis + 1; a < FRAME_AXES; a++)
        step *= size[a];
    return i[axis] + by >= 0 && i[axis] + by < size[axis] ? same(size, i) + step : -1;
}

ORDER(next_column) { (void)m; return neighbour(size, i, 4, 1); }
ORDER(previous_column) { (void)m; return neighbour(size, i, 4, -1); }
ORDER(next_row) { (void)m; return neighbour(size, i, 3, 1); }
ORDER(previous_row) { (void)m; return neighbour(size, i, 3, -1); }
ORDER(next_plane) { (void)m; return neighbour(size, i, 2, 1); }
ORDER(next_channel) { (void)m; return neighbour(size, i, 1, 1); }
ORDER(previous_channel) { (void)m; return neighbour(size, i, 1, -1); }
ORDER(previous_image) { (void)m; return neighbour(size, i, 0, -1); }
ORDER(next_filter) { (void)m; return neighbour(size, i, 0, 1); }
ORDER(previous_filter) { (void)m; return neighbour(size, i, 0, -1); }

/* ---- always the first ------------------------------------------------------------------------------------------ */

ORDER(first_image) { (void)m; return at(size, 0, i[1], i[2], i[3], i[4]); }
ORDER(first_channel) { (void)m; return at(size, i[0], 0, i[2], i[3], i[4]); }
ORDER(first_group) { return at(size, i[0], i[1] % (size[1] / m->problem.groups), i[2], i[3], i[4]); }
ORDER(first_group_of_filters) { return at(size, i[0] % (size[0] / m->problem.groups), i[1], i[2], i[3], i[4]); }
ORDER(first_image_alone) { (void)m; return i[0] == 0 ? same(size, i) : -1; }
ORDER(last_image_alone) { (void)m; return i[0] == size[0] - 1 ? same(size, i) : -1; }

ORDER(group_before)
{
    const int64_t share = size[1] / m->problem.groups;
    return at(size, i[0], i[1] >= share ? i[1] - share : i[1], i[2], i[3], i[4]);
}

/* ---- filters of groups ----------------------------------------------------------------------------------------- */

ORDER(multiplier_outside)
{
    const int64_t mult = m->problem.k / m->problem.groups;
    return at(size, i[0] % mult * (size[0] / mult) + i[0] / mult, i[1], i[2], i[3], i[4]);
}

ORDER(multiplier_inside)
{
    const int64_t groups = m->problem.groups, mult = m->problem.k / groups;
    return at(size, i[0] % groups * mult + i[0] / groups, i[1], i[2], i[3], i[4]);
}

/* A gradient of weights has no channels of all groups on its second axis. */
ORDER(groups_gathered)
{
    const int64_t groups = m->problem.groups, share = size[1] / groups;
    return share == 0 ? same(size, i) : at(size, i[0], i[1] % share * groups + i[1] / share, i[2], i[3], i[4]);
}

ORDER(groups_interleaved)
{
    const int64_t groups = m->problem.groups, share = size[1] / groups;
    return share == 0 ? same(size, i) : at(size, i[0], i[1] % groups * share + i[1] / groups, i[2], i[3], i[4]);
}
