/* instructions.h - instructions that CUDA C++ has no words for, a function each: as a card has them, in PTX.
 *
 * The words are those of cuda/emulator/instructions.h, which other compilers find.  Cards before sm_80 have none of
 * these but ldmatrix; there a copy is made at once, and lanes exchange the matrices by shuffles: right, and slow.
 * Facts: NVIDIA, "Parallel Thread Execution ISA": cp.async, cvt.rna.tf32, ldmatrix, and the fragments of mma.m16n8k8
 * for .tf32 and of mma.m16n8k16 for .f16 and .bf16.
 * Read next: cuda/three_parts.h
 */
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#if defined __CUDA_ARCH__ && __CUDA_ARCH__ < 800
#define BEFORE_SM_80 1
#else
#define BEFORE_SM_80 0
#endif

/* ---- asynchronous copies from the device's memory to shared memory ---------------------------------------------- */

/* Begin to copy: `bytes` from `from`, and zeros up to SIZE; both begin at multiples of SIZE.  With bytes = 0 nothing
 * is read.  The copy is there behind a cp_async_wait() of this thread; for other threads behind a barrier after it. */
template <int SIZE> __device__ inline void cp_async(void *to, const void *from, unsigned bytes)
{
    static_assert(SIZE == 4 || SIZE == 16, "copies have 4 or 16 bytes");
#if BEFORE_SM_80
    for (unsigned i = 0; i < SIZE / 4; i++)
        static_cast<float *>(to)[i] = 4 * i < bytes ? static_cast<const float *>(from)[i] : 0;
#else
    const unsigned shared = static_cast<unsigned>(__cvta_generic_to_shared(to));
    if (SIZE == 16)   /* past the first cache, which has no copies of 4 bytes that pass it */
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                     :: "r"(shared), "l"(from), "r"(bytes) : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
                     :: "r"(shared), "l"(from), "r"(bytes) : "memory");
#endif
}
__device__ inline void cp_async_4(void *to, const void *from, unsigned bytes) { cp_async<4>(to, from, bytes); }
__device__ inline void cp_async_16(void *to, const void *from, unsigned bytes) { cp_async<16>(to, from, bytes); }

/* The copies that this thread began since the last commit are a group, which may be empty. */
__device__ inline void cp_async_commit()
{
#if !BEFORE_SM_80
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/* Wait until at most the LEFT youngest groups of this thread are still on their way. */
template <int LEFT> __device__ inline void cp_async_wait()
{
#if !BEFORE_SM_80
    asm volatile("cp.async.wait_group %0;" :: "n"(LEFT) : "memory");
#endif
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------- */

/* Round to TF32, 11 bits in the place of 24: to the nearest, halves away from zero. */
__device__ inline float to_tf32(float value)
{
    unsigned bits = __float_as_uint(value);
#if BEFORE_SM_80
    bits = (bits & 0x7f800000) == 0x7f800000 ? bits : (bits + 0x1000) & 0xffffe000;
#else
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
#endif
    return __uint_as_float(bits);
}

/* D[16][8] += A[16][8] * B[8][8], A and B in TF32, D in f32; the whole warp calls it.  Lane L has, with g = L / 4 and
 * t = L % 4,
 *     a: A[g][t], A[g + 8][t], A[g][t + 4], A[g + 8][t + 4];
 *     b: B[t][g], B[t + 4][g];
 *     d: D[g][2 t], D[g][2 t + 1], D[g + 8][2 t], D[g + 8][2 t + 1]. */
__device__ inline void mma_m16n8k8(float (&d)[4], const float (&a)[4], const float (&b)[2])
{
#if BEFORE_SM_80
    const int lane = static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32;
#pragma unroll 1
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float above = __shfl_sync(~0u, a[half * 2], lane / 4 * 4 + k);
            const float below = __shfl_sync(~0u, a[half * 2 + 1], lane / 4 * 4 + k);
            const float left = __shfl_sync(~0u, b[half], lane % 4 * 8 + k);
            const float right = __shfl_sync(~0u, b[half], lane % 4 * 8 + 4 + k);
            d[0] += above * left, d[1] += above * right, d[2] += below * left, d[3] += below * right;
        }
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
          "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
#endif
}

/* D[16][8] += A[16][16] * B[16][8], A and B in 16 bits, D in f32; the whole warp calls it.  A register of A or B has
 * two elements that are neighbours along the inner dimension, the first in its lower half.  With g and t as above,
 *     a: A[g][2 t ...], A[g + 8][2 t ...], A[g][2 t + 8 ...], A[g + 8][2 t + 8 ...];
 *     b: B[2 t ...][g], B[2 t + 8 ...][g];
 *     d: as above. */
#if BEFORE_SM_80
/* WIDEN gives the value of 16 bits. */
template <float WIDEN(unsigned bits)>
__device__ inline void exchange_m16n8k16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2])
{
    const int lane = static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32;
#pragma unroll 1
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const unsigned above = __shfl_sync(~0u, a[half * 2], lane / 4 * 4 + k);
            const unsigned below = __shfl_sync(~0u, a[half * 2 + 1], lane / 4 * 4 + k);
            const unsigned left = __shfl_sync(~0u, b[half], lane % 4 * 8 + k);
            const unsigned right = __shfl_sync(~0u, b[half], lane % 4 * 8 + 4 + k);
#pragma unroll
            for (int i = 0; i < 32; i += 16) {
                d[0] += WIDEN(above >> i & 0xffff) * WIDEN(left >> i & 0xffff);
                d[1] += WIDEN(above >> i & 0xffff) * WIDEN(right >> i & 0xffff);
                d[2] += WIDEN(below >> i & 0xffff) * WIDEN(left >> i & 0xffff);
                d[3] += WIDEN(below >> i & 0xffff) * WIDEN(right >> i & 0xffff);
            }
        }
}
__device__ inline float widen_bf16(unsigned bits) { return __uint_as_float(bits << 16); }
__device__ inline float widen_f16(unsigned bits)
{
    return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
}
#endif

__device__ inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2])
{
#if BEFORE_SM_80
    exchange_m16n8k16<widen_bf16>(d, a, b);
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}
__device__ inline void mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2])
{
#if BEFORE_SM_80
    exchange_m16n8k16<widen_f16>(d, a, b);
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/* ---- matrices from shared memory -------------------------------------------------------------------------------- */

/* Four matrices of 8 rows of 16 bytes.  Lane L says where row L % 8 of matrix L / 8 begins, at a multiple of 16 bytes
 * in shared memory, and gets 4 bytes of each matrix: word L % 4 of row L / 4.  The whole warp calls it. */
__device__ inline void ldmatrix_x4(unsigned (&words)[4], const void *row)
{
    const unsigned shared = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3]) : "r"(shared) : "memory");
}
