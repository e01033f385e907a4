/* seams.c - check "seams": sizes round the seams of vectors, tiles and blocks, on integers, bit for bit.
 *
 * A kernel that works in vectors of 4, 8 or 16, tiles of 6 or 12 and blocks of 256 goes wrong at their seams, and small
 * shapes have none.  Sizes are drawn around multiples of these; images are rarely square, paddings rarely
 * symmetric, and channels rarely round.
 *
 * Sees: tails of vectors, tiles and blocks; off-by-one at seams.
 * Does not see: sizes beyond 2^31 elements; precision.
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

enum { WANTED = 1500, MOST_ATTEMPTS = 200000 };
static const int64_t most_macs = 1000 * 1000;

/* Draws numbers from one seed: the i-th draw depends on the seed and i alone. */
struct dice { struct conv_fill fill; int64_t throws; };

static int64_t below(struct dice *dice, int64_t limit)
{
    const double unit = (conv_fill_value(&dice->fill, "dice", dice->throws++) + 1) / 2;
    return (int64_t)(unit * (double)limit);
}

static int64_t one_of(struct dice *dice, const int *list, int count) { return list[below(dice, count)]; }
#define ONE_OF(dice, ...) one_of(dice, (const int[]){ __VA_ARGS__ }, sizeof (int[]){ __VA_ARGS__ } / sizeof(int))

static int64_t channels(struct dice *dice)
{
    return ONE_OF(dice, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 28, 29, 31, 32, 33, 48);
}

static int64_t width(struct dice *dice)
{
    return ONE_OF(dice, 1, 2, 5, 7, 8, 9, 14, 15, 16, 17, 18, 23, 24, 25, 31, 32, 33, 34, 47, 63, 64, 65, 130);
}

static void draw_axes(struct conv_problem *p, enum conv_kind kind, struct dice *dice)
{
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++) {
        const bool last = a == CONV_W;
        p->axis[a] = (struct conv_axis){
            .in = last ? width(dice) : ONE_OF(dice, 1, 2, 3, 4, 5, 7, 8, 9, 13, 17),
            .filter = ONE_OF(dice, 1, 1, 2, 3, 3, 3, 4, 5, 7), .stride = ONE_OF(dice, 1, 1, 1, 2, 2, 3, 4),
            .dilation = ONE_OF(dice, 1, 1, 1, 2, 3), .pad_begin = below(dice, 4), .pad_end = below(dice, 4),
            .output_pad = p->op == CONV_OP_TRANSPOSED ? below(dice, 2) : 0 };
        if (kind == CONV_POINTWISE)
            p->axis[a].filter = 1;
        if (p->axis[a].filter == 1 && below(dice, 4))   /* plain matrix products are wanted too */
            p->axis[a].stride = 1, p->axis[a].pad_begin = p->axis[a].pad_end = 0;
    }
}

static void draw_channels(struct conv_problem *p, enum conv_kind kind, struct dice *dice)
{
    p->c = channels(dice);
    p->k = channels(dice);
    if (kind == CONV_DEPTHWISE) {
        p->groups = p->c;
        p->k = p->c * ONE_OF(dice, 1, 1, 1, 2, 3);
    } else if (kind == CONV_GROUPED || (kind == CONV_TRANSPOSED && below(dice, 2))) {
        p->groups = ONE_OF(dice, 2, 2, 3, 4, 5, 8);
        p->c *= p->groups;
        p->k *= p->groups;
    } else if (kind == CONV_SEPARABLE) {
        p->mult = ONE_OF(dice, 1, 1, 2, 3);
    }
}

static bool draw(struct conv_problem *problem, const struct conv_kernel *kernel, struct dice *dice)
{
    struct conv_problem p = conv_problem_default((int)ONE_OF(dice, 1, 2, 2, 2, 3));
    enum conv_kind kind;
    do
        kind = (enum conv_kind)below(dice, CONV_KINDS);
    while (!(kernel->kinds & 1u << kind));
    p.op = kind == CONV_SEPARABLE ? CONV_OP_SEPARABLE : kind == CONV_TRANSPOSED ? CONV_OP_TRANSPOSED : CONV_OP_CONV;
    p.pass = (enum conv_pass)below(dice, CONV_PASSES);
    p.layout = (enum conv_layout)below(dice, CONV_LAYOUTS);
    p.type = (enum conv_type)below(dice, CONV_TYPES);
    p.n = ONE_OF(dice, 0, 1, 1, 1, 2, 3, 5, 27);
    p.bias = below(dice, 2);
    p.act = p.pass == CONV_FORWARD ? (enum conv_activation)below(dice, CONV_ACTIVATIONS) : CONV_ACT_NONE;
    p.mid_act = kind == CONV_SEPARABLE ? (enum conv_activation)below(dice, CONV_ACTIVATIONS) : CONV_ACT_NONE;
    draw_channels(&p, kind, dice);
    draw_axes(&p, kind, dice);
    if (conv_problem_finish(&p, NULL) != CONV_OK || conv_kernel_refuses(kernel, &p))
        return false;
    *problem = p;
    return (double)conv_fan_in(&p) * (double)conv_operand_count(&p, CONV_Y) <= (double)most_macs;
}

static void run(struct checker *checker)
{
    struct dice dice = { .fill = { CONV_FILL_UNIFORM, checker->options.seed, 1, 0 } };
    struct conv_problem problem;
    checker->shared->total = WANTED;
    for (int attempt = 0; attempt < MOST_ATTEMPTS && checker->shared->done < WANTED; attempt++)
        if (draw(&problem, checker->kernel, &dice) && !check_exact(checker, &problem, 1))
            return;
}

const struct check check_seams = {
    .name = "seams",
    .sees = "tails of vectors, tiles and blocks; off-by-one at their seams; odd channels; empty batches",
    .blind = "sizes beyond 2^31 elements; precision",
    .run = run,
};
