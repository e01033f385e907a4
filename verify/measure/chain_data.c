/* chain_data.c - integers that stay exact through a whole chain.   Declared in chain_data.h.
 *
 * The expected output is computed tap by tap, in f32, in which every sum of these integers is exact in any order.
 * Not here: kernels, the clock (chain.c).
 */
#include "verify/measure/chain_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/random.h"

enum { MOST_TAPS = 3, WORDS = 32 };   /* numbers that one random number makes */

/* One tap of a filter: its channel of x, where it reads from the window's first element on, and its sign. */
struct tap { int64_t c, at[CONV_AXES]; float weight; };

/* ---- how large numbers become ---------------------------------------------------------------------------------- */

/* What the last outputs may be at most. */
static double room_of(const struct chain *chain)
{
    for (int i = 0; i < chain->count; i++)
        if (chain->kernels[i]->accuracy != CONV_DIRECT)
            return 32;
    return 0x1p23;
}

int chain_taps(const struct chain *chain, int layer)
{
    const double room = room_of(chain);
    double most = 1;
    int taps = 1;
    for (int i = 0; i <= layer; i++) {
        const double allowed = pow(room, (i + 1.0) / chain->count);
        const double bias = chain->problems[i].bias ? 1 : 0;
        for (taps = MOST_TAPS; taps > 1 && (taps * most + bias > allowed || taps > conv_fan_in(&chain->problems[i]));)
            taps--;
        most = taps * most + bias;
    }
    return taps;
}

int64_t chain_half(const struct chain *chain)
{
    int64_t most = 0;
    for (int i = 0; i < chain->count; i++) {
        const int64_t x = i > 0 ? conv_operand_count(&chain->problems[i], CONV_X) : 0;
        const int64_t y = conv_operand_count(&chain->problems[i], CONV_Y);
        most = x > most ? x : most;
        most = y > most ? y : most;
    }
    return most;
}

/* ---- inputs ---------------------------------------------------------------------------------------------------- */

/* Tap number `tap` of `taps`, of filter k: one drawn from its own part of the filter, so that no two are the same. */
static int64_t place_of(int64_t k, int tap, int taps, int64_t fan_in, uint64_t seed)
{
    const int64_t begin = fan_in * tap / taps, end = fan_in * (tap + 1) / taps;
    return begin + (int64_t)(random_at(seed, k * MOST_TAPS + tap) >> 8) % (end - begin);
}

static float sign_of(int64_t k, int tap, uint64_t seed)
{
    return random_at(seed, k * MOST_TAPS + tap) & 1 ? 1 : -1;
}

static uint64_t seed_of(const struct chain *chain, int layer) { return random_at(chain->seed, layer); }

void chain_weights(float *w, float *bias, const struct chain *chain, int layer)
{
    const struct conv_problem *problem = &chain->problems[layer];
    const int64_t fan_in = conv_fan_in(problem);
    const int taps = chain_taps(chain, layer);
    const uint64_t seed = seed_of(chain, layer);
    for (int64_t i = 0; i < problem->k * fan_in; i++)
        w[i] = 0;
    for (int64_t k = 0; k < problem->k; k++) {
        for (int tap = 0; tap < taps; tap++)
            w[k * fan_in + place_of(k, tap, taps, fan_in, seed)] = sign_of(k, tap, seed);   /* w[k][c][t][r][s] */
        if (bias)
            bias[k] = (float)((int)(random_at(seed, -1 - k) % 3) - 1);
    }
}

/* -1, 0 and 1; half of them are 0 */
static void fill(float *to, int64_t count, uint64_t seed)
{
    static const float numbers[4] = { 0, 1, 0, -1 };
    for (int64_t i = 0; i < count; i += WORDS) {
        uint64_t bits = random_at(seed, i);
        for (int64_t j = i; j < count && j < i + WORDS; j++, bits >>= 2)
            to[j] = numbers[bits & 3];
    }
}

void chain_fill(float *x, float *const halves[2], const struct chain *chain, int call)
{
    const uint64_t seed = random_at(chain->seed, (int64_t)chain->count + call);
    const int64_t half = chain_half(chain);
    fill(x, conv_operand_count(&chain->problems[0], CONV_X), seed);
    fill(halves[0], half, seed + 1);
    fill(halves[1], half, seed + 2);
}

/* ---- what comes out -------------------------------------------------------------------------------------------- */

