/* instructions.cu - the instructions of cuda/device and of cuda/emulator, against plain loops; a program.
 *
 * A line for each: its name, and how many results are wrong or what was seen; tests/test_cuda.sh says what is right.
 * The places of a lane's elements are computed here as NVIDIA's "Parallel Thread Execution ISA" has them, from
 * groupID = lane / 4 and threadID_in_group = lane % 4, and not by the models' own words.  Compiled by nvcc, the program
 * asks a card; only what a copy overwrites before it has been waited for has no answer there.
 * Read next: cuda/emulator/instructions.cc
 */
#include <convref/kernel.h>
#include <cstdio>
#include "launch.h"
#include <instructions.h>

enum { LANES = 32 };

/* ---- products of matrices: small integers, all sums exact ---------------------------------------------------------- */

enum type { TF32, F16, BF16 };

__device__ static unsigned pair(type type, float low, float high)
{
    const unsigned a = type == F16 ? __half_as_ushort(__float2half_rn(low))
                                   : __bfloat16_as_ushort(__float2bfloat16_rn(low));
    const unsigned b = type == F16 ? __half_as_ushort(__float2half_rn(high))
                                   : __bfloat16_as_ushort(__float2bfloat16_rn(high));
    return a | b << 16;
}

/* d[16][8] += a[16][8] b[8][8] */
__global__ void product_of_8(float *d, const float *a, const float *b)
{
    const int group = static_cast<int>(threadIdx.x) >> 2, in_group = static_cast<int>(threadIdx.x) % 4;
    float of_a[4], of_b[2], of_d[4];
    for (int i = 0; i < 4; i++) {
        of_a[i] = a[(i == 0 || i == 2 ? group : group + 8) * 8 + (i < 2 ? in_group : in_group + 4)];
        of_d[i] = d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)];
    }
    for (int i = 0; i < 2; i++)
        of_b[i] = b[(i == 0 ? in_group : in_group + 4) * 8 + group];
    mma_m16n8k8(of_d, of_a, of_b);
    for (int i = 0; i < 4; i++)
        d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)] = of_d[i];
}

/* d[16][8] += a[16][16] b[16][8] */
__global__ void product_of_16(float *d, const float *a, const float *b, type type)
{
    const int group = static_cast<int>(threadIdx.x) >> 2, in_group = static_cast<int>(threadIdx.x) % 4;
    unsigned of_a[4], of_b[2];
    float of_d[4];
    for (int i = 0; i < 8; i += 2) {
        const int row = i < 2 || (4 <= i && i < 6) ? group : group + 8, column = in_group * 2 + (i < 4 ? 0 : 8);
        of_a[i / 2] = pair(type, a[row * 16 + column], a[row * 16 + column + 1]);
    }
    for (int i = 0; i < 4; i += 2) {
        const int row = in_group * 2 + (i < 2 ? 0 : 8);
        of_b[i / 2] = pair(type, b[row * 8 + group], b[(row + 1) * 8 + group]);
    }
    for (int i = 0; i < 4; i++)
        of_d[i] = d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)];
    if (type == F16)
        mma_m16n8k16_f16(of_d, of_a, of_b);
    else
        mma_m16n8k16_bf16(of_d, of_a, of_b);
    for (int i = 0; i < 4; i++)
        d[(i < 2 ? group : group + 8) * 8 + in_group * 2 + (i & 1)] = of_d[i];
}

/* ---- rows of matrices --------------------------------------------------------------------------------------------- */

/* Row r of matrix m lies at row 5 (8 m + r) % 32 of shared memory: 5 and 32 have no common factor. */
__device__ static int place(int row) { return 5 * row % LANES; }

/* to[lane][matrix]; element c of row r of matrix m is 64 m + 8 r + c. */
__global__ void load_rows(unsigned *to)
{
    alignas(16) __shared__ unsigned rows[LANES][4];
    const int lane = static_cast<int>(threadIdx.x);
    for (unsigned i = 0; i < 4; i++)
        rows[place(lane)][i] = (threadIdx.x * 8 + 2 * i) | (threadIdx.x * 8 + 2 * i + 1) << 16;
    __syncwarp();
    unsigned words[4];
    ldmatrix_x4(words, rows[place(lane)]);
    for (int i = 0; i < 4; i++)
        to[lane * 4 + i] = words[i];
}

/* ---- copies ------------------------------------------------------------------------------------------------------- */

/* sums[0 ... 2]: of what 32 threads find in shared memory, where each stored 1 and two groups of copies bring 2: at
 * once; behind a wait that leaves one group; behind a wait for all.  sums[3]: of 16 bytes of which 8 were copied. */
