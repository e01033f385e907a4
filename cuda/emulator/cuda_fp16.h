/* cuda_fp16.h - f16 by the names of the toolkit: 11 bits of a significand, from 2^-24 to 65,504.
 *
 * Here are the words that the rungs use, and no others.   Read next: narrow.h
 */
#pragma once
#include "narrow.h"

struct __half { uint16_t bits; };
struct alignas(4) __half2 { __half x, y; };

inline __half __float2half_rn(float value) { return { emulator::narrow<5>::from(value) }; }
inline float __half2float(__half value) { return emulator::narrow<5>::to(value.bits); }
inline __half2 __floats2half2_rn(float x, float y) { return { __float2half_rn(x), __float2half_rn(y) }; }
inline unsigned short __half_as_ushort(__half value) { return value.bits; }
inline __half __ushort_as_half(unsigned short bits) { return { bits }; }
