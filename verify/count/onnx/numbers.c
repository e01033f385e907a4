/* numbers.c - short values, computed as a runtime would.   Declared in numbers.h. */
#include "verify/count/onnx/numbers.h"

#include <math.h>
#include <string.h>

/* ---- strides ------------------------------------------------------------------------------------------------ */

void strides_of(int64_t *strides, const struct onnx_shape *shape)
{
    int64_t stride = 1;
    for (int d = shape->rank - 1; d >= 0; d--) {
        strides[d] = stride;
        stride *= shape->dims[d];
    }
}

void strides_broadcast(int64_t *strides, const struct onnx_shape *from, const struct onnx_shape *to)
{
    int64_t own[CONV_MAX_RANK];
    const int front = to->rank - from->rank;
    strides_of(own, from);
    for (int d = 0; d < to->rank; d++)
        strides[d] = d < front || from->dims[d - front] == 1 ? 0 : own[d - front];
}

int64_t strides_at(const struct onnx_shape *shape, int64_t index, const int64_t *strides)
{
    int64_t at = 0;
    for (int d = shape->rank - 1; d >= 0; d--) {
        at += index % shape->dims[d] * strides[d];
        index /= shape->dims[d];
    }
    return at;
}

/* ---- moving numbers ------------------------------------------------------------------------------------------ */

union number *numbers_room(struct step *step, const struct value *out)
{
    return out && out->known ? numbers_create(step->walk, shape_elements(&out->shape)) : NULL;
}

/* Whole numbers that a real one can't be are the nearest that there is, as in a slice up to the end. */
static int64_t to_whole(double real)
{
    return isnan(real) ? 0 : real >= 0x1p63 ? INT64_MAX : real <= -0x1p63 ? INT64_MIN : (int64_t)real;
}

static double to_type(double real, int32_t type) { return type == ONNX_FLOAT ? (double)(float)real : real; }

static union number convert(union number number, int32_t from, int32_t to)
{
    const bool was_real = is_real_type(from), is_real = is_real_type(to);
    if (to == ONNX_BOOL)
        number.whole = was_real ? number.real != 0 : number.whole != 0;
    else if (is_real)
        number.real = to_type(was_real ? number.real : (double)number.whole, to);
    else if (was_real)
        number.whole = to_whole(number.real);
    return number;
}

void numbers_keep(struct step *step, struct value *out, const struct value *from)
{
    if (!from->numbers || !from->known || !out->known || shape_elements(&from->shape) != shape_elements(&out->shape))
        return;
    out->numbers = from->numbers;
    if (from->type == out->type)
        return;
    union number *numbers = numbers_room(step, out);
    for (int64_t i = 0; numbers && i < shape_elements(&out->shape); i++)
        numbers[i] = convert(from->numbers[i], from->type, out->type);
    out->numbers = numbers;
}

void numbers_stride(struct step *step, struct value *out, const struct value *from, int64_t base,
                    const int64_t *strides)
{
    union number *numbers = from->numbers ? numbers_room(step, out) : NULL;
    for (int64_t i = 0; numbers && i < shape_elements(&out->shape); i++)
        numbers[i] = from->numbers[base + strides_at(&out->shape, i, strides)];
    out->numbers = numbers;
}

bool number_get(double *number, const struct value *value)
{
    if (!value || !value->known || !value->numbers || shape_elements(&value->shape) != 1)
        return false;
    *number = is_real_type(value->type) ? value->numbers[0].real : (double)value->numbers[0].whole;
    return true;
}

/* ---- one number of one, of two, of three --------------------------------------------------------------------- */

static double negate(double x) { return -x; }
static double invert(double x) { return 1 / x; }
static double sign(double x) { return (x > 0) - (x < 0); }
static double relu(double x) { return x > 0 ? x : 0; }
static double logical_not(double x) { return x == 0; }

/* Of whole numbers those are computed that stay whole; all of them are exact up to 2^53. */
static const struct { const char *op_type; double (*compute)(double); bool whole; } functions[] = {
    { "Floor", floor, false }, { "Ceil", ceil, false }, { "Round", rint, false }, { "Neg", negate, true },
    { "Abs", fabs, true }, { "Sign", sign, true }, { "Sqrt", sqrt, false }, { "Exp", exp, false },
    { "Log", log, false }, { "Reciprocal", invert, false }, { "Relu", relu, true }, { "Not", logical_not, true },
};

