/* guess.c - which mistake would give exactly these outputs?   Declared in guess.h.
 *
 * Each suspect is a row of a table: words, and a function that makes the mistake, on the problem or on the inputs.
 * The reference computes what the mistake would give, for one problem after the other, those that the kernel gets right
 * among them.  A suspect that ever gives something else than the kernel is cleared; who is left explains everything.
 */
#include "verify/engine/guess.h"

#include <convref/reference.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A problem and its inputs as doubles with the channels first, ours to change. */
struct mistake {
    struct conv_problem problem;      /* type f64, channels first */
    double *x, *w, *bias, *y;         /* NULL: not an input */
};

static int64_t taps_of(const struct conv_problem *p)
{
    return p->axis[CONV_D].filter * p->axis[CONV_H].filter * p->axis[CONV_W].filter;
}

static int64_t image_of(const struct conv_problem *p)
{
    return p->axis[CONV_D].in * p->axis[CONV_H].in * p->axis[CONV_W].in;
}

/* ---- the mistakes: each returns false where it can't be made --------------------------------------------- */

static bool rotate_filter(struct mistake *m)
{
    const int64_t taps = taps_of(&m->problem);
    const int64_t filters = conv_operand_count(&m->problem, CONV_WEIGHTS) / taps;
    for (int64_t f = 0; m->w && f < filters; f++)
        for (int64_t a = f * taps, b = a + taps - 1; a < b; a++, b--) {
            const double kept = m->w[a];
            m->w[a] = m->w[b];
            m->w[b] = kept;
        }
    return m->w != NULL;
}

static bool transpose_filter(struct mistake *m)
{
    const int64_t R = m->problem.axis[CONV_H].filter, S = m->problem.axis[CONV_W].filter;
    const int64_t planes = m->w ? conv_operand_count(&m->problem, CONV_WEIGHTS) / (R * S) : 0;
    if (R != S)
        return false;
    for (int64_t i = 0; i < planes; i++)
        for (int64_t r = 0; r < R; r++)
            for (int64_t s = 0; s < r; s++) {
                double *a = &m->w[(i * R + r) * S + s], *b = &m->w[(i * R + s) * S + r];
                const double kept = *a;
                *a = *b;
                *b = kept;
            }
    return m->w != NULL;
}

/* w[k][c] read as if it were w[c][k] */
static bool exchange_channels(struct mistake *m)
{
    int64_t dims[CONV_MAX_RANK];
    const int64_t taps = taps_of(&m->problem), count = conv_operand_count(&m->problem, CONV_WEIGHTS);
    double *read = m->w ? malloc((size_t)count * sizeof *read) : NULL;
    if (!read)
        return false;
    conv_operand_shape(dims, &m->problem, CONV_WEIGHTS);
    for (int64_t k = 0; k < dims[0]; k++)
        for (int64_t c = 0; c < dims[1]; c++)
            memcpy(read + (k * dims[1] + c) * taps, m->w + (c * dims[0] + k) * taps,
                   (size_t)taps * sizeof *read);
    memcpy(m->w, read, (size_t)count * sizeof *read);
    free(read);
    return true;
}

static bool forget_bias(struct mistake *m)
{
    for (int64_t k = 0; m->bias && k < conv_operand_count(&m->problem, CONV_BIAS); k++)
        m->bias[k] = 0;
    return m->bias != NULL;
}

static bool add_bias_twice(struct mistake *m)
{
    for (int64_t k = 0; m->bias && k < conv_operand_count(&m->problem, CONV_BIAS); k++)
        m->bias[k] *= 2;
    return m->bias != NULL;
}

static bool repeat_bias(struct mistake *m)
{
    const int64_t filters = m->problem.k / m->problem.groups;
    for (int64_t k = filters; m->bias && m->problem.op != CONV_OP_SEPARABLE && k < m->problem.k; k++)
        m->bias[k] = m->bias[k % filters];
    return m->bias != NULL;
}

static bool forget_activation(struct mistake *m)
{
    m->problem.act = CONV_ACT_NONE;
    return true;
}

