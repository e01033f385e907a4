/* labels.c - names beside points: the nearest free place, or none.   Declared in labels.h.
 *
 * Everything that mustn't be covered is a box: points, names, and the lines that lead to names, cut into small boxes.
 */
#include "verify/measure/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By its middle. */
struct box { double x, y, width, height; };
struct boxes { int count; struct box *box; };

static const double letter = 6.4, line = 14, point_size = 8, cut = 4, apart = 7;

enum { BESIDE = 8, DIRECTIONS = 24, RINGS = 30, CUTS = 64 };   /* CUTS: most boxes of one line */

static bool overlap(const struct box *a, const struct box *b)
{
    return fabs(a->x - b->x) * 2 < a->width + b->width && fabs(a->y - b->y) * 2 < a->height + b->height;
}

static bool is_free(const struct boxes *taken, const struct box *box)
{
    for (int i = 0; i < taken->count; i++)
        if (overlap(&taken->box[i], box))
            return false;
    return true;
}

static bool is_within(const struct box *box, double width, double height)
{
    return box->x - box->width / 2 >= 0 && box->x + box->width / 2 <= width && box->y - box->height / 2 >= 0
        && box->y + box->height / 2 <= height;
}

/* A name that touches its point, at one of eight sides. */
static struct box box_beside(const struct label_point *point, int side)
{
    /* right, left, above, below, and the corners */
    static const double way[BESIDE][2] = {
        { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 }, { 1, 1 }, { -1, 1 }, { 1, -1 }, { -1, -1 } };
    const double width = letter * (double)strlen(point->name), gap = point_size / 2 + 1, *to = way[side];
    return (struct box){ point->x + to[0] * (width / 2 + gap), point->y + to[1] * (line / 2 + gap), width, line };
}

/* A name at the end of a line of `length` pixels in one of 24 directions. */
static struct box box_away(const struct label_point *point, int direction, double length)
{
    const double angle = 2 * acos(-1) * direction / DIRECTIONS, x = cos(angle), y = sin(angle);
    const double width = letter * (double)strlen(point->name);
    const bool beside = fabs(x) > 0.45;   /* the line ends at the left or right edge, or below or above the middle */
    return (struct box){ point->x + x * length + (beside ? copysign(width / 2, x) : 0),
                         point->y + y * length + (beside ? 0 : copysign(line / 2, y)), width, line };
}

/* Where the line from a point to its name ends: the nearest spot of the name. */
static void lead_to(struct label *label, const struct label_point *point, const struct box *box)
{
    label->end_x = fmax(box->x - box->width / 2, fmin(point->x, box->x + box->width / 2));
    label->end_y = fmax(box->y - box->height / 2, fmin(point->y, box->y + box->height / 2));
}

/* The line as small boxes, without its ends, which touch the point and the name.  Returns how many. */
static int cut_line(struct box line_boxes[CUTS], const struct label *label, const struct label_point *point)
{
    const double dx = label->end_x - point->x, dy = label->end_y - point->y, length = hypot(dx, dy);
    int count = 0;
    for (double at = point_size; at < length - cut && count < CUTS; at += cut)
        line_boxes[count++] = (struct box){ point->x + dx * at / length, point->y + dy * at / length, 2, 2 };
    return count;
}

/* What names may not cover.  Lines may not cover names, and points only if there is no other way. */
struct taken { struct boxes points, names, lines; };

/* Is every point but its own so far away that nobody takes the name for its? */
static bool is_its_own(const struct taken *taken, const struct label_point *point, const struct box *box)
{
    const struct box wider = { box->x, box->y, box->width + 2 * apart, box->height };
    for (int i = 0; i < taken->points.count; i++)
        if ((taken->points.box[i].x != point->x || taken->points.box[i].y != point->y)
            && overlap(&taken->points.box[i], &wider))
            return false;
    return is_free(&taken->points, box);
}

