/* parts.c - suspects: a part of an operand is left out of the sums, or counted twice.
 *
 * The last tap, channels from 48 on, columns behind the last multiple of 8: what tails of loops, blocks and tiles
 * lose.
 * Declared in mistake.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "verify/findings/mistake.h"

/* Numbers that loops are cut at, the smallest parts first. */
static const int multiples[] = { 4, 8, 16, 32 }, borders[] = { 65536, 65535, 32768, 512, 256, 128, 64, 48, 40, 32, 24, 16, 12, 8, 7, 4, 3, 2 };
enum { MULTIPLES = sizeof multiples / sizeof *multiples, BORDERS = sizeof borders / sizeof *borders };
enum { WAYS = 4 + MULTIPLES + BORDERS };   /* the first or the last; left out or twice; the rest left out */
static const enum conv_operand operands[] = { CONV_WEIGHTS, CONV_X, CONV_Y };

bool suspect_part(struct suspect *suspect, int64_t index)
{
    const int64_t way = index % WAYS, view = index / WAYS % PART_VIEWS, operand = index / WAYS / PART_VIEWS;
    if (operand >= (int64_t)(sizeof operands / sizeof *operands))
        return false;
    /* the finest views first: a tap rather than a column of taps */
    *suspect = (struct suspect){ .words = "", .part = { .operand = operands[operand], .axis = PART_VIEWS - 1 - (int)view } };
    suspect->scale = way == 2 || way == 3 ? 2 : 0;
    suspect->part.which = way < 4 ? (way % 2 ? PART_FIRST : PART_LAST) : way < 4 + MULTIPLES ? PART_BEHIND_MULTIPLE : PART_FROM;
    suspect->part.number = way < 4 ? 1 : way < 4 + MULTIPLES ? multiples[way - 4] : borders[way - 4 - MULTIPLES];
    return true;
}

static bool is_in(const struct part *part, int64_t index, int64_t size)
{
    switch (part->which) {
    case PART_FIRST: return index == 0;
    case PART_LAST: return index == size - 1;
    case PART_BEHIND_MULTIPLE: return index >= size / part->number * part->number;
    default: return index >= part->number;
    }
}

/* Filters of weights, channels of images: within their group. */
static int64_t groups_of(const struct mistake *m, const struct part *part)
{
    return part->axis == (part->operand == CONV_WEIGHTS ? 0 : 1) ? m->problem.groups : 1;
}

bool mistake_scale(struct mistake *m, const struct part *part, double scale)
{
    const struct frame frame = frame_of(&m->problem, part->operand);
    const int64_t *size = frame.size, inside = size[2] * size[3] * size[4];
    double *at = m->in[part->operand];
    int64_t behind = 1, along = part->axis == TAPS_OR_PIXELS ? inside : size[part->axis];
    bool some = false;
    if (!at)
        return false;
    for (int a = part->axis + 1; a < FRAME_AXES; a++)
        behind *= size[a];
    const int64_t share = along / groups_of(m, part), count = conv_operand_count(&m->problem, part->operand);
    for (int64_t i = 0; i < count; i++)
        if (is_in(part, i / behind % along % share, share)) {
            at[i] *= scale;
            some = true;
        }
    return some && share > 1;   /* what is all there is, is no part */
}

bool part_is_of_output(const struct part *part, const struct conv_problem *problem)
{
    const int filters = problem->op == CONV_OP_TRANSPOSED, channels = 1 - filters;   /* axes of the weights */
    switch (problem->pass) {
    case CONV_FORWARD: return part->operand == CONV_WEIGHTS ? part->axis == filters : part->axis == 0;
    case CONV_BACKWARD_DATA: return part->operand == CONV_WEIGHTS ? part->axis == channels : part->axis == 0;
    default: return part->axis == 1;   /* channels of x, filters of dy */
    }
}

struct name { const char *one, *many; };
static const struct name of_weights[PART_VIEWS] = {
    { "filter", "filters" }, { "channel", "channels" }, { "plane of taps", "planes of taps" },
    { "row of taps", "rows of taps" }, { "column of taps", "columns of taps" }, { "tap", "taps" } };
static const struct name of_images[PART_VIEWS] = {
    { "image", "images" }, { "channel", "channels" }, { "plane", "planes" }, { "row", "rows" }, { "column", "columns" },
    { "pixel", "pixels" } };

void suspect_part_words(char *words, size_t room, const struct suspect *suspect, const struct conv_problem *problem)
{
    const struct part *part = &suspect->part;
    const bool transposed = problem->op == CONV_OP_TRANSPOSED && part->operand == CONV_WEIGHTS && part->axis < 2;
    const struct name name = (part->operand == CONV_WEIGHTS ? of_weights : of_images)[transposed ? 1 - part->axis : part->axis];
    const char *of = part->operand == CONV_Y ? " of dy" : part->operand == CONV_X && part->axis != 1 ? " of x" : "";
    const char *what = suspect->scale == 0 ? "left out" : "counted twice";
    switch (part->which) {
    case PART_FIRST: snprintf(words, room, "the first %s%s is %s", name.one, of, what); return;
    case PART_LAST: snprintf(words, room, "the last %s%s is %s", name.one, of, what); return;
    case PART_BEHIND_MULTIPLE:
        snprintf(words, room, "%s%s behind the last multiple of %" PRId64 " are %s", name.many, of, part->number,
                 what);
        return;
    default: snprintf(words, room, "%s%s from %" PRId64 " on are %s", name.many, of, part->number, what);
    }
}
