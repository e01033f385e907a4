/* mistake.c - a mistake that is made.   Declared in mistake.h. */
#include "verify/findings/mistake.h"

#include <stdlib.h>
#include <string.h>

static bool reorder(const struct mistake *m, double *at, enum conv_operand operand, order_function *order)
{
    const struct frame frame = frame_of(&m->problem, operand);
    const int64_t count = at ? conv_operand_count(&m->problem, operand) : 0;
    double *old = count > 0 ? malloc((size_t)count * sizeof *old) : NULL;
    if (!old)
        return false;
    memcpy(old, at, (size_t)count * sizeof *old);
    for (int64_t i = 0; i < count; i++) {
        int64_t index[FRAME_AXES];
        frame_index(index, &frame, i);
        const int64_t from = order(m, frame.size, index);
        at[i] = from >= 0 && from < count ? old[from] : 0;
    }
    free(old);
    return true;
}

bool mistake_before(struct mistake *m, const struct suspect *suspect)
{
    if (suspect->axis)
        for (int a = CONV_AXES - m->problem.rank; a < CONV_AXES; a++)
            suspect->axis(&m->problem.axis[a], suspect->number);
    if (suspect->read)
        return reorder(m, m->in[suspect->operand], suspect->operand, suspect->read);
    if (suspect->before)
        return suspect->before(m, suspect->number);
    return suspect->words[0] || mistake_scale(m, &suspect->part, suspect->scale);
}

bool mistake_after(struct mistake *m, const struct suspect *suspect)
{
    for (int64_t i = 0; suspect->value && i < m->count; i++)
        m->out[i] = suspect->value(m, m->out[i]);
    if (suspect->stored)
        return reorder(m, m->out, m->output, suspect->stored);
    return !suspect->after || suspect->after(m, suspect->number);
}
