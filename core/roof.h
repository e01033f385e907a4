/* roof.h - the three loops by which a roof is measured, compiled once per instruction set.  Internal. */
#ifndef CONVREF_CORE_ROOF_H
#define CONVREF_CORE_ROOF_H

#include <stdint.h>

struct conv_roof_loops {
    double (*multiply_add)(int64_t rounds);   /* returns the multiply-adds it did */
    float (*read)(const float *data, int64_t count, int64_t passes);   /* reads the array `passes` times */
    void (*add)(float *data, int64_t count, int64_t passes);   /* reads two thirds of it and writes the last third */
};

extern const struct conv_roof_loops conv_roof_loops__baseline, conv_roof_loops__avx2, conv_roof_loops__avx512;

#endif
