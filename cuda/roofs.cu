/* roofs.cu - what a card can do at most, measured on it: copies, multiply-adds, and a launch that does nothing.  A program.
 *
 *     $ cuda/roofs                       quantity, bytes or multiply-adds, microseconds, rate, unit; as TSV
 *
 * The clock is that of the rungs (provider.cu): events around a kernel that is queued behind a sweep of the second cache.
 * So the time of a copy that moves as many bytes as a layer must, over the layer's time, is the part of the roof that the
 * layer reaches.  Small copies are slower, for the card as for a rung.  Of "copy again" the second of two is timed: small
 * ones find all in the second cache.
 * Not here: what data sheets promise (verify/measure/cards.c).   Read next: run-on-gpu
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cuda_runtime.h>
#include "sweep.h"

constexpr int THREADS = 256, TURNS = 31, CHAINS = 8, STEPS = 4096;

static void must(cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "roofs: %s: %s\n", what, cudaGetErrorString(error));
    exit(error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ? 77 : 1);
}

__global__ void nothing() {}

/* y[i] = x[i], 16 bytes a thread and turn */
__global__ void copy(float4 *y, const float4 *x, size_t count)
{
    for (size_t i = blockIdx.x * size_t(THREADS) + threadIdx.x; i < count; i += size_t(gridDim.x) * THREADS)
        y[i] = x[i];
}

/* CHAINS independent sums a thread; the store is never made, and nvcc can't know */
__global__ void multiply_add(float *y, float a, float b)
{
    float sum[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        sum[i] = static_cast<float>(threadIdx.x + i);
    for (int step = 0; step < STEPS; step++)
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * a + b;
    float total = 0;
    for (int i = 0; i < CHAINS; i++)
        total += sum[i];
    if (total == -1)
        y[threadIdx.x] = total;
}

/* Median seconds of what start() starts; `warm`: of the second of two. */
template <class Start> static double seconds_of(bool warm, Start start)
{
    static cudaEvent_t begin, end;
    static float took[TURNS];
    if (!begin) {
        must(cudaEventCreate(&begin), "an event");
        must(cudaEventCreate(&end), "an event");
    }
    for (float &milliseconds : took) {
        must(sweep_second_cache(), "memory to sweep the second cache with");
        if (warm)
            start();
        must(cudaEventRecord(begin), "an event");
        start();
        must(cudaEventRecord(end), "an event");
        must(cudaEventSynchronize(end), "a kernel");
        must(cudaEventElapsedTime(&milliseconds, begin, end), "an event");
    }
    std::nth_element(took, took + TURNS / 2, took + TURNS);
    return 1e-3 * static_cast<double>(took[TURNS / 2]);
}

static void row(const char *quantity, double amount, double seconds, double rate, const char *unit)
{
    printf("%s\t%.0f\t%.2f\t%.1f\t%s\n", quantity, amount, 1e6 * seconds, rate, unit);
}

int main()
{
    cudaDeviceProp card;
    must(cudaGetDeviceProperties(&card, 0), "the card");
    const size_t most = size_t(1) << 30;   /* bytes of x, and of y */
    float4 *x, *y;
    must(cudaMalloc(&x, most), "memory");
    must(cudaMalloc(&y, most), "memory");
    must(cudaMemset(x, 1, most), "memory");
    printf("quantity\tamount\tmicroseconds\trate\tunit\n");
    const double launch = seconds_of(false, [] { nothing<<<1, THREADS>>>(); });
    row("nothing", 0, launch, 0, "");
    for (size_t bytes = size_t(1) << 20; bytes <= most; bytes *= 4)
        for (bool warm : { false, true }) {
            const size_t count = bytes / sizeof *x;
            const unsigned blocks = static_cast<unsigned>(std::min(count / THREADS, size_t(16) * card.multiProcessorCount));
            const double seconds = seconds_of(warm, [=] { copy<<<blocks, THREADS>>>(y, x, count); });
            row(warm ? "copy again" : "copy", 2.0 * static_cast<double>(bytes), seconds,
                2e-9 * static_cast<double>(bytes) / seconds, "GB/s");
        }
    const double products = 16.0 * card.multiProcessorCount * THREADS * CHAINS * STEPS;
    const double seconds = seconds_of(false, [=] {
        multiply_add<<<16 * card.multiProcessorCount, THREADS>>>(reinterpret_cast<float *>(y), 0.5F, 1.0F); });
    row("multiply-adds", products, seconds, 1e-9 * products / seconds, "GMAC/s");
}