enum operation { ADD, SUB, MUL, DIV, MOD, POW, MIN, MAX, EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL,
                 AND, OR, XOR };

static const struct { const char *op_type; enum operation operation; } operations[] = {
    { "Add", ADD }, { "Sum", ADD }, { "Sub", SUB }, { "Mul", MUL }, { "Div", DIV }, { "Mod", MOD }, { "Pow", POW },
    { "Min", MIN }, { "Max", MAX }, { "Equal", EQUAL }, { "Less", LESS }, { "LessOrEqual", LESS_EQUAL },
    { "Greater", GREATER }, { "GreaterOrEqual", GREATER_EQUAL }, { "And", AND }, { "Or", OR }, { "Xor", XOR },
};

static bool compare(enum operation operation, bool equal, bool less)
{
    switch (operation) {
    case EQUAL: return equal;
    case LESS: return less;
    case LESS_EQUAL: return less || equal;
    case GREATER: return !less && !equal;
    default: return !less;
    }
}

/* Division goes towards zero; remainders of negative numbers, which have two definitions, aren't followed.  False:
 * overflow, or a division by zero. */
static bool compute_whole(int64_t *to, enum operation operation, int64_t x, int64_t y)
{
    switch (operation) {
    case ADD: return !__builtin_add_overflow(x, y, to);
    case SUB: return !__builtin_sub_overflow(x, y, to);
    case MUL: return !__builtin_mul_overflow(x, y, to);
    case DIV:
        *to = y > 0 ? x / y : 0;
        return y > 0 || (y < 0 && !__builtin_sub_overflow(0, x / (y == -1 ? 1 : -y), to));
    case MOD:
        *to = x >= 0 && y > 0 ? x % y : 0;
        return x >= 0 && y > 0;
    case POW: {
        const double power = pow((double)x, (double)y);
        *to = fabs(power) < 0x1p53 ? (int64_t)power : 0;
        return fabs(power) < 0x1p53;
    }
    case MIN: *to = x < y ? x : y; return true;
    case MAX: *to = x > y ? x : y; return true;
    case AND: *to = x && y; return true;
    case OR: *to = x || y; return true;
    case XOR: *to = !x != !y; return true;
    default: *to = compare(operation, x == y, x < y); return true;
    }
}

static bool compute_real(union number *to, enum operation operation, double x, double y, int32_t type)
{
    switch (operation) {
    case ADD: to->real = to_type(x + y, type); return true;
    case SUB: to->real = to_type(x - y, type); return true;
    case MUL: to->real = to_type(x * y, type); return true;
    case DIV: to->real = to_type(x / y, type); return true;
    case MOD: to->real = fmod(x, y); return true;
    case POW: to->real = to_type(pow(x, y), type); return true;
    case MIN: to->real = fmin(x, y); return true;
    case MAX: to->real = fmax(x, y); return true;
    default:
        if (isnan(x) || isnan(y))
            return false;
        to->whole = compare(operation, x == y, x < y);
        return operation <= GREATER_EQUAL;
    }
}

/* ---- element by element -------------------------------------------------------------------------------------- */

static void compute_function(struct step *step, size_t f)
{
    struct value *out = step->out;
    const struct value *in = step->in[0];
    const bool real = is_real_type(in->type);
    union number *numbers = real || functions[f].whole ? numbers_room(step, out) : NULL;
    for (int64_t i = 0; numbers && i < shape_elements(&out->shape); i++) {
        const double x = real ? in->numbers[i].real : (double)in->numbers[i].whole;
        const double y = functions[f].compute(x);
        if (real)
            numbers[i].real = to_type(y, in->type);
        else if (fabs(x) < 0x1p53)
            numbers[i].whole = (int64_t)y;
        else
            return;
    }
    out->numbers = numbers;
}

/* Numbers of eight bits and unsigned ones wrap around, which nobody does with shapes. */
static bool is_followed(int32_t type)
{
    return type == ONNX_INT64 || type == ONNX_INT32 || type == ONNX_BOOL || is_real_type(type);
}

static bool is_in_range(int64_t whole, int32_t type)
{
    return type != ONNX_INT32 || (whole >= INT32_MIN && whole <= INT32_MAX);
}

