/* launch.h - start a kernel of CUDA from a run() of ours, and look whether it started.
 *
 *     launch(workspace, kernel, grid, block, shared_bytes, arguments...);
 *
 * A launch that fails leaves CUDA's words and its place in workspace->failure: "invalid configuration argument (launched
 * at cuda_dw_04_tile.cu:97)".  Kernels that run on are waited for by the device (provider.cu).
 * Not here: the two ways to launch (device/ and emulator/launch_body.h).   Read next: shape.h
 */
#pragma once
#include <convref/kernel.h>
#include <cstdio>
#include "launch_body.h"

/* The workspace, and the line that says launch(). */
struct launch_from {
    const conv_workspace *workspace;
    const char *file;
    int line;
    launch_from(const conv_workspace *workspace, const char *file = __builtin_FILE(), int line = __builtin_LINE())
        : workspace(workspace), file(file), line(line) {}
};

inline void tell_failure(const launch_from &from, cudaError_t error)
{
    const char *slash = strrchr(from.file, '/');
    if (error != cudaSuccess && from.workspace->failure && !from.workspace->failure[0])
        snprintf(from.workspace->failure, CONV_FAILURE, "%s (launched at %s:%d)", cudaGetErrorString(error),
                 slash ? slash + 1 : from.file, from.line);
}

template <class... Parameters, class... Arguments>
static void launch(launch_from from, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
            Arguments... arguments)
{
    launch_body(kernel, grid, block, shared_bytes, arguments...);
    tell_failure(from, cudaGetLastError());
}