static bool relu_for_relu6(struct mistake *m)
{
    m->problem.act = m->problem.act == CONV_ACT_RELU6 ? CONV_ACT_RELU : m->problem.act;
    return true;
}

static bool exchange_pads(struct mistake *m)
{
    for (int a = 0; a < CONV_AXES; a++) {
        struct conv_axis *axis = &m->problem.axis[a];
        const int64_t begin = axis->pad_begin;
        axis->pad_begin = axis->pad_end;
        axis->pad_end = begin;
    }
    return true;
}

/* Exchange one field of the last two axes; outputs must keep their sizes, which finish() derives. */
static bool exchange_field(struct mistake *m, size_t field)
{
    char *h = (char *)&m->problem.axis[CONV_H] + field, *w = (char *)&m->problem.axis[CONV_W] + field;
    int64_t kept;
    memcpy(&kept, h, sizeof kept);
    memcpy(h, w, sizeof kept);
    memcpy(w, &kept, sizeof kept);
    return m->problem.rank > 1;
}

static bool exchange_strides(struct mistake *m) { return exchange_field(m, offsetof(struct conv_axis, stride)); }
static bool exchange_dilations(struct mistake *m)
{
    return exchange_field(m, offsetof(struct conv_axis, dilation));
}

/* Taps one after the other where they should be `dilation` apart; the outputs stay as many. */
static bool ignore_dilation(struct mistake *m)
{
    for (int a = 0; a < CONV_AXES; a++) {
        struct conv_axis *axis = &m->problem.axis[a];
        axis->pad_end -= conv_extent(axis) - axis->filter;
        axis->dilation = 1;
    }
    return m->problem.op != CONV_OP_TRANSPOSED;
}

static bool first_group_weights(struct mistake *m)
{
    const int64_t part = m->w ? conv_operand_count(&m->problem, CONV_WEIGHTS) / m->problem.groups : 0;
    for (int64_t g = 1; m->w && g < m->problem.groups; g++)
        memcpy(m->w + g * part, m->w, (size_t)part * sizeof *m->w);
    return m->w != NULL;
}

static bool first_group_input(struct mistake *m)
{
    const int64_t part = m->problem.c / m->problem.groups * image_of(&m->problem);
    for (int64_t n = 0; m->x && n < m->problem.n; n++)
        for (int64_t g = 1; g < m->problem.groups; g++)
            memcpy(m->x + (n * m->problem.groups + g) * part, m->x + n * m->problem.groups * part,
                   (size_t)part * sizeof *m->x);
    return m->x != NULL;
}

static bool first_image(struct mistake *m)
{
    const int64_t image = m->problem.c * image_of(&m->problem);
    for (int64_t n = 1; m->x && n < m->problem.n; n++)
        memcpy(m->x + n * image, m->x, (size_t)image * sizeof *m->x);
    return m->x != NULL;
}

static const struct { const char *words; bool (*make)(struct mistake *); } mistakes[] = {
    { "the filter is rotated by half a turn: a true convolution, where frameworks mean a cross-correlation",
      rotate_filter },
    { "the filter's rows and columns are exchanged", transpose_filter },
    { "the weights are read as C x K instead of K x C", exchange_channels },
    { "the bias is missing", forget_bias },
    { "the bias is added twice", add_bias_twice },
    { "every group gets the bias of the first", repeat_bias },
    { "the activation is missing", forget_activation },
    { "relu6 is computed as relu", relu_for_relu6 },
    { "the padding at the beginning and at the end are exchanged", exchange_pads },
    { "the strides of rows and columns are exchanged", exchange_strides },
    { "the dilations of rows and columns are exchanged", exchange_dilations },
    { "the dilation is ignored", ignore_dilation },
    { "every group uses the weights of the first", first_group_weights },
    { "every group reads the input channels of the first", first_group_input },
    { "every image of the batch is computed from the first", first_image },
};

/* ---- trying them -------------------------------------------------------------------------------------------- */

static double *widened(const struct conv_problem *problem, enum conv_operand operand,
                       const struct conv_operands *operands)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (conv_operand_role(problem, operand) != CONV_INPUT || count == 0)
        return NULL;
    double *copy = malloc((size_t)count * sizeof *copy);
    if (copy)
        conv_operand_widen(copy, problem, operand, operands->at[operand]);
    return copy;
}

