/* model.h - an ONNX model as messages: reading it, finding attributes, naming places.  Internal to verify/onnx.
 *
 *   bytes -> onnx_unpack_model() -> messages of protobuf-c -> conv_node.c, graph.c
 *
 * What protobuf-c hands out is well-formed and no more: any field may be missing, any number may be in it.  Whoever
 * reads a field here checks it.   Not here: what the rest of convref calls (onnx.h).   Read next: read.c, onnx.proto
 */
#ifndef CONVREF_VERIFY_ONNX_MODEL_H
#define CONVREF_VERIFY_ONNX_MODEL_H

#include "verify/io/stored.h"
#include "verify/onnx/onnx.h"
#include "verify/onnx/onnx.pb-c.h"

/* TensorProto.DataType and AttributeProto.AttributeType: facts of the format. */
enum { ONNX_FLOAT = 1, ONNX_UINT8, ONNX_INT8, ONNX_INT32 = 6, ONNX_INT64, ONNX_BOOL = 9, ONNX_FLOAT16, ONNX_DOUBLE,
       ONNX_BFLOAT16 = 16, ONNX_EXTERNAL = 1 };
enum { ONNX_ATTRIBUTE_FLOAT = 1, ONNX_ATTRIBUTE_INT, ONNX_ATTRIBUTE_STRING, ONNX_ATTRIBUTE_TENSOR,
       ONNX_ATTRIBUTE_GRAPH, ONNX_ATTRIBUTE_FLOATS, ONNX_ATTRIBUTE_INTS };

/* The opset whose operators are read.  Older ones differ in Add, Reshape, BatchNormalization and others. */
enum { ONNX_LEAST_OPSET = 6 };

struct onnx_shape { int rank; int64_t dims[CONV_MAX_RANK]; };

struct onnx_model {
    const char *name;              /* of the file, for messages */
    ConvOnnx__Model *message;
    ConvOnnx__Graph *graph;
    size_t left;                   /* bytes of memory that its messages may still take */
    int64_t opset;                 /* of the default domain */
    struct conv_error *error;
    enum element *seen;            /* where to say which element a tensor has; may be NULL */
};

/* A whole file; free() its data. */
enum conv_status onnx_read_bytes(struct onnx_bytes *bytes, const char *path, struct conv_error *error);

/* Unpack; there is a graph. */
enum conv_status onnx_unpack_model(struct onnx_model *model, const struct onnx_bytes *bytes,
                                   struct conv_error *error);
void onnx_free_model(struct onnx_model *model);

/* There are nodes, and their operators are of an opset that convref knows. */
enum conv_status onnx_check_model(struct onnx_model *model);

enum conv_status onnx_unpack_tensor(ConvOnnx__Tensor **tensor, const struct onnx_bytes *bytes,
                                    struct conv_error *error);
void onnx_free_tensor(ConvOnnx__Tensor *tensor);

/* ---- messages for people ------------------------------------------------------------------------------------ */

/* A name out of a file, fit to be printed: no control characters, not too long.  Returns `text`. */
enum { ONNX_NAME = 64 };
char *onnx_plain(char text[ONNX_NAME], const char *name);

/* "" for a text that is missing. */
const char *onnx_text(const char *text);

/* "file: what".  Returns CONV_BAD_FILE. */
enum conv_status onnx_bad(const struct onnx_model *model, const char *hint, const char *format, ...)
    CONV_PRINTF(3, 4);

/* A node of a model, and its place: "file: node 3 'conv1' (Conv): what". */
struct onnx_at { const struct onnx_model *model; const ConvOnnx__Node *node; size_t index; };
enum conv_status onnx_bad_node(const struct onnx_at *at, const char *hint, const char *format, ...) CONV_PRINTF(3, 4);

/* ---- nodes -------------------------------------------------------------------------------------------------- */

/* Is it this operator, of the default domain? */
bool onnx_is(const ConvOnnx__Node *node, const char *op_type);

/* The name of an input or output; "" if there is none: optional inputs may be left out. */
const char *onnx_input(const ConvOnnx__Node *node, size_t i);
const char *onnx_output(const ConvOnnx__Node *node, size_t i);

/* The attribute of that name and type; `found` is NULL if there is none.  One of another type is an error. */
enum conv_status onnx_attribute(const ConvOnnx__Attribute **found, const struct onnx_at *at, const char *name,
                                int type);

/* A whole number; a list of exactly `count` of them.  Where the attribute is missing they stay as they are. */
enum conv_status onnx_int(int64_t *value, const struct onnx_at *at, const char *name);
enum conv_status onnx_ints(int64_t *values, int count, bool *found, const struct onnx_at *at, const char *name);

/* The graph in an attribute, which is bytes until somebody asks.  onnx_free_graph() it. */
enum conv_status onnx_unpack_graph(ConvOnnx__Graph **graph, struct onnx_model *model,
                                   const ConvOnnx__Attribute *attribute);
void onnx_free_graph(ConvOnnx__Graph *graph);

/* ---- tensors (tensor.c) ------------------------------------------------------------------------------------- */

/* The shape of a tensor, and that its data are in the file and as long as that. */
enum conv_status onnx_check_tensor(struct onnx_shape *shape, const struct onnx_model *model,
                                   const ConvOnnx__Tensor *tensor);

/* As a tensor of convref's. */
enum conv_status onnx_take_tensor(struct conv_tensor *made, const struct onnx_model *model,
                                  const ConvOnnx__Tensor *tensor, unsigned accepted);

/* The numbers of a tensor of at most `most` elements, of INT64, INT32, BOOL or INT8 or UINT8 and of any real type;
 * -1 if it is something else. */
int onnx_tensor_ints(int64_t *values, int most, const ConvOnnx__Tensor *tensor);
int onnx_tensor_reals(double *values, int most, const ConvOnnx__Tensor *tensor);

/* ---- convolutions (conv_node.c) ----------------------------------------------------------------------------- */

bool onnx_is_conv(const ConvOnnx__Node *node);

/* The problem of a Conv or ConvTranspose node.  CONV_NOT_APPLICABLE, and why, if a problem can't say it. */
enum conv_status onnx_conv_problem(struct conv_problem *problem, const struct onnx_at *at,
                                   const struct onnx_shape *x, const struct onnx_shape *w, bool bias,
                                   enum conv_type type);

#endif
