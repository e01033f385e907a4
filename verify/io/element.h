/* element.h - the element types of files, as bits and as numbers.  Internal.
 *
 * More types than a problem has: files of other people hold halves and bytes, which widen exactly.  An element is its
 * bits in an integer, the sign in the highest of them, so that byte order, hex digits and C arrays are somebody
 * else's business.   Read next: stored.h
 */
#ifndef CONVREF_VERIFY_IO_ELEMENT_H
#define CONVREF_VERIFY_IO_ELEMENT_H

#include <convref/dtype.h>

enum element { ELEMENT_F16, ELEMENT_BF16, ELEMENT_F32, ELEMENT_F64, ELEMENT_S8, ELEMENT_U8, ELEMENT_S32, ELEMENTS };

struct element_facts {
    const char *name;           /* "bf16": in sidecars and manifests */
    const char *npy;            /* "<f2"; NULL where NumPy has no such type */
    const char *safetensors;    /* "BF16" */
    size_t size;                /* bytes */
    enum conv_type widened;     /* the narrowest type of a problem that holds every value */
};

const struct element_facts *element_facts(enum element element);

/* The element of that name; ELEMENTS if there is none. */
enum element element_of_name(const char *name);

double element_value(enum element element, uint64_t bits);

/* The bits of the nearest element, ties to even; integers saturate and have no NaN: it becomes 0. */
uint64_t element_bits(enum element element, double value);

#endif
