/* explain_picture.c - the window over the image, for slides: SVG.   Declared in explain_output.h.
 *
 * Three planes side by side, the large image with its padding, the weights, the small image; what the output is made of
 * is filled and has its number, and the output itself has a thick edge.  A plane is that of the first product: one
 * channel, of three axes one plane.  Of long axes the part around the window is drawn.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "verify/program/explain_output.h"

enum { CELL = 40, MOST_CELLS = 14, GAP = 60, TOP = 70, LEFT = 20, MOST_LOOKED_AT = 1 << 20 };
enum { H = CONV_H, W = CONV_W };

/* A plane: the cells from `first` on, `count` of them, of which 0 to size - 1 are no padding. */
struct plane { const char *name, *letters; int64_t channel, size[2], first[2], count[2]; double x; };

/* Cells that are filled, by row and column, with their numbers. */
struct filled { int64_t row, col; double value; };
struct cells { int count; struct filled cell[MOST_CELLS * MOST_CELLS]; };

static void fill_cell(struct cells *cells, int64_t row, int64_t col, double value)
{
    for (int i = 0; i < cells->count; i++)
        if (cells->cell[i].row == row && cells->cell[i].col == col)
            return;
    if (cells->count < MOST_CELLS * MOST_CELLS)
        cells->cell[cells->count++] = (struct filled){ row, col, value };
}

/* The part of an axis that is drawn: all of it, or what is around `at`. */
static void crop(struct plane *plane, int axis, int64_t low, int64_t high, int64_t at)
{
    const int64_t count = high - low < MOST_CELLS ? high - low : MOST_CELLS;
    int64_t first = at - count / 2;
    first = first < low ? low : first > high - count ? high - count : first;
    plane->first[axis] = first;
    plane->count[axis] = count;
}

static bool is_drawn(const struct plane *plane, int64_t row, int64_t col)
{
    return row >= plane->first[0] && row < plane->first[0] + plane->count[0] && col >= plane->first[1]
        && col < plane->first[1] + plane->count[1];
}

static void draw_cell(FILE *svg, const struct plane *plane, int64_t row, int64_t col, const char *style)
{
    fprintf(svg, "<rect x=\"%g\" y=\"%" PRId64 "\" width=\"%d\" height=\"%d\" %s/>\n",
            plane->x + (double)(col - plane->first[1]) * CELL, TOP + (row - plane->first[0]) * CELL, CELL, CELL, style);
}

static void draw_number(FILE *svg, const struct plane *plane, int64_t row, int64_t col, double value)
{
    fprintf(svg, "<text x=\"%g\" y=\"%" PRId64 "\" text-anchor=\"middle\" font-size=\"%d\">%g</text>\n",
            plane->x + ((double)(col - plane->first[1]) + 0.5) * CELL, TOP + (row - plane->first[0]) * CELL + CELL / 2 + 5,
            fabs(value) < 10000 ? 14 : 9, value);
}

/* "x, channel 2", and below it which rows and columns are drawn if not all are. */
static void draw_title(FILE *svg, const struct plane *plane)
{
    fprintf(svg, "<text x=\"%g\" y=\"%d\" font-size=\"16\">%s</text>\n<text x=\"%g\" y=\"%d\" font-size=\"12\" fill=\"#555\">%s "
            "%" PRId64, plane->x, TOP - 30, plane->name, plane->x, TOP - 12, plane->letters[0] == 'T' ? "filter" : "channel",
            plane->channel);
    for (int a = 0; a < 2; a++)
        if (plane->count[a] < plane->size[a])
            fprintf(svg, ", %c %" PRId64 "..%" PRId64, plane->letters[1 + a], plane->first[a],
                    plane->first[a] + plane->count[a] - 1);
    fputs("</text>\n", svg);
}

static void draw_plane(FILE *svg, const struct plane *plane, const struct cells *cells)
{
    draw_title(svg, plane);
    for (int64_t row = plane->first[0]; row < plane->first[0] + plane->count[0]; row++)
        for (int64_t col = plane->first[1]; col < plane->first[1] + plane->count[1]; col++) {
            const bool inside = row >= 0 && row < plane->size[0] && col >= 0 && col < plane->size[1];
            draw_cell(svg, plane, row, col, inside ? "fill=\"#ffffff\" stroke=\"#999999\""
                      : "fill=\"#f2f2f2\" stroke=\"#bbbbbb\" stroke-dasharray=\"3 3\"");
        }
    for (int i = 0; i < cells->count; i++) {
        const struct filled *cell = &cells->cell[i];
        if (!is_drawn(plane, cell->row, cell->col))
            continue;
        draw_cell(svg, plane, cell->row, cell->col, "fill=\"#a9c4e4\" stroke=\"#123f73\"");
        draw_number(svg, plane, cell->row, cell->col, cell->value);
    }
}

