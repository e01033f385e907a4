/* checksum.c - a linear-time check of huge convolutions, modulo the prime 2^61 - 1.   Declared in checksum.h.
 *
 * A convolution is the trilinear form
 *
 *     T(x, w, y) = SUM  x[n][c][z*stride - pad + t*dilation].. * w[k][c][t].. * y[n][k][z]..
 *
 * over everything, seen from one of its three operands: with y = conv(x, w), SUM R*y = T(x, w, R) for any R of the
 * shape of y, and so for dx and dw.  R is a product of random vectors, one for each dimension, so that T can be
 * computed dimension by dimension, in time proportional to the sizes of the operands (times the filter's sides)
 * instead of the number of multiply-adds.  This is Freivalds' check of a matrix product (1977), carried over; as R
 * has five factors, a wrong output passes with a probability of at most 5 / (2^61 - 1) (Schwartz, Zippel).
 *
 * A transposed problem is the form seen from x: its own y and x change names.  Integers alone: real numbers would
 * need a tolerance as large as the rounding of the whole sum, and one wrong element would hide in it.
 * Not here: activations, which aren't linear (large.c).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "verify/maths/checksum.h"

/* ---- numbers modulo 2^61 - 1, from 0 to 2^61 - 2 --------------------------------------------------------------- */

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 unsigned_wide;

static const uint64_t prime = (UINT64_C(1) << 61) - 1;

static uint64_t reduce(unsigned_wide value)
{
    value = (value & prime) + (value >> 61);   /* below 2^68 */
    const uint64_t folded = (uint64_t)((value & prime) + (value >> 61));
    return folded >= prime ? folded - prime : folded;
}

static uint64_t of_wide(wide value)
{
    const uint64_t size = reduce(value < 0 ? (unsigned_wide)-value : (unsigned_wide)value);
    return value < 0 && size > 0 ? prime - size : size;
}

static uint64_t times(uint64_t a, uint64_t b) { return reduce((unsigned_wide)a * b); }
static uint64_t plus(uint64_t a, uint64_t b) { return a + b >= prime ? a + b - prime : a + b; }

/* ---- random vectors -------------------------------------------------------------------------------------------- */

/* The memory of one comparison: blocks that are freed together. */
struct store { void *blocks[32]; int count; bool short_of_memory; uint64_t state; };

static void *room(struct store *store, int64_t count, size_t size)
{
    void *block = calloc((size_t)count + 1, size);
    store->short_of_memory = store->short_of_memory || !block;
    store->blocks[store->count++] = block;
    return block;
}

static void store_free(struct store *store)
{
    for (int i = 0; i < store->count; i++)
        free(store->blocks[i]);
}

static uint64_t roll(struct store *store) { return random_next(&store->state) % prime; }

static uint64_t *random_vector(struct store *store, int64_t count)
{
    uint64_t *vector = room(store, count, sizeof *vector);
    for (int64_t i = 0; vector && i < count; i++)
        vector[i] = roll(store);
    return vector;
}

static uint64_t total(const uint64_t *vector, int64_t count)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum = plus(sum, vector[i]);
    return sum;
}

/* ---- the form -------------------------------------------------------------------------------------------------- */

enum side { SIDE_X, SIDE_Y };

/* A convolution from x to y, whatever the problem calls them. */
struct form {
    int64_t n, channels[2], groups;      /* channels of x and of y */
    struct conv_axis axis[CONV_AXES];
    const double *image[2], *w, *bias;
};

static int64_t length(const struct form *form, enum side side, int axis)
{
    return side == SIDE_X ? form->axis[axis].in : form->axis[axis].out;
}

static struct form form_of(const struct conv_problem *problem, const double *const at[CONV_OPERANDS])
{
    const bool mirrored = problem->op == CONV_OP_TRANSPOSED;
    struct form form = { .n = problem->n, .channels = { problem->c, problem->k }, .groups = problem->groups,
                         .image = { at[CONV_X], at[CONV_Y] }, .w = at[CONV_WEIGHTS],
                         .bias = problem->pass == CONV_FORWARD ? at[CONV_BIAS] : NULL };
    for (int a = 0; a < CONV_AXES; a++)
        form.axis[a] = mirrored ? conv_mirror(problem->axis[a]) : problem->axis[a];
    if (mirrored) {
        form.channels[SIDE_X] = problem->k, form.channels[SIDE_Y] = problem->c;
        form.image[SIDE_X] = at[CONV_Y], form.image[SIDE_Y] = at[CONV_X];
    }
    return form;
}