/* b is combined with what is there: Sum, Min and Max have any number of inputs. */
static bool combine(struct step *step, union number *numbers, enum operation operation, const struct value *b)
{
    const struct value *a = step->in[0];
    const struct onnx_shape *shape = &step->out->shape;
    int64_t strides[CONV_MAX_RANK];
    const bool real = is_real_type(a->type);
    if (real != is_real_type(b->type) || !is_followed(a->type) || !is_followed(b->type))
        return false;
    strides_broadcast(strides, &b->shape, shape);
    for (int64_t i = 0; i < shape_elements(shape); i++) {
        const union number x = numbers[i], y = b->numbers[strides_at(shape, i, strides)];
        if (real ? !compute_real(&numbers[i], operation, x.real, y.real, a->type)
                 : !compute_whole(&numbers[i].whole, operation, x.whole, y.whole)
                       || !is_in_range(numbers[i].whole, a->type))
            return false;
    }
    return true;
}

static void compute_operation(struct step *step, enum operation operation)
{
    struct value *out = step->out;
    int64_t strides[CONV_MAX_RANK];
    strides_broadcast(strides, &step->in[0]->shape, &out->shape);
    union number *numbers = numbers_room(step, out);
    for (int64_t i = 0; numbers && i < shape_elements(&out->shape); i++)
        numbers[i] = step->in[0]->numbers[strides_at(&out->shape, i, strides)];
    for (size_t i = 1; numbers && i < step->at.node->n_input; i++)
        if (!combine(step, numbers, operation, step->in[i]))
            return;
    out->numbers = numbers;
}

/* Where(condition, x, y) */
static void compute_where(struct step *step)
{
    struct value *out = step->out;
    int64_t strides[3][CONV_MAX_RANK];
    for (int i = 0; i < 3; i++)
        strides_broadcast(strides[i], &step->in[i]->shape, &out->shape);
    union number *numbers = numbers_room(step, out);
    for (int64_t i = 0; numbers && i < shape_elements(&out->shape); i++) {
        const bool first = step->in[0]->numbers[strides_at(&out->shape, i, strides[0])].whole != 0;
        numbers[i] = step->in[first ? 1 : 2]->numbers[strides_at(&out->shape, i, strides[first ? 1 : 2])];
    }
    out->numbers = numbers;
}

void numbers_compute(struct step *step)
{
    const size_t count = step->at.node->n_input;
    if (count == 0 || count > sizeof step->in / sizeof *step->in || !step->out->known)
        return;
    for (size_t i = 0; i < count; i++)
        if (!step->in[i] || !step->in[i]->known || !step->in[i]->numbers)
            return;
    if (onnx_is(step->at.node, "Where") && count == 3)
        compute_where(step);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (count == 1 && onnx_is(step->at.node, functions[i].op_type))
            compute_function(step, i);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (onnx_is(step->at.node, operations[i].op_type))
            compute_operation(step, operations[i].operation);
}

/* ---- reductions ---------------------------------------------------------------------------------------------- */

void numbers_reduce(struct step *step, unsigned axes)
{
    static const struct { const char *op_type; enum operation operation; int64_t first; } reductions[] = {
        { "ReduceSum", ADD, 0 }, { "ReduceProd", MUL, 1 }, { "ReduceMax", MAX, INT64_MIN },
        { "ReduceMin", MIN, INT64_MAX },
    };
    const struct value *in = step->in[0];
    struct onnx_shape kept = in->shape;
    int64_t strides[CONV_MAX_RANK];
    for (int d = 0; d < kept.rank; d++)
        kept.dims[d] = axes & 1u << d ? 1 : kept.dims[d];
    strides_broadcast(strides, &kept, &in->shape);
    for (size_t r = 0; value_is_list(in) && r < sizeof reductions / sizeof *reductions; r++) {
        union number *numbers = onnx_is(step->at.node, reductions[r].op_type) ? numbers_room(step, step->out) : NULL;
        for (int64_t i = 0; numbers && i < shape_elements(&kept); i++)
            numbers[i].whole = reductions[r].first;
        bool good = true;
        for (int64_t i = 0; numbers && i < shape_elements(&in->shape); i++) {
            int64_t *to = &numbers[strides_at(&in->shape, i, strides)].whole;
            good = good && compute_whole(to, reductions[r].operation, *to, in->numbers[i].whole);
        }
        if (numbers && good)
            step->out->numbers = numbers;
    }
}
