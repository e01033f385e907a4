/* rung.h - how a rung of CUDA is defined: CUDA_KERNEL(name, .title = "...", .kinds = ..., .run = run)
 *
 * A kernel of convref (convref/define.h) whose device is that of the module.   Read next: launch.h
 */
#pragma once
#include "launch.h"
#include "shape.h"

extern const conv_device cuda_device;

#define CUDA_KERNEL(id, ...) \
    extern const conv_kernel kernel_##id; \
    const conv_kernel kernel_##id = { .name = #id, __VA_ARGS__, .device = &cuda_device }

/* Lanes of a warp, for the host: CUDA's own warpSize is a register of the device. */
constexpr int WARP = 32;
