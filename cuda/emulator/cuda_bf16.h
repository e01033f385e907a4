/* cuda_bf16.h - bf16 by the names of the toolkit: 8 bits of a significand, and the exponents of f32.
 *
 * Here are the words that the rungs use, and no others.   Read next: narrow.h
 */
#pragma once
#include "narrow.h"

struct __nv_bfloat16 { uint16_t bits; };
struct alignas(4) __nv_bfloat162 { __nv_bfloat16 x, y; };

inline __nv_bfloat16 __float2bfloat16_rn(float value) { return { emulator::narrow<8>::from(value) }; }
inline float __bfloat162float(__nv_bfloat16 value) { return emulator::narrow<8>::to(value.bits); }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
    return { __float2bfloat16_rn(x), __float2bfloat16_rn(y) };
}
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) { return value.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return { bits }; }
