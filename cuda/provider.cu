/* provider.cu - the rungs of CUDA as a provider: a device, and the table of kernels that the build wrote.
 *
 * One file for the card and for the emulator: it asks cuda_runtime.h, whichever of the two is found.  Times are those of
 * the device's events, and find its caches empty (device/sweep.h).
 * Not here: how a kernel is started (launch.h).   Read next: depthwise/cuda_dw_01_thread_per_output.cu
 */
#include <convref/kernel.h>
#include <cstdio>
#include "launch.h"
#include <sweep.h>

/* ---- the device -------------------------------------------------------------------------------------------------- */

static cudaError_t last_error;

static bool good(cudaError_t error)
{
    if (error != cudaSuccess)
        last_error = error;
    return error == cudaSuccess;
}

static void *allocate(void *, size_t bytes)
{
    void *memory = nullptr;
    return good(cudaMalloc(&memory, bytes)) ? memory : nullptr;
}

static void release(void *, void *memory) { good(cudaFree(memory)); }

static int copy_in(void *, void *device_memory, const void *host_memory, size_t bytes)
{
    return good(cudaMemcpy(device_memory, host_memory, bytes, cudaMemcpyHostToDevice)) ? 0 : -1;
}

static int copy_out(void *, void *host_memory, const void *device_memory, size_t bytes)
{
    return good(cudaMemcpy(host_memory, device_memory, bytes, cudaMemcpyDeviceToHost)) ? 0 : -1;
}

static double timed_run(void *, const conv_kernel *kernel, const conv_problem *problem, const conv_operands *operands,
                        const conv_workspace *workspace)
{
    static cudaEvent_t begin, end;
    float milliseconds = 0;
    if ((!begin && !good(cudaEventCreate(&begin))) || (!end && !good(cudaEventCreate(&end))))
        return -1;
    if (!good(sweep_second_cache()) || !good(cudaEventRecord(begin)))
        return -1;
    kernel->run(problem, operands, workspace);
    return good(cudaEventRecord(end)) && good(cudaEventSynchronize(end))
        && good(cudaEventElapsedTime(&milliseconds, begin, end)) ? 1e-3 * milliseconds : -1;
}

static const char *error(void *) { return last_error == cudaSuccess ? "" : cudaGetErrorString(last_error); }

static const conv_device_calls device_calls = {
    sizeof device_calls, allocate, release, copy_in, copy_out, timed_run, error, device_not_timed
};

/* What kernels name as their device.  Nothing asks the driver before the first call of a child: a process that forks
 * takes no driver with it. */
extern const conv_device cuda_device;
const conv_device cuda_device = { .name = device_words, .context = nullptr, .calls = &device_calls };

/* ---- the provider -------------------------------------------------------------------------------------------------- */

extern const conv_kernel *const cuda_kernels[];   /* ends with nullptr; rungs.cc, which the build writes from cuda.mk */

extern "C" __attribute__((visibility("default"))) const conv_provider *convref_provider()
{
    static const conv_provider provider = { CONV_PROVIDER_ABI, sizeof(conv_kernel), "cuda", "1", cuda_kernels };
    return &provider;
}
