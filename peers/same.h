/* same.h - is it the problem of the last call?  For providers that prepare something once for each problem.
 *
 * A provider has the structs of the public headers alone, and asks the library nothing.   Read next: onednn.c
 */
#ifndef CONVREF_PEERS_SAME_H
#define CONVREF_PEERS_SAME_H

#include <convref/problem.h>

static inline bool peer_same_axis(const struct conv_axis *a, const struct conv_axis *b)
{
    return a->in == b->in && a->out == b->out && a->filter == b->filter && a->stride == b->stride
        && a->dilation == b->dilation && a->pad_begin == b->pad_begin && a->pad_end == b->pad_end;
}

/* Of one operator and one type, forward. */
static inline bool peer_same(const struct conv_problem *a, const struct conv_problem *b)
{
    bool same = a->layout == b->layout && a->rank == b->rank && a->n == b->n && a->c == b->c && a->k == b->k
             && a->groups == b->groups && a->bias == b->bias && a->act == b->act;
    for (int i = 0; i < CONV_AXES; i++)
        same = same && peer_same_axis(&a->axis[i], &b->axis[i]);
    return same;
}

#endif
