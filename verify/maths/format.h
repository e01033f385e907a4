/* format.h - number formats narrower than the type, and what they make of numbers and sums.  Internal. */
#ifndef CONVREF_VERIFY_MATHS_FORMAT_H
#define CONVREF_VERIFY_MATHS_FORMAT_H

#include <convref/dtype.h>

/* bits of the significand, the smallest exponent of a normal number, the largest number; cut off instead of
 * rounded? */
struct format { const char *words; int bits, least_exponent; double largest; bool cut; };

/* Formats that are told apart; the first is "as it is". */
enum format_name { FORMAT_AS_IT_IS, FORMAT_F32, FORMAT_TF32, FORMAT_BF16, FORMAT_F16, FORMAT_TF32_CUT, FORMAT_BF16_CUT,
                   FORMATS };
extern const struct format formats[FORMATS];

/* The number that the format has for it. */
double format_round(const struct format *format, double value);
double format_to_type(enum conv_type type, double value);

/* n products x * w, added one after the other in the type, each rounded or fused. */
double format_add(enum conv_type type, double x, double w, int64_t n, bool fused);

#endif
