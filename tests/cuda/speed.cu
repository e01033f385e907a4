/* speed.cu - what the emulator takes for a thread, a barrier, a shuffled lane and a warp's product; a program.
 *
 * Five lines of nanoseconds of CPU time, the best of five launches; tests/test_cuda.sh looks that they are printed, and
 * at no figure, for a machine has other things to do.  Not here: whether results are right (instructions.cu).
 * Read next: cuda/emulator/grid.cc
 */
#include <convref/kernel.h>
#include <cstdio>
#include "launch.h"
#include <instructions.h>

constexpr int BLOCKS = 1000, THREADS = 256, SHUFFLES = 8, PRODUCTS = 8;

__global__ void without_barrier(float *y)
{
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = static_cast<float>(i);
}

__global__ void with_barrier(float *y)
{
    __shared__ float tile[THREADS];
    tile[threadIdx.x] = static_cast<float>(threadIdx.x);
    __syncthreads();
    y[blockIdx.x * blockDim.x + threadIdx.x] = tile[THREADS - 1 - threadIdx.x];
}

__global__ void shuffled(float *y)
{
    float value = static_cast<float>(threadIdx.x);
    for (int i = 0; i < SHUFFLES; i++)
        value += __shfl_xor_sync(~0u, value, 1);
    y[blockIdx.x * blockDim.x + threadIdx.x] = value;
}

__global__ void multiplied(float *y)
{
    float d[4] = {};
    const float a[4] = { 1, 2, 3, 4 }, b[2] = { 5, static_cast<float>(threadIdx.x) };
    for (int i = 0; i < PRODUCTS; i++)
        mma_m16n8k8(d, a, b);
    y[blockIdx.x * blockDim.x + threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}

__global__ void multiplied_in_16_bits(float *y)
{
    float d[4] = {};
    const unsigned a[4] = { 0x3c003c00, 0x40003c00, 0x42004200, 0x3c00 }, b[2] = { 0x3c003c00, 0x3c000000 | threadIdx.x };
    for (int i = 0; i < PRODUCTS; i++)
        mma_m16n8k16_f16(d, a, b);
    y[blockIdx.x * blockDim.x + threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}

/* Nanoseconds of one launch, of which there are `parts`. */
static double nanoseconds(void (*kernel)(float *), float *y, double parts)
{
    cudaEvent_t begin, end;
    const conv_workspace workspace = {};
    double least = 1e30;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    for (int i = 0; i < 5; i++) {
        float milliseconds;
        cudaEventRecord(begin);
        launch(&workspace, kernel, BLOCKS, THREADS, 0, y);
        cudaEventRecord(end);
        cudaEventSynchronize(end);
        cudaEventElapsedTime(&milliseconds, begin, end);
        least = milliseconds < least ? milliseconds : least;
    }
    return least * 1e6 / parts;
}

int main()
{
    const double threads = static_cast<double>(BLOCKS) * THREADS;
    void *y = nullptr;
    if (cudaMalloc(&y, sizeof(float) * BLOCKS * THREADS) != cudaSuccess)
        return 1;
    float *out = static_cast<float *>(y);
    printf("a thread without barriers %.1f ns\n", nanoseconds(without_barrier, out, threads));
    printf("a thread with one barrier %.1f ns\n", nanoseconds(with_barrier, out, threads));
    printf("a shuffled lane %.1f ns\n", nanoseconds(shuffled, out, threads * SHUFFLES));
    printf("a warp's product on tensor cores %.0f ns\n", nanoseconds(multiplied, out, threads / 32 * PRODUCTS));
    printf("the same in 16 bits %.0f ns\n", nanoseconds(multiplied_in_16_bits, out, threads / 32 * PRODUCTS));
    return 0;
}
