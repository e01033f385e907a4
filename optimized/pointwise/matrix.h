/* matrix.h - when is a convolution nothing but the product of two matrices?
 *
 * With a filter of 1, a stride of 1 and no padding: y[k][i] = SUM_c w[k][c] * x[c][i], where i counts all
 * positions of the image.  Nothing has to be unfolded; x is its own matrix of columns.
 */
#ifndef CONVREF_OPTIMIZED_POINTWISE_MATRIX_H
#define CONVREF_OPTIMIZED_POINTWISE_MATRIX_H

#include <convref/problem.h>

static inline const char *matrix_applies(const struct conv_problem *conv)
{
    for (int a = 0; a < CONV_AXES; a++) {
        if (conv->axis[a].stride != 1)
            return "it needs a stride of 1";
        if (conv->axis[a].pad_begin || conv->axis[a].pad_end)
            return "it needs an image without padding";
    }
    return NULL;
}

static inline int64_t matrix_positions(const struct conv_problem *conv)
{
    return conv->axis[CONV_D].in * conv->axis[CONV_H].in * conv->axis[CONV_W].in;
}

#endif
