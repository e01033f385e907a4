/* frame.c - the index of an element of an operand.   Declared in frame.h and convref/verdict.h. */
#include "verify/engine/frame.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const letters_of_x[FRAME_AXES] = { "n", "c", "d", "h", "w" };
static const char *const letters_of_y[FRAME_AXES] = { "n", "k", "z", "p", "q" };
static const char *const letters_of_w[FRAME_AXES] = { "k", "c", "t", "r", "s" };
static const char *const letters_transposed[FRAME_AXES] = { "c", "k", "t", "r", "s" };
static const char *const letters_of_bias[FRAME_AXES] = { "k", "", "", "", "" };

static const char *const *letters_of(const struct conv_problem *problem, enum conv_operand operand)
{
    switch (operand) {
    case CONV_X: return letters_of_x;
    case CONV_Y: return letters_of_y;
    case CONV_WEIGHTS: case CONV_PW: case CONV_EW:
        return problem->op == CONV_OP_TRANSPOSED ? letters_transposed : letters_of_w;
    default: return letters_of_bias;
    }
}

/* Axes in space are the last ones, whatever the rank. */
struct frame frame_of(const struct conv_problem *problem, enum conv_operand operand)
{
    struct conv_problem first = *problem;
    int64_t dims[CONV_MAX_RANK];
    struct frame frame = { .groups = operand == CONV_X || operand == CONV_Y ? problem->groups : 0 };
    first.layout = CONV_CHANNELS_FIRST;
    const int rank = conv_operand_shape(dims, &first, operand);
    for (int a = 0; a < FRAME_AXES; a++) {
        frame.size[a] = 1;
        frame.letter[a] = letters_of(problem, operand)[a];
    }
    for (int a = 0; a < rank; a++)
        frame.size[a < 2 ? a : FRAME_AXES - rank + a] = dims[a];
    return frame;
}

void frame_index(int64_t index[FRAME_AXES], const struct frame *frame, int64_t element)
{
    for (int a = FRAME_AXES - 1; a >= 0; a--) {
        const int64_t size = frame->size[a] > 0 ? frame->size[a] : 1;   /* n=0 has no element, and yet is asked */
        index[a] = element % size;
        element /= size;
    }
}

void frame_split(int64_t index[FRAME_AXES], const struct conv_problem *problem, enum conv_operand operand,
                 int64_t element)
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