static bool try_place(struct label *label, struct taken *taken, const struct label_point *point, struct box box,
                      bool led, bool over_points, double width, double height)
{
    struct box cuts[CUTS];
    struct label placed = { .shown = true, .x = box.x, .y = box.y, .led = led };
    if (!is_within(&box, width, height) || !is_its_own(taken, point, &box) || !is_free(&taken->names, &box)
        || !is_free(&taken->lines, &box))
        return false;
    lead_to(&placed, point, &box);
    const int count = led ? cut_line(cuts, &placed, point) : 0;
    for (int i = 0; i < count; i++)
        if (!is_free(&taken->names, &cuts[i]) || !(over_points || is_free(&taken->points, &cuts[i])))
            return false;
    taken->names.box[taken->names.count++] = box;
    for (int i = 0; i < count; i++)
        taken->lines.box[taken->lines.count++] = cuts[i];
    *label = placed;
    return true;
}

static bool try_ring(struct label *label, struct taken *taken, const struct label_point *point, int ring,
                     bool over_points, double width, double height)
{
    const int places = ring == 0 ? BESIDE : DIRECTIONS;
    for (int place = 0; place < places && !label->shown; place++) {
        const struct box box = ring == 0 ? box_beside(point, place) : box_away(point, place, 8.0 * ring + 8);
        try_place(label, taken, point, box, ring > 0, over_points, width, height);
    }
    return label->shown;
}

/* All names that fit beside their points first: they need no line.  Then farther and farther away.  Returns how much
 * is wrong with the places: a name that is dropped weighs more than any line. */
static double place_all(struct label *labels, struct taken *taken, const struct label_point *points, const int *order,
                        int count, double width, double height)
{
    double wrong = 0;
    taken->names.count = taken->lines.count = taken->points.count = 0;
    for (int i = 0; i < count; i++) {
        taken->points.box[taken->points.count++] = (struct box){ points[i].x, points[i].y, point_size, point_size };
        labels[i] = (struct label){ .shown = false };
    }
    for (int ring = 0; ring < 2 * RINGS; ring++)
        for (int i = 0; i < count; i++)
            if (!labels[order[i]].shown && try_ring(&labels[order[i]], taken, &points[order[i]], ring % RINGS,
                                                    ring >= RINGS, width, height))
                wrong += ring;
    for (int i = 0; i < count; i++)
        wrong += labels[i].shown ? 0 : RINGS * RINGS;
    return wrong;
}

/* The same numbers everywhere: a picture of the same table is the same. */
static void shuffle(int *order, int count, uint64_t *state)
{
    for (int i = count - 1; i > 0; i--) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const int j = (int)((*state >> 33) % (uint64_t)(i + 1)), other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

enum conv_status labels_place(struct label *labels, const struct label_point *points, int count, double width,
                              double height, struct conv_error *error)
{
    enum { ORDERS = 40 };
    struct taken taken = { .points.box = calloc((size_t)count + 1, sizeof (struct box)),
                           .names.box = calloc((size_t)count + 1, sizeof (struct box)),
                           .lines.box = calloc((size_t)count * CUTS + 1, sizeof (struct box)) };
    struct label *tried = calloc((size_t)count + 1, sizeof *tried);
    int *order = calloc((size_t)count + 1, sizeof *order);
    const bool room = taken.points.box && taken.names.box && taken.lines.box && tried && order;
    double least = INFINITY;
    uint64_t state = 1;
    for (int i = 0; i < count && room; i++)
        order[i] = i;
    /* who comes first takes the best places: of several orders the best one */
    for (int i = 0; i < ORDERS && room && least > 0; i++) {
        const double wrong = place_all(tried, &taken, points, order, count, width, height);
        if (wrong < least)
            memcpy(labels, tried, (size_t)count * sizeof *labels);
        least = fmin(least, wrong);
        shuffle(order, count, &state);
    }
    free(taken.points.box);
    free(taken.names.box);
    free(taken.lines.box);
    free(tried);
    free(order);
    return room ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory for the names of %d points", count);
}
