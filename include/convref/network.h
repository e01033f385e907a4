/* network.h - a network as a list of nodes, read from a text file or an ONNX model, with its totals.
 *
 * The grammar and the meaning of every total are in docs/networks.md.  A network can't be run; its layers
 * are problems, which can.
 *
 * Threads: safe for different networks; one that nobody changes may be read by many.
 * Read next: the files in networks/
 */
#ifndef CONVREF_NETWORK_H
#define CONVREF_NETWORK_H

#include <convref/count.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What flows between nodes: channels and up to three spatial sizes, unused ones 1. */
struct conv_shape {
    int rank;
    int64_t c, size[CONV_AXES];
};

enum conv_node_kind {
    CONV_NODE_INPUT, CONV_NODE_CONV, CONV_NODE_DW, CONV_NODE_SEPARABLE, CONV_NODE_LINEAR, CONV_NODE_FC,
    CONV_NODE_BN, CONV_NODE_LN, CONV_NODE_SCALE, CONV_NODE_ACT, CONV_NODE_POOL, CONV_NODE_GPOOL,
    CONV_NODE_ADD, CONV_NODE_MUL, CONV_NODE_CONCAT, CONV_NODE_SLICE, CONV_NODE_SHUFFLE,
    CONV_NODE_PRODUCT,         /* products of two computed matrices, as in attention */
    CONV_NODE_RECURRENT,       /* LSTM, GRU, RNN */
    CONV_NODE_OTHER,           /* of an ONNX model: understood, and nothing but perhaps its weights is counted */
    CONV_NODE_UNKNOWN,         /* of an ONNX model: not understood, so that totals are too small */
    CONV_NODE_TRANSPOSED, CONV_NODE_UPSAMPLE, CONV_NODE_PAD, CONV_NODE_CROP,
    CONV_NODE_RESHAPE, CONV_NODE_MERGE,
    CONV_NODE_LEARNED,         /* parameters that are no layer's: a class token, a table of positions */
    CONV_NODE_ATTENTION,       /* a word of network files, whose node is a product */
    CONV_NODE_LSTM, CONV_NODE_GRU, /* words, whose nodes are recurrent */
    CONV_NODE_KINDS
};

struct conv_node {
    char label[64];            /* the file's own, or OP and the line: "bn@12" */
    enum conv_node_kind kind;
    int line;
    bool aux, fixed;
    bool bias;                 /* scale: has one */
    char fn[16];               /* act: which one; pool: max or avg; other: the operator, or its beginning */
    char via[12];              /* how torchvision calls it, for conventions; empty: as a module */
    struct conv_problem problem;   /* conv, dw, separable, linear, fc: the layer */
    struct conv_shape in, out;     /* of the first input */
    int64_t window;            /* pool: elements of the window */
    /* counted by tensor: a weight that several nodes read belongs to the first of them */
    bool by_tensor;            /* `weights` and `buffers` are what the node has, whatever its sizes say */
    bool open;                 /* understood, but its size isn't known */
    int64_t weights, buffers;
    int64_t macs;              /* product, recurrent: its multiply-adds */
    int back;                  /* it reads the node so many before it, and no other; 0: none (the input), several, or
                                * not known (a node of an ONNX model) */
};

/* Totals of a network, by the names of docs/networks.md. */
enum conv_total {
    CONV_TOTAL_PARAMS, CONV_TOTAL_PARAMS_AUX, CONV_TOTAL_PARAMS_INCL_AUX, CONV_TOTAL_CONV_PARAMS,
    CONV_TOTAL_FC_PARAMS, CONV_TOTAL_OTHER_PARAMS, CONV_TOTAL_CONV_LAYERS, CONV_TOTAL_FC_LAYERS,
    CONV_TOTAL_MACS_CONV, CONV_TOTAL_MACS_FC, CONV_TOTAL_MACS_CONV_FC, CONV_TOTAL_MACS_INSIDE,
    CONV_TOTAL_MACS_DEPTHWISE, CONV_TOTAL_MACS_GROUPED, CONV_TOTAL_MACS_POINTWISE, CONV_TOTAL_BIAS_ADDS,
    CONV_TOTAL_CONV_OUTPUTS, CONV_TOTAL_CONNECTIONS, CONV_TOTAL_MACS_PRODUCTS, CONV_TOTAL_MACS_RECURRENT,
    CONV_TOTAL_MACS, CONV_TOTAL_BUFFERS, CONV_TOTALS
};

struct conv_expectation {
    enum conv_total total;
    int64_t value;
    int line;
};

struct conv_network {
    char name[64];
    struct conv_node *nodes;
    int node_count;
    struct conv_expectation *expectations;
    int expectation_count;
    char *source, *published, *note;   /* words from the file; NULL if it has none */
    int64_t totals[CONV_TOTALS];
};

/* Read a file; one that ends in .onnx is an ONNX model.  Errors name the file and the line and, in `position`, the
 * column. */
CONV_API enum conv_status conv_network_read(struct conv_network *network, const char *path,
                                            struct conv_error *error);

/* Read from a text; `name` stands for the file in messages. */
CONV_API enum conv_status conv_network_parse(struct conv_network *network, const char *text,
                                             const char *name, struct conv_error *error);
CONV_API void conv_network_free(struct conv_network *network);

/* Find a network by name: a path as it is, or NAME for NAME.net in $CONVREF_NETWORKS, in networks/ here or beside the
 * program's folder, or among the installed ones.  The caller frees the path; NULL if there is none. */
CONV_API char *conv_network_find(const char *name);

/* The paths of all networks of the first of these folders that has any, in the order of their names; NULL stands
 * behind the last.  The caller frees each and the list; NULL if there are none. */
CONV_API char **conv_network_list(void);

/* The expectation that doesn't hold, or NULL. */
CONV_API const struct conv_expectation *conv_network_check(const struct conv_network *network);

CONV_API const char *conv_total_name(enum conv_total total);
CONV_API const char *conv_node_kind_name(enum conv_node_kind kind);
CONV_API bool conv_node_is_conv(const struct conv_node *node);   /* conv, dw, separable, transposed */
CONV_API bool conv_node_is_fc(const struct conv_node *node);     /* linear, fc */

/* How many nodes are not understood; `note` names them.  0 for a network file. */
CONV_API int conv_network_unknowns(const struct conv_network *network);

/* How many nodes have a size that isn't known, of those that only conventions count (activations, pooling, ...). */
CONV_API int conv_network_open_nodes(const struct conv_network *network);

/* Parameters of a node that training changes; numbers that it keeps beside them (mean and variance, constants). */
CONV_API int64_t conv_node_params(const struct conv_node *node);
CONV_API int64_t conv_node_buffers(const struct conv_node *node);

/* Multiply-adds of a layer, a product or a recurrent node; 0 of others. */
CONV_API int64_t conv_node_macs(const struct conv_node *node);

/* Elements of a shape. */
CONV_API int64_t conv_shape_elements(const struct conv_shape *shape);

#ifdef __cplusplus
}
#endif
#endif
