/* fit.h - what a group costs, from times over groups.  Internal.   Read next: fit.c */
#ifndef CONVREF_VERIFY_MEASURE_FIT_H
#define CONVREF_VERIFY_MEASURE_FIT_H

#include <stdbool.h>

/* seconds[i] = macs[i] / rate + groups[i] * t0: least squares of relative errors.  False with fewer than three points,
 * or if no rate comes out. */
bool fit_groups(double *rate, double *t0, const double *macs, const double *groups, const double *seconds, int count);

#endif
