/* infer.h - what the rules of infer.c share: one function for each operator, and what they all need.  Internal.
 *
 * A step_ function that fails has written the error: a model that is wrong, or one that can't be understood.
 * Read next: infer.c (the table), infer_layers.c
 */
#ifndef CONVREF_VERIFY_COUNT_ONNX_INFER_H
#define CONVREF_VERIFY_COUNT_ONNX_INFER_H

#include "verify/count/onnx/graph.h"
#include "verify/count/onnx/numbers.h"

/* Complete the node's layer and its output's shape, or say why that can't be. */
typedef enum conv_status infer_function(struct step *step);
/* infer_layers.c */
infer_function infer_conv, infer_causal_conv, infer_norm, infer_pool, infer_gpool, infer_reduce, infer_arg;
/* infer_products.c */
infer_function infer_gemm, infer_matmul, infer_einsum, infer_attention, infer_linear_attention, infer_recurrent,
    infer_quantized_lstm;
/* infer_elements.c */
infer_function infer_same, infer_scaled, infer_cast, infer_clip, infer_quantize, infer_binary, infer_compare;
/* infer_shapes.c */
infer_function infer_flatten, infer_reshape, infer_transpose, infer_squeeze, infer_unsqueeze, infer_expand, infer_tile,
    infer_like_second;
/* infer_values.c */
infer_function infer_shape, infer_size, infer_constant, infer_constant_of_shape, infer_range, infer_random,
    infer_window, infer_mel, infer_nonzero, infer_scalar;
/* infer_parts.c */
infer_function infer_concat, infer_split, infer_slice, infer_gather, infer_gather_nd, infer_topk, infer_onehot,
    infer_crop, infer_compress, infer_tfidf, infer_multinomial;
/* infer_images.c */
infer_function infer_pad, infer_resize, infer_blocks, infer_col2im, infer_regions, infer_grid, infer_affine_grid,
    infer_unpool, infer_det, infer_dft, infer_stft, infer_loss;
/* infer.c */
infer_function infer_unknown, infer_subgraph;
/* subgraph.c */
infer_function infer_if, infer_loop;

/* The node is wrong, and why.  Returns CONV_BAD_FILE. */
enum conv_status step_bad(const struct step *step, const char *what);

/* Give the output its shape; output i, if somebody reads it. */
enum conv_status step_set_shape(struct step *step, const struct onnx_shape *shape);
enum conv_status step_set_output(struct step *step, size_t i, const struct onnx_shape *shape, int32_t type);

/* The first `count` inputs are there, and their shapes are known. */
enum conv_status step_needs(const struct step *step, int count);

/* An axis, counted from the end if it is negative. */
bool step_find_axis(int *found, int64_t axis, int rank);

/* One end of a slice, as the documentation clamps it. */
int64_t step_clamp(int64_t index, int64_t size, int64_t least, int64_t most);

/* The whole numbers of an input.  CONV_NOT_APPLICABLE if they aren't known; `what` is what they are. */
enum conv_status step_list(const int64_t **values, int *count, const struct step *step, int input, const char *what);

/* Numbers that were an attribute once and are an input now; `count` is -1 if there are neither. */
enum conv_status step_numbers(const int64_t **values, int *count, const struct step *step, const char *attribute,
                              int input);

/* The axes of a reduction as a set; empty without any. */
enum conv_status step_read_axes(unsigned *set, const struct step *step, int rank);

/* Shapes as broadcasting joins them: `out` becomes that of `out` and `b`. */
enum conv_status step_broadcast(struct onnx_shape *out, const struct step *step, const struct onnx_shape *b);

/* The output has the numbers of the first input, if they are known. */
void step_keep_numbers(struct step *step);

/* A whole number that has to be there. */
enum conv_status step_need_int(int64_t *value, const struct step *step, const char *name);

#endif
