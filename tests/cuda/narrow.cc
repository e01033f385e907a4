/* narrow.cc - all numbers of 16 bits to float, and back what lies at and beside the middle of each two; a program.
 *
 * Compiled once with the headers of cuda/emulator and once with the toolkit's, it prints the same (tests/test_cuda.sh).
 * A line: the pattern, the bits of its float, and the patterns to which the middle between it and the next, and the
 * floats below and above that middle, are rounded.  NaN, whose bits nobody promises, is "nan".
 * Read next: cuda/emulator/narrow.h
 */
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cmath>
#include <cstdio>
#include <cstring>

static unsigned bits_of(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* What follows `pattern` away from 0: behind the largest a number that would be next, if there were one. */
static void print(unsigned pattern, float widen(unsigned pattern), unsigned narrow(float value), unsigned largest)
{
    const float value = widen(pattern), before = widen(pattern - 1);
    if (std::isnan(value)) {
        printf("%04x nan %s\n", pattern, std::isnan(widen(narrow(value))) ? "nan" : "a number");
        return;
    }
    const float next = (pattern & 0x7fff) == largest ? value + (value - before) : widen(pattern + 1);
    const float middle = value + (next - value) / 2;
    printf("%04x %08x %04x", pattern, bits_of(value), narrow(value));
    if (!std::isinf(value))
        printf(" %04x %04x %04x", narrow(std::nextafter(middle, 0.0f)), narrow(middle),
               narrow(std::nextafter(middle, middle < 0 ? -INFINITY : INFINITY)));
    putchar('\n');
}

int main()
{
    for (unsigned pattern = 0; pattern < 1 << 16; pattern++)
        print(pattern, [](unsigned p) { return __half2float(__ushort_as_half(static_cast<unsigned short>(p))); },
              [](float value) -> unsigned { return __half_as_ushort(__float2half_rn(value)); }, 0x7bff);
    for (unsigned pattern = 0; pattern < 1 << 16; pattern++)
        print(pattern, [](unsigned p) { return __bfloat162float(__ushort_as_bfloat16(static_cast<unsigned short>(p))); },
              [](float value) -> unsigned { return __bfloat16_as_ushort(__float2bfloat16_rn(value)); }, 0x7f7f);
    return 0;
}
