/* fuzz_network.c - network files: shapes inferred, totals counted, in every convention.   See fuzz.h. */
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(network)
{
    struct conv_network network;
    struct conv_error error;
    char *text = fuzz_text(data, size);
    if (conv_network_parse(&network, text, "fuzzed", &error) == CONV_OK) {
        for (int total = 0; total < CONV_TOTALS; total++)
            FUZZ_DEMAND(network.totals[total] >= 0);
        for (int i = 0; i < conv_convention_count(); i++) {
            struct conv_term terms[CONV_MOST_TERMS];
            int count;
            FUZZ_DEMAND(conv_convention_network(terms, &count, i, &network) >= 0 && count <= CONV_MOST_TERMS);
        }
        conv_network_check(&network);
        conv_network_free(&network);
    } else {
        FUZZ_DEMAND(error.message[0]);
    }
    free(text);
    return 0;
}
