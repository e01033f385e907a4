/* element.c - the table of element types, and their bits. */
#include "verify/io/element.h"

#include <math.h>
#include <string.h>

static const struct element_facts facts[ELEMENTS] = {
    [ELEMENT_F16]  = { "f16",  "<f2", "F16",  2, CONV_F32 },
    [ELEMENT_BF16] = { "bf16", NULL,  "BF16", 2, CONV_F32 },
    [ELEMENT_F32]  = { "f32",  "<f4", "F32",  4, CONV_F32 },
    [ELEMENT_F64]  = { "f64",  "<f8", "F64",  8, CONV_F64 },
    [ELEMENT_S8]   = { "s8",   "|i1", "I8",   1, CONV_F32 },
    [ELEMENT_U8]   = { "u8",   "|u1", "U8",   1, CONV_F32 },
    [ELEMENT_S32]  = { "s32",  "<i4", "I32",  4, CONV_F64 },
};

/* IEEE 754: bits of the exponent, bits of the fraction; 0 for integers */
static const struct { int exponent, fraction; } fields[ELEMENTS] = {
    [ELEMENT_F16] = { 5, 10 }, [ELEMENT_BF16] = { 8, 7 }, [ELEMENT_F32] = { 8, 23 }, [ELEMENT_F64] = { 11, 52 },
};

static const struct { double least, most; } ranges[ELEMENTS] = {
    [ELEMENT_S8] = { -128, 127 }, [ELEMENT_U8] = { 0, 255 }, [ELEMENT_S32] = { INT32_MIN, INT32_MAX },
};

const struct element_facts *element_facts(enum element element)
{
    return &facts[element];
}

enum element element_of_name(const char *name)
{
    enum element element = 0;
    while (element < ELEMENTS && strcmp(facts[element].name, name))
        element++;
    return element;
}

static double float_value(int exponent_bits, int fraction_bits, uint64_t bits)
{
    const int all_ones = (1 << exponent_bits) - 1, bias = all_ones >> 1;
    const uint64_t fraction = bits & ((UINT64_C(1) << fraction_bits) - 1);
    const int exponent = (int)(bits >> fraction_bits) & all_ones;
    const double sign = bits >> (exponent_bits + fraction_bits) & 1 ? -1 : 1;
    if (exponent == all_ones)
        return fraction ? NAN : sign * INFINITY;
    const uint64_t significand = exponent ? fraction | UINT64_C(1) << fraction_bits : fraction;
    return sign * ldexp((double)significand, (exponent ? exponent : 1) - bias - fraction_bits);
}

static uint64_t float_bits(int exponent_bits, int fraction_bits, double value)
{
    const int all_ones = (1 << exponent_bits) - 1, bias = all_ones >> 1, least = 1 - bias - fraction_bits;
    const uint64_t sign = (uint64_t)!!signbit(value) << (exponent_bits + fraction_bits);
    const uint64_t infinity = (uint64_t)all_ones << fraction_bits;
    int exponent;
    if (isnan(value))
        return sign | infinity | UINT64_C(1) << (fraction_bits - 1);
    if (value == 0 || isinf(value))
        return sign | (value == 0 ? 0 : infinity);
    frexp(value, &exponent);   /* |value| = [0.5, 1) * 2^exponent */
    int unit = exponent - 1 - fraction_bits;   /* of the last place */
    if (unit < least)
        unit = least;
    const uint64_t places = (uint64_t)rint(ldexp(fabs(value), -unit));
    /* the hidden bit of a normal number, and a carry out of the fraction, add one to the exponent by themselves */
    const uint64_t bits = ((uint64_t)(unit - least) << fraction_bits) + places;
    return sign | (bits < infinity ? bits : infinity);
}

double element_value(enum element element, uint64_t bits)
{
    switch (element) {
    case ELEMENT_S8: return (int8_t)bits;
    case ELEMENT_U8: return (uint8_t)bits;
    case ELEMENT_S32: return (int32_t)bits;
    default: return float_value(fields[element].exponent, fields[element].fraction, bits);
    }
}

static uint64_t integer_bits(enum element element, double value)
{
    double whole = isnan(value) ? 0 : rint(value);
    whole = whole < ranges[element].least ? ranges[element].least : whole;
    whole = whole > ranges[element].most ? ranges[element].most : whole;
    const uint64_t bits = (uint64_t)(int64_t)whole;
    return bits & ((UINT64_C(1) << 8 * facts[element].size) - 1);
}

uint64_t element_bits(enum element element, double value)
{
    if (fields[element].exponent == 0)
        return integer_bits(element, value);
    return float_bits(fields[element].exponent, fields[element].fraction, value);
}
