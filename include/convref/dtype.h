/* dtype.h - the element types, as rows of one table.
 *
 * Today f32 and f64.  A narrower type (f16, bf16, s8, ...) is one more row in core/dtype.c and one
 * more name here: everything else, the reference included, reads elements as doubles, which hold
 * every one of those types exactly.
 *
 * Threads: safe; different elements may be set by different threads.   Read next: problem.h
 */
#ifndef CONVREF_DTYPE_H
#define CONVREF_DTYPE_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum conv_type { CONV_F32, CONV_F64, CONV_TYPES };

struct conv_type_facts {
    const char *name;      /* as in type=f32 */
    const char *npy;       /* as in a .npy header, without the byte order: "f4" */
    size_t size;           /* bytes */
    int significand;       /* bits, the hidden one included: integers up to 2^significand are exact */
    double unit_roundoff;  /* u = 2^-significand: fl(a op b) = (a op b)(1 + d), |d| <= u */
    double smallest;       /* the smallest positive (subnormal) number */
};

/* The row of a type. */
CONV_API const struct conv_type_facts *conv_type_facts(enum conv_type type);

/* Element i of an array of `type`, as a double (exact). */
CONV_API double conv_get(enum conv_type type, const void *data, int64_t i);

/* Store `value` as element i, rounded to nearest. */
CONV_API void conv_set(enum conv_type type, void *data, int64_t i, double value);

#ifdef __cplusplus
}
#endif
#endif
