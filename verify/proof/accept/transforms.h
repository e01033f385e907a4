/* transforms.h - the kernels of transforms.c.   Internal to the provider. */
#ifndef CONVREF_VERIFY_PROOF_ACCEPT_TRANSFORMS_H
#define CONVREF_VERIFY_PROOF_ACCEPT_TRANSFORMS_H

#include <convref/kernel.h>

extern const struct conv_kernel awkward_winograd_2, awkward_winograd_4, awkward_winograd_6, awkward_fft;

#endif