static void draw_output(FILE *svg, const struct plane *plane, int64_t row, int64_t col, double value)
{
    draw_cell(svg, plane, row, col, "fill=\"#f3d9a4\" stroke=\"#8a3b12\" stroke-width=\"3\"");
    draw_number(svg, plane, row, col, value);
}

static struct plane plane_of(const struct explained_image *image, const int64_t channel)
{
    return (struct plane){ .name = image->name, .letters = image->letters, .channel = channel,
                           .size = { image->size[H], image->size[W] } };
}

/* What the output's plane is made of: the products that have the channel and the depth of the first one. */
static void collect(struct cells cells[3], struct explained_product *first, const struct explained *e)
{
    const int64_t count = explain_candidates(e) < MOST_LOOKED_AT ? explain_candidates(e) : MOST_LOOKED_AT;
    bool any = false;
    for (int64_t i = 0; i < count; i++) {
        struct explained_product one;
        if (!explain_product(&one, e, i))
            continue;
        *first = any ? *first : one;
        any = true;
        if (one.n != first->n || one.large_channel != first->large_channel || one.small_channel != first->small_channel
            || one.large[0] != first->large[0] || one.small[0] != first->small[0])
            continue;
        fill_cell(&cells[0], one.large[H], one.large[W], explain_large_value(e, &one));
        fill_cell(&cells[1], one.tap[H], one.tap[W], explain_weight(e, &one));
        fill_cell(&cells[2], one.small[H], one.small[W], explain_small_value(e, &one));
    }
}

static void draw_words(FILE *svg, const struct explained *e, double height)
{
    char text[CONV_PROBLEM_TEXT];
    const int64_t channels = e->in == IN_SMALL ? e->large.channels : e->in == IN_LARGE ? e->small.channels : 1;
    const char *more = e->problem.op == CONV_OP_SEPARABLE ? "; y is mixed from all middle channels"
        : channels > e->problem.groups ? "; the sum is over more channels than are drawn" : "";
    fprintf(svg, "<text x=\"%d\" y=\"%g\" font-size=\"12\" fill=\"#555\">%s, %s: %s%s</text>\n", LEFT, height - 12,
            conv_kind_name(conv_problem_kind(&e->problem)), conv_pass_name(e->problem.pass),
            conv_problem_print(text, &e->problem), more);
}

void explain_draw(FILE *svg, const struct explained *e)
{
    struct cells cells[3] = { { .count = 0 } };
    struct explained_product first = { .n = 0 };
    struct explained shown = *e;
    if (e->problem.op == CONV_OP_SEPARABLE)
        shown.index[1] = 0;   /* the first middle channel */
    collect(cells, &first, &shown);
    const int64_t *out = e->index + 2;
    const bool small_out = e->in == IN_SMALL, large_out = e->in == IN_LARGE;
    struct plane planes[3] = {
        plane_of(&e->large, large_out ? e->index[1] : first.large_channel),
        { .name = e->in == IN_WEIGHTS ? "dw" : "w", .letters = "TRS", .channel = first.small_channel,
          .size = { e->axis[H].filter, e->axis[W].filter } },
        plane_of(&e->small, small_out ? e->index[1] : first.small_channel) };
    double x = LEFT;
    int64_t tallest = 0;
    for (int a = 0; a < 2; a++) {
        const struct conv_axis *axis = &e->axis[H + a];
        const bool used = H + a >= CONV_AXES - e->problem.rank;
        const int64_t middle = large_out ? out[H + a] : first.large[H + a] + conv_extent(axis) / 2;
        crop(&planes[0], a, used ? -axis->pad_begin : 0, axis->in + (used ? axis->pad_end : 0), middle);
        crop(&planes[1], a, 0, axis->filter, e->in == IN_WEIGHTS ? out[H + a] : axis->filter / 2);
        crop(&planes[2], a, 0, axis->out, small_out ? out[H + a] : first.small[H + a]);
    }
    for (int i = 0; i < 3; i++) {
        planes[i].x = x;
        x += (double)(planes[i].count[1] < 4 ? 4 : planes[i].count[1]) * CELL + GAP;
        tallest = planes[i].count[0] > tallest ? planes[i].count[0] : tallest;
    }
    const double width = x < 640 ? 640 : x, height = TOP + (double)tallest * CELL + 50;
    fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\" "
            "font-family=\"sans-serif\">\n<rect width=\"%g\" height=\"%g\" fill=\"#ffffff\"/>\n",
            width, height, width, height, width, height);
    cells[e->in == IN_SMALL ? 2 : e->in == IN_LARGE ? 0 : 1].count = 0;
    for (int i = 0; i < 3; i++)
        draw_plane(svg, &planes[i], &cells[i]);
    draw_output(svg, &planes[e->in == IN_SMALL ? 2 : e->in == IN_LARGE ? 0 : 1], out[H], out[W], explain_sum(e));
    draw_words(svg, e, height);
    fputs("</svg>\n", svg);
}
