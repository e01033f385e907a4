/* main_output.h - the output that a pass is named after: y, dx or dw; dbias comes beside dw.  Internal. */
#ifndef CONVREF_CORE_MAIN_OUTPUT_H
#define CONVREF_CORE_MAIN_OUTPUT_H

#include <convref/tensor.h>

static inline enum conv_operand main_output(const struct conv_problem *problem)
{
    return problem->pass == CONV_FORWARD ? CONV_Y : problem->pass == CONV_BACKWARD_DATA ? CONV_X : CONV_WEIGHTS;
}

#endif
