/* graph.h - the values of a graph while it is walked: their shapes, and what else is known of them.  Internal.
 *
 * A value is a graph's input, an initializer or an output of a node; each has one name, and nodes come in the order
 * in which they compute.   Read next: graph.c (values), infer.c (what an operator does), network.c (the walk)
 */
#ifndef CONVREF_VERIFY_COUNT_ONNX_GRAPH_H
#define CONVREF_VERIFY_COUNT_ONNX_GRAPH_H

#include <stdio.h>

#include "verify/onnx/model.h"

enum { MOST_KNOWN_INTS = 32 };

struct value {
    const char *name;
    bool known;                        /* its shape is */
    bool constant;                     /* it follows from initializers and constants alone: weights */
    bool is_float;                     /* of constants: weights are, shapes and indices aren't */
    struct onnx_shape shape;
    int int_count;                     /* -1, or how many numbers of it are known: shapes that a graph computes */
    int64_t ints[MOST_KNOWN_INTS];
    const ConvOnnx__Tensor *tensor;    /* of an initializer or a Constant */
    int node;                          /* of the network, that made it; -1: none */
};

struct walk {
    struct onnx_model model;
    struct conv_network *network;
    int room;                          /* for nodes of the network */
    void *values, *declared;           /* trees by name: struct value, and shapes that the file declares */
    const char *in;                    /* sizes that the model leaves open, as text; NULL: none given */
    bool used_in;
    double work;                       /* everything counted so far, from above */
    int64_t taps;                      /* of all filters, along their axes */
    char *unknown;                     /* words about the nodes that aren't understood */
    size_t unknown_size;
    int unknown_count;
    FILE *unknowns;
};

/* A new value; NULL after a message if the name is taken or memory short.  `where` says by what. */
struct value *value_add(struct walk *walk, const char *name, const char *where);
struct value *value_find(const struct walk *walk, const char *name);
void values_free(struct walk *walk);

/* A shape that the file declares for a value, if it gives all sizes. */
const struct onnx_shape *declared_shape(const struct walk *walk, const char *name);
enum conv_status declare_shapes(struct walk *walk);

/* Inputs and initializers of the graph. */
enum conv_status add_initializers(struct walk *walk);
enum conv_status add_inputs(struct walk *walk);
void value_set_tensor(struct value *value, const ConvOnnx__Tensor *tensor, const struct onnx_shape *shape);

/* The product of the sizes; shapes are checked when they are made. */
int64_t shape_elements(const struct onnx_shape *shape);
bool shape_is_sane(const struct onnx_shape *shape);

/* ---- infer.c ------------------------------------------------------------------------------------------------ */

/* A node under way. */
struct step {
    struct walk *walk;
    struct onnx_at at;
    const struct value *in[8];         /* NULL: left out, or there are fewer */
    struct value *out;                 /* the first */
    struct conv_node *made;            /* its node of the network */
    const char *fn;                    /* an operator's lower-case name, where the table has one */
};

/* What an operator does: its kind, and a function that sets the shape of step->out and completes step->made.  It
 * returns CONV_NOT_APPLICABLE, with why in the error, if the node can't be understood. */
struct rule {
    const char *op_type;
    enum conv_node_kind kind;
    const char *fn;
    enum conv_status (*infer)(struct step *step);
};
const struct rule *rule_of(const ConvOnnx__Node *node);

/* "why", as an error: the node is named and counted as unknown.  Returns CONV_NOT_APPLICABLE. */
enum conv_status not_understood(const struct step *step, const char *format, ...) CONV_PRINTF(2, 3);

#endif
