/* cuda_runtime.h - the words of CUDA C++ for a compiler that knows C++ alone.
 *
 * With -Icuda/emulator this file is found in the place of the toolkit's, and a .cu file becomes a program for this CPU:
 * each CUDA thread is a function call that can wait (grid.cc).  Here are the words that the rungs use, and no others.
 * Not here: how a grid runs (grid.cc), who watches it (watch.cc).   Read next: docs/how-a-gpu-runs-a-kernel.md
 */
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

/* ---- qualifiers ------------------------------------------------------------------------------------------------ */

#define __global__ static
#define __device__
#define __host__
#define __launch_bounds__(...)
/* The shared memory of a block is the thread-local memory of its module: one segment, found, poisoned and watched as a
 * whole.  So nothing else in such a module may be thread_local. */
#define __shared__ static thread_local

/* ---- types ----------------------------------------------------------------------------------------------------- */

struct uint3 { unsigned x, y, z; };
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
inline float2 make_float2(float x, float y) { return { x, y }; }
inline float4 make_float4(float x, float y, float z, float w) { return { x, y, z, w }; }

/* Who am I?  Written by grid.cc whenever another thread goes on. */
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

/* ---- what threads do together (grid.cc) -------------------------------------------------------------------------- */

namespace emulator {
/* Run a grid; what goes wrong is told by cudaGetLastError(). */
void run(dim3 grid, dim3 block, size_t shared_bytes, void (*body)(void *), void *arguments);
void *dynamic_shared_memory();
/* All threads of the block.  Is `mine` true for any of them? */
bool barrier(bool mine, const void *site);

/* The lanes of `mask` meet.  Each leaves `mine`; the last one to come calls compute(all of them), and all go on.  Lanes
 * that aren't in the mask have NULL.  Every operation of a warp is made of this. */
void meet(unsigned mask, void *mine, void (*compute)(void *lanes[warpSize]), const void *site);
unsigned lane();

/* One access as wide as it is on a GPU, whatever the compiler of the host makes of it.  ATOMIC: a read and a write that
 * no other atomic one can come between. */
enum kind { READ, WRITE, ATOMIC };
void access(const void *address, size_t bytes, kind kind, const void *site);
/* What this thread has written is there for all before what it does next. */
void fence();

template <class T> struct posted { T value; unsigned from; };

/* The value of lane `from`; the lane's own if there is none. */
template <class T> T shuffle(unsigned mask, T value, unsigned from, const void *site)
{
    posted<T> mine = { value, from };
    meet(mask, &mine, [](void *lanes[warpSize]) {
        T values[warpSize];
        for (int i = 0; i < warpSize; i++)
            if (lanes[i])
                values[i] = static_cast<posted<T> *>(lanes[i])->value;
        for (int i = 0; i < warpSize; i++)
            if (posted<T> *to = static_cast<posted<T> *>(lanes[i]); to && to->from < warpSize && lanes[to->from])
                to->value = values[to->from];
    }, site);
    return mine.value;
}
}

#define EMULATOR_CALL __attribute__((noinline, no_sanitize("thread"))) inline
#define EMULATOR_SITE __builtin_return_address(0)

EMULATOR_CALL void __syncthreads() { emulator::barrier(false, EMULATOR_SITE); }
EMULATOR_CALL int __syncthreads_or(int mine) { return emulator::barrier(mine, EMULATOR_SITE); }
EMULATOR_CALL void __syncwarp(unsigned mask = ~0u) { emulator::meet(mask, nullptr, [](void **) {}, EMULATOR_SITE); }

template <class T> EMULATOR_CALL T __shfl_up_sync(unsigned mask, T value, unsigned by)
{
    return emulator::shuffle(mask, value, emulator::lane() - by, EMULATOR_SITE);
}
template <class T> EMULATOR_CALL T __shfl_down_sync(unsigned mask, T value, unsigned by)
{
    return emulator::shuffle(mask, value, emulator::lane() + by, EMULATOR_SITE);
}
template <class T> EMULATOR_CALL T __shfl_xor_sync(unsigned mask, T value, int with)
{
    return emulator::shuffle(mask, value, emulator::lane() ^ static_cast<unsigned>(with), EMULATOR_SITE);
}
template <class T> EMULATOR_CALL T __ldg(const T *from)
{
    emulator::access(from, sizeof *from, emulator::READ, EMULATOR_SITE);
    return *from;
}
template <class T> EMULATOR_CALL void __stcs(T *to, T value)
{
    emulator::access(to, sizeof *to, emulator::WRITE, EMULATOR_SITE);
    *to = value;
}
template <class T> EMULATOR_CALL void __stwb(T *to, T value)   /* the plain store, told as one access of its size */
{
    emulator::access(to, sizeof *to, emulator::WRITE, EMULATOR_SITE);
    *to = value;
}
template <class T> EMULATOR_CALL T atomicAdd(T *to, T value)
{
    emulator::access(to, sizeof *to, emulator::ATOMIC, EMULATOR_SITE);
    const T before = *to;
    *to = before + value;
    return before;
}
/* Counts to `last`, and begins again. */
EMULATOR_CALL unsigned atomicInc(unsigned *to, unsigned last)
{
    emulator::access(to, sizeof *to, emulator::ATOMIC, EMULATOR_SITE);
    const unsigned before = *to;
    *to = before >= last ? 0 : before + 1;
    return before;
}
EMULATOR_CALL void __threadfence() { emulator::fence(); }
/* Is it true in any lane of the mask? */
EMULATOR_CALL int __any_sync(unsigned mask, int mine)
{
    emulator::meet(mask, &mine, [](void *lanes[warpSize]) {
        int any = 0;
        for (int i = 0; i < warpSize; i++)
            any |= lanes[i] && *static_cast<int *>(lanes[i]);
        for (int i = 0; i < warpSize; i++)
            if (lanes[i])
                *static_cast<int *>(lanes[i]) = any;
    }, EMULATOR_SITE);
    return mine;
}
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }

/* ---- the side of the host: memory, errors, clocks (runtime.cc) ----------------------------------------------------- */

enum cudaError_t { cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorInvalidConfiguration = 9,
                   cudaErrorLaunchFailure = 719 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount = 16 };
typedef double *cudaEvent_t;   /* seconds */

cudaError_t cudaMalloc(void **memory, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaGetLastError();
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr what, int device);
cudaError_t cudaEventCreate(cudaEvent_t *event);
cudaError_t cudaEventRecord(cudaEvent_t event);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end);
