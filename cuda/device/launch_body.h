/* launch_body.h - how a kernel is launched and finds its dynamic shared memory: the toolkit's way.
 *
 * The words are those of cuda/emulator/launch_body.h, which other compilers find.   Read next: cuda/launch.h
 */
#pragma once
#include <cuda_runtime.h>

static const char device_words[] = "CUDA device 0";
static const char *const device_not_timed = nullptr;

/* static: rungs may have structs of the same name as parameters, and no instance may be taken for another's. */
template <class... Parameters, class... Arguments>
static void launch_body(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, Arguments... arguments)
{
    kernel<<<grid, block, shared_bytes>>>(arguments...);
}

template <class T> __device__ T *dynamic_shared()
{
    extern __shared__ __align__(16) unsigned char dynamic_shared_bytes[];
    return reinterpret_cast<T *>(dynamic_shared_bytes);
}
