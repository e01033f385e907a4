/* instructions.h - instructions that CUDA C++ has no words for, a function each: their models.
 *
 * The words are those of cuda/device/instructions.h, which nvcc finds, and which says what each of them does.
 * Read next: instructions.cc
 */
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace emulator {
void copy_async(void *to, const void *from, unsigned size, unsigned bytes, const void *site);
void commit_copies();
void wait_for_copies(int groups_left);
enum type { TF32, F16, BF16 };
void multiply(float *d, const void *a, const void *b, type type, const void *site);
void load_matrices(unsigned *words, const void *row, const void *site);
}

EMULATOR_CALL void cp_async_4(void *to, const void *from, unsigned bytes)
{
    emulator::copy_async(to, from, 4, bytes, EMULATOR_SITE);
}
EMULATOR_CALL void cp_async_16(void *to, const void *from, unsigned bytes)
{
    emulator::copy_async(to, from, 16, bytes, EMULATOR_SITE);
}
inline void cp_async_commit() { emulator::commit_copies(); }
template <int LEFT> void cp_async_wait() { emulator::wait_for_copies(LEFT); }

/* Half of the last bit that stays is added to the magnitude, and the 13 bits below are cut off: what cvt.rna does. */
inline float to_tf32(float value)
{
    return std::isfinite(value) ? __uint_as_float((__float_as_uint(value) + 0x1000) & 0xffffe000) : value;
}
EMULATOR_CALL void mma_m16n8k8(float (&d)[4], const float (&a)[4], const float (&b)[2])
{
    emulator::multiply(d, a, b, emulator::TF32, EMULATOR_SITE);
}
EMULATOR_CALL void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2])
{
    emulator::multiply(d, a, b, emulator::BF16, EMULATOR_SITE);
}
EMULATOR_CALL void mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2])
{
    emulator::multiply(d, a, b, emulator::F16, EMULATOR_SITE);
}
EMULATOR_CALL void ldmatrix_x4(unsigned (&words)[4], const void *row)
{
    emulator::load_matrices(words, row, EMULATOR_SITE);
}
