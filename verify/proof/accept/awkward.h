/* awkward.h - the accept-set, a list for each file of it.  Internal to the provider.   Read next: awkward.c */
#ifndef CONVREF_VERIFY_PROOF_ACCEPT_AWKWARD_H
#define CONVREF_VERIFY_PROOF_ACCEPT_AWKWARD_H

#include <convref/kernel.h>

#define AWKWARD_CONVOLUTIONS (1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE)
#define AWKWARD_LAYOUTS (1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST)

/* Each ends with NULL. */
extern const struct conv_kernel *const awkward_manners[], *const awkward_shares[], *const awkward_walks[],
    *const awkward_transforms[];

#endif
