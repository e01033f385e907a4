/* convention.h - what other people's tools print for the same network, term by term.
 *
 * Everybody counts multiply-adds; they disagree about biases, normalisations, activations, pooling, and about what
 * one "FLOP" is.  Each convention here is a row of factors, one for each thing that can be counted.  The factors were
 * read in the tools' sources and confirmed by running them on networks and layers, integer by integer; docs/counting.md
 * says which rows rest on a source alone.  DeepSpeed and keras-flops were read and not run.
 *
 * Threads: safe; nothing here is kept.   Read next: docs/counting.md
 */
#ifndef CONVREF_CONVENTION_H
#define CONVREF_CONVENTION_H

#include <convref/network.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_convention {
    const char *name;      /* as in --convention ptflops */
    const char *version;   /* of the tool that was run */
    const char *unit;      /* what the tool calls its figure */
};

CONV_API int conv_convention_count(void);
CONV_API struct conv_convention conv_convention_at(int index);
CONV_API int conv_convention_find(const char *name);   /* -1 if there is none of that name */

/* One term of a convention's sum. */
struct conv_term {
    const char *what;      /* "batch normalisation, elements" */
    int64_t count;         /* in this network */
    int factor;            /* how often the tool counts it */
};

enum { CONV_MOST_TERMS = 64 };

/* The figure of a tool for a network, and its terms that aren't 0.  Auxiliary heads are left out. */
CONV_API int64_t conv_convention_network(struct conv_term terms[CONV_MOST_TERMS], int *count, int convention,
                                         const struct conv_network *network);

/* How many nodes the figure lacks: those that aren't understood, recurrent layers, which tools count by formulas of their
 * own, and, where the tool counts more than layers, those of no known size.  With any of them the figure is too small. */
CONV_API int conv_convention_missing(int convention, const struct conv_network *network);

/* The same for one layer. */
CONV_API int64_t conv_convention_problem(struct conv_term terms[CONV_MOST_TERMS], int *count, int convention,
                                         const struct conv_problem *problem);

#ifdef __cplusplus
}
#endif
#endif
