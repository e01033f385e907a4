/* sweep.h - before a call is timed on a card: its second cache is emptied, and its queue is filled.
 *
 *     if (sweep_second_cache() == cudaSuccess) { record begin; run(); record end; }
 *
 * Eight times as many bytes as the second cache holds are set, and nobody waits for it.  So a call finds none of its
 * operands in a cache, however it came by them, and stores that others have left there must be written back while it
 * runs, as in a row of layers.  It takes a fifth of a millisecond; what is queued meanwhile starts the moment that it
 * ends, and the events around a kernel see no launch, which takes the processor some microseconds.
 * C and C++, for the rungs and for the libraries beside them (peers/device.h).  Not here: the events.
 * Read next: cuda/provider.cu
 */
#ifndef CONVREF_CUDA_SWEEP_H
#define CONVREF_CUDA_SWEEP_H

#include <cuda_runtime_api.h>

static cudaError_t sweep_second_cache(void)
{
    static void *memory;
    static int bytes;
    cudaError_t error = cudaSuccess;
    if (!memory)
        error = cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, 0);
    if (!memory && error == cudaSuccess)
        error = cudaMalloc(&memory, 8 * (size_t)bytes);
    return error == cudaSuccess ? cudaMemsetAsync(memory, 0, 8 * (size_t)bytes, 0) : error;
}

#endif
