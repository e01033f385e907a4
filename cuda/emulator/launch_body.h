/* launch_body.h - how a kernel is launched and finds its dynamic shared memory: the emulator's way.
 *
 * The words are those of cuda/device/launch_body.h, which nvcc finds.   Read next: cuda/launch.h
 */
#pragma once
#include <cuda_runtime.h>

static const char device_words[] = "an emulated CUDA device";
static const char *const device_not_timed = "it ran in an emulator, whose time says nothing of a GPU";

/* static: rungs may have structs of the same name as parameters, and no instance may be taken for another's. */
template <class... Parameters, class... Arguments>
static void launch_body(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, Arguments... arguments)
{
    auto call = [=] { kernel(arguments...); };
    emulator::run(grid, block, shared_bytes, [](void *c) { (*static_cast<decltype(call) *>(c))(); }, &call);
}

template <class T> T *dynamic_shared() { return static_cast<T *>(emulator::dynamic_shared_memory()); }