/* The taps of filter k that aren't 0, read back from its weights. */
static int taps_of(struct tap *taps, int expected, const float *w, const struct conv_problem *problem, int64_t k,
                   uint64_t seed)
{
    const struct conv_axis *axis = problem->axis;
    const int64_t fan_in = conv_fan_in(problem);
    for (int tap = 0; tap < expected; tap++) {
        int64_t place = place_of(k, tap, expected, fan_in, seed);
        taps[tap].weight = w[k * fan_in + place];
        for (int a = CONV_AXES - 1; a >= 0; place /= axis[a--].filter)
            taps[tap].at[a] = place % axis[a].filter * axis[a].dilation;
        taps[tap].c = place + k / (problem->k / problem->groups) * (problem->c / problem->groups);
    }
    return expected;
}

static float activated(float y, enum conv_activation act)
{
    if (act == CONV_ACT_NONE || y > 0)
        return act == CONV_ACT_RELU6 && y > 6 ? 6 : y;
    return 0;
}

/* y[n][k][z][p][q], from its filter's taps. */
static float one_output(const float *x, const struct tap *taps, int count, const struct conv_problem *problem,
                        int64_t n, const int64_t at[CONV_AXES])
{
    const struct conv_axis *axis = problem->axis;
    const bool last = problem->layout == CONV_CHANNELS_LAST;
    float sum = 0;
    for (int tap = 0; tap < count; tap++) {
        int64_t place = 0;
        bool inside = true;
        for (int a = 0; a < CONV_AXES; a++) {
            const int64_t here = at[a] * axis[a].stride - axis[a].pad_begin + taps[tap].at[a];
            inside = inside && conv_inside(&axis[a], here);
            place = place * axis[a].in + here;
        }
        const int64_t plane = axis[CONV_D].in * axis[CONV_H].in * axis[CONV_W].in, c = taps[tap].c;
        const int64_t from = last ? (n * plane + place) * problem->c + c    /* x[n][d][h][w][c] */
                                  : (n * problem->c + c) * plane + place;   /* x[n][c][d][h][w] */
        if (inside)
            sum += taps[tap].weight * x[from];
    }
    return sum;
}

/* All outputs of filter k of image n. */
static void one_plane(float *y, const float *x, const struct tap *taps, int count, float bias,
                      const struct conv_problem *problem, int64_t n, int64_t k)
{
    const struct conv_axis *axis = problem->axis;
    const bool last = problem->layout == CONV_CHANNELS_LAST;
    const int64_t plane = axis[CONV_D].out * axis[CONV_H].out * axis[CONV_W].out;
    float *to = last ? y + n * plane * problem->k + k        /* y[n][:][k] */
                     : y + (n * problem->k + k) * plane;     /* y[n][k][:] */
    const int64_t step = last ? problem->k : 1;
    int64_t at[CONV_AXES];
    for (at[0] = 0; at[0] < axis[0].out; at[0]++)
        for (at[1] = 0; at[1] < axis[1].out; at[1]++)
            for (at[2] = 0; at[2] < axis[2].out; at[2]++, to += step)
                *to = activated(one_output(x, taps, count, problem, n, at) + bias, problem->act);
}

static void expect_layer(float *y, const float *x, const float *w, const float *bias, const struct chain *chain,
                         int layer)
{
    const struct conv_problem *problem = &chain->problems[layer];
    const int count = chain_taps(chain, layer);
    struct tap taps[MOST_TAPS];
    for (int64_t n = 0; n < problem->n; n++)
        for (int64_t k = 0; k < problem->k; k++) {
            taps_of(taps, count, w, problem, k, seed_of(chain, layer));
            one_plane(y, x, taps, count, bias ? bias[k] : 0, problem, n, k);
        }
}

void chain_expect(float *const halves[2], const float *x, float *const *w, float *const *bias,
                  const struct chain *chain)
{
    for (int i = 0; i < chain->count; i++)
        expect_layer(halves[i % 2], i == 0 ? x : halves[(i + 1) % 2], w[i], bias[i], chain, i);
}

bool chain_is_right(char *words, size_t room, const struct chain *chain, const float *got, const float *expected)
{
    const int64_t count = conv_operand_count(&chain->problems[chain->count - 1], CONV_Y);
    const float allowed = room_of(chain) > 32 ? 0 : 0.25f;
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - expected[i]) <= allowed)) {
            snprintf(words, room, "element %" PRId64 " of the last output is %.9g, expected %.9g", i, (double)got[i],
                     (double)expected[i]);
            return false;
        }
    return true;
}
