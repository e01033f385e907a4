/* graph.h - the values of a graph while it is walked: their shapes, and what else is known of them.  Internal.
 *
 * A value is a graph's input, an initializer or an output of a node; each has one name, and nodes come in the order
 * in which they compute.   Read next: network.c (the walk), graph.c (values), inputs.c (sizes that are open),
 * operators.c (the table), numbers.c (shapes that a graph computes), params.c (what is a parameter),
 * subgraph.c (If and Loop)
 */
#ifndef CONVREF_VERIFY_COUNT_ONNX_GRAPH_H
#define CONVREF_VERIFY_COUNT_ONNX_GRAPH_H

#include <stdio.h>

#include "verify/onnx/model.h"

/* Numbers of a value are followed if there are at most so many: shapes, pads and indices that a graph computes. */
enum { MOST_NUMBERS = 1024 };

union number { int64_t whole; double real; };

struct value {
    const char *name;
    bool known;                        /* its shape is */
    bool constant;                     /* it follows from initializers and constants alone: weights */
    bool taken;                        /* followed back to the tensors that it was made of */
    int32_t type;                      /* of its elements, TensorProto.DataType; 0: not known */
    struct onnx_shape shape;
    const union number *numbers;       /* its elements in order, real if the type is; NULL: not known */
    const ConvOnnx__Tensor *tensor;    /* of an initializer or a Constant */
    const ConvOnnx__Node *maker;       /* NULL: it is there before the first node */
    const ConvOnnx__ValueInfo *info;   /* of an input of the graph */
    const ConvOnnx__Node *lost;        /* the node behind which sizes aren't known */
    struct value *next;                /* of a list of params.c */
    int node;                          /* of the network, that made it; -1: none */
    int scope;                         /* 0: of the model's graph; 1: of one within, and so on */
    struct value *hides, *below;       /* the outer value of its name; the value before it in its scope */
};

/* A subgraph that was unpacked. */
struct subgraph { const ConvOnnx__Attribute *from; ConvOnnx__Graph *graph; struct subgraph *next; };

struct walk {
    struct onnx_model model;
    struct conv_network *network;
    int room;                          /* for nodes of the network */
    void *values, *declared, *symbols; /* trees by name: struct value, shapes that the file declares, open sizes */
    void *taken;                       /* a tree of the tensors that are parameters of some node */
    struct block *blocks;              /* memory of the numbers of values */
    size_t numbers;                    /* how many there are */
    const char *in;                    /* sizes that the model leaves open, as text; NULL: none given */
    int scope;                         /* how many graphs stand around the node */
    struct value *scoped, *retired;    /* the last value of the scopes within; values of scopes that were left */
    struct subgraph *subgraphs;
    int depth, turning;                /* how many graphs, and how many turns of loops, stand around the node */
    size_t turn_nodes, turn_values;    /* walked in turns so far */
    bool misfit;                       /* the error is a rule's: sizes don't fit its operator */
    double work;                       /* everything counted so far, from above */
    int64_t taps;                      /* of all filters, along their axes */
    char *unknown;                     /* words about the nodes that aren't understood, and what was taken as given */
    size_t unknown_size;
    int unknown_count;
    FILE *unknowns;
};

/* ---- graph.c ------------------------------------------------------------------------------------------------ */

/* A new value; NULL after a message if the name is taken or memory short.  `where` says by what. */
struct value *value_add(struct walk *walk, const char *name, const char *where);
struct value *value_find(const struct walk *walk, const char *name);
void values_free(struct walk *walk);

/* The shape that the file declares for a value; false if it leaves a size open that no input gives. */
bool declared_shape(struct onnx_shape *shape, const struct walk *walk, const char *name);
enum conv_status declare_shapes(struct walk *walk);

/* The dims of a value_info: open ones are -1.  False if it has no shape, or too many dims. */
bool info_dims(struct onnx_shape *shape, const ConvOnnx__ValueInfo *info);

/* The name of an open size; "" if it has none. */
const char *info_symbol(const ConvOnnx__ValueInfo *info, int dim);

/* An open size by its name: -1 if it isn't known.  symbol_set() is false if it is another, or memory is short. */
int64_t symbol_size(const struct walk *walk, const char *name);
bool symbol_set(struct walk *walk, const char *name, int64_t size);

enum conv_status add_initializers(struct walk *walk, const ConvOnnx__Graph *graph);
void value_set_tensor(struct walk *walk, struct value *value, const ConvOnnx__Tensor *tensor,
                      const struct onnx_shape *shape);

/* Names that are added from now on are of a graph within, which may hide those outside; leave with what enter
 * gave. */
struct value *scope_enter(struct walk *walk);
void scope_leave(struct walk *walk, struct value *mark);

/* Room for the numbers of a value; NULL if they are too many to be followed. */
union number *numbers_create(struct walk *walk, int64_t count);

/* Is its shape of `rank` dims known, and are its numbers, which are whole ones?  */
bool value_is_list(const struct value *value);
bool is_real_type(int32_t type);

/* In turns of loops so many nodes more, and values that are made or read.  CONV_NOT_APPLICABLE if they are too many;
 * then walk_spent(), and nothing more is walked in any turn. */
enum conv_status walk_spend(struct walk *walk, size_t nodes, size_t values);
bool walk_spent(const struct walk *walk);

/* ---- inputs.c ----------------------------------------------------------------------------------------------- */

/* Inputs of the graph, with the sizes of --in. */
enum conv_status add_inputs(struct walk *walk);

/* ---- params.c ----------------------------------------------------------------------------------------------- */

/* Graph inputs that nodes read as weights become constants. */
void find_given_weights(struct walk *walk);

/* A node's parameters and buffers: those that no node before it has. */
void take_params(struct walk *walk, struct conv_node *made, const ConvOnnx__Node *node);

/* The bias of a layer that comes with an Add behind it. */
int64_t take_bias(struct walk *walk, struct value *value);

/* The product of the sizes; shapes are checked when they are made. */
int64_t shape_elements(const struct onnx_shape *shape);
bool shape_is_sane(const struct onnx_shape *shape);

/* ---- network.c ---------------------------------------------------------------------------------------------- */

/* All nodes of a graph, in the scope that was entered. */
enum conv_status walk_nodes(struct walk *walk, const ConvOnnx__Graph *graph);

/* Its work isn't done when the network runs; its parameters stay. */
void fold_node(struct conv_node *made);

/* ---- infer.c ------------------------------------------------------------------------------------------------ */

/* A node under way. */
struct step {
    struct walk *walk;
    struct onnx_at at;
    struct value *in[12];              /* NULL: left out, or there are fewer */
    struct value *out;                 /* the first */
    struct conv_node *made;            /* its node of the network */
    const char *fn;                    /* an operator's lower-case name, where the table has one */
};

/* What an operator does: its kind, and a function that sets the shape of step->out and completes step->made.  It
 * returns CONV_NOT_APPLICABLE, with why in the error, if the node can't be understood.  (operators.c) */
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