/* Weight [k][c][tap], k counted over all groups and c inside of one. */
static int64_t taps_of(const struct form *form)
{
    return form->axis[0].filter * form->axis[1].filter * form->axis[2].filter;
}

/* ---- an image is asked for ------------------------------------------------------------------------------------- */

/* The random factors of an image. */
struct factors { uint64_t *n, *channel, *axis[CONV_AXES]; };

static struct factors random_factors(struct store *store, const struct form *form, enum side side)
{
    struct factors f = { random_vector(store, form->n), random_vector(store, form->channels[side]), { NULL } };
    for (int a = 0; a < CONV_AXES; a++)
        f.axis[a] = random_vector(store, length(form, side, a));
    return f;
}

/* SUM vector[i] * row[i] */
static uint64_t along(const uint64_t *vector, const double *row, int64_t count)
{
    wide sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (wide)vector[i] * (int64_t)row[i];
    return of_wide(sum);
}

/* SUM of all elements times their random factors, which is one of the two numbers, and of the bias, which goes off
 * it. */
static uint64_t sum_of_image(const struct form *form, enum side side, const struct factors *f)
{
    const int64_t D = length(form, side, 0), H = length(form, side, 1), W = length(form, side, 2);
    const double *row = form->image[side];
    uint64_t sum = 0, bias = 0;
    for (int64_t n = 0; n < form->n; n++)
        for (int64_t c = 0; c < form->channels[side]; c++) {
            uint64_t image = 0;
            for (int64_t d = 0; d < D; d++)
                for (int64_t h = 0; h < H; h++, row += W)
                    image = plus(image, times(times(f->axis[0][d], f->axis[1][h]), along(f->axis[2], row, W)));
            sum = plus(sum, times(times(f->n[n], f->channel[c]), image));
        }
    if (form->bias)
        bias = along(f->channel, form->bias, form->channels[side]);
    bias = times(times(bias, total(f->n, form->n)),
                 times(total(f->axis[0], D), times(total(f->axis[1], H), total(f->axis[2], W))));
    return plus(sum, prime - bias);
}

/* The factors of one axis, seen from the other image: table[tap][j] is the factor of the element that the asked image
 * pairs with element j of the other one and this tap; 0 if there is none. */
static uint64_t *pair_up(struct store *store, const struct form *form, enum side asked, int axis,
                         const uint64_t *factor)
{
    const struct conv_axis *a = &form->axis[axis];
    const int64_t others = length(form, asked == SIDE_X ? SIDE_Y : SIDE_X, axis);
    uint64_t *table = room(store, a->filter * others, sizeof *table);
    for (int64_t tap = 0; table && tap < a->filter; tap++) {
        const struct conv_range inside = conv_outputs_inside(a, tap);
        for (int64_t out = inside.begin; out < inside.end; out++) {
            const int64_t in = conv_input_at(a, out, tap);
            table[tap * others + (asked == SIDE_Y ? in : out)] = factor[asked == SIDE_Y ? out : in];
        }
    }
    return table;
}

struct folding {
    const struct form *form;
    enum side other;               /* the image that is folded */
    const uint64_t *of_n, *table[CONV_AXES];
    uint64_t *columns, *planes;    /* [s]; [r][s] */
};

/* planes[r][s] = SUM over rows and columns of one plane of the other image */
static void fold_plane(const struct folding *f, const double *row)
{
    const struct conv_axis *a = f->form->axis;
    const int64_t H = length(f->form, f->other, 1), W = length(f->form, f->other, 2);
    memset(f->planes, 0, (size_t)(a[1].filter * a[2].filter) * sizeof *f->planes);
    for (int64_t h = 0; h < H; h++, row += W) {
        for (int64_t s = 0; s < a[2].filter; s++)
            f->columns[s] = along(f->table[2] + s * W, row, W);
        for (int64_t r = 0; r < a[1].filter; r++)
            for (int64_t s = 0; s < a[2].filter && f->table[1][r * H + h]; s++)
                f->planes[r * a[2].filter + s] = plus(f->planes[r * a[2].filter + s],
                                                      times(f->table[1][r * H + h], f->columns[s]));
    }
}