/* What a kernel was asked, and what it gave. */
struct testimony {
    const struct conv_problem *problem;
    enum conv_operand output;
    const struct conv_operands *operands;
    const double *got;
    bool exact;
};

/* Does the reference give the same for `problem` and `inputs`, bit for bit or as far as the type can tell? */
static bool gives(const struct testimony *said, const struct conv_problem *problem,
                  const struct conv_operands *inputs)
{
    struct conv_truth truth;
    if (conv_truth_compute(&truth, NULL, problem, said->output, inputs, NULL) != CONV_OK)
        return false;
    bool same = true;
    for (int64_t i = 0; same && i < truth.count; i++) {
        const double bound = said->exact ? 0 : conv_truth_bound(&truth, i, said->problem->type);
        same = fabs(said->got[i] - truth.value[i]) <= bound;
    }
    conv_truth_free(&truth);
    return same;
}

/* Is this what the kernel gives if it makes this mistake?  One that can't be made here changes nothing. */
static bool fits(const struct testimony *said, bool (*make)(struct mistake *))
{
    const struct conv_problem *problem = said->problem;
    const struct conv_operands *operands = said->operands;
    struct mistake m = { *problem, widened(problem, CONV_X, operands), widened(problem, CONV_WEIGHTS, operands),
                         widened(problem, CONV_BIAS, operands), widened(problem, CONV_Y, operands) };
    double *pw = widened(problem, CONV_PW, operands), *pw_bias = widened(problem, CONV_PW_BIAS, operands);
    const struct conv_operands inputs = { { { m.x, m.w, m.bias, pw, pw_bias, m.y } } };
    m.problem.type = CONV_F64;
    m.problem.layout = CONV_CHANNELS_FIRST;
    const struct conv_problem right = m.problem;
    if (!make(&m) || conv_problem_finish(&m.problem, NULL) != CONV_OK
        || conv_operand_count(&m.problem, said->output) != conv_operand_count(problem, said->output))
        m.problem = right;
    const bool same = gives(said, &m.problem, &inputs);
    double *const copies[] = { m.x, m.w, m.bias, m.y, pw, pw_bias };
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        free(copies[i]);
    return same;
}

enum { MISTAKES = sizeof mistakes / sizeof *mistakes };
_Static_assert(MISTAKES <= 32, "struct suspects has a bit for each mistake");

void suspect_all(struct suspects *suspects) { suspects->possible = (unsigned)((UINT64_C(1) << MISTAKES) - 1); }

void suspect_those_who_fit(struct suspects *suspects, const struct conv_problem *problem, enum conv_operand output,
                           const struct conv_operands *operands, const double *got, bool exact)
{
    const struct testimony said = { problem, output, operands, got, exact };
    /* above this many multiply-adds, trying them all takes longer than a reader waits */
    static const int64_t most_macs = 20 * 1000 * 1000;
    if (conv_fan_in(problem) * conv_operand_count(problem, output) > most_macs)
        suspects->possible = 0;
    for (int i = 0; i < MISTAKES; i++)
        if (suspects->possible & 1u << i && !fits(&said, mistakes[i].make))
            suspects->possible &= ~(1u << i);
}

/* One factor between what was expected and what came? */
static void name_factor(struct conv_finding *finding)
{
    const double factor = finding->first[0].got / finding->first[0].expected;
    bool same = finding->wrong > 2 && isfinite(factor) && factor != 0;
    for (int i = 0; i < finding->shown; i++)
        same = same && finding->first[i].got == factor * finding->first[i].expected;
    if (same)
        snprintf(finding->guess, sizeof finding->guess, "what is wrong is %g times what it should be", factor);
}

void suspect_name(struct conv_finding *finding, const struct suspects *suspects)
{
    finding->guess[0] = 0;
    for (int i = 0; i < MISTAKES; i++)
        if (suspects->possible & 1u << i) {
            snprintf(finding->guess, sizeof finding->guess, "%s", mistakes[i].words);
            return;
        }
    name_factor(finding);
}
