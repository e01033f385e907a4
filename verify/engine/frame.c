/* frame.c - the index of an element of an operand.   Declared in frame.h and convref/verdict.h. */
#include "verify/engine/frame.h"

#include <inttypes.h>
#include <stdio.h>

struct frame frame_of(const struct conv_problem *problem, enum conv_operand operand)
{
    const struct conv_axis *a = problem->axis;
    const bool transposed = problem->op == CONV_OP_TRANSPOSED;
    switch (operand) {
    case CONV_X:
        return (struct frame){ { problem->n, problem->c, a[0].in, a[1].in, a[2].in }, { "n", "c", "d", "h", "w" },
                               problem->groups };
    case CONV_WEIGHTS:
        return (struct frame){ { transposed ? problem->c : problem->k,
                                 (transposed ? problem->k : problem->c) / problem->groups,
                                 a[0].filter, a[1].filter, a[2].filter },
                               { transposed ? "c" : "k", transposed ? "k" : "c", "t", "r", "s" }, 0 };
    case CONV_BIAS:
        return (struct frame){ { problem->k, 1, 1, 1, 1 }, { "k", "", "", "", "" }, 0 };
    default:
        return (struct frame){ { problem->n, problem->k, a[0].out, a[1].out, a[2].out },
                               { "n", "k", "z", "p", "q" }, problem->groups };
    }
}

void frame_index(int64_t index[FRAME_AXES], const struct frame *frame, int64_t element)
{
    for (int a = FRAME_AXES - 1; a >= 0; a--) {
        const int64_t size = frame->size[a] > 0 ? frame->size[a] : 1;   /* n=0 has no element, and yet is asked */
        index[a] = element % size;
        element /= size;
    }
}

void frame_split(int64_t index[FRAME_AXES], const struct conv_problem *problem, enum conv_operand operand, int64_t element)
{
    const struct frame frame = frame_of(problem, operand);
    frame_index(index, &frame, element);
}

char *conv_wrong_print(char text[128], const struct conv_finding *finding, const struct conv_wrong *wrong)
{
    const struct frame frame = frame_of(&finding->problem, finding->operand);
    size_t used = 0;
    text[0] = 0;
    for (int a = 0; a < FRAME_AXES; a++)
        if (frame.letter[a][0] && (frame.size[a] > 1 || a < 2))
            used += (size_t)snprintf(text + used, 128 - used, "%s%s=%" PRId64, used > 0 ? " " : "",
                                     frame.letter[a], wrong->index[a]);
    return text;
}
