/* device.h - a card for libraries that are called from C: its memory, its clock, and why something failed.
 *
 *     if (!TRY(cudaMalloc(&memory, bytes))) return;
 *
 * TRY() looks at what a call returns, and keeps the first failure in the library's own words, with its place:
 * "cudnn.c:112: cudnnCreate: CUDNN_STATUS_NOT_INITIALIZED: ...".  Each library has words of its own, a function.
 * Without a card the first call that needs one fails so, and a verification is INCONCLUSIVE, with these words.
 * One provider includes it, in one file.   Not here: kernels of CUDA (cuda/).   Read next: cudnn.c
 */
#ifndef CONVREF_PEERS_DEVICE_H
#define CONVREF_PEERS_DEVICE_H

#include <convref/kernel.h>
#include <cuda_runtime_api.h>
#include <stdio.h>
#include <string.h>

#include "cuda/device/sweep.h"

static char peer_failure[CONV_FAILURE];   /* the first one; empty: none */

static bool peer_tried(bool good, const char *call, const char *words, const char *more, const char *file, int line)
{
    const char *slash = strrchr(file, '/');
    const int name = (int)strcspn(call, "(");
    if (!good && !peer_failure[0])
        snprintf(peer_failure, sizeof peer_failure, "%s:%d: %.*s: %.80s%s%.100s", slash ? slash + 1 : file, line,
                 name, call, words, more[0] ? ": " : "", more);
    return good;
}

#define TRY_CUDA(call) peer_try_cuda((call), #call, __FILE__, __LINE__)

static bool peer_try_cuda(cudaError_t error, const char *call, const char *file, int line)
{
    return peer_tried(error == cudaSuccess, call, cudaGetErrorString(error), "", file, line);
}

/* For a run() that ends: what failed is told once. */
static void peer_tell(const struct conv_workspace *workspace)
{
    if (peer_failure[0] && workspace->failure && !workspace->failure[0])
        snprintf(workspace->failure, CONV_FAILURE, "%s", peer_failure);
    peer_failure[0] = '\0';
}

/* ---- the device ---------------------------------------------------------------------------------------------- */

static void *peer_allocate(void *context, size_t bytes)
{
    void *memory = NULL;
    (void)context;
    return TRY_CUDA(cudaMalloc(&memory, bytes)) ? memory : NULL;
}

static void peer_release(void *context, void *memory)
{
    (void)context;
    TRY_CUDA(cudaFree(memory));
}

static int peer_copy_in(void *context, void *device_memory, const void *host_memory, size_t bytes)
{
    (void)context;
    return TRY_CUDA(cudaMemcpy(device_memory, host_memory, bytes, cudaMemcpyHostToDevice)) ? 0 : -1;
}

static int peer_copy_out(void *context, void *host_memory, const void *device_memory, size_t bytes)
{
    (void)context;
    return TRY_CUDA(cudaMemcpy(host_memory, device_memory, bytes, cudaMemcpyDeviceToHost)) ? 0 : -1;
}

/* What a provider does once for a problem, before its clock starts: choose, allocate.  False if that failed. */
static bool peer_prepare(const struct conv_kernel *kernel, const struct conv_problem *problem);

static double peer_timed_run(void *context, const struct conv_kernel *kernel, const struct conv_problem *problem,
                             const struct conv_operands *operands, const struct conv_workspace *workspace)
{
    static cudaEvent_t begin, end;
    float milliseconds = 0;
    (void)context;
    if ((!begin && !TRY_CUDA(cudaEventCreate(&begin))) || (!end && !TRY_CUDA(cudaEventCreate(&end)))
        || !peer_prepare(kernel, problem) || !TRY_CUDA(sweep_second_cache())
        || !TRY_CUDA(cudaEventRecord(begin, NULL)))
        return -1;
    kernel->run(problem, operands, workspace);
    if (workspace->failure && workspace->failure[0])
        return 0;   /* told already */
    return TRY_CUDA(cudaEventRecord(end, NULL)) && TRY_CUDA(cudaEventSynchronize(end))
        && TRY_CUDA(cudaEventElapsedTime(&milliseconds, begin, end)) ? 1e-3 * milliseconds : -1;
}

static const char *peer_error(void *context)
{
    static char words[CONV_FAILURE];
    (void)context;
    memcpy(words, peer_failure, sizeof words);
    peer_failure[0] = '\0';
    return words;
}

static const struct conv_device_calls peer_calls = {
    sizeof peer_calls, peer_allocate, peer_release, peer_copy_in, peer_copy_out, peer_timed_run, peer_error, NULL
};
static const struct conv_device peer_device = { .name = "CUDA device 0", .calls = &peer_calls };

#endif
