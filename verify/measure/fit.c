/* fit.c - what a group costs, from times over groups.   Declared in fit.h.
 *
 * Two unknowns, 1 / rate and t0, by the normal equations; each point weighs as its relative error, since times span
 * decades.   Not here: where the times are from (verify/experiment/rows.c, plots.c).
 */
#include "verify/measure/fit.h"

bool fit_groups(double *rate, double *t0, const double *macs, const double *groups, const double *seconds, int count)
{
    double uu = 0, uv = 0, vv = 0, u1 = 0, v1 = 0;
    for (int i = 0; i < count; i++) {
        const double u = macs[i] / seconds[i], v = groups[i] / seconds[i];
        uu += u * u, uv += u * v, vv += v * v, u1 += u, v1 += v;
    }
    const double determinant = uu * vv - uv * uv;
    if (count < 3 || !(determinant > 0))
        return false;
    double a = (u1 * vv - v1 * uv) / determinant, b = (v1 * uu - u1 * uv) / determinant;
    if (b < 0) {   /* a group costs nothing that can be seen */
        b = 0;
        a = u1 / uu;
    }
    *rate = 1 / a;
    *t0 = b;
    return a > 0;
}
