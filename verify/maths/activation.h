/* activation.h - an activation on a sum that is known as a double.  Internal.   NaN passes through. */
#ifndef CONVREF_VERIFY_MATHS_ACTIVATION_H
#define CONVREF_VERIFY_MATHS_ACTIVATION_H

#include <convref/problem.h>

static inline double activated(enum conv_activation act, double value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

#endif