/* folded[t][r][s] = SUM over the batch and all elements of one channel of the other image */
static void fold_channel(uint64_t *folded, const struct folding *f, int64_t channel)
{
    const struct conv_axis *a = f->form->axis;
    const int64_t D = length(f->form, f->other, 0);
    const int64_t plane = length(f->form, f->other, 1) * length(f->form, f->other, 2),
                  taps = a[1].filter * a[2].filter;
    memset(folded, 0, (size_t)taps_of(f->form) * sizeof *folded);
    for (int64_t n = 0; n < f->form->n; n++)
        for (int64_t d = 0; d < D; d++) {
            fold_plane(f, f->form->image[f->other] + ((n * f->form->channels[f->other] + channel) * D + d) * plane);
            for (int64_t t = 0; t < a[0].filter; t++)
                for (int64_t i = 0; i < taps; i++)
                    folded[t * taps + i] = plus(folded[t * taps + i],
                                                times(times(f->of_n[n], f->table[0][t * D + d]), f->planes[i]));
        }
}

/* weights[tap] = SUM over the asked image's channels of the group that this channel of the other one is in */
static void fold_weights(uint64_t *weights, const struct form *form, enum side asked, const uint64_t *of_channel,
                         int64_t channel)
{
    const enum side other = asked == SIDE_X ? SIDE_Y : SIDE_X;
    const int64_t taps = taps_of(form), own = form->channels[other] / form->groups,
                  many = form->channels[asked] / form->groups, group = channel / own,
                  C = form->channels[SIDE_X] / form->groups;
    for (int64_t tap = 0; tap < taps; tap++) {
        wide sum = 0;
        for (int64_t i = 0; i < many; i++) {
            const int64_t k = asked == SIDE_Y ? group * many + i : channel, c = asked == SIDE_Y ? channel % own : i;
            sum += (wide)of_channel[group * many + i] * (int64_t)form->w[(k * C + c) * taps + tap];
        }
        weights[tap] = of_wide(sum);
    }
}

/* T(x, w, R) or T(R, w, y) */
static uint64_t form_from_image(struct store *store, const struct form *form, enum side asked,
                                const struct factors *factors)
{
    const int64_t taps = taps_of(form);
    struct folding f = { .form = form, .other = asked == SIDE_X ? SIDE_Y : SIDE_X, .of_n = factors->n };
    for (int a = 0; a < CONV_AXES; a++)
        f.table[a] = pair_up(store, form, asked, a, factors->axis[a]);
    f.columns = room(store, form->axis[2].filter, sizeof *f.columns);
    f.planes = room(store, form->axis[1].filter * form->axis[2].filter, sizeof *f.planes);
    uint64_t *folded = room(store, taps, sizeof *folded), *weights = room(store, taps, sizeof *weights), sum = 0;
    for (int64_t c = 0; !store->short_of_memory && c < form->channels[f.other]; c++) {
        fold_channel(folded, &f, c);
        fold_weights(weights, form, asked, factors->channel, c);
        for (int64_t tap = 0; tap < taps; tap++)
            sum = plus(sum, times(folded[tap], weights[tap]));
    }
    return sum;
}

/* ---- the weights are asked for --------------------------------------------------------------------------------- */

struct weight_factors { uint64_t *k, *c, *tap[CONV_AXES]; };

static uint64_t sum_of_weights(const struct form *form, const struct weight_factors *f)
{
    const int64_t C = form->channels[SIDE_X] / form->groups, S = form->axis[2].filter;
    const double *row = form->w;
    uint64_t sum = 0;
    for (int64_t k = 0; k < form->channels[SIDE_Y]; k++)
        for (int64_t c = 0; c < C; c++)
            for (int64_t t = 0; t < form->axis[0].filter; t++)
                for (int64_t r = 0; r < form->axis[1].filter; r++, row += S)
                    sum = plus(sum, times(times(times(f->k[k], f->c[c]), times(f->tap[0][t], f->tap[1][r])),
                                          along(f->tap[2], row, S)));
    return sum;
}

