/* dtype.c - the table of element types.   Declared in convref/dtype.h. */
#include <convref/dtype.h>

static const struct conv_type_facts facts[CONV_TYPES] = {
    [CONV_F32] = { "f32", "f4", 4, 24, 0x1p-24, 0x1p-149 },
    [CONV_F64] = { "f64", "f8", 8, 53, 0x1p-53, 0x1p-1074 },
};

const struct conv_type_facts *conv_type_facts(enum conv_type type)
{
    return &facts[type];
}

double conv_get(enum conv_type type, const void *data, int64_t i)
{
    return type == CONV_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

void conv_set(enum conv_type type, void *data, int64_t i, double value)
{
    if (type == CONV_F32)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}
