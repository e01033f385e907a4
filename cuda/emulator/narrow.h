/* narrow.h - numbers of 16 bits: to float, and back by rounding to the nearest, halves to even.
 *
 * One template for both kinds, which differ in how many of their bits are the exponent: 5 in f16, 8 in bf16.
 * Not here: the names that CUDA gives them (cuda_fp16.h, cuda_bf16.h).   Read next: cuda_bf16.h
 */
#pragma once
#include <cuda_runtime.h>

namespace emulator {

template <int EXPONENT> struct narrow {
    static constexpr int FRACTION = 15 - EXPONENT;
    static constexpr unsigned BIAS = (1 << (EXPONENT - 1)) - 1;
    static constexpr int LOWEST = 2 - (1 << (EXPONENT - 1)) - FRACTION;   /* the last bit of a subnormal: 2^LOWEST */
    static constexpr unsigned INFINITE = ((1 << EXPONENT) - 1) << FRACTION;

    /* A positive number is its count of last bits, plus 2^FRACTION for each exponent above the lowest; a count that
     * is rounded up to the next power of two is that number, too. */
    static uint16_t from(float value)
    {
        const unsigned sign = __float_as_uint(value) >> 31 << 15, size = __float_as_uint(value) & 0x7fffffff;
        if (size >= 0x7f800000)
            return static_cast<uint16_t>(size > 0x7f800000 ? 0x7fff : sign | INFINITE);
        const int above = max(static_cast<int>(size >> 23) - 127 - FRACTION, LOWEST);
        const uint64_t one = uint64_t(1023 + 52 + above) << 52;   /* a double whose last bit is 2^above */
        const unsigned units = static_cast<unsigned>(
            std::bit_cast<uint64_t>(std::bit_cast<double>(one) + __uint_as_float(size)) - one);
        const unsigned bits = units + (static_cast<unsigned>(above - LOWEST) << FRACTION);
        return static_cast<uint16_t>(sign | (bits < INFINITE ? bits : INFINITE));
    }

    /* As a float with its bits in place it is too small by the difference of the biases; so are subnormal numbers. */
    static float to(unsigned bits)
    {
        const unsigned sign = (bits & 0x8000) << 16, infinite = (bits & INFINITE) == INFINITE ? 0x7f800000 : 0;
        const float size = __uint_as_float((bits & 0x7fff) << (23 - FRACTION)) * __uint_as_float((254 - BIAS) << 23);
        return __uint_as_float(__float_as_uint(size) | sign | infinite);
    }
};

}