/* to[i] = SUM over the channels of one group of factor * image */
static void fold_group(uint64_t *to, wide *sums, const struct form *form, enum side side, const uint64_t *factor,
                       int64_t n, int64_t group)
{
    const int64_t many = form->channels[side] / form->groups;
    const int64_t size = length(form, side, 0) * length(form, side, 1) * length(form, side, 2);
    const double *from = form->image[side] + (n * form->channels[side] + group * many) * size;
    memset(sums, 0, (size_t)size * sizeof *sums);
    for (int64_t c = 0; c < many; c++, from += size)
        for (int64_t i = 0; i < size; i++)
            sums[i] += (wide)factor[c] * (int64_t)from[i];
    for (int64_t i = 0; i < size; i++)
        to[i] = of_wide(sums[i]);
}

/* to[outer][out][inner] = SUM over taps of factor[tap] * from[outer][in][inner] */
static void slide(uint64_t *to, const uint64_t *from, const struct conv_axis *a, const uint64_t *factor,
                  int64_t outer, int64_t inner)
{
    memset(to, 0, (size_t)(outer * a->out * inner) * sizeof *to);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t tap = 0; tap < a->filter; tap++) {
            const struct conv_range inside = conv_outputs_inside(a, tap);
            for (int64_t out = inside.begin; out < inside.end; out++) {
                const uint64_t *row = from + (o * a->in + conv_input_at(a, out, tap)) * inner;
                uint64_t *result = to + (o * a->out + out) * inner;
                for (int64_t i = 0; i < inner; i++)
                    result[i] = plus(result[i], times(factor[tap], row[i]));
            }
        }
}

/* T(x, R, y) */
static uint64_t form_from_weights(struct store *store, const struct form *form, const struct weight_factors *f)
{
    const struct conv_axis *a = form->axis;
    int64_t most = 1, outs = a[0].out * a[1].out * a[2].out, K = form->channels[SIDE_Y] / form->groups;
    for (int axis = 0; axis < CONV_AXES; axis++)
        most *= a[axis].in > a[axis].out ? a[axis].in : a[axis].out;
    uint64_t *one = room(store, most, sizeof *one), *two = room(store, most, sizeof *two),
             *y = room(store, outs, sizeof *y);
    wide *sums = room(store, most, sizeof *sums);
    uint64_t sum = 0;
    for (int64_t n = 0; !store->short_of_memory && n < form->n; n++)
        for (int64_t g = 0; g < form->groups; g++) {
            fold_group(one, sums, form, SIDE_X, f->c, n, g);
            slide(two, one, &a[2], f->tap[2], a[0].in * a[1].in, 1);
            slide(one, two, &a[1], f->tap[1], a[0].in, a[2].out);
            slide(two, one, &a[0], f->tap[0], 1, a[1].out * a[2].out);
            fold_group(y, sums, form, SIDE_Y, f->k + g * K, n, g);
            for (int64_t i = 0; i < outs; i++)
                sum = plus(sum, times(two[i], y[i]));
        }
    return sum;
}

/* ---- comparing ------------------------------------------------------------------------------------------------- */

static bool all_integers(const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(values[i]) < 0x1p36 && values[i] == rint(values[i])))
            return false;
    return true;
}

static bool same_from_weights(struct store *store, const struct form *form)
{
    struct weight_factors f = { random_vector(store, form->channels[SIDE_Y]),
                                random_vector(store, form->channels[SIDE_X] / form->groups), { NULL } };
    for (int a = 0; a < CONV_AXES; a++)
        f.tap[a] = random_vector(store, form->axis[a].filter);
    return !store->short_of_memory && sum_of_weights(form, &f) == form_from_weights(store, form, &f);
}

static bool same_from_image(struct store *store, const struct form *form, enum side asked)
{
    const struct factors f = random_factors(store, form, asked);
    return !store->short_of_memory && sum_of_image(form, asked, &f) == form_from_image(store, form, asked, &f);
}

enum checksum checksum_compare(const struct conv_problem *problem, enum conv_operand output,
                               const double *const at[CONV_OPERANDS], uint64_t seed)
{
    const struct form form = form_of(problem, at);
    struct store store = { .state = seed };
    bool same;
    if (!all_integers(at[output], conv_operand_count(problem, output)))
        return CHECKSUM_WRONG;
    if (output == CONV_WEIGHTS)
        same = same_from_weights(&store, &form);
    else
        same = same_from_image(&store, &form,
                               (output == CONV_X) == (problem->op != CONV_OP_TRANSPOSED) ? SIDE_X : SIDE_Y);
    store_free(&store);
    return store.short_of_memory ? CHECKSUM_NO_MEMORY : same ? CHECKSUM_RIGHT : CHECKSUM_WRONG;
}
