/* roomier.c - from the smallest problem that fails to one that shows where.   Declared in roomier.h.
 *
 * In the smallest problem that fails, with one pixel and one channel, everything is wrong, and nearly every mistake
 * would explain it.  So each of its numbers grows by as much as it can, while the kernel still fails: many rows and
 * columns, of which some are wrong, tell the last one from every one.  The small steps matter: a mistake in a tail
 * comes again only where there is a tail.
 */
#include "verify/findings/roomier.h"

#include <convref/machine.h>
#include <stdio.h>
#include <string.h>

enum number { COLUMNS, ROWS, PLANES, TAPS_W, TAPS_H, TAPS_D, CHANNELS, FILTERS, GROUPS, IMAGES, STRIDE_W, STRIDE_H, PAD_BEGIN,
              PAD_END, DILATION_W, DILATION_H, NUMBERS };

static void grow_axis(struct conv_axis *axis, enum number number, int64_t by)
{
    switch (number) {
    case COLUMNS: case ROWS: case PLANES: axis->in += by; return;
    case TAPS_W: case TAPS_H: case TAPS_D: axis->filter += by; return;
    case STRIDE_W: case STRIDE_H: axis->stride += by; return;
    case PAD_BEGIN: axis->pad_begin += by; return;
    case PAD_END: axis->pad_end += by; return;
    default: axis->dilation += by;
    }
}

static void grow_channels(struct conv_problem *p, enum number number, int64_t by)
{
    const int64_t channels = p->c / p->groups, filters = p->k / p->groups;
    if (number == CHANNELS) {
        p->c += by * p->groups;
    } else if (number == FILTERS) {
        p->k += by * p->groups;
    } else if (number == GROUPS) {
        p->groups += by;
        p->c = channels * p->groups;
        p->k = filters * p->groups;
    } else {
        p->n += by;
    }
}

static bool grown(struct conv_problem *p, const struct conv_kernel *kernel, enum number number, int64_t by)
{
    static const int axis_of[NUMBERS] = { [COLUMNS] = CONV_W, [ROWS] = CONV_H, [PLANES] = CONV_D, [TAPS_W] = CONV_W,
        [TAPS_H] = CONV_H, [TAPS_D] = CONV_D, [STRIDE_W] = CONV_W, [STRIDE_H] = CONV_H, [PAD_BEGIN] = CONV_W,
        [PAD_END] = CONV_W, [DILATION_W] = CONV_W, [DILATION_H] = CONV_H };
    static const double most_macs = 400e3;
    if (number == CHANNELS || number == FILTERS || number == GROUPS || number == IMAGES)
        grow_channels(p, number, by);
    else if (axis_of[number] >= CONV_AXES - p->rank)
        grow_axis(&p->axis[axis_of[number]], number, by);
    else
        return false;
    return conv_problem_finish(p, NULL) == CONV_OK && check_macs(p) <= most_macs && !conv_kernel_refuses(kernel, p);
}

void grow(struct checker *checker, const struct check_data *wanted, problem_test *fails, double seconds)
{
    enum { STEPS = 8 };   /* the largest first; a 0 ends them */
    static const int of_sizes[STEPS] = { 16, 9, 8, 4, 3, 2, 1 }, of_channels[STEPS] = { 8, 4, 3, 2, 1 }, of_others[STEPS] = { 2, 1 };
    struct conv_verification *result = &checker->shared->result;
    struct conv_verification found = *result;
    const struct conv_problem smallest = found.finding.problem;
    const double deadline = conv_seconds() + seconds;
    struct conv_problem roomier = smallest;
    for (enum number number = 0; number < NUMBERS; number++) {
        const int *steps = number <= PLANES ? of_sizes : number == CHANNELS
            || number == FILTERS ? of_channels : of_others;
        for (int s = 0; steps[s] > 0 && conv_seconds() < deadline; s++) {
            struct conv_problem larger = roomier;
            if (!grown(&larger, checker->kernel, number, steps[s]))
                continue;
            const struct check_data data = data_for(wanted, &larger, checker->kernel->accuracy);
            *result = found;
            result->verdict = CONV_ACCEPT;
            if (!fails(checker, &larger, &data, found.finding.threads)
                || result->finding.operand != found.finding.operand || result->finding.wrong == 0)
                continue;
            roomier = larger;
            found.finding.has_roomier = true;
            found.finding.roomier = larger;
            found.finding.roomier_elements = result->finding.elements;
            found.finding.roomier_wrong = result->finding.wrong;
            snprintf(found.finding.pattern, sizeof found.finding.pattern, "%s", result->finding.where);
            break;
        }
    }
    *result = found;
}
