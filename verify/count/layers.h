/* layers.h - the layers of a network as problems, for verbs that verify or time them.  Internal. */
#ifndef CONVREF_VERIFY_COUNT_LAYERS_H
#define CONVREF_VERIFY_COUNT_LAYERS_H

#include <convref/network.h>

/* The network of that name, or in that file.  `in` has the sizes that an ONNX model leaves open, or is NULL. */
enum conv_status layers_network(struct conv_network *network, const char *name, const char *in,
                                struct conv_error *error);

struct layers {
    int count;
    struct conv_problem *problems;
    char (*labels)[64];
    int *repeats;             /* how often the same problem stands in the network */
};

/* The convolutions of a network (as layers_network() finds it) whose label begins with `layer` (NULL: all);
 * separable ones as their two stages.   distinct: each shape once, with its number of repeats. */
enum conv_status layers_read(struct layers *layers, const char *network, const char *in, const char *layer,
                             bool distinct, struct conv_error *error);
/* All of its convolutions in their order, as often as they stand there; those of an fc aren't among them. */
enum conv_status layers_convolutions(struct layers *layers, const char *network, const char *in,
                                     struct conv_error *error);
void layers_free(struct layers *layers);

#endif
