/* small_shapes.h - every valid small shape that a kernel computes.  Internal.
 *
 * Geometry is exhaustive: all images up to some size with all filters, strides, dilations and paddings.  What has no
 * geometry (channels, groups, batch, bias, activation, pass, layout, type) is a list of variants that the geometries walk
 * through; kernels with few geometries walk through it many times.
 */
#ifndef CONVREF_VERIFY_PROBLEMS_SMALL_SHAPES_H
#define CONVREF_VERIFY_PROBLEMS_SMALL_SHAPES_H

#include <convref/kernel.h>

enum { SMALL_AXES = 2000 };

/* Where the walk is. */
struct small_shapes {
    const struct conv_kernel *kernel;
    int kind, rank, round;
    int64_t geometry, variant;
    int axes;                              /* of the current kind and rank */
    struct conv_axis axis[SMALL_AXES];
};

void small_begin(struct small_shapes *walk, const struct conv_kernel *kernel);
bool small_next(struct small_shapes *walk, struct conv_problem *problem);

#endif
