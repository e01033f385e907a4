/* numbers.h - the numbers that a graph computes of its own shapes.  Internal.
 *
 * Exporters write size arithmetic as nodes: Shape, Gather, Cast, Mul, Floor, Concat and then a Resize.  What such nodes
 * compute is followed as long as it is short (MOST_NUMBERS) and follows from what is known; a value of which a single
 * number isn't known has no numbers.  Arithmetic is that of the value's type: whole numbers of 63 bits with overflow
 * seen, FLOAT rounded to float after each operation, as a runtime does.   Read next: numbers.c, infer.h
 */
#ifndef CONVREF_VERIFY_COUNT_ONNX_NUMBERS_H
#define CONVREF_VERIFY_COUNT_ONNX_NUMBERS_H

#include "verify/count/onnx/graph.h"

/* Room for the numbers of an output whose shape is known; NULL if they are too many. */
union number *numbers_room(struct step *step, const struct value *out);

/* The output has the numbers of `from`, in another shape or type. */
void numbers_keep(struct step *step, struct value *out, const struct value *from);

/* What the operator computes element by element: one, two or three inputs that are broadcast. */
void numbers_compute(struct step *step);

/* Reductions: sums, products, the largest and the smallest of all elements or along axes. */
void numbers_reduce(struct step *step, unsigned axes);

/* The output's element at c[] is number base + SUM over d of c[d] * strides[d] of `from`. */
void numbers_stride(struct step *step, struct value *out, const struct value *from, int64_t base,
                    const int64_t *strides);

/* Row-major strides of a shape; those of a shape that is broadcast to another: 0 where it is repeated. */
void strides_of(int64_t *strides, const struct onnx_shape *shape);
void strides_broadcast(int64_t *strides, const struct onnx_shape *from, const struct onnx_shape *to);

/* Where element `index` of a shape lies with other strides. */
int64_t strides_at(const struct onnx_shape *shape, int64_t index, const int64_t *strides);

/* A single known number, such as the limit of a range; false if there is none. */
bool number_get(double *number, const struct value *value);

#endif