__global__ void copy(float *sums, const float *twos)
{
    alignas(16) __shared__ float first[LANES], second[LANES], tail[LANES][4];
    const int lane = static_cast<int>(threadIdx.x);
    first[lane] = second[lane] = 1;
    for (int i = 0; i < 4; i++)
        tail[lane][i] = 1;
    __syncwarp();
    cp_async_4(&first[lane], &twos[lane], 4);
    cp_async_commit();
    cp_async_4(&second[lane], &twos[lane], 4);
    cp_async_16(tail[lane], &twos[lane & ~3], 8);
    cp_async_commit();
    atomicAdd(&sums[0], first[lane] + second[lane]);
    cp_async_wait<1>();
    atomicAdd(&sums[1], first[lane] + second[lane]);
    cp_async_wait<0>();
    atomicAdd(&sums[2], first[lane] + second[lane]);
    atomicAdd(&sums[3], tail[lane][0] + tail[lane][1] + tail[lane][2] + tail[lane][3]);
}

/* ---- the host ------------------------------------------------------------------------------------------------------ */

static char failure[CONV_FAILURE];
static const conv_workspace workspace = { nullptr, nullptr, 1, failure };

template <class T> static T *to_device(const T *values, int count)
{
    void *memory = nullptr;
    cudaMalloc(&memory, sizeof(T) * static_cast<size_t>(count));
    cudaMemcpy(memory, values, sizeof(T) * static_cast<size_t>(count), cudaMemcpyHostToDevice);
    return static_cast<T *>(memory);
}

template <class T> static void from_device(T *values, const T *memory, int count)
{
    cudaDeviceSynchronize();
    cudaMemcpy(values, memory, sizeof(T) * static_cast<size_t>(count), cudaMemcpyDeviceToHost);
}

static void test_product(const char *name, type type)
{
    const int inner = type == TF32 ? 8 : 16;
    float a[16 * 16], b[16 * 8], d[16 * 8], truth[16 * 8];
    int wrong = 0;
    for (int i = 0; i < 16 * inner; i++)
        a[i] = static_cast<float>(i * 37 % 17 - 8);
    for (int i = 0; i < inner * 8; i++)
        b[i] = static_cast<float>(i * 29 % 13 - 6);
    for (int row = 0; row < 16; row++)
        for (int column = 0; column < 8; column++) {
            float &sum = truth[row * 8 + column] = d[row * 8 + column] = static_cast<float>(100 * row + column);
            for (int k = 0; k < inner; k++)
                sum += a[row * inner + k] * b[k * 8 + column];
        }
    float *d_there = to_device(d, 16 * 8), *a_there = to_device(a, 16 * inner), *b_there = to_device(b, inner * 8);
    if (type == TF32)
        launch(&workspace, product_of_8, 1, LANES, 0, d_there, a_there, b_there);
    else
        launch(&workspace, product_of_16, 1, LANES, 0, d_there, a_there, b_there, type);
    from_device(d, d_there, 16 * 8);
    for (int i = 0; i < 16 * 8; i++)
        wrong += !(d[i] == truth[i]);
    printf("%s wrong %d of 128\n", name, wrong);
}

static void test_rows()
{
    unsigned words[LANES * 4] = {};
    unsigned *there = to_device(words, LANES * 4);
    int wrong = 0;
    launch(&workspace, load_rows, 1, LANES, 0, there);
    from_device(words, there, LANES * 4);
    for (unsigned lane = 0; lane < LANES; lane++)
        for (unsigned matrix = 0; matrix < 4; matrix++) {
            const unsigned first = 64 * matrix + 8 * (lane >> 2) + 2 * (lane % 4);
            wrong += words[lane * 4 + matrix] != (first | (first + 1) << 16);
        }
    printf("ldmatrix_x4 wrong %d of 128\n", wrong);
}

static void test_copies()
{
    float sums[4] = {}, twos[LANES];
    for (float &two : twos)
        two = 2;
    float *there = to_device(sums, 4);
    launch(&workspace, copy, 1, LANES, 0, there, to_device(twos, LANES));
    from_device(sums, there, 4);
    printf("cp_async %g %g %g %g\n", static_cast<double>(sums[0]), static_cast<double>(sums[1]),
           static_cast<double>(sums[2]), static_cast<double>(sums[3]));
}

int main()
{
    test_product("mma_m16n8k8", TF32);
    test_product("mma_m16n8k16_f16", F16);
    test_product("mma_m16n8k16_bf16", BF16);
    test_rows();
    test_copies();
    if (failure[0])
        fprintf(stderr, "%s\n", failure);
    return failure[0] != 0;
}
