/* network_totals.h - the step behind reading a network.  Internal. */
#ifndef CONVREF_VERIFY_COUNT_NETWORK_TOTALS_H
#define CONVREF_VERIFY_COUNT_NETWORK_TOTALS_H

#include <convref/network.h>

/* Fill network->totals from its nodes. */
void conv_network_total(struct conv_network *network);

/* Everything that is counted of a node, from above.  Totals are 64-bit sums of 64-bit products, which a short file
 * could overflow: concat doubles channels with every line.  2^56 leaves room for any convention's factors; a large
 * language model has 2^40 parameters. */
#define CONV_MOST_WORK 0x1p56
double conv_node_work(const struct conv_node *node);

#endif
