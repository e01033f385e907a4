/* infer.h - what the rules of infer.c share: one function for each operator, and what they all need.  Internal.
 *
 * A step_ function that fails has written the error: a model that is wrong, or one that can't be understood.
 * Read next: infer.c (the table), infer_layers.c
 */
#ifndef CONVREF_VERIFY_COUNT_ONNX_INFER_H
#define CONVREF_VERIFY_COUNT_ONNX_INFER_H

#include "verify/count/onnx/graph.h"

/* Complete the node's layer and its output's shape, or say why that can't be. */
typedef enum conv_status infer_function(struct step *step);
infer_function infer_conv, infer_gemm, infer_matmul, infer_norm, infer_pool, infer_gpool, infer_reduce;
infer_function infer_same, infer_clip, infer_prelu, infer_binary, infer_many;
infer_function infer_flatten, infer_reshape, infer_transpose, infer_squeeze, infer_unsqueeze, infer_concat,
    infer_split, infer_slice, infer_gather, infer_shape, infer_constant, infer_constant_of_shape, infer_pad, infer_resize,
    infer_blocks;

/* The node is wrong, and why.  Returns CONV_BAD_FILE. */
enum conv_status step_bad(const struct step *step, const char *what);

/* Give the output its shape. */
enum conv_status step_set_shape(struct step *step, const struct onnx_shape *shape);

/* The first `count` inputs are there, and their shapes are known. */
enum conv_status step_needs(const struct step *step, int count);

/* An axis, counted from the end if it is negative. */
bool step_find_axis(int *found, int64_t axis, int rank);

/* One end of a slice, as the documentation clamps it. */
int64_t step_clamp(int64_t index, int64_t size, int64_t least, int64_t most);

/* Numbers that were an attribute once and are an input now; `count` is -1 if there are neither. */
enum conv_status step_numbers(const int64_t **values, int *count, const struct step *step, const char *attribute,
                              int input);

/* The axes of a reduction as a set; all without any. */
enum conv_status step_read_axes(unsigned *set, const struct step *step, int rank);

/* The output has the numbers of the first input, if they are known. */
void step_keep_ints(struct step *step);

#endif
