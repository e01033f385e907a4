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
    static constexpr int LOWEST = 2 - (1 << (EXPONENT - 1)) - FRACTION;   /* the last bit of a subnormal: 2^LOWEST */
    static constexpr unsigned INFINITE = ((1 << EXPONENT) - 1) << FRACTION;

    /* A positive number is its count of last bits, plus 2^FRACTION for each exponent above the lowest; a count that
     * is rounded up to the next power of two is that number, too. */
    static uint16_t from(float value)
    {
        const unsigned sign = __float_as_uint(value) >> 31 << 15;
        if (std::isnan(value))
            return 0x7fff;
        if (value == 0 || std::isinf(value))
            return static_cast<uint16_t>(sign | (value == 0 ? 0 : INFINITE));
        const int above = max(std::ilogb(value) - FRACTION, LOWEST);
        const double units = std::nearbyint(std::ldexp(std::fabs(value), -above));
        const unsigned bits = static_cast<unsigned>(units) + (static_cast<unsigned>(above - LOWEST) << FRACTION);
        return static_cast<uint16_t>(sign | (bits < INFINITE ? bits : INFINITE));
    }

    /* As a float with its bits in place it is too small by the difference of the biases; so are subnormal numbers. */
    static float to(unsigned bits)
    {
        constexpr unsigned BIAS = (1 << (EXPONENT - 1)) - 1;
        const unsigned sign = (bits & 0x8000) << 16, rest = (bits & 0x7fff) << (23 - FRACTION);
        if ((bits & INFINITE) == INFINITE)
            return __uint_as_float(sign | 0x7f800000 | rest);
        return __uint_as_float(sign | rest) * __uint_as_float((127 + 127 - BIAS) << 23);
    }
};

}
