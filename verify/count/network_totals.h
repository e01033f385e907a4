/* network_totals.h - the step behind reading a network.  Internal. */
#ifndef CONVREF_VERIFY_NETWORK_TOTALS_H
#define CONVREF_VERIFY_NETWORK_TOTALS_H

#include <convref/network.h>

/* Fill network->totals from its nodes. */
void conv_network_total(struct conv_network *network);

#endif
