/* frame.h - the index of an element of an operand: the sizes and letters of its five axes, channels first.  Internal. */
#ifndef CONVREF_VERIFY_ENGINE_FRAME_H
#define CONVREF_VERIFY_ENGINE_FRAME_H

#include <convref/verdict.h>

enum { FRAME_AXES = 5 };

struct frame {
    int64_t size[FRAME_AXES];
    const char *letter[FRAME_AXES];
    int64_t groups;   /* that the second axis is divided into; 0: it isn't */
};

struct frame frame_of(const struct conv_problem *problem, enum conv_operand operand);

/* Element -> index, as in conv_wrong. */
void frame_index(int64_t index[FRAME_AXES], const struct frame *frame, int64_t element);
void frame_split(int64_t index[FRAME_AXES], const struct conv_problem *problem, enum conv_operand operand,
                 int64_t element);

#endif
